"""Surgery on any functional model of residual blocks: cut, remove, weaken and reorder its blocks.

Every function but `zero_block` returns new models and leaves `model` as it is. They are not
compiled, and share all their layers with `model`: train one and all change.

A block is what leads to a named exit and to no earlier one. By default every layer that was given a
name is an exit (`graph.exits`), which fits nets that name the last layer of each block and nothing
else; for other nets pass the names of all blocks' last layers as `exits`.

A residual block ends in a sum of two branches, with at most activations behind it. The summand that
fewer layers with kernels lead to is its shortcut (identity or projection).
"""

import keras
import numpy as np
from keras import layers, ops, tree

from keras_cases.analysis import graph


def lesion(model, exit_names, exits=None):
    """A model in which the residual blocks that end in `exit_names` pass their shortcuts alone.

    `exit_names`: one name or several. What stays of such a block is the shortcut and what follows
    the addition.

    Source of the experiment: Veit, Wilber, Belongie 2016, arXiv:1605.06431.
    Raises:
        ValueError: no such exit; it is not the exit of a residual block; both summands have as
            many kernels.
    """
    names = [exit_names] if isinstance(exit_names, str) else list(exit_names)
    known, parts = _blocks(model, exits)
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not one of the exits {known}; pass exits=[...].")
    sums = {name: _sum(name, parts[name]) for name in names}
    return _change_sums(model, sums, lambda shortcut, residual: shortcut,
                        f"{model.name}_without_{'_'.join(names)}")


def scale_shortcuts(model, factor, exits=None):
    """A model in which every residual block computes factor · shortcut + F(x).

    factor 1 is the model itself, 0 a plain net of the same weights. Blocks whose exit is no sum
    (a stem, a head) stay as they are. The experiment of He et al. 2016, arXiv:1603.05027, sec. 3.1.
    Raises: ValueError if no block is residual, or both summands of one have as many kernels.
    """
    known, parts = _blocks(model, exits)
    sums = {name: _sum(name, parts[name]) for name in known if _merge(parts[name])}
    if not sums:
        raise ValueError(f"None of the exits {known} of {model.name} ends a residual block.")
    return _change_sums(model, sums, lambda shortcut, residual: factor * shortcut + residual,
                        f"{model.name}_shortcuts_times_{factor}")


def shuffle_blocks(model, order, exits=None):
    """A model in which the blocks named in `order` have changed places.

    The first block of `order` stands at the first of the places that these blocks held, and so on;
    all other blocks stay. Two names in reverse order swap two blocks. The model must be a chain of
    blocks: see `pieces`.
    Raises: ValueError for a name that is no exit or comes twice, for a block that does not take and
    give what its new place takes and gives, and for a model that is no chain.
    """
    parts, order = pieces(model, exits), list(order)
    places = [name for name in parts if name in order]
    if sorted(places) != sorted(order):
        raise ValueError(f"order={order}; wanted names of the exits {list(parts)}, each once.")
    stands = dict(zip(places, order))
    for place, name in stands.items():
        shapes = [(part.input.shape, part.output.shape) for part in (parts[place], parts[name])]
        if shapes[0] != shapes[1]:
            raise ValueError(f"{name} cannot stand at the place of {place}: {_turns(*shapes[1])}, "
                             f"and {_turns(*shapes[0])} is wanted there.")
    inputs = x = _new_inputs(model)
    for name in parts:
        x = tree.flatten(graph.replay(parts[stands.get(name, name)], x))
    return keras.Model(inputs[0], x[0], name=f"{model.name}_shuffled")


def pieces(model, exits=None):
    """The model cut into a chain of models, one for each block: {exit name: keras.Model}.

    Called one after the other they give what `model` gives. What leads to no exit is "head", the
    last one.
    Raises: ValueError for a model with several inputs or outputs, and for a block that reads
    anything but the exit before it: then it is no chain.
    """
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise ValueError(f"{model.name} has {len(model.inputs)} inputs and {len(model.outputs)} "
                         "outputs; only a model with one of each can be a chain of blocks.")
    parts, entry = {}, model.inputs[0]
    for name, nodes in _blocks(model, exits)[1].items():
        made = {id(tensor) for node in nodes for tensor in node.outputs}
        read = {id(tensor) for node in nodes for tensor in node.inputs} - made
        if not read <= {id(entry)}:
            raise ValueError(f"{name} reads more than the exit before it, so that {model.name} is "
                             "no chain of blocks; pass exits=[...] without what stands beside it.")
        end = model.outputs[0] if name == "head" else nodes[-1].outputs[0]
        parts[name] = keras.Model(entry, end, name=name)
        entry = end
    return parts


def branches(model, exits=None):
    """The two branches of each residual block: {exit name: model from x to [shortcut, F(x)]}.

    The block itself gives their sum, and an activation behind it if it is of version 1. Blocks that
    are not residual are left out. The model must be a chain: see `pieces`, also for the errors.
    """
    found = {}
    for name, part in pieces(model, exits).items():
        nodes = graph.walk(part)
        if _merge(nodes):
            merge, shortcut = _sum(name, nodes)
            ends = [merge.inputs[shortcut], merge.inputs[1 - shortcut]]
            if ends[0] is part.inputs[0]:  # Keras lets no nested model hand on its own input
                ends[0] = layers.Identity()(ends[0])
            found[name] = keras.Model(part.inputs[0], ends, name=f"{name}_branches")
    return found


def zero_block(model, exit_name, exits=None):
    """Set the weights of one block to zero, in place; its moving averages stay.

    Returns [(variable, old value), ...], which undoes it:
        for variable, value in old: variable.assign(value)
    """
    known, parts = _blocks(model, exits)
    if exit_name not in known:
        raise ValueError(f"{exit_name!r} is not one of the exits {known}; pass exits=[...].")
    old = []
    for node in parts[exit_name]:
        for weight in getattr(node.operation, "weights", ()):
            if not weight.name.startswith("moving_"):
                old.append((weight, np.array(ops.convert_to_numpy(weight.value))))
    for weight, value in old:
        weight.assign(np.zeros_like(value))
    return old


def _blocks(model, exits):
    known = graph.exits(model) if exits is None else list(exits)
    return known, graph.blocks(model, known)


def _merge(nodes):
    """The node of the sum that a block's exit is or follows; None where there is none."""
    producer = {id(tensor): node for node in nodes for tensor in node.outputs}
    merge = nodes[-1]
    while len(merge.inputs) == 1 and id(merge.inputs[0]) in producer:
        merge = producer[id(merge.inputs[0])]
    is_sum = type(merge.operation).__name__ == "Add" and len(merge.inputs) == 2
    return merge if is_sum else None


def _sum(name, nodes):
    """The node that adds the two branches of the block, and which of its inputs is the shortcut."""
    merge = _merge(nodes)
    if merge is None:
        raise ValueError(f"{name} is not the exit of a residual block: no sum of two branches "
                         "leads to it. Name the layer that adds, or the activation behind it.")
    producer = {id(tensor): node for node in nodes for tensor in node.outputs}
    depths = [_kernels_behind(tensor, producer) for tensor in merge.inputs]
    if depths[0] == depths[1]:
        raise ValueError(f"{merge.name} adds two branches of {depths[0]} kernels each; which one "
                         "is the shortcut is not clear.")
    return merge, depths.index(min(depths))


def _kernels_behind(tensor, producer):
    seen, waiting = set(), [tensor]
    while waiting:
        node = producer.get(id(waiting.pop()))
        if node and node not in seen:
            seen.add(node)
            waiting.extend(node.inputs)
    return sum("kernel" in weight.name for node in seen
               for weight in getattr(node.operation, "weights", ()))


def _change_sums(model, sums, change, name):
    """`model` with change(shortcut, residual) in place of the sums; exits keep their names."""
    wanted = {id(merge.outputs[0]): (exit_name, shortcut)
              for exit_name, (merge, shortcut) in sums.items()}

    def instead(node, inputs, outputs):
        if id(node.outputs[0]) not in wanted:
            return outputs
        exit_name, shortcut = wanted[id(node.outputs[0])]
        new = change(inputs[shortcut], inputs[1 - shortcut])
        return [layers.Identity(name=exit_name)(new) if node.name == exit_name else new]

    inputs = tree.map_structure(
        lambda t: keras.Input(batch_shape=t.shape, dtype=t.dtype, name=t.name), model.input)
    outputs = graph.replay(model, tree.flatten(inputs), instead)
    return keras.Model(inputs, outputs, name=name)


def _new_inputs(model):
    return [keras.Input(batch_shape=t.shape, dtype=t.dtype, name=t.name) for t in model.inputs]


def _turns(before, after):
    return f"{tuple(before[1:])} → {tuple(after[1:])}"
