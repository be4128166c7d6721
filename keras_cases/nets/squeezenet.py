"""SqueezeNet 1.0: AlexNet's accuracy with a fiftieth of its parameters; and one for CIFAR-10.

Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model
size", arXiv:1602.07360, table 1. Top-1 in %, ImageNet validation, from its table 2.

    net               layers  parameters  trainable   GMACs  top-1
    squeezenet            18   1,248,424  1,248,424   0.833   57.5
    squeezenet_cifar      18     729,034    729,034  0.0422      -

Counts and multiply-adds at 227×227×3, 1000 classes, or 32×32×3, 10 classes (ours, tested); the
paper's own total is the same 1,248,424. Its table says 224×224, but only 227 gives its 111×111
after the first convolution.
Differs from the paper: weights start as Keras's do.
"""

import keras
from keras import layers

from keras_cases.blocks.classic import fire_module
from keras_cases.blocks.heads import global_average_pooling_head
from keras_cases.nets.inputs import image_input, scaled

# (squeeze, expand, a max-pool after it?) of fire2 to fire9
FIRES = [(16, 64, False), (16, 64, False), (32, 128, True), (32, 128, False), (48, 192, False),
         (48, 192, False), (64, 256, True), (64, 256, False)]


def squeezenet(input_shape=(227, 227, 3), classes=1000, dropout=0.5,
               classifier_activation="softmax"):
    """SqueezeNet 1.0: (H, W, 3) → (classes,) probabilities; no dense layer.

    classifier_activation: None for logits.
    Exits: "conv1", "fire2" … "fire9", "conv10". Raises: ValueError for images below 35×35.
    """
    inputs = image_input("squeezenet", input_shape, classes, smallest=35)
    x = layers.Conv2D(96, 7, strides=2, activation="relu", name="conv1")(inputs)
    return _after_conv1("squeezenet", inputs, x, classes, dropout, 1, classifier_activation)


def squeezenet_cifar(input_shape=(32, 32, 3), classes=10, dropout=0.5, width=1,
                     classifier_activation="softmax"):
    """SqueezeNet for small images: (H, W, C) → (classes,) probabilities; conv1 is 3×3, stride 1.

    width: factor on the filters. Exits as in `squeezenet`.
    Raises: ValueError for images below 15×15, or a width ≤ 0.
    """
    inputs = image_input("squeezenet_cifar", input_shape, classes, smallest=15)
    x = layers.Conv2D(scaled("squeezenet_cifar", 96, width), 3, padding="same", activation="relu",
                      name="conv1")(inputs)
    return _after_conv1("squeezenet_cifar", inputs, x, classes, dropout, width,
                        classifier_activation)


def _after_conv1(name, inputs, x, classes, dropout, width, classifier_activation):
    x = layers.MaxPooling2D(3, strides=2)(x)
    for i, (squeeze, expand, pool) in enumerate(FIRES, 2):
        x = fire_module(x, scaled(name, squeeze, width), scaled(name, expand, width),
                        name=f"fire{i}")
        if pool:
            x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Dropout(dropout)(x)
    x = layers.Conv2D(classes, 1, activation="relu", name="conv10")(x)
    outputs = global_average_pooling_head(x, activation=classifier_activation, name="predictions")
    return keras.Model(inputs, outputs, name=name)
