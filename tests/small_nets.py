"""Small nets, and a batch for them, on which the tools of keras_cases.analysis are tested."""

import keras
import numpy as np
import pytest
from keras import layers, ops


def chain(shape, *parts):
    x = inputs = keras.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(inputs, x)


def array(variable):
    return np.array(ops.convert_to_numpy(variable))


def residual_net(blocks=2, width=4, classes=3):
    """Pre-activation blocks on 8x8x2 images, exits named block1, block2, ..."""
    x = inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(width, 3, padding="same", name="stem")(x)
    for i in range(blocks):
        y = layers.BatchNormalization()(x)
        y = layers.Activation("relu")(y)
        y = layers.Conv2D(width, 3, padding="same", bias_initializer="ones")(y)
        y = layers.BatchNormalization()(y)
        y = layers.Activation("tanh")(y)
        y = layers.Conv2D(width, 3, padding="same")(y)
        x = layers.Add(name=f"block{i + 1}")([y, x])
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.0)(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x))


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 8, 8, 2)).astype("float32"), rng.integers(0, 3, 6)


LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
