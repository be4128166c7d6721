"""Dense blocks: every layer reads all the layers before it, joined by concatenation.

A layer adds only `growth_rate` channels of its own, and a transition between two blocks halves
both the image and the width. All tensors are channels last. Each function can be copied alone:
it needs only `keras`.
"""

import keras
from keras import layers, ops


def dense_block(x, num_layers, growth_rate, bottleneck=True, activation="relu", drop_rate=0.0,
                name=None):
    """`num_layers` layers; each reads the concatenation of x and of all the layers before it.

        x ─┬─ BN ─ relu ─ conv 1×1 to 4k ─ BN ─ relu ─ conv 3×3 to k ─┬─ concat ─┬─ … ─┬─ concat ─►
           └──────────────────────────────────────────────────────────┘          └─────┘

    Shapes: (batch, H, W, C) → (batch, H, W, C + num_layers·growth_rate), x in the first C channels.
    Parameters, c in, L layers of growth k; S = L·c + k·L·(L-1)/2 channels read in all:
    (4 + 4k)·S + L·(16k + 36k²); without bottleneck (4 + 9k)·S. 64, L = 6, k = 32: 338,304.

    bottleneck: the 1×1 of 4·growth_rate filters before each 3×3 ("-B").
    drop_rate: dropout after each convolution (0.2 in the paper, where images are not augmented).

    Paper: Huang et al. 2017 (DenseNet), arXiv:1608.06993, sec. 3, fig. 1, table 1.
    Differs from the paper: nothing known. Here L counts layers of the block, where the paper's L
    counts those of the whole net.
    Raises: ValueError for num_layers < 1; from Keras for a wrong rank or growth_rate < 1.
    """
    if num_layers < 1:
        raise ValueError(f"dense_block: num_layers={num_layers}; pass 1 or more.")

    def bn_act_conv(y, filters, kernel_size):
        y = layers.BatchNormalization(epsilon=1.001e-5)(y)
        y = layers.Activation(activation)(y)
        y = layers.Conv2D(filters, kernel_size, padding="same", use_bias=False,
                          kernel_initializer="he_normal")(y)
        return layers.Dropout(drop_rate)(y) if drop_rate else y

    features = x
    for layer in range(1, num_layers + 1):
        new = bn_act_conv(features, 4 * growth_rate, 1) if bottleneck else features
        new = bn_act_conv(new, growth_rate, 3)
        exit_name = name if layer == num_layers else None
        features = layers.Concatenate(name=exit_name)([features, new])
    return features


def transition_block(x, compression=0.5, activation="relu", name=None):
    """Between two dense blocks: fewer channels by 1×1, half the image by average pooling.

        x ─ BN ─ relu ─ conv 1×1 to floor(θ·C) ─ average pool 2×2 /2 ─►

    Shapes: (batch, H, W, C) → (batch, floor(H/2), floor(W/2), floor(compression·C)).
    Parameters, c in: 4·c + c·floor(θ·c). 256, θ = 0.5: 33,792.

    compression: θ, 1 keeps every channel (DenseNet), 0.5 keeps half ("-C").

    Paper: Huang et al. 2017 (DenseNet), arXiv:1608.06993, sec. 3, "Pooling layers" and
    "Compression".
    Differs from the paper: the relu between BN and convolution is not in its text, but in its code.
    Raises: ValueError for a compression outside (0, 1]; from Keras for a wrong rank or H, W < 2.
    """
    if not 0 < compression <= 1:
        raise ValueError(f"transition_block: compression={compression}; pass 0.5 to keep half of "
                         "the channels, 1 to keep all.")
    y = layers.BatchNormalization(epsilon=1.001e-5)(x)
    y = layers.Activation(activation)(y)
    y = layers.Conv2D(int(compression * x.shape[-1]), 1, use_bias=False,
                      kernel_initializer="he_normal")(y)
    return layers.AveragePooling2D(2, name=name)(y)
