"""DenseNet, for ImageNet and for CIFAR.

Huang, Liu, van der Maaten, Weinberger 2017, "Densely Connected Convolutional Networks",
arXiv:1608.06993, tables 1 and 2.

    net             layers  parameters   trainable  GMACs  error
    densenet121        121   8,062,504   7,978,856  2.834  25.02
    densenet169        169  14,307,880  14,149,480  3.360  23.80
    densenet201        201  20,242,984  20,013,928  4.291  22.58
    densenet40          40   1,037,818   1,019,722  0.265   5.24
    densenet_bc100     100     793,150     769,162  0.288   4.51

Counts and multiply-adds at 224×224×3 with 1000 classes, and at 32×32×3 with 10 (ours, tested).
Error: the paper's, in %, top-1 of one crop on ImageNet and on CIFAR-10 with augmentation.
Differs from the paper: no dropout unless asked for (the paper takes 0.2 on CIFAR-10 without
augmentation).
"""

import keras
from keras import layers

from keras_cases.blocks.dense import dense_block, transition_block
from keras_cases.nets.inputs import image_input

# layers in each of the four dense blocks; each layer is a 1×1 and a 3×3 convolution, growth 32
BLOCKS = {121: (6, 12, 24, 16), 169: (6, 12, 32, 32), 201: (6, 12, 48, 32)}


def _dense_stages(x, counts, growth_rate, bottleneck, compression, drop_rate):
    """Dense blocks with a transition between each two, then BN and relu."""
    for stage, count in enumerate(counts, 1):
        x = dense_block(x, count, growth_rate, bottleneck, drop_rate=drop_rate,
                        name=f"stage{stage}_block1")
        if stage < len(counts):
            x = transition_block(x, compression, name=f"stage{stage}_transition")
    x = layers.BatchNormalization(epsilon=1.001e-5)(x)
    return layers.Activation("relu", name="post_activation")(x)


def _head(x, classes, activation):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)


def _imagenet_net(depth, input_shape, classes, classifier_activation):
    inputs = image_input(f"densenet{depth}", input_shape, classes, smallest=32)
    x = layers.ZeroPadding2D(3)(inputs)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, kernel_initializer="he_normal")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5)(x)
    x = layers.Activation("relu")(x)
    x = layers.ZeroPadding2D(1)(x)
    x = layers.MaxPooling2D(3, strides=2, name="stem")(x)
    x = _dense_stages(x, BLOCKS[depth], 32, bottleneck=True, compression=0.5, drop_rate=0.0)
    return keras.Model(inputs, _head(x, classes, classifier_activation), name=f"densenet{depth}")


def densenet121(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """121 layers: (H, W, 3) → (classes,) probabilities, H and W of 32 or more. As in Keras."""
    return _imagenet_net(121, input_shape, classes, classifier_activation)


def densenet169(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """169 layers: (H, W, 3) → (classes,) probabilities, H and W of 32 or more. As in Keras."""
    return _imagenet_net(169, input_shape, classes, classifier_activation)


def densenet201(input_shape=(224, 224, 3), classes=1000, classifier_activation="softmax"):
    """201 layers: (H, W, 3) → (classes,) probabilities, H and W of 32 or more. As in Keras."""
    return _imagenet_net(201, input_shape, classes, classifier_activation)


def densenet_cifar(depth=40, growth_rate=12, bottleneck=False, compression=1.0, drop_rate=0.0,
                   input_shape=(32, 32, 3), classes=10, classifier_activation="softmax"):
    """A CIFAR DenseNet of three dense blocks: (H, W, C) → (classes,) probabilities.

    depth: 3n+4 (16, 22, 40, …), or with bottleneck 6n+4 (16, 22, 40, 100, …); n layers a block.
    "BC" is bottleneck=True with compression 0.5. The stem has 16 filters, in BC 2·growth_rate.
    classifier_activation: None for logits.
    Exits: "stem", "stage1_block1", "stage1_transition", …, "stage3_block1", "post_activation".
    Raises: ValueError for a depth that does not divide into three blocks, images below 4×4.
    """
    count, rest = divmod(depth - 4, 6 if bottleneck else 3)
    if rest or count < 1:
        raise ValueError(f"densenet_cifar: depth={depth}, bottleneck={bottleneck}; depth is 3n+4 "
                         "(16, 22, 40, …), with bottleneck 6n+4 (16, 22, 40, 100, …).")
    inputs = image_input("densenet_cifar", input_shape, classes, smallest=4)
    width = 2 * growth_rate if bottleneck and compression < 1 else 16
    x = layers.Conv2D(width, 3, padding="same", use_bias=False, kernel_initializer="he_normal",
                      name="stem")(inputs)
    x = _dense_stages(x, 3 * [count], growth_rate, bottleneck, compression, drop_rate)
    return keras.Model(inputs, _head(x, classes, classifier_activation),
                       name=f"densenet{depth}_k{growth_rate}")


def densenet40(**options):
    """DenseNet-40 with growth 12, no bottleneck; options as in `densenet_cifar`."""
    return densenet_cifar(40, 12, **options)


def densenet_bc100(**options):
    """DenseNet-BC-100 with growth 12; options as in `densenet_cifar`."""
    return densenet_cifar(100, 12, bottleneck=True, compression=0.5, **options)
