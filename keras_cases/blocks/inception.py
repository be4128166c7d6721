"""Inception modules of GoogLeNet (v1): all kernel sizes side by side, joined along the channels.

All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers


def inception_module_naive(x, filters_1x1, filters_3x3, filters_5x5, activation="relu", name=None):
    """The first idea: 1×1, 3×3 and 5×5 convolutions and a max-pool, all on the same input.

        x ─┬─ conv 1×1 ─ relu ──┬─ concat ─►
           ├─ conv 3×3 ─ relu ──┤
           ├─ conv 5×5 ─ relu ──┤
           └─ max-pool 3×3 /1 ──┘

    Shapes: (batch, H, W, C) → (batch, H, W, filters_1x1 + filters_3x3 + filters_5x5 + C): pooling
    has no filters and keeps all C channels, so that the width only ever grows.
    Parameters, a, b, c filters: C·(a + 9·b + 25·c) + a + b + c. 192 → 64, 128, 32: 387,296.

    Paper: Szegedy et al. 2014, arXiv:1409.4842, fig. 2(a).
    Differs from the paper: in nothing known.
    Raises: Keras's own ValueError for a wrong rank or a number of filters below 1.
    """
    def conv(x, filters, size):
        x = layers.Conv2D(filters, size, padding="same")(x)
        return layers.Activation(activation)(x)

    branches = [
        conv(x, filters_1x1, 1),
        conv(x, filters_3x3, 3),
        conv(x, filters_5x5, 5),
        layers.MaxPooling2D(3, strides=1, padding="same")(x),
    ]
    return layers.Concatenate(name=name)(branches)


def inception_module(x, filters_1x1, filters_3x3_reduce, filters_3x3, filters_5x5_reduce,
                     filters_5x5, filters_pool, batch_norm=False, activation="relu", name=None):
    """1×1 convolutions narrow the input of the 3×3 and 5×5 ones, and the output of the pool.

        x ─┬─ conv 1×1 ────────────────────┬─ concat ─►     a relu after every convolution
           ├─ conv 1×1 ─ conv 3×3 ─────────┤
           ├─ conv 1×1 ─ conv 5×5 ─────────┤
           └─ max-pool 3×3 /1 ─ conv 1×1 ──┘

    Shapes: (batch, H, W, C) → (batch, H, W, filters_1x1 + filters_3x3 + filters_5x5 +
    filters_pool).
    Parameters, in the order of the arguments a, r, b, s, c, p:
    C·(a + r + s + p) + 9·r·b + 25·s·c + a + r + b + s + c + p. GoogLeNet's 3a,
    192 → 64, 96, 128, 16, 32, 32: 163,696. batch_norm: 4 per filter instead of 1.

    The arguments stand in the order of the columns of the paper's table 1.
    batch_norm: between each convolution and its activation; the convolution then has no bias.

    Paper: Szegedy et al. 2014, arXiv:1409.4842, fig. 2(b) and table 1.
    Differs from the paper: in nothing known; `batch_norm` (arXiv:1502.03167) came after it.
    Raises: Keras's own ValueError for a wrong rank or a number of filters below 1.
    """
    def conv(x, filters, size):
        x = layers.Conv2D(filters, size, padding="same", use_bias=not batch_norm)(x)
        if batch_norm:
            x = layers.BatchNormalization()(x)
        return layers.Activation(activation)(x)

    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    branches = [
        conv(x, filters_1x1, 1),
        conv(conv(x, filters_3x3_reduce, 1), filters_3x3, 3),
        conv(conv(x, filters_5x5_reduce, 1), filters_5x5, 5),
        conv(pooled, filters_pool, 1),
    ]
    return layers.Concatenate(name=name)(branches)
