"""The picture: boxes and edges drawn with Matplotlib, in inches; see `keras_cases.analysis.diagram`."""

import collections
import functools

from keras_cases.analysis.diagram import boxes, layout, modules
from keras_cases.analysis.diagram.legend import COLORS, MODULES, legend, tints
from keras_cases.analysis.diagram.page import ENLARGED, SKIP, SMALLEST, Page, text_width
from keras_cases.analysis.graph import blocks


def diagram(model, exits=None, fold=True, detail="layer", title=None, width=7.2):
    """The model as a Matplotlib figure of at most `width` inches; at 7.2, the width of a text, its
    letters have 9 points or more, unless branches or a U are too many to stand side by side.

    detail: "layer" draws every layer, from top to bottom, named blocks framed; "block" draws each
    named block as one module with what it contains, from left to right, line after line (a net
    that comes back to higher resolutions as a U).
    exits: names of the layers that end the blocks, as `keras_cases.analysis.graph.exits` finds
    them; None takes the layers that were given a name of their own (none where most layers were).
    fold: equal blocks that follow each other are drawn once with ×N, and in nets of more than 12
    boxes equal layers too. An unknown operation is a white box with its class name.

    Raises: ValueError for an unknown detail or exit, or a model without a graph.
    """
    if detail not in ("layer", "block"):
        raise ValueError(f"diagram: detail={detail!r}; it is 'layer' or 'block'.")
    exits = modules.given_exits(model) if exits is None else list(exits)
    owner = {id(node.outputs[0]): name for name, nodes in blocks(model, exits).items()
             for node in nodes} if exits else {}
    extent, title = functools.partial(_extent, down=detail == "layer"), title or model.name
    page = width / ENLARGED  # everything is measured before it is enlarged
    if detail == "block":
        for in_a_u in (True, False):
            graph = modules.modules(boxes.read(model, owner), pools_inside=in_a_u)
            graph = modules.fold(graph, modules.repeats(graph)) if fold else graph
            plan = layout.u_shape(graph, extent) if in_a_u else layout.flow(
                graph, extent, False, page - 0.95)
            if plan:
                return _draw(graph, plan, [], False, title, width)
    graph = boxes.read(model, owner)
    if fold:
        graph, frames = modules.fold_blocks(graph)
    else:
        frames = [box for box in modules.modules(graph) if box.links]
    if fold and len(graph) > 12:
        graph = modules.fold(graph, modules.repeats(graph))
    for frame in frames:  # which bear the names themselves
        for part in frame.parts:
            part.named = ""
    for height in (8, 16, 32, 64, 1000):  # longer strips where several side by side are too wide
        plan = layout.flow(graph, extent, True, height)
        xs = [x + side * w / 2 for x, _, w, _ in plan[0].values() for side in (-1, 1)]
        if max(xs) - min(xs) < page - 0.9:
            break
    return _draw(graph, plan, frames, True, title, width)


# ---- sizes and texts ----

def _chips(module):
    """[(kind, text, is on the shortcut)]: what a module contains, equal layers counted, in short
    if there are many; what is on the shortcut stands before the merge."""
    merge, via = module.shortcut or (len(module.parts), ())
    indices = [i for i in range(len(module.parts)) if i not in via]
    at = indices.index(merge) if module.shortcut else 0
    parts = [module.parts[i] for i in [*indices[:at], *sorted(via), *indices[at:]]]
    passing = [module.parts[i] for i in via]
    parts = [part for part in parts if part.kind != "mark"]
    texts = [part.text for part in parts]
    if len(set(texts)) > 5:
        heads = collections.Counter(head for head, _ in {(p.head, p.text) for p in parts})
        texts = [p.head if heads[p.head] > 1 and p not in passing else p.text for p in parts]
    count = collections.Counter(
        (part.kind, text, part in passing) for part, text in zip(parts, texts))
    return [(kind, text + (f"  ×{n}" if n > 1 else ""), on) for (kind, text, on), n in count.items()]


def _chip_marks(module, text):
    """The marks on a chip of a model as a layer; the chips of a block bear none."""
    return [] if module.links else next(
        (part.after for part in module.parts if part.text == text.split("  ×")[0]), [])


def _label(box, down):
    """The text in a box: one line where the flow goes down, two where it goes to the right."""
    return box.text if down or box.kind == "dense" else f"{box.head}\n{box.tail}".strip()


APART = 0.2  # inches between two arrows from one box to another
BESIDE = 0.14  # inches of a module beside its layers, where its shortcut runs


def _extent(box, down):
    """(width, height) of a box in inches."""
    if box.kind == "module":
        chips, beside = _chips(box), bool(box.shortcut) * BESIDE
        wide = [text_width(box.title, 7.5, "bold"),
                *(text_width(text, 7) + 0.1 + beside + 0.22 * len(_chip_marks(box, text))
                  for _, text, _ in chips)]
        return max(wide) + 0.16, 0.29 + 0.185 * len(chips) + bool(box.shortcut) * 0.07
    marks = 0.2 * max(len(box.after), len(box.before))
    if box.kind == "mark":
        return 0.08 + marks, 0.24
    lines = _label(box, down).split("\n")
    wide = [text_width(box.named, 8, "bold"), *map(text_width, lines)]
    return (max(0.5, max(wide) + 0.2, 2 * marks + 0.1),
            0.16 + 0.15 * (len(lines) + bool(box.named)))


def _shapes(graph, places, alone, down):
    """[(x, y, text)] beside the edges, where the shape changes; not in branches, not at Dense."""
    labels = []
    for box, sources in graph.items():
        shape, before = box.shape[1:], sources[0].shape[1:] if sources else None
        if shape == before or not shape or None in shape or box.kind in ("dense", "mark") or (
                box.kind == "input" and box.tail):
            continue
        if not sources or box in alone or (len(shape) == 3 and shape[:2] != before[:2]):
            x, y, w, h = places[box]
            text = ("×" if down else "\n×").join(("×".join(map(str, shape[:-1])), str(shape[-1])))
            text = text if len(shape) > 1 else str(shape[0])
            arrows = max([user.reads.get(box, 1) for user in graph if box in graph[user]], default=1)
            right = x + 0.06 + (arrows - 1) * APART / 2
            labels.append((right, y - h / 2 - 0.135 - 0.035 * bool(box.after), text) if down
                          else (x + w / 2 + 0.27, y + 0.05, text))
    return labels


def _skips(graph):
    """The edges that lead around boxes to a merge, while their source feeds those boxes too."""
    rank = layout.ranks(graph)
    users = collections.Counter(source for sources in graph.values() for source in sources)
    return {(source, target) for target, sources in graph.items() for source in sources
            if len(sources) > 1 and users[source] > 1 and rank[target] - rank[source] > 1}


# ---- the picture ----

def _frame(module, graph, places, wires):
    """(x0, y0, x1, y1) around a block's boxes and the edges that run beside them."""
    spots = [places[box] for box in module.parts if box in graph]
    low = min(y - h / 2 for _, y, _, h in spots)
    high = max(y + h / 2 for _, y, _, h in spots)
    xs = [x for (_, target), points in wires.items() if target in module.parts
          for x, y in points if low <= y <= high]
    xs += [x + side * w / 2 for x, _, w, _ in spots for side in (-1, 1)]
    return min(xs) - 0.32, low - 0.13, max(xs) + 0.12, high + 0.13


def _draw(graph, plan, frames, down, title, width):
    places, wires, alone = plan
    frames = {module: _frame(module, graph, places, wires) for module in frames}
    labels, skips = _shapes(graph, places, alone, down), _skips(graph)
    colors = tints([*frames] + [box for box in graph if box.kind == "module"])
    purple = bool(skips) or any(b.shortcut for b in graph if b.kind == "module")
    entries = legend(graph, colors, purple)
    wide = [text_width(line, SMALLEST) for *_, text in labels
            for line in [max(text.split("\n"), key=len)]]
    rects = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in places.values()]
    rects += [(x, y, x, y) for points in wires.values() for x, y in points] + [*frames.values()]
    rects += [(x - (0 if down else w / 2), y, x + w / (1 if down else 2), y)
              for (x, y, _), w in zip(labels, wide)]
    left, top = min(r[0] for r in rects) - 0.12, max(r[3] for r in rects) + 0.34
    right = max(max(r[2] for r in rects) + 0.15,
                left + max(3.2, text_width(title, 10, "bold") + 0.3))
    x, y = left + 0.12, min(r[1] for r in rects) - 0.32
    spots = []
    for kind, look, text in entries:
        if x > left + 0.12 and x + 0.3 + text_width(text, 7) > right:
            x, y = left + 0.12, y - 0.2
        spots.append((x, y, kind, look, text))
        right = max(right, x + 0.3 + text_width(text, 7))
        x += 0.42 + text_width(text, 7)

    page = Page(left, y - 0.15, right, top, width)
    page.write(left + 0.12, top - 0.16, title, 10, "title", ha="left", weight="bold")
    for module, (x0, y0, x1, y1) in frames.items():
        page.box((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, colors[module],
                 f"frame {module.title}", "#b5a36a", 1, 0.1)
        points = 7 * min(1, (y1 - y0) / (text_width(module.title, 7, "bold") + 0.05))
        page.write(x0 + 0.11, (y0 + y1) / 2, module.title, points, rotation=90, weight="bold",
                   zorder=2)
        if len(module.names) > 1:
            page.badge(x0 + 0.36, y1, len(module.names))
    for (source, target), points in wires.items():
        skip = (source, target) in skips
        arrows = target.reads.get(source, 1) if len(points) == 2 else 1
        for k in range(arrows):  # one for each tensor that is read, as both calls of a shared model
            aside = (k - (arrows - 1) / 2) * APART
            moved = [(x + aside * down, y - aside * (not down)) for x, y in points]
            page.edge(moved, f"{'skip' if skip else 'edge'} {source.title} -> {target.title}", skip)
    for x, y, text in labels:
        page.write(x, y, text, SMALLEST, "shape", ha="left" if down else "center",
                   color="#555555", va="center" if down else "bottom")
    for box in graph:
        _draw_box(page, box, *places[box], colors.get(box) or COLORS[box.kind], down)
    for x, y, kind, look, text in spots:
        if kind == "skip":
            page.ax.plot([x, x + 0.2], [y, y], color=SKIP, linewidth=1.5 * page.scale)
        elif kind == "mark":
            page.mark(x + 0.1, y, look, f"{text} in the legend")
        else:
            page.box(x + 0.1, y, 0.2, 0.13, look, "legend", radius=0.03)
        page.write(x + 0.26, y, text, SMALLEST, "legend text", ha="left")
    return page.figure


def _draw_box(page, box, x, y, w, h, face, down):
    page.box(x, y, w, h, face, f"{box.kind} {box.title}",
             "#999999" if box.kind == "input" else "#444444")
    if box.kind == "module":
        page.write(x, y + h / 2 - 0.12, box.title, 7.5, "label", weight="bold")
        _draw_chips(page, box, x - w / 2 + 0.07, x + w / 2 - 0.07, y + h / 2)
    elif box.kind != "mark":
        if box.named:
            page.write(x, y + h / 2 - 0.155, box.named, 8, "output name" if box.output else
                       "layer name", weight="bold")
        page.write(x, y - bool(box.named) * 0.075, _label(box, down), 8, "label")
    for k, mark in enumerate(reversed(box.after)):
        page.mark(x + w / 2 - 0.12 - 0.19 * k, y - (0 if box.kind == "mark" else h / 2), *mark)
    for k, mark in enumerate(box.before):
        page.mark(x - w / 2 + 0.12 + 0.19 * k, y + h / 2, *mark)
    if len(box.names) > 1:
        page.badge(x + w / 2, y + h / 2, len(box.names))


def _draw_chips(page, module, left, right, top):
    """The layers of a module below each other; its shortcut runs beside those that it skips, through
    those that lie on it, and into the merge."""
    beside = bool(module.shortcut) * BESIDE
    way, first = right - 0.05, top - 0.325 - bool(module.shortcut) * 0.07
    merge = module.parts[module.shortcut[0]] if module.shortcut else None
    for k, (kind, text, on) in enumerate(_chips(module)):
        at, end = first - 0.185 * k, right if on else right - beside
        page.box((left + end) / 2, at, end - left, 0.165, COLORS.get(kind, MODULES[0]), "part",
                 zorder=3.5, radius=0.03, line=0.5)
        marks = _chip_marks(module, text)
        page.write((left + end) / 2 - 0.1 * len(marks), at, text, 7)
        for i, mark in enumerate(reversed(marks)):
            page.mark(end - 0.1 - 0.19 * i, at, *mark)
        if merge and kind == "merge" and text == merge.text:
            middle, start = (left + right - beside) / 2, first + 0.12
            page.edge([(middle, start), (way, start), (way, at), (end, at)],
                      f"skip in {module.title}", True, zorder=3.3)  # behind them
            merge = None
