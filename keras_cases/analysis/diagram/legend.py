"""Which colour each module has, and the legend that names all colours and marks of a diagram."""

import collections

COLORS = {"conv": "#ee8079", "pool": "#c8c8c8", "merge": "#c0a3e0", "dense": "#8fbdec",
          "other": "#ffffff", "input": "#ffffff", "mark": "#ffffff"}
MODULES = ("#fbe38e", "#b9e0a5", "#f9c48a")  # yellow, green, orange
KINDS = {"conv": "convolution", "pool": "pooling", "merge": "merge", "dense": "dense",
         "other": "other operation"}


def tints(modules):
    """{module: colour}: modules of one build share a colour, whatever their sizes; most, yellow.

    Where there are more builds than colours, modules of one kind do.
    """
    build = {m: str(([part.kind for part in m.parts], m.links)) for m in modules}
    if len(set(build.values())) > len(MODULES):
        build = {m: kind_of(m) for m in modules}
    often = collections.Counter(build[m] for m in modules for _ in m.names)
    order = [name for name, _ in often.most_common()]
    return {m: MODULES[order.index(build[m]) % 3] for m in modules}


def kind_of(module):
    """What the legend calls a module, in the course's words."""
    merges = [part.head for part in module.parts if part.kind == "merge"]
    if not module.links:
        return "model as a layer"
    if module.output:
        return "head"
    if module.shortcut:
        merge, via = module.shortcut
        if module.parts[merge].head != "add":
            return "block that keeps its input"
        way = {module.parts[i].kind for i in via} - {"mark"}
        return f"block, {'projection' if 'conv' in way else 'padded' if way else 'identity'} shortcut"
    if "concat" in merges:
        several = min((i for sources in module.links for i in sources), default=-1) < -1
        return "block that joins a skip" if several else "module"
    return "block"


def legend(graph, colors, skips):
    """[(kind, colour or letter, its name)] of all that is drawn; colors: {module: colour}."""
    kinds = {b.kind for box in graph for b in [box, *box.parts]}
    kinds |= {part.kind for module in colors for part in module.parts}
    marks = dict(mark for box in graph for mark in box.after + box.before)
    marks |= dict(mark for box in graph if not box.links  # models as layers: on their chips
                  for part in box.parts for mark in part.after)
    called = {tint: list(dict.fromkeys(kind_of(m) for m in colors if colors[m] == tint))
              for tint in MODULES if tint in colors.values()}
    often = collections.Counter(name for names in called.values() for name in names)
    first = {(colors[m], kind_of(m)): m.title for m in reversed(colors)}
    modules = [("module", tint, " or ".join(
        name if often[name] == 1 else f"{name} ({first[tint, name]} …)" for name in names))
        for tint, names in called.items()]
    return ([("box", COLORS[kind], name) for kind, name in KINDS.items() if kind in kinds] + modules
            + [("skip", "", "shortcut or skip")] * skips
            + [("mark", letter, name) for letter, name in marks.items()])
