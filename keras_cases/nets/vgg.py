"""VGG, all six configurations of the paper, and the one with batch normalization for CIFAR-10.

Simonyan & Zisserman 2014, "Very deep convolutional networks for large-scale image recognition",
arXiv:1409.1556, table 1. Top-1 in %, ImageNet validation at a single scale, from its table 3.

    net        layers   parameters    trainable   GMACs  top-1
    vgg11          11  132,863,336  132,863,336   7.609   70.4
    vgg11_lrn      11  132,863,336  132,863,336   7.609   70.3
    vgg13          13  133,047,848  133,047,848  11.308   71.3
    vgg16_c        16  133,638,952  133,638,952  11.771   72.7
    vgg16          16  138,357,544  138,357,544  15.470   74.4
    vgg19          19  143,667,240  143,667,240  19.632   74.5
    vgg_cifar      14   14,736,714   14,728,266   0.313      -

Counts and multiply-adds at 224×224×3, 1000 classes, or 32×32×3, 10 classes (ours, tested). The
paper's table 2, in millions of parameters: A and A-LRN 133, B 133, C 134, D 138, E 144.
Its configurations are A vgg11, A-LRN vgg11_lrn, B vgg13, C vgg16_c, D vgg16, E vgg19.
Differs from the paper: in nothing known for A to E. `vgg_cifar` has batch normalization and one
dense layer where 7×7×512 → 4096 → 4096 would be idle on 1×1×512.
"""

import keras
from keras import layers

from keras_cases.blocks.classic import local_response_norm, vgg_block
from keras_cases.nets.inputs import image_input

FILTERS = (64, 128, 256, 512, 512)
# per stage: the kernel size of each convolution
KERNELS = {
    "A": ((3,), (3,), (3, 3), (3, 3), (3, 3)),
    "B": ((3, 3), (3, 3), (3, 3), (3, 3), (3, 3)),
    "C": ((3, 3), (3, 3), (3, 3, 1), (3, 3, 1), (3, 3, 1)),
    "D": ((3, 3), (3, 3), (3, 3, 3), (3, 3, 3), (3, 3, 3)),
    "E": ((3, 3), (3, 3), (3, 3, 3, 3), (3, 3, 3, 3), (3, 3, 3, 3)),
}


def _vgg(name, kernels, input_shape, classes, dropout, classifier_activation, lrn=False):
    inputs = x = image_input(name, input_shape, classes, smallest=32)
    for stage, (filters, sizes) in enumerate(zip(FILTERS, kernels), 1):
        normalize = lrn and stage == 1
        x = vgg_block(x, filters, sizes, pool=not normalize,
                      name=None if normalize else f"stage{stage}")
        if normalize:
            x = local_response_norm(x)
            x = layers.MaxPooling2D(2, name=f"stage{stage}")(x)
    x = layers.Flatten()(x)
    for fc in ("fc1", "fc2"):
        x = layers.Dense(4096, activation="relu", name=fc)(x)
        x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name=name)


def vgg11(input_shape=(224, 224, 3), classes=1000, dropout=0.5,
          classifier_activation="softmax"):
    """Configuration A, 8 convolutions and 3 dense layers: (H, W, 3) → (classes,) probabilities."""
    return _vgg("vgg11", KERNELS["A"], input_shape, classes, dropout, classifier_activation)


def vgg11_lrn(input_shape=(224, 224, 3), classes=1000, dropout=0.5,
              classifier_activation="softmax"):
    """Configuration A-LRN: A with local response normalization after its first convolution."""
    return _vgg("vgg11_lrn", KERNELS["A"], input_shape, classes, dropout, classifier_activation,
                lrn=True)


def vgg13(input_shape=(224, 224, 3), classes=1000, dropout=0.5,
          classifier_activation="softmax"):
    """Configuration B: two 3×3 convolutions in every stage; (H, W, 3) → (classes,)."""
    return _vgg("vgg13", KERNELS["B"], input_shape, classes, dropout, classifier_activation)


def vgg16_c(input_shape=(224, 224, 3), classes=1000, dropout=0.5,
            classifier_activation="softmax"):
    """Configuration C: B and a 1×1 convolution in the last three stages; (H, W, 3) → (classes,)."""
    return _vgg("vgg16_c", KERNELS["C"], input_shape, classes, dropout, classifier_activation)


def vgg16(input_shape=(224, 224, 3), classes=1000, dropout=0.5,
          classifier_activation="softmax"):
    """Configuration D, "VGG-16": C with 3×3 instead of 1×1. Same graph as Keras's VGG16."""
    return _vgg("vgg16", KERNELS["D"], input_shape, classes, dropout, classifier_activation)


def vgg19(input_shape=(224, 224, 3), classes=1000, dropout=0.5,
          classifier_activation="softmax"):
    """Configuration E, "VGG-19": four 3×3 in the last three stages. Same graph as Keras's VGG19."""
    return _vgg("vgg19", KERNELS["E"], input_shape, classes, dropout, classifier_activation)


def vgg_cifar(configuration="D", input_shape=(32, 32, 3), classes=10, batch_norm=True, width=1,
              dropout=0.0, classifier_activation="softmax"):
    """VGG for small images: (H, W, C) → (classes,) probabilities; one dense layer.

    configuration: "A", "B", "C", "D" or "E" of the paper. width: factor on the filters (0.25 is a
    sixteenth of the work). classifier_activation: None for logits. Exits: "stage1" … "stage5".
    Raises: ValueError for another configuration, images below 32×32, or a width that leaves none.
    """
    if configuration not in KERNELS:
        raise ValueError(f"vgg_cifar: configuration={configuration!r}; use one of {[*KERNELS]}.")
    if round(FILTERS[0] * width) < 1:
        raise ValueError(f"vgg_cifar: width={width}; it multiplies 64 filters and more, so pass a "
                         "number above 0 that leaves some: 0.25, 0.5, 1.")
    inputs = x = image_input("vgg_cifar", input_shape, classes, smallest=32)
    for stage, (filters, sizes) in enumerate(zip(FILTERS, KERNELS[configuration]), 1):
        x = vgg_block(x, round(filters * width), sizes, batch_norm=batch_norm,
                      name=f"stage{stage}")
    x = layers.Flatten()(x)
    if dropout:
        x = layers.Dropout(dropout)(x)
    outputs = layers.Dense(classes, activation=classifier_activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="vgg_cifar")
