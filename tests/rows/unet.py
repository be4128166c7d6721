"""Rows for test_blocks: U-Net's encoder and decoder blocks."""

from graphs import X, join, then
from keras import layers
from rows import Bad, Mutant, Row

from keras_cases.blocks.unet import decoder_block, encoder_block

TWO = "conv3:4 relu conv3:4 relu"
VALID = "conv3:4v relu conv3:4v relu"
NORM = "conv3:4- bn relu conv3:4- bn relu"


def low(x, factor=2):
    """A smaller tensor for the decoder to grow, made of the input; the input itself is the skip."""
    return layers.AveragePooling2D(factor)(x)


def beside(skip, grown, words, x=X, small=X):
    """The skip of x, its channels first, beside the small map grown; then what follows."""
    return then(join("concat", then(x, skip), then(small, grown)), words)


ROWS = [
    Row(encoder_block, (8, 6, 3), lambda f, x, **k: f(x, 4, **k), (4, 3, 4),
        (9 * 3 + 1) * 4 + (9 * 4 + 1) * 4, then(X, f"max2/2 {TWO}")),
    Row(encoder_block, (8, 8, 3), lambda f, x, **k: f(x, 4, pool=False, padding="valid", **k),
        (4, 4, 4), (9 * 3 + 1) * 4 + (9 * 4 + 1) * 4, then(X, VALID)),
    Row(encoder_block, (12, 12, 3), lambda f, x, **k: f(x, 4, padding="valid", **k), (2, 2, 4),
        (9 * 3 + 1) * 4 + (9 * 4 + 1) * 4, then(X, f"max2/2 {VALID}")),
    Row(encoder_block, (4, 4, 3), lambda f, x, **k: f(x, 4, norm=True, **k), (2, 2, 4),
        9 * 3 * 4 + 9 * 4 * 4 + 2 * 4 * 4, then(X, f"max2/2 {NORM}")),
    Row(encoder_block, (7, 7, 1), lambda f, x, **k: f(x, 64, pool=False, **k), (7, 7, 64), 37_568,
        then(X, "conv3:64 relu conv3:64 relu")),

    Row(decoder_block, (8, 6, 3), lambda f, x, **k: f(low(x), x, 4, **k), (8, 6, 4),
        (4 * 3 + 1) * 4 + (9 * 7 + 1) * 4 + (9 * 4 + 1) * 4, beside("", "avg2/2 up2:4/2", TWO)),
    # 18×12 beside 6×4: upsampled to 12×8, so 3 pixels go on each side, and 2; then 4 to the convs
    Row(decoder_block, (18, 12, 3), lambda f, x, **k: f(low(x, 3), x, 4, padding="valid", **k),
        (8, 4, 4), (4 * 3 + 1) * 4 + (9 * 7 + 1) * 4 + (9 * 4 + 1) * 4,
        beside("crop3x3x2x2", "avg3/3 up2:4/2", VALID)),
    Row(decoder_block, (8, 8, 3), lambda f, x, **k: f(low(x), x, 4, padding="valid", **k),
        (4, 4, 4), (4 * 3 + 1) * 4 + (9 * 7 + 1) * 4 + (9 * 4 + 1) * 4,
        beside("", "avg2/2 up2:4/2", VALID)),
    Row(decoder_block, (3, 3, 3), lambda f, x, **k: f(x, None, 4, **k), (6, 6, 4),
        (4 * 3 + 1) * 4 + (9 * 4 + 1) * 4 + (9 * 4 + 1) * 4, then(X, f"up2:4/2 {TWO}")),
    Row(decoder_block, (4, 4, 3), lambda f, x, **k: f(low(x), x, 4, norm=True, **k), (4, 4, 4),
        (4 * 3 + 1) * 4 + 9 * 7 * 4 + 9 * 4 * 4 + 2 * 4 * 4,
        beside("", "avg2/2 up2:4/2", NORM)),
]

BAD = [
    Bad(encoder_block, (8, 4), lambda f, x: f(x, 4), "ndim=4"),
    Bad(encoder_block, (8, 8, 4), lambda f, x: f(x, 0), "filters"),
    Bad(encoder_block, (7, 8, 4), lambda f, x: f(x, 4), "7×8"),
    Bad(encoder_block, (8, 7, 4), lambda f, x: f(x, 4, padding="valid"), "8×7"),
    Bad(encoder_block, (4, 4, 4), lambda f, x: f(x, 4, False, "valid"), "output size"),
    Bad(encoder_block, (8, 8, 4), lambda f, x: f(x, 4, padding="full"), "padding"),
    Bad(decoder_block, (8, 4), lambda f, x: f(x, None, 4), "min_ndim=4"),
    Bad(decoder_block, (8, 8, 4), lambda f, x: f(low(x), x, 0), "filters"),
    Bad(decoder_block, (7, 7, 4), lambda f, x: f(low(x), x, 4), "same size"),
    Bad(decoder_block, (12, 12, 4), lambda f, x: f(low(x, 3), x, 4), "same size"),
    Bad(decoder_block, (8, 8, 4), lambda f, x: f(x, x, 4, padding="valid"), "larger by an even"),
    Bad(decoder_block, (7, 7, 4), lambda f, x: f(low(x), x, 4, padding="valid"), "even"),
    Bad(decoder_block, (None, None, 4), lambda f, x: f(low(x), x, 4, padding="valid"), "known"),
]

MUTANTS = [
    Mutant(encoder_block, "pools an odd size and loses a row",
           "size % 2 for size", "False for size"),
    Mutant(encoder_block, "has one convolution", "for conv in (1, 2):", "for conv in (2,):"),
    Mutant(encoder_block, "pads where 2015 did not", "padding=padding", 'padding="same"'),
    Mutant(encoder_block, "pools the first block as well", "if pool else x", "if True else x"),
    Mutant(decoder_block, "crops one pixel off the centre", "(e // 2, e // 2)",
           "(e // 2 + 1, e // 2 - 1)"),
    Mutant(decoder_block, "crops the top left corner", "(e // 2, e // 2)", "(0, e)"),
    Mutant(decoder_block, "puts the upsampled map first", "([skip, y])", "([y, skip])"),
    Mutant(decoder_block, "forgets the skip", "y = layers.Concatenate()([skip, y])", "pass"),
    Mutant(decoder_block, "upsamples without halving the channels",
           "Conv2DTranspose(filters,", "Conv2DTranspose(x.shape[-1],"),
    Mutant(decoder_block, "adds the skip as a ResNet does", "Concatenate()", "Add()"),
    Mutant(decoder_block, "crops where it pads, so that a lost row goes unseen",
           "or (e and not crops)", ""),
    Mutant(decoder_block, "crops an unknown size by nothing", "(crops and not known) or", ""),
]
