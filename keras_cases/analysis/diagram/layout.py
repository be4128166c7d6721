"""Where the boxes of a diagram go and how its edges run: plain geometry, in inches.

`flow` places a graph {box: [inputs]} in rows, one row after the deepest input, and gives branches
lanes side by side; long flows are cut into strips. `u_shape` places a net that comes back to
higher resolutions. Both return

    places  {box: (x, y, width, height)}, x and y of its middle, y growing upwards
    wires   {(source, target): [(x, y), …]}, the corners of each edge
    alone   the boxes that have no other box or edge beside them
"""

import itertools
import math
from collections import defaultdict

from keras_cases.analysis.diagram.boxes import Box

GAP, LANE = 0.42, 0.24  # between two rows; between two lanes


def ranks(graph):
    """{box: its row}: one more than the deepest input; inputs sit just before their first user."""
    rank = {}
    for _ in graph:  # more than one round only where a module's interior feeds an earlier call
        new = {}
        for box, sources in graph.items():
            new[box] = max([new.get(s, rank.get(s, 0)) + 1 for s in sources], default=0)
        if new == rank:
            break
        rank = new
    for box in [box for box in graph if not graph[box]]:
        rank[box] = min([rank[user] for user in graph if box in graph[user]], default=1) - 1
    return rank


def _bent(graph):
    """Rows of boxes and bends, {item: next items}, {(source, target): the items of that edge}."""
    rank = ranks(graph)
    rows = [[] for _ in range(max(rank.values()) + 1)]
    for box in graph:
        rows[rank[box]].append(box)
    bends, links, routes = {}, defaultdict(list), {}
    for target, sources in graph.items():
        for source in sources:
            route = [source]
            for row in range(rank[source] + 1, rank[target]):  # edges of one source share bends
                if (source, row) not in bends:
                    bends[source, row] = Box("bend", block=target.block)
                    rows[row].append(bends[source, row])
                route.append(bends[source, row])
            routes[source, target] = [*route, target]
            for a, b in itertools.pairwise([*route, target]):
                links[a] += [b] if b not in links[a] else []
    return rows, links, routes


def _lanes(rows, links):
    """{item: lane}, {item: how much follows}: of a fork the first branch keeps the lane."""
    row_of = {item: r for r, row in enumerate(rows) for item in row}
    height, lane = {}, {}
    for item in reversed([item for row in rows for item in row]):
        own = {"bend": 0, "conv": 1.1, "dense": 1.1}.get(item.kind, 1)
        height[item] = own + max([height[n] for n in links[item]], default=0)

    def ordered(items):  # of two branches the longer comes first, of more each in its turn
        return sorted(items, key=lambda i: -height[i]) if len(items) == 2 else items

    def ahead(item):
        return [n for n in ordered(links[item]) if n not in lane and len(rows[row_of[n]]) > 1]

    def follow(item, first):
        path = [item]
        while nexts := ahead(path[-1]):
            path.append(nexts[0])
        taken = {(row_of[i], lane[i]) for p in path for i in rows[row_of[p]] if i in lane}
        free = next(k for k in itertools.count(first)
                    if not taken & {(row_of[i], k) for i in path})
        lane.update(dict.fromkeys(path, free))
        for item in reversed(path):  # the innermost skip gets the nearest lane
            while nexts := ahead(item):
                follow(nexts[0], free + 1)

    for row in rows:
        for item in ordered(row):
            if len(row) == 1:
                lane[item] = 0
            elif item not in lane:
                follow(item, 0)
    return lane, height


def _across(rows, links, thick, framed):
    """{item: its distance from the main line}: branches side by side, the main line straight."""
    lane, height = _lanes(rows, links)
    across = {}
    for single, group in itertools.groupby(rows, key=lambda row: len(row) == 1):
        items = [item for row in group for item in row]
        if single:
            across.update(dict.fromkeys(items, 0))
            continue
        middle, edge, before = [], 0, None
        for k in range(max(lane[i] for i in items) + 1):
            here = [i for i in items if lane[i] == k]
            blocks = ({i.block for i in here} | (before or set())) - {"", "head"}
            edge += 0 if before is None else LANE + 0.45 * (framed and len(blocks) > 1)
            width, before = max(map(thick, here), default=0), {i.block for i in here}
            middle.append(edge + width / 2)
            edge += width
        boxed = {lane[i] for i in items if i.kind != "bend"}
        centred = len(boxed) > 2 and not any(i.output for i in items)
        zero = edge / 2 if centred else middle[lane[max(items, key=lambda i: height[i])]]
        across.update((i, middle[lane[i]] - zero) for i in items)
    return across


def _strips(rows, length, gap, limit, forks):
    """The rows cut into strips of at most `limit` and like length, behind rows of one box.

    Never within a block, and before a fork only if `forks`, or where nothing else fits.
    """
    pieces = [[0]]  # of rows that stay together
    for r, (before, row) in enumerate(itertools.pairwise(rows), 1):
        whole = row[0].block == before[0].block not in ("", "head")
        cut = len(before) == 1 and (forks or len(row) == 1) and not whole
        pieces += [[r]] if cut else []
        pieces[-1] += [] if cut else [r]

    def packed(size):
        strips = [[]]
        for piece in pieces:
            if strips[-1] and sum(length[r] + gap for r in strips[-1] + piece) - gap > size:
                strips.append([])
            strips[-1] = strips[-1] + piece
        return strips

    if not forks and any(sum(length[r] for r in piece) > limit for piece in pieces):
        return _strips(rows, length, gap, limit, True)
    few = len(packed(limit))
    return next(s for part in range(1, 21) if len(s := packed(limit * part / 20)) <= few)


def flow(graph, extent, down, limit):
    """Rows from top to bottom with strips side by side (down), or from left to right, strips below.

    extent: box → (width, height); limit: longest strip. Both in inches.
    """
    gap, apart = (GAP, 1.0) if down else (GAP + 0.14, 0.5)  # apart: between strips
    rows, links, routes = _bent(graph)
    row_of = {item: r for r, row in enumerate(rows) for item in row}
    size = {item: (0, 0) if item.kind == "bend" else extent(item) for item in row_of}
    deep, thick = (lambda i: size[i][down]), (lambda i: size[i][not down])
    across = _across(rows, links, thick, framed=down)
    length = [max(map(deep, row)) for row in rows]
    strip_of, start, base, bound = {}, {}, {}, {}  # of each row
    edge = -apart
    for number, strip in enumerate(_strips(rows, length, gap, limit, down)):
        items = [item for r in strip for item in rows[r]]
        low = min(across[i] - thick(i) / 2 for i in items)
        at = 0
        for r in strip:
            strip_of[r], start[r], base[r], bound[r] = number, at, edge + apart - low, edge
            at += length[r] + gap
        edge = base[r] + max(across[i] + thick(i) / 2 for i in items)

    def xy(r, along, side):
        return (base[r] + side, -along) if down else (along, -base[r] - side)

    def middle(item):
        return start[row_of[item]] + length[row_of[item]] / 2

    def into(a, b, target):
        """Corners of an edge from item a to item b in the next row, the last where it enters b."""
        r, side, to = row_of[b], across[a], across[b]
        entry = xy(r, middle(b) - deep(b) / 2, to)
        if strip_of[r] != strip_of[r - 1]:  # out, back between the strips, and in again
            end, back = start[r - 1] + length[r - 1] + 0.2, xy(r, -0.24, to)
            turn = xy(r - 1, end, bound[r] + apart / 2 - base[r - 1])
            corner = (turn[0], back[1]) if down else (back[0], turn[1])
            return [xy(r - 1, end, side), turn, corner, back, entry]
        if to == side:
            return [entry]
        between = [i for i in rows[r] if min(side, to) <= across[i] <= max(side, to)]
        if a.kind == "bend" and b is target and all(i is b or i.kind == "bend" for i in between) \
                and sum(len(routes[source, b]) == 2 for source in graph[b]) < 2:
            reach = thick(b) / 2 * (1 if side > to else -1)  # from around, in at the side
            return [xy(r, middle(b), side), xy(r, middle(b), to + reach)]
        turning = [i for i in rows[r - 1] if any(across[n] != across[i] for n in links[i])]
        several = len({n for i in turning for n in links[i]}) > 1
        bus = start[r] - gap * (0.42 - 0.2 * several * turning.index(a) / len(turning))
        others = [across[i] for i in rows[r - 1] if b in links[i] and i is not a]
        if others and not any((x - to) * (side - to) > 0 for x in others) and b is target:
            reach = min(0.17, thick(b) / 2 - 0.1)  # alone on its side: an arrow of its own
            to += reach if side > to else -reach
        return [xy(r, bus, side), xy(r, bus, to), xy(r, middle(b) - deep(b) / 2, to)]

    wires = {}
    for (source, target), route in routes.items():
        wires[source, target] = [xy(row_of[source], middle(source) + deep(source) / 2,
                                    across[source])]
        for a, b in itertools.pairwise(route):
            wires[source, target] += into(a, b, target)
    places = {i: (*xy(row_of[i], middle(i), across[i]), *size[i]) for i in graph}
    return places, wires, {row[0] for row in rows if len(row) == 1}


def u_shape(graph, extent):
    """Every resolution on a level of its own, for one chain with skips that goes up again.

    None for any other graph: one that only shrinks, has branches, or skips between levels.
    """
    chain = list(graph)
    sizes = [box.shape[1] if len(box.shape) == 4 else None for box in chain]
    if None in sizes or any(a not in graph[b] for a, b in itertools.pairwise(chain)):
        return None
    levels = [0]  # halvings so far; a size need not be met again exactly (convolutions unpadded)
    for before, now in itertools.pairwise(sizes):
        levels.append(levels[-1] + round(math.log2(before / now)))
    if levels == sorted(levels):
        return None
    size = {box: extent(box) for box in chain}
    tops, top = {}, 0
    for level in sorted(set(levels)):
        tops[level] = top, max(size[box][1] for box, k in zip(chain, levels) if k == level)
        top += tops[level][1] + 0.5
    step = max(width for width, _ in size.values()) + 0.6
    places, column, down = {}, 0, True
    for box, level, before in zip(chain, levels, [-1, *levels]):
        # one column to the right along a level, at a turn, and for the deepest level itself
        turned = level == before or (level > before) != down
        column += places != {} and (turned or level == max(levels))
        down = down if level == before else level > before
        places[box] = (column * step, -tops[level][0] - tops[level][1] / 2, *size[box])
    wires = {}
    for target, sources in graph.items():
        x1, y1, w1, h1 = places[target]
        for source in sources:
            x, y, w, h = places[source]
            up = 1 if y1 > y else -1
            if y == y1:
                wires[source, target] = [(x + w / 2, y), (x1 - w1 / 2, y)]
            elif x == x1:
                wires[source, target] = [(x, y + up * h / 2), (x, y1 - up * h1 / 2)]
            elif up < 0:
                wires[source, target] = [(x, y - h / 2), (x, y1), (x1 - w1 / 2, y1)]
            else:
                wires[source, target] = [(x + w / 2, y), (x1, y), (x1, y1 - h1 / 2)]
            skips = target is not chain[min(chain.index(source) + 1, len(chain) - 1)]
            if skips and (y != y1 or any(p[1] == y and x < p[0] < x1 for p in places.values())):
                return None
    return places, wires, set(chain)
