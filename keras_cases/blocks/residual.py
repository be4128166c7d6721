"""Residual blocks: the output is the input plus what the block adds to it.

`res_block_v1` and `res_block_v2` called with three arguments build the lecture's graph layer for
layer; the keywords open what the papers do. The bottlenecks are those of ResNet-50 and deeper.
All tensors are channels last. Each function can be copied alone: it needs only `keras`.
"""

import keras
from keras import layers, ops


def res_block_v1(x, input_filter, output_filter, strides=1, activation="relu", use_bias=True,
                 shortcut="projection", shortcut_norm=False, kernel_initializer="glorot_uniform",
                 zero_init_residual=False, name=None):
    """Two 3×3 convolutions beside a shortcut, added, then activated (original, "v1").

        x ─┬─ conv 3×3 /s ─ BN ─ relu ─ conv 3×3 ─ BN ─┬─ add ─ relu ─►
           └─ identity, or conv 1×1 /s ────────────────┘

    Shapes: (batch, H, W, input_filter) → (batch, ceil(H/strides), ceil(W/strides), output_filter).
    Parameters, i in and o out, with biases: 9·i·o + 9·o² + 2·o + 8·o (two BN), and i·o + o for a
    projection. 16→16: 4,768; 16→32: 14,688.

    shortcut: what to do where the shapes differ, "projection" (1×1 convolution, option B) or "pad"
    (every strides-th pixel, channels filled up with zeros, option A: no parameters).
    shortcut_norm: batch normalization after the projection. name: of the exit layer.
    zero_init_residual: the last γ starts at 0, so that the block starts as its shortcut.

    Paper: He et al. 2015, arXiv:1512.03385, fig. 2, sec. 3.3.
    Differs from the paper: convolution biases are on and the projection has no BN, as in the
    lecture; `use_bias=False, shortcut_norm=True, kernel_initializer="he_normal"` is the paper's.
    Raises: ValueError for a wrong width or rank, an unknown shortcut, or a pad that would narrow.
    """
    if len(x.shape) != 4 or x.shape[-1] != input_filter:
        raise ValueError(f"res_block_v1: input_filter={input_filter}, but x has shape {x.shape}; "
                         "pass input_filter=x.shape[-1] of a (batch, H, W, C) tensor.")
    narrows = output_filter < input_filter
    if shortcut not in ("projection", "pad") or (shortcut == "pad" and narrows):
        raise ValueError(f"res_block_v1: shortcut={shortcut!r} for {input_filter}→{output_filter}; "
                         "use 'projection', or 'pad' where the width does not shrink.")
    conv = dict(padding="same", use_bias=use_bias, kernel_initializer=kernel_initializer)
    same_size = strides in (1, (1, 1), [1, 1])

    res_x = layers.Conv2D(output_filter, 3, strides=strides, **conv)(x)
    res_x = layers.BatchNormalization()(res_x)
    res_x = layers.Activation(activation)(res_x)
    res_x = layers.Conv2D(output_filter, 3, **conv)(res_x)
    gamma = "zeros" if zero_init_residual else "ones"
    res_x = layers.BatchNormalization(gamma_initializer=gamma)(res_x)

    identity = x
    if shortcut == "pad":
        if not same_size:
            identity = layers.MaxPooling2D(1, strides)(identity)  # every strides-th pixel
        if output_filter > input_filter:
            extra = output_filter - input_filter
            identity = ops.pad(identity, [[0, 0], [0, 0], [0, 0], [0, extra]])
    elif input_filter != output_filter or not same_size:
        identity = layers.Conv2D(output_filter, 1, strides=strides, **conv)(x)
        if shortcut_norm:
            identity = layers.BatchNormalization()(identity)

    y = layers.Add()([identity, res_x])
    return layers.Activation(activation, name=name)(y)


def res_block_v2(x, input_filter, output_filter, strides=1, activation="relu", use_bias=True,
                 shortcut="projection", shortcut_norm=False, kernel_initializer="glorot_uniform",
                 zero_init_residual=False, name=None):
    """The pre-activation block ("v2"): normalize and activate first, add last, nothing after.

        x ─┬─ BN ─ relu ─ conv 3×3 /s ─ BN ─ relu ─ conv 3×3 ─┬─ add ─►
           └─ identity, or conv 1×1 /s ───────────────────────┘

    Shapes: (batch, H, W, input_filter) → (batch, ceil(H/strides), ceil(W/strides), output_filter).
    Parameters, i in and o out, with biases: 9·i·o + 9·o² + 2·o + 4·i + 4·o (two BN), and i·o + o
    for a projection. 16→16: 4,768; 16→32: 14,624.

    Options as in `res_block_v1`; zero_init_residual: the last kernel starts at 0. A net of these
    blocks needs one BN and activation after its last.

    Paper: He et al. 2016, arXiv:1603.05027, fig. 1(b) and 4(e).
    Differs from the paper: convolution biases are on and the projection reads the raw input, as in
    the lecture; the paper's nets have no biases (`use_bias=False`).
    Raises: ValueError for a wrong width or rank, an unknown shortcut, or a pad that would narrow.
    """
    if len(x.shape) != 4 or x.shape[-1] != input_filter:
        raise ValueError(f"res_block_v2: input_filter={input_filter}, but x has shape {x.shape}; "
                         "pass input_filter=x.shape[-1] of a (batch, H, W, C) tensor.")
    narrows = output_filter < input_filter
    if shortcut not in ("projection", "pad") or (shortcut == "pad" and narrows):
        raise ValueError(f"res_block_v2: shortcut={shortcut!r} for {input_filter}→{output_filter}; "
                         "use 'projection', or 'pad' where the width does not shrink.")
    conv = dict(padding="same", use_bias=use_bias, kernel_initializer=kernel_initializer)
    same_size = strides in (1, (1, 1), [1, 1])

    res_x = layers.BatchNormalization()(x)
    res_x = layers.Activation(activation)(res_x)
    res_x = layers.Conv2D(output_filter, 3, strides=strides, **conv)(res_x)
    res_x = layers.BatchNormalization()(res_x)
    res_x = layers.Activation(activation)(res_x)
    last = conv | dict(kernel_initializer="zeros") if zero_init_residual else conv
    res_x = layers.Conv2D(output_filter, 3, **last)(res_x)

    identity = x
    if shortcut == "pad":
        if not same_size:
            identity = layers.MaxPooling2D(1, strides)(identity)  # every strides-th pixel
        if output_filter > input_filter:
            extra = output_filter - input_filter
            identity = ops.pad(identity, [[0, 0], [0, 0], [0, 0], [0, extra]])
    elif input_filter != output_filter or not same_size:
        identity = layers.Conv2D(output_filter, 1, strides=strides, **conv)(x)
        if shortcut_norm:
            identity = layers.BatchNormalization()(identity)

    return layers.Add(name=name)([identity, res_x])


def bottleneck_block_v1(x, filters, strides=1, activation="relu", use_bias=True, name=None):
    """1×1 down to `filters`, 3×3 there, 1×1 up to 4·filters, beside a shortcut (ResNet-50's block).

        x ─┬─ conv 1×1 /s ─ BN ─ relu ─ conv 3×3 ─ BN ─ relu ─ conv 1×1 ─ BN ─┬─ add ─ relu ─►
           └─ identity, or conv 1×1 /s ─ BN ──────────────────────────────────┘

    Shapes: (batch, H, W, C) → (batch, ceil(H/strides), ceil(W/strides), 4·filters).
    Parameters, f filters, without projection (C = 4f), with biases: 17·f² + 6·f + 24·f (three BN).
    256→64→256: 71,552, of which 69,632 are weights of convolutions.

    The shortcut is a projection where C ≠ 4·filters or strides > 1.

    Paper: He et al. 2015, arXiv:1512.03385, fig. 5 and table 1.
    Differs from the paper: convolution biases are on, as in Keras's ResNet50 (BN makes them idle);
    PyTorch's ResNet-50 ("v1.5") puts the stride on the 3×3 instead.
    Raises: ValueError for a tensor that is not (batch, H, W, C).
    """
    if len(x.shape) != 4:
        raise ValueError(f"bottleneck_block_v1: x has shape {x.shape}; pass (batch, H, W, C).")
    conv = dict(padding="same", use_bias=use_bias, kernel_initializer="he_normal")

    res_x = layers.Conv2D(filters, 1, strides=strides, **conv)(x)
    res_x = layers.BatchNormalization(epsilon=1.001e-5)(res_x)
    res_x = layers.Activation(activation)(res_x)
    res_x = layers.Conv2D(filters, 3, **conv)(res_x)
    res_x = layers.BatchNormalization(epsilon=1.001e-5)(res_x)
    res_x = layers.Activation(activation)(res_x)
    res_x = layers.Conv2D(4 * filters, 1, **conv)(res_x)
    res_x = layers.BatchNormalization(epsilon=1.001e-5)(res_x)

    identity = x
    if x.shape[-1] != 4 * filters or strides not in (1, (1, 1), [1, 1]):
        identity = layers.Conv2D(4 * filters, 1, strides=strides, **conv)(x)
        identity = layers.BatchNormalization(epsilon=1.001e-5)(identity)

    y = layers.Add()([identity, res_x])
    return layers.Activation(activation, name=name)(y)


def bottleneck_block_v2(x, filters, strides=1, activation="relu", name=None):
    """The pre-activation bottleneck of ResNet-50 V2: BN and relu before each convolution.

        x ─ BN ─ relu ─┬─ conv 1×1 ─ BN ─ relu ─ conv 3×3 /s ─ BN ─ relu ─ conv 1×1 ─┬─ add ─►
                       └─ conv 1×1 /s, where the width changes ──────────────────────┤
        x ─ itself (every s-th pixel where strides > 1), where the width stays ──────┘

    Shapes: (batch, H, W, C) → (batch, ceil(H/strides), ceil(W/strides), 4·filters).
    Parameters, f filters, C = 4f: 17·f² + 4·f (bias) + 24·f (three BN, the first over C).
    256→64→256: 71,424. A bias is kept only where no BN follows to subtract it again.

    Paper: He et al. 2016, arXiv:1603.05027, fig. 1(b), sec. 3; app. for the projection.
    Differs from the paper: the stride sits on the 3×3 and, in the nets, in the last block of a
    stage, as in Keras's ResNet50V2.
    Raises: ValueError for a tensor that is not (batch, H, W, C).
    """
    if len(x.shape) != 4:
        raise ValueError(f"bottleneck_block_v2: x has shape {x.shape}; pass (batch, H, W, C).")
    init = dict(kernel_initializer="he_normal")

    pre = layers.BatchNormalization(epsilon=1.001e-5)(x)
    pre = layers.Activation(activation)(pre)
    res_x = layers.Conv2D(filters, 1, use_bias=False, **init)(pre)
    res_x = layers.BatchNormalization(epsilon=1.001e-5)(res_x)
    res_x = layers.Activation(activation)(res_x)
    same_size = strides in (1, (1, 1), [1, 1])
    if not same_size:  # "same" would pad the right and the bottom only; pad all sides alike
        res_x = layers.ZeroPadding2D(1)(res_x)
    res_x = layers.Conv2D(filters, 3, strides, "same" if same_size else "valid",
                          use_bias=False, **init)(res_x)
    res_x = layers.BatchNormalization(epsilon=1.001e-5)(res_x)
    res_x = layers.Activation(activation)(res_x)
    res_x = layers.Conv2D(4 * filters, 1, **init)(res_x)

    identity = x
    if x.shape[-1] != 4 * filters:
        identity = layers.Conv2D(4 * filters, 1, strides=strides, **init)(pre)
    elif not same_size:
        identity = layers.MaxPooling2D(1, strides)(x)  # every strides-th pixel

    return layers.Add(name=name)([identity, res_x])
