"""Gradients of any functional model, the same on TensorFlow, JAX and PyTorch.

Keras 3 trains on three engines but has no call for a gradient that works on all of them. This is
the one file of the package that asks which engine runs. Nothing here changes the model: batch
normalization may run in training mode, its moving averages stay as they were.

`loss` is a Keras loss, its name, or any function (y, outputs) -> a scalar or one value per image,
of which the mean is taken. For a model with several outputs pass a function that adds up the
terms. The penalties of regularizers are not part of it.
"""

import keras
from keras import ops, tree

from keras_cases.analysis.graph import find, replay


def weight_gradients(model, x, y, loss, training=True):
    """The loss on one batch and its gradient for every trainable variable.

    `x`, `y`: arrays as for `model.fit`, (batch, ...). With `training=True` batch normalization
    uses the batch's own statistics and dropout drops, as in a training step.
    Returns (loss, {variable path: array of the variable's shape}), in the model's order.
    """
    paths = [variable.path for variable in model.trainable_variables]
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise ValueError(f"Several variables are called {twice}: give their layers other names.")
    loss, x, y = keras.losses.get(loss), _tensors(x), _tensors(y)

    def total(weights):
        return ops.mean(loss(y, _outputs(model, x, training, weights)))

    value, gradients = _gradients(total, _values(model.trainable_variables))
    return value, dict(zip(paths, gradients))


def input_gradient(model, x, target=None, training=False):
    """The gradient of `target` with respect to the images: an array of the shape of `x`.

    `target`: None for each image's highest output; a class, or one class per image; or any
    function of the outputs. Its values are summed over the batch; with `training=False` images
    do not mix, so row i is the gradient of image i's own target.
    """

    def total(images):
        outputs = _outputs(model, images[0], training)
        if target is None:
            return ops.sum(ops.max(outputs, axis=-1))
        if callable(target):
            return ops.sum(target(outputs))
        classes = ops.reshape(ops.convert_to_tensor(target, dtype="int32"), (-1, 1))
        return ops.sum(ops.where(classes == ops.arange(outputs.shape[-1]), outputs, 0.0))

    return _gradients(total, [ops.convert_to_tensor(x, dtype=model.inputs[0].dtype)])[1][0]


def activation_gradients(model, layer_names, x, y, loss, training=True):
    """The loss on one batch and its gradient for the outputs of the named layers.

    How: the model's layers are called again with zeros added to each of those outputs, as further
    inputs; the gradient for the zeros is the gradient for the output.
    Returns (loss, {layer name: array of the shape of that layer's output, (batch, ...)}), in the
    order of the graph.
    """
    loss, x, y = keras.losses.get(loss), tree.flatten(_tensors(x)), _tensors(y)
    watched = {id(find(model, name).outputs[0]): name for name in layer_names}
    added = {}

    def add_zeros(node, _, outputs):
        name = watched.get(id(node.outputs[0]))
        if name is None:
            return outputs
        added[name] = keras.Input(batch_shape=outputs[0].shape, dtype=outputs[0].dtype)
        return [outputs[0] + added[name]]

    inputs = [keras.Input(batch_shape=tuple(t.shape), dtype=i.dtype) for t, i in
              zip(x, model.inputs, strict=True)]
    outputs = replay(model, inputs, add_zeros)
    if len(added) < len(watched):
        raise ValueError("The gradient for the images themselves: use input_gradient.")
    perturbed = keras.Model([*inputs, *added.values()], outputs)

    def total(zeros):
        return ops.mean(loss(y, _outputs(perturbed, [*x, *zeros], training)))

    value, gradients = _gradients(total, [ops.zeros(t.shape, t.dtype) for t in added.values()])
    return value, dict(zip(added, gradients))


def _tensors(values):
    return tree.map_structure(ops.convert_to_tensor, values)


def _values(variables):
    return [variable.value for variable in variables]


def _outputs(model, x, training, weights=None):
    """The model's outputs; what the call would change in its state is thrown away."""
    weights = _values(model.trainable_variables) if weights is None else weights
    state = _values(model.non_trainable_variables)
    return model.stateless_call(weights, state, x, training=training)[0]


def _gradients(function, tensors):
    """The value of `function(tensors)`, a scalar, and its gradient for each tensor, as arrays."""
    engine = keras.backend.backend()
    if engine == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tensors = [tf.convert_to_tensor(tensor) for tensor in tensors]
            tape.watch(tensors)
            value = function(tensors)
        gradients = tape.gradient(value, tensors, unconnected_gradients="zero")
    elif engine == "jax":
        import jax

        value, gradients = jax.value_and_grad(function)(tensors)
    elif engine == "torch":
        import torch

        tensors = [tensor.detach().clone().requires_grad_() for tensor in tensors]
        value = function(tensors)
        gradients = torch.autograd.grad(value, tensors, allow_unused=True)
        gradients = [torch.zeros_like(t) if g is None else g for t, g in zip(tensors, gradients)]
    else:
        raise ValueError(f"No gradients on the {engine!r} backend; use tensorflow, jax or torch.")
    value, *gradients = map(ops.convert_to_numpy, [value, *gradients])
    return float(value), gradients
