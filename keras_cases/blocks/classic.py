"""The blocks of the nets before Inception, and SqueezeNet's: AlexNet, Network in Network, VGG.

All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers, ops


def vgg_block(x, filters, kernel_sizes=(3, 3), pool=True, batch_norm=False, activation="relu",
              name=None):
    """Small convolutions in a row, then the map is halved: depth instead of large kernels.

        x ─ conv 3×3 ─ relu ─ conv 3×3 ─ relu ─ … ─ max-pool 2×2 /2 ─►

    Shapes: (batch, H, W, C) → (batch, H // 2, W // 2, filters), or H, W as they are without pool.
    Parameters, f filters, n convolutions of 3×3: 9·C·f + (n − 1)·9·f² + n·f, and 4·n·f more for
    batch normalization. 3→64→64: 38,720.

    kernel_sizes: one entry per convolution; (3, 3, 1) is a stage of VGG C. pool=False leaves the
    map as it is. batch_norm: between each convolution and its activation. name: of the exit layer.

    Paper: Simonyan & Zisserman 2014, arXiv:1409.1556, sec. 2.1 and table 1.
    Differs from the paper: `batch_norm` (2015) came after it.
    Raises: ValueError for no kernel_sizes; Keras's own for a wrong rank, filters below 1, or a map
    too small to be halved.
    """
    if len(kernel_sizes) == 0:
        raise ValueError("vgg_block: kernel_sizes is empty; name one size per convolution, (3, 3).")
    y = x
    for i, size in enumerate(kernel_sizes):
        y = layers.Conv2D(filters, size, padding="same")(y)
        if batch_norm:
            y = layers.BatchNormalization()(y)
        last = i == len(kernel_sizes) - 1 and not pool
        y = layers.Activation(activation, name=name if last else None)(y)
    if not pool:
        return y
    return layers.MaxPooling2D(2, name=name)(y)


def mlpconv_block(x, filters, kernel_size, mlp_filters, strides=1, activation="relu", name=None):
    """A convolution whose every pixel goes on through a small dense net (1×1 convolutions).

        x ─ conv k×k /s ─ relu ─ conv 1×1 ─ relu ─ conv 1×1 ─ relu ─►

    Shapes: (batch, H, W, C) → (batch, ceil(H/strides), ceil(W/strides), mlp_filters[-1]).
    Parameters, f filters, mlp_filters (m, n): k²·C·f + f + f·m + m + m·n + n.
    3→192→160→96 with k = 5: 60,928.

    mlp_filters: widths of the 1×1 convolutions, two in the paper. name: of the exit layer.

    Paper: Lin, Chen, Yan 2013, arXiv:1312.4400, sec. 3.1.
    Differs from the paper: weights start after He et al. 2015; it does not tell how its own do.
    Raises: ValueError for no mlp_filters; Keras's own for a wrong rank, filters or strides.
    """
    if len(mlp_filters) == 0:
        raise ValueError("mlpconv_block: mlp_filters is empty; give the widths of its 1×1 "
                         "convolutions, such as (160, 96), or use a plain Conv2D.")
    init = dict(kernel_initializer="he_normal")  # or nine relu layers start almost silent
    y = layers.Conv2D(filters, kernel_size, strides=strides, padding="same", **init)(x)
    y = layers.Activation(activation)(y)
    for i, width in enumerate(mlp_filters):
        y = layers.Conv2D(width, 1, **init)(y)
        last = i == len(mlp_filters) - 1
        y = layers.Activation(activation, name=name if last else None)(y)
    return y


def grouped_conv(x, filters, kernel_size, strides=1, groups=2, towers=True, activation="relu",
                 name=None):
    """A convolution in parts that do not see each other: AlexNet's, on two GPUs.

        x ─ split the channels ─┬─ conv k×k /s ─┬─ concat ─ relu ─►
                                └─ conv k×k /s ─┘

    Shapes: (batch, H, W, C) → (batch, ceil(H/strides), ceil(W/strides), filters).
    Parameters, f filters, g groups: k²·C·f / g + f. 96→256 with k = 5, g = 2: 307,456, where one
    whole convolution has 614,656.

    towers: split, convolve and concatenate as the paper's two GPUs did. False: one Conv2D with
    `groups`, the same numbers, but slow to train on a CPU. groups=1 is a plain convolution.

    Paper: Krizhevsky, Sutskever, Hinton 2012, NIPS, sec. 3.2 and 3.5.
    Differs from the paper: both towers run on one device.
    Raises: ValueError where groups does not divide the channels or the filters; Keras's own for a
    wrong rank, filters or strides.
    """
    channels = x.shape[-1]
    if groups < 1 or channels % groups or filters % groups:
        raise ValueError(f"grouped_conv: groups={groups} has to divide the {channels} channels of "
                         f"x and the {filters} filters; choose another number of groups.")
    conv = dict(kernel_size=kernel_size, strides=strides, padding="same")
    if groups == 1 or not towers:
        y = layers.Conv2D(filters, groups=groups, **conv)(x)
    else:
        parts = ops.split(x, groups, axis=-1)
        y = layers.Concatenate()([layers.Conv2D(filters // groups, **conv)(p) for p in parts])
    return layers.Activation(activation, name=name)(y)


def local_response_norm(x, size=5, k=2.0, alpha=1e-4, beta=0.75, name=None):
    """Divide each value by what its neighbours in channel say at the same pixel.

        x ─┬─ square ─ sum over `size` channels around ─ (k + α·sum)^−β ─┬─ multiply ─►
           └─────────────────────────────────────────────────────────────┘

    Shapes: (batch, H, W, C) → the same. At the first and last channels the sum holds fewer terms.
    Parameters: none.

    Paper: Krizhevsky, Sutskever, Hinton 2012, NIPS, sec. 3.3, with these size, k, α and β.
    Differs from the paper: in nothing known. Caffe and PyTorch divide α by `size`: their
    alpha=1e-4 is 2e-5 here.
    Raises: ValueError for a tensor that is not (batch, H, W, C), or a size that is not odd.
    """
    if len(x.shape) != 4:
        raise ValueError(f"local_response_norm: x has shape {x.shape}; pass (batch, H, W, C).")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"local_response_norm: size={size}; pass an odd number of channels, 5.")
    r, channels = size // 2, x.shape[-1]
    wide = x if x.dtype == "float32" else ops.cast(x, "float32")  # float16 ends at 65,504 = 256²
    squares = ops.pad(ops.square(wide), [[0, 0], [0, 0], [0, 0], [r, r]])
    total = squares[..., :channels]
    for shift in range(1, size):
        total = total + squares[..., shift:shift + channels]
    scale = ops.power(k + alpha * total, -beta)
    scale = scale if x.dtype == "float32" else ops.cast(scale, x.dtype)
    return layers.Multiply(name=name)([x, scale])


def fire_module(x, squeeze, expand, activation="relu", name=None):
    """Squeeze by 1×1, then expand by 1×1 and 3×3 side by side: few channels reach the 3×3.

        x ─ conv 1×1 ─ relu ─┬─ conv 1×1 ─ relu ─┬─ concat ─►
                             └─ conv 3×3 ─ relu ─┘

    Shapes: (batch, H, W, C) → (batch, H, W, 2·expand).
    Parameters, s squeeze and e expand: C·s + s + s·e + e + 9·s·e + e. 96→16→128: 11,920.

    Paper: Iandola et al. 2016, arXiv:1602.07360, sec. 3.2 and table 1.
    Differs from the paper: in nothing known; both halves have the same width, as in its table.
    Raises: Keras's own ValueError for a wrong rank or a number of filters below 1.
    """
    y = layers.Conv2D(squeeze, 1)(x)
    y = layers.Activation(activation)(y)
    small = layers.Conv2D(expand, 1)(y)
    small = layers.Activation(activation)(small)
    large = layers.Conv2D(expand, 3, padding="same")(y)
    large = layers.Activation(activation)(large)
    return layers.Concatenate(name=name)([small, large])
