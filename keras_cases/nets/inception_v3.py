"""Inception v3 with and without its auxiliary classifier, and a small one for CIFAR-10.

Szegedy et al. 2015, "Rethinking the Inception architecture for computer vision", arXiv:1512.00567,
table 1. Top-1 in %, ImageNet validation, one crop, of the weights that Keras releases.

    net                 layers  parameters   trainable   GMACs  top-1
    inception_v3            48  23,851,784  23,817,352  5.7132   77.9
    inception_v3_head       48  27,179,376  27,143,152  5.7189      -
    inception_v3_cifar      26     310,550     307,502  0.0665      -

Counts and multiply-adds at 299×299×3, 1000 classes, or 32×32×3, 10 classes (ours, tested). The
paper says 42 layers, "less than 25 million" parameters and 5 billion multiply-adds; 48 lie on the
longest way through the released model that is built here.
Differs from the paper: widths, and modules A with one 5×5 left, are the released model's; batch
normalization without γ; no label smoothing inside the net.
"""

import keras
from keras import layers

from keras_cases.blocks.heads import auxiliary_classifier_v3, global_average_pooling_head
from keras_cases.blocks.inception_v3 import (
    grid_reduction_a, grid_reduction_b, inception_a, inception_b, inception_c)
from keras_cases.nets.inputs import image_input, scaled

# stem: (filters, kernel, strides, padding) of a convolution, or None for a max-pool 3×3 / 2
STEM = [(32, 3, 2, "valid"), (32, 3, 1, "valid"), (64, 3, 1, "same"), None,
        (80, 1, 1, "valid"), (192, 3, 1, "valid"), None]
# modules: (block, its filters), in the order of the argument list of each
MODULES = [
    (inception_a, 64, (48, 64), (64, 96, 96), 32),
    (inception_a, 64, (48, 64), (64, 96, 96), 64),
    (inception_a, 64, (48, 64), (64, 96, 96), 64),
    (grid_reduction_a, 384, (64, 96)),
    (inception_b, 192, 128),
    (inception_b, 192, 160),
    (inception_b, 192, 160),
    (inception_b, 192, 192),
    (grid_reduction_b, 192, 320),
    (inception_c, 320, 384, 448, 192),
    (inception_c, 320, 384, 448, 192),
]
STEM_CIFAR = [(16, 3, 1, "same"), (32, 3, 1, "same")]
MODULES_CIFAR = [
    (inception_a, 16, (12, 16), (16, 24, 24), 8),
    (grid_reduction_a, 48, (16, 24)),
    (inception_b, 32, 24),
    (inception_b, 32, 32),
    (grid_reduction_b, 32, 48),
    (inception_c, 64, 48, 64, 32),
]


def inception_v3(input_shape=(299, 299, 3), classes=1000, head=False, dropout=0.2,
                 classifier_activation="softmax"):
    """Inception v3: (H, W, 3) → (classes,) probabilities. Same graph as Keras's.

    head: outputs [main, aux], from layers of these names; the classifier "aux" reads "mixed7".
    classifier_activation: of every head; None for logits.
    Exits: "stem", "mixed0" … "mixed10", "main", "aux".
    Raises: ValueError for images below 75×75, or below 299×299 with the head.
    """
    inputs = image_input("inception_v3", input_shape, classes, smallest=299 if head else 75)
    return _inception("inception_v3", inputs, STEM, MODULES, classes, head, dropout,
                      classifier_activation)


def inception_v3_head(**options):
    """Inception v3 as it was trained, with its auxiliary classifier; see `inception_v3`."""
    return inception_v3(head=True, **options)


def inception_v3_cifar(input_shape=(32, 32, 3), classes=10, dropout=0.2, width=1,
                       classifier_activation="softmax"):
    """One A, two B and one C with both grid reductions, at about a quarter of the width.

    (H, W, C) → (classes,) probabilities. width: a further factor on the filters.
    Exits: "stem", "mixed0" … "mixed5", "main".
    Raises: ValueError for images below 7×7, or a width ≤ 0.
    """
    def scale(filters):
        if isinstance(filters, tuple):
            return tuple(map(scale, filters))
        return scaled("inception_v3_cifar", filters, width)

    stem = [(scale(filters), *rest) for filters, *rest in STEM_CIFAR]
    modules = [(block, *map(scale, filters)) for block, *filters in MODULES_CIFAR]
    inputs = image_input("inception_v3_cifar", input_shape, classes, smallest=7)
    return _inception("inception_v3_cifar", inputs, stem, modules, classes, False, dropout,
                      classifier_activation)


def _inception(name, inputs, stem, modules, classes, head, dropout, classifier_activation):
    x = inputs
    for i, row in enumerate(stem, 1):
        exit_name = "stem" if i == len(stem) else None
        if row is None:
            x = layers.MaxPooling2D(3, strides=2, name=exit_name)(x)
        else:
            x = layers.Conv2D(*row, use_bias=False)(x)
            x = layers.BatchNormalization(scale=False)(x)
            x = layers.Activation("relu", name=exit_name)(x)
    auxiliary = None
    for i, (block, *filters) in enumerate(modules):
        if block is grid_reduction_b and head:  # the last 17×17 map
            auxiliary = auxiliary_classifier_v3(
                x, classes, classifier_activation=classifier_activation, name="aux")
        x = block(x, *filters, name=f"mixed{i}")
    main = global_average_pooling_head(x, classes, dropout, classifier_activation, name="main")
    return keras.Model(inputs, [main, auxiliary] if head else main, name=name)
