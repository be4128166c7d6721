"""A graph of boxes with its named blocks as modules, and what is repeated drawn once."""

import collections

import keras

from keras_cases.analysis.diagram.boxes import Box
from keras_cases.analysis.graph import exits, walk


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


def modules(graph, pools_inside=False):
    """Each named block of several layers as one module; a head of three layers or less is not.

    A pool by which a block begins stands by itself, between the modules, unless pools_inside.
    """
    groups, stands = collections.defaultdict(list), {}
    for box in graph:
        if box.kind != "input":
            groups[box.block].append(box)
    for block, parts in groups.items():
        output = any(part.output for part in parts)
        entries = [part for part in parts if not set(graph[part]) <= set(parts)]
        if len(entries) == 1 and entries[0].kind == "pool" and not (output or pools_inside):
            parts = [part for part in parts if part is not entries[0]]
            entries[0].block = ""
        if block not in ("", "head") and len(parts) > (3 if output else 1):
            outside = list(dict.fromkeys(
                s for part in parts for s in graph[part] if s not in parts))
            links = [[parts.index(s) if s in parts else -1 - outside.index(s)
                      for s in graph[part]] for part in parts]
            module = Box("module", block, "", parts[-1].shape, block, names=[block], parts=parts,
                         links=links, output=output)
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
        first.named = first.title if first.named and copy.named else ""
    return rewire({box: graph[box] for box in graph if box not in copies}, copies)


def fold_blocks(graph):
    """A graph of layers with repeated blocks drawn once, and its modules (for frames)."""
    whole = modules(graph)
    copies = {copy: first for copy, first in repeats(whole).items() if copy.links}
    twins = {part: twin for copy, first in copies.items()
             for part, twin in zip(copy.parts, first.parts)}
    whole = fold(whole, copies)
    return (rewire({box: graph[box] for box in graph if box not in twins}, twins),
            [box for box in whole if box.links])
