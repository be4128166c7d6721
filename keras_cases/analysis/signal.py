"""Signal and gradient across the depth of any functional model: what arrives where, and how large."""

import keras
import numpy as np
from keras import ops, tree

from keras_cases.analysis import graph
from keras_cases.analysis.gradients import activation_gradients


def layer_outputs(model, layer_names, x, training=False):
    """What the named layers give for the images `x`: {layer name: array (images, ...)}.

    With `training=True` by the batch's own statistics; the moving averages stay as they were.
    """
    part = keras.Model(model.inputs, [graph.find(model, n).outputs[0] for n in layer_names])
    weights, state = ([variable.value for variable in variables] for variables in (
        part.trainable_variables, part.non_trainable_variables))
    outputs = part.stateless_call(weights, state, ops.convert_to_tensor(x), training=training)[0]
    return dict(zip(layer_names, map(ops.convert_to_numpy, tree.flatten(outputs))))


def signal_and_gradient(model, layer_names, x, y, loss, training=True):
    """How large the signal and the gradient are, layer by layer: {layer name: (size, spread, gradient)}.

    size: the rms (root of the mean square) of the layer's output on the batch. spread: the rms of
    what differs from image to image, the output less its mean over the batch; 0 where all images
    look the same. gradient: the rms of the loss gradient for the output; the loss is a mean over the
    batch, so compare batches of one size. `x`, `y`, `loss`, `training`: as in
    `gradients.weight_gradients`.
    """
    outputs = layer_outputs(model, layer_names, x, training)
    _, slopes = activation_gradients(model, layer_names, x, y, loss, training)
    return {name: (_rms(outputs[name]), _rms(outputs[name] - outputs[name].mean(axis=0)),
                   _rms(slopes[name])) for name in layer_names}


def _rms(values):
    return float(np.sqrt(np.mean(np.square(values, dtype="float64"))))
