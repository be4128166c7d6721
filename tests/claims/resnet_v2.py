"""Lesson 08: what lecture 4 derives about identity mappings."""

import functools

import keras
import numpy as np
from keras import layers

from claims import block, claim, gain
from keras_cases import records
from keras_cases.analysis import gradients, graph, surgery
from keras_cases.blocks import res_block_v2

RNG = np.random.default_rng(0)
POINT, ABOVE = RNG.normal(size=(2, 8, 5, 5, 4)).astype("float32")


@functools.cache
def stack(blocks, seed=0):
    """Blocks of version 2 in a row."""
    keras.utils.set_random_seed(seed)

    def make(x):
        for i in range(blocks):
            x = res_block_v2(x, 4, 4, kernel_initializer="he_normal", name=f"block{i + 1}")
        return x

    return block(make, *POINT.shape[1:])


def states(net, blocks):
    """What each block reads, what it adds, and the last sum, as arrays."""
    sums = [graph.find(net, f"block{i + 1}") for i in range(blocks)]
    wanted = [node.inputs[0] for node in sums] + [node.inputs[1] for node in sums]
    found = [keras.ops.convert_to_numpy(each) for each in
             keras.Model(net.input, [*wanted, net.output])(POINT, training=True)]
    return found[:blocks], found[blocks:-1], found[-1]


def off(difference, whole):
    """How far apart, relative: "off" where it shows, else the number; and whether the formula holds."""
    apart = float(np.linalg.norm(difference) / np.linalg.norm(whole))
    return "off" if apart > 0.1 else round(apart, 3)


@claim("4-007", "4-007b")
def unrolled_sum(row):
    x, residuals, last = states(stack(6), 6)
    first, l = (1 if row == "4-007" else 3), 3
    found = off(last - x[l] - sum(residuals[first:]), last)
    return found, found == 0


@claim("4-008")
def gradient_of_the_unrolled_sum(_):
    net = stack(3)
    residuals = keras.Model(net.input, layers.Add()(
        [graph.find(net, f"block{i + 1}").inputs[1] for i in range(3)]))

    def from_above(output):
        return output * keras.ops.convert_to_tensor(ABOVE)

    whole, second = [gradients.input_gradient(each, POINT, from_above) for each in (net, residuals)]
    assert np.linalg.norm(second) > 0.1 * np.linalg.norm(ABOVE)
    return off(whole - second - ABOVE, ABOVE)


@claim("4-009", "4-009b")
def sum_under_lambda(row):
    factors = [0.5, 0.8, 1.1, 1.3]
    _, residuals, _ = states(stack(4), 4)  # any four numbers F would do
    x = POINT
    for factor, residual in zip(factors, residuals):
        x = factor * x + residual
    behind = [np.prod(factors if row == "4-009" else factors[i + 1:]) for i in range(4)]
    formula = np.prod(factors) * POINT + sum(f * r for f, r in zip(behind, residuals))
    found = off(x - formula, x)
    return found, found == 0


def first_over_last(factor, seed, silent=False):
    """Gradient at the first of ten blocks over that at the last."""
    net, old = surgery.scale_shortcuts(stack(10, seed), factor), []
    convolutions = [one for one in net.layers if isinstance(one, layers.Conv2D)]
    for layer in convolutions[1::2] if silent else ():  # the last of each block
        old.append((layer.kernel, np.array(keras.ops.convert_to_numpy(layer.kernel.value))))
        layer.kernel.assign(np.zeros(layer.kernel.shape))
    names = ["block1", "block10"]

    def loss(target, y):
        return keras.ops.sum(y * target)

    _, found = gradients.activation_gradients(
        keras.Model(net.input, layers.Identity()(net.output)), names, POINT, ABOVE, loss)
    for kernel, value in old:
        kernel.assign(value)
    return float(np.linalg.norm(found["block1"]) / np.linalg.norm(found["block10"]))


@claim("4-010", "4-011")
def direct_path_under_lambda(row):
    return round(first_over_last(0.9 if row == "4-010" else 1.1, 0, silent=True), 3)


@claim("4-010b")
def whole_gradient_under_lambda(_):
    lowest = min(first_over_last(0.5, seed) for seed in range(3))
    return "> 1" if lowest > 1 else lowest, lowest < 1


def race(label):
    """Training digits right while training (%), [three seeds], stored."""
    return [100 * run["running_accuracy"] for run in records.results(f"race-{label}-fast-seed*")]


@claim("4-010c")
def identity_against_scaled(_):
    scaled, identity = race("resnet40_v2-scaled"), race("resnet40_v2")
    return f"{np.mean(identity):.1f}, {np.mean(scaled):.1f}", gain(scaled, identity)


