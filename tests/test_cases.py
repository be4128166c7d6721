"""Every net against the table that its own file opens with, and against what was set out to hit.

Weights start as zeros here: counts and multiply-adds are facts of the graph alone.
"""

import importlib
import inspect
import pkgutil

import keras
import pytest

from keras_cases import nets
from keras_cases.analysis import graph
from keras_cases.analysis.cost import cost
from graphs import longest_path, on_numpy, zero_weights

pytestmark = pytest.mark.xdist_group("cases")
MODULES = [importlib.import_module(f"keras_cases.nets.{module.name}")
           for module in pkgutil.iter_modules(nets.__path__)]


def table(module):
    """The rows of a module's docstring table: {net: {column: text}}."""
    lines = [line.split() for line in module.__doc__.splitlines()]
    top = next((i for i, words in enumerate(lines) if words[:1] == ["net"]), len(lines) - 1)
    rows = lines[top + 1:]
    return {words[0]: dict(zip(lines[top][1:], words[1:], strict=True))
            for words in rows[:rows.index([])]} if rows else {}


STATED = {net: (module, row) for module in MODULES for net, row in table(module).items()}


def number(text):
    return float(text.replace(",", ""))


@pytest.fixture(scope="module", autouse=True)
def zeros_instead_of_random_numbers():
    with zero_weights():
        yield


def count_all():
    """{net: (parameters, trainable, MACs, calls not counted, layers, images)}, built as it is."""
    found = {}
    for net, (module, _) in STATED.items():
        with zero_weights():
            model = getattr(module, net)()
        c = cost(model)
        assert c.parameters == model.count_params()
        found[net] = (c.parameters, c.trainable, c.macs, c.not_counted, longest_path(model),
                      model.input_shape[1:])
        del model
        keras.backend.clear_session()
    return found


def facts(net):
    return on_numpy("test_cases.count_all")[net]


def test_every_file_of_a_net_opens_with_its_table():
    assert [module.__name__ for module in MODULES if not table(module)] == ["keras_cases.nets.inputs"]


def test_every_builder_that_needs_no_argument_is_in_a_table():
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ != module.__name__ or name.startswith("_") or module.__name__.endswith("inputs"):
                continue
            required = [p for p in inspect.signature(function).parameters.values()
                        if p.default is p.empty and p.kind is not p.VAR_KEYWORD]
            if not required and name not in HELPERS:
                assert name in table(module), f"{name} is in no row of {module.__name__}"


# builders of a family, whose members are in the table, and what is no builder
HELPERS = {"resnet_cifar", "plain_cifar", "digit_codes", "densenet_cifar", "efficientnet", "unet"}


@pytest.mark.parametrize("net", STATED)
def test_the_docstring_states_what_the_net_is(net):
    row = STATED[net][1]
    parameters, trainable, macs, not_counted, depth, _ = facts(net)
    assert parameters == number(row["parameters"])
    assert trainable == number(row["trainable"])
    assert not_counted == []
    assert macs / 1e9 == pytest.approx(number(row["GMACs"]), rel=0.005)
    assert depth == number(row["layers"])


IMAGES = {  # where they are not 224×224×3; 32×32×3 is CIFAR-10's
    **dict.fromkeys(("alexnet", "alexnet_ungrouped", "squeezenet"), [227, 227, 3]),
    **dict.fromkeys(("inception_v3", "inception_v3_head"), [299, 299, 3]),
    **dict.fromkeys(("lenet5", "lenet5_1998", "unet_small"), [32, 32, 1]), "unet_2015": [572, 572, 1],
    **dict.fromkeys(("nin", "resnet20", "resnet32", "resnet44", "resnet56", "resnet110", "resnet_v1",
                     "resnet_v2", "densenet40", "densenet_bc100"), [32, 32, 3]),
    **{f"efficientnet_b{n}": [side, side, 3]
       for n, side in enumerate([224, 240, 260, 300, 380, 456, 528, 600])},
}


@pytest.mark.parametrize("net", STATED)
def test_a_net_takes_images_as_large_as_its_papers(net):
    usual = [32, 32, 3] if net.endswith("_cifar") else [224, 224, 3]
    assert [*facts(net)[5]] == IMAGES.get(net, usual)


@pytest.mark.parametrize("net, options, layer, filters", [  # of a factor, by hand
    ("alexnet_cifar", dict(groups=1, width=0.11), "conv1", 5),       # 5.28
    ("alexnet_cifar", dict(groups=1, width=0.001), "conv1", 1),      # never none
    ("alexnet_cifar", dict(width=0.001), "conv1", 2),                # one for each tower
    ("googlenet_cifar", dict(width=0.0727, modules=("3a",)), "stem", 12),  # 13.96, to a multiple of 4
    ("googlenet_cifar", dict(width=0.01, modules=("3a",)), "stem", 4),
    ("mobilenet_cifar", dict(alpha=1 / 32), "stem", 1),
    ("unet", dict(input_shape=(32, 32, 1), depth=1, padding="same"), "bottom", 128),
    ("unet", dict(input_shape=(32, 32, 1), depth=1, padding="same"), "predictions", 2),
], ids=str)
def test_a_factor_on_the_width_is_rounded_and_leaves_some(net, options, layer, filters):
    assert getattr(nets, net)(**options).get_layer(layer).output.shape[-1] == filters


def test_modules_4b_and_4c_of_googlenet_stand_in_the_papers_order():
    """Both make 512 channels of 512, so that no sum over the net tells which comes first."""
    model = nets.googlenet(input_shape=(32, 32, 3))
    exits = graph.exits(model)
    parts, modules = graph.blocks(model, exits), [e for e in exits if e.startswith("inception")]
    assert modules == sorted(modules)
    found = {module: sum(node.operation.count_params() for node in parts[f"inception_{module}"]
                         if hasattr(node.operation, "count_params")) for module in ("4b", "4c")}
    assert found == {  # 1×1, 3×3, 5×5 and pooled branch
        "4b": 512 * 160 + 512 * 112 + 9 * 112 * 224 + 512 * 24 + 25 * 24 * 64 + 512 * 64 + 648,
        "4c": 512 * 128 + 512 * 128 + 9 * 128 * 256 + 512 * 24 + 25 * 24 * 64 + 512 * 64 + 664}


# the totals that the papers' or Keras's own nets have, by hand and from nowhere in our code
PARAMETERS = {
    "lenet5": 61_706, "lenet5_1998": 60_000,
    "alexnet": 60_965_224, "alexnet_ungrouped": 62_378_344,
    "vgg11": 132_863_336, "vgg11_lrn": 132_863_336, "vgg13": 133_047_848, "vgg16_c": 133_638_952,
    "vgg16": 138_357_544, "vgg19": 143_667_240, "nin": 966_986,
    "googlenet": 6_998_552, "googlenet_heads": 13_378_280, "inception_v3": 23_851_784,
    "squeezenet": 1_248_424,
    "resnet50": 25_636_712, "resnet101": 44_707_176, "resnet152": 60_419_944,
    "resnet50_v2": 25_613_800, "resnet101_v2": 44_675_560, "resnet152_v2": 60_380_648,
    "densenet121": 8_062_504, "densenet169": 14_307_880, "densenet201": 20_242_984,
    "unet_2015": 31_030_658,
    "mobilenet": 4_253_864, "mobilenet_075": 2_601_976, "mobilenet_050": 1_342_536,
    "mobilenet_025": 475_544, "mobilenet_v2": 3_538_984,
    "efficientnet_b0": 5_330_571, "efficientnet_b1": 7_856_239, "efficientnet_b2": 9_177_569,
    "efficientnet_b3": 12_320_535, "efficientnet_b4": 19_466_823, "efficientnet_b5": 30_562_527,
    "efficientnet_b6": 43_265_143, "efficientnet_b7": 66_658_687,
}
TRAINABLE = {"resnet18": 11_689_512, "resnet34": 21_797_672, "resnet20": 269_722,
             "densenet_bc100": 769_162, "vgg_cifar": 14_728_266}
GMACS = {
    "alexnet": 0.724, "vgg16": 15.5, "vgg19": 19.6, "googlenet": 1.58, "inception_v3": 5.71,
    "resnet50": 3.86, "resnet101": 7.57, "resnet152": 11.28, "densenet121": 2.83,
    "mobilenet": 0.569, "mobilenet_075": 0.325, "mobilenet_050": 0.149, "mobilenet_025": 0.041,
    "mobilenet_v2": 0.301, "efficientnet_b0": 0.386,
}


@pytest.mark.parametrize("net", PARAMETERS)
def test_parameters_are_the_papers_to_the_integer(net):
    assert facts(net)[0] == PARAMETERS[net]


@pytest.mark.parametrize("net", TRAINABLE)
def test_trainable_parameters_are_the_papers_to_the_integer(net):
    assert facts(net)[1] == TRAINABLE[net]


@pytest.mark.parametrize("net", GMACS)
def test_multiply_adds_are_the_papers(net):
    assert facts(net)[2] / 1e9 == pytest.approx(GMACS[net], rel=0.005)


# one net of every family at 12.5 million multiply-adds an image: (options, multiply-adds,
# parameters), at 32×32×3 and 10 classes
EQUAL = {
    "lenet5": (dict(input_shape=(32, 32, 3), width=6), 12_852_720, 2_186_386),
    "alexnet_cifar": (dict(width=0.5), 12_475_136, 361_834),
    "nin": (dict(width=0.21), 12_149_760, 44_944),
    "vgg_cifar": (dict(width=0.2), 12_883_404, 589_993),
    "googlenet_cifar": (dict(width=0.09), 12_869_568, 53_690),
    "inception_v3_cifar": (dict(width=0.4375), 12_506_111, 60_619),
    "squeezenet_cifar": (dict(width=0.53), 12_434_072, 206_830),
    "resnet_cifar": (dict(width=0.5625), 12_939_624, 86_725),
    "plain_cifar": (dict(width=0.5625), 12_939_624, 86_725),
    "densenet_cifar": (dict(growth_rate=5, bottleneck=True, compression=0.5), 12_725_030, 34_420),
    "mobilenet_cifar": (dict(alpha=0.5), 12_167_168, 834_666),
    "mobilenet_v2_cifar": (dict(alpha=0.3, expansion=5), 12_682_496, 326_818),
    "efficientnet_cifar": (dict(width_coefficient=0.625, depth_coefficient=0.6), 12_563_232,
                           1_288_118),
}


@pytest.mark.parametrize("net", EQUAL)
def test_every_family_has_a_net_of_equal_cost(net):
    options, macs, parameters = EQUAL[net]
    model = getattr(nets, net)(**options)
    assert (cost(model).macs, cost(model).parameters) == (macs, parameters)
    assert macs == pytest.approx(12.5e6, rel=0.05)


def test_resnet20_with_projections_has_the_count_of_option_b():
    model = nets.resnet20(shortcut="projection")
    assert cost(model).trainable == 272_474


def test_a_count_that_the_table_states_wrongly_would_be_noticed():
    row = STATED["lenet5"][1]
    assert facts("lenet5")[0] != number(row["parameters"]) + 1
    assert facts("lenet5")[2] / 1e9 != pytest.approx(number(row["GMACs"]) * 1.006, rel=0.005)


@pytest.mark.parametrize("call, says", [
    (lambda: nets.lenet5((27, 27, 1)), "28×28"),
    (lambda: nets.lenet5((32, 32)), "(height, width, channels)"),
    (lambda: nets.lenet5(classes=0), "classes=0"),
    (lambda: nets.lenet5((None, 32, 1)), "both sides as numbers"),
    (lambda: nets.lenet5(pooling="mean"), "'average'"),
    (lambda: nets.lenet5_1998((30, 30, 1)), "28×28 or 32×32"),
    (lambda: nets.alexnet((66, 227, 3)), "67×67"),
    (lambda: nets.alexnet(classes=-1), "classes=-1"),
    (lambda: nets.alexnet(groups=0), "groups=0"),
    (lambda: nets.alexnet(groups=5), "groups=5"),
    (lambda: nets.alexnet(dropout=1.5), "rate"),
    (lambda: nets.alexnet_cifar((14, 14, 3)), "15×15"),
    (lambda: nets.vgg16((31, 32, 3)), "32×32"),
    (lambda: nets.vgg16(classes=2.5), "classes=2.5"),
    (lambda: nets.vgg_cifar("F"), "'F'"),
    (lambda: nets.vgg_cifar(width=0), "width=0"),
    (lambda: nets.vgg_cifar(width=-1), "width=-1"),
    (lambda: nets.nin((4, 4, 3)), "8×8"),
    (lambda: nets.nin(classes=0), "classes=0"),
    (lambda: nets.squeezenet((34, 34, 3)), "35×35"),
    (lambda: nets.squeezenet(classes="ten"), "classes='ten'"),
    (lambda: nets.googlenet((31, 31, 3)), "32×32"),
    (lambda: nets.googlenet((64, 64, 3), heads=True), "65×65"),
    (lambda: nets.googlenet(classes=0), "classes=0"),
    (lambda: nets.googlenet_cifar((8, 8, 3)), "9×9"),
    (lambda: nets.googlenet_cifar(width=0), "width=0"),
    (lambda: nets.googlenet_cifar(modules=("3a", "6a")), "6a"),
    (lambda: nets.googlenet_cifar(heads="detach"), "'detached'"),
    (lambda: nets.squeezenet_cifar((14, 32, 3)), "15×15"),
    (lambda: nets.squeezenet_cifar(width=0), "width=0"),
    (lambda: nets.lenet5(width=0), "width=0"),
    (lambda: nets.alexnet_cifar(width=-1), "width=-1"),
    (lambda: nets.nin(width=0), "width=0"),
    (lambda: nets.inception_v3_cifar(width=0), "width=0"),
    (lambda: nets.inception_v3((74, 74, 3)), "75×75"),
    (lambda: nets.inception_v3((298, 299, 3), head=True), "299×299"),
    (lambda: nets.inception_v3_cifar((6, 6, 3)), "7×7"),
    (lambda: nets.resnet18((31, 31, 3)), "32×32"),
    (lambda: nets.resnet50(classes=0), "classes=0"),
    (lambda: nets.resnet50_v2((0, 64, 3)), "32×32"),
    (lambda: nets.resnet50((64, 64, 0)), "(height, width, channels)"),
    (lambda: nets.resnet20(classes=0), "classes=0"),
    (lambda: nets.resnet20(input_shape=(3, 3, 3)), "4×4"),
    (lambda: nets.resnet_cifar(21), "6n+2"),
    (lambda: nets.plain_cifar(2), "6n+2"), (lambda: nets.plain_cifar(21), "6n+2"),
    (lambda: nets.resnet_cifar(2), "6n+2"), (lambda: nets.resnet_cifar(version=3), "version=3"),
    (lambda: nets.resnet20(width=0), "filters"),
    (lambda: nets.resnet_v1(head="mean"), "'flatten'"),
])
def test_a_builder_refuses_what_it_cannot_build_and_says_what_to_do(call, says):
    with pytest.raises(ValueError) as error:
        call()
    assert says in str(error.value)


SMALLEST = [
    (nets.lenet5, 28), (nets.alexnet, 67), (nets.alexnet_cifar, 15), (nets.vgg11, 32),
    (nets.vgg_cifar, 32), (nets.nin, 8), (nets.squeezenet, 35), (nets.squeezenet_cifar, 15),
    (nets.googlenet, 32), (nets.googlenet_heads, 65), (nets.googlenet_cifar, 9),
    (nets.inception_v3, 75), (nets.inception_v3_head, 299), (nets.inception_v3_cifar, 7),
    (nets.resnet18, 32), (nets.resnet20, 4), (nets.plain_cifar, 4), (nets.resnet_v1, 4),
    (nets.resnet_v2, 4), (nets.mobilenet, 32), (nets.mobilenet_cifar, 16),
    (nets.mobilenet_v2, 32), (nets.mobilenet_v2_cifar, 8), (nets.efficientnet_b0, 32),
    (nets.efficientnet_cifar, 16), (nets.densenet121, 32), (nets.densenet40, 4),
]


@pytest.mark.parametrize("builder, side", SMALLEST)
def test_the_smallest_image_that_the_message_names_is_enough_and_a_pixel_less_is_not(builder, side):
    """The side is enough for every layer, and a pixel less is refused by that number."""
    channels = 1 if builder.__name__ == "lenet5" else 3
    model = builder(input_shape=(side, side, channels), classes=4)
    shapes = [layer.output.shape for layer in model.layers]
    assert all(0 not in shape for shape in shapes)
    with pytest.raises(ValueError, match=f"{side}×{side}"):
        builder(input_shape=(side - 1, side, channels), classes=4)
    keras.backend.clear_session()
