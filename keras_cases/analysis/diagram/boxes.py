"""What a diagram shows: a functional model as boxes.

A box is a layer with its marks (batch normalization and activations are marks, no boxes), a
module, or an input. A graph is a dict {box: [the boxes it takes its input from]}, in the order of
the calls. `modules` makes modules and repeats of it; nothing here knows of Matplotlib or of places.
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
          "UpSampling2D": "upsample", "Cropping2D": "crop", "Rescaling": "rescale",
          "Absolute": "absolute value"}
NAMED = ("conv", "pool", "merge", "dense", "other")  # kinds that show the layer's own name
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
    links: list = dataclasses.field(default_factory=list)  # of a named block: for each part the
    # indices of the parts it reads; what lies outside is -1, -2, … for one outside box each
    output: bool = False  # of the model
    named: str = ""  # the name of that output, else of the layer, where it was given one
    reads: dict = dataclasses.field(default_factory=dict)  # {box: how many of its tensors}

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
        return first if len(self.names) == 1 else f"{first}–{last[len(same):]}"

    @property
    def key(self):
        """Equal for boxes that look the same, inside too: they may fold."""
        look = str(self.links) + "".join(p.key for p in self.parts) if self.parts else self.text
        return str((self.kind, look, self.after, self.before, self.shape[1:]))

    @property
    def shortcut(self):
        """(index of the merge, indices of what lies on the way there) of a shortcut; else None.

        It leads what the other branch starts from into a merge: bare, or, into a sum, by way of
        fewer convolutions than the other branch has (a projection, padded zeros).
        """
        def behind(i):
            return {i} | set().union(*map(behind, self.links[i])) if i >= 0 else {i}

        for merge, sources in reversed(list(enumerate(self.links))):
            if self.parts[merge].kind == "merge" and len(sources) == 2:
                a, b = sorted(map(behind, sources), key=self._convolutions)
                if a & b and (a < b or self.parts[merge].head == "add"
                              and self._convolutions(a) < self._convolutions(b)):
                    return merge, {i for i in a - b if i >= 0}
        return None

    def _convolutions(self, indices):
        return sum(i >= 0 and self.parts[i].kind == "conv" for i in indices)


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
    outputs, given = output_names(model), exits(model)
    uses = collections.Counter(i for node in nodes for i in {id(t) for t in node.inputs})
    uses.update(outputs.keys())
    calls = collections.Counter(node.name for node in nodes)
    shared, made, graph = _shared_models(nodes), {}, {}
    for node in nodes:
        sources = list(dict.fromkeys(made[id(t)] for t in node.inputs))
        block, shape = owner.get(id(node.outputs[0]), ""), tuple(node.outputs[0].shape)
        mark = _mark(node.operation) if len(sources) == 1 else False
        box = sources[0] if len(sources) == 1 else None
        if shared.get(node.name):  # one box for all calls, with an arrow from each input
            box = shared[node.name]
            graph[box] += [source for source in sources if source not in graph[box]]
        elif mark and box.block == block and uses[id(node.inputs[0])] == 1 and (
                box.kind not in ("input", "module")):
            box.after.append(mark)
        elif mark is not None:
            kind, head, tail = ("mark", "", "") if mark else _describe(
                node.operation, node.inputs, shape[-1] if shape else "")
            if kind == "input" and len(model.inputs) > 1:
                tail = _by(shape[1:])
            tail = f"{tail} (shared)".strip() if calls[node.name] > 1 else tail
            box = Box(kind, head, tail, shape, block, [mark] if mark else [], names=[node.name])
            if kind in ("conv", "dense") and hasattr(node.operation, "activation"):
                box.after += filter(None, [_function_mark(node.operation.activation)])
            if kind == "module" and hasattr(node.operation, "outputs"):
                box.parts = [b for b in read(node.operation, {}) if b.kind != "input"]
            if node.name in shared:
                times = {2: "twice"}.get(calls[node.name], f"{calls[node.name]} times")
                box.tail, box.names, shared[node.name] = "", [f"{node.name}, called {times}"], box
            box.named = node.name if kind in NAMED and node.name in given else ""
            graph[box] = sources
        box.reads |= collections.Counter(made[id(t)] for t in node.inputs)
        for tensor in node.outputs:
            box.output |= id(tensor) in outputs
            box.named = outputs.get(id(tensor)) or box.named
        made.update((id(t), box) for t in node.outputs)
    return _marks_forward(_local_response(graph))


def output_names(model):
    """{id of an output tensor: its name}: the keys of a dict, else the names that were given."""
    if not isinstance(model, keras.Sequential) and isinstance(model.output, dict):
        return {id(tensor): name for name, tensor in model.output.items()}
    given, made_by = exits(model), {id(t): n.name for n in walk(model) for t in n.outputs}
    names = {id(tensor): made_by[id(tensor)] for tensor in model.outputs}
    return {key: name if name in given else "" for key, name in names.items()}


def _shared_models(nodes):
    """{name: None} of the models that are called several times, none of the calls behind another."""
    calls, behind = collections.defaultdict(list), {}
    for node in nodes:
        before = set().union(*(behind[id(t)] for t in node.inputs))
        if isinstance(node.operation, keras.Model):
            calls[node.name].append(node.name in before)
            before = before | {node.name}
        behind.update((id(t), before) for t in node.outputs)
    return {name: None for name, again in calls.items() if len(again) > 1 and not any(again)}


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
