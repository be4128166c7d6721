"""U-Net's two halves: blocks that shrink the image, and blocks that grow it back beside a skip.

An encoder block's output is the skip: give it to the next encoder block and, later, to the decoder
block of the same size. All tensors are channels last. Each function can be copied alone: it needs
only `keras`.
"""

import keras
from keras import layers, ops


def encoder_block(x, filters, pool=True, padding="same", activation="relu", norm=False, name=None):
    """Half the image by max pooling, then two 3×3 convolutions. Its output is the skip.

        x ─ max pool 2×2 /2 ─ conv 3×3 ─ relu ─ conv 3×3 ─ relu ─►
            (pool=False: none, for the first block)

    Shapes: (batch, H, W, C) → (batch, H/2, W/2, filters); padding "valid" takes 4 pixels more off.
    Parameters, i in and o out: 9·i·o + 9·o² + 2·o; with norm 9·i·o + 9·o² + 8·o.
    1→64: 37,568.

    padding: "valid" as in 2015, "same" to keep the size. norm: BN after each convolution.

    Paper: Ronneberger et al. 2015 (U-Net), arXiv:1505.04597, sec. 2, fig. 1.
    Differs from the paper: the pool opens the block rather than closing it, so that one tensor
    comes out; `padding="same"` and `norm=True` came later.
    Raises: ValueError for a pool of an odd size: a pixel would be lost, the skip would not fit.
    """
    if pool and any(size is not None and size % 2 for size in x.shape[1:3]):
        raise ValueError(f"encoder_block: pooling {x.shape[1]}×{x.shape[2]} would lose a row or a "
                         "column; choose an input size that is even at every pool.")
    y = layers.MaxPooling2D(2)(x) if pool else x
    for conv in (1, 2):
        y = layers.Conv2D(filters, 3, padding=padding, use_bias=not norm,
                          kernel_initializer="he_normal")(y)
        if norm:
            y = layers.BatchNormalization()(y)
        y = layers.Activation(activation, name=name if conv == 2 else None)(y)
    return y


def decoder_block(x, skip, filters, padding="same", activation="relu", norm=False, name=None):
    """Twice the image by an up-convolution, beside the skip, then two 3×3 convolutions.

        x ─ up-conv 2×2 /2 ──┬─ concat ─ conv 3×3 ─ relu ─ conv 3×3 ─ relu ─►
        skip ─ centre crop ──┘

    Shapes: (batch, H, W, C) and skip (batch, ≥2H, ≥2W, C') → (batch, 2H, 2W, filters); padding
    "valid" takes 4 pixels off. The skip's channels come first in the concatenation.
    Parameters, i in, s in the skip, o out: 4·i·o + o + 9·(s + o)·o + o + 9·o² + o; with norm the
    last two o are 8·o. 1024 beside 512→512: 9,176,576.

    padding: "valid" crops a larger skip to its centre, as in 2015; "same" wants equal sizes.
    skip: None builds the block without it (an hourglass), to see what the skip is worth.

    Paper: Ronneberger et al. 2015 (U-Net), arXiv:1505.04597, sec. 2, fig. 1.
    Differs from the paper: `padding="same"` and `norm=True` came later.
    Raises: ValueError for a skip that is smaller than the upsampled x, does not fit, whose centre
    falls between two pixels, or that is to be cropped without a known size.
    """
    y = layers.Conv2DTranspose(filters, 2, strides=2, kernel_initializer="he_normal")(x)
    if skip is not None:
        sizes = list(zip(skip.shape[1:3], y.shape[1:3]))
        known = all(side is not None for pair in sizes for side in pair)
        extra = [a - b for a, b in sizes] if known else [0, 0]
        crops = padding == "valid"
        if (crops and not known) or any(e < 0 or e % 2 or (e and not crops) for e in extra):
            raise ValueError(f"decoder_block: skip {skip.shape} beside {y.shape}, padding "
                             f"{padding!r}; make them the same size, or with 'valid' the skip "
                             "larger by an even and known number of pixels.")
        if any(extra):
            skip = layers.Cropping2D([(e // 2, e // 2) for e in extra])(skip)
        y = layers.Concatenate()([skip, y])
    for conv in (1, 2):
        y = layers.Conv2D(filters, 3, padding=padding, use_bias=not norm,
                          kernel_initializer="he_normal")(y)
        if norm:
            y = layers.BatchNormalization()(y)
        y = layers.Activation(activation, name=name if conv == 2 else None)(y)
    return y
