"""A figure measured in inches, and what is drawn on it: boxes, marks, texts, edges."""

import functools

import matplotlib.pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path
from matplotlib.textpath import TextPath

LINE, SKIP = "#555555", "#7a4fb0"
DPI = 180  # twice the dots of a usual screen
MARK = 0.09  # radius of a mark, inches
SMALLEST, ENLARGED = 7, 9 / 7  # points of the smallest letters, and times they are enlarged: 9


@functools.cache
def text_width(text, points=8, weight="normal"):
    """Width of a text in inches, with 7 % for the hinting of small screen fonts."""
    prop = {"family": "DejaVu Sans", "weight": weight}
    path = TextPath((0, 0), text, size=points, prop=prop) if text.strip() else None
    return path.get_extents().width / 72 * 1.07 if path else 0


def rounded(points, radius=0.08):
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


class Page:
    """A figure measured in inches of the unscaled picture; x and y are its data coordinates."""

    def __init__(self, left, bottom, right, top, width):
        self.scale = min(ENLARGED, width / (right - left))
        size = ((right - left) * self.scale, (top - bottom) * self.scale)
        self.figure = plt.figure(figsize=size, dpi=DPI, facecolor="white")
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
        self.write(x, y, letter, SMALLEST, zorder=6, weight="bold")

    def badge(self, x, y, count):
        """×N, at the upper right corner (x, y) of what is repeated."""
        w = 0.1 + text_width(f"×{count}", 7, "bold")
        self.box(x - w / 2, y + 0.05, w, 0.17, "#333333", "badge", zorder=6)
        self.write(x - w / 2, y + 0.05, f"×{count}", 7, "repeat", color="white", weight="bold",
                   zorder=7)

    def edge(self, points, gid, skip, zorder=2.5):
        self.ax.add_patch(FancyArrowPatch(
            path=rounded(points), arrowstyle="-|>", mutation_scale=7 * self.scale, gid=gid,
            color=SKIP if skip else LINE, linewidth=(1.5 if skip else 1) * self.scale,
            joinstyle="round", zorder=zorder + 0.1 * skip, shrinkA=0, shrinkB=0))


