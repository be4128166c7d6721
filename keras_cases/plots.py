"""Figures of the lessons: arrays and record dicts in, a Matplotlib figure out.

One style, set only while a function runs; two widths, `TEXT` and `HALF`; Okabe and Ito's
colour-blind palette with one fixed colour per net. Every function returns the Figure, takes `ax`
to draw into a panel of yours, `caption` (what to notice, set below the axes) and, where data come
in, `source` (what they were measured on, set small below the caption).
A record is what `keras_cases.train` writes; used here are its "case", "label" (optional),
"history" ({"loss": [...], "accuracy": [...], "val_accuracy": [...]}, one value per epoch) and
"data" ({"source": "..."}). Needs numpy and matplotlib only.
"""

import re
import textwrap
import zlib

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

TEXT, HALF = 7.2, 3.5  # widths in inches: a whole text column, or two figures side by side
STYLE = {
    "figure.dpi": 90, "savefig.dpi": 90, "figure.constrained_layout.use": True,
    "font.size": 9, "font.family": "sans-serif", "font.sans-serif": ["DejaVu Sans"],
    "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": "#555555",
    "axes.grid": True, "grid.color": "#e4e4e4", "grid.linewidth": 0.7, "axes.axisbelow": True,
    "axes.labelcolor": "#333333", "xtick.color": "#555555", "ytick.color": "#555555",
    "lines.linewidth": 1.8, "legend.frameon": False, "legend.fontsize": 8,
}
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8a7a00")
# one hue per family; a net's depth in its name sets the shade, so resnet20 is paler than resnet56
FAMILIES = {
    "plain": "#D55E00", "resnetv2": "#56B4E9", "resnet": "#0072B2", "lenet": "#777777",
    "alexnet": "#000000", "vgg": "#E69F00", "nin": "#8a7a00", "googlenet": "#009E73",
    "inception": "#009E73", "densenet": "#CC79A7", "unet": "#A05A2C", "mobilenet": "#7B4FA3",
    "efficientnet": "#B2182B", "squeezenet": "#4D7F7F", "darts": "#5E5E00",
}
METRICS = {  # metric: (key of the history, unit of the axis, from history to axis, training twin)
    "accuracy": ("val_accuracy", "test accuracy (%)", lambda a: 100 * a, "train_accuracy"),
    "train_accuracy": ("accuracy", "training accuracy (%)", lambda a: 100 * a, None),
    "test_error": ("val_accuracy", "test error (%)", lambda a: 100 * (1 - a), "train_error"),
    "train_error": ("accuracy", "training error (%)", lambda a: 100 * (1 - a), None),
    "loss": ("loss", "training loss", lambda a: a, None),
    "val_loss": ("val_loss", "test loss", lambda a: a, "loss"),
}
UNITS = {"macs": "multiply-adds per image (MACs)", "parameters": "parameters",
         "params": "parameters", "accuracy": "test accuracy (%)", "top1": "top-1 accuracy (%)",
         "images_per_s": "images/s", "error": "test error (%)"}


def color(net):
    """The fixed colour of a net, as "#rrggbb": hue by family, shade by depth.

    "ResNet-20", "resnet20" and "resnet_20" are one net. An unknown name always gets the same
    colour of the palette, though two unknown names may share one.
    """
    name = re.sub(r"[\s_\-.]", "", str(net).lower())
    if name.startswith("resnet") and name.endswith("v2"):
        name = "resnetv2" + name[len("resnet"):-2]
    family = next((f for f in FAMILIES if name.startswith(f)), None)
    if family is None:
        return PALETTE[zlib.crc32(name.encode()) % len(PALETTE)].lower()
    rgb = np.array(mpl.colors.to_rgb(FAMILIES[family]))
    depth = re.match(r"\d+", name[len(family):])
    if family in ("plain", "resnet", "resnetv2", "densenet", "vgg") and depth:
        shade = np.clip(np.log2(max(int(depth[0]), 1) / 40) / 2, -0.5, 0.5)  # 20 paler, 80 darker
        rgb = rgb + (1 - rgb) * -shade * 0.9 if shade < 0 else rgb * (1 - shade)
    return mpl.colors.to_hex(rgb)


def line_style(net):
    """Plain nets are dashed, all others solid, so that they differ without colour too."""
    return "--" if str(net).lower().startswith("plain") else "-"


@mpl.rc_context(STYLE)
def curves(records, metric="accuracy", both=False, ax=None, width=TEXT, title=None, caption=None,
           ylabel=None, log=False):
    """Learning curves of one record or many; those that share a label become mean and band.

    metric: "accuracy", "train_accuracy", "test_error", "train_error" (all in %), "loss",
    "val_loss", or any key of the histories as it stands. both=True adds the training curve, thin,
    to "accuracy", "test_error" and "val_loss". The band goes from the lowest to the highest seed;
    curves of one label are cut to the shortest. The y axis is logarithmic with log=True.
    Raises: ValueError where a record lacks the metric, or stand-in and real data are mixed.
    """
    records = [records] if isinstance(records, dict) else list(records)
    groups = {}
    for record in records:
        groups.setdefault(record.get("label") or record["case"], []).append(record)
    if not groups:
        raise ValueError("curves: no records; pass one record dict or a list of them.")
    source = _one_source(records)
    key, unit, convert, twin = METRICS.get(metric, (metric, metric, lambda a: a, None))
    ax = _axes(ax, width, caption)
    ends, seeds = {}, 1
    for (label, group), tint in zip(groups.items(), _colors(groups)):
        style = line_style(label)
        runs = _stack(group, key, convert, label)
        epochs, mean, seeds = np.arange(1, runs.shape[1] + 1), runs.mean(0), max(seeds, len(runs))
        ax.plot(epochs, mean, style, color=tint, label=label, marker="o" if mean.size == 1 else "")
        if len(runs) > 1:
            ax.fill_between(epochs, runs.min(0), runs.max(0), color=tint, alpha=0.2, linewidth=0)
        if both and twin:
            low = _stack(group, METRICS[twin][0], METRICS[twin][2], label).mean(0)
            ax.plot(np.arange(1, low.size + 1), low, style, color=tint, linewidth=0.9, alpha=0.75)
        ends[label] = (epochs[-1], mean[-1], tint)
    notes = [f"Band: lowest to highest of {seeds} seeds."] if seeds > 1 else []
    notes += ["Thick: test. Thin: training."] if both and twin else []
    ax.set(xlabel="epoch", ylabel=ylabel or unit, title=title, yscale="log" if log else "linear")
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    _note(ax, " ".join([*([caption] if caption else []), *notes]), source)
    _label_ends(ax, ends)
    return ax.figure


@mpl.rc_context(STYLE)
def bars(values, ax=None, width=TEXT, xlabel="", fmt="{:,.0f}", log=False, title=None,
         caption=None, source=None):
    """Horizontal bars of {name: number}, in the order given, each with its number at its end."""
    names, sizes = list(values), np.array(list(values.values()), float)
    ax = _axes(ax, width, caption, height=0.75 + 0.27 * len(names))
    ax.barh(names, sizes, height=0.66, color=[_known(name) or PALETTE[0] for name in names])
    for row, size in enumerate(sizes):
        ax.annotate(" " + fmt.format(size), (max(size, 0), row), va="center", fontsize=8)
    ax.set(xlabel=xlabel, title=title, xscale="log" if log else "linear")
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.tick_params(axis="y", length=0, labelcolor="#222222")
    low, high = ax.get_xlim()
    ax.set_xlim(low, high * (high / low) ** 0.18 if log else high + 0.16 * (high - low))
    _note(ax, caption, source)
    return ax.figure


@mpl.rc_context(STYLE)
def layer_profile(profiles, names=None, ylabel="gradient norm", log=True, ax=None, width=TEXT,
                  title=None, caption=None, source=None):
    """One number per layer, of one or several nets: {label: (layers,) or (seeds, layers)}.

    names: the layers' names, where all nets have the same ones. Without names, nets of unequal
    depth share an axis of relative depth (0 = first layer, 1 = last), others a layer index.
    """
    profiles = {label: np.atleast_2d(np.asarray(p, float)) for label, p in profiles.items()}
    depths = {p.shape[1] for p in profiles.values()}
    if names is not None and depths != {len(names)}:
        raise ValueError(f"layer_profile: {len(names)} names, but profiles of {sorted(depths)} "
                         "layers; give one name per layer, or leave names out.")
    relative = len(depths) > 1
    ax = _axes(ax, width, caption)
    ends = {}
    for (label, runs), tint in zip(profiles.items(), _colors(profiles)):
        n, mean = runs.shape[1], runs.mean(0)
        at = np.linspace(0, 1, n) if relative else np.arange(n) if names else np.arange(1, n + 1)
        ax.plot(at, mean, line_style(label), color=tint, label=label, marker="o", markersize=3)
        if len(runs) > 1:
            ax.fill_between(at, runs.min(0), runs.max(0), color=tint, alpha=0.2, linewidth=0)
        ends[label] = (at[-1], mean[-1], tint)
    ax.set(ylabel=ylabel, title=title, yscale="log" if log else "linear",
           xlabel="relative depth (0 = first layer)" if relative else "" if names else "layer")
    if names:
        ax.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=7)
    elif not relative:
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    _note(ax, caption, source)
    _label_ends(ax, ends)
    return ax.figure


@mpl.rc_context(STYLE)
def scatter_cost(rows, x="macs", y="accuracy", ax=None, width=TEXT, xlabel=None, ylabel=None,
                 title=None, caption=None, source=None):
    """Nets by cost (logarithmic x) against accuracy: rows = [{"net": ..., x: ..., y: ...}, ...].

    Every point is labelled where its label meets no other label and no point.
    """
    for row in rows:
        if missing := {"net", x, y} - set(row):
            raise ValueError(f"scatter_cost: a row lacks {sorted(missing)}; it has {sorted(row)}.")
    ax = _axes(ax, width, caption, height=3.6)
    xs, ys = [row[x] for row in rows], [row[y] for row in rows]
    ax.scatter(xs, ys, s=28, c=[color(row["net"]) for row in rows], zorder=3)
    ax.set(xscale="log", xlabel=xlabel or UNITS.get(x, x), ylabel=ylabel or UNITS.get(y, y),
           title=title)
    ax.margins(0.12, 0.12)
    ax.xaxis.set_major_formatter(mpl.ticker.EngFormatter(sep=""))
    if np.log10(max(xs) / min(xs)) > 1.5:
        ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    _note(ax, caption, source)
    _label_points(ax, xs, ys, [row["net"] for row in rows])
    return ax.figure


@mpl.rc_context(STYLE)
def image_grid(images, labels=None, predictions=None, class_names=None, columns=8, ax=None,
               width=TEXT, title=None, caption=None, source=None):
    """Images (n, H, W), (n, H, W, 1) or (n, H, W, 3), uint8 or 0…1, in a grid, each with its label.

    With predictions a wrong one is set in vermilion as "prediction (label)". 16 photographs of
    32×32 make a picture of about 50 kB: show few.
    """
    images = np.asarray(images)
    images = images[..., None] if images.ndim == 3 else images
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise ValueError(f"image_grid: images of shape {images.shape}; pass (n, H, W), "
                         "(n, H, W, 1) or (n, H, W, 3).")
    images = images / 255 if images.dtype == np.uint8 else np.clip(images, 0, 1)
    n, height, wide, _ = images.shape
    columns, rows = min(columns, n), -(-n // columns)
    text = 0 if labels is None and predictions is None else 0.30 * wide
    gap, step = 0.08 * wide, height * 1.08 + text
    ax = _axes(ax, width, caption, height=(width - 0.2) * rows * step / (columns * (wide + gap)))
    name = (lambda c: str(class_names[int(c)])) if class_names is not None else str
    for i, image in enumerate(images):
        left, top = (i % columns) * (wide + gap), (i // columns) * step
        ax.imshow(np.repeat(image, 3, -1) if image.shape[-1] == 1 else image,
                  extent=(left, left + wide, top + height, top), interpolation="nearest")
        if not text:
            continue
        truth = None if labels is None else name(np.ravel(labels)[i])
        guess = truth if predictions is None else name(np.ravel(predictions)[i])
        wrong = truth is not None and guess != truth
        ax.text(left + wide / 2, top + height + 0.03 * wide, f"{guess}\n({truth})" if wrong
                else guess, fontsize=7, ha="center", va="top", linespacing=0.95,
                color=PALETTE[1] if wrong else "#222222")
    ax.set(xlim=(-gap, columns * (wide + gap)), ylim=(rows * step, -gap), title=title)
    ax.set_axis_off()
    _note(ax, caption, source, below=4)
    return ax.figure


@mpl.rc_context(STYLE)
def heatmap(array, names=None, unit="", xlabel="", ylabel="", cells=None, ax=None, width=HALF,
            title=None, caption=None, source=None):
    """A matrix (rows, columns) as colours: a receptive field, a confusion matrix, correlations.

    names: one per row and column (confusion). cells: a format such as "{:.0f}" to write into
    each cell; by default written where there are names and at most 12 rows.
    """
    array = np.asarray(array, float)
    if array.ndim != 2 or (names is not None and array.shape != (len(names), len(names))):
        raise ValueError(f"heatmap: array of shape {array.shape}; pass (rows, columns)"
                         + (f" with one of {len(names)} names for each." if names else "."))
    ax = _axes(ax, width, caption, height=0.82 * width)
    signed = array.min() < 0
    limit = {"vmin": -np.abs(array).max(), "vmax": np.abs(array).max()} if signed else {}
    image = ax.imshow(array, cmap="PuOr" if signed else "cividis", **limit)
    ax.figure.colorbar(image, ax=ax, label=unit, shrink=0.85).outline.set_visible(False)
    if names is not None:
        ax.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=7)
        ax.set_yticks(range(len(names)), names, fontsize=7)
        cells = cells or ("{:.0f}" if len(names) <= 12 else None)
    for (row, column), value in np.ndenumerate(array if cells else array[:0]):
        dark = np.mean(image.cmap(image.norm(value))[:3]) < 0.5
        ax.text(column, row, cells.format(value), ha="center", va="center", fontsize=6.5,
                color="white" if dark else "black")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.grid(False)
    _note(ax, caption, source, below=62 if names is not None else 34)
    return ax.figure


@mpl.rc_context(STYLE)
def paper_beside_ours(rows, unit="test accuracy (%)", fmt="{:.2f}", ax=None, width=TEXT,
                      title=None, caption=None, source=None):
    """The paper's number (ring) beside ours (dot), and the difference: [{"net", "paper", "ours"}].

    A row whose "ours" is None shows the paper's ring alone: not measured here.
    """
    ax = _axes(ax, width, caption, height=0.95 + 0.3 * len(rows))
    for at, row in enumerate(rows):
        paper, ours = row["paper"], row["ours"]
        tint = color(row["net"])
        ax.plot(paper, at, "o", markersize=8, markerfacecolor="none", markeredgecolor="#444444",
                label="paper" if at == 0 else None)
        if ours is not None:
            ax.plot([paper, ours], [at, at], "-", color=tint, linewidth=1.2)
            ax.plot(ours, at, "o", markersize=5, color=tint)
        text = "not measured" if ours is None else f"{fmt.format(ours)}  ({ours - paper:+.2f})"
        ax.annotate(text, (1.02, at), xycoords=("axes fraction", "data"), va="center", fontsize=8,
                    color="#777777" if ours is None else "#222222")
    ax.set_yticks(range(len(rows)), [row["net"] for row in rows])
    ax.set(xlabel=f"{unit}    ring: paper    dot: ours", title=title,
           ylim=(len(rows) - 0.5, -0.5))
    ax.margins(x=0.08)
    ax.grid(True, axis="both")
    _note(ax, caption, source)
    return ax.figure


# ---- what every figure shares ----

def _axes(ax, width, caption, height=2.9):
    """The panel given, or the one panel of a new figure that leaves room for its caption."""
    if ax is not None:
        return ax
    lines = len(textwrap.wrap(caption or "", int(width * 14)))
    return plt.figure(figsize=(width, height + 0.15 * lines)).subplots()


def _note(ax, caption, source, below=34):
    """Caption and data source under the axes, `below` points down; constrained layout sees both."""
    width = ax.get_position().width * ax.figure.get_figwidth()
    lines = textwrap.wrap(caption or "", max(24, int(width * 15)))
    style = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "top", "ha": "left"}
    if lines:
        ax.annotate("\n".join(lines), (0, 0), (0, -below), fontsize=8, color="#333333",
                    gid="caption", **style)
    if source:
        ax.annotate(f"data: {source}", (0, 0), (0, -below - 11.5 * len(lines)), fontsize=6.5,
                    color="#888888", gid="source", **style)


def _colors(labels):
    """A colour per label: the net's own, else one of the palette; never the same one twice."""
    taken = []
    for label in labels:
        free = [c.lower() for c in PALETTE if c.lower() not in taken]
        want = color(label)
        taken.append(want if want not in taken or not free else free[0])
    return taken


def _known(name):
    return color(name) if any(str(name).lower().startswith(f) for f in FAMILIES) else None


def _one_source(records):
    sources = list(dict.fromkeys(r.get("data", {}).get("source", "not recorded") for r in records))
    drawn = [s for s in sources if "stand-in" in s]
    if drawn and len(drawn) < len(sources):
        raise ValueError(f"curves: records of stand-in and of real data together ({sources}); "
                         "draw them in separate figures.")
    return "; ".join(sources)


def _stack(group, key, convert, label):
    """The runs of one label as an array (seeds, epochs)."""
    for record in group:
        if not record["history"].get(key):
            raise ValueError(f"curves: the record {label!r} has no {key!r}; its history holds "
                             f"{sorted(record['history'])}. Pass metric= one of these, or one of "
                             f"{sorted(METRICS)} where its key is there.")
    runs = [convert(np.asarray(record["history"][key], float)) for record in group]
    return np.stack([run[:min(map(len, runs))] for run in runs])


def _label_ends(ax, ends):
    """Name lines at their right end, pushed apart; a legend where the names do not fit."""
    if len(ends) < 2:
        return
    ax.figure.draw_without_rendering()
    size = ax.get_window_extent().height
    step = 8 * 1.3 * ax.figure.dpi / 72 / size  # one line of text as a fraction of the axes
    if len(ends) * step > 1.05:
        ax.legend(ncols=2)
        return
    names = sorted(ends, key=lambda name: ends[name][1])
    heights = [ax.transAxes.inverted().transform(ax.transData.transform(ends[n][:2]))[1]
               for n in names]
    for _ in range(100):  # move neighbours apart until no two are nearer than a line of text
        for i in range(len(heights) - 1):
            push = step - (heights[i + 1] - heights[i])
            if push > 1e-6:
                heights[i] -= push / 2
                heights[i + 1] += push / 2
    for name, height in zip(names, heights):
        x, y, tint = ends[name]
        ax.annotate(name, (x, y), (1.03, height), textcoords="axes fraction", fontsize=8,
                    color=tint, va="center", gid="line label", annotation_clip=False,
                    arrowprops={"arrowstyle": "-", "color": tint, "linewidth": 0.6, "shrinkA": 0,
                                "shrinkB": 2, "relpos": (0, 0.5)})


def _label_points(ax, xs, ys, names):
    """A label beside each point, at the nearest place where it covers no point and no label."""
    ax.figure.draw_without_rendering()
    dots = ax.transData.transform(np.column_stack([xs, ys]))
    renderer, frame = ax.figure.canvas.get_renderer(), ax.get_window_extent()
    placed = [mpl.transforms.Bbox.from_extents(*(d - 5), *(d + 5)) for d in dots]
    unit = ax.figure.dpi / 72
    for i in np.argsort(-dots[:, 1]):
        best = None
        for radius in (6, 12, 20, 30, 42):
            for angle in np.deg2rad([0, 180, 90, 270, 35, -35, 145, -145]):
                dx, dy = radius * np.cos(angle), radius * np.sin(angle)
                text = ax.annotate(
                    names[i], (xs[i], ys[i]), (dx, dy), textcoords="offset points", fontsize=8,
                    gid="point label", color=color(names[i]), va="center",
                    ha="left" if dx > 1 else "right" if dx < -1 else "center",
                    arrowprops={"arrowstyle": "-", "linewidth": 0.5, "color": "#999999"}
                    if radius > 6 else None)
                box = text.get_window_extent(renderer).padded(unit)
                clash = sum(box.overlaps(other) for j, other in enumerate(placed) if j != i)
                clash += 3 * (not (frame.x0 <= box.x0 and box.x1 <= frame.x1
                                   and frame.y0 <= box.y0 and box.y1 <= frame.y1))
                if best is None or clash < best[0]:
                    if best:
                        best[1].remove()
                    best = (clash, text, box)
                else:
                    text.remove()
                if not best[0]:
                    break
            if not best[0]:
                break
        placed.append(best[2])
