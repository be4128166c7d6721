"""Cases: one file per net, each with its paper, its stage table and its builder."""
