"""Rows for test_blocks: depthwise separable, inverted residual, squeeze-and-excitation, MBConv."""

from graphs import X, join, then
from rows import Bad, Mutant, Row

from keras_cases.blocks.depthwise import depthwise_separable_block, inverted_residual_block
from keras_cases.blocks.mbconv import mbconv_block, squeeze_excitation

TINY = 1e-6  # a drop rate that puts the dropout layer there and drops nothing in a test


def inverted(wide, filters, s="", x=X):
    """Widen, filter in space, narrow: linear at its end."""
    return then(x, f"conv1:{wide}- bn relu6 dw3{s}- bn relu6 conv1:{filters}- bn")


def gated(x, reduced, wide):
    return join("mul", x, then(x, f"gap1 conv1:{reduced}+silu conv1:{wide}+sigmoid"))


def mbconv(words, reduced, wide, filters, x=X):
    """The words, a gate on all wide channels, and the 1×1 that narrows."""
    return then(gated(then(x, words), reduced, wide), f"conv1:{filters}- bn")


def plus_input(y):
    return join("add", X, y)


ROWS = [
    Row(depthwise_separable_block, (8, 8, 4), lambda f, x, **k: f(x, 6, **k), (8, 8, 6),
        9 * 4 + 4 * 6 + 4 * 4 + 4 * 6, then(X, "dw3- bn relu conv1:6- bn relu")),
    Row(depthwise_separable_block, (9, 7, 4), lambda f, x, **k: f(x, 8, 2, **k), (5, 4, 8),
        9 * 4 + 4 * 8 + 4 * 4 + 4 * 8, then(X, "dw3/2- bn relu conv1:8- bn relu")),
    Row(depthwise_separable_block, (4, 4, 32), lambda f, x, **k: f(x, 64, **k), (4, 4, 64), 2_720,
        then(X, "dw3- bn relu conv1:64- bn relu")),

    Row(inverted_residual_block, (6, 6, 4), lambda f, x, **k: f(x, 4, **k), (6, 6, 4),
        4 * 24 + 9 * 24 + 24 * 4 + 8 * 24 + 4 * 4, plus_input(inverted(24, 4))),
    Row(inverted_residual_block, (6, 6, 4), lambda f, x, **k: f(x, 4, (1, 1), **k), (6, 6, 4),
        4 * 24 + 9 * 24 + 24 * 4 + 8 * 24 + 4 * 4, plus_input(inverted(24, 4))),
    Row(inverted_residual_block, (6, 6, 4), lambda f, x, **k: f(x, 6, **k), (6, 6, 6),
        4 * 24 + 9 * 24 + 24 * 6 + 8 * 24 + 4 * 6, inverted(24, 6)),
    Row(inverted_residual_block, (7, 7, 4), lambda f, x, **k: f(x, 4, 2, 2, **k), (4, 4, 4),
        4 * 8 + 9 * 8 + 8 * 4 + 8 * 8 + 4 * 4, inverted(8, 4, "/2")),
    Row(inverted_residual_block, (1, 1, 4), lambda f, x, **k: f(x, 4, 2, **k), (1, 1, 4),
        4 * 24 + 9 * 24 + 24 * 4 + 8 * 24 + 4 * 4, inverted(24, 4, "/2")),
    Row(inverted_residual_block, (6, 6, 4), lambda f, x, **k: f(x, 2, expansion=1, **k), (6, 6, 2),
        9 * 4 + 4 * 2 + 4 * 4 + 4 * 2, then(X, "dw3- bn relu6 conv1:2- bn")),
    Row(inverted_residual_block, (4, 4, 24), lambda f, x, **k: f(x, 24, **k), (4, 4, 24), 9_456,
        plus_input(inverted(144, 24))),

    Row(squeeze_excitation, (5, 6, 8), lambda f, x, **k: f(x, 3, **k), (5, 6, 8),
        8 * 3 + 3 + 3 * 8 + 8, join("mul", X, then(X, "gap1 conv1:3+relu conv1:8+sigmoid"))),

    Row(mbconv_block, (6, 6, 8), lambda f, x, **k: f(x, 8, drop_rate=TINY, **k), (6, 6, 8),
        8 * 48 + 9 * 48 + (48 * 2 + 2 + 2 * 48 + 48) + 48 * 8 + 8 * 48 + 4 * 8,
        plus_input(then(mbconv("conv1:48- bn silu dw3- bn silu", 2, 48, 8), "dropone1e-06"))),
    Row(mbconv_block, (5, 5, 4), lambda f, x, **k: f(x, 4, 3, (1, 1), 2, **k), (5, 5, 4),
        4 * 8 + 9 * 8 + (8 * 1 + 1 + 1 * 8 + 8) + 8 * 4 + 8 * 8 + 4 * 4,
        plus_input(mbconv("conv1:8- bn silu dw3- bn silu", 1, 8, 4))),
    Row(mbconv_block, (7, 7, 8), lambda f, x, **k: f(x, 8, 5, 2, drop_rate=TINY, **k), (4, 4, 8),
        8 * 48 + 25 * 48 + (48 * 2 + 2 + 2 * 48 + 48) + 48 * 8 + 8 * 48 + 4 * 8,
        mbconv("conv1:48- bn silu dw5/2- bn silu", 2, 48, 8)),
    Row(mbconv_block, (1, 1, 8), lambda f, x, **k: f(x, 8, 3, 2, se_ratio=1, **k), (1, 1, 8),
        8 * 48 + 9 * 48 + (48 * 8 + 8 + 8 * 48 + 48) + 48 * 8 + 8 * 48 + 4 * 8,
        mbconv("conv1:48- bn silu dw3/2- bn silu", 8, 48, 8)),
    Row(mbconv_block, (6, 6, 2), lambda f, x, **k: f(x, 4, expansion=1, **k), (6, 6, 4),
        9 * 2 + (2 * 1 + 1 + 1 * 2 + 2) + 2 * 4 + 4 * 2 + 4 * 4,
        mbconv("dw3- bn silu", 1, 2, 4)),
    Row(mbconv_block, (6, 6, 4), lambda f, x, **k: f(x, 4, se_ratio=0, **k), (6, 6, 4),
        4 * 24 + 9 * 24 + 24 * 4 + 8 * 24 + 4 * 4,
        plus_input(then(X, "conv1:24- bn silu dw3- bn silu conv1:4- bn"))),
    Row(mbconv_block, (4, 4, 16), lambda f, x, **k: f(x, 24, strides=2, **k), (2, 2, 24), 6_436,
        mbconv("conv1:96- bn silu dw3/2- bn silu", 4, 96, 24)),
]

BAD = [
    Bad(depthwise_separable_block, (8, 4), lambda f, x: f(x, 4), "min_ndim=4"),
    Bad(depthwise_separable_block, (8, 8, 4), lambda f, x: f(x, 0), "filters"),
    Bad(depthwise_separable_block, (8, 8, 4), lambda f, x: f(x, -4), "filters"),
    Bad(depthwise_separable_block, (8, 8, 4), lambda f, x: f(x, 4, 0), "strides"),
    Bad(inverted_residual_block, (8, 4), lambda f, x: f(x, 4), "min_ndim=4"),
    Bad(inverted_residual_block, (8, 8, 4), lambda f, x: f(x, 0), "filters"),
    Bad(inverted_residual_block, (8, 8, 4), lambda f, x: f(x, 4, 0), "strides"),
    Bad(inverted_residual_block, (8, 8, 4), lambda f, x: f(x, 4, expansion=0), "expansion=0"),
    Bad(inverted_residual_block, (8, 8, 4), lambda f, x: f(x, 4, expansion=1.5), "expansion=1.5"),
    Bad(squeeze_excitation, (8, 4), lambda f, x: f(x, 4), "ndim=4"),
    Bad(squeeze_excitation, (8, 8, 4), lambda f, x: f(x, 0), "filters"),
    Bad(mbconv_block, (8, 4), lambda f, x: f(x, 4), "min_ndim=4"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 0), "filters"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, kernel_size=0), "kernel_size"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, strides=-1), "strides"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, expansion=0, se_ratio=0), "expansion=0"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, expansion=1.5), "expansion=1.5"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, se_ratio=1.5), "se_ratio=1.5"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, se_ratio=-0.5), "se_ratio=-0.5"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, drop_rate=-0.1), "rate"),
    Bad(mbconv_block, (8, 8, 4), lambda f, x: f(x, 4, drop_rate=1.5), "rate"),
]

_NORM = "    y = layers.BatchNormalization()(y)\n"
MUTANTS = [
    Mutant(depthwise_separable_block, "forgets the BN between depthwise and pointwise", _NORM, ""),
    Mutant(depthwise_separable_block, "is an ordinary 3×3 convolution",
           "DepthwiseConv2D(3,", "Conv2D(x.shape[-1], 3,"),
    Mutant(depthwise_separable_block, "keeps biases that the BN subtracts again",
           'padding="same", use_bias=False', 'padding="same"'),
    Mutant(depthwise_separable_block, "pads 'valid', and loses a frame of pixels",
           'padding="same"', 'padding="valid"'),
    Mutant(inverted_residual_block, "activates the linear bottleneck",
           _NORM + "    return layers.Add",
           _NORM + "    y = layers.Activation(activation)(y)\n    return layers.Add"),
    Mutant(inverted_residual_block, "adds a shortcut where the stride is 2, if the sizes allow it",
           "if strides not in (1, (1, 1), [1, 1]) or x.shape[-1] != filters", "if x.shape[-1] != filters"),
    Mutant(inverted_residual_block, "projects the shortcut where the widths differ (a CIFAR copy)",
           "if strides not in (1, (1, 1), [1, 1]) or x.shape[-1] != filters:\n"
           "        return layers.BatchNormalization(name=name)(y)\n",
           "if strides == 1 and x.shape[-1] != filters:\n"
           "        x = layers.Conv2D(filters, 1, use_bias=False)(x)\n"
           "        x = layers.BatchNormalization()(x)\n"),
    Mutant(inverted_residual_block, "widens the first block too, where the expansion is 1",
           "if expansion > 1:", "if True:"),
    Mutant(inverted_residual_block, "widens from the output's filters",
           "int(expansion) * x.shape[-1]", "int(expansion) * filters"),
    Mutant(inverted_residual_block, "has no check of the expansion",
           "expansion < 1 or expansion != int(expansion)", "False"),
    Mutant(squeeze_excitation, "gates the reduced channels", "Conv2D(x.shape[-1], 1",
           "Conv2D(reduced_filters, 1"),
    Mutant(mbconv_block, "reduces its gate from the wide channels (a CIFAR copy)",
           "int(se_ratio * x.shape[-1])", "int(se_ratio * wide)"),
    Mutant(mbconv_block, "has a gate of no filter where the block is thin",
           "max(1, int(se_ratio * x.shape[-1]))", "int(se_ratio * x.shape[-1])"),
    Mutant(mbconv_block, "gates before the depthwise convolution is normalized",
           "    y = layers.BatchNormalization()(y)\n    y = layers.Activation(activation)(y)\n"
           "    if se_ratio", "    if se_ratio"),
    Mutant(mbconv_block, "drops the whole block, shortcut or not",
           "    if strides not in (1, (1, 1), [1, 1]) or x.shape[-1] != filters:\n",
           "    if drop_rate:\n        y = layers.Dropout(drop_rate)(y)\n"
           "    if strides not in (1, (1, 1), [1, 1]) or x.shape[-1] != filters:\n"),
    Mutant(mbconv_block, "adds a shortcut where the stride is 2, if the sizes allow it",
           "if strides not in (1, (1, 1), [1, 1]) or x.shape[-1] != filters", "if x.shape[-1] != filters"),
]
