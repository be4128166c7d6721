"""What several tests ask of a whole net, of which only the graph matters; and graphs by hand.

A graph is written as the ways through it, in the words of `word`:

    y = then(x, "conv3:16 bn relu conv3:16 bn")      # from x through five layers
    wanted = then(join("add", x, y), "relu")

and compared with what a model does, `drawn(model)`. Both are numbers of the same table: equal if
the same layers, set alike, read the same. `lines(number)` tells a graph, one line a layer.
"""

import contextlib
import functools
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from keras import layers, ops
from keras.initializers import VarianceScaling

from keras_cases.analysis import graph

MERGES = {"Add": "add", "Concatenate": "concat", "Multiply": "mul"}
PLAIN = {"Flatten": "flatten", "Normalization": "normalize", **MERGES}
NORMS = {  # momentum, epsilon, γ?
    (0.99, 1e-3, True): "bn", (0.99, 1.001e-5, True): "bn5", (0.99, 1e-3, False): "bnβ"}
# settings that `word` shows, or that are no matter of the graph (how weights start: test_settings)
SHOWN = {"name", "filters", "units", "kernel_size", "pool_size", "strides", "padding", "groups",
         "use_bias", "activation", "keepdims", "rate", "noise_shape", "cropping", "scale",
         "momentum", "epsilon", "kernel_initializer", "depthwise_initializer", "gamma_initializer"}
DEFAULTS = {kind: kind(*args).get_config() for kind, args in [
    (layers.Conv2D, (1, 1)), (layers.DepthwiseConv2D, (1,)), (layers.Conv2DTranspose, (1, 1)),
    (layers.Dense, (1,)), (layers.BatchNormalization, ()), (layers.MaxPooling2D, ()),
    (layers.AveragePooling2D, (2,)), (layers.GlobalAveragePooling2D, ()), (layers.Dropout, (0.5,)),
    (layers.Activation, ("relu",)), (layers.ZeroPadding2D, ()), (layers.Cropping2D, ()),
    (layers.Add, ()), (layers.Concatenate, ()), (layers.Multiply, ()), (layers.Flatten, ())]}
TABLE = {}


def number(operation, *reads):
    """The number of an operation that reads these numbers, the same for the same."""
    return TABLE.setdefault((operation, reads), len(TABLE))


X = number("x")  # the input


def then(x, words):
    """The number that comes out of x through these layers, one after the other."""
    for each in words.split():
        x = number(each, x)
    return x


def join(kind, *reads):
    """The number of a merge, "add", "concat" or "mul", in the order in which it reads."""
    return number(kind, *reads)


def drawn(model):
    """The numbers of the model's outputs: one, or a tuple of several."""
    found = {id(tensor): X for tensor in model.inputs}
    for node in graph.walk(model):
        if not node.inputs:
            continue
        made = number(word(node), *[found[id(tensor)] for tensor in node.inputs])
        for i, tensor in enumerate(node.outputs):
            found[id(tensor)] = number(f"part{i}", made) if len(node.outputs) > 1 else made
    outputs = tuple(found[id(tensor)] for tensor in model.outputs)
    return outputs[0] if len(outputs) == 1 else outputs


def lines(numbers):
    """The graph behind a number or several, told line by line, inputs first."""
    told, place, keys = [], {}, list(TABLE)
    waiting = list(numbers if isinstance(numbers, tuple) else (numbers,))
    while waiting:
        operation, reads = keys[waiting[-1]]
        before = [read for read in reads if read not in place]
        if waiting[-1] in place or not before:
            if place.setdefault(waiting.pop(), len(told)) == len(told):
                told.append(f"{len(told)} {operation} ← {[place[read] for read in reads]}")
        else:
            waiting += reversed(before)
    return told


def word(node):
    """A layer in short: "conv3:16/2v-" is a 3×3 convolution, 16 filters, stride 2, valid, no bias.

    "conv1x7:4" 1×7; "+tanh" with an activation; "g2" two groups; "dw3" depthwise, "up2:4"
    transposed; "max3/2s" pools 3×3, stride 2, padding same; "gap1" keeps the sides as 1×1;
    An operation of keras.ops stands with its settings, "split(2,-1)".
    "bn5" has PyTorch's epsilon, "bnβ" no γ; "drop0.5", and "dropone0.5" for whole samples.
    Any other setting that is not Keras's default is added as "!setting=value".
    """
    layer = node.operation
    if not isinstance(layer, layers.Layer):
        settings = [value for key, value in vars(layer).items()
                    if key != "name" and not key.startswith("_")]
        given = [value for value in (*node.args, *node.kwargs.values()) if value is not None]
        told = [_told(value) for value in settings + given]
        return f"{type(layer).__name__.lower()}({','.join(filter(None, told))})"
    kind, config = type(layer), layer.get_config()
    name = PLAIN.get(kind.__name__)
    if isinstance(layer, layers.DepthwiseConv2D):
        name = "dw" + _sizes(layer.kernel_size) + _moves(config, "same", 1)
    elif isinstance(layer, layers.Conv2DTranspose):
        name = f"up{_sizes(layer.kernel_size)}:{layer.filters}" + _moves(config, "valid", 1)
    elif isinstance(layer, layers.Conv2D):
        name = f"conv{_sizes(layer.kernel_size)}:{layer.filters}" + _moves(config, "same", 1)
    elif isinstance(layer, (layers.MaxPooling2D, layers.AveragePooling2D)):
        name = ("max" if isinstance(layer, layers.MaxPooling2D) else "avg") + _sizes(
            layer.pool_size) + _moves(config, "valid", None)
    elif isinstance(layer, layers.GlobalAveragePooling2D):
        name = "gap1" if layer.keepdims else "gap"
    elif isinstance(layer, layers.BatchNormalization):
        settings = layer.momentum, layer.epsilon, layer.scale
        name = NORMS.get(settings, f"bn{settings}".replace(" ", ""))
    elif isinstance(layer, layers.Activation):
        name = config["activation"]
    elif isinstance(layer, layers.Dense):
        name = f"dense{layer.units}" + _moves(config, "same", 1)
    elif isinstance(layer, layers.Dropout):
        kinds = {None: "drop", (None, 1, 1, 1): "dropone"}
        name = kinds.get(layer.noise_shape, f"drop{layer.noise_shape}") + f"{layer.rate:g}"
    elif isinstance(layer, layers.ZeroPadding2D):
        name = "pad" + _sizes([n for side in layer.padding for n in side])
    elif isinstance(layer, layers.Cropping2D):
        name = "crop" + _sizes([n for side in layer.cropping for n in side])
    elif isinstance(layer, layers.Rescaling):
        name = f"times{layer.scale:.4g}"
    odd = [f"!{key}={config[key]}" for key, value in DEFAULTS.get(kind, {}).items()
           if key not in SHOWN | {"dtype", "trainable"} and config[key] != value]
    odd += ["!training=True"] * (node.kwargs.get("training") is True)
    return "".join([name, *odd]).replace(" ", "")


def _told(value):
    """A setting of an operation: numbers as they are, an array by its shape, a tensor not at all."""
    if isinstance(value, keras.KerasTensor):
        return ""
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(filter(None, map(_told, value))) + "]"
    if isinstance(value, slice):
        return f"{'' if value.start is None else value.start}:{value.stop}"
    if hasattr(value, "shape"):
        return "array" + "x".join(map(str, value.shape))
    return "…" if value is ... else str(value)


def _sizes(sizes):
    return str(sizes[0]) if len(set(sizes)) == 1 else "x".join(map(str, sizes))


def _moves(config, padding, strides):
    text = ""
    if config.get("strides", 1) not in (strides, (strides, strides)):
        text += "/" + _sizes(config["strides"])
    one = set(config.get("kernel_size", (0,))) == {1}  # 1×1 pads nothing either way
    if config.get("padding", padding) != padding and not one:
        text += config["padding"][0]
    text += "" if config.get("use_bias", True) else "-"
    text += f"g{config['groups']}" if config.get("groups", 1) > 1 else ""
    activation = config.get("activation", "linear")
    return text if activation == "linear" else f"{text}+{activation}"


@functools.cache
def on_numpy(name):
    """What "module.function" of the tests returns (what JSON can write), on the NumPy backend.

    Nets are built there three times as fast as on TensorFlow, and a graph is the same on both.
    """
    module, function = name.split(".")
    if keras.backend.backend() == "numpy":
        return getattr(importlib.import_module(module), function)()
    here = Path(__file__).resolve().parent
    path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
    said = subprocess.run(
        [sys.executable, "-c",
         f"import json, {module} as m; print(); print(json.dumps(m.{function}()))"],
        env={**os.environ, "KERAS_BACKEND": "numpy", "PYTHONPATH": path}, text=True,
        capture_output=True)
    assert said.returncode == 0, said.stderr[-2000:]
    return json.loads(said.stdout.splitlines()[-1])


def starts(model):
    """How the model's kernels start, layer after layer: ["HeNormal", …]."""
    found = []
    for layer in model.layers:
        for key in ("kernel_initializer", "depthwise_initializer"):
            start = getattr(layer, key, None) if hasattr(layer, "kernel") else None
            if start is not None:
                config = start.get_config() if type(start) is VarianceScaling else {}
                found.append(" ".join([type(start).__name__, *(
                    f"{config[k]:.3g}" if k == "scale" else config[k]
                    for k in ("scale", "mode", "distribution") if k in config)]))
    return found


def has_kernel(operation):
    return any(w.name == "kernel" for w in getattr(operation, "weights", ()))


def longest_path(model, counts=has_kernel):
    """How many operations that count, layers with a kernel, are on the longest way through."""
    depth = {}
    for node in graph.walk(model):
        before = max((depth[id(t)] for t in node.inputs), default=0)
        depth.update({id(t): before + counts(node.operation) for t in node.outputs})
    return max(depth.values())


@contextlib.contextmanager
def zero_weights():
    """Nets built inside start as zeros: faster, where only the graph is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.initializers.VarianceScaling, "__call__",
                      lambda self, shape, dtype=None, **_: ops.zeros(shape, dtype))
        yield
