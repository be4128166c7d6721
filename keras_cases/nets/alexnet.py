"""AlexNet, in its two towers and whole, and a small one for CIFAR-10.

Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural
networks", NIPS, figure 2. Top-1 in %, ImageNet validation, one net, from its table 2.

    net                layers  parameters   trainable   GMACs  top-1
    alexnet                 8  60,965,224  60,965,224  0.7241   59.3
    alexnet_ungrouped       8  62,378,344  62,378,344  1.1353      -
    alexnet_cifar           8   1,436,874   1,436,874  0.0462      -

Counts and multiply-adds at 227×227×3, 1000 classes, or 32×32×3, 10 classes (ours, tested).
The paper says 60 million parameters. It also says 224×224, which no 11×11 window at stride 4 tiles
into its own 55×55: (227 − 11) / 4 + 1 = 55.

Differs from the paper: images are not centred by a mean image; weights start as Keras's do (the
paper: N(0, 0.01²), some biases 1); dropout scales while training, not while testing.
"""

import keras
from keras import layers

from keras_cases.blocks.classic import grouped_conv, local_response_norm
from keras_cases.nets.inputs import image_input, scaled

# (filters, kernel, strides, in towers?, normalized and pooled: "lrn pool", "pool" or "")
LAYERS = [
    (96, 11, 4, False, "lrn pool"),
    (256, 5, 1, True, "lrn pool"),
    (384, 3, 1, False, ""),
    (384, 3, 1, True, ""),
    (256, 3, 1, True, "pool"),
]
LAYERS_CIFAR = [
    (48, 5, 1, False, "lrn pool"),
    (128, 5, 1, True, "lrn pool"),
    (192, 3, 1, False, ""),
    (192, 3, 1, True, ""),
    (128, 3, 1, True, "pool"),
]


def alexnet(input_shape=(227, 227, 3), classes=1000, groups=2, lrn=True, pool_size=3, dropout=0.5,
            activation="relu", towers=True, classifier_activation="softmax"):
    """AlexNet: (H, W, 3) → (classes,) probabilities.

    groups: 2 is the paper's two towers, 1 one net (`alexnet_ungrouped`). lrn: local response
    normalization. pool_size: 3 overlaps (stride 2), 2 does not. activation: "relu", or "tanh" for
    what it replaced. towers=False builds each pair of towers as one grouped convolution.
    classifier_activation: None for logits.
    Exits: "conv1" … "conv5", "fc6", "fc7". Raises: ValueError for images below 67×67.
    """
    return _alexnet("alexnet", LAYERS, "valid", 4096, image_input(
        "alexnet", input_shape, classes, smallest=67), classes, groups, lrn, pool_size, dropout,
        activation, towers, classifier_activation)


def alexnet_ungrouped(**options):
    """AlexNet as one net, every convolution whole; options as in `alexnet`."""
    return alexnet(groups=1, **options)


def alexnet_cifar(input_shape=(32, 32, 3), classes=10, groups=2, lrn=True, pool_size=3, dropout=0.5,
                  activation="relu", towers=True, width=1, classifier_activation="softmax"):
    """AlexNet at half its width for small images: strides 1, dense layers of 512; see `alexnet`.

    width: a further factor on filters and units, which stay multiples of `groups`.
    """
    def scale(filters):
        return scaled("alexnet_cifar", filters, width, max(1, groups), max(1, groups))

    table = [(scale(filters), *rest) for filters, *rest in LAYERS_CIFAR]
    return _alexnet("alexnet_cifar", table, "same", scale(512), image_input(
        "alexnet_cifar", input_shape, classes, smallest=15), classes, groups, lrn, pool_size,
        dropout, activation, towers, classifier_activation)


def _alexnet(name, table, padding, units, inputs, classes, groups, lrn, pool_size, dropout,
             activation, towers, classifier_activation):
    x = inputs
    for i, (filters, kernel, strides, split, then) in enumerate(table, 1):
        if i == 1:
            x = layers.Conv2D(filters, kernel, strides, padding)(x)
            x = layers.Activation(activation, name="conv1")(x)
        else:
            x = grouped_conv(x, filters, kernel, strides, groups if split else 1, towers,
                             activation, name=f"conv{i}")
        if "lrn" in then and lrn:
            x = local_response_norm(x)
        if "pool" in then:
            x = layers.MaxPooling2D(pool_size, strides=2)(x)
    x = layers.Flatten()(x)
    for fc in ("fc6", "fc7"):
        x = layers.Dense(units, activation=activation, name=fc)(x)
        x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name=name)
