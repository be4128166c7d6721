"""What a diagram shows: a functional model as boxes, modules and repeats.

A box is a layer with its marks (batch normalization and activations are marks, no boxes), a
module, or an input. A graph is a dict {box: [the boxes it takes its input from]}, in the order of
the calls. `diagram` draws such graphs; nothing here knows of Matplotlib or of places.
"""

import collections
import dataclasses
import functools
import os
import re

import keras

from keras_cases.analysis.graph import exits, walk

MARKS = {  # operation or activation: (letter, its name in the legend); None is not drawn
    "batchnormalization": ("B", "batch normalization"), "relu": ("R", "ReLU"),
    "tanh": ("T", "tanh"), "softmax": ("S", "softmax"), "sigmoid": ("σ", "sigmoid"),
    "relu6": ("6", "ReLU6"), "dropout": ("D", "dropout"), "spatialdropout2d": ("D", "dropout"),
    "silu": ("W", "swish"), "gelu": ("G", "GELU"), "leakyrelu": ("L", "leaky ReLU"),
    "prelu": ("P", "PReLU"), "elu": ("E", "ELU"), "identity": None, "linear": None,
    "layernormalization": ("N", "layer normalization")}
MERGES = {"Add": "add", "Concatenate": "concat", "Multiply": "multiply", "Average": "average",
          "Maximum": "maximum", "Minimum": "minimum", "Subtract": "subtract", "Dot": "dot"}
OTHERS = {"Flatten": "flatten", "Reshape": "reshape", "ZeroPadding2D": "pad", "Pad": "pad",
          "UpSampling2D": "upsample", "Cropping2D": "crop", "Rescaling": "rescale"}
CONVS = {"Depthwise": "dw conv", "Separable": "sep conv", "Transpose": "up-conv"}


@dataclasses.dataclass(eq=False)
class Box:
    """One box of a diagram; kind "bend" is a corner of an edge that passes beside boxes."""

    kind: str  # conv, pool, merge, dense, module, input, mark (of marks alone), other
    head: str = ""  # "conv 3×3"
    tail: str = ""  # "64 /2"
    shape: tuple = ()  # of the output
    block: str = ""  # the exit it leads to
    after: list = dataclasses.field(default_factory=list)  # marks, as in MARKS
    before: list = dataclasses.field(default_factory=list)
    names: list = dataclasses.field(default_factory=list)  # of all copies folded into this box
    parts: list = dataclasses.field(default_factory=list)  # of a module
    wires: str = ""  # how the parts of a named block are connected
    output: bool = False  # of the model

    @property
    def text(self):
        """The label: "conv 3×3, 64 /2"."""
        return f"{self.head}{', ' if self.kind == 'conv' and self.tail[:1].isdigit() else ' '}" \
               f"{self.tail}".strip()

    @property
    def title(self):
        """The name; of folded blocks "stage1_block1–3"."""
        first, last = self.names[0], self.names[-1]
        same = re.sub(r"\d+$", "", os.path.commonprefix([first, last]))
        shared = " (shared)" if self.tail.endswith("(shared)") else ""
        return (first if len(self.names) == 1 else f"{first}–{last[len(same):]}") + shared

    @property
    def key(self):
        """Equal for boxes that look the same, inside too: they may fold."""
        look = self.wires + "".join(p.key for p in self.parts) if self.parts else self.text
        return str((self.kind, look, self.after, self.before, self.shape[1:]))


# ---- model → boxes ----

def _mark(operation):
    """What stands for the whole operation: (letter, name), None for nothing, False for a box."""
    name = type(operation).__name__.lower()
    if name == "activation":
        return _function_mark(operation.activation)
    if name == "relu" and getattr(operation, "max_value", None) == 6:
        return MARKS["relu6"]
    return MARKS.get(name, False)


def _function_mark(function):
    name = getattr(function, "__name__", type(function).__name__)
    return MARKS.get(name.replace("_", "").lower(), (name[:2].capitalize(), name))


def _by(value):
    return "×".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)


def _describe(operation, inputs, channels):
    """(kind, head, tail) of an operation that is no mark; of an unknown one its class name."""
    name, get = type(operation).__name__, functools.partial(getattr, operation)
    step, rate = get("strides", None) or 1, get("dilation_rate", 1)
    step, rate = (v[0] if isinstance(v, (tuple, list)) and len({*v}) == 1 else v
                  for v in (step, rate))
    step = "" if step == 1 else f" {'↑' if 'Transpose' in name else '/'}{_by(step)}"
    if isinstance(operation, keras.Model):
        return "module", operation.name, ""
    if name == "InputLayer":
        return "input", "input" if operation.name.startswith("input_layer") else operation.name, ""
    if name in MERGES and len(inputs) > 1:
        return "merge", MERGES[name], ""
    if "Conv" in name and (get("kernel_size", "") or not isinstance(operation, keras.layers.Layer)):
        word = next((CONVS[key] for key in CONVS if key in name), "conv")
        tail = "" if word == "dw conv" else str(channels)
        tail += f", {operation.groups} groups" if get("groups", 1) > 1 else ""
        tail += f", rate {_by(rate)}" if rate != 1 else ""
        return "conv", f"{word} {_by(get('kernel_size', ''))}".strip(), (tail + step).strip()
    if "Pool" in name:
        word = "avg-pool" if "Average" in name else "max-pool" if "Max" in name else name
        size = "" if "Global" in name else _by(get("pool_size", ""))
        return ("pool", "global", word) if "Global" in name else ("pool", word, size + step)
    if name == "Dense":
        return "dense", "Dense", str(channels)
    return "other", (MERGES | OTHERS).get(name, name), ""


def read(model, owner):
    """The graph of a model: its boxes, each with its marks. `owner`: {id of an output: block}."""
    nodes = walk(model)
    outputs = {id(t) for t in model.outputs}
    uses = collections.Counter(i for node in nodes for i in {id(t) for t in node.inputs})
    uses.update(outputs)
    calls = collections.Counter(node.name for node in nodes)
    made, graph = {}, {}
    for node in nodes:
        sources = list(dict.fromkeys(made[id(t)] for t in node.inputs))
        block, shape = owner.get(id(node.outputs[0]), ""), tuple(node.outputs[0].shape)
        mark = _mark(node.operation) if len(sources) == 1 else False
        box = sources[0] if len(sources) == 1 else None
        if mark and box.block == block and uses[id(node.inputs[0])] == 1 and (
                box.kind not in ("input", "module")):
            box.after.append(mark)
        elif mark is not None:
            kind, head, tail = ("mark", "", "") if mark else _describe(
                node.operation, node.inputs, shape[-1] if shape else "")
            tail = f"{tail} (shared)".strip() if calls[node.name] > 1 else tail
            box = Box(kind, head, tail, shape, block, [mark] if mark else [], names=[node.name])
            if kind in ("conv", "dense") and hasattr(node.operation, "activation"):
                box.after += filter(None, [_function_mark(node.operation.activation)])
            if kind == "module" and hasattr(node.operation, "outputs"):
                box.parts = [b for b in read(node.operation, {}) if b.kind != "input"]
            graph[box] = sources
        box.output |= any(id(t) in outputs for t in node.outputs)
        made.update((id(t), box) for t in node.outputs)
    return _marks_forward(_local_response(graph))


def _local_response(graph):
    """Local response normalization, a dozen operations from x to x · (…)^power, as one box."""
    for box in [box for box in graph if [s.head for s in graph[box]].count("Power") == 1 ==
                len(graph[box]) - 1]:
        (power,) = [source for source in graph[box] if source.head == "Power"]
        (x,) = [source for source in graph[box] if source is not power]
        inner, waiting = [], [power]
        while waiting:
            inner.append(waiting.pop())
            waiting += [s for s in graph[inner[-1]] if s is not x and s not in inner + waiting]
        if any(i.head == "Square" for i in inner) and x in (s for i in inner for s in graph[i]):
            box.kind, box.head, graph[box] = "other", "LRN", [x]
            graph = {b: sources for b, sources in graph.items() if b not in inner}
    return graph


def _marks_forward(graph):
    """Pre-activation: marks between a fork and a single layer are drawn on that layer."""
    users = collections.defaultdict(list)
    for box, sources in graph.items():
        for source in sources:
            users[source].append(box)
    for box in [box for box in graph if box.kind == "mark" and not box.output]:
        user = users[box][0]
        if len(users[box]) == 1 and user.block == box.block and len(graph[user]) == 1:
            if user.kind in ("conv", "pool", "dense", "other"):
                user.before, graph[user] = box.after + user.before, graph.pop(box)
    return graph


# ---- boxes → modules and repeats ----

def given_exits(model):
    """`graph.exits`, or none where most layers have a name, or only outputs: no blocks there."""
    nodes = {node.name: node for node in walk(model) if node.inputs}
    named = [name for name in exits(model) if not isinstance(nodes[name].operation, keras.Model)]
    outputs = {id(t) for t in model.outputs}
    inner = any(not outputs & {id(t) for t in nodes[name].outputs} for name in named)
    return named if inner and len(named) <= len(nodes) / 2 else []


def rewire(graph, stands):
    """The graph with each box replaced by what stands for it, their inputs united."""
    new = {}
    for box, sources in graph.items():
        box = stands.get(box, box)
        wires = new.pop(box, []) + [stands.get(source, source) for source in sources]
        new[box] = [source for source in dict.fromkeys(wires) if source is not box]
    return new


def modules(graph):
    """Each named block of several layers as one module; a head of three layers or less is not."""
    groups, stands = collections.defaultdict(list), {}
    for box in graph:
        if box.kind != "input":
            groups[box.block].append(box)
    for block, parts in groups.items():
        output = any(part.output for part in parts)
        if block not in ("", "head") and len(parts) > (3 if output else 1):
            wires = str([[parts.index(s) if s in parts else -1 for s in graph[part]]
                         for part in parts])
            module = Box("module", block, "", parts[-1].shape, block, names=[block], parts=parts,
                         wires=wires, output=output)
            stands.update(dict.fromkeys(parts, module))
    return rewire(graph, stands)


def repeats(graph):
    """{copy: the first of its run}, for boxes in a chain that look the same."""
    users = collections.Counter(source for sources in graph.values() for source in sources)
    first = {}
    for box, sources in graph.items():
        if len(sources) == 1 and users[sources[0]] == 1 and not sources[0].output:
            start = first.get(sources[0], sources[0])
            if start.key == box.key and (box.kind == "module" or start.block == box.block):
                first[box] = start
    return first


def fold(graph, copies):
    """The graph without the copies; the first of each run takes their names."""
    for copy, first in copies.items():
        first.names += copy.names
    return rewire({box: graph[box] for box in graph if box not in copies}, copies)


def fold_blocks(graph):
    """A graph of layers with repeated blocks drawn once, and its modules (for frames)."""
    whole = modules(graph)
    copies = {copy: first for copy, first in repeats(whole).items() if copy.wires}
    twins = {part: twin for copy, first in copies.items()
             for part, twin in zip(copy.parts, first.parts)}
    whole = fold(whole, copies)
    return (rewire({box: graph[box] for box in graph if box not in twins}, twins),
            [box for box in whole if box.wires])
