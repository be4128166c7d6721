"""Figures of the lessons: arrays and record dicts in, a Matplotlib figure out.

One style, set only while a function runs: PNGs of twice the dots, letters of 9 points or more where
a figure is as wide as the text. Two widths, `TEXT` and `HALF`; Okabe and Ito's
colour-blind palette with one fixed colour per net. Every function returns the Figure and takes
`ax` to draw into a panel of yours (`panels` makes some), `caption` (what to notice, set below the
axes) and `source` (what it was measured on, set small below the caption; records bring their own).
A record is what `keras_cases.train` writes; used here are its "case", "label" (optional),
"history" ({"loss": [...], "accuracy": [...], "val_accuracy": [...]}, one value per epoch) and
"data" ({"source": "..."}). Needs numpy and matplotlib only.
"""

from keras_cases.plots.figures import (
    bars, curves, heatmap, image_grid, layer_profile, paper_beside_ours, scatter_cost)
from keras_cases.plots.style import HALF, PALETTE, STYLE, TEXT, color, line_style, panels

__all__ = ["HALF", "PALETTE", "STYLE", "TEXT", "bars", "color", "curves", "heatmap", "image_grid",
           "layer_profile", "line_style", "panels", "paper_beside_ours", "scatter_cost"]
