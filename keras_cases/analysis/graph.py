"""The graph of a functional model: its calls in order, its nested models, its named blocks.

`model.layers` leaves out the operations of `keras.ops`, and lists a shared layer once however
often it is called. The tools that read a model (cost, receptive field, probes, diagram) walk its
calls instead:

    for node in walk(model):
        print(node.name, [t.shape for t in node.inputs], [t.shape for t in node.outputs])

Keras keeps the history of every symbolic tensor in `_keras_history`; this file is the only one
that reads it.
"""

import dataclasses
import difflib
import re

import keras
from keras import tree


@dataclasses.dataclass(frozen=True, eq=False)
class Node:
    """One call of one operation: a layer, a nested model or an operation of `keras.ops`.

    `inputs` and `outputs` are lists of KerasTensors. `args` and `kwargs` are those of the call,
    with the tensors in their places. `name` is the operation's; in a nested model "model/layer".
    """

    operation: object
    inputs: list
    outputs: list
    name: str
    args: tuple = ()
    kwargs: dict = dataclasses.field(default_factory=dict)


def is_functional(model):
    """Is it a model with a graph: functional, or a built Sequential?"""
    return isinstance(model, keras.Model) and hasattr(model, "outputs")


def walk(model):
    """The calls of `model` from inputs to outputs, branch after branch, as a list of `Node`.

    Every node comes after the nodes that make its inputs. A shared layer appears once per call.
    A nested model is one node: see `expand`.

    Raises:
        ValueError: `model` has no graph (a subclassed model, or a Sequential not yet built).
    """
    if not is_functional(model):
        raise ValueError(
            f"Got {model!r}, wanted a functional keras.Model, which has a graph of layers. "
            "Build it as keras.Model(inputs, outputs); give a Sequential a keras.Input."
        )
    nodes, done = [], set()
    waiting = list(reversed(model.inputs + model.outputs))
    while waiting:
        call = _call(waiting[-1])
        before = [t for t in call.input_tensors if id(_call(t)) not in done]
        if id(call) in done:
            waiting.pop()
        elif before:
            waiting.extend(reversed(before))
        else:
            waiting.pop()
            done.add(id(call))
            nodes.append(
                Node(
                    call.operation,
                    list(call.input_tensors),
                    list(call.outputs),
                    call.operation.name,
                    call.arguments.args,
                    call.arguments.kwargs,
                )
            )
    return nodes


def _call(tensor):
    history = tensor._keras_history
    return history.operation._inbound_nodes[history.node_index]


def replay(model, inputs, change=None):
    """Call the model's layers again, one by one, on other symbolic inputs; weights are shared.

    `inputs`: a flat list of KerasTensors. `change(node, inputs, outputs)`, if given, gets each
    node with its new inputs and outputs and returns the list of outputs to go on with.
    Returns the outputs in the structure (tensor, list or dict) of the model's own.
    """
    new = dict(zip(map(id, model.inputs), inputs, strict=True))
    for node in (node for node in walk(model) if node.inputs):
        args, kwargs = tree.map_structure(
            lambda value: new.get(id(value), value), (node.args, node.kwargs)
        )
        outputs = tree.flatten(node.operation(*args, **kwargs))
        if change:
            outputs = change(node, [new[id(t)] for t in node.inputs], outputs)
        new.update(zip(map(id, node.outputs), outputs, strict=True))
    if isinstance(model, keras.Sequential):
        return new[id(model.outputs[0])]
    return tree.map_structure(lambda tensor: new[id(tensor)], model.output)


def expand(node):
    """`[node]`; or, where it calls a model, that model's calls at the sizes of this call.

    Names become "model/layer"; models nested deeper are expanded too. The first and last tensors
    are those of `node`, so the nodes fit into the graph around it.
    """
    if not is_functional(node.operation):
        return [node]
    inputs = [keras.Input(batch_shape=t.shape, dtype=t.dtype) for t in node.inputs]
    inner = keras.Model(inputs, tree.flatten(replay(node.operation, inputs)))
    outer = dict(zip(map(id, inner.inputs + inner.outputs), node.inputs + node.outputs))
    nodes = []
    for part in (part for call in walk(inner) for part in expand(call) if part.inputs):
        ends = {
            "inputs": [outer.get(id(t), t) for t in part.inputs],
            "outputs": [outer.get(id(t), t) for t in part.outputs],
            "name": f"{node.name}/{part.name}",
        }
        nodes.append(dataclasses.replace(part, **ends))
    return nodes


def find(model, name):
    """The node of `model` with that name (the last one, if the layer is called several times).

    Prefer `find(model, name).outputs[0]` to `model.get_layer(name).output`: the second is a
    tensor of the model that called the layer first, which is another one where layers are shared.
    """
    nodes = {node.name: node for node in walk(model)}
    if name not in nodes:
        near = difflib.get_close_matches(str(name), nodes, n=3) or list(nodes)[-3:]
        raise ValueError(
            f"{model.name} has no layer named {name!r}; near it are {', '.join(near)}. "
            "[layer.name for layer in model.layers] lists them all."
        )
    return nodes[name]


def exits(model):
    """Names of the layers that were given one, in order; Keras names the others by their class.

    In a net whose blocks name their last layer only, these are the exits of its blocks.
    """

    def bare(name):
        return re.sub(r"[\W_\d]", "", name).lower()

    return list(dict.fromkeys(
        node.name for node in walk(model)
        if node.inputs and bare(node.name) != bare(type(node.operation).__name__)))


def blocks(model, exits):
    """The model's blocks: the layers that lead to a named exit and to no earlier named exit.

    `exits` are names of layers, for instance ["stem", "stage1_block1", ...]. Returns a dict from
    exit name to its nodes, in the order of the graph; what leads to no exit is under "head".
    """
    nodes = walk(model)
    producer = {id(tensor): node for node in nodes for tensor in node.outputs}
    owner = {}
    wanted = {find(model, name).name for name in exits}
    for end in nodes:
        ancestors = [end] if end.name in wanted else []
        while ancestors:
            node = ancestors.pop()
            if node not in owner:
                owner[node] = end.name
                ancestors.extend(producer[id(tensor)] for tensor in node.inputs)
    parts = {}
    for end in nodes:
        if end.name in wanted:
            parts.setdefault(end.name, [])
    for node in nodes:
        parts.setdefault(owner.get(node, "head"), []).append(node)
    return parts
