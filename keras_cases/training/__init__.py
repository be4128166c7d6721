"""Training: any net, any split of images; nothing here knows a net by name."""
