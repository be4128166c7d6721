"""Lesson 05: what the lectures state about GoogLeNet, the net of Inception modules."""

import functools

import keras
import numpy as np
from keras import layers

from claims import claim
from keras_cases import nets
from keras_cases.analysis.cost import cost
from graphs import has_kernel, longest_path, zero_weights


@functools.cache
@zero_weights()
def facts(build):
    """(layers, cost, {side of the map: most channels}) of a net for 224×224 or 227×227 images."""
    model = build()
    costs, widest = cost(model), {}
    for row in costs.rows:
        if len(row.output_shape) == 3:
            side, _, channels = row.output_shape
            widest[side] = max(channels, widest.get(side, 0))
    return longest_path(model), costs, widest


@claim("1-016", "4-002")
def layers_of_googlenet(_):
    return facts(nets.googlenet)[0]


@claim("1-016b")
@zero_weights()
def layers_with_the_poolings(_):
    return longest_path(nets.googlenet(), lambda operation: has_kernel(operation)
                        or "Pooling" in type(operation).__name__)


@claim("1-017", "1-017b", "1-017c", "1-059")
def parameters(row):
    _, costs, _ = facts(nets.googlenet_heads if row == "1-017c" else nets.googlenet)
    if row == "1-017b":
        return costs.parameters - costs["main"].parameters
    return round(costs.parameters / 1e6, 3) if row == "1-059" else costs.parameters


@claim("1-058")
def million_multiply_adds(_):
    return round(facts(nets.googlenet)[1].macs / 1e6, 1)


@claim("3-022")
def multiply_adds_of_vgg16_for_one_of_googlenet(_):
    return round(facts(nets.vgg16)[1].macs / facts(nets.googlenet)[1].macs, 2)


@claim("1-083")
def layers_of_three_nets(_):
    ours, *others = (facts(net)[0] for net in (nets.googlenet, nets.vgg16, nets.alexnet))
    return " ".join(map(str, [ours, *others])), ours < min(others)


@claim("1-083b")
def sides_at_which_it_is_wider_than_vgg16(_):
    ours, theirs = facts(nets.googlenet)[2], facts(nets.vgg16)[2]
    both = sorted(ours.keys() & theirs.keys() - {224}, reverse=True)
    assert both == [112, 56, 28, 14, 7]
    return " ".join(str(side) for side in both if ours[side] > theirs[side])


@claim("0-021", "2-047")
@zero_weights()
def modules_of_the_net(row):
    net = nets.googlenet()
    sides = [layer.output.shape[1] for layer in net.layers if isinstance(layer, layers.Concatenate)]
    if row == "0-021":
        return len(sides), len(sides) > 3
    return " ".join(map(str, sides)), sorted(sides, reverse=True) == sides and len(set(sides)) > 1


def side_branch(net, name):
    """The module that an auxiliary classifier reads, and the classifier's own weights."""
    way = keras.Model(net.inputs, net.get_layer(name).output)
    read = [layer for layer in way.layers if isinstance(layer, layers.Concatenate)][-1]
    below = {id(w) for w in keras.Model(net.inputs, read.output).weights}
    return read.name, [w for w in way.weights if id(w) not in below]


@claim("0-022", "2-048")
@zero_weights()
def heads(row):
    net = nets.googlenet((65, 65, 3), 10, heads=True)
    if row == "0-022":
        read = [side_branch(net, name)[0] for name in ("aux1", "aux2")]
        hidden = [net.get_layer(name).output not in net.outputs for name in read]
        return " ".join(name[-2:] for name in read), all(hidden)
    return sum(getattr(layer, "activation", None) is keras.activations.softmax
               for layer in net.layers)


@claim("2-049")
@zero_weights()
def main_output_when_the_side_branches_change(_):
    net = nets.googlenet_cifar(
        (16, 16, 3), heads=True, batch_norm=False, width=0.01, modules=("4a", "4d"))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 16, 16, 3)).astype("float32")
    for weight in net.weights:
        weight.assign(rng.normal(0, 0.3, weight.shape))
    before = net.predict(x, verbose=0)
    for weight in side_branch(net, "aux1")[1] + side_branch(net, "aux2")[1]:
        weight.assign(rng.normal(size=weight.shape))
    main, *sides = (float(np.abs(after - b).max())
                    for after, b in zip(net.predict(x, verbose=0), before))
    assert min(sides) > 0.01
    return main
