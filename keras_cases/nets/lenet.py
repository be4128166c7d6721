"""LeNet-5, as it is drawn today and as it was in 1998.

LeCun, Bottou, Bengio, Haffner 1998, "Gradient-based learning applied to document recognition",
Proc. IEEE 86(11), section II.B. Test error on MNIST in %, last column, from its section III.

    net         layers  parameters  trainable     GMACs  error
    lenet5           5      61,706     61,706  0.000417   0.95
    lenet5_1998      6      60,000     60,000  0.000327   0.95

Counts and multiply-adds at 32×32×1, 10 classes (ours, tested); 0.8 with distorted training images.
28×28 images get a border of two pixels and become 32×32, as in the paper: the same counts.

    layer  map           lenet5                     1998
    C1     28×28×6       conv 5×5        156        the same                              156
    S2     14×14×6       average pool      0        trainable pooling                      12
    C3     10×10×16      conv 5×5      2,416        conv 5×5 by the table below         1,516
    S4     5×5×16        average pool      0        trainable pooling                      32
    C5     120           dense        48,120        the same                           48,120
    F6     84            dense        10,164        the same                           10,164
    out    10            dense           850        distance to ten drawn digits            0

Differs from the paper, lenet5: tanh, plain averages, a whole C3, and a softmax at the end.
Differs from the paper, lenet5_1998: the ten 7×12 digits are drawn by us after its figure 3, and
probabilities, the softmax of minus the distances, come out instead of the distances.
"""

import keras
import numpy as np
from keras import layers, ops

from keras_cases.blocks.lenet import connected_conv, trainable_pooling
from keras_cases.nets.inputs import image_input, scaled

# table I: the maps of S2 that each of the 16 maps of C3 reads, 60 connections of 96
C3_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5))

# what F6 shall look like for each class: a digit of 12 rows by 7 columns, each row as a number
# whose seven bits are the ink, most significant left
DIGITS = (
    (28, 34, 65, 65, 65, 65, 65, 65, 65, 65, 34, 28),
    (8, 24, 40, 8, 8, 8, 8, 8, 8, 8, 8, 62),
    (28, 34, 65, 1, 1, 2, 4, 8, 16, 32, 64, 127),
    (62, 65, 1, 1, 2, 28, 2, 1, 1, 1, 65, 62),
    (2, 6, 10, 18, 34, 66, 127, 2, 2, 2, 2, 2),
    (127, 64, 64, 64, 124, 2, 1, 1, 1, 1, 66, 60),
    (28, 32, 64, 64, 92, 98, 65, 65, 65, 65, 34, 28),
    (127, 1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 16),
    (62, 65, 65, 65, 34, 28, 34, 65, 65, 65, 65, 62),
    (28, 34, 65, 65, 65, 35, 29, 1, 1, 1, 2, 28))


def digit_codes():
    """The ten digits as an array (10, 84) of +1 (ink) and −1 (paper)."""
    bits = (np.array(DIGITS)[..., None] >> np.arange(6, -1, -1)) & 1
    return (2.0 * bits - 1).reshape(10, 84).astype("float32")


def lenet5(input_shape=(32, 32, 1), classes=10, activation="tanh", pooling="average", width=1,
           dropout=0.0, classifier_activation="softmax"):
    """LeNet-5 in its modern form: (H, W, C) → (classes,) probabilities.

    activation: "tanh", or "relu" for what came later. pooling: "average" or "max".
    width: factor on maps and units (6 makes the net fit for CIFAR-10: 12.9 million multiply-adds).
    dropout: rate behind C5 and F6; the paper has none. classifier_activation: None for logits.
    Exits: "S2", "S4". Raises: ValueError for images below 28×28, an unknown pooling, a width ≤ 0.
    """
    if pooling not in ("average", "max"):
        raise ValueError(f"lenet5: pooling={pooling!r}; use 'average' (the paper's) or 'max'.")
    pool = layers.AveragePooling2D if pooling == "average" else layers.MaxPooling2D
    inputs, x = _padded(image_input("lenet5", input_shape, classes, smallest=28, known=True))
    x = layers.Conv2D(scaled("lenet5", 6, width), 5, activation=activation, name="C1")(x)
    x = pool(2, name="S2")(x)
    x = layers.Conv2D(scaled("lenet5", 16, width), 5, activation=activation, name="C3")(x)
    x = pool(2, name="S4")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(scaled("lenet5", 120, width), activation=activation, name="C5")(x)
    x = layers.Dropout(dropout)(x) if dropout else x
    x = layers.Dense(scaled("lenet5", 84, width), activation=activation, name="F6")(x)
    x = layers.Dropout(dropout)(x) if dropout else x
    outputs = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="lenet5")


def lenet5_1998(input_shape=(32, 32, 1), classifier_activation="softmax"):
    """LeNet-5 with its connection table, trained pooling and drawn digits: (H, W, 1) → (10,).

    F6 has 84 units because a digit drawn on 7×12 pixels has: the output for a class is how far F6
    is from the picture of that class; classifier_activation=None gives minus the distances.
    Exits: "S2", "S4", "F6".
    Raises: ValueError for other images than 28×28 or 32×32.
    """
    if tuple(input_shape[:2]) not in ((28, 28), (32, 32)):
        raise ValueError(f"lenet5_1998: input_shape={input_shape}; its C5 fits 28×28 or 32×32.")

    def squash(x, name=None):  # the paper's sigmoid: 1.7159·tanh(2a/3), so that f(±1) = ±1
        return layers.Rescaling(1.7159, name=name)(ops.tanh(x * (2 / 3)))

    inputs, x = _padded(image_input("lenet5_1998", input_shape, 10))
    x = squash(layers.Conv2D(6, 5)(x), name="C1")
    x = squash(trainable_pooling(x, activation="linear"), name="S2")
    x = squash(connected_conv(x, C3_TABLE, activation="linear"), name="C3")
    x = squash(trainable_pooling(x, activation="linear"), name="S4")
    x = squash(layers.Conv2D(120, 5)(x), name="C5")
    x = squash(layers.Dense(84)(layers.Flatten()(x)), name="F6")
    distances = ops.sum(ops.square(ops.expand_dims(x, 1) - digit_codes()), axis=-1)
    outputs = layers.Activation(classifier_activation, name="predictions")(-distances)
    return keras.Model(inputs, outputs, name="lenet5_1998")


def _padded(inputs):
    """The input, and the input with a border of two pixels where it is below 32×32."""
    small = min(inputs.shape[1:3]) < 32
    return inputs, layers.ZeroPadding2D(2)(inputs) if small else inputs
