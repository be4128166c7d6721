"""Rows for test_blocks: VGG, NiN, AlexNet, SqueezeNet, LeNet of 1998, and the heads."""

from graphs import X, join, then
from rows import Bad, Mutant, Row, zeros

from keras_cases.blocks.classic import (
    fire_module, grouped_conv, local_response_norm, mlpconv_block, vgg_block)
from keras_cases.blocks.heads import (
    auxiliary_classifier, auxiliary_classifier_v3, global_average_pooling_head)
from keras_cases.blocks.lenet import connected_conv, trainable_pooling

TINY = 1e-6  # a dropout rate that puts the layer there and drops nothing in a test
TABLE = ((0, 1), (2,), (0, 1, 2))  # six connections of nine


def lrn(x, channels, size=5, k=2.0, alpha=0.0001, beta=0.75):
    """Local response normalization, operation by operation; its numbers are a test of their own."""
    padded = then(x, f"square() {zeros(size // 2, size // 2)}")
    total = then(padded, f"getitem([…,:{channels}])")
    for i in range(1, size):
        total = join("add()", total, then(padded, f"getitem([…,{i}:{i + channels}])"))
    return join("mul", x, then(total, f"multiply({alpha}) add({k}) power({-beta})"))


def towers(words, count=2, x=X):
    """The channels in parts, each through the words, side by side again."""
    return join("concat", *[then(x, f"split({count},-1) part{i} {words}") for i in range(count)])


def fire(squeeze, expand, x=X):
    squeezed = then(x, f"conv1:{squeeze} relu")
    return join("concat", *[then(squeezed, f"conv{k}:{expand} relu") for k in (1, 3)])


ROWS = [
    Row(vgg_block, (7, 6, 2), lambda f, x, **k: f(x, 4, (3, 3, 1), **k), (3, 3, 4),
        9 * 2 * 4 + 9 * 4 * 4 + 4 * 4 + 3 * 4, then(X, "conv3:4 relu conv3:4 relu conv1:4 relu max2/2")),
    Row(vgg_block, (4, 4, 2), lambda f, x, **k: f(x, 4, (3, 1), pool=False, **k), (4, 4, 4),
        9 * 2 * 4 + 4 + 4 * 4 + 4, then(X, "conv3:4 relu conv1:4 relu")),
    Row(vgg_block, (4, 4, 2), lambda f, x, **k: f(x, 4, batch_norm=True, **k), (2, 2, 4),
        9 * 2 * 4 + 9 * 4 * 4 + 2 * 4 + 2 * 4 * 4,
        then(X, "conv3:4 bn relu conv3:4 bn relu max2/2")),

    Row(mlpconv_block, (6, 6, 3), lambda f, x, **k: f(x, 4, 5, (6, 7), **k), (6, 6, 7),
        25 * 3 * 4 + 4 + 4 * 6 + 6 + 6 * 7 + 7, then(X, "conv5:4 relu conv1:6 relu conv1:7 relu")),
    Row(mlpconv_block, (7, 5, 2), lambda f, x, **k: f(x, 4, 3, (5,), 2, **k), (4, 3, 5),
        9 * 2 * 4 + 4 + 4 * 5 + 5, then(X, "conv3:4/2 relu conv1:5 relu")),

    Row(grouped_conv, (5, 5, 4), lambda f, x, **k: f(x, 6, 5, **k), (5, 5, 6), 25 * 4 * 6 // 2 + 6,
        then(towers("conv5:3"), "relu")),
    Row(grouped_conv, (5, 5, 4), lambda f, x, **k: f(x, 6, 3, 2, towers=False, **k), (3, 3, 6),
        9 * 4 * 6 // 2 + 6, then(X, "conv3:6/2g2 relu")),
    Row(grouped_conv, (5, 5, 4), lambda f, x, **k: f(x, 6, 3, groups=1, **k), (5, 5, 6),
        9 * 4 * 6 + 6, then(X, "conv3:6 relu")),
    Row(grouped_conv, (5, 5, 6), lambda f, x, **k: f(x, 9, 3, groups=3, **k), (5, 5, 9),
        9 * 6 * 9 // 3 + 9, then(towers("conv3:3", 3), "relu")),

    Row(local_response_norm, (3, 4, 8), lambda f, x, **k: f(x, **k), (3, 4, 8), 0, lrn(X, 8)),
    Row(local_response_norm, (3, 4, 2), lambda f, x, **k: f(x, 3, 1.0, 0.5, 0.5, **k),
        (3, 4, 2), 0, lrn(X, 2, 3, 1.0, 0.5, 0.5)),
    Row(local_response_norm, (2, 2, 3), lambda f, x, **k: f(x, 1, **k), (2, 2, 3), 0, lrn(X, 3, 1)),

    Row(fire_module, (4, 5, 3), lambda f, x, **k: f(x, 2, 6, **k), (4, 5, 12),
        3 * 2 + 2 + 2 * 6 + 6 + 9 * 2 * 6 + 6,
        fire(2, 6)),

    Row(trainable_pooling, (8, 8, 6), lambda f, x, **k: f(x, **k), (4, 4, 6), 12,
        then(X, "avg2/2 dw1 tanh")),
    Row(trainable_pooling, (7, 9, 2), lambda f, x, **k: f(x, 3, **k), (2, 3, 2), 4,
        then(X, "avg3/3 dw1 tanh")),
    Row(connected_conv, (6, 7, 3), lambda f, x, **k: f(x, TABLE, **k), (2, 3, 3), 25 * 6 + 3,
        then(join("concat", *[then(X, f"take(-1,[{reads}]) conv5:1v")
                              for reads in ("0,1", "2", "0,1,2")]), "tanh")),
    Row(connected_conv, (3, 3, 3), lambda f, x, **k: f(x, ((0, 2),), 3, **k), (1, 1, 1), 9 * 2 + 1,
        then(X, "take(-1,[0,2]) conv3:1v tanh")),
    Row(connected_conv, (3, 3, 2), lambda f, x, **k: f(x, ((1,), (0,)), 3, **k), (1, 1, 2),
        2 * (9 + 1), then(join("concat", *[then(X, f"take(-1,[{n}]) conv3:1v") for n in (1, 0)]),
                          "tanh")),

    Row(global_average_pooling_head, (7, 7, 64), lambda f, x, **k: f(x, 10, **k), (10,), 650,
        then(X, "gap dense10+softmax")),
    Row(global_average_pooling_head, (2, 3, 4), lambda f, x, **k: f(x, 3, TINY, **k), (3,), 15,
        then(X, "gap drop1e-06 dense3+softmax")),
    Row(global_average_pooling_head, (2, 3, 4), lambda f, x, **k: f(x, **k), (4,), 0,
        then(X, "gap softmax")),
    Row(auxiliary_classifier, (14, 14, 8), lambda f, x, **k: f(x, 3, 4, 6, TINY, **k), (3,),
        8 * 4 + 4 + 16 * 4 * 6 + 6 + 6 * 3 + 3,
        then(X, "avg5/3 conv1:4 relu flatten dense6 relu drop1e-06 dense3+softmax")),
    Row(auxiliary_classifier, (5, 5, 8), lambda f, x, **k: f(x, 3, 4, 6, batch_norm=True, **k),
        (3,), 8 * 4 + 4 * 4 + 4 * 6 + 6 + 6 * 3 + 3,
        then(X, "avg5/3 conv1:4- bn relu flatten dense6 relu drop0.7 dense3+softmax")),
    Row(auxiliary_classifier_v3, (17, 17, 4), lambda f, x, **k: f(x, 3, 6, 5, **k), (3,),
        4 * 6 + 3 * 6 + 25 * 6 * 5 + 3 * 5 + 5 * 3 + 3,
        then(X, "avg5/3 conv1:6- bnβ relu conv5:5v- bnβ relu gap dense3+softmax")),
]

BAD = [
    Bad(vgg_block, (8, 8, 3), lambda f, x: f(x, 4, ()), "kernel_sizes is empty"),
    Bad(vgg_block, (8, 3), lambda f, x: f(x, 4), "min_ndim=4"),
    Bad(vgg_block, (8, 8, 3), lambda f, x: f(x, 0), "filters"),
    Bad(vgg_block, (1, 8, 3), lambda f, x: f(x, 4), "zero or negative"),
    Bad(mlpconv_block, (8, 8, 3), lambda f, x: f(x, 4, 3, ()), "mlp_filters is empty"),
    Bad(mlpconv_block, (8, 3), lambda f, x: f(x, 4, 3, (4,)), "min_ndim=4"),
    Bad(mlpconv_block, (8, 8, 3), lambda f, x: f(x, 4, 3, (-4,)), "filters"),
    Bad(mlpconv_block, (8, 8, 3), lambda f, x: f(x, 4, 3, (4,), 0), "strides"),
    Bad(grouped_conv, (8, 8, 3), lambda f, x: f(x, 4, 3), "3 channels"),
    Bad(grouped_conv, (8, 8, 4), lambda f, x: f(x, 5, 3), "5 filters"),
    Bad(grouped_conv, (8, 8, 4), lambda f, x: f(x, 4, 3, groups=0), "groups=0"),
    Bad(grouped_conv, (8, 8, 4), lambda f, x: f(x, 4, 3, strides=0), "strides"),
    Bad(grouped_conv, (8, 4), lambda f, x: f(x, 4, 3), "min_ndim=4"),
    Bad(local_response_norm, (8, 4), lambda f, x: f(x), "batch, H, W, C"),
    Bad(local_response_norm, (8, 8, 4), lambda f, x: f(x, 4), "size=4"),
    Bad(local_response_norm, (8, 8, 4), lambda f, x: f(x, -1), "size=-1"),
    Bad(fire_module, (8, 8, 4), lambda f, x: f(x, 0, 4), "filters"),
    Bad(fire_module, (8, 8, 4), lambda f, x: f(x, 4, 0), "filters"),
    Bad(fire_module, (8, 4), lambda f, x: f(x, 4, 4), "min_ndim=4"),
    Bad(trainable_pooling, (8, 4), lambda f, x: f(x), "ndim=4"),
    Bad(trainable_pooling, (1, 1, 4), lambda f, x: f(x), "zero or negative"),
    Bad(trainable_pooling, (8, 8, 4), lambda f, x: f(x, 0), "pool_size"),
    Bad(connected_conv, (8, 8, 3), lambda f, x: f(x, ((0, 3),)), "0 … 2"),
    Bad(connected_conv, (8, 8, 3), lambda f, x: f(x, ((-1,),)), "0 … 2"),
    Bad(connected_conv, (8, 8, 3), lambda f, x: f(x, ((0,), ())), "each row"),
    Bad(connected_conv, (8, 8, 3), lambda f, x: f(x, ()), "each row"),
    Bad(connected_conv, (4, 4, 3), lambda f, x: f(x, TABLE), "zero or negative"),
    Bad(global_average_pooling_head, (4, 3), lambda f, x: f(x, 3), "ndim=4"),
    Bad(global_average_pooling_head, (4, 4, 3), lambda f, x: f(x, 0), "units"),
    Bad(global_average_pooling_head, (4, 4, 3), lambda f, x: f(x, 3, 1.5), "rate"),
    Bad(auxiliary_classifier, (4, 4, 3), lambda f, x: f(x, 3), "zero or negative"),
    Bad(auxiliary_classifier, (5, 5, 3), lambda f, x: f(x, 0), "units"),
    Bad(auxiliary_classifier, (5, 3), lambda f, x: f(x, 3), "ndim=4"),
    Bad(auxiliary_classifier_v3, (16, 16, 3), lambda f, x: f(x, 3, 4, 4), "zero or negative"),
    Bad(auxiliary_classifier_v3, (17, 17, 3), lambda f, x: f(x, -1, 4, 4), "units"),
]

MUTANTS = [
    Mutant(vgg_block, "throws every convolution but the last away",
           'padding="same")(y)\n        if', 'padding="same")(x)\n        if'),
    Mutant(vgg_block, "pools with overlap, as AlexNet does", "MaxPooling2D(2,",
           "MaxPooling2D(3, 2,"),
    Mutant(vgg_block, "forgets the batch normalization", "if batch_norm:", "if False:"),
    Mutant(mlpconv_block, "is linear between its 1×1 convolutions, so that they are one",
           "name=name if last else None)(y)", "name=name)(y) if last else y"),
    Mutant(mlpconv_block, "has 3×3 where it says 1×1", "layers.Conv2D(width, 1, **init)",
           'layers.Conv2D(width, 3, padding="same")'),
    Mutant(grouped_conv, "sends all channels through both towers", "(p) for p in parts",
           "(x) for p in parts"),
    Mutant(grouped_conv, "lets uneven groups pass", "or filters % groups", ""),
    Mutant(fire_module, "expands the input, not what was squeezed",
           'layers.Conv2D(expand, 3, padding="same")(y)',
           'layers.Conv2D(expand, 3, padding="same")(x)'),
    Mutant(trainable_pooling, "pools without a bias per channel", "DepthwiseConv2D(1)",
           "DepthwiseConv2D(1, use_bias=False)"),
    Mutant(trainable_pooling, "mixes the channels", "layers.DepthwiseConv2D(1)",
           "layers.Conv2D(y.shape[-1], 1)"),
    Mutant(connected_conv, "connects everything", "ops.take(x, list(reads), axis=-1)", "x"),
    Mutant(connected_conv, "takes channels that are not there", "or max(reads) >= channels", ""),
    Mutant(global_average_pooling_head, "flattens (327,690 of the lecture's 347,594 parameters)",
           "layers.GlobalAveragePooling2D()(x)", "layers.Flatten()(x)"),
    Mutant(auxiliary_classifier, "pools with stride 5", "strides=3", "strides=5"),
    Mutant(auxiliary_classifier, "drops the dense layer of 1024", "y = layers.Dense(units)(y)", ""),
    Mutant(auxiliary_classifier_v3, "has 3×3 where the head has 5×5", "Conv2D(units, 5",
           "Conv2D(units, 3"),
]
