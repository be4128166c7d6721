"""The layers that the nets give a name to: what probes, diagrams, lesions and skips ask for.

The names are those that the builders' docstrings promise, and no others.
"""

import pytest
from graphs import on_numpy
from test_wiring import GRAPHS, family_of

pytestmark = pytest.mark.xdist_group("graphs")


def stages(*counts):
    return [f"stage{stage}_block{block}" for stage, count in enumerate(counts, 1)
            for block in range(1, count + 1)]


def up_to(name, last, first=1):
    return [f"{name}{i}" for i in range(first, last + 1)]


LENET = ["C1", "S2", "C3", "S4", "C5", "F6"]
ALEXNET, VGG = [*up_to("conv", 5), "fc6", "fc7"], [*up_to("stage", 5), "fc1", "fc2"]
FIRES = ["conv1", *up_to("fire", 9, 2), "conv10"]
GOOGLENET = ["stem", *[f"inception_{module}" for module in "3a 3b 4a 4b 4c 4d 4e 5a 5b".split()]]
CIFAR, RESNET50 = ["stem", *stages(3, 3, 3)], ["stem", *stages(3, 4, 6, 3)]
MOBILENET, EFFICIENT = ["stem", *stages(1, 2, 2, 6, 2)], ["stem", *stages(1, 2, 2, 3, 3, 4, 1)]
UNET_SMALL = ["encoder1", "encoder2", "bottom", "decoder2", "decoder1"]


def dense(count):
    return ["stem", *[f"stage{i}_block1" for i in range(1, count + 1)],
            *[f"stage{i}_transition" for i in range(1, count)], "post_activation"]


EXITS = {  # by family, without the last layer's "predictions"
    "lenet5": LENET, "lenet5_1998": LENET, "alexnet": ALEXNET, "alexnet_cifar": ALEXNET,
    **dict.fromkeys(("vgg11", "vgg11_lrn", "vgg13", "vgg16_c", "vgg16", "vgg19"), VGG),
    "vgg_cifar": up_to("stage", 5), "nin": up_to("mlpconv", 3),
    "squeezenet": FIRES, "squeezenet_cifar": FIRES,
    "resnet20": CIFAR, "resnet20_v2": [*CIFAR, "post_activation"], "plain20": CIFAR,
    "resnet18": ["stem", *stages(2, 2, 2, 2)], "resnet50": RESNET50,
    "resnet50_v2": [*RESNET50, "post_activation"],
    **dict.fromkeys(("resnet_v1", "resnet_v2"), ["stem", "block1", "block2"]),
    **dict.fromkeys(("densenet40", "densenet_bc100"), dense(3)), "densenet121": dense(4),
    "mobilenet": MOBILENET, "mobilenet_cifar": MOBILENET,
    **dict.fromkeys(("mobilenet_v2", "mobilenet_v2_cifar"),
                    ["stem", *stages(1, 2, 3, 4, 3, 3, 1), "last_conv"]),
    **dict.fromkeys(("efficientnet_b0", "efficientnet_cifar"), [*EFFICIENT, "last_conv"]),
    "unet_small": UNET_SMALL,
    "unet_2015": [*up_to("encoder", 4), "bottom", *up_to("decoder", 4)],
}
HEADS = {  # the nets whose last layers have names of their own
    "googlenet_heads": [*GOOGLENET, "main", "aux1", "aux2"], "googlenet_bn": [*GOOGLENET, "main"],
    "googlenet_cifar": [*GOOGLENET, "main", "aux1", "aux2"],
    "inception_v3_cifar": ["stem", *up_to("mixed", 5, 0), "main"],
    "inception_v3_head": ["stem", *up_to("mixed", 10, 0), "main", "aux"],
}


def promised(called):
    """The names of a net of test_wiring.GRAPHS, in alphabetical order."""
    family = family_of(called)
    return sorted(HEADS.get(family) or [*EXITS[family], "predictions"])


@pytest.mark.parametrize("called", GRAPHS)
def test_a_net_names_the_layers_that_its_docstring_promises(called):
    assert on_numpy("test_wiring.differences")[called][4] == promised(called)
