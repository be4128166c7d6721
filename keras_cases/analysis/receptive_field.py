"""How far a unit sees: the theoretical receptive field of every layer, and the effective one.

Each output unit reads a window of input units, each of these reads a window of its own inputs, and
so on down to the pixels. Followed for height and width apart, this gives first and last pixel
exactly, padding included. Units need not see alike (after an up-sampling by 2 odd and even units
differ), but they repeat: unit i + period sees what unit i sees, moved by `shift` pixels.
Transposed convolutions are counted as TensorFlow and JAX pad them; PyTorch's lie a pixel off where
Keras warns of it.

Source: Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks",
Distill 2019 (size, stride and offset); Luo et al. 2016, arXiv:1701.04128 (effective field).
"""

import math
import typing

import keras
import numpy as np
from keras import layers

from keras_cases.analysis import graph
from keras_cases.analysis.gradients import input_gradient

POINTWISE = set(  # every unit reads the units at its own place only
    "InputLayer Identity Activation ReLU LeakyReLU PReLU ELU BatchNormalization Dense "
    "Add Subtract Multiply Average Maximum Minimum Concatenate Split Divide TrueDivide Negative "
    "Dropout SpatialDropout2D AlphaDropout GaussianDropout GaussianNoise ActivityRegularization "
    "Rescaling Normalization Absolute Abs Clip Power Square Sqrt Rsqrt Exp Log Log1p Expm1 Cast "
    "Reciprocal Sign StopGradient Relu Relu6 LeakyRelu Elu Selu Gelu Silu Sigmoid HardSigmoid "
    "HardSilu Softplus Softsign Tanh".split()
)
WHOLE_IMAGE = "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Flatten"
ALONG_AXES = "Softmax", "LogSoftmax"  # with REDUCTIONS: as their axis says
REDUCTIONS = "Mean", "Sum", "Max", "Min", "Amax", "Amin", "Var", "Std"


class Field(typing.NamedTuple):
    """A receptive field in pixels of the input, each as (height, width).

    `size`: of the widest window, which may reach beyond the image. `stride`: the step from one
    unit to the next. `offset`: the centre of unit 0; pixel 0 is at 0.0, the padding is below it.
    """

    size: tuple
    stride: tuple
    offset: tuple


class _Windows(typing.NamedTuple):
    """Along one axis, the pixels first[i] to last[i] of unit i; after the last entry it repeats,
    moved by `shift` pixels. Infinite ends: the whole image."""

    first: tuple
    last: tuple
    shift: float

    def at(self, unit):
        turns, place = divmod(unit, len(self.first))
        return self.first[place] + turns * self.shift, self.last[place] + turns * self.shift

    @property
    def stride(self):
        return self.shift / len(self.first)

    @property
    def whole(self):
        return math.inf in self.last


def receptive_field(model, layer=None):
    """The theoretical receptive field of `layer`, or {layer name: Field} of all in graph order.

    Across branches the field is the hull of all paths. Behind global pooling, Flatten or a gate
    made from them, a unit sees the whole image: size and stride are the image's. Nested models
    are opened ("model/layer"). Images are (batch, height, width, channels).

    Raises:
        ValueError: an unknown height or width, an operation whose reach is not known, branches
            that merge with different strides, no layer of that name.
    """
    calls = graph.walk(model)
    image = model.inputs[0].shape
    if len(image) != 4 or None in image[1:3]:
        raise ValueError(
            f"{model.name} takes an input of shape {image}; wanted (batch, height, width, "
            "channels) with height and width known. Build it again with a size, say "
            "input_shape=(224, 224, 3)."
        )
    fields, seen = {}, {}
    for call in calls:
        for node in graph.expand(call):
            axes = [_windows(node, axis, [seen[id(t)][axis - 1] for t in node.inputs], image[axis])
                    for axis in (1, 2)]
            seen.update({id(tensor): axes for tensor in node.outputs})
            fields[node.name] = _field(axes, image[1:3])
        fields[call.name] = _field(seen[id(call.outputs[0])], image[1:3])
    if layer is None:
        return fields
    return fields[layer] if layer in fields else fields[graph.find(model, layer).name]


def effective_receptive_field(model, layer, images):
    """How strongly each pixel moves the centre unit of `layer`: an array (height, width).

    The gradient of the centre unit, summed over its channels, for each image; of that the absolute
    value, summed over colours, averaged over the images, and divided by the largest.
    `images`: (batch, height, width, channels); 20 or more give a smooth picture.
    """
    output = graph.find(model, layer).outputs[0]
    if len(output.shape) != 4:
        raise ValueError(f"{layer} gives {output.shape}; wanted a layer with height and width.")
    part = keras.Model(model.inputs, output)
    height, width = output.shape[1:3]
    gradient = input_gradient(part, images, lambda y: y[:, height // 2, width // 2])
    strength = np.abs(gradient).sum(axis=-1).mean(axis=0)
    return strength / max(strength.max(), np.finfo(strength.dtype).tiny)


def _windows(node, axis, inputs, pixels):
    """What the node's output units see along `axis`, given what its inputs' units see."""
    kind, reach = type(node.operation).__name__, _reach(node, axis)
    if not inputs:
        return _Windows((0,), (0,), 1)
    if reach:
        sources, up, down = reach
        repeats = len(inputs[0].first) // math.gcd(down, len(inputs[0].first))
        spans = [[inputs[0].at(unit) for unit in sources(out)] for out in range(up * repeats)]
        return _hull(spans, inputs[0].shift * down * repeats // len(inputs[0].first))
    if _pointwise(node, axis):
        return _merge(node, axis, inputs)
    if kind in WHOLE_IMAGE or _along(node, axis) or len(node.outputs[0].shape) == 2 or all(w.whole for w in inputs):
        return _Windows((-math.inf,), (math.inf,), pixels)
    raise ValueError(
        f"How far {node.name} ({kind}) sees is not known. Ask about a layer before it, with a "
        "model that ends there: keras.Model(model.inputs, model.get_layer(name).output)."
    )


def _hull(spans, shift):
    first = tuple(min((first for first, _ in span), default=math.inf) for span in spans)
    last = tuple(max((last for _, last in span), default=-math.inf) for span in spans)
    return _Windows(first, last, shift)


def _merge(node, axis, inputs):
    """The hull over branches; those of size 1 beside larger ones are gates, spread over all."""
    sizes = [t.shape[axis] if len(t.shape) > 3 else 1 for t in node.inputs]
    aligned = [w for w, size in zip(inputs, sizes) if size == max(sizes)]
    strides = {w.stride for w in aligned if not w.whole} or {aligned[0].stride}
    narrow = [w for w, size in zip(inputs, sizes) if size < max(sizes) and not w.whole]
    if narrow or (len(strides) > 1 and max(sizes) > 1):
        raise ValueError(f"{node.name} merges branches whose units are not above one another: "
                         f"sizes {sizes}, strides {[w.stride for w in inputs]} pixels.")
    period = math.lcm(*(len(w.first) for w in inputs))
    spans = [[w.at(unit) for w in inputs] for unit in range(period)]
    return _hull(spans, round(max(strides) * period))


def _pointwise(node, axis):
    operation, kind = node.operation, type(node.operation).__name__
    before, after = node.inputs[0].shape, node.outputs[0].shape
    if kind in REDUCTIONS + ALONG_AXES:
        return len(after) == len(before) and not _along(node, axis)
    if kind == "Reshape":
        return before[1:3] == after[1:3]
    if kind in ("Concatenate", "Split", "Take") and len(before) == 4:
        return operation.axis in (-1, 3)
    return kind in POINTWISE


def _along(node, axis):
    """Does the operation mix all units along `axis`: a mean of an axis, a softmax over it?"""
    if type(node.operation).__name__ not in REDUCTIONS + ALONG_AXES:
        return False
    over, rank = node.operation.axis, len(node.inputs[0].shape)
    over = over if isinstance(over, (list, tuple)) else [over]
    return None in over or axis in {a % rank for a in over}


def _reach(node, axis):
    """(sources, up, down): output unit o reads the input units sources(o), and the output unit
    `up` further on reads `down` further on. None where the operation has no window of its own."""
    operation, kind = node.operation, type(node.operation).__name__
    if not node.inputs or len(node.inputs[0].shape) != 4:
        return None
    if getattr(operation, "data_format", None) == "channels_first":
        raise ValueError(f"{node.name} has its channels first; wanted channels last.")
    of = lambda value: value if isinstance(value, int) else value[axis - 1]  # noqa: E731
    units = node.inputs[0].shape[axis]
    if hasattr(operation, "kernel_size") or hasattr(operation, "pool_size"):
        kernel = of(getattr(operation, "kernel_size", None) or operation.pool_size)
        stride = of(operation.strides or kernel)
        dilation = of(getattr(operation, "dilation_rate", 1))
        width = (kernel - 1) * dilation + 1
        if isinstance(operation, layers.Conv2DTranspose):
            extra = operation.output_padding  # how long the output is, so how much of it is cut off
            length = stride if extra is None else width % 2 + of(extra)
            same = max(width - length, 0) // 2 if operation.padding == "same" else 0
            return lambda o: [(o + same - t * dilation) // stride for t in range(kernel)
                              if (o + same - t * dilation) % stride == 0], stride, 1
        lacking = (math.ceil(units / stride) - 1) * stride + width - units
        same = max(lacking, 0) // 2 if operation.padding == "same" else 0
        return lambda o: range(o * stride - same, o * stride - same + width, dilation), 1, stride
    if kind == "UpSampling2D" and operation.interpolation == "nearest":
        times = of(operation.size)
        return lambda o: [o // times], times, 1
    if kind == "UpSampling2D" and operation.interpolation == "bilinear":
        times = of(operation.size)
        place = lambda o: (o + 0.5) / times - 0.5  # noqa: E731
        return lambda o: [math.floor(place(o)), math.ceil(place(o))], times, 1
    if kind == "ZeroPadding2D":
        return lambda o: [o - operation.padding[axis - 1][0]], 1, 1
    if kind == "Cropping2D":
        return lambda o: [o + operation.cropping[axis - 1][0]], 1, 1
    if kind == "Pad" and operation.mode == "constant":
        pads = operation.pad_width
        return lambda o: [o - (pads[axis] if len(pads) > 1 else pads[0])[0]], 1, 1
    if kind == "GetItem" and len(node.outputs[0].shape) == 4:
        start, _, step = _slice(node, axis).indices(units)
        return (lambda o: [start + o * step], 1, step) if step > 0 else None  # mirrored: no stride
    return None


def _slice(node, axis):
    key = node.args[1] if len(node.args) > 1 else node.kwargs["key"]
    key = list(key) if isinstance(key, (list, tuple)) else [key]
    if Ellipsis in key:
        place = key.index(Ellipsis)
        key[place : place + 1] = [slice(None)] * (5 - len(key))
    return key[axis] if axis < len(key) else slice(None)


def _field(axes, image):
    sizes, strides, offsets = [], [], []
    for windows, pixels in zip(axes, image):
        reach = max(last - first + 1 for first, last in zip(windows.first, windows.last))
        sizes.append(pixels if windows.whole else reach)
        strides.append(_plain(windows.stride))
        offsets.append(_plain((pixels - 1) / 2 if windows.whole else sum(windows.at(0)) / 2))
    return Field(tuple(sizes), tuple(strides), tuple(offsets))


def _plain(number):
    return int(number) if float(number).is_integer() else number
