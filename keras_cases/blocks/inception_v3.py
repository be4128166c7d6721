"""Inception v3's modules: large kernels taken apart into small and one-dimensional ones.

Every convolution is followed by batch normalization (without γ, as in the released model) and the
activation, and has no bias; 7×1 is 7 rows by 1 column.
All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers


def inception_a(x, filters_1x1, filters_5x5, filters_3x3, filters_pool, activation="relu",
                name=None):
    """Beside the 5×5 branch, a second one takes 5×5 apart into two 3×3 (the 35×35 maps' module).

        x ─┬─ conv 1×1 ────────────────────────┬─ concat ─►
           ├─ conv 1×1 ─ conv 5×5 ─────────────┤
           ├─ conv 1×1 ─ conv 3×3 ─ conv 3×3 ──┤
           └─ average-pool 3×3 /1 ─ conv 1×1 ──┘

    Shapes: (batch, H, W, C) → (batch, H, W, filters_1x1 + filters_5x5[1] + filters_3x3[2] +
    filters_pool).
    Parameters, filters_5x5 (r, b), filters_3x3 (s, c, d): C·(a + r + s + p) + 25·r·b + 9·s·c
    + 9·c·d and 3 per filter. 192 → 64, (48, 64), (64, 96, 96), 32: 256,368.

    filters_5x5, filters_3x3: one width per convolution of that branch.

    Paper: Szegedy et al. 2015, arXiv:1512.00567, fig. 5 and table 1.
    Differs from the paper: as the released model keeps one 5×5 where the figure has only 3×3.
    Raises: ValueError for a branch with a wrong number of widths; Keras's own for a wrong rank.
    """
    if len(filters_5x5) != 2 or len(filters_3x3) != 3:
        raise ValueError("inception_a: pass filters_5x5 as (reduce, 5×5) and filters_3x3 as "
                         f"(reduce, 3×3, 3×3); got {filters_5x5} and {filters_3x3}.")

    def conv(x, filters, size):
        x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(scale=False)(x)
        return layers.Activation(activation)(x)

    five = conv(conv(x, filters_5x5[0], 1), filters_5x5[1], 5)
    three = conv(x, filters_3x3[0], 1)
    three = conv(conv(three, filters_3x3[1], 3), filters_3x3[2], 3)
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    branches = [conv(x, filters_1x1, 1), five, three, conv(pooled, filters_pool, 1)]
    return layers.Concatenate(name=name)(branches)


def inception_b(x, filters, filters_7x7, activation="relu", name=None):
    """7×7 kernels as a 1×7 and a 7×1 in a row: 14 weights instead of 49 (the 17×17 maps' module).

        x ─┬─ conv 1×1 ────────────────────────────────────────────────────┬─ concat ─►
           ├─ conv 1×1 ─ conv 1×7 ─ conv 7×1 ──────────────────────────────┤
           ├─ conv 1×1 ─ conv 7×1 ─ conv 1×7 ─ conv 7×1 ─ conv 1×7 ────────┤
           └─ average-pool 3×3 /1 ─ conv 1×1 ──────────────────────────────┘

    Shapes: (batch, H, W, C) → (batch, H, W, 4·filters).
    Parameters, f filters, n filters_7x7: C·(2·f + 2·n) + 28·n² + 14·n·f + 3·(4·f + 6·n).
    768 → 192 with n = 128: 1,298,944.

    filters: of each branch's output. filters_7x7: inside the two long branches.

    Paper: Szegedy et al. 2015, arXiv:1512.00567, fig. 6 and table 1.
    Differs from the paper: in nothing known; the widths n come from the released model.
    Raises: Keras's own ValueError for a wrong rank or a number of filters below 1.
    """
    def conv(x, filters, size):
        x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(scale=False)(x)
        return layers.Activation(activation)(x)

    once = conv(conv(x, filters_7x7, 1), filters_7x7, (1, 7))
    once = conv(once, filters, (7, 1))
    twice = conv(conv(x, filters_7x7, 1), filters_7x7, (7, 1))
    twice = conv(conv(twice, filters_7x7, (1, 7)), filters_7x7, (7, 1))
    twice = conv(twice, filters, (1, 7))
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    branches = [conv(x, filters, 1), once, twice, conv(pooled, filters, 1)]
    return layers.Concatenate(name=name)(branches)


def inception_c(x, filters_1x1, filters_3x3, filters_double, filters_pool, activation="relu",
                name=None):
    """1×3 and 3×1 side by side instead of in a row: wider, for the last, small maps (8×8).

        x ─┬─ conv 1×1 ───────────────────────────────────┬─ concat ─►
           ├─ conv 1×1 ─┬─ conv 1×3 ──────────────────────┤
           │            └─ conv 3×1 ──────────────────────┤
           ├─ conv 1×1 ─ conv 3×3 ─┬─ conv 1×3 ───────────┤
           │                       └─ conv 3×1 ───────────┤
           └─ average-pool 3×3 /1 ─ conv 1×1 ─────────────┘

    Shapes: (batch, H, W, C) → (batch, H, W, filters_1x1 + 4·filters_3x3 + filters_pool).
    Parameters, a, t, d, p: C·(a + t + d + p) + 9·d·t + 12·t² and 3·(a + p + d + 6·t).
    1280 → 320, 384, 448, 192: 5,047,872.

    filters_double: of the 1×1 before the 3×3.

    Paper: Szegedy et al. 2015, arXiv:1512.00567, fig. 7 and table 1.
    Differs from the paper: in nothing known; the widths come from the released model.
    Raises: Keras's own ValueError for a wrong rank or a number of filters below 1.
    """
    def conv(x, filters, size):
        x = layers.Conv2D(filters, size, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(scale=False)(x)
        return layers.Activation(activation)(x)

    three = conv(x, filters_3x3, 1)
    three = layers.Concatenate()([conv(three, filters_3x3, (1, 3)),
                                  conv(three, filters_3x3, (3, 1))])
    double = conv(conv(x, filters_double, 1), filters_3x3, 3)
    double = layers.Concatenate()([conv(double, filters_3x3, (1, 3)),
                                   conv(double, filters_3x3, (3, 1))])
    pooled = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    branches = [conv(x, filters_1x1, 1), three, double, conv(pooled, filters_pool, 1)]
    return layers.Concatenate(name=name)(branches)


def grid_reduction_a(x, filters_3x3, filters_double, activation="relu", name=None):
    """Halve the map in every branch at once, so that nothing is lost before it (35×35 → 17×17).

        x ─┬─ conv 3×3 /2 ────────────────────────┬─ concat ─►     all /2 "valid"
           ├─ conv 1×1 ─ conv 3×3 ─ conv 3×3 /2 ──┤
           └─ max-pool 3×3 /2 ────────────────────┘

    Shapes: (batch, H, W, C) → (batch, (H − 3) // 2 + 1, (W − 3) // 2 + 1, filters_3x3 +
    filters_double[1] + C).
    Parameters, f filters_3x3, filters_double (r, d): 9·C·f + C·r + 9·r·d + 9·d² + 3·(f + r + 2·d).
    288 → 384, (64, 96): 1,153,920.

    filters_double: (of the 1×1, of both 3×3).

    Paper: Szegedy et al. 2015, arXiv:1512.00567, sec. 5 and fig. 10.
    Differs from the paper: in nothing known; the widths come from the released model.
    Raises: ValueError for filters_double not of two widths; Keras's own for a map below 3×3.
    """
    if len(filters_double) != 2:
        raise ValueError("grid_reduction_a: pass filters_double as (reduce, 3×3); got "
                         f"{filters_double}.")

    def conv(x, filters, size, strides=1, padding="same"):
        x = layers.Conv2D(filters, size, strides, padding, use_bias=False)(x)
        x = layers.BatchNormalization(scale=False)(x)
        return layers.Activation(activation)(x)

    double = conv(conv(x, filters_double[0], 1), filters_double[1], 3)
    branches = [
        conv(x, filters_3x3, 3, 2, "valid"),
        conv(double, filters_double[1], 3, 2, "valid"),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    return layers.Concatenate(name=name)(branches)


def grid_reduction_b(x, filters_7x7, filters_3x3, activation="relu", name=None):
    """As `grid_reduction_a`, with a 7×7 taken apart in one branch (17×17 → 8×8).

        x ─┬─ conv 1×1 ─ conv 3×3 /2 ────────────────────────┬─ concat ─►     all /2 "valid"
           ├─ conv 1×1 ─ conv 1×7 ─ conv 7×1 ─ conv 3×3 /2 ──┤
           └─ max-pool 3×3 /2 ───────────────────────────────┘

    Shapes: (batch, H, W, C) → (batch, (H − 3) // 2 + 1, (W − 3) // 2 + 1, filters_3x3 +
    filters_7x7 + C).
    Parameters, n filters_7x7, f filters_3x3: 2·C·n + 9·n·f + 23·n² + 3·(5·n + f).
    768 → 192, 320: 1,699,584.

    filters_7x7: of all convolutions but the first branch's 3×3, which has filters_3x3.

    Paper: Szegedy et al. 2015, arXiv:1512.00567, sec. 5, after fig. 10.
    Differs from the paper: the 7×7 branch and the widths come from the released model.
    Raises: Keras's own ValueError for a wrong rank, filters below 1, or a map below 3×3.
    """
    def conv(x, filters, size, strides=1, padding="same"):
        x = layers.Conv2D(filters, size, strides, padding, use_bias=False)(x)
        x = layers.BatchNormalization(scale=False)(x)
        return layers.Activation(activation)(x)

    seven = conv(conv(x, filters_7x7, 1), filters_7x7, (1, 7))
    seven = conv(seven, filters_7x7, (7, 1))
    branches = [
        conv(conv(x, filters_7x7, 1), filters_3x3, 3, 2, "valid"),
        conv(seven, filters_7x7, 3, 2, "valid"),
        layers.MaxPooling2D(3, strides=2)(x),
    ]
    return layers.Concatenate(name=name)(branches)
