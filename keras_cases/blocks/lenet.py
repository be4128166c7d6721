"""Two blocks of 1998 that nobody uses today: pooling that is trained, and a table of connections.

All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers, ops


def trainable_pooling(x, pool_size=2, activation="tanh", name=None):
    """Average pooling with one weight and one bias per channel, then a nonlinearity.

        x ─ average-pool p×p /p ─ weight and bias of its channel ─ tanh ─►

    Shapes: (batch, H, W, C) → (batch, H // pool_size, W // pool_size, C).
    Parameters: 2·C. LeNet-5's S2, 6 channels: 12; its S4, 16 channels: 32.

    Paper: LeCun, Bottou, Bengio, Haffner 1998, Proc. IEEE 86(11), sec. II.B, layers S2 and S4.
    Differs from the paper: it sums the four inputs where this averages (the weight is 4 times as
    large); a plain tanh, where its squashing function is 1.7159·tanh(2a/3).
    Raises: Keras's own ValueError for a wrong rank or a map smaller than the pool.
    """
    y = layers.AveragePooling2D(pool_size)(x)
    y = layers.DepthwiseConv2D(1)(y)  # a 1×1 depthwise kernel is one weight per channel
    return layers.Activation(activation, name=name)(y)


def connected_conv(x, table, kernel_size=5, activation="tanh", name=None):
    """A convolution in which each map out reads only the maps in that a table names.

        x ─┬─ channels table[0] ─ conv k×k, 1 filter ─┬─ concat ─ tanh ─►
           ├─ channels table[1] ─ conv k×k, 1 filter ─┤
           └─ …

    Shapes: (batch, H, W, C) → (batch, H − k + 1, W − k + 1, len(table)).
    Parameters: k²·(number of connections) + len(table). LeNet-5's C3, 60 of 96 connections:
    1,516, where a whole convolution has 2,416.

    table: per map out, the channels in that it reads: ((0, 1, 2), (1, 2, 3), …).

    Paper: LeCun, Bottou, Bengio, Haffner 1998, Proc. IEEE 86(11), sec. II.B and table I.
    Differs from the paper: a plain tanh, as in `trainable_pooling`.
    Raises: ValueError for an empty table or a channel that x does not have; Keras's own for a
    wrong rank or a kernel larger than the map.
    """
    channels = x.shape[-1]
    if not table or any(not reads or min(reads) < 0 or max(reads) >= channels for reads in table):
        raise ValueError(f"connected_conv: x has {channels} channels, so each row of the table "
                         f"names some of 0 … {channels - 1}; got {table}.")
    maps = [layers.Conv2D(1, kernel_size)(ops.take(x, list(reads), axis=-1)) for reads in table]
    y = layers.Concatenate()(maps) if len(maps) > 1 else maps[0]
    return layers.Activation(activation, name=name)(y)
