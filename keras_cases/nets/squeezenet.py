"""SqueezeNet 1.0: AlexNet's accuracy with a fiftieth of its parameters.

Iandola et al. 2016, "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model
size", arXiv:1602.07360, table 1. Top-1 in %, ImageNet validation, from its table 2.

    net         layers  parameters  trainable  GMACs  top-1
    squeezenet      18   1,248,424  1,248,424  0.833   57.5

Counts and multiply-adds at 227×227×3, 1000 classes (ours, tested); the paper's own total is the
same 1,248,424. Its table says 224×224, but only 227 gives its 111×111 after the first convolution.
Differs from the paper: weights start as Keras's do.
"""

import keras
from keras import layers

from keras_cases.blocks.classic import fire_module
from keras_cases.blocks.heads import global_average_pooling_head
from keras_cases.nets.inputs import image_input

# (squeeze, expand, a max-pool after it?) of fire2 to fire9
FIRES = [(16, 64, False), (16, 64, False), (32, 128, True), (32, 128, False), (48, 192, False),
         (48, 192, False), (64, 256, True), (64, 256, False)]


def squeezenet(input_shape=(227, 227, 3), classes=1000, dropout=0.5):
    """SqueezeNet 1.0: (H, W, 3) → (classes,) probabilities; no dense layer.

    Exits: "conv1", "fire2" … "fire9", "conv10". Raises: ValueError for images below 35×35.
    """
    inputs = image_input("squeezenet", input_shape, classes, smallest=35)
    x = layers.Conv2D(96, 7, strides=2, activation="relu", name="conv1")(inputs)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for i, (squeeze, expand, pool) in enumerate(FIRES, 2):
        x = fire_module(x, squeeze, expand, name=f"fire{i}")
        if pool:
            x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Dropout(dropout)(x)
    x = layers.Conv2D(classes, 1, activation="relu", name="conv10")(x)
    return keras.Model(inputs, global_average_pooling_head(x, name="predictions"),
                       name="squeezenet")
