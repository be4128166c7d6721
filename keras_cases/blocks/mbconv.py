"""Squeeze-and-excitation, and the mobile inverted bottleneck (MBConv) that holds one.

MBConv is MobileNetV2's block with a gate on its wide channels; EfficientNet is made of it.
All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers, ops


def squeeze_excitation(x, reduced_filters, activation="relu", name=None):
    """Each channel times a gate in (0, 1) that is computed from the means of all channels.

        x ─┬─ mean over H, W ─ conv 1×1 to r ─ relu ─ conv 1×1 to C ─ sigmoid ─┬─ multiply ─►
           └───────────────────────────────────────────────────────────────────┘

    Shapes: (batch, H, W, C) → (batch, H, W, C).
    Parameters, c channels and r reduced: 2·c·r + r + c. 64 reduced to 4: 580.

    Paper: Hu et al. 2018 (Squeeze-and-Excitation), arXiv:1709.01507, sec. 3, fig. 2; r = C/16.
    Differs from the paper: the two dense layers are 1×1 convolutions on a 1×1 image, the same sums.
    Raises: ValueError from Keras for a tensor that is not (batch, H, W, C), reduced_filters < 1.
    """
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(reduced_filters, 1, activation=activation)(gate)
    gate = layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(gate)
    return layers.Multiply(name=name)([x, gate])


def mbconv_block(x, filters, kernel_size=3, strides=1, expansion=6, se_ratio=0.25,
                 activation="silu", drop_rate=0.0, name=None):
    """An inverted residual block whose wide channels pass a squeeze-and-excitation gate.

        x ─┬─ conv 1×1 to tC ─ BN ─ silu ─ dw k×k /s ─ BN ─ silu ─ gate ─ conv 1×1 ─ BN ─┬─ add ─►
           └─ identity, only where strides = 1 and C = filters ──────────────────────────┘

    Shapes: (batch, H, W, C) → (batch, ceil(H/strides), ceil(W/strides), filters).
    Parameters, i in, o out, e = expansion·i wide, r = floor(se_ratio·i), at least 1, in the gate:
    i·e + k²·e + e·o + 2·e·r + r + e + 8·e + 4·o; expansion 1 lacks the first i·e and 4·e.
    16→24, k = 3, t = 6: 6,436.

    The gate is reduced from the block's input width i, not from the wide e. se_ratio=0: no gate.
    drop_rate: stochastic depth, the chance that a whole sample skips the block while training.

    Paper: Tan and Le 2019 (EfficientNet), arXiv:1905.11946, sec. 4; Tan et al. 2019 (MnasNet),
    arXiv:1807.11626, fig. 7. Stochastic depth: Huang et al. 2016, arXiv:1603.09382.
    Differs from the paper: nothing known; the drop and r = se_ratio·i are the released code's.
    Raises: ValueError for expansion < 1 or se_ratio outside [0, 1]; from Keras for the rest.
    """
    if expansion < 1 or expansion != int(expansion) or not 0 <= se_ratio <= 1:
        raise ValueError(f"mbconv_block: expansion={expansion}, se_ratio={se_ratio}; pass a whole "
                         "expansion of 1 or more and a se_ratio from 0 (no gate) to 1.")
    # fan_out: a depthwise filter reads one channel, while Keras counts all C as its fan_in
    init = dict(class_name="VarianceScaling", config=dict(scale=2.0, mode="fan_out"))
    wide = int(expansion) * x.shape[-1]

    y = x
    if expansion > 1:
        y = layers.Conv2D(wide, 1, use_bias=False, kernel_initializer=init)(y)
        y = layers.BatchNormalization()(y)
        y = layers.Activation(activation)(y)
    y = layers.DepthwiseConv2D(kernel_size, strides=strides, padding="same", use_bias=False,
                               depthwise_initializer=init)(y)
    y = layers.BatchNormalization()(y)
    y = layers.Activation(activation)(y)
    if se_ratio > 0:
        gate = layers.GlobalAveragePooling2D(keepdims=True)(y)
        gate = layers.Conv2D(max(1, int(se_ratio * x.shape[-1])), 1, activation=activation,
                             kernel_initializer=init)(gate)
        gate = layers.Conv2D(wide, 1, activation="sigmoid", kernel_initializer=init)(gate)
        y = layers.Multiply()([y, gate])
    y = layers.Conv2D(filters, 1, use_bias=False, kernel_initializer=init)(y)
    if strides not in (1, (1, 1), [1, 1]) or x.shape[-1] != filters:
        return layers.BatchNormalization(name=name)(y)
    y = layers.BatchNormalization()(y)
    if drop_rate:
        y = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1))(y)  # per sample, not per number
    return layers.Add(name=name)([x, y])
