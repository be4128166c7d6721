"""data/claims.csv, row by row: every figure is computed here from our own code, every time.

verdict: exact (the claim holds as it stands), rounded (within a tenth), wrong.
"""

import csv
import difflib
import functools
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_cases import graph, probes, weighted_losses
from keras_cases.blocks import bottleneck_block_v1, res_block_v1, res_block_v2
from keras_cases.cases import resnet, resnet_cifar
from keras_cases.cost import cost

ROOT = Path(__file__).resolve().parent.parent
with (ROOT / "data" / "claims.csv").open(encoding="utf-8", newline="") as file:
    ROWS = {row["id"]: row for row in csv.DictReader(file)}
COMPUTE = {}


def claim(*ids):
    """Registers a function as the one that computes these rows; it gets the id."""
    def register(function):
        COMPUTE.update({row: function for row in ids})
        return function
    return register


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_claim(row):
    assert row["id"] in COMPUTE, "no function computes this row"
    assert str(COMPUTE[row["id"]](row["id"])) == row["computed"]
    stated, computed = number(row["stated"]), number(row["computed"])
    if stated is not None and computed is not None:
        near = abs(computed - stated) <= 0.1 * abs(stated)
        assert row["verdict"] == ("exact" if stated == computed else "rounded" if near else "wrong")
    assert row["verdict"] in ("exact", "rounded", "wrong")


def test_no_function_without_its_row_and_every_row_names_a_notebook():
    assert set(COMPUTE) <= set(ROWS)
    for row in ROWS.values():
        assert (ROOT / "notebooks" / f"{row['notebook']}.ipynb").exists(), row["id"]


# --- lesson 07 -----------------------------------------------------------------------------------

def block(make, *shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, make(inputs))


def zeroed_difference(a):
    model = block(lambda x: res_block_v1(x, 4, 4, name="block"), 6, 6, 4)
    probes.zero_block(model, "block")
    return float(np.abs(keras.ops.convert_to_numpy(model(a)) - a).max())


NORMAL = np.random.default_rng(0).normal(size=(8, 6, 6, 4)).astype("float32")


@claim("0-016", "0-016b")
def zero_weights(row):
    difference = zeroed_difference(np.abs(NORMAL) if row == "0-016" else NORMAL)
    return difference if row == "0-016" else "off" if difference > 1 else difference


@claim("2-008")
def zero_weights_without_normalization(_):
    def bare(x):
        y = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        y = keras.layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros")(y)
        return keras.layers.ReLU()(keras.layers.Add()([x, y]))
    a = np.abs(NORMAL)
    return float(np.abs(keras.ops.convert_to_numpy(block(bare, 6, 6, 4)(a)) - a).max())


@claim("0-018")
def a_silent_block_inserted(_):
    net = resnet_cifar.resnet_cifar(8, width=0.25)

    def insert(node, _, outputs):
        if node.name != "stage2_block1":
            return outputs
        width = outputs[0].shape[-1]
        inner = block(lambda x: res_block_v1(x, width, width), *outputs[0].shape[1:])
        norms = [l for l in inner.layers if isinstance(l, keras.layers.BatchNormalization)]
        norms[-1].gamma.assign(np.zeros(width))
        return [inner(outputs[0])]

    inputs = keras.Input((32, 32, 3))
    deeper = keras.Model(inputs, graph.replay(net, [inputs], insert))
    assert deeper.count_params() > net.count_params()
    x = np.random.default_rng(1).normal(size=(4, 32, 32, 3)).astype("float32")
    a, b = (keras.ops.convert_to_numpy(model(x)) for model in (net, deeper))
    return float(np.abs(a - b).max())


@functools.cache
def parameters(name):
    return getattr(resnet, name)().count_params()


TABLE = {"4-046": "resnet50", "4-048": "resnet101", "4-050": "resnet152", "4-052": "resnet50_v2",
         "4-054": "resnet101_v2", "4-056": "resnet152_v2", "1-020": "resnet50"}


@claim(*TABLE)
def parameters_of_the_pretrained_table(row):
    return parameters(TABLE[row])


@claim("4-047", "4-049", "4-051", "4-053", "4-055", "4-057")
def megabytes_of_the_pretrained_table(row):
    return round(parameters(TABLE[f"4-{int(row[2:]) - 1:03}"]) * 4 / 2**20, 1)


def longest_path(model):
    """Layers with kernels on the longest way through the graph."""
    depth = {}
    for node in graph.walk(model):
        before = max((depth[id(t)] for t in node.inputs), default=0)
        own = any(w.name == "kernel" for w in getattr(node.operation, "weights", ()))
        depth.update({id(t): before + own for t in node.outputs})
    return max(depth.values())


@claim("1-021")
def depths_of_the_imagenet_nets(_):
    return " ".join(str(longest_path(getattr(resnet, f"resnet{d}")((32, 32, 3), 10)))
                    for d in (18, 34, 50, 101, 152))


@claim("1-022")
def depths_of_the_cifar_nets(_):
    deepest = longest_path(resnet_cifar.resnet_cifar(110, width=0.25))
    return f"{deepest} {6 * 200 + 2} {9 * 18 + 2}"


def weights_at_56(make, channels):
    model = block(make, 56, 56, channels)
    return sum(int(np.prod(w.shape)) for w in model.weights if w.name == "kernel"), cost(model).macs


@claim("1-023", "1-025")
def basic_block(row):
    weights, macs = weights_at_56(lambda x: res_block_v1(x, 64, 64), 64)
    return weights if row == "1-023" else round(56 * 56 * 64 / macs, 5)


@claim("1-024")
def bottleneck(_):
    return weights_at_56(lambda x: bottleneck_block_v1(x, 64), 256)[0]


@claim("1-070")
def gradient_of_first_over_last_layer(_):
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 32, 32, 3)).astype("float32"), rng.integers(0, 10, 32)
    net = resnet_cifar.plain_cifar(56, width=0.25)
    norms = list(probes.gradient_norms(net, x, y, "sparse_categorical_crossentropy").values())
    ratio = norms[0] / norms[-2]
    return "> 20" if ratio > 20 else ratio


@claim("2-009")
def projection(_):
    same, wider = (block(lambda x, o=o: res_block_v1(x, 16, o, name="e"), 8, 8, 16) for o in (16, 32))
    assert len(wider.layers) == len(same.layers) + 1
    return next(l for l in wider.layers if getattr(l, "kernel_size", 0) == (1, 1)).count_params()


@claim("4-003", "4-004")
def lecture_blocks(row):
    make = res_block_v1 if row == "4-003" else res_block_v2
    return block(lambda x: make(x, 16, 32), 8, 8, 16).count_params()


@claim("4-005", "4-005b", "4-006")
def lecture_nets(row):
    net = resnet_cifar.resnet_v2() if row == "4-006" else resnet_cifar.resnet_v1()
    return net.get_layer("predictions").count_params() if row == "4-005b" else net.count_params()


# --- lesson 00 -----------------------------------------------------------------------------------

def refused(build):
    try:
        build()
    except ValueError:
        return "refused"
    return "runs"


CONSTANTS = {"main": 100.0, "aux1": 10.0, "aux2": 1.0}


@claim("1-018", "3-020", "3-020b")
def total_of_three_constant_losses(row):
    weights = {"main": 1.0, "aux1": 0.3, "aux2": 0.3 if row == "1-018" else 0.2}
    losses = {name: lambda y, p, value=value: 0 * p + value for name, value in CONSTANTS.items()}
    inputs, one = keras.Input((1,)), np.ones((2, 1), "float32")
    net = keras.Model(inputs, [keras.layers.Dense(1, name=name)(inputs) for name in CONSTANTS])
    if row == "3-020b":
        net.compile(loss=[*losses.values()], loss_weights=weights)
        y = [one] * 3
    else:
        plan = weighted_losses(net, losses, weights)
        net, y = plan.compile("sgd"), plan.targets(one)
    return round(net.evaluate(one, y, verbose=0, return_dict=True)["loss"], 4)


@claim("3-015", "3-015b")
def a_fork_without_the_functional_api(row):
    class Shortcut(keras.Model):
        def __init__(self):
            super().__init__()
            self.conv = keras.layers.Conv2D(3, 3, padding="same")

        def call(self, x):
            return x + self.conv(x)

    if row == "3-015b":
        return refused(lambda: Shortcut()(np.ones((1, 6, 6, 3))))
    return refused(lambda: keras.Sequential([keras.Input((6, 6, 3)), keras.layers.Add()]))


@claim("3-016")
def kinds_that_take_a_tensor_and_return_one(_):
    new = keras.layers
    image, series = keras.Input((8, 8, 3)), keras.Input((5, 3))
    kinds = [new.Conv2D(4, 3), new.DepthwiseConv2D(3), new.Conv2DTranspose(4, 3),
             new.MaxPooling2D(2), new.AveragePooling2D(2), new.GlobalAveragePooling2D(),
             new.BatchNormalization(), new.Activation("relu"), new.Dropout(0.5), new.Flatten(),
             new.Dense(4), new.Add(), new.LSTM(4, return_state=True)]
    assert len(kinds) == 13

    def agrees(layer):
        made = []
        outcome = refused(lambda: made.append(
            layer(series if isinstance(layer, new.LSTM) else image)))
        return outcome == "runs" and isinstance(made[0], keras.KerasTensor)
    return sum(map(agrees, kinds))


@claim("3-017")
def an_input_not_listed(_):
    a, b = keras.Input((4,)), keras.Input((4,))
    assert refused(lambda: keras.Model([a, b], keras.layers.add([a, b]))) == "runs"
    return refused(lambda: keras.Model(a, keras.layers.add([a, b])))


@claim("3-018")
def the_merge_layer_that_there_is(_):
    assert not hasattr(keras.layers, "concatentate")
    return difflib.get_close_matches("concatentate", dir(keras.layers), n=1)[0]


@claim("3-019")
def the_same_layers_stacked_both_ways(_):
    chain = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten(),
             keras.layers.Dense(10)]
    sequential = keras.Sequential([keras.Input((6, 6, 4)), *chain])
    functional = block(lambda x: functools.reduce(lambda t, layer: layer(t), chain, x), 6, 6, 4)
    a, b = (keras.ops.convert_to_numpy(model(NORMAL)) for model in (sequential, functional))
    return float(np.abs(a - b).max())
