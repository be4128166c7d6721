"""What goes on in any functional model: gradients, dead units, what a layer knows, what a block adds.

What changes a model (lesions, blocks set to zero) is in `surgery`.
"""

import keras
import numpy as np
from keras import ops, tree

from keras_cases.analysis import graph, surgery
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
        for lives, output in zip(alive, tree.flatten(outputs)):  # one alone is no list
            values = ops.convert_to_numpy(output)
            lives |= (values != 0).any(axis=tuple(range(values.ndim - 1)))
    return {name: float(1 - lives.mean()) for name, lives in zip(layer_names, alive)}


def linear_probes(model, layer_names, x, y, x_test, y_test, ridge=1.0, batch_size=128):
    """What a linear classifier reads behind each named layer: {layer name: accuracy on the test part}.

    It sees each channel's mean over the pixels (a dense layer's outputs as they are), standardized,
    and is fitted on `x`, `y` in closed form: least squares to 1 for the class and 0 for the others,
    with a penalty of `ridge` on the squared weights. `y`, `y_test`: class numbers from 0.

    Source of the experiment: Alain, Bengio 2016, arXiv:1610.01644.
    """
    classes = np.eye(int(max(np.max(y), np.max(y_test))) + 1)[np.ravel(y)]
    known, new = (_channel_means(model, layer_names, images, batch_size) for images in (x, x_test))
    scores = {}
    for name in layer_names:
        mean, deviation = known[name].mean(0), known[name].std(0) + 1e-6
        a, b = (np.column_stack([(part[name] - mean) / deviation, np.ones(len(part[name]))])
                for part in (known, new))
        penalty = ridge * np.diag([1.0] * len(mean) + [0.0])  # none on the constant
        weights = np.linalg.lstsq(a.T @ a + penalty, a.T @ classes, rcond=None)[0]
        scores[name] = float(((b @ weights).argmax(1) == np.ravel(y_test)).mean())
    return scores


def residual_ratios(model, x, exits=None, batch_size=128):
    """How large what each residual block adds is, |F(x)| / |shortcut|: {exit name: (images,) array}.

    The L2 norms over all pixels and channels of an image, at inference. The model must be a chain
    of blocks; `exits` and errors as in `surgery.pieces`.
    """
    parts, both = surgery.pieces(model, exits), surgery.branches(model, exits)
    ratios = {name: [] for name in both}
    for start in range(0, len(x), batch_size):
        here = ops.convert_to_tensor(x[start : start + batch_size])
        for name, part in parts.items():
            if name in both:
                past, added = (np.reshape(ops.convert_to_numpy(branch), (len(here), -1))
                               for branch in both[name](here, training=False))
                ratios[name].append(np.linalg.norm(added, axis=1) / np.linalg.norm(past, axis=1))
            here = part(here, training=False)
    return {name: np.concatenate(parts) for name, parts in ratios.items()}


def _channel_means(model, layer_names, x, batch_size):
    """{layer name: (images, channels)}: each map's mean."""
    part = keras.Model(model.inputs, [graph.find(model, n).outputs[0] for n in layer_names])
    found = {name: [] for name in layer_names}
    for start in range(0, len(x), batch_size):
        outputs = part(ops.convert_to_tensor(x[start : start + batch_size]), training=False)
        for name, output in zip(layer_names, tree.flatten(outputs)):  # one alone is no list
            values = ops.convert_to_numpy(output).astype("float64")
            found[name].append(values.mean(axis=tuple(range(1, values.ndim - 1))))
    return {name: np.concatenate(parts) for name, parts in found.items()}
