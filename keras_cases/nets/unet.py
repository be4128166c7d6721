"""U-Net: down to see far, up to see where, and a skip at every size between the two.

Ronneberger, Fischer, Brox 2015, "U-Net: Convolutional Networks for Biomedical Image Segmentation",
arXiv:1505.04597, figure 1.

    net         layers  parameters   trainable     GMACs
    unet_2015       23  31,030,658  31,030,658  150.4284
    unet_small      13      29,810      29,490   0.00625

Counts and multiply-adds at 572×572×1 → 388×388×2, and at 32×32×1 → 32×32×2 (ours, tested). The
paper counts 23 convolutions, up-convolutions among them, and states no other number.
Differs from the paper: `unet_2015` in nothing; the rate of its two dropouts, 0.5, is not in the
text but in the released net. `unet_small` pads, normalizes, and is an eighth as wide.
"""

import keras
from keras import layers

from keras_cases.blocks.unet import decoder_block, encoder_block
from keras_cases.nets.inputs import image_input


def output_size(size, depth=4, padding="valid"):
    """The side of the map that comes out for an image of side `size`; 0 where it does not tile.

    An image tiles if every pool gets an even side: 572 → 388 at depth 4. With padding "same" that
    is any multiple of 2^depth, and nothing is lost.
    """
    lost = 4 if padding == "valid" else 0
    for _ in range(depth):
        size -= lost
        if size % 2:
            return 0
        size //= 2
    size -= lost
    for _ in range(depth):
        size = 2 * size - lost
    return max(size, 0)


def unet(input_shape=(572, 572, 1), classes=2, filters=64, depth=4, padding="valid", norm=False,
         dropout=0.5, skips=True, classifier_activation="softmax", name="unet"):
    """A U-Net: (H, W, C) → (output_size(H), output_size(W), classes) probabilities per pixel.

    filters: of the first encoder block, doubled at each of the `depth` pools.  padding: "valid" or
    "same".  norm: BN after each 3×3.  dropout: after the two lowest encoder blocks.
    skips: False leaves them out (an hourglass), to see what they carry.
    classifier_activation: None for logits.
    Exits: "encoder1" … "encoder{depth}", "bottom", "decoder{depth}" … "decoder1", "predictions".
    Raises: ValueError for an image size that does not tile, with one that does.
    """
    if depth < 1:
        raise ValueError(f"{name}: depth={depth}; pass the number of pools, 1 or more (paper: 4).")
    for size in input_shape[:2]:
        if size is not None and not output_size(size, depth, padding):
            better = next(s for s in range(size, size + 2**(depth + 8))
                          if output_size(s, depth, padding))
            raise ValueError(f"{name}: {size} pixels do not tile: each of the {depth} pools needs "
                             f"an even side, and something must be left. The next that does: "
                             f"{better}. Pad the image (2015: mirror it) to that.")
    inputs = x = image_input(name, input_shape, classes)
    encoders = []
    for level in range(depth + 1):
        exit_name = "bottom" if level == depth else f"encoder{level + 1}"
        drops = dropout and level >= depth - 1
        x = encoder_block(x, filters * 2**level, pool=level > 0, padding=padding, norm=norm,
                          name=None if drops else exit_name)
        if drops:
            x = layers.Dropout(dropout, name=exit_name)(x)
        encoders.append(x)
    for level in reversed(range(depth)):
        x = decoder_block(x, encoders[level] if skips else None, filters * 2**level,
                          padding=padding, norm=norm, name=f"decoder{level + 1}")
    outputs = layers.Conv2D(classes, 1, activation=classifier_activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name=name)


def unet_2015(classes=2, classifier_activation="softmax"):
    """The paper's net: 572×572×1 → 388×388×classes probabilities."""
    return unet(classes=classes, classifier_activation=classifier_activation, name="unet_2015")


def unet_small(input_shape=(32, 32, 1), classes=2, filters=8, depth=2, dropout=0.0, **options):
    """For small images: padded, normalized, no loss of size; options as in `unet`."""
    return unet(input_shape, classes, filters, depth, "same", True, dropout, name="unet_small",
                **options)
