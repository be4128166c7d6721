"""Heads: from the last map, or from one in the middle, to class probabilities.

All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers


def global_average_pooling_head(x, classes=None, dropout=0.0, activation="softmax", name=None):
    """Average each map to one number, then classify: nothing to learn per pixel.

        x ─ global average ─ [dropout] ─ dense ─ softmax ─►        (classes given)
        x ─ global average ─ softmax ─►                            (classes=None: NiN)

    Shapes: (batch, H, W, C) → (batch, classes), or (batch, C) for classes=None.
    Parameters: C·classes + classes, or none. 7×7×64 → 10: 650, where flatten and dense have 31,370.

    classes=None takes the C maps for the classes themselves, as Network in Network does.

    Paper: Lin, Chen, Yan 2013, arXiv:1312.4400, sec. 3.2 (no dense layer); Szegedy et al. 2014,
    arXiv:1409.4842, sec. 5 (with dropout and one dense layer).
    Differs from the paper: in nothing known.
    Raises: Keras's own ValueError for a wrong rank, classes below 1, or dropout outside 0 … 1.
    """
    y = layers.GlobalAveragePooling2D()(x)
    if classes is None:
        return layers.Activation(activation, name=name)(y)
    if dropout:
        y = layers.Dropout(dropout)(y)
    return layers.Dense(classes, activation=activation, name=name)(y)


def auxiliary_classifier(x, classes, filters=128, units=1024, dropout=0.7, batch_norm=False,
                         activation="relu", classifier_activation="softmax", name=None):
    """A small classifier on a map in the middle of a net, with a loss of its own (GoogLeNet's).

        x ─ average-pool 5×5 /3 ─ conv 1×1 ─ relu ─ flatten ─ dense ─ relu ─ dropout ─ dense ─
        softmax ─►

    Shapes: (batch, H, W, C) → (batch, classes); H and W of at least 5.
    Parameters, f filters, u units, p = ((H − 5) // 3 + 1)·((W − 5) // 3 + 1) pixels pooled:
    C·f + f + p·f·u + u + u·classes + classes. 14×14×512 → 1000: 3,188,840. batch_norm: 3·f more
    (the convolution's f biases go, 4·f come).

    Weigh its loss by 0.3 while training, and drop it afterwards: see `keras_cases.loss_weights`.

    Paper: Szegedy et al. 2014, arXiv:1409.4842, sec. 5.
    Differs from the paper: in nothing known; `batch_norm` (arXiv:1502.03167) came after it.
    Raises: Keras's own ValueError for a wrong rank, a map smaller than 5×5, or classes below 1.
    """
    y = layers.AveragePooling2D(5, strides=3)(x)
    y = layers.Conv2D(filters, 1, use_bias=not batch_norm)(y)
    if batch_norm:
        y = layers.BatchNormalization()(y)
    y = layers.Activation(activation)(y)
    y = layers.Flatten()(y)
    y = layers.Dense(units)(y)
    y = layers.Activation(activation)(y)
    y = layers.Dropout(dropout)(y)
    return layers.Dense(classes, activation=classifier_activation, name=name)(y)


def auxiliary_classifier_v3(x, classes, filters=128, units=768, activation="relu",
                            classifier_activation="softmax", name=None):
    """The head of Inception v3: convolutions with batch normalization instead of a dense layer.

        x ─ average-pool 5×5 /3 ─ conv 1×1 ─ BN ─ relu ─ conv 5×5 ─ BN ─ relu ─ global average ─
        dense ─ softmax ─►

    Shapes: (batch, H, W, C) → (batch, classes); H and W of at least 17.
    Parameters, f filters, u units, no biases but the last, BN without γ: C·f + 3·f + 25·f·u + 3·u
    + u·classes + classes. 17×17×768 → 1000: 3,327,592.

    Paper: Szegedy et al. 2015, arXiv:1512.00567, sec. 4 and fig. 8.
    Differs from the paper: widths, and the 5×5 convolution that leaves one pixel of 17×17, are
    the released model's; the paper draws the head but does not tell its layers.
    Raises: Keras's own ValueError for a wrong rank, a map smaller than 17×17, or classes below 1.
    """
    y = layers.AveragePooling2D(5, strides=3)(x)
    y = layers.Conv2D(filters, 1, use_bias=False)(y)
    y = layers.BatchNormalization(scale=False)(y)
    y = layers.Activation(activation)(y)
    y = layers.Conv2D(units, 5, use_bias=False)(y)
    y = layers.BatchNormalization(scale=False)(y)
    y = layers.Activation(activation)(y)
    y = layers.GlobalAveragePooling2D()(y)
    return layers.Dense(classes, activation=classifier_activation, name=name)(y)
