"""Lesson 00: what the lectures state about the functional API of Keras."""

import difflib
import functools
import itertools

import keras
import numpy as np

from claims import NORMAL, block, claim
from keras_cases import weighted_losses


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


@claim("3-020c", "3-020d")
def right_ones_of_eight_ways_to_write_them(row):
    """The right totals; and, of these, where each output has its own loss too."""
    weights, one = {"main": 1.0, "aux1": 0.3, "aux2": 0.2}, np.ones((2, 1), "float32")
    losses = {name: lambda y, p, value=value: 0 * p + value for name, value in CONSTANTS.items()}
    targets, inputs, right = dict.fromkeys(CONSTANTS, one), keras.Input((1,)), 0
    for outputs_as, losses_as, weights_as in itertools.product((list, dict), repeat=3):
        heads = {name: keras.layers.Dense(1, name=name)(inputs) for name in CONSTANTS}
        net = keras.Model(inputs, written(heads, outputs_as))
        net.compile(loss=written(losses, losses_as), loss_weights=written(weights, weights_as),
                    run_eagerly=True)
        report = net.evaluate(one, written(targets, outputs_as), verbose=0, return_dict=True)
        own = all(report[f"{name}_loss"] == value for name, value in CONSTANTS.items())
        right += abs(report["loss"] - 103.2) < 1e-3 and (own or row == "3-020c")
    return right


def written(named, form):
    return [*named.values()] if form is list else named


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
def one_tensor_for_a_layer_that_joins(_):
    new, image = keras.layers, keras.Input((8, 8, 3))
    for layer in (new.Conv2D(4, 3), new.DepthwiseConv2D(3), new.Conv2DTranspose(4, 3),
                  new.MaxPooling2D(2), new.AveragePooling2D(2), new.GlobalAveragePooling2D(),
                  new.BatchNormalization(), new.Activation("relu"), new.Dropout(0.5), new.Flatten(),
                  new.Dense(4)):
        assert isinstance(layer(image), keras.KerasTensor)  # for these the sentence holds
    return refused(lambda: new.Add()(image))


@claim("3-017")
def an_input_not_listed(_):
    a, b = keras.Input((4,)), keras.Input((4,))
    assert refused(lambda: keras.Model([a, b], keras.layers.add([a, b]))) == "runs"
    return refused(lambda: keras.Model(a, keras.layers.add([a, b])))


@claim("3-018")
def the_merge_layer_that_there_is(_):
    assert not hasattr(keras.layers, "concatentate")
    nearest = difflib.get_close_matches("concatentate", dir(keras.layers), n=1)[0]
    return nearest, nearest == "concatentate"


@claim("3-019")
def the_same_layers_stacked_both_ways(_):
    chain = [keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten(),
             keras.layers.Dense(10)]
    sequential = keras.Sequential([keras.Input((6, 6, 4)), *chain])
    functional = block(lambda x: functools.reduce(lambda t, layer: layer(t), chain, x), 6, 6, 4)
    a, b = (keras.ops.convert_to_numpy(model(NORMAL)) for model in (sequential, functional))
    return float(np.abs(a - b).max())
