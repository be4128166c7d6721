"""MobileNetV2: seventeen inverted residual blocks with linear bottlenecks.

Sandler, Howard, Zhu, Zhmoginov, Chen 2018, "MobileNetV2: Inverted Residuals and Linear
Bottlenecks", arXiv:1801.04381, tables 2 and 4.

    net                 layers  parameters  trainable   GMACs  top-1
    mobilenet_v2            53   3,538,984  3,504,872  0.3008   72.0
    mobilenet_v2_140        53   6,156,712  6,108,776  0.5822   74.7
    mobilenet_v2_cifar      53   2,270,794  2,236,682  0.0880      -

Counts and multiply-adds at 224×224×3 with 1000 classes, and at 32×32×3 with 10 (ours, tested).
Top-1 in %, ImageNet, the paper's, which counts 3.4 and 6.9 million parameters and 300 and 585
million multiply-adds; at alpha 1.4 its parameters are not those of the net that it describes.
Differs from the paper: filters are rounded to multiples of 8, as in the released nets; the
classifier is a dense layer, the same sums as the 1×1 convolution of table 2.
"""

import keras
from keras import layers

from keras_cases.blocks.depthwise import inverted_residual_block
from keras_cases.nets.inputs import image_input

# (expansion, filters, blocks, strides of the first block, the same for 32×32 images); None: 6
STAGES = [(1, 16, 1, 1, 1), (None, 24, 2, 2, 1), (None, 32, 3, 2, 2), (None, 64, 4, 2, 2),
          (None, 96, 3, 1, 1), (None, 160, 3, 2, 2), (None, 320, 1, 1, 1)]


def divisible_by_8(filters):
    """The multiple of 8 nearest to `filters`, at least 8 and never less than 90 % of it.

    Widths that suit the hardware; the rule is the released code's, the paper does not state it.
    """
    rounded = max(8, int(filters + 4) // 8 * 8)
    return rounded if rounded >= 0.9 * filters else rounded + 8


def mobilenet_v2(input_shape=(224, 224, 3), classes=1000, alpha=1.0, expansion=6,
                 small_images=False, classifier_activation="softmax"):
    """MobileNetV2: (H, W, C) → (classes,) probabilities.

    alpha: width multiplier; widths are then rounded by `divisible_by_8`. The last convolution
    keeps its 1280 filters for alpha < 1, as in the paper.
    expansion: t of all blocks but the first, which has 1.
    small_images: two strides less, for 32×32 images.
    classifier_activation: None for logits.
    Exits: "stem", "stage1_block1", …, "stage7_block1", "last_conv".
    Raises: ValueError for alpha ≤ 0, images below 32×32, with small_images below 8×8.
    """
    if alpha <= 0:
        raise ValueError(f"mobilenet_v2: alpha={alpha}; it multiplies the filters, so pass a "
                         "number above 0: 0.35, 0.5, 0.75, 1, 1.3, 1.4.")
    inputs = image_input("mobilenet_v2", input_shape, classes, 8 if small_images else 32)
    x = layers.Conv2D(divisible_by_8(32 * alpha), 3, strides=1 if small_images else 2,
                      padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu6", name="stem")(x)
    for stage, (t, filters, count, strides, small_strides) in enumerate(STAGES, 1):
        first = small_strides if small_images else strides
        for block in range(1, count + 1):
            x = inverted_residual_block(x, divisible_by_8(filters * alpha),
                                        first if block == 1 else 1, t or expansion,
                                        name=f"stage{stage}_block{block}")
    x = layers.Conv2D(divisible_by_8(1280 * max(1.0, alpha)), 1, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu6", name="last_conv")(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="mobilenet_v2")


def mobilenet_v2_140(**options):
    """MobileNetV2 at alpha = 1.4; options as in `mobilenet_v2`."""
    return mobilenet_v2(alpha=1.4, **options)


def mobilenet_v2_cifar(input_shape=(32, 32, 3), classes=10, **options):
    """MobileNetV2 for 32×32 images, which reach the head as 4×4; options as in `mobilenet_v2`."""
    return mobilenet_v2(input_shape, classes, small_images=True, **options)
