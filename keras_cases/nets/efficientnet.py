"""EfficientNet B0 to B7: one searched net, grown in width, depth and resolution together.

Tan and Le 2019, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
arXiv:1905.11946, tables 1 and 2.

    net                 layers  parameters   trainable    GMACs  top-1
    efficientnet_b0         82   5,330,571   5,288,548   0.3858   77.1
    efficientnet_b1        116   7,856,239   7,794,184   0.6868   79.1
    efficientnet_b2        116   9,177,569   9,109,994   0.9936   80.1
    efficientnet_b3        131  12,320,535  12,233,232   1.8271   81.6
    efficientnet_b4        161  19,466,823  19,341,616   4.3938   82.9
    efficientnet_b5        195  30,562,527  30,389,784  10.2664   83.6
    efficientnet_b6        225  43,265,143  43,040,704  19.0676   84.0
    efficientnet_b7        274  66,658,687  66,347,960  37.7459   84.3
    efficientnet_cifar      82   4,062,374   4,020,358   0.0320      -

Counts and multiply-adds at each net's own resolution with 1000 classes, and at 32×32×3 with 10
(ours, tested). Layers: convolutions and dense on the longest path, two of each block in its gate.
Top-1 in %, ImageNet, the paper's, which counts 5.3, 7.8, 9.2, 12, 19, 30, 43 and 66 million
parameters and 0.39, 0.70, 1.0, 1.8, 4.2, 9.9, 19 and 37 billion multiply-adds. A total holds 7
numbers of Keras's Normalization layer: mean and variance of three input channels, and a counter.
Differs from the paper: the coefficients of B1 to B7 are the released table, which no single phi
gives (see `compound_scaling`).
"""

import math

import keras
from keras import layers

from keras_cases.blocks.mbconv import mbconv_block
from keras_cases.nets.inputs import image_input
from keras_cases.nets.mobilenet_v2 import divisible_by_8

# (expansion, kernel_size, filters, blocks, strides of the first block): B0, the paper's table 1
STAGES = [(1, 3, 16, 1, 1), (6, 3, 24, 2, 2), (6, 5, 40, 2, 2), (6, 3, 80, 3, 2),
          (6, 5, 112, 3, 1), (6, 5, 192, 4, 2), (6, 3, 320, 1, 1)]

# (width_coefficient, depth_coefficient, resolution, dropout), as released
RELEASED = {"b0": (1.0, 1.0, 224, 0.2), "b1": (1.0, 1.1, 240, 0.2), "b2": (1.1, 1.2, 260, 0.3),
            "b3": (1.2, 1.4, 300, 0.3), "b4": (1.4, 1.8, 380, 0.4), "b5": (1.6, 2.2, 456, 0.4),
            "b6": (1.8, 2.6, 528, 0.5), "b7": (2.0, 3.1, 600, 0.5)}


def compound_scaling(phi):
    """The paper's rule (equation 3): (1.1^phi, 1.2^phi, 224·1.15^phi) for width, depth, resolution.

    1.2 · 1.1² · 1.15² ≈ 1.92 times the multiply-adds for each phi. The released nets are not on it:
    phi=1 is B2, B1 is half a step, and B7 has the depth of phi=6.2 and the width of phi=7.3.
    """
    return 1.1**phi, 1.2**phi, 224 * 1.15**phi


def efficientnet(width_coefficient=1.0, depth_coefficient=1.0, input_shape=(224, 224, 3),
                 classes=1000, dropout=0.2, drop_rate=0.2, small_images=False,
                 classifier_activation="softmax", name="efficientnet"):
    """B0 scaled: (H, W, C) → (classes,) probabilities. Pixels are 0 to 255.

    width_coefficient: on the filters, then rounded to multiples of 8.  depth_coefficient: on the
    blocks of a stage, rounded up.  dropout: before the classifier.  drop_rate: stochastic depth,
    growing from 0 at the first block to nearly drop_rate at the last.
    small_images: for 32×32 images: the stem keeps the size, and nothing rescales the pixels; give
    them in [0, 1] or standardized.
    classifier_activation: None for logits.
    Exits: "stem", "stage1_block1", …, "stage7_block1", "last_conv".
    Raises: ValueError for a coefficient ≤ 0, images below 32×32, with small_images below 16×16.
    """
    if width_coefficient <= 0 or depth_coefficient <= 0:
        raise ValueError(f"{name}: width_coefficient={width_coefficient}, depth_coefficient="
                         f"{depth_coefficient}; both multiply: pass numbers above 0 (B0: 1, 1).")
    counts = [math.ceil(depth_coefficient * count) for _, _, _, count, _ in STAGES]
    inputs = x = image_input(name, input_shape, classes, 16 if small_images else 32)
    if not small_images:
        x = layers.Rescaling(1 / 255)(x)
        x = layers.Normalization()(x)  # adapt it to the data, or leave it: mean 0, variance 1
    x = _conv(x, divisible_by_8(32 * width_coefficient), 3, 1 if small_images else 2, "stem")
    done = 0
    for stage, ((expansion, kernel_size, filters, _, strides), count) in enumerate(
            zip(STAGES, counts), 1):
        for block in range(1, count + 1):
            x = mbconv_block(x, divisible_by_8(filters * width_coefficient), kernel_size,
                             strides if block == 1 else 1, expansion,
                             drop_rate=drop_rate * done / sum(counts),
                             name=f"stage{stage}_block{block}")
            done += 1
    x = _conv(x, divisible_by_8(1280 * width_coefficient), 1, 1, "last_conv")
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    init = keras.initializers.VarianceScaling(1 / 3, "fan_out", "uniform")
    outputs = layers.Dense(classes, activation=classifier_activation, kernel_initializer=init,
                           name="predictions")(x)
    return keras.Model(inputs, outputs, name=name)


def _conv(x, filters, kernel_size, strides, name):
    init = keras.initializers.VarianceScaling(2.0, "fan_out")
    x = layers.Conv2D(filters, kernel_size, strides, padding="same", use_bias=False,
                      kernel_initializer=init)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation("silu", name=name)(x)


def _released(version, input_shape, classes, classifier_activation):
    width, depth, resolution, dropout = RELEASED[version]
    return efficientnet(width, depth, input_shape or (resolution, resolution, 3), classes, dropout,
                        classifier_activation=classifier_activation,
                        name=f"efficientnet_{version}")


def efficientnet_b0(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B0 for 224×224 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b0", input_shape, classes, classifier_activation)


def efficientnet_b1(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B1 for 240×240 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b1", input_shape, classes, classifier_activation)


def efficientnet_b2(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B2 for 260×260 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b2", input_shape, classes, classifier_activation)


def efficientnet_b3(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B3 for 300×300 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b3", input_shape, classes, classifier_activation)


def efficientnet_b4(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B4 for 380×380 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b4", input_shape, classes, classifier_activation)


def efficientnet_b5(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B5 for 456×456 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b5", input_shape, classes, classifier_activation)


def efficientnet_b6(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B6 for 528×528 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b6", input_shape, classes, classifier_activation)


def efficientnet_b7(input_shape=None, classes=1000, classifier_activation="softmax"):
    """B7 for 600×600 (None) or your input_shape: (H, W, C), 0 to 255 → (classes,). As in Keras."""
    return _released("b7", input_shape, classes, classifier_activation)


def efficientnet_cifar(input_shape=(32, 32, 3), classes=10, **options):
    """B0 for 32×32 images, which reach the head as 2×2; options as in `efficientnet`."""
    return efficientnet(input_shape=input_shape, classes=classes, small_images=True,
                        name="efficientnet_cifar", **options)
