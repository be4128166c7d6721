"""Generated bugs that are none: (function, kind, what is changed, in which code) → why."""

STILL_X = "the other name is x itself there"
SHORTER = "zip ends with the shorter of the two"
FIRST = "the first convolution reads the image and has no towers, whatever its row says"
NEARER = "the next size that tiles is nearer than either bound"
FOURS = "rounded to a multiple of 4 it is the same at every width that is used"
NO_IMAGE = "image_input refuses such an image too, and names rho"
IMPLIED = "the last condition holds wherever this one does"
CASTS = "Multiply casts its inputs to its own type anyway"

EQUIVALENT = {
    **{(f"bottleneck_block_v{n}", "rewired", "to identity", code): STILL_X for n, code in [
        (1, "layers.Conv2D(4 * filters, 1, strides=strides, **conv)(x)"),
        (2, "layers.MaxPooling2D(1, strides)(x)")]},
    **{(f"res_block_v{n}", "rewired", f"to {name}", code): STILL_X for n in (1, 2) for name, code in [
        ("identity", "layers.Conv2D(output_filter, 1, strides=strides, **conv)(x)"),
        ("x", "layers.MaxPooling2D(1, strides)(identity)")]},
    ("inverted_residual_block", "rewired", "to x",
     "layers.Conv2D(int(expansion) * x.shape[-1], 1, use_bias=False)(y)"): STILL_X,
    ("mbconv_block", "rewired", "to x",
     "layers.Conv2D(wide, 1, use_bias=False, kernel_initializer=init)(y)"): STILL_X,
    ("local_response_norm", "rewired", "input 0 to wide",
     "layers.Multiply(name=name)([x, scale])"): CASTS,
    ("local_response_norm", "dropped", "", "ops.cast(scale, x.dtype)"): CASTS,
    **{(table, "table", "False to True", code): FIRST for table, code in [
        ("LAYERS", "LAYERS = [(96, 11, 4, False, 'lrn pool'), (256, 5, 1, True, 'lrn pool'), "
         "(384, 3, 1, False, ''), (384, 3, 1, True, ''), (256, 3, 1, True, 'pool')]"),
        ("LAYERS_CIFAR", "LAYERS_CIFAR = [(48, 5, 1, False, 'lrn pool'), (128, 5, 1, True, 'lrn pool'), "
         "(192, 3, 1, False, ''), (192, 3, 1, True, ''), (128, 3, 1, True, 'pool')]")]},
    **{("mobilenet", "turned", f"without {part}", "alpha <= 0 or rho <= 0 or int(32 * alpha) < 1"):
       IMPLIED if "alpha" in part else NO_IMAGE for part in ("alpha <= 0", "rho <= 0")},
    **{("mobilenet", "turned", what, "if alpha <= 0 or rho <= 0 or int(32 * alpha) < 1:"): why
       for what, why in [("comparison", IMPLIED), ("comparison (2)", NO_IMAGE)]},
    ("unet", "set", "8 to 9", "better = next((s for s in range(size, size + 2 ** (depth + 8)) "
     "if output_size(s, depth, padding)))"): NEARER,
    **{("_modules_and_heads", "set", f"{n} to {n + 1}", (
        "auxiliary.append(auxiliary_classifier(seen, classes, _scaled(128, width), "
        "_scaled(1024, width), batch_norm=batch_norm, classifier_activation=classifier_activation, "
        "name=HEADS[module]))")): FOURS for n in (128, 1024)},
    **{("decoder_block", "set", what, "sizes = list(zip(skip.shape[1:3], y.shape[1:3]))"): SHORTER
       for what in ("3 to 5", "3 to 5 (2)")},
    ("lenet5_1998", "set", "10 to 11", "inputs, x = _padded(image_input('lenet5_1998', input_shape, 10))"):
        "the number of classes is only checked to be above 0",
}
