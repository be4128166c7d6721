"""Rows for test_blocks: the Inception modules, v1 and v3."""

from graphs import X, join, then
from rows import Bad, Mutant, Row

from keras_cases.blocks.inception import inception_module, inception_module_naive
from keras_cases.blocks.inception_v3 import (
    grid_reduction_a, grid_reduction_b, inception_a, inception_b, inception_c)


def branches(*ways, each="relu", x=X):
    """Side by side, in this order: each way a row of convolutions and pools, `each` after every
    convolution; or a list, the start and the ways that part from it."""
    def way(start, words):
        return then(start, " ".join(w if w.startswith(("max", "avg")) else f"{w} {each}"
                                    for w in words.split()))

    return join("concat", *[join("concat", *[way(way(x, w[0]), part) for part in w[1:]])
                            if isinstance(w, list) else way(x, w) for w in ways])


V3 = "bnβ relu"  # inception v3 has no γ

ROWS = [
    Row(inception_module_naive, (5, 6, 3), lambda f, x, **k: f(x, 2, 4, 5, **k), (5, 6, 14),
        3 * (2 + 9 * 4 + 25 * 5) + 2 + 4 + 5, branches("conv1:2", "conv3:4", "conv5:5", "max3/1s")),
    Row(inception_module, (5, 3, 6), lambda f, x, **k: f(x, 2, 3, 4, 5, 7, 8, **k), (5, 3, 21),
        6 * (2 + 3 + 5 + 8) + 9 * 3 * 4 + 25 * 5 * 7 + 2 + 3 + 4 + 5 + 7 + 8,
        branches("conv1:2", "conv1:3 conv3:4", "conv1:5 conv5:7", "max3/1s conv1:8")),
    Row(inception_module, (5, 3, 6), lambda f, x, **k: f(x, 2, 3, 4, 5, 7, 8, True, **k),
        (5, 3, 21),
        6 * (2 + 3 + 5 + 8) + 9 * 3 * 4 + 25 * 5 * 7 + 4 * (2 + 3 + 4 + 5 + 7 + 8),
        branches("conv1:2-", "conv1:3- conv3:4-", "conv1:5- conv5:7-", "max3/1s conv1:8-",
                 each="bn relu")),

    Row(inception_a, (4, 5, 6), lambda f, x, **k: f(x, 2, (3, 4), (5, 6, 7), 8, **k), (4, 5, 21),
        6 * (2 + 3 + 5 + 8) + 25 * 3 * 4 + 9 * 5 * 6 + 9 * 6 * 7 + 3 * 35,
        branches("conv1:2-", "conv1:3- conv5:4-", "conv1:5- conv3:6- conv3:7-",
                 "avg3/1s conv1:8-", each=V3)),
    Row(inception_b, (7, 8, 6), lambda f, x, **k: f(x, 4, 5, **k), (7, 8, 16),
        6 * (4 + 5 + 5 + 4) + 7 * (5 * 5 * 4 + 5 * 4 * 2) + 3 * (4 * 4 + 5 * 6),
        branches("conv1:4-", "conv1:5- conv1x7:5- conv7x1:4-",
                 "conv1:5- conv7x1:5- conv1x7:5- conv7x1:5- conv1x7:4-", "avg3/1s conv1:4-",
                 each=V3)),
    Row(inception_c, (3, 4, 6), lambda f, x, **k: f(x, 2, 3, 4, 5, **k), (3, 4, 19),
        6 * (2 + 3 + 4 + 5) + 9 * 4 * 3 + 4 * 3 * 3 * 3 + 3 * (2 + 3 * 6 + 4 + 5),
        branches("conv1:2-", ["conv1:3-", "conv1x3:3-", "conv3x1:3-"],
                 ["conv1:4- conv3:3-", "conv1x3:3-", "conv3x1:3-"], "avg3/1s conv1:5-", each=V3)),
    Row(grid_reduction_a, (9, 8, 6), lambda f, x, **k: f(x, 4, (3, 5), **k), (4, 3, 15),
        9 * 6 * 4 + 6 * 3 + 9 * 3 * 5 + 9 * 5 * 5 + 3 * (4 + 3 + 5 + 5),
        branches("conv3:4/2v-", "conv1:3- conv3:5- conv3:5/2v-", "max3/2", each=V3)),
    Row(grid_reduction_b, (9, 8, 6), lambda f, x, **k: f(x, 3, 4, **k), (4, 3, 13),
        6 * 3 + 9 * 3 * 4 + 6 * 3 + 7 * 3 * 3 * 2 + 9 * 3 * 3 + 3 * (3 + 4 + 4 * 3),
        branches("conv1:3- conv3:4/2v-", "conv1:3- conv1x7:3- conv7x1:3- conv3:3/2v-", "max3/2",
                 each=V3)),
]

BAD = [
    Bad(inception_module_naive, (4, 3), lambda f, x: f(x, 2, 2, 2), "min_ndim=4"),
    Bad(inception_module_naive, (4, 4, 3), lambda f, x: f(x, 2, 0, 2), "filters"),
    Bad(inception_module, (4, 3), lambda f, x: f(x, 2, 2, 2, 2, 2, 2), "ndim=4"),
    Bad(inception_module, (4, 4, 3), lambda f, x: f(x, 2, 2, 2, 2, 2, 0), "filters"),
    Bad(inception_module, (4, 4, 3), lambda f, x: f(x, 2, -2, 2, 2, 2, 2), "filters"),
    Bad(inception_a, (4, 4, 3), lambda f, x: f(x, 2, (2,), (2, 2, 2), 2), "(reduce, 5×5)"),
    Bad(inception_a, (4, 4, 3), lambda f, x: f(x, 2, (2, 2), (2, 2), 2), "(reduce, 3×3, 3×3)"),
    Bad(inception_a, (4, 4, 3), lambda f, x: f(x, 0, (2, 2), (2, 2, 2), 2), "filters"),
    Bad(inception_a, (4, 3), lambda f, x: f(x, 2, (2, 2), (2, 2, 2), 2), "ndim=4"),
    Bad(inception_b, (4, 4, 3), lambda f, x: f(x, 2, 0), "filters"),
    Bad(inception_b, (4, 3), lambda f, x: f(x, 2, 2), "ndim=4"),
    Bad(inception_c, (4, 4, 3), lambda f, x: f(x, 2, 2, 0, 2), "filters"),
    Bad(inception_c, (4, 3), lambda f, x: f(x, 2, 2, 2, 2), "ndim=4"),
    Bad(grid_reduction_a, (9, 9, 3), lambda f, x: f(x, 2, (2, 2, 2)), "(reduce, 3×3)"),
    Bad(grid_reduction_a, (2, 9, 3), lambda f, x: f(x, 2, (2, 2)), "zero or negative"),
    Bad(grid_reduction_b, (2, 2, 3), lambda f, x: f(x, 2, 2), "zero or negative"),
    Bad(grid_reduction_b, (9, 9, 3), lambda f, x: f(x, 2, -2), "filters"),
]

MUTANTS = [
    Mutant(inception_module, "has a 3×3 in its 5×5 branch (a published GoogLeNet of 12,997,352)",
           "filters_5x5_reduce, 1), filters_5x5, 5)", "filters_5x5_reduce, 1), filters_5x5, 3)"),
    Mutant(inception_module, "does not reduce before the 5×5",
           "conv(conv(x, filters_5x5_reduce, 1), filters_5x5, 5)", "conv(x, filters_5x5, 5)"),
    Mutant(inception_module, "does not project the pool, which keeps all its channels",
           "conv(pooled, filters_pool, 1)", "pooled"),
    Mutant(inception_module, "projects the input, not the pool", "conv(pooled, filters_pool, 1)",
           "conv(x, filters_pool, 1)"),
    Mutant(inception_module, "pools the map to half its size", "MaxPooling2D(3, strides=1",
           "MaxPooling2D(3, strides=2"),
    Mutant(inception_module, "keeps the biases under batch normalization",
           "use_bias=not batch_norm", "use_bias=True"),
    Mutant(inception_module, "forgets the batch normalization", "if batch_norm:", "if False:"),
    Mutant(inception_module_naive, "takes pooling for 32 filters (a lecture's 256 channels)",
           'layers.MaxPooling2D(3, strides=1, padding="same")(x)', "conv(x, filters_5x5, 1)"),
    Mutant(inception_module, "joins its branches in another order, so released weights misfit",
           "(name=name)(branches)", "(name=name)(branches[::-1])"),
    Mutant(inception_b, "turns the 1×7 and 7×1 of its long branch about",
           "twice = conv(conv(x, filters_7x7, 1), filters_7x7, (7, 1))",
           "twice = conv(conv(x, filters_7x7, 1), filters_7x7, (1, 7))"),
    Mutant(inception_a, "reads the input twice in its long branch",
           "conv(conv(three, filters_3x3[1], 3)", "conv(conv(x, filters_3x3[1], 3)"),
    Mutant(inception_b, "has 7×7 where it says 7×1", "once = conv(once, filters, (7, 1))",
           "once = conv(once, filters, 7)"),
    Mutant(inception_b, "leaves a pair of the long branch out",
           "conv(conv(twice, filters_7x7, (1, 7)), filters_7x7, (7, 1))", "twice"),
    Mutant(inception_c, "puts 1×3 and 3×1 in a row",
           "conv(three, filters_3x3, (3, 1))]",
           "conv(conv(three, filters_3x3, (1, 3)), filters_3x3, (3, 1))]"),
    Mutant(inception_c, "scales in its batch normalization", "scale=False", "scale=True"),
    Mutant(grid_reduction_a, "pads its strided convolutions",
           'conv(x, filters_3x3, 3, 2, "valid")', "conv(x, filters_3x3, 3, 2)"),
    Mutant(grid_reduction_a, "forgets to halve one branch",
           'conv(double, filters_double[1], 3, 2, "valid")', "conv(double, filters_double[1], 3)"),
    Mutant(grid_reduction_b, "starts its first branch with the 3×3",
           "conv(conv(x, filters_7x7, 1), filters_3x3, 3, 2", "conv(x, filters_3x3, 3, 2"),
]
