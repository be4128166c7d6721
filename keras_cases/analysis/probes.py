"""What goes on in any functional model: gradient norms, update ratios, dead units.

What changes a model (lesions, blocks set to zero) is in `surgery`.
"""

import keras
import numpy as np
from keras import ops

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
