"""Experiments on any functional model: gradient norms, update ratios, dead units, lesions.

A block is what leads to a named exit and to no earlier one. By default every layer that was given a
name is an exit (`graph.exits`), which fits nets that name the last layer of each block and nothing
else; for other nets pass the names of all blocks' last layers as `exits`.
"""

import keras
import numpy as np
from keras import ops, tree

from keras_cases.analysis import graph
from keras_cases.analysis.gradients import weight_gradients


def kernels(model):
    """The trainable kernels of convolutions and dense layers: {variable path: array}, in the
    order of the graph, nested models opened. The arrays are copies."""
    found = {}
    for node in (part for call in graph.walk(model) for part in graph.expand(call)):
        for weight in getattr(node.operation, "trainable_weights", ()):
            if weight.name.endswith("kernel"):
                found[weight.path] = np.array(ops.convert_to_numpy(weight.value))
    return found


def gradient_norms(model, x, y, loss, training=True):
    """The L2 norm of the loss gradient for each kernel: {variable path: float}, first layer first.

    `x`, `y`, `loss`, `training`: as in `gradients.weight_gradients`.
    """
    _, gradients = weight_gradients(model, x, y, loss, training)
    return {path: float(np.linalg.norm(gradients[path])) for path in kernels(model)}


def update_ratio(before, after):
    """How far each kernel moved for its length, |after - before| / |before|: {path: float}.

    `before`, `after`: what `kernels(model)` gave before and after training; one step of a healthy
    net moves a kernel by about a thousandth. A kernel of zeros gives inf if it moved, else 0.
    """
    if list(before) != list(after):
        raise ValueError("before and after hold other kernels; take both from the same model.")
    ratios = {}
    for path, old in before.items():
        step, length = np.linalg.norm(after[path] - old), np.linalg.norm(old)
        ratios[path] = float(step / length) if length else (float("inf") if step else 0.0)
    return ratios


def dead_units(model, layer_names, x, batch_size=128):
    """The fraction of units that are 0 for every image of `x`: {layer name: float}.

    A unit is a channel: of a convolution, one filter's whole map; of a dense layer, one neuron.
    Name activation layers. `x`: (images, ...); the more images, the surer.
    """
    part = keras.Model(model.inputs, [graph.find(model, n).outputs[0] for n in layer_names])
    alive = [np.zeros(output.shape[-1], bool) for output in part.outputs]
    for start in range(0, len(x), batch_size):
        outputs = part(ops.convert_to_tensor(x[start : start + batch_size]), training=False)
        for lives, output in zip(alive, outputs):
            values = ops.convert_to_numpy(output)
            lives |= (values != 0).any(axis=tuple(range(values.ndim - 1)))
    return {name: float(1 - lives.mean()) for name, lives in zip(layer_names, alive)}


def lesion(model, exit_name, exits=None):
    """A model in which the residual block that ends in `exit_name` passes its shortcut alone.

    It is not compiled, and shares all its layers with `model`: train one and both change. What
    stays of the block is the shortcut (identity or projection) and what follows the addition. The
    shortcut is the summand that fewer layers with kernels lead to.

    Source of the experiment: Veit, Wilber, Belongie 2016, arXiv:1605.06431.
    Raises:
        ValueError: no such layer; the exit is not an addition, with at most activations behind
            it; both summands have as many kernels.
    """
    nodes = _block(model, exit_name, exits)
    producer = {id(tensor): node for node in nodes for tensor in node.outputs}
    merge = nodes[-1]
    while len(merge.inputs) == 1 and id(merge.inputs[0]) in producer:
        merge = producer[id(merge.inputs[0])]
    if type(merge.operation).__name__ != "Add" or len(merge.inputs) != 2:
        raise ValueError(f"{exit_name} is not the exit of a residual block: no sum of two branches "
                         "leads to it. Name the layer that adds, or the activation behind it.")
    depths = [_kernels_behind(tensor, producer) for tensor in merge.inputs]
    if depths[0] == depths[1]:
        raise ValueError(f"{merge.name} adds two branches of {depths[0]} kernels each; which one "
                         "is the shortcut is not clear.")
    shortcut = depths.index(min(depths))

    def pass_shortcut(node, inputs, outputs):
        return [inputs[shortcut]] if node.outputs[0] is merge.outputs[0] else outputs

    inputs = tree.map_structure(
        lambda t: keras.Input(batch_shape=t.shape, dtype=t.dtype, name=t.name), model.input)
    outputs = graph.replay(model, tree.flatten(inputs), pass_shortcut)
    return keras.Model(inputs, outputs, name=f"{model.name}_without_{exit_name}")


def zero_block(model, exit_name, exits=None):
    """Set the weights of one block to zero, in place; its moving averages stay.

    Returns [(variable, old value), ...], which undoes it:
        for variable, value in old: variable.assign(value)
    """
    old = []
    for node in _block(model, exit_name, exits):
        for weight in getattr(node.operation, "weights", ()):
            if not weight.name.startswith("moving_"):
                old.append((weight, np.array(ops.convert_to_numpy(weight.value))))
    for weight, value in old:
        weight.assign(np.zeros_like(value))
    return old


def _block(model, exit_name, exits):
    exits = graph.exits(model) if exits is None else list(exits)
    if exit_name not in exits:
        raise ValueError(f"{exit_name!r} is not one of the exits {exits}; pass exits=[...].")
    return graph.blocks(model, exits)[exit_name]


def _kernels_behind(tensor, producer):
    seen, waiting = set(), [tensor]
    while waiting:
        node = producer.get(id(waiting.pop()))
        if node and node not in seen:
            seen.add(node)
            waiting.extend(node.inputs)
    return sum("kernel" in weight.name for node in seen
               for weight in getattr(node.operation, "weights", ()))
