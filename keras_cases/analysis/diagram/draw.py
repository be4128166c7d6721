"""The picture: boxes and edges drawn with Matplotlib, in inches; see `keras_cases.analysis.diagram`."""

import collections
import functools

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from keras_cases.analysis.diagram import boxes, layout
from keras_cases.analysis.graph import blocks

COLORS = {"conv": "#ee8079", "pool": "#c8c8c8", "merge": "#c0a3e0", "dense": "#8fbdec",
          "other": "#ffffff", "input": "#ffffff", "mark": "#ffffff"}
MODULES = ("#fbe38e", "#b9e0a5", "#f9c48a")  # yellow, green, orange
KINDS = {"conv": "convolution", "pool": "pooling", "merge": "merge", "dense": "dense",
         "other": "other operation", "module": "module"}
LINE, SKIP = "#555555", "#7a4fb0"
MARK = 0.085  # radius of a mark, inches


def diagram(model, exits=None, fold=True, detail="layer", title=None, width=9.0):
    """The model as a Matplotlib figure of at most `width` inches.

    detail: "layer" draws every layer, from top to bottom, named blocks framed; "block" draws each
    named block as one module with what it contains, from left to right, line after line (a net
    that comes back to higher resolutions as a U).
    exits: names of the layers that end the blocks, as `keras_cases.analysis.graph.exits` finds them; None
    takes the layers that were given a name of their own (none where most layers were).
    fold: equal blocks that follow each other are drawn once with ×N, and in nets of more than 12
    boxes equal layers too. An unknown operation is a white box with its class name.

    Raises: ValueError for an unknown detail or exit, or a model without a graph.
    """
    if detail not in ("layer", "block"):
        raise ValueError(f"diagram: detail={detail!r}; it is 'layer' or 'block'.")
    exits = boxes.given_exits(model) if exits is None else list(exits)
    owner = {id(node.outputs[0]): name for name, nodes in blocks(model, exits).items()
             for node in nodes} if exits else {}
    graph, frames = boxes.read(model, owner), []
    if detail == "block":
        graph = boxes.modules(graph)
    elif fold:
        graph, frames = boxes.fold_blocks(graph)
    else:
        frames = [box for box in boxes.modules(graph) if box.wires]
    if fold and (detail == "block" or len(graph) > 12):
        graph = boxes.fold(graph, boxes.repeats(graph))
    extent = functools.partial(_extent, down=detail == "layer")
    if detail == "block":
        plan = layout.u_shape(graph, extent) or layout.flow(graph, extent, False, width)
        return _draw(graph, plan, [], False, title or model.name, width)
    for height in (10, 20, 40, 80, 1000):  # longer strips where several side by side are too wide
        plan = layout.flow(graph, extent, True, height)
        if max(x for x, *_ in plan[0].values()) < width - 1:
            break
    return _draw(graph, plan, frames, True, title or model.name, width)


# ---- sizes and texts ----

@functools.cache
def _width(text, points=8, weight="normal"):
    """Width of a text in inches, with 7 % for the hinting of small screen fonts."""
    prop = {"family": "DejaVu Sans", "weight": weight}
    path = TextPath((0, 0), text, size=points, prop=prop) if text.strip() else None
    return path.get_extents().width / 72 * 1.07 if path else 0


def _chips(module):
    """[(kind, text)]: what a module contains, equal layers counted, in short if there are many."""
    parts = [part for part in module.parts if part.kind != "mark"]
    texts = [part.text for part in parts]
    if len(set(texts)) > 4:
        heads = collections.Counter(head for head, _ in {(p.head, p.text) for p in parts})
        texts = [p.head if heads[p.head] > 1 else p.text for p in parts]
    count = collections.Counter(zip([part.kind for part in parts], texts))
    return [(kind, text + (f"  ×{n}" if n > 1 else "")) for (kind, text), n in count.items()]


def _label(box, down):
    """The text in a box: one line where the flow goes down, two where it goes to the right."""
    return box.text if down or box.kind == "dense" else f"{box.head}\n{box.tail}".strip()


def _extent(box, down):
    """(width, height) of a box in inches."""
    if box.kind == "module":
        chips = _chips(box)
        wide = [_width(box.title, 7.5, "bold"), *(_width(text, 7) + 0.1 for _, text in chips)]
        return max(wide) + 0.16, 0.29 + 0.185 * len(chips)
    marks = 0.2 * max(len(box.after), len(box.before))
    if box.kind == "mark":
        return 0.08 + marks, 0.24
    lines = _label(box, down).split("\n")
    return max(0.5, max(map(_width, lines)) + 0.2, 2 * marks + 0.1), 0.16 + 0.15 * len(lines)


def _shapes(graph, places, alone, down):
    """[(x, y, text)] beside the edges, where the shape changes; not in branches, not at Dense."""
    labels = []
    for box, sources in graph.items():
        shape, before = box.shape[1:], sources[0].shape[1:] if sources else None
        if shape == before or not shape or None in shape or box.kind in ("dense", "mark"):
            continue
        if not sources or box in alone or (len(shape) == 3 and shape[:2] != before[:2]):
            x, y, w, h = places[box]
            text = ("×" if down else "\n×").join(("×".join(map(str, shape[:-1])), str(shape[-1])))
            text = text if len(shape) > 1 else str(shape[0])
            labels.append((x + 0.06, y - h / 2 - 0.135, text) if down
                          else (x + w / 2 + 0.27, y + 0.05, text))
    return labels


def _tints(modules):
    """{module: colour}: modules of one build share a colour, whatever their sizes; most, yellow."""
    build = {m: str([part.kind for part in m.parts]) + m.wires for m in modules}
    often = collections.Counter(build[m] for m in modules for _ in m.names)
    order = [name for name, _ in often.most_common()]
    return {m: MODULES[order.index(build[m]) % 3] for m in modules}


def _skips(graph):
    """The edges that lead around boxes to a merge, while their source feeds those boxes too."""
    rank = layout.ranks(graph)
    users = collections.Counter(source for sources in graph.values() for source in sources)
    return {(source, target) for target, sources in graph.items() for source in sources
            if len(sources) > 1 and users[source] > 1 and rank[target] - rank[source] > 1}


def _legend(graph, frames, skips):
    """[(kind or letter, its name)] of what is there, and the marks {letter: name}."""
    kinds = {b.kind for box in graph for b in [box, *box.parts]} | {box.kind for box in frames}
    marks = dict(mark for box in graph for mark in box.after + box.before)
    return ([(kind, name) for kind, name in KINDS.items() if kind in kinds]
            + [("skip", "shortcut or skip")] * bool(skips) + [*marks.items()]), marks


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


def _rounded(points, radius=0.08):
    """A path through the points with round corners."""
    path, codes = [points[0]], [Path.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:]):
        ends = []
        for other in (before, after):
            far = max(abs(corner[0] - other[0]), abs(corner[1] - other[1]), 1e-6)
            part = min(radius / far, 0.5)
            ends.append(tuple(c + part * (o - c) for c, o in zip(corner, other)))
        path += [ends[0], corner, ends[1]]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    return Path([*path, points[-1]], [*codes, Path.LINETO])


class _Page:
    """A figure measured in inches of the unscaled picture; x and y are its data coordinates."""

    def __init__(self, left, bottom, right, top, width):
        self.scale = min(1, width / (right - left))
        size = ((right - left) * self.scale, (top - bottom) * self.scale)
        self.figure = plt.figure(figsize=size, dpi=96, facecolor="white")
        self.ax = self.figure.add_axes((0, 0, 1, 1), xlim=(left, right), ylim=(bottom, top))
        self.ax.set_axis_off()

    def write(self, x, y, text, points=8.0, gid=None, **style):
        one = "\n" not in text and "rotation" not in style and "va" not in style
        style = {"ha": "center", "color": "#222222", "zorder": 4,
                 "va": "baseline" if one else "center", **style}  # one baseline for all in a row
        self.ax.text(x, y - one * 0.34 * points / 72, text, fontsize=points * self.scale, gid=gid,
                     family="DejaVu Sans", linespacing=1.05, **style)

    def box(self, x, y, w, h, face, gid, edge="#444444", zorder=3.0, radius=0.05, line=0.8):
        self.ax.add_patch(FancyBboxPatch(
            (x - w / 2, y - h / 2), w, h, boxstyle=f"round,pad=0,rounding_size={radius}",
            facecolor=face, edgecolor=edge, linewidth=line * self.scale, zorder=zorder, gid=gid))

    def mark(self, x, y, letter, name):
        self.ax.add_patch(Circle((x, y), MARK, facecolor="white", edgecolor="#444444", zorder=5,
                                 linewidth=0.7 * self.scale, gid=f"mark {name}"))
        self.write(x, y, letter, 6, zorder=6, weight="bold")

    def badge(self, x, y, count):
        """×N, at the upper right corner (x, y) of what is repeated."""
        w = 0.1 + _width(f"×{count}", 7, "bold")
        self.box(x - w / 2, y + 0.05, w, 0.17, "#333333", "badge", zorder=6)
        self.write(x - w / 2, y + 0.05, f"×{count}", 7, "repeat", color="white", weight="bold",
                   zorder=7)

    def edge(self, points, gid, skip):
        self.ax.add_patch(FancyArrowPatch(
            path=_rounded(points), arrowstyle="-|>", mutation_scale=7 * self.scale, gid=gid,
            color=SKIP if skip else LINE, linewidth=(1.5 if skip else 1) * self.scale,
            joinstyle="round", zorder=2.6 if skip else 2.5, shrinkA=0, shrinkB=0))


def _draw(graph, plan, frames, down, title, width):
    places, wires, alone = plan
    frames = {module: _frame(module, graph, places, wires) for module in frames}
    labels, skips = _shapes(graph, places, alone, down), _skips(graph)
    legend, marks = _legend(graph, frames, skips)
    wide = [_width(line, 6.5) for *_, text in labels for line in [max(text.split("\n"), key=len)]]
    rects = [(x - w / 2, y - h / 2, x + w / 2, y + h / 2) for x, y, w, h in places.values()]
    rects += [(x, y, x, y) for points in wires.values() for x, y in points] + [*frames.values()]
    rects += [(x - (0 if down else w / 2), y, x + w / (1 if down else 2), y)
              for (x, y, _), w in zip(labels, wide)]
    left, top = min(r[0] for r in rects) - 0.12, max(r[3] for r in rects) + 0.34
    right = max(max(r[2] for r in rects) + 0.15, left + max(2.4, _width(title, 10, "bold") + 0.3))
    x, y = left + 0.12, min(r[1] for r in rects) - 0.32
    spots = []
    for kind, text in legend:
        if x + 0.3 + _width(text, 7) > right:
            x, y = left + 0.12, y - 0.2
        spots.append((x, y, kind, text))
        x += 0.42 + _width(text, 7)

    page = _Page(left, y - 0.15, right, top, width)
    page.write(left + 0.12, top - 0.16, title, 10, "title", ha="left", weight="bold")
    tints = _tints([*frames] + [box for box in graph if box.kind == "module"])
    for module, (x0, y0, x1, y1) in frames.items():
        page.box((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0, tints[module],
                 f"frame {module.title}", "#b5a36a", 1, 0.1)
        points = 7 * min(1, (y1 - y0) / (_width(module.title, 7, "bold") + 0.05))
        page.write(x0 + 0.11, (y0 + y1) / 2, module.title, points, rotation=90, weight="bold",
                   zorder=2)
        if len(module.names) > 1:
            page.badge(x0 + 0.36, y1, len(module.names))
    for (source, target), points in wires.items():
        skip = (source, target) in skips
        page.edge(points, f"{'skip' if skip else 'edge'} {source.title} -> {target.title}", skip)
    for x, y, text in labels:
        page.write(x, y, text, 6.5, "shape", ha="left" if down else "center", color="#555555",
                   va="center" if down else "bottom")
    for box in graph:
        _draw_box(page, box, *places[box], tints.get(box) or COLORS[box.kind], down)
    for x, y, kind, text in spots:
        if kind == "skip":
            page.ax.plot([x, x + 0.2], [y, y], color=SKIP, linewidth=1.5 * page.scale)
        elif kind in marks:
            page.mark(x + 0.1, y, kind, f"{text} in the legend")
        else:
            page.box(x + 0.1, y, 0.2, 0.13, COLORS.get(kind, MODULES[0]), "legend", radius=0.03)
        page.write(x + 0.26, y, text, 7, "legend text", ha="left")
    return page.figure


def _draw_box(page, box, x, y, w, h, face, down):
    page.box(x, y, w, h, face, f"{box.kind} {box.title}",
             "#999999" if box.kind == "input" else "#444444")
    if box.kind == "module":
        page.write(x, y + h / 2 - 0.12, box.title, 7.5, "label", weight="bold")
        for k, (kind, text) in enumerate(_chips(box)):
            at = y + h / 2 - 0.325 - 0.185 * k
            page.box(x, at, w - 0.14, 0.165, COLORS.get(kind, MODULES[0]), "part", zorder=3.5,
                     radius=0.03, line=0.5)
            page.write(x, at, text, 7)
    elif box.kind != "mark":
        page.write(x, y, _label(box, down), 8, "label")
    for k, mark in enumerate(reversed(box.after)):
        page.mark(x + w / 2 - 0.12 - 0.19 * k, y - (0 if box.kind == "mark" else h / 2), *mark)
    for k, mark in enumerate(box.before):
        page.mark(x - w / 2 + 0.12 + 0.19 * k, y + h / 2, *mark)
    if len(box.names) > 1:
        page.badge(x + w / 2, y + h / 2, len(box.names))
