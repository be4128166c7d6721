"""Generated bugs that are none: (function, kind, what is changed, in which code) → why."""

STILL_X = "the other name is x itself there"
SHORTER = "zip ends with the shorter of the two"
FIRST = "the first convolution reads the image and has no towers, whatever its row says"
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
    ("decoder_block", "set", "3 to 5",
     "sizes = list(zip(skip.shape[1:3], y.shape[1:3]))"): SHORTER,
}
