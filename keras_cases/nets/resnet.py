"""ResNet for ImageNet, v1 and v2.

He, Zhang, Ren, Sun 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385, table 1.
He, Zhang, Ren, Sun 2016, "Identity Mappings in Deep Residual Networks", arXiv:1603.05027.

    net          layers  parameters   trainable  GMACs  top-1
    resnet18         18  11,699,112  11,689,512   1.81  69.76
    resnet34         34  21,814,696  21,797,672   3.66  73.31
    resnet50         50  25,636,712  25,583,592   3.86  74.9
    resnet101       101  44,707,176  44,601,832   7.57  76.4
    resnet152       152  60,419,944  60,268,520  11.28  76.6
    resnet50_v2      50  25,613,800  25,568,360   3.49  76.0
    resnet101_v2    101  44,675,560  44,577,896   7.20  77.2
    resnet152_v2    152  60,380,648  60,236,904  10.91  78.0

Counts and multiply-adds at 224×224×3, 1000 classes (ours, tested). Top-1 in %, ImageNet, one
224 crop, of the released weights: torchvision's for 18 and 34, Keras's for the rest. The paper's
own multiply-adds: 1.8, 3.6, 3.8, 7.6, 11.3 billion.
Differs from the paper: see the blocks; 18 and 34 use projections (option B) with BN where shapes
change, and no convolution biases.
"""

import keras
from keras import layers

from keras_cases.blocks.residual import (
    bottleneck_block_v1, bottleneck_block_v2, res_block_v1)
from keras_cases.nets.inputs import image_input

# (filters, strides of the stage); the number of blocks per stage is each net's own
STAGES = [(64, 1), (128, 2), (256, 2), (512, 2)]
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3),
          152: (3, 8, 36, 3)}


def _stem(x, norm, use_bias):
    """7×7 / 2 and 3×3 max-pool / 2, padded on all sides alike: 224 → 56."""
    x = layers.ZeroPadding2D(3)(x)
    x = layers.Conv2D(64, 7, strides=2, use_bias=use_bias, kernel_initializer="he_normal")(x)
    if norm:
        x = layers.BatchNormalization(epsilon=1.001e-5)(x)
        x = layers.Activation("relu")(x)
    x = layers.ZeroPadding2D(1)(x)
    return layers.MaxPooling2D(3, strides=2, name="stem")(x)


def _head(x, classes, activation):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)


def _basic_net(depth, input_shape, classes, classifier_activation):
    inputs = image_input(f"resnet{depth}", input_shape, classes, smallest=32)
    x = _stem(inputs, norm=True, use_bias=False)
    for stage, ((filters, strides), count) in enumerate(zip(STAGES, BLOCKS[depth]), 1):
        for block in range(1, count + 1):
            x = res_block_v1(x, x.shape[-1], filters, strides if block == 1 else 1, use_bias=False,
                             shortcut_norm=True, kernel_initializer="he_normal",
                             name=f"stage{stage}_block{block}")
    return keras.Model(inputs, _head(x, classes, classifier_activation), name=f"resnet{depth}")


def _bottleneck_net(depth, input_shape, classes, classifier_activation):
    inputs = image_input(f"resnet{depth}", input_shape, classes, smallest=32)
    x = _stem(inputs, norm=True, use_bias=True)
    for stage, ((filters, strides), count) in enumerate(zip(STAGES, BLOCKS[depth]), 1):
        for block in range(1, count + 1):
            x = bottleneck_block_v1(x, filters, strides if block == 1 else 1,
                                    name=f"stage{stage}_block{block}")
    return keras.Model(inputs, _head(x, classes, classifier_activation), name=f"resnet{depth}")


def _bottleneck_net_v2(depth, input_shape, classes, classifier_activation):
    inputs = image_input(f"resnet{depth}_v2", input_shape, classes, smallest=32)
    x = _stem(inputs, norm=False, use_bias=True)
    for stage, ((filters, _), count) in enumerate(zip(STAGES, BLOCKS[depth]), 1):
        for block in range(1, count + 1):
            last = block == count and stage < 4  # v2 shrinks in a stage's last block
            x = bottleneck_block_v2(x, filters, 2 if last else 1,
                                    name=f"stage{stage}_block{block}")
    x = layers.BatchNormalization(epsilon=1.001e-5)(x)
    x = layers.Activation("relu", name="post_activation")(x)
    return keras.Model(inputs, _head(x, classes, classifier_activation), name=f"resnet{depth}_v2")


def resnet18(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """18 layers of basic blocks: (H, W, 3) → (classes,) probabilities. Paper: table 1."""
    return _basic_net(18, input_shape, classes, classifier_activation)


def resnet34(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """34 layers of basic blocks: (H, W, 3) → (classes,) probabilities. Paper: table 1."""
    return _basic_net(34, input_shape, classes, classifier_activation)


def resnet50(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """50 layers of bottlenecks: (H, W, 3) → (classes,) probabilities. Same graph as Keras's."""
    return _bottleneck_net(50, input_shape, classes, classifier_activation)


def resnet101(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """101 layers of bottlenecks: (H, W, 3) → (classes,) probabilities. Same graph as Keras's."""
    return _bottleneck_net(101, input_shape, classes, classifier_activation)


def resnet152(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """152 layers of bottlenecks: (H, W, 3) → (classes,) probabilities. Same graph as Keras's."""
    return _bottleneck_net(152, input_shape, classes, classifier_activation)


def resnet50_v2(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """Pre-activation ResNet-50: (H, W, 3) → (classes,) probabilities. Same graph as Keras's."""
    return _bottleneck_net_v2(50, input_shape, classes, classifier_activation)


def resnet101_v2(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """Pre-activation ResNet-101: (H, W, 3) → (classes,) probabilities. Same graph as Keras's."""
    return _bottleneck_net_v2(101, input_shape, classes, classifier_activation)


def resnet152_v2(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """Pre-activation ResNet-152: (H, W, 3) → (classes,) probabilities. Same graph as Keras's."""
    return _bottleneck_net_v2(152, input_shape, classes, classifier_activation)
