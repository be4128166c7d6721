"""The figures of the lessons; see `keras_cases.plots` for what they share."""

import matplotlib as mpl
import numpy as np

from keras_cases.plots.style import (
    HALF, PALETTE, STYLE, TEXT, color, colors_of, family_of, label_ends, label_points, line_style,
    new_axes, note)

METRICS = {  # metric: (key of the history, label of the axis, history → axis, training twin)
    "accuracy": ("val_accuracy", "held-out accuracy (%)", lambda a: 100 * a, "train_accuracy"),
    "error": ("val_accuracy", "held-out error (%)", lambda a: 100 * (1 - a), "train_error"),
    "loss": ("val_loss", "held-out loss", lambda a: a, "train_loss"),
    "train_accuracy": ("accuracy", "training accuracy (%)", lambda a: 100 * a, None),
    "train_error": ("accuracy", "training error (%)", lambda a: 100 * (1 - a), None),
    "train_loss": ("loss", "training loss", lambda a: a, None),
}
UNITS = {"macs": "multiply-adds per image (MACs)", "parameters": "parameters",
         "accuracy": "accuracy (%)", "error": "error (%)", "top1": "top-1 accuracy (%)",
         "images_per_second": "images/s"}


@mpl.rc_context(STYLE)
def curves(records, metric="accuracy", both=False, ax=None, width=TEXT, title=None, caption=None,
           ylabel=None, log=False):
    """Learning curves of one record or many; those that share a label become mean and band.

    metric: "accuracy", "error" (in %) or "loss", all on held-out images; "train_accuracy",
    "train_error", "train_loss"; or any key of the histories, as it stands. both=True adds the
    training curve, thin, to one of the first three. The band goes from the lowest to the highest
    seed; curves of one label are cut to the shortest. log: a logarithmic y axis.
    Raises: ValueError where a record lacks the metric.
    """
    records = [records] if isinstance(records, dict) else list(records)
    groups = {}
    for record in records:
        groups.setdefault(record.get("label") or record["case"], []).append(record)
    if not groups:
        raise ValueError("curves: no records; pass one record dict or a list of them.")
    source = _sources(records)
    key, unit, convert, twin = METRICS.get(metric, (metric, metric, lambda a: a, None))
    seeds = max(map(len, groups.values()))
    notes = [caption or "", f"Band: lowest to highest of {seeds} seeds." if seeds > 1 else "",
             "Thick: held-out, thin: training." if both and twin else ""]
    caption = " ".join(filter(None, notes))
    ax = new_axes(ax, width, caption)
    ends = {}
    for (label, group), tint in zip(groups.items(), colors_of(groups)):
        runs = _runs(group, key, convert, label)
        ends[label] = _line(ax, np.arange(1, runs.shape[1] + 1), runs, label, tint,
                            marker="o" if runs.shape[1] == 1 else "")
        if both and twin:
            low = _runs(group, METRICS[twin][0], METRICS[twin][2], label).mean(0)
            ax.plot(np.arange(1, low.size + 1), low, line_style(label), color=tint, linewidth=0.9)
    ax.set(xlabel="epoch", ylabel=ylabel or unit, title=title, yscale="log" if log else "linear")
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    note(ax, caption, source)
    label_ends(ax, ends)
    return ax.figure


@mpl.rc_context(STYLE)
def bars(values, ax=None, width=TEXT, xlabel="", fmt="{:,.0f}", log=False, title=None,
         caption=None, source=None):
    """Horizontal bars of {name: number}, in the order given, each with its number at its end.

    fmt writes the number. Bars of nets have the nets' colours. Raises: ValueError without values.
    """
    if not values:
        raise ValueError("bars: no values; pass a dict {name: number}.")
    names, sizes = list(values), np.array(list(values.values()), float)
    ax = new_axes(ax, width, caption, height=0.75 + 0.27 * len(names))
    ax.barh(names, sizes, height=0.66, color=[color(name) if family_of(name) else PALETTE[0]
                                            for name in names])
    for row, size in enumerate(sizes):
        ax.annotate(" " + fmt.format(size), (max(size, 0), row), va="center", fontsize=9)
    ax.set(xlabel=xlabel, title=title, xscale="log" if log else "linear")
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    if not log and sizes.max() >= 1e4:
        ax.xaxis.set_major_formatter(mpl.ticker.EngFormatter(sep=""))
    ax.tick_params(axis="y", length=0, labelcolor="#222222")
    low, high = ax.get_xlim()
    ax.set_xlim(low, high * (high / low) ** 0.18 if log else high + 0.16 * (high - low))
    note(ax, caption, source)
    return ax.figure


@mpl.rc_context(STYLE)
def layer_profile(profiles, names=None, ylabel="gradient norm", xlabel=None, log=True, ax=None,
                  width=TEXT, title=None, caption=None, source=None):
    """One number per layer, of one or several nets: {label: (layers,) or (seeds, layers)}.

    names: the layers' names, or other categories, where all nets have the same ones; they are
    points, not joined by a line; say by xlabel what they are. Without names, nets of unequal depth
    share an axis of relative depth (0 = first layer, 1 = last), others a layer index.
    """
    profiles = {label: np.atleast_2d(np.asarray(p, float)) for label, p in profiles.items()}
    depths = {p.shape[1] for p in profiles.values()}
    if names is not None and depths != {len(names)}:
        raise ValueError(f"layer_profile: {len(names)} names, but profiles of {sorted(depths)} "
                         "layers; give one name per layer, or leave names out.")
    relative = len(depths) > 1
    ax = new_axes(ax, width, caption)
    ends = {}
    for (label, runs), tint in zip(profiles.items(), colors_of(profiles)):
        n = runs.shape[1]
        at = np.linspace(0, 1, n) if relative else np.arange(n) if names else np.arange(1, n + 1)
        ends[label] = (_points if names else _line)(ax, at, runs, label, tint, marker="o",
                                                    markersize=5 if names else 3)
    ax.set(ylabel=ylabel, title=title, yscale="log" if log else "linear",
           xlabel=xlabel or ("relative depth (0 = first layer)" if relative else "layer"))
    if names:
        ax.set_xticks(range(len(names)), names, rotation=40, ha="right", fontsize=9)
    elif not relative:
        ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    note(ax, caption, source)
    label_ends(ax, ends)
    return ax.figure


@mpl.rc_context(STYLE)
def scatter_cost(rows, x="macs", y="accuracy", ax=None, width=TEXT, xlabel=None, ylabel=None,
                 title=None, caption=None, source=None):
    """Nets by cost (logarithmic x) against accuracy: rows = [{"net": ..., x: ..., y: ...}, ...].

    Every point is labelled where its label meets no other label and no point.
    Raises: ValueError without rows, or for a row that lacks one of the three.
    """
    if not rows:
        raise ValueError(f"scatter_cost: no rows; pass dicts with 'net', {x!r} and {y!r}.")
    for row in rows:
        if missing := {"net", x, y} - set(row):
            raise ValueError(f"scatter_cost: a row lacks {sorted(missing)}; it has {sorted(row)}. "
                             "Name the columns with x= and y=.")
    ax = new_axes(ax, width, caption, height=3.6)
    xs, ys = [row[x] for row in rows], [row[y] for row in rows]
    ax.scatter(xs, ys, s=28, c=[color(row["net"]) for row in rows], zorder=3)
    ax.set(xscale="log", xlabel=xlabel or UNITS.get(x, x), ylabel=ylabel or UNITS.get(y, y),
           title=title)
    ax.margins(0.12, 0.12)
    ax.xaxis.set_major_formatter(mpl.ticker.EngFormatter(sep=""))
    if np.log10(max(xs) / min(xs)) > 1.5:
        ax.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
    note(ax, caption, source)
    names = [row["net"] for row in rows]
    label_points(ax, xs, ys, names, [color(name) for name in names])
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
    images = np.round(images * 31) / 31  # 32 levels look the same and make the PNG a third smaller
    n, height, wide, _ = images.shape
    columns, rows = min(columns, n), -(-n // columns)
    text = 0 if labels is None and predictions is None else 0.38 * wide
    gap, step = 0.08 * wide, height * 1.08 + text
    lines = 0.2 * bool(caption) + 0.2 * bool(source) + 0.3 * bool(title)  # inches beside the images
    ax = new_axes(ax, width, caption, height=0.15 + lines
                  + (width - 0.2) * rows * step / (columns * (wide + gap)))
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
                else guess, fontsize=9, ha="center", va="top", linespacing=1.0,
                color=PALETTE[1] if wrong else "#222222")
    ax.set(xlim=(-gap, columns * (wide + gap)), ylim=(rows * step, -gap), title=title)
    ax.set_axis_off()
    note(ax, caption, source, below=4)
    return ax.figure


@mpl.rc_context(STYLE)
def heatmap(array, names=None, unit="", xlabel="", ylabel="", cells=None, ax=None, width=None,
            title=None, caption=None, source=None):
    """A matrix (rows, columns) as colours: a receptive field, a confusion matrix, correlations.

    names: one per row and column (confusion). cells: a format such as "{:.0f}" to write into
    each cell; by default written where there are names and at most 12 rows. width: by default half
    a text, or a whole one for more than 4 names.
    """
    array = np.asarray(array, float)
    if array.ndim != 2 or (names is not None and array.shape != (len(names), len(names))):
        raise ValueError(f"heatmap: array of shape {array.shape}; pass (rows, columns)"
                         + (f" with one of {len(names)} names for each." if names else "."))
    width = width or (TEXT if names is not None and len(names) > 4 else HALF)
    ax = new_axes(ax, width, caption, height=(0.82 if width <= HALF else 0.75) * width)
    signed = array.min() < 0
    limit = {"vmin": -np.abs(array).max(), "vmax": np.abs(array).max()} if signed else {}
    image = ax.imshow(array, cmap="PuOr" if signed else "cividis", **limit)
    ax.figure.colorbar(image, ax=ax, label=unit, shrink=0.85).outline.set_visible(False)
    if names is not None:
        ax.set_xticks(range(len(names)), names, rotation=45, ha="right", fontsize=9)
        ax.set_yticks(range(len(names)), names, fontsize=9)
        cells = cells or ("{:.0f}" if len(names) <= 12 else None)
    for (row, column), value in np.ndenumerate(array if cells else array[:0]):
        dark = np.mean(image.cmap(image.norm(value))[:3]) < 0.5
        ax.text(column, row, cells.format(value), ha="center", va="center", fontsize=9,
                color="white" if dark else "black")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.grid(False)
    note(ax, caption, source, below=62 if names is not None else 34)
    return ax.figure


@mpl.rc_context(STYLE)
def paper_beside_ours(rows, unit="accuracy (%)", fmt="{:.2f}", ax=None, width=TEXT,
                      title=None, caption=None, source=None):
    """The paper's number (ring) beside ours (dot), and the difference: [{"net", "paper", "ours"}].

    A row whose "ours" is None shows the paper's ring alone: not measured here.
    """
    ax = new_axes(ax, width, caption, height=0.95 + 0.3 * len(rows))
    for at, row in enumerate(rows):
        paper, ours = row["paper"], row["ours"]
        tint = color(row["net"])
        ax.plot(paper, at, "o", markersize=8, markerfacecolor="none", markeredgecolor="#444444")
        if ours is not None:
            ax.plot([paper, ours], [at, at], "-", color=tint, linewidth=1.2)
            ax.plot(ours, at, "o", markersize=5, color=tint)
        text = "not measured" if ours is None else f"{fmt.format(ours)}  ({ours - paper:+.2f})"
        ax.annotate(text, (1.02, at), xycoords=("axes fraction", "data"), va="center", fontsize=9,
                    color="#777777" if ours is None else "#222222")
    ax.annotate("ours (difference)", (1.02, 1), xycoords="axes fraction", fontsize=9,
                color="#555555", va="bottom")
    ax.set_yticks(range(len(rows)), [row["net"] for row in rows])
    ax.set(xlabel=f"{unit}    ring: paper    dot: ours", title=title,
           ylim=(len(rows) - 0.5, -0.5))
    ax.margins(x=0.08)
    ax.grid(True, axis="both")
    note(ax, caption, source)
    return ax.figure


def _sources(records):
    return "; ".join(dict.fromkeys(
        record.get("data", {}).get("source", "not recorded") for record in records))


def _runs(group, key, convert, label):
    """The runs of one label as an array (seeds, epochs), cut to the shortest."""
    for record in group:
        if not record["history"].get(key):
            raise ValueError(f"curves: the record {label!r} has no {key!r}; its history holds "
                             f"{sorted(record['history'])}. Pass one of these as metric, or one "
                             f"of {sorted(METRICS)} where its key is there.")
    runs = [convert(np.asarray(record["history"][key], float)) for record in group]
    return np.stack([run[:min(map(len, runs))] for run in runs])


def _line(ax, x, runs, label, tint, **style):
    """The mean of runs (seeds, points) and a band from the lowest to the highest; its right end."""
    mean = runs.mean(0)
    ax.plot(x, mean, line_style(label), color=tint, label=label, **style)
    if len(runs) > 1:
        ax.fill_between(x, runs.min(0), runs.max(0), color=tint, alpha=0.2, linewidth=0)
    return x[-1], mean[-1], tint


def _points(ax, x, runs, label, tint, **style):
    """As _line, for categories: the mean of each, and a bar from the lowest to the highest seed."""
    mean = runs.mean(0)
    ax.plot(x, mean, linestyle="none", color=tint, label=label, **style)
    if len(runs) > 1:
        ax.vlines(x, runs.min(0), runs.max(0), color=tint, linewidth=1.2)
    return x[-1], mean[-1], tint
