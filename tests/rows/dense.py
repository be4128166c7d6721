"""Rows for test_blocks: the dense block and the transition between two."""

from graphs import X, join, then
from rows import Bad, Mutant, Row

from keras_cases.blocks.dense import dense_block, transition_block

TINY = 1e-6  # a drop rate that puts the dropout layers there and drops nothing in a test


def dense(*layers, x=X):
    """Each layer reads all before it; what was there first stays first."""
    features = x
    for words in layers:
        features = join("concat", features, then(features, words))
    return features


WIDE = "bn5 relu conv1:12- bn5 relu conv3:3-"  # growth 3, 12 filters in the bottleneck

ROWS = [
    # 4 channels in, growth 3: the layers read 4, 7 and 10 channels
    Row(dense_block, (6, 6, 4), lambda f, x, **k: f(x, 2, 3, **k), (6, 6, 10),
        sum(4 * c + c * 12 + 4 * 12 + 9 * 12 * 3 for c in (4, 7)),
        dense(WIDE, WIDE)),
    Row(dense_block, (5, 7, 4), lambda f, x, **k: f(x, 3, 3, bottleneck=False, **k), (5, 7, 13),
        sum(4 * c + 9 * c * 3 for c in (4, 7, 10)), dense(*3 * ["bn5 relu conv3:3-"])),
    Row(dense_block, (4, 4, 5), lambda f, x, **k: f(x, 1, 2, drop_rate=TINY, **k), (4, 4, 7),
        4 * 5 + 5 * 8 + 4 * 8 + 9 * 8 * 2, dense("bn5 relu conv1:8- drop1e-06 bn5 relu conv3:2- drop1e-06")),

    Row(transition_block, (6, 8, 10), lambda f, x, **k: f(x, **k), (3, 4, 5),
        4 * 10 + 10 * 5, then(X, "bn5 relu conv1:5- avg2/2")),
    Row(transition_block, (7, 7, 5), lambda f, x, **k: f(x, 0.5, **k), (3, 3, 2), 4 * 5 + 5 * 2,
        then(X, "bn5 relu conv1:2- avg2/2")),
    Row(transition_block, (6, 6, 5), lambda f, x, **k: f(x, 1, **k), (3, 3, 5), 4 * 5 + 5 * 5,
        then(X, "bn5 relu conv1:5- avg2/2")),
    Row(transition_block, (2, 2, 256), lambda f, x, **k: f(x, **k), (1, 1, 128), 33_792,
        then(X, "bn5 relu conv1:128- avg2/2")),
]

BAD = [
    Bad(dense_block, (8, 4), lambda f, x: f(x, 2, 4), "min_ndim=4"),
    Bad(dense_block, (8, 8, 4), lambda f, x: f(x, 0, 4), "num_layers=0"),
    Bad(dense_block, (8, 8, 4), lambda f, x: f(x, -2, 4), "num_layers=-2"),
    Bad(dense_block, (8, 8, 4), lambda f, x: f(x, 2, 0), "filters"),
    Bad(dense_block, (8, 8, 4), lambda f, x: f(x, 2, -4), "filters"),
    Bad(dense_block, (8, 8, 4), lambda f, x: f(x, 2, 4, drop_rate=-0.2), "rate"),
    Bad(transition_block, (8, 4), lambda f, x: f(x), "ndim=4"),
    Bad(transition_block, (1, 1, 4), lambda f, x: f(x), "output size"),
    Bad(transition_block, (8, 8, 4), lambda f, x: f(x, 0), "compression=0"),
    Bad(transition_block, (8, 8, 4), lambda f, x: f(x, 2), "compression=2"),
    Bad(transition_block, (8, 8, 4), lambda f, x: f(x, 0.1), "filters"),
]

MUTANTS = [
    Mutant(dense_block, "reads only the layer before it (a chain, not a dense block)",
           "bn_act_conv(features, 4 * growth_rate, 1) if bottleneck else features",
           "bn_act_conv(features[..., -growth_rate:], 4 * growth_rate, 1) if bottleneck "
           "else features"),
    Mutant(dense_block, "adds instead of concatenating", "Concatenate(", "Add("),
    Mutant(dense_block, "puts the new channels first", "([features, new])", "([new, features])"),
    Mutant(dense_block, "grows by the bottleneck's 4k channels",
           "bn_act_conv(new, growth_rate, 3)", "bn_act_conv(new, 4 * growth_rate, 3)"),
    Mutant(dense_block, "has a bottleneck of k filters, not 4k", "4 * growth_rate, 1",
           "growth_rate, 1"),
    Mutant(dense_block, "forgets the BN before each convolution",
           "        y = layers.BatchNormalization(epsilon=1.001e-5)(y)\n", ""),
    Mutant(dense_block, "normalizes after the convolution, as a ResNet v1 does",
           "        y = layers.BatchNormalization(epsilon=1.001e-5)(y)\n"
           "        y = layers.Activation(activation)(y)\n"
           "        y = layers.Conv2D(filters, kernel_size, padding=\"same\", use_bias=False,\n"
           "                          kernel_initializer=\"he_normal\")(y)\n",
           "        y = layers.Conv2D(filters, kernel_size, padding=\"same\", use_bias=False)(y)\n"
           "        y = layers.BatchNormalization(epsilon=1.001e-5)(y)\n"
           "        y = layers.Activation(activation)(y)\n"),
    Mutant(transition_block, "compresses by rounding up", "int(compression * x.shape[-1])",
           "-int(-compression * x.shape[-1] // 1)"),
    Mutant(transition_block, "pools the maximum", "AveragePooling2D", "MaxPooling2D"),
    Mutant(transition_block, "has no BN", "layers.BatchNormalization(epsilon=1.001e-5)(x)", "x"),
    Mutant(transition_block, "has no check of the compression", "not 0 < compression <= 1",
           "False"),
]
