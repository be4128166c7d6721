"""Digits and coloured shapes drawn here, for where the real data cannot be had.

Same shapes and types as MNIST and CIFAR-10, ten classes, the same images every time. Learnable
but not trivial: position, size, tilt, colour, brightness and noise vary. It is not a data set to
report numbers on: whatever is trained on it says so.
"""

import numpy as np

SHAPE_NAMES = ("disc", "ring", "square", "frame", "triangle", "diamond", "plus", "cross",
               "stripes", "checkers")

# ten digits on a 5×7 grid, one string a row
FONT = """
01110 10001 10011 10101 11001 10001 01110 | 00100 01100 00100 00100 00100 00100 01110
01110 10001 00001 00110 01000 10000 11111 | 11111 00010 00100 00010 00001 10001 01110
00010 00110 01010 10010 11111 00010 00010 | 11111 10000 11110 00001 00001 10001 01110
00110 01000 10000 11110 10001 10001 01110 | 11111 00001 00010 00100 01000 01000 01000
01110 10001 10001 01110 10001 10001 01110 | 01110 10001 10001 01111 00001 00010 01100
"""


def draw(name, count, seed):
    """`count` images and labels of "mnist" or "cifar10": (count, H, W[, 3]) and (count,), uint8."""
    rng = np.random.default_rng([seed, count])
    labels = rng.permutation(np.arange(count) % 10).astype("uint8")
    paint = _digits if name == "mnist" else _shapes
    parts = [paint(labels[i:i + 2000], rng) for i in range(0, count, 2000)]
    return np.concatenate(parts), labels


def _grid(count, size, rng, scale):
    """Coordinates of every pixel as the drawn object sees them: shifted, scaled and tilted."""
    y, x = np.mgrid[:size, :size].astype("float32") / (size - 1) * 2 - 1
    shift = rng.uniform(-0.25, 0.25, (2, count, 1, 1)).astype("float32")
    angle = rng.normal(0, 0.18, (count, 1, 1)).astype("float32")
    radius = rng.uniform(*scale, (count, 1, 1)).astype("float32")
    x, y = (x - shift[0]) / radius, (y - shift[1]) / radius
    return np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x


def _digits(labels, rng):
    rows = FONT.replace("|", "\n").split()
    font = np.array([[int(c) for c in row] for row in rows], "uint8").reshape(10, 7, 5)
    u, v = _grid(len(labels), 28, rng, (0.55, 0.85))
    column, row = np.floor((u * 0.7 + 0.5) * 5).astype(int), np.floor((v * 0.5 + 0.5) * 7).astype(int)
    inside = (column >= 0) & (column < 5) & (row >= 0) & (row < 7)
    ink = font[labels[:, None, None], row.clip(0, 6), column.clip(0, 4)] * inside
    bright = rng.uniform(0.6, 1, (len(labels), 1, 1)) * 255
    noise = 25 * rng.standard_normal(ink.shape, dtype="float32")
    return np.clip(ink * bright + np.abs(noise), 0, 255).astype("uint8")


MASKS = (  # each of (u, v, the larger of |u| and |v|, the radius), in the order of SHAPE_NAMES
    lambda u, v, q, r: r < 1,
    lambda u, v, q, r: (r < 1) & (r > 0.6),
    lambda u, v, q, r: q < 0.85,
    lambda u, v, q, r: (q < 0.9) & (q > 0.5),
    lambda u, v, q, r: (v < 0.7) & (np.abs(u) < (v + 1) * 0.55),
    lambda u, v, q, r: np.abs(u) + np.abs(v) < 1.1,
    lambda u, v, q, r: (np.minimum(np.abs(u), np.abs(v)) < 0.3) & (q < 1),
    lambda u, v, q, r: (np.abs(np.abs(u) - np.abs(v)) < 0.35) & (q < 0.9),
    lambda u, v, q, r: (q < 0.9) & (np.floor(v * 2.5) % 2 == 0),
    lambda u, v, q, r: (q < 0.9) & ((np.floor(u * 2.2) + np.floor(v * 2.2)) % 2 == 0),
)


def _shapes(labels, rng):
    u, v = _grid(len(labels), 32, rng, (0.45, 0.8))
    square, radius = np.maximum(np.abs(u), np.abs(v)), np.hypot(u, v)
    inside = np.empty(u.shape, bool)
    for label, mask in enumerate(MASKS):
        own = labels == label
        inside[own] = mask(u[own], v[own], square[own], radius[own])
    back = rng.uniform(0, 255, (len(labels), 1, 1, 3)).astype("float32")
    away = (rng.uniform(60, 160, back.shape) * rng.choice([-1, 1], back.shape)).astype("float32")
    ink = np.where((back + away < 0) | (back + away > 255), back - away, back + away)
    noise = 30 * rng.standard_normal((*u.shape, 3), dtype="float32")
    return np.clip(np.where(inside[..., None], ink, back) + noise, 0, 255).astype("uint8")
