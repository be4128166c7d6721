"""Our nets against keras.applications: weights copied across, same input, same logits.

With default weights such a test cannot fail (logits of 1e-11), so weights and BN statistics are
drawn at random, the difference is taken relative to the logits' spread, and a scrambled copy of
the weights must fail.
"""

from typing import NamedTuple

import keras
import numpy as np
import pytest
from graphs import zero_weights
from keras import layers, ops

from keras_cases import nets

SIZE = 64  # pixels: small enough for a test, large enough for every stage
# one net of each kind of block in every run, the others with `-m slow`
# our builder, Keras's name; a size of its own where 64 pixels do not show every kernel or every way
# to pad (75 is odd and even on its way down); options for Keras's
PAIRS = [
    (nets.resnet50, "ResNet50"),
    (nets.resnet50_v2, "ResNet50V2"),
    (nets.vgg16, "VGG16"),
    (nets.inception_v3, "InceptionV3", 139),
    (nets.densenet121, "DenseNet121"),
    (nets.mobilenet, "MobileNet"),
    (nets.mobilenet_v2, "MobileNetV2", 75),
    (nets.efficientnet_b0, "EfficientNetB0", 75),
]
SLOW_PAIRS = [
    (nets.resnet101, "ResNet101"),
    (nets.resnet152, "ResNet152"),
    (nets.resnet101_v2, "ResNet101V2"),
    (nets.resnet152_v2, "ResNet152V2"),
    (nets.vgg19, "VGG19"),
    (nets.densenet169, "DenseNet169"),
    (nets.densenet201, "DenseNet201"),
    (nets.mobilenet_050, "MobileNet", SIZE, {"alpha": 0.5}),
    (nets.mobilenet_v2_140, "MobileNetV2", 75, {"alpha": 1.4}),
    *[(getattr(nets, f"efficientnet_b{n}"), f"EfficientNetB{n}") for n in range(1, 8)],
]
TOLERANCE = 1e-4  # of the logits' spread


class Parity(NamedTuple):
    """What one comparison found, all but `layers` as shares of the spread of Keras's logits."""

    layers: int         # layers with weights that were copied
    difference: float   # between our logits and Keras's
    scrambled: float    # the same, two kernels of equal shape exchanged in ours
    by_image: float     # between Keras's logits for two images: not 0, or the test is blind


def weighted_layers(model):
    """The layers with weights, from the input on, each after what it reads; a merge's first input
    comes first. Two equal graphs give the same order, in whatever order they were built."""
    found, seen = [], set()
    stack = [tensor._keras_history.operation for tensor in reversed(model.outputs)]
    while stack:
        operation = stack[-1]
        reads = [tensor._keras_history.operation
                 for node in operation._inbound_nodes for tensor in node.input_tensors]
        waiting = [read for read in reads if id(read) not in seen]
        if waiting:
            stack.append(waiting[0])
            continue
        stack.pop()
        if id(operation) not in seen and getattr(operation, "weights", None):
            found.append(operation)
        seen.add(id(operation))
    return found


def randomize(layer, rng):
    """Kernels that keep the size of what they read, and everything else anew too."""
    for variable in layer.weights:
        shape, name = variable.shape, variable.name
        if name == "kernel":
            reads = np.prod(shape[:2] if isinstance(layer, layers.DepthwiseConv2D) else shape[:-1])
            value = rng.normal(0, np.sqrt(2 / reads), shape)
        elif name == "gamma":
            value = rng.uniform(0.7, 1.3, shape)
        elif "variance" in name:
            value = rng.uniform(0.5, 1.5, shape)
        elif name == "count":
            continue
        else:  # biases, β, means
            value = rng.normal(0, 0.2, shape)
        variable.assign(value.astype("float32"))
    settle(layer)


def settle(layer):
    if isinstance(layer, layers.Normalization):
        layer.finalize_state()  # it computes with copies of its weights


def draw_statistics(model, images, rng):
    """Give every BN about the statistics of these images, then shake them. With statistics out of
    the air a deep net lets its input fade or explode, and compares nothing but biases."""
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    for norm in norms:
        norm.momentum = 0.0
    model(images, training=True)
    for norm in norms:
        mean, variance = map(ops.convert_to_numpy, (norm.moving_mean, norm.moving_variance))
        norm.moving_mean.assign(mean + rng.normal(0, 0.2, mean.shape) * np.sqrt(variance))
        norm.moving_variance.assign(variance * rng.uniform(0.7, 1.4, variance.shape))


def form(layer):
    """Names and shapes of the weights; a 1×1 convolution on one pixel is a dense layer."""
    return [(w.name, [n for n in w.shape if n != 1]) for w in layer.weights]


def copy_weights(source, target):
    pairs = list(zip(weighted_layers(source), weighted_layers(target), strict=True))
    for theirs, ours in pairs:
        assert form(theirs) == form(ours), f"{theirs.name} is not {ours.name}"
        ours.set_weights([value.reshape(w.shape)
                          for value, w in zip(theirs.get_weights(), ours.weights)])
        settle(ours)
    return len(pairs)


def logits(model, x):
    return ops.convert_to_numpy(model(x, training=False)).reshape(len(x), -1)


def scramble(model):
    """Exchange two kernels of the shape that most convolutions have."""
    kernels = {}
    for layer in weighted_layers(model):
        if isinstance(layer, layers.Conv2D):
            kernels.setdefault(tuple(layer.kernel.shape), []).append(layer.kernel)
    first, *_, second = max(kernels.values(), key=len)
    values = [ops.convert_to_numpy(kernel).copy() for kernel in (first, second)]
    first.assign(values[1])
    second.assign(values[0])


def compare(builder, name, size=SIZE, options=None, seed=0):
    """Build both nets, copy Keras's random weights into ours, and compare: a `Parity`."""
    rng = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)  # for dropout, while statistics are taken
    with zero_weights():  # all are drawn anew below
        theirs = getattr(keras.applications, name)(
            weights=None, input_shape=(size, size, 3), classes=10, classifier_activation=None,
            **(options or {}))
        ours = builder(input_shape=(size, size, 3), classes=10, classifier_activation=None)
    for layer in weighted_layers(theirs):
        randomize(layer, rng)
    x = rng.normal(size=(8, size, size, 3))
    if any(isinstance(layer, layers.Rescaling) for layer in theirs.layers):
        x = rng.uniform(0, 255, x.shape)
    x = x.astype("float32")
    draw_statistics(theirs, x, rng)
    copied = copy_weights(theirs, ours)
    x = x[:2]
    wanted = logits(theirs, x)
    spread = wanted.std(axis=1).min()
    difference = np.abs(logits(ours, x) - wanted).max() / spread
    scramble(ours)
    scrambled = np.abs(logits(ours, x) - wanted).max() / spread
    return Parity(copied, float(difference), float(scrambled),
                  float(np.abs(wanted[0] - wanted[1]).max() / spread))


@pytest.mark.parametrize("pair", [
    *PAIRS, *[pytest.param(pair, marks=pytest.mark.slow) for pair in SLOW_PAIRS],
], ids=lambda pair: pair[0].__name__)
def test_our_net_computes_what_keras_does(pair):
    found = compare(*pair)
    keras.backend.clear_session()
    assert found.difference < TOLERANCE
    assert found.scrambled > 100 * TOLERANCE, "two kernels exchanged, and the test sees nothing"
    assert found.by_image > 100 * TOLERANCE, "both images give the same logits: the test is blind"


def test_a_net_of_another_graph_is_refused():
    ours = nets.resnet50(input_shape=(32, 32, 3), classes=10)
    theirs = keras.applications.ResNet50V2(weights=None, input_shape=(32, 32, 3), classes=10)
    with pytest.raises((AssertionError, ValueError)):
        copy_weights(theirs, ours)
