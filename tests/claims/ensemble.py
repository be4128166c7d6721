"""Lesson 09: what the lectures conclude from reading a residual net as many paths."""

import functools
import itertools
from math import comb

import keras
import numpy as np
from keras import layers, ops

from claims import claim, gain
from keras_cases import data, nets, records
from keras_cases.analysis import surgery
from keras_cases.training.loop import standardizer

IMAGES = 200


@claim("4-012")
def terms_of_three_linear_blocks(_):
    """How many paths of a built net of three linear blocks add up to its output."""
    x = inputs = keras.Input((6,))
    maps = [layers.Dense(6, use_bias=False) for _ in range(3)]
    for number, dense in enumerate(maps):
        x = layers.Add(name=f"block{number}")([x, dense(x)])
    start = np.random.default_rng(0).normal(size=(2, 6)).astype("float32")
    whole = ops.convert_to_numpy(keras.Model(inputs, x)(start))
    paths = []
    for taken in itertools.product((0, 1), repeat=3):
        value = start
        for through, dense in zip(taken, maps):
            value = ops.convert_to_numpy(dense(value)) if through else value
        paths.append(value)
    assert np.allclose(sum(paths), whole, atol=1e-5), "the paths do not add up to the output"
    return len(paths)


@functools.cache
def trained(name, build, **net):
    model = getattr(nets, build)(**net)
    model.load_weights(records.weights_file(records.results(f"{name}-equal-seed0")[0]))
    cifar = data.sample("cifar10")
    images = np.array(standardizer(cifar.x_train)(cifar.x_test[:IMAGES]))
    return model, images, cifar.y_test[:IMAGES]


def points_lost(model, x, y, cut):
    """Accuracy (%) that is lost with each block in turn cut(name, part, x) instead of part(x)."""
    parts, scores = surgery.pieces(model), []

    def right(x, rest):
        for part in rest:
            x = part(x)
        return 100 * float((ops.convert_to_numpy(x).argmax(-1) == y).mean())

    whole = right(x, parts.values())
    for place, (name, part) in enumerate(parts.items(), 1):
        instead = cut(name, part, x)
        if instead is not None:
            scores.append(whole - right(instead, list(parts.values())[place:]))
        x = ops.convert_to_numpy(part(x))
    return scores


@functools.cache
def lost(name):
    if name == "resnet20":
        model, x, y = trained(name, "resnet_cifar", depth=20, width=0.5625)
        both = surgery.branches(model)
        return points_lost(model, x, y, lambda block, part, x: (
            ops.relu(both[block](x)[0]) if block in both else None))
    model, x, y = trained(name, "plain_cifar", depth=20, width=0.5625)
    return points_lost(model, x, y, lambda block, part, x: (
        x if part.input.shape == part.output.shape else None))


@claim("4-012b", "4-012c")
def blocks_dropped(row):
    """Points lost by a trained ResNet-20 without one block, at least; and against its plain twin."""
    if row == "4-012b":
        least = min(lost("resnet20"))
        return "> 5" if least > 5 else least, least <= 5
    residual, plain = np.median(lost("resnet20")), np.median(lost("plain20"))
    return "fewer" if residual < plain - 20 else plain - residual, residual < plain


@claim("4-012d", "4-012e", "4-012f")
def length_of_a_path_weighted_by_its_gradient(row):
    """Mean length in parts of half the blocks, three seeds or draws, as measured in lesson 09."""
    name = {"4-012d": "race resnet40", "4-012e": "resnet20", "4-012f": "resnet32"}[row]
    one = records.over_seeds("09_resnet_ensemble", f"gradient by length, {name}", None, None)
    blocks = one.shape[1] - 1
    norms = one * [comb(blocks, k) for k in range(blocks + 1)]
    lengths = norms @ np.arange(blocks + 1) / norms.sum(1)
    return (" ".join(f"{length / (blocks / 2):.2f}" for length in lengths),
            gain(lengths, [blocks / 2] * len(lengths)))


@claim("3-024")
def own_classifier_after_more_and_more_blocks(_):
    """Digits right (%) of residual race nets behind 5, 10, 15, 20 blocks, means of three seeds."""
    own = records.over_seeds("09_resnet_ensemble", "after each, race resnet40", None, None)[:, 0]
    at = [own[:, k] for k in (5, 10, 15, 20)]
    rises = [gain(before, after) for before, after in zip(at, at[1:])]
    missing = [rise for rise in rises if rise is not True]
    return ", ".join(f"{three.mean():.0f}" for three in at), missing[0] if missing else True
