"""ResNet for CIFAR-10: the 6n+2 family, its plain twins, and the lecture's small nets.

He, Zhang, Ren, Sun 2015, "Deep Residual Learning for Image Recognition", arXiv:1512.03385,
section 4.2 and table 6. Test error in %, last column, from there; v2 from arXiv:1603.05027.

    net           layers  parameters  trainable   GMACs  error
    resnet20          20     271,098    269,722  0.0406   8.75
    resnet32          32     466,426    464,154  0.0689   7.51
    resnet44          44     661,754    658,586  0.0972   7.17
    resnet56          56     857,082    853,018  0.1254   6.97
    resnet110        110   1,736,058  1,727,962  0.2529   6.43
    resnet_v1          6     347,594    347,402  0.0202      -
    resnet_v2          6     347,658    347,434  0.0202      -

Counts and multiply-adds at 32×32×3, 10 classes (ours, tested).
Differs from the paper: images come in as [0, 1] or standardized, not with the per-pixel mean
subtracted (see keras_cases.train).
"""

import keras
from keras import layers

from keras_cases.blocks.residual import res_block_v1, res_block_v2
from keras_cases.nets.inputs import image_input

# (filters, strides of the first block); each stage holds n blocks of two layers: 6n + 2 in all
STAGES = [(16, 1), (32, 2), (64, 2)]


def resnet_cifar(depth=20, version=1, shortcut="pad", input_shape=(32, 32, 3), classes=10, width=1,
                 zero_init_residual=False, classifier_activation="softmax"):
    """A CIFAR ResNet of 6n+2 layers: (H, W, C) → (classes,) probabilities.

    depth: 8, 14, 20, 26, 32, …  version: 1, or 2 for pre-activation.  shortcut: "pad" (option A,
    no parameters, the paper's) or "projection" (option B, with BN in version 1).
    width: factor on 16-32-64 filters (0.5 is a quarter of the work).
    zero_init_residual: each block starts as its shortcut. classifier_activation: None for logits.
    Exits: "stem", "stage1_block1" … "stage3_block{n}". Raises: ValueError for a depth not 6n+2.
    """
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1 or version not in (1, 2):
        raise ValueError(f"resnet_cifar: depth={depth}, version={version}; depth is 6n+2 "
                         "(8, 14, 20, 26, 32, 44, 56, 110, …) and version 1 or 2.")
    res_block = res_block_v1 if version == 1 else res_block_v2
    inputs = image_input(f"resnet{depth}", input_shape, classes, smallest=4)
    x = _conv(inputs, round(16 * width), 1)
    if version == 1:
        x = layers.BatchNormalization()(x)
    x = layers.Activation("relu" if version == 1 else "linear", name="stem")(x)
    for stage, (filters, strides) in enumerate(STAGES, 1):
        for block in range(1, n + 1):
            x = res_block(x, x.shape[-1], round(filters * width), strides if block == 1 else 1,
                          use_bias=False, shortcut=shortcut, shortcut_norm=version == 1,
                          kernel_initializer="he_normal", zero_init_residual=zero_init_residual,
                          name=f"stage{stage}_block{block}")
    if version == 2:
        x = layers.BatchNormalization()(x)
        x = layers.Activation("relu", name="post_activation")(x)
    name = f"resnet{depth}" + ("_v2" if version == 2 else "")
    return keras.Model(inputs, _gap_head(x, classes, classifier_activation), name=name)


def plain_cifar(depth=20, input_shape=(32, 32, 3), classes=10, width=1, norm=True,
                classifier_activation="softmax"):
    """The plain twin: the same layers and exit names, no shortcuts. norm=False drops every BN."""
    n, rest = divmod(depth - 2, 6)
    if rest or n < 1:
        raise ValueError(f"plain_cifar: depth={depth}; it is 6n+2 (8, 14, 20, 26, 32, 44, 56, …).")

    def conv_bn_relu(x, filters, strides=1, name=None):
        x = _conv(x, filters, strides)
        if norm:
            x = layers.BatchNormalization()(x)
        return layers.Activation("relu", name=name)(x)

    inputs = image_input(f"plain{depth}", input_shape, classes, smallest=4)
    x = conv_bn_relu(inputs, round(16 * width), name="stem")
    for stage, (filters, strides) in enumerate(STAGES, 1):
        for block in range(1, n + 1):
            x = conv_bn_relu(x, round(filters * width), strides if block == 1 else 1)
            x = conv_bn_relu(x, round(filters * width), name=f"stage{stage}_block{block}")
    return keras.Model(inputs, _gap_head(x, classes, classifier_activation), name=f"plain{depth}")


def _conv(x, filters, strides):
    return layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False,
                         kernel_initializer="he_normal")(x)


def _gap_head(x, classes, activation):
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation=activation, kernel_initializer="he_normal",
                        name="predictions")(x)


def resnet20(**options):
    """ResNet-20 for CIFAR-10, 0.27M parameters; options as in `resnet_cifar`."""
    return resnet_cifar(20, **options)


def resnet32(**options):
    """ResNet-32 for CIFAR-10, 0.46M parameters; options as in `resnet_cifar`."""
    return resnet_cifar(32, **options)


def resnet44(**options):
    """ResNet-44 for CIFAR-10, 0.66M parameters; options as in `resnet_cifar`."""
    return resnet_cifar(44, **options)


def resnet56(**options):
    """ResNet-56 for CIFAR-10, 0.85M parameters; options as in `resnet_cifar`."""
    return resnet_cifar(56, **options)


def resnet110(**options):
    """ResNet-110 for CIFAR-10, 1.7M parameters; options as in `resnet_cifar`."""
    return resnet_cifar(110, **options)


def resnet_v1(input_shape=(32, 32, 3), classes=10, head="flatten", classifier_activation="softmax"):
    """The lecture's net: conv 3×3, 16 · block 16→16 · block 16→32 · flatten · dense.

    head: "flatten" is the lecture's; "gap" puts global average pooling there instead.
    At 32×32×3 the flatten head holds 327,690 of 347,594 parameters, the gap head 330 of 20,234.
    Source: "Convnet Case Studies" (Unit 7_04), "Stacked resnet block to build a ResNet".
    """
    inputs = image_input("resnet_v1", input_shape, classes, smallest=4)
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="stem")(inputs)
    x = res_block_v1(x, 16, 16, name="block1")
    x = res_block_v1(x, 16, 32, name="block2")
    outputs = _lecture_head(x, classes, head, classifier_activation)
    return keras.Model(inputs, outputs, name="resnet_v1")


def resnet_v2(input_shape=(32, 32, 3), classes=10, head="flatten", classifier_activation="softmax"):
    """The lecture's pre-activation net: as `resnet_v1`, of v2 blocks and one last BN.

    The lecture leaves out the relu that the paper puts after that BN, and so do we here.
    Source: "Convnet Case Studies" (Unit 7_04), "Build up a ResNet".
    """
    inputs = image_input("resnet_v2", input_shape, classes, smallest=4)
    x = layers.Conv2D(16, 3, padding="same", activation="relu", name="stem")(inputs)
    x = res_block_v2(x, 16, 16, name="block1")
    x = res_block_v2(x, 16, 32, name="block2")
    x = layers.BatchNormalization()(x)
    outputs = _lecture_head(x, classes, head, classifier_activation)
    return keras.Model(inputs, outputs, name="resnet_v2")


def _lecture_head(x, classes, head, activation):
    if head not in ("flatten", "gap"):
        raise ValueError(f"head={head!r}; use 'flatten' (the lecture's) or 'gap'.")
    x = (layers.Flatten() if head == "flatten" else layers.GlobalAveragePooling2D())(x)
    return layers.Dense(classes, activation=activation, kernel_initializer="he_normal",
                        name="predictions")(x)
