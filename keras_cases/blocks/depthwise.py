"""Depthwise blocks: filter each channel in space, then mix the channels with a 1×1 convolution.

A depthwise convolution has one k×k filter per channel: k²·C weights where an ordinary one holds
k²·C·C'. MobileNet is made of these two steps; MobileNetV2 puts them in a residual block.
All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers, ops


def depthwise_separable_block(x, filters, strides=1, activation="relu", name=None):
    """A depthwise 3×3 for space and a 1×1 for channels, each normalized and activated.

        x ─ depthwise 3×3 /s ─ BN ─ relu ─ conv 1×1 ─ BN ─ relu ─►

    Shapes: (batch, H, W, C) → (batch, ceil(H/strides), ceil(W/strides), filters).
    Parameters, i in and o out: 9·i + i·o + 4·i + 4·o (two BN). 32→64: 2,720, where one 3×3
    convolution with its BN has 18,688. Multiply-adds: 1/o + 1/9 of that convolution's.

    Paper: Howard et al. 2017 (MobileNet), arXiv:1704.04861, sec. 3.1, fig. 3, table 1.
    Differs from the paper: nothing; the released nets cap the activation (`activation="relu6"`).
    Raises: ValueError from Keras for a tensor that is not (batch, H, W, C), filters or strides < 1.
    """
    y = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    y = layers.Activation(activation)(y)
    y = layers.Conv2D(filters, 1, use_bias=False)(y)
    y = layers.BatchNormalization()(y)
    return layers.Activation(activation, name=name)(y)


def inverted_residual_block(x, filters, strides=1, expansion=6, activation="relu6", name=None):
    """Widen by 1×1, filter each channel, narrow by 1×1 with no activation, add the narrow input.

        x ─┬─ conv 1×1 to tC ─ BN ─ relu6 ─ dw 3×3 /s ─ BN ─ relu6 ─ conv 1×1 ─ BN ─┬─ add ─►
           └─ identity, only where strides = 1 and C = filters ─────────────────────┘

    Shapes: (batch, H, W, C) → (batch, ceil(H/strides), ceil(W/strides), filters).
    Parameters, i in, o out, e = t·i wide (t: expansion): i·e + 9·e + e·o + 8·e + 4·o (three BN);
    expansion 1 has no widening: 9·i + i·o + 4·i + 4·o. 24→24, t = 6: 9,456.

    "Inverted": the shortcut joins the narrow ends, where a ResNet bottleneck joins the wide ones.
    The narrow end is linear, because a relu there would throw half of a thin signal away.

    Paper: Sandler et al. 2018 (MobileNetV2), arXiv:1801.04381, sec. 3.3, table 1, fig. 4(d).
    Differs from the paper: expansion 1 leaves the first 1×1 out, as the released net does.
    Raises: ValueError for expansion < 1; from Keras for a wrong rank, filters or strides.
    """
    if expansion < 1 or expansion != int(expansion):
        raise ValueError(f"inverted_residual_block: expansion={expansion}; the block widens before "
                         "it filters, so pass a whole number: 6 as in the paper, 1 for none.")
    y = x
    if expansion > 1:
        y = layers.Conv2D(int(expansion) * x.shape[-1], 1, use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        y = layers.Activation(activation)(y)
    y = layers.DepthwiseConv2D(3, strides=strides, padding="same", use_bias=False)(y)
    y = layers.BatchNormalization()(y)
    y = layers.Activation(activation)(y)
    y = layers.Conv2D(filters, 1, use_bias=False)(y)
    if strides not in (1, (1, 1), [1, 1]) or x.shape[-1] != filters:
        return layers.BatchNormalization(name=name)(y)
    y = layers.BatchNormalization()(y)
    return layers.Add(name=name)([x, y])
