"""The case studies: which net is trained on which images, and by which recipes."""

from dataclasses import dataclass, replace
from typing import Callable

from keras_cases import data, nets
from keras_cases.training.recipe import Recipe


def mnist(mode):
    """MNIST: the shipped sample for "fast" runs, else all of it."""
    return (data.sample if mode == "fast" else data.load)("mnist")


def cifar10(mode):
    """CIFAR-10: the shipped sample for "fast" runs, else all of it."""
    return (data.sample if mode == "fast" else data.load)("cifar10")


# By mode: "fast" for a lesson, "full" by the papers, "equal" to compare nets of equal cost.
# The ResNet paper, sec. 4.2: 64k steps of 128 images are 182 epochs of 45,000.
FAST = Recipe(epochs=2, learning_rate=0.05, schedule="cosine")
RESNET = Recipe(epochs=182)
RESNET110 = replace(RESNET, warmup=1.0)
# The DenseNet paper, sec. 4.2: 300 epochs, batches of 64, Nesterov momentum.
NESTEROV = {"class_name": "SGD", "config": {"momentum": 0.9, "nesterov": True}}
DENSENET = Recipe(epochs=300, batch_size=64, optimizer=NESTEROV)
# For nets without a CIFAR-10 recipe of their own: the cosine of the best public copies.
COSINE = Recipe(epochs=200, schedule="cosine", weight_decay=5e-3)
PLAIN_SGD = Recipe(epochs=100, learning_rate=0.01, schedule="cosine")  # no batch normalization
DIGITS = Recipe(epochs=20, learning_rate=0.05, schedule="cosine", weight_decay=1e-4, augment=False)
EQUAL = Recipe(epochs=20, images=45_000, schedule="cosine", warmup=1.0, label_smoothing=0.1,
               optimizer=NESTEROV)


@dataclass(frozen=True)
class Case:
    """A net, its images and its recipes.

    build(**options): a keras.Model. data(mode): a `data.Dataset`, or whatever else has its name,
    source, status and split(). name: needed where the builder's own says nothing (a lambda).
    """

    build: Callable
    data: Callable = cifar10
    fast: Recipe = FAST
    full: Recipe = COSINE
    equal: Recipe = EQUAL
    name: str = ""


def _named(names, **case):
    return {name: Case(getattr(nets, name), **case) for name in names.split()}


CASES = {
    "lenet5": Case(lambda **net: nets.lenet5(**{"input_shape": (28, 28, 1)} | net), mnist,
                   full=DIGITS, name="lenet5"),
    "lenet5_1998": Case(lambda **net: nets.lenet5_1998(**{"input_shape": (28, 28, 1)} | net), mnist,
                        full=replace(DIGITS, learning_rate=0.005), name="lenet5_1998"),
    "lenet5_cifar": Case(lambda **net: nets.lenet5(**{"input_shape": (32, 32, 3)} | net),
                         full=PLAIN_SGD, name="lenet5_cifar"),
    **_named("alexnet_cifar nin squeezenet_cifar", full=PLAIN_SGD),
    **_named("vgg_cifar googlenet_cifar inception_v3_cifar"),
    **_named("resnet_cifar resnet20 resnet32 resnet44 resnet56 plain_cifar resnet_v1 resnet_v2",
             full=RESNET),
    **_named("resnet110", full=RESNET110),
    **{f"plain{depth}": Case(lambda depth=depth, **net: nets.plain_cifar(depth, **net),
                             full=RESNET, name=f"plain{depth}") for depth in (20, 32, 44, 56)},
    **_named("densenet_cifar densenet40 densenet_bc100", full=DENSENET),
    **_named("mobilenet_cifar mobilenet_v2_cifar efficientnet_cifar"),
}
MODES = "fast", "full", "equal"
