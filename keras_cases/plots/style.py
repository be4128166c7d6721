"""One style for all figures: widths, colours, captions, and labels that meet nothing."""

import re
import textwrap
import zlib

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

TEXT, HALF = 7.2, 3.5  # widths in inches: a whole text column, or two figures side by side
STYLE = {  # twice the dots of a usual screen; no letters below 9 points
    "figure.dpi": 180, "savefig.dpi": 180, "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.06, "figure.constrained_layout.w_pad": 0.06,
    "font.size": 9, "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#555555",
    "axes.grid": True, "grid.color": "#e4e4e4", "grid.linewidth": 0.7, "axes.axisbelow": True,
    "axes.labelcolor": "#333333", "xtick.color": "#555555", "ytick.color": "#555555",
    "lines.linewidth": 1.8, "legend.frameon": False, "legend.fontsize": 9,
}
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8a7a00")
# one hue per family; a net's depth in its name sets the shade, so resnet20 is paler than resnet56
FAMILIES = {
    "plain": "#D55E00", "resnetv2": "#56B4E9", "resnet": "#0072B2", "lenet": "#777777",
    "alexnet": "#000000", "vgg": "#E69F00", "nin": "#8a7a00", "googlenet": "#009E73",
    "inception": "#009E73", "densenet": "#CC79A7", "unet": "#A05A2C", "mobilenet": "#7B4FA3",
    "efficientnet": "#B2182B", "squeezenet": "#4D7F7F", "darts": "#5E5E00",
}


def color(net):
    """The fixed colour of a net, as "#rrggbb": hue by family, shade by depth.

    "ResNet-20", "resnet20" and "resnet_20" are one net. An unknown name always gets the same
    colour of the palette, though two unknown names may share one.
    """
    name, family = _plain(net), family_of(net)
    if family is None:
        return PALETTE[zlib.crc32(name.encode()) % len(PALETTE)].lower()
    rgb = np.array(mpl.colors.to_rgb(FAMILIES[family]))
    depth = re.match(r"\d+", name[len(family):])
    if family in ("plain", "resnet", "resnetv2") and depth:
        shade = np.clip(np.log2(max(int(depth[0]), 1) / 50) / 3, -0.45, 0.45)  # 0 at 50 layers
        rgb = rgb - (1 - rgb) * shade if shade < 0 else rgb * (1 - shade)
    return mpl.colors.to_hex(rgb)


def _plain(net):
    name = re.sub(r"[\s_\-.]", "", str(net).lower())
    return re.sub(r"^resnet(.*)v2$", r"resnetv2\1", name)


def family_of(net):
    """The family a net's name begins with, or None."""
    return next((family for family in FAMILIES if _plain(net).startswith(family)), None)


def line_style(net):
    """Plain nets are dashed, all others solid, so that they differ without colour too."""
    return "--" if "plain" in str(net).lower() else "-"


@mpl.rc_context(STYLE)
def panels(columns=2, rows=1, width=TEXT, height=2.9):
    """A figure in this style and its axes (rows, columns), flat: panels to pass as `ax`."""
    figure = plt.figure(figsize=(width, height * rows))
    return figure, figure.subplots(rows, columns, squeeze=False).ravel()


def new_axes(ax, width, caption, height=2.9):
    """The panel given, or the one panel of a new figure that leaves room for its caption."""
    if ax is not None:
        return ax
    return plt.figure(figsize=(width, height + len(caption or "") / 80 / width)).subplots()


def colors_of(labels):
    """A colour per label: the net's own, else one of the palette; never the same one twice."""
    taken = []
    for label in labels:
        free = [tint for tint in map(str.lower, PALETTE) if tint not in taken]
        want = color(label)
        taken.append(want if want not in taken or not free else free[0])
    return taken


def lay_out(figure):
    """Gives axes and labels their places: a drawing without the drawing, which takes longer."""
    engine = figure.get_layout_engine()
    if engine is None:
        figure.draw_without_rendering()
    else:
        engine.execute(figure)


def note(ax, caption, source, below=34):
    """Caption and, smaller, the source of the data under the axes, `below` points down or more,
    where the axis's own label needs it."""
    lay_out(ax.figure)  # only now is the width of the axes known
    if ax.get_xlabel():
        low = ax.get_window_extent().y0 - ax.xaxis.label.get_window_extent().y0
        below = max(below, low * 72 / ax.figure.dpi + 5)
    width = ax.get_window_extent().width / ax.figure.dpi
    lines = textwrap.wrap(caption or "", max(24, int(width * 14.7)))
    style = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top", "ha": "left"}
    if lines:
        ax.annotate("\n".join(lines), (0, 0), (0, -below), fontsize=9, color="#333333",
                    gid="caption", **style)
    if source:
        text = "\n".join(textwrap.wrap(f"data: {source}", max(24, int(width * 14.7))))
        ax.annotate(text, (0, 0), (0, -below - 13 * len(lines)), fontsize=9, color="#777777",
                    gid="source", **style)


def label_ends(ax, ends):
    """Name lines at their right end, {name: (x, y, colour)}; a legend where they do not fit."""
    if len(ends) < 2:
        return
    lay_out(ax.figure)
    step = 9 * 1.3 * ax.figure.dpi / 72 / ax.get_window_extent().height  # of one line of text
    if len(ends) * step > 1.05:
        ax.legend(ncols=2)
        return
    at = {name: np.clip(np.nan_to_num(ax.transAxes.inverted().transform(
        ax.transData.transform(end[:2])), nan=1), 0, 1) for name, end in ends.items()}
    names = sorted(ends, key=lambda name: at[name][1])
    heights = [at[name][1] for name in names]
    for _ in range(200):  # push neighbours apart until no two are nearer than a line of text
        for i in range(len(heights) - 1):
            push = max(0, step - (heights[i + 1] - heights[i]))
            heights[i], heights[i + 1] = heights[i] - push / 2, heights[i + 1] + push / 2
        up = max(0, step / 3 - heights[0])
        heights[0] += up  # the lowest stays above the axis
    for name, height in zip(names, heights):
        tint = ends[name][2]
        ax.annotate(name, at[name], (1.04, height), "axes fraction", fontsize=9, color=tint,
                    va="center", gid="line label", annotation_clip=False,
                    arrowprops={"arrowstyle": "-", "color": tint, "linewidth": 0.6, "shrinkA": 0,
                                "shrinkB": 2, "relpos": (0, 0.5)})


def label_points(ax, xs, ys, names, tints):
    """A name beside each point, at the nearest place where it meets no point and no other name."""
    lay_out(ax.figure)
    dots = ax.transData.transform(np.column_stack([xs, ys]))
    frame, unit = ax.get_window_extent(), ax.figure.dpi / 72
    taken = [mpl.transforms.Bbox.from_extents(*(dot - 4 * unit), *(dot + 4 * unit))
             for dot in dots]
    places = [(radius, angle) for radius in (6, 11, 17, 24, 32, 42, 54)
              for angle in (0, 180, 90, 270, 35, -35, 145, -145)]
    for i in np.argsort(-dots[:, 1]):
        text = ax.annotate(names[i], (xs[i], ys[i]), (0, 0), textcoords="offset points",
                           fontsize=9, gid="point label", color=tints[i], va="center")
        size = mpl.text.Text.get_window_extent(text)
        best = None
        for radius, angle in places:
            dx, dy = radius * np.cos(np.deg2rad(angle)), radius * np.sin(np.deg2rad(angle))
            left = dx * unit - size.width * (0 if dx > 1 else 1 if dx < -1 else 0.5)
            box = mpl.transforms.Bbox.from_bounds(
                dots[i, 0] + left, dots[i, 1] + dy * unit - size.height / 2, size.width,
                size.height).padded(unit)
            out = not (frame.x0 < box.x0 and box.x1 < frame.x1 and frame.y0 < box.y0
                       and box.y1 < frame.y1)
            clash = 3 * out + sum(box.overlaps(other) for j, other in enumerate(taken) if j != i)
            if best is None or clash < best[0]:
                best = clash, left / unit, dy, box, radius
        _, left, dy, box, radius = best
        taken.append(box)
        text.set_position((left, dy))
        if radius > 6:
            ax.annotate("", (xs[i], ys[i]), (left if left > 0 else left + size.width / unit, dy),
                        textcoords="offset points", arrowprops={
                            "arrowstyle": "-", "linewidth": 0.5, "color": "#999999"})
