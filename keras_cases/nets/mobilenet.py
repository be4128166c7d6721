"""MobileNet: thirteen depthwise separable blocks, thinned by alpha, shrunk by rho.

Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision
Applications", arXiv:1704.04861, tables 1, 6 and 7.

    net              layers  parameters  trainable   GMACs  top-1
    mobilenet            28   4,253,864  4,231,976  0.5687   70.6
    mobilenet_075        28   2,601,976  2,585,560  0.3254   68.4
    mobilenet_050        28   1,342,536  1,331,592  0.1495   63.7
    mobilenet_025        28     475,544    470,072  0.0410   50.6
    mobilenet_cifar      28   3,239,114  3,217,226  0.0464      -

Counts and multiply-adds at 224×224×3 with 1000 classes, and at 32×32×3 with 10 (ours, tested).
Top-1 in %, ImageNet, the paper's, which counts 4.2, 2.6, 1.3 and 0.5 million parameters and 569,
325, 149 and 41 million multiply-adds.
Differs from the paper: relu6, as in the released nets; the last depthwise layer has stride 1
(table 1 prints "s2", but then 7×7 could not stay 7×7, and its own multiply-adds would not add up).
"""

import keras
from keras import layers

from keras_cases.blocks.depthwise import depthwise_separable_block
from keras_cases.nets.inputs import image_input

# (filters, blocks, strides of the first block)
STAGES = [(64, 1, 1), (128, 2, 2), (256, 2, 2), (512, 6, 2), (1024, 2, 2)]


def mobilenet(input_shape=(224, 224, 3), classes=1000, alpha=1.0, rho=1.0, small_images=False,
              classifier_activation="softmax"):
    """MobileNet: (rho·H, rho·W, C) → (classes,) probabilities.

    alpha: width multiplier, on every layer's filters.  rho: resolution multiplier, on the input's
    height and width (rho=6/7 is the paper's 192): resize the images to `model.input_shape`.
    small_images: the stem keeps the size, for 32×32 images.
    classifier_activation: None for logits.
    Exits: "stem", "stage1_block1", "stage2_block1", "stage2_block2", …, "stage5_block2".
    Raises: ValueError for alpha or rho ≤ 0, and for images that rho and the strides shrink to
    nothing: below 32×32 after rho, with small_images below 16×16.
    """
    if alpha <= 0 or rho <= 0 or int(32 * alpha) < 1:
        raise ValueError(f"mobilenet: alpha={alpha}, rho={rho}; they multiply filters and pixels: "
                         "pass numbers above 0, alpha at least 1/32: 0.25, 0.5, 0.75, 1.")
    shape = (*[side and round(rho * side) for side in input_shape[:2]], *input_shape[2:])
    inputs = image_input(f"mobilenet at rho={rho}", shape, classes, 16 if small_images else 32)
    x = layers.Conv2D(int(32 * alpha), 3, strides=1 if small_images else 2, padding="same",
                      use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.Activation("relu6", name="stem")(x)
    for stage, (filters, count, strides) in enumerate(STAGES, 1):
        for block in range(1, count + 1):
            x = depthwise_separable_block(x, int(filters * alpha), strides if block == 1 else 1,
                                          activation="relu6", name=f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="mobilenet")


def mobilenet_075(**options):
    """MobileNet at alpha = 0.75; options as in `mobilenet`."""
    return mobilenet(alpha=0.75, **options)


def mobilenet_050(**options):
    """MobileNet at alpha = 0.5; options as in `mobilenet`."""
    return mobilenet(alpha=0.5, **options)


def mobilenet_025(**options):
    """MobileNet at alpha = 0.25; options as in `mobilenet`."""
    return mobilenet(alpha=0.25, **options)


def mobilenet_cifar(input_shape=(32, 32, 3), classes=10, **options):
    """MobileNet for 32×32 images, which reach the head as 2×2; options as in `mobilenet`."""
    return mobilenet(input_shape, classes, small_images=True, **options)
