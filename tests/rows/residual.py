"""Rows for test_blocks: the residual blocks. See test_blocks for what a Row means."""

from graphs import X, join, then
from rows import Bad, Mutant, Row, zeros

from keras_cases.blocks.residual import (
    bottleneck_block_v1, bottleneck_block_v2, res_block_v1, res_block_v2)


def basic_v1(filters, shortcut="", s="", bias="", x=X):
    """Version 1: the shortcut, added to two convolutions, and relu after the sum."""
    y = then(x, f"conv3:{filters}{s}{bias} bn relu conv3:{filters}{bias} bn")
    return then(join("add", then(x, shortcut), y), "relu")


def basic_v2(filters, shortcut="", s="", bias="", x=X):
    """Version 2: the shortcut reads the raw input, and nothing follows the sum."""
    y = then(x, f"bn relu conv3:{filters}{s}{bias} bn relu conv3:{filters}{bias}")
    return join("add", then(x, shortcut), y)


def bottleneck_v1(filters, shortcut="", s="", b="", x=X):
    y = then(x, f"conv1:{filters}{s}{b} bn5 relu conv3:{filters}{b} bn5 relu "
                f"conv1:{4 * filters}{b} bn5")
    return then(join("add", then(x, shortcut), y), "relu")


def bottleneck_v2(filters, shortcut="", projection="", shrinks=False, x=X):
    """Only a projection reads what is normalized and activated; any other shortcut the raw input."""
    pre = then(x, "bn5 relu")
    middle = f"pad1 conv3:{filters}/2v-" if shrinks else f"conv3:{filters}-"
    y = then(pre, f"conv1:{filters}- bn5 relu {middle} bn5 relu conv1:{4 * filters}")
    return join("add", then(pre, projection) if projection else then(x, shortcut), y)


ROWS = [
    Row(res_block_v1, (8, 8, 16), lambda f, x, **k: f(x, 16, 16, **k), (8, 8, 16), 4_768,
        basic_v1(16)),
    Row(res_block_v1, (8, 8, 16), lambda f, x, **k: f(x, 16, 32, **k), (8, 8, 32), 14_688,
        basic_v1(32, "conv1:32")),
    Row(res_block_v1, (9, 9, 4), lambda f, x, **k: f(x, 4, 8, 2, shortcut="pad", use_bias=False, **k),
        (5, 5, 8), 9 * 4 * 8 + 9 * 8 * 8 + 8 * 8, basic_v1(8, f"max1/2 {zeros(0, 4)}", "/2", "-")),
    Row(res_block_v1, (6, 6, 4), lambda f, x, **k: f(x, 4, 4, (1, 1), shortcut="pad", **k),
        (6, 6, 4), 2 * (9 * 4 * 4 + 4) + 8 * 4, basic_v1(4)),
    Row(res_block_v1, (8, 8, 4), lambda f, x, **k: f(x, 4, 4, 2, shortcut_norm=True, **k), (4, 4, 4),
        9 * 4 * 4 * 2 + 8 + 8 * 4 + (4 * 4 + 4) + 4 * 4, basic_v1(4, "conv1:4/2 bn", "/2")),
    Row(res_block_v2, (8, 8, 16), lambda f, x, **k: f(x, 16, 16, **k), (8, 8, 16), 4_768,
        basic_v2(16)),
    Row(res_block_v2, (8, 8, 16), lambda f, x, **k: f(x, 16, 32, **k), (8, 8, 32), 14_624,
        basic_v2(32, "conv1:32")),
    Row(res_block_v2, (9, 9, 4), lambda f, x, **k: f(x, 4, 8, 2, shortcut="pad", use_bias=False, **k),
        (5, 5, 8), 9 * 4 * 8 + 9 * 8 * 8 + 4 * 4 + 4 * 8,
        basic_v2(8, f"max1/2 {zeros(0, 4)}", "/2", "-")),
    Row(res_block_v2, (6, 6, 4), lambda f, x, **k: f(x, 4, 4, 2, shortcut_norm=True, **k),
        (3, 3, 4), 2 * (9 * 4 * 4 + 4) + 8 * 4 + (4 * 4 + 4) + 4 * 4,
        basic_v2(4, "conv1:4/2 bn", "/2")),
    Row(res_block_v2, (6, 6, 4), lambda f, x, **k: f(x, 4, 4, (1, 1), shortcut="pad", **k),
        (6, 6, 4), 2 * (9 * 4 * 4 + 4) + 8 * 4, basic_v2(4)),
    Row(res_block_v2, (6, 6, 4), lambda f, x, **k: f(x, 4, 2, **k), (6, 6, 2),
        (9 * 4 * 2 + 2) + (9 * 2 * 2 + 2) + 4 * 4 + 4 * 2 + (4 * 2 + 2), basic_v2(2, "conv1:2")),
    Row(bottleneck_block_v1, (8, 8, 32), lambda f, x, **k: f(x, 8, **k), (8, 8, 32),
        17 * 64 + 6 * 8 + 24 * 8, bottleneck_v1(8)),
    Row(bottleneck_block_v1, (9, 9, 8), lambda f, x, **k: f(x, 4, 2, **k), (5, 5, 16),
        (8 * 4 + 9 * 4 * 4 + 4 * 16 + 6 * 4 + 24 * 4) + (8 * 16 + 16 + 4 * 16),
        bottleneck_v1(4, "conv1:16/2 bn5", "/2")),
    Row(bottleneck_block_v1, (5, 5, 8), lambda f, x, **k: f(x, 4, use_bias=False, **k), (5, 5, 16),
        (8 * 4 + 9 * 4 * 4 + 4 * 16 + 24 * 4) + (8 * 16 + 4 * 16),
        bottleneck_v1(4, "conv1:16- bn5", "", "-")),
    Row(bottleneck_block_v2, (8, 8, 32), lambda f, x, **k: f(x, 8, **k), (8, 8, 32),
        17 * 64 + 4 * 8 + 24 * 8, bottleneck_v2(8)),
    Row(bottleneck_block_v2, (9, 9, 8), lambda f, x, **k: f(x, 4, 2, **k), (5, 5, 16),
        (8 * 4 + 9 * 4 * 4 + 4 * 16 + 16 + 4 * 8 + 8 * 4) + (8 * 16 + 16),
        bottleneck_v2(4, projection="conv1:16/2", shrinks=True)),
    Row(bottleneck_block_v2, (9, 9, 16), lambda f, x, **k: f(x, 4, 2, **k), (5, 5, 16),
        17 * 16 + 16 + 24 * 4, bottleneck_v2(4, "max1/2", shrinks=True)),
    Row(bottleneck_block_v2, (5, 5, 16), lambda f, x, **k: f(x, 4, (1, 1), **k), (5, 5, 16),
        17 * 16 + 16 + 24 * 4, bottleneck_v2(4)),
]

# (block, input shape, call, a piece of the message); None: Keras's own ValueError is enough
BAD = [
    Bad(res_block_v1, (8, 8, 1), lambda f, x: f(x, 16, 16), "input_filter=16"),
    Bad(res_block_v1, (8, 8, 16), lambda f, x: f(x, 1, 16), "input_filter=1"),
    Bad(res_block_v1, (8, 8, 16), lambda f, x: f(x, 32, 32), "input_filter=32"),
    Bad(res_block_v2, (8, 8, 1), lambda f, x: f(x, 16, 16), "input_filter=16"),
    Bad(res_block_v2, (8, 8, 16), lambda f, x: f(x, 32, 16), "input_filter=32"),
    Bad(res_block_v1, (16,), lambda f, x: f(x, 16, 16), "batch, H, W, C"),
    Bad(res_block_v1, (8, 8, 16), lambda f, x: f(x, 16, 0), "filters"),
    Bad(res_block_v1, (8, 8, 16), lambda f, x: f(x, 16, -4), "filters"),
    Bad(res_block_v1, (8, 8, 16), lambda f, x: f(x, 16, 16, strides=0), "strides"),
    Bad(res_block_v1, (8, 8, 16), lambda f, x: f(x, 16, 32, shortcut="A"), "shortcut='A'"),
    Bad(res_block_v1, (8, 8, 16), lambda f, x: f(x, 16, 8, shortcut="pad"), "shrink"),
    Bad(res_block_v2, (8, 8, 16), lambda f, x: f(x, 16, 8, shortcut="pad"), "shrink"),
    Bad(res_block_v2, (8, 8, 16), lambda f, x: f(x, 16, 32, shortcut="A"), "shortcut='A'"),
    Bad(res_block_v2, (16,), lambda f, x: f(x, 16, 16), "batch, H, W, C"),
    Bad(bottleneck_block_v1, (8, 16), lambda f, x: f(x, 4), "batch, H, W, C"),
    Bad(bottleneck_block_v1, (8, 8, 16), lambda f, x: f(x, 0), "filters"),
    Bad(bottleneck_block_v2, (8, 16), lambda f, x: f(x, 4), "batch, H, W, C"),
    Bad(bottleneck_block_v2, (8, 8, 16), lambda f, x: f(x, 4, strides=-1), "strides"),
]

# a real bug, as a change of our source; every one must be caught by at least one fact of a Row
MUTANTS = [
    Mutant(res_block_v1, "projects the residual, not the input (one in nine public copies)",
           "strides=strides, **conv)(x)\n        if shortcut_norm",
           "strides=strides, **conv)(res_x)\n        if shortcut_norm"),
    Mutant(res_block_v1, "throws its first convolution away (a course's official block)",
           "res_x = layers.Conv2D(output_filter, 3, **conv)(res_x)",
           "res_x = layers.Conv2D(output_filter, 3, strides=strides, **conv)(x)"),
    Mutant(res_block_v1, "forgets a batch normalization",
           "    res_x = layers.BatchNormalization(gamma_initializer=gamma)(res_x)\n", ""),
    Mutant(res_block_v1, "strides only the residual", "output_filter, 1, strides=strides",
           "output_filter, 1"),
    Mutant(res_block_v1, "has no width check", "or x.shape[-1] != input_filter", ""),
    Mutant(res_block_v2, "activates after the addition, as v1 does",
           "return layers.Add(name=name)([identity, res_x])",
           "return layers.Activation(activation, name=name)(layers.Add()([identity, res_x]))"),
]
