"""What a model costs: parameters, multiply-adds (MACs) and activation memory, layer by layer.

One MAC is one multiplication with its addition; FLOPs = 2 x MACs. By the papers' convention the
products of convolutions and dense layers count, those with padded zeros included; biases, batch
normalization, activations, pooling, resizing and element-wise sums and products (a shortcut, the
gate of squeeze-and-excitation) count 0. An operation that is in neither group is reported as NOT
COUNTED. A layer of your own can say its MACs per image by a method
`macs(input_shape, output_shape)`; both shapes begin with the batch, which is None.
"""

import dataclasses
import html
import math
import re

from keras import layers

from keras_cases.analysis import graph

CONVOLUTIONS = layers.Conv1D, layers.Conv2D, layers.Conv3D
DEPTHWISE = layers.DepthwiseConv1D, layers.DepthwiseConv2D
SEPARABLE = layers.SeparableConv1D, layers.SeparableConv2D
TRANSPOSED = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose

NO_MACS = set(  # the layers, then the operations of keras.ops, known to count 0
    "InputLayer Identity Activation ReLU LeakyReLU PReLU ELU Softmax BatchNormalization "
    "LayerNormalization GroupNormalization UnitNormalization RMSNormalization "
    "Add Subtract Multiply Average Maximum Minimum Concatenate "
    "MaxPooling1D MaxPooling2D MaxPooling3D AveragePooling1D AveragePooling2D AveragePooling3D "
    "GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D "
    "GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D "
    "Dropout SpatialDropout1D SpatialDropout2D SpatialDropout3D AlphaDropout GaussianDropout "
    "GaussianNoise ActivityRegularization Masking Flatten Reshape Permute RepeatVector "
    "UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D "
    "Cropping1D Cropping2D Cropping3D Rescaling Normalization Resizing CenterCrop RandomCrop "
    "RandomFlip RandomTranslation RandomRotation RandomZoom RandomContrast RandomBrightness "
    "Absolute Abs Divide TrueDivide Negative Clip Power Square Sqrt Rsqrt Exp Log Log1p Expm1 "
    "Reciprocal Sign Cast StopGradient Relu Relu6 LeakyRelu Elu Selu Gelu Silu Sigmoid "
    "HardSigmoid HardSilu Softplus Softsign Tanh LogSoftmax Mean Sum Max Min Amax Amin Var Std "
    "MaxPool AveragePool Stack Split Unstack GetItem Slice Pad Ravel Squeeze ExpandDims "
    "Transpose Moveaxis Swapaxes Flip Roll Tile Repeat BroadcastTo Where Take".split()
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One call of a layer, or one block. A layer whose MACs are not known has `macs=None`."""

    name: str
    kind: str
    output_shape: tuple
    parameters: int
    trainable: int
    macs: int | None
    activation_bytes: int
    not_counted: tuple = ()
    block: str = ""


@dataclasses.dataclass(frozen=True)
class Cost:
    """The rows of a cost table and their totals, for instance of `table = cost(model)`:

    for row in table: ...     len(table)     "conv1" in table     table["conv1"].macs
    """

    rows: tuple
    blocks: tuple = ()

    @property
    def parameters(self):
        return sum(row.parameters for row in self.rows)

    @property
    def trainable(self):
        return sum(row.trainable for row in self.rows)

    @property
    def macs(self):
        """Multiply-adds for one image, of all but what `not_counted` names."""
        return sum(row.macs or 0 for row in self.rows)

    @property
    def activation_bytes(self):
        """Bytes of every output for one image, the input too: about what training holds for the
        backward pass. (Prediction can free each output once its last reader has run.)"""
        return sum(row.activation_bytes for row in self.rows)

    @property
    def not_counted(self):
        """Names of the calls whose MACs are not known, and so are missing in `macs`."""
        return [name for row in self.rows for name in row.not_counted]

    @property
    def by_block(self):
        """The same table with one row per block, for `cost(model, blocks=[exit names])`."""
        if not self.blocks:
            raise ValueError("No blocks: name their exits, cost(model, blocks=['stem', ...]).")
        return Cost(tuple(
            _block(name, Cost(tuple(row for row in self.rows if row.block == name)))
            for name in self.blocks))

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)

    def __contains__(self, name):
        return any(row.name == name for row in self.rows)

    def __getitem__(self, name):
        for row in self.rows:
            if row.name == name:
                return row
        raise ValueError(f"No row {name!r}; the rows are {[row.name for row in self.rows]}.")

    def __str__(self):
        lines = _texts(self)
        widths = [max(map(len, column)) for column in zip(*lines)]
        lines = ["  ".join(text.ljust(width) if i < 3 else text.rjust(width)
                           for i, (text, width) in enumerate(zip(line, widths)))
                 for line in lines]
        rule = "-" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1], *_notes(self)])

    def _repr_html_(self):
        lines = _texts(self)
        rows = ""
        for line in lines:
            tag = "th" if line in (lines[0], lines[-1]) else "td"
            cells = (f'<{tag} style="text-align: {"left" if i < 3 else "right"}">'
                     f"{html.escape(text)}</{tag}>" for i, text in enumerate(line))
            rows += f"<tr>{''.join(cells)}</tr>\n"
        notes = "".join(f"<p>{html.escape(note)}</p>" for note in _notes(self))
        return f"<table>\n{rows}</table>{notes}"


def cost(model, blocks=None):
    """Parameters, MACs and activation bytes per image of any functional model, as a `Cost`.

    One row per call of a layer, in the order of the graph. Nested models are opened: their rows
    are called "model/layer" and have the sizes of that call. Weights used several times are
    counted once, their MACs at every call.
    `blocks`: the names of the layers that end a block, for `.by_block`. A block is what leads to
    its exit and to no earlier one; what follows the last exit is "head".

    Raises:
        ValueError: a size of the input is None; the model has no graph; no layer of that name.
    """
    parts = graph.blocks(model, blocks or [])
    for tensor in model.inputs:
        if None in tensor.shape[1:]:
            raise ValueError(
                f"{model.name} takes inputs of shape {tensor.shape}; MACs and memory need every "
                "size but the batch. Build it again with one, say input_shape=(224, 224, 3)."
            )
    owner = {id(node.outputs[0]): name for name, nodes in parts.items() for node in nodes}
    rows, seen = [], set()
    for node in graph.walk(model):
        for part in graph.expand(node):
            weights = [w for w in getattr(part.operation, "weights", ()) if id(w) not in seen]
            seen.update(map(id, weights))
            macs = _macs(part)
            rows.append(Row(
                name=part.name,
                kind=type(part.operation).__name__,
                output_shape=tuple(part.outputs[0].shape[1:]),
                parameters=sum(math.prod(w.shape) for w in weights),
                trainable=sum(math.prod(w.shape) for w in weights if w.trainable),
                macs=macs,
                activation_bytes=sum(map(_bytes, part.outputs)),
                not_counted=(part.name,) if macs is None else (),
                block=owner[id(node.outputs[0])],
            ))
    return Cost(tuple(rows), tuple(parts) if blocks else ())


def _macs(node):
    """Multiply-adds of one call for one image; None if they are not known."""
    layer, kind = node.operation, type(node.operation)
    into, out = node.inputs[0].shape if node.inputs else (), node.outputs[0].shape
    if kind in CONVOLUTIONS:  # a kernel (kh, kw, C / groups, filters) at every output position
        return math.prod(out[1:]) // layer.filters * math.prod(layer.kernel.shape)
    if kind in DEPTHWISE:  # (kh, kw, C, multiplier): C x multiplier channels come out
        return math.prod(out[1:]) * math.prod(layer.kernel.shape[:-2])
    if kind in SEPARABLE:
        kernels = layer.depthwise_kernel, layer.pointwise_kernel
        return math.prod(out[1:]) // layer.filters * sum(math.prod(k.shape) for k in kernels)
    if kind in TRANSPOSED:  # (kh, kw, filters, C) at every input position
        return math.prod(into[1:]) * math.prod(layer.kernel.shape[:-1])
    if kind is layers.Dense:  # at every position, where the input has more axes than one
        return math.prod(out[1:]) * into[-1]
    if hasattr(layer, "macs"):
        return layer.macs(tuple(into), tuple(out))
    known = kind.__module__.startswith("keras.src.") and kind.__name__ in NO_MACS
    return 0 if known else None


def _bytes(tensor):
    bits = re.search(r"\d+", str(tensor.dtype))  # float32, bfloat16, uint8; a bool takes a byte
    return math.prod(tensor.shape[1:]) * (int(bits.group()) // 8 if bits else 1)


def _block(name, table):
    return Row(name, "block", table.rows[-1].output_shape, table.parameters, table.trainable,
               table.macs, table.activation_bytes, tuple(table.not_counted))


def _texts(table):
    lines = [("name", "kind", "output", "parameters", "MACs", "activation bytes")]
    for row in table.rows:
        macs = "NOT COUNTED" if row.macs is None else f"{row.macs:,}"
        macs += " + ?" if row.not_counted and row.macs is not None else ""
        lines.append((row.name, row.kind, " x ".join(map(str, row.output_shape)),
                      f"{row.parameters:,}", macs, f"{row.activation_bytes:,}"))
    return [*lines, ("total", "", "", f"{table.parameters:,}", f"{table.macs:,}",
                     f"{table.activation_bytes:,}")]


def _notes(table):
    if table.not_counted:
        yield "MACs NOT COUNTED, so missing in the total: " + ", ".join(table.not_counted)
