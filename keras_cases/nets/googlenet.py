"""GoogLeNet (Inception v1) with and without auxiliary classifiers, and a small one for CIFAR-10.

Szegedy et al. 2014, "Going deeper with convolutions", arXiv:1409.4842, table 1 and figure 3.
Top-1 in %, ImageNet validation, one net and one crop, as later papers report it.

    net              layers  parameters   trainable   GMACs  top-1
    googlenet            22   6,998,552   6,998,552  1.5827   69.8
    googlenet_heads      22  13,378,280  13,378,280  1.5910   69.8
    googlenet_bn         22   7,020,392   7,005,832  1.5827      -
    googlenet_cifar      20     241,554     238,714  0.0595      -

Counts and multiply-adds at 224×224×3, 1000 classes, or 32×32×3, 10 classes (ours, tested). The
paper's table sums to 6.8 million and 1.5 billion multiply-adds without its heads; the "5 million"
of arXiv:1512.00567 and of lectures is not its count. 22 layers lie on the longest way from image
to class.
Differs from the paper: in nothing known; batch normalization, where asked for, came after it.
"""

import keras
from keras import layers, ops

from keras_cases.blocks.classic import local_response_norm
from keras_cases.blocks.heads import auxiliary_classifier, global_average_pooling_head
from keras_cases.blocks.inception import inception_module
from keras_cases.nets.inputs import image_input

# stage: (module, 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection); max-pool between stages
STAGES = [
    [("3a", 64, 96, 128, 16, 32, 32),
     ("3b", 128, 128, 192, 32, 96, 64)],
    [("4a", 192, 96, 208, 16, 48, 64),
     ("4b", 160, 112, 224, 24, 64, 64),
     ("4c", 128, 128, 256, 24, 64, 64),
     ("4d", 112, 144, 288, 32, 64, 64),
     ("4e", 256, 160, 320, 32, 128, 128)],
    [("5a", 256, 160, 320, 32, 128, 128),
     ("5b", 384, 192, 384, 48, 128, 128)],
]
HEADS = {"4a": "aux1", "4d": "aux2"}  # which module an auxiliary classifier reads


def googlenet(input_shape=(224, 224, 3), classes=1000, heads=False, batch_norm=False, dropout=0.4,
              classifier_activation="softmax"):
    """GoogLeNet: (H, W, 3) → (classes,) probabilities, or with heads a list of three of them.

    heads: outputs [main, aux1, aux2], from layers of these names; weigh the losses 1, 0.3, 0.3.
    "detached" heads learn from the maps below them and send no gradient back: mere spectators.
    batch_norm: after every convolution, instead of local response normalization.
    classifier_activation: of every head; None for logits.
    Exits: "stem", "inception_3a" … "inception_5b", "main", "aux1", "aux2".
    Raises: ValueError for images below 32×32, or below 65×65 with heads, or for other heads.
    """
    inputs = image_input("googlenet", input_shape, classes, smallest=65 if heads else 32)

    def conv(x, filters, size, strides=1):
        x = layers.Conv2D(filters, size, strides, "same", use_bias=not batch_norm)(x)
        if batch_norm:
            x = layers.BatchNormalization()(x)
        return layers.Activation("relu")(x)

    x = conv(inputs, 64, 7, strides=2)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    if not batch_norm:
        x = local_response_norm(x)
    x = conv(x, 64, 1)
    x = conv(x, 192, 3)
    if not batch_norm:
        x = local_response_norm(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="stem")(x)
    return _modules_and_heads("googlenet", inputs, x, classes, heads, batch_norm, 1, dropout,
                              classifier_activation)


def googlenet_heads(**options):
    """GoogLeNet as it was trained, with both auxiliary classifiers; options as in `googlenet`."""
    return googlenet(heads=True, **options)


def googlenet_bn(**options):
    """GoogLeNet with batch normalization; options as in `googlenet`."""
    return googlenet(batch_norm=True, **options)


def googlenet_cifar(input_shape=(32, 32, 3), classes=10, heads=False, batch_norm=True, width=0.2,
                    dropout=0.2, modules=None, classifier_activation="softmax"):
    """GoogLeNet for small images: (H, W, C) → (classes,); all nine modules behind one 3×3.

    width: factor on GoogLeNet's filters, rounded to multiples of 4, never below 4. modules: which
    to keep, for a net less deep: ("3a", "4a", "5a"). Heads, exits and outputs as in `googlenet`.
    Raises: ValueError for images below 9×9, a width ≤ 0, a module that is none, or other heads.
    """
    known = [module for stage in STAGES for module, *_ in stage]
    if not set(modules or known) <= set(known):
        raise ValueError(f"googlenet_cifar: modules={modules}; there are {known}.")
    if width <= 0:
        raise ValueError(f"googlenet_cifar: width={width}; it multiplies filters, so pass a number "
                         "above 0: 0.2, 0.5, 1.")
    inputs = image_input("googlenet_cifar", input_shape, classes, smallest=9)
    x = layers.Conv2D(_scaled(192, width), 3, padding="same", use_bias=not batch_norm)(inputs)
    if batch_norm:
        x = layers.BatchNormalization()(x)
    x = layers.Activation("relu", name="stem")(x)
    return _modules_and_heads("googlenet_cifar", inputs, x, classes, heads, batch_norm, width,
                              dropout, classifier_activation, modules)


def _modules_and_heads(name, inputs, x, classes, heads, batch_norm, width, dropout,
                       classifier_activation, kept=None):
    if heads not in (False, True, "detached"):
        raise ValueError(f"{name}: heads={heads!r}; use False, True or 'detached'.")
    auxiliary = []
    for stage, modules in enumerate(STAGES):
        if stage > 0:
            x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        for module, *filters in modules:
            if kept and module not in kept:
                continue
            filters = [_scaled(f, width) for f in filters]
            x = inception_module(x, *filters, batch_norm=batch_norm, name=f"inception_{module}")
            if heads and module in HEADS:
                seen = ops.stop_gradient(x) if heads == "detached" else x
                auxiliary.append(auxiliary_classifier(
                    seen, classes, _scaled(128, width), _scaled(1024, width), batch_norm=batch_norm,
                    classifier_activation=classifier_activation, name=HEADS[module]))
    main = global_average_pooling_head(x, classes, dropout, classifier_activation, name="main")
    return keras.Model(inputs, [main, *auxiliary] if heads else main, name=name)


def _scaled(filters, width):
    return max(4, 4 * round(filters * width / 4))
