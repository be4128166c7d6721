"""Lesson 07: what the lectures state about residual nets."""

import functools

import keras
import numpy as np

from claims import NORMAL, block, claim, gain
from keras_cases.analysis import graph, probes, surgery
from keras_cases.blocks import bottleneck_block_v1, res_block_v1, res_block_v2
from keras_cases import data, nets, records
from keras_cases.analysis.cost import cost
from keras_cases.training.loop import standardizer
from graphs import longest_path, zero_weights


def zeroed_difference(a):
    model = block(lambda x: res_block_v1(x, 4, 4, name="block"), 6, 6, 4)
    surgery.zero_block(model, "block")
    return float(np.abs(keras.ops.convert_to_numpy(model(a)) - a).max())


@claim("0-016", "0-016b")
def block_of_zeros(row):
    difference = zeroed_difference(np.abs(NORMAL) if row == "0-016" else NORMAL)
    return difference if row == "0-016" else ("off" if difference > 1 else difference,
                                              difference < 1e-6)


@claim("2-008")
def block_of_zeros_without_normalization(_):
    def bare(x):
        y = keras.layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        y = keras.layers.Conv2D(4, 3, padding="same", kernel_initializer="zeros")(y)
        return keras.layers.ReLU()(keras.layers.Add()([x, y]))
    a = np.abs(NORMAL)
    return float(np.abs(keras.ops.convert_to_numpy(block(bare, 6, 6, 4)(a)) - a).max())


@claim("0-018")
def a_silent_block_inserted(_):
    net = nets.resnet_cifar(8, width=0.25)

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
@zero_weights()
def built(name):
    """(parameters, layers) of a net at the paper's size."""
    net = getattr(nets, name)()
    return net.count_params(), longest_path(net)


TABLE = {"4-046": "resnet50", "4-048": "resnet101", "4-050": "resnet152", "4-052": "resnet50_v2",
         "4-054": "resnet101_v2", "4-056": "resnet152_v2", "1-020": "resnet50"}


@claim(*TABLE)
def parameters_of_the_pretrained_table(row):
    return built(TABLE[row])[0]


@claim("4-047", "4-049", "4-051", "4-053", "4-055", "4-057")
def megabytes_of_the_pretrained_table(row):
    return round(built(TABLE[f"4-{int(row[2:]) - 1:03}"])[0] * 4 / 2**20, 1)


@claim("1-021")
def depths_of_the_imagenet_nets(_):
    return " ".join(str(built(f"resnet{depth}")[1]) for depth in (18, 34, 50, 101, 152))


@claim("1-022")
@zero_weights()
def depths_of_the_cifar_nets(_):
    deepest = longest_path(nets.resnet_cifar(110, width=0.25))
    return f"{deepest} {6 * 200 + 2} {9 * 18 + 2}"


def weights_at_56(make, channels):
    model = block(make, 56, 56, channels)
    return sum(int(np.prod(w.shape)) for w in model.weights if w.name == "kernel"), cost(model).macs


@claim("1-023", "1-025")
def basic_block(row):
    weights, macs = weights_at_56(lambda x: res_block_v1(x, 64, 64), 64)
    more = 56 * 56 * 64 / macs
    return weights if row == "1-023" else (round(more, 5), more < 0.01)


@claim("1-024")
def bottleneck(_):
    return weights_at_56(lambda x: bottleneck_block_v1(x, 64), 256)[0]


@functools.cache
def first_over_last(build):
    """Gradient × kernel length, first convolution over last, of three fresh nets of 56 layers."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(32, 32, 32, 3)).astype("float32"), rng.integers(0, 10, 32)
    ratios = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        net = getattr(nets, build)(56, width=0.25)
        norms = probes.gradient_norms(net, x, y, "sparse_categorical_crossentropy")
        scaled = [norms[path] * np.linalg.norm(kernel) for path, kernel in probes.kernels(net).items()]
        ratios.append(scaled[0] / scaled[-2])
    return ratios


@claim("1-070")
def gradient_of_first_over_last_layer(_):
    lowest = min(first_over_last("plain_cifar"))
    return "> 20" if lowest > 20 else lowest, lowest < 1


@claim("0-025")
def shortcuts_against_exploding_gradients(_):
    plain, residual = first_over_last("plain_cifar"), first_over_last("resnet_cifar")
    return "> 5" if min(plain) > 5 * max(residual) else min(plain) / max(residual), gain(residual, plain)


def race(kind):
    """Training digits right while training (%), [three seeds] at 10, 20 and 40 layers, stored."""
    return [[100 * run["running_accuracy"] for run in records.results(f"race-{kind}{depth}-fast-seed*")]
            for depth in (10, 20, 40)]


@claim("3-030", "2-060")
def training_by_depth(row):
    by_depth = race("plain" if row == "3-030" else "resnet")
    means = ", ".join(f"{np.mean(three):.1f}" for three in by_depth)
    ten, twenty, forty = by_depth
    if row == "3-030":
        return means, gain(twenty, ten) is True and gain(forty, twenty) is True
    return means, gain(ten, forty)


@claim("0-018b")
def ordinary_blocks_inserted(_):
    run = records.results("resnet20-full-seed0")[0]
    net = nets.resnet_cifar(20)
    net.load_weights(records.weights_file(run))
    cifar = data.sample("cifar10")
    below = keras.Model(net.input, net.get_layer("stage3_block3").output)
    maps = below.predict(np.array(standardizer(cifar.x_train)(cifar.x_test[:500])), verbose=0)

    def accuracy(blocks):
        def behind(x):
            for _ in range(blocks):
                x = res_block_v1(x, 64, 64, use_bias=False, kernel_initializer="he_normal")
            return net.get_layer("predictions")(keras.layers.GlobalAveragePooling2D()(x))
        guesses = block(behind, *maps.shape[1:])(maps, training=True)  # the images' own statistics
        return float((keras.ops.convert_to_numpy(guesses).argmax(1) == cifar.y_test[:500]).mean())

    after = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        after.append(accuracy(2))
    before = accuracy(0)
    assert before > 0.8
    return "falls" if max(after) < before - 0.01 else max(after), max(after) > before - 0.01


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
    net = nets.resnet_v2() if row == "4-006" else nets.resnet_v1()
    return net.get_layer("predictions").count_params() if row == "4-005b" else net.count_params()
