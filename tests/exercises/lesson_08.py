"""Lesson 08: answers that its checks take, and answers that they refuse."""

from exercises import Answers

FACTORS = """
def factors(lambdas):
    found = [1.0]
    for each in reversed(lambdas):
        found.insert(0, found[0] * each)
    return found
"""
COMPUTE = Answers(
    right=[
        FACTORS,
        """
def factors(lambdas):
    L = len(lambdas)
    of_F = [np.prod(lambdas[i + 1:]) for i in range(L)]
    return [np.prod(lambdas)] + of_F
""",
        """
def factors(lambdas):
    return np.append(np.cumprod(lambdas[::-1])[::-1], 1)
"""],
    wrong={
        "the lecture's first form: one product for all": """
def factors(lambdas):
    return [np.prod(lambdas)] * (len(lambdas) + 1)
""",
        "its own block's shortcut too": """
def factors(lambdas):
    return [np.prod(lambdas)] + [np.prod(lambdas[i:]) for i in range(len(lambdas))]
""",
        "the shortcuts before it": """
def factors(lambdas):
    return [np.prod(lambdas)] + [np.prod(lambdas[:i]) for i in range(len(lambdas))]
""",
        "without x_0": FACTORS.replace("return found", "return found[1:]"),
        "the other order": FACTORS.replace("return found", "return found[::-1]"),
        "one λ for all": """
def factors(lambdas):
    L = len(lambdas)
    return [lambdas[0] ** L] + [lambdas[0] ** (L - 1 - i) for i in range(L)]
""",
        "F as they are": """
def factors(lambdas):
    return [np.prod(lambdas)] + [1.0] * len(lambdas)
""",
        "a generator": FACTORS.replace("return found", "return (each for each in found)"),
        "a nested tuple": FACTORS.replace("return found", "return found[0], found[1:]"),
        "a list of lists": FACTORS.replace("return found", "return [[1.0, 2.0]] + found[1:]"),
        "left open": "def factors(lambdas):\n    pass"})

WIDENING = """
def widening(x, filters):
    both = layers.ReLU()(layers.BatchNormalization()(x))
    y = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(both)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    shortcut = layers.Conv2D(filters, 1, strides=2, use_bias=False)(both)
    return layers.Add()([shortcut, y])
"""
CHANGE = Answers(
    right=[
        WIDENING,
        """
def widening(x, filters):
    x = layers.Activation("relu")(layers.BatchNormalization()(x))
    shortcut = layers.Conv2D(filters, (1, 1), (2, 2), padding="same", use_bias=False)(x)
    x = layers.Conv2D(filters, 3, 2, "same", use_bias=False)(x)
    x = keras.ops.relu(layers.BatchNormalization()(x))
    return layers.Conv2D(filters, 3, 1, "same", use_bias=False)(x) + shortcut
""",
        WIDENING.replace("BatchNormalization()", "BatchNormalization(epsilon=1e-5)")],
    wrong={
        "the packaged block, which projects the raw input": """
def widening(x, filters):
    return res_block_v2(x, x.shape[-1], filters, strides=2, use_bias=False)
""",
        "version 1": """
def widening(x, filters):
    return res_block_v1(x, x.shape[-1], filters, strides=2, use_bias=False)
""",
        "the projection reads the raw input": WIDENING.replace("use_bias=False)(both)\n    return",
                                                               "use_bias=False)(x)\n    return"),
        "with biases": WIDENING.replace(", use_bias=False", ""),
        "a ReLU behind the addition": WIDENING.replace("layers.Add()([shortcut, y])",
                                                       "layers.ReLU()(layers.Add()([shortcut, y]))"),
        "a stride on the second convolution": WIDENING.replace(
            'strides=2, padding="same"', 'padding="same"').replace(
            'layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)',
            'layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False)(y)'),
        "no stride on the shortcut": WIDENING.replace("filters, 1, strides=2", "filters, 1"),
        "a projection of 3x3": WIDENING.replace("filters, 1, strides=2",
                                                "filters, 3, strides=2, padding='same'"),
        "a normalization on the projection": WIDENING.replace(
            "layers.Add()([shortcut, y])", "layers.Add()([layers.BatchNormalization()(shortcut), y])"),
        "no inner ReLU": WIDENING.replace("y = layers.ReLU()(layers.BatchNormalization()(y))",
                                          "y = layers.BatchNormalization()(y)"),
        "ReLU before the normalization": WIDENING.replace(
            "layers.ReLU()(layers.BatchNormalization()(x))", "layers.BatchNormalization()(layers.ReLU()(x))"),
        "an average-pooled shortcut": WIDENING.replace(
            "layers.Conv2D(filters, 1, strides=2, use_bias=False)(both)",
            "layers.Conv2D(filters, 1, use_bias=False)(layers.AveragePooling2D(2)(both))"),
        "dropout in the branch": WIDENING.replace("[shortcut, y]", "[shortcut, layers.Dropout(0.2)(y)]"),
        "dropout on the shortcut": WIDENING.replace("[shortcut, y]", "[layers.Dropout(0.5)(shortcut), y]"),
        "one normalization too many": WIDENING.replace(
            "    y = layers.ReLU()", "    y = layers.BatchNormalization()(y)\n    y = layers.ReLU()"),
        "no shortcut": WIDENING.replace("layers.Add()([shortcut, y])", "y"),
        "concatenated": WIDENING.replace("layers.Add()", "layers.Concatenate()"),
        "nothing returned": WIDENING.replace("return ", ""),
        "left open": "def widening(x, filters):\n    pass"})

MENDED = """
def mended(x, filters):
    y = layers.ReLU()(layers.BatchNormalization()(x))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    return layers.Add()([x, y])
"""
MEND = Answers(
    right=[
        MENDED,
        """
def mended(x, filters):
    untouched = x
    for _ in range(2):
        x = layers.Activation("relu")(layers.BatchNormalization()(x))
        x = layers.Conv2D(filters, (3, 3), padding="same", use_bias=False)(x)
    return untouched + x
""",
        MENDED.replace("BatchNormalization()", "BatchNormalization(epsilon=1e-5)")],
    wrong={
        "as it was": MENDED.replace("y = layers.ReLU()(layers.BatchNormalization()(x))",
                                    "x = y = layers.ReLU()(layers.BatchNormalization()(x))"),
        "the normalization still on the shortcut": MENDED.replace(
            "y = layers.ReLU()(layers.BatchNormalization()(x))",
            "x = layers.BatchNormalization()(x)\n    y = layers.ReLU()(x)"),
        "the packaged block": """
def mended(x, filters):
    return res_block_v2(x, filters, filters, use_bias=False)
""",
        "the packaged block, renamed": """
from keras_cases.blocks import res_block_v2 as mine
def mended(x, filters):
    return mine(x, filters, filters, use_bias=False)
""",
        "a copy of the packaged block": """
import inspect
def mended(x, filters):
    space = dict(res_block_v2.__globals__)
    exec(inspect.getsource(res_block_v2).replace("def res_block_v2", "def mine"), space)
    return space["mine"](x, filters, filters, use_bias=False)
""",
        "version 1": """
def mended(x, filters):
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    return layers.ReLU()(layers.Add()([x, layers.BatchNormalization()(y)]))
""",
        "a ReLU behind the addition": MENDED.replace("layers.Add()([x, y])",
                                                     "layers.ReLU()(layers.Add()([x, y]))"),
        "with biases": MENDED.replace(", use_bias=False", ""),
        "no inner ReLU": MENDED.replace("y = layers.ReLU()(layers.BatchNormalization()(y))",
                                        "y = layers.BatchNormalization()(y)"),
        "ReLU before the normalization": MENDED.replace("layers.ReLU()(layers.BatchNormalization()(x))",
                                                        "layers.BatchNormalization()(layers.ReLU()(x))"),
        "dropout in the branch": MENDED.replace("[x, y]", "[x, layers.Dropout(0.2)(y)]"),
        "a normalization behind the branch": MENDED.replace("[x, y]", "[x, layers.BatchNormalization()(y)]"),
        "no shortcut": MENDED.replace("layers.Add()([x, y])", "y"),
        "the residual twice": MENDED.replace("[x, y]", "[y, y]"),
        "a 1x1 on the shortcut": MENDED.replace("[x, y]", "[layers.Conv2D(filters, 1, use_bias=False)(x), y]"),
        "nothing returned": MENDED.replace("return ", ""),
        "left open": "def mended(x, filters):\n    pass"})

DEEP = "def free_line():\n    return resnet_cifar(32, version=2, width=0.4)"
BLOCKS = """
def free_line():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(inputs)
    for i in range(15):
        y = layers.ReLU()(layers.BatchNormalization()(x))
        y = layers.Conv2D(8, 3, padding="same")(y)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.Conv2D(8, 3, padding="same")(y)
        x = layers.Add()([x, y])
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""
ADD = "layers.Add()([x, y])"
STAGES = """
def free_line():
    ops = keras.ops
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(6, 3, padding="same", use_bias=False)(inputs)
    for i in range(15):
        wide = i in (5, 10)
        y = layers.ReLU()(layers.BatchNormalization()(x))
        y = layers.Conv2D(x.shape[-1] * (1 + wide), 3, 1 + wide, padding="same", use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.Conv2D(y.shape[-1], 3, padding="same", use_bias=False)(y)
        if wide:
            x = layers.AveragePooling2D(2)(x)
            x = layers.Concatenate()([x, ops.zeros_like(x)])
        x = layers.Add()([x, y])
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""
FIRST = "layers.ReLU()(layers.BatchNormalization()(x))\n"
POST = BLOCKS.replace(f"y = {FIRST}        y = layers.Conv2D(8, 3, padding=\"same\")(y)",
                      "y = layers.Conv2D(8, 3, padding=\"same\")(x)").replace(
    ADD, "layers.Add()([x, layers.BatchNormalization()(y)])")
DESIGN = Answers(
    right=[
        DEEP,
        BLOCKS,
        "def free_line():\n    return resnet_cifar(38, version=2, shortcut='projection', width=0.35)",
        BLOCKS.replace("layers.ReLU()", 'layers.Activation("silu")').replace(ADD, "y + x"),
        BLOCKS.replace("[x, y]", "[x, layers.Dropout(0.1)(y)]"),
        STAGES,
        STAGES.replace("ops.zeros_like(x)", "layers.Rescaling(0.0)(x)"),
        STAGES.replace("layers.AveragePooling2D(2)(x)", "x[:, ::2, ::2]"),
        """
def free_line():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(6, 3, padding="same", use_bias=False)(inputs)
    for filters in (6, 12, 18):
        if filters > 6:
            x = layers.Conv2D(filters, 1, use_bias=False)(layers.AveragePooling2D(2)(x))
        for _ in range(5):
            x = block(x, filters)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    outputs = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, layers.Softmax()(outputs))

def block(x, filters):
    y = x
    for _ in range(2):
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    return layers.add([y, x])
"""],
    wrong={
        "version 1": DEEP.replace("version=2, ", ""),
        "a ReLU on the line": BLOCKS.replace(ADD, f"layers.ReLU()({ADD})"),
        "a normalization on the line": BLOCKS.replace(ADD, f"layers.BatchNormalization()({ADD})"),
        "a halved line": BLOCKS.replace("[x, y]", "[layers.Rescaling(0.5)(x), y]"),
        "a dropped line": BLOCKS.replace("[x, y]", "[layers.Dropout(0.5)(x), y]"),
        "a 1x1 in every block": BLOCKS.replace("[x, y]", "[layers.Conv2D(8, 1)(x), y]"),
        "x overwritten": BLOCKS.replace("        y = layers.ReLU()(layers.BatchNormalization()(x))\n",
                                        "        y = x = layers.ReLU()(layers.BatchNormalization()(x))\n"),
        "nothing behind the last addition": BLOCKS.replace(
            "    x = layers.ReLU()(layers.BatchNormalization()(x))\n", ""),
        "no ReLU behind the last normalization": BLOCKS.replace(
            "\n    x = layers.ReLU()(layers.BatchNormalization()(x))\n",
            "\n    x = layers.BatchNormalization()(x)\n"),
        "no activation inside": BLOCKS.replace("        y = layers.ReLU()(layers.BatchNormalization()(y))\n", ""),
        "one shortcut around all": BLOCKS.replace(ADD, "y").replace("    for i", "    first = x\n    for i").replace(
            "\n    x = layers.ReLU()(layers.BatchN", "\n    x = layers.Add()([first, x])\n    x = layers.ReLU()(layers.BatchN"),
        "no shortcuts": BLOCKS.replace(ADD, "y"),
        "post-activation blocks": POST,
        "post-activation blocks, the ReLU inside the branch": POST.replace(
            "layers.BatchNormalization()(y)])", "layers.ReLU()(layers.BatchNormalization()(y))])"),
        "no normalization inside": BLOCKS.replace("(layers.BatchNormalization()(y))", "(y)"),
        "no normalization in any block": BLOCKS.replace("y = " + FIRST, "y = layers.ReLU()(x)\n"),
        "a convolution with its own ReLU, no normalization": BLOCKS.replace(
            'layers.Conv2D(8, 3, padding="same")(y)\n        y = layers.ReLU()(layers.BatchNorm'
            'alization()(y))', 'layers.Conv2D(8, 3, padding="same", activation="relu")(y)'),
        "ReLU before the normalization": BLOCKS.replace(
            "y = " + FIRST, "y = layers.BatchNormalization()(layers.ReLU()(x))\n"),
        "a ReLU at the end of each branch": BLOCKS.replace("[x, y]", "[x, layers.ReLU()(y)]"),
        "a last convolution with its own ReLU": BLOCKS.replace(
            'layers.Conv2D(8, 3, padding="same")(y)\n        x =',
            'layers.Conv2D(8, 3, padding="same", activation="relu")(y)\n        x ='),
        "a normalization at the end of each branch": BLOCKS.replace(
            "[x, y]", "[x, layers.BatchNormalization()(y)]"),
        "max-pooling on the line in every block": BLOCKS.replace(
            "[x, y]", '[layers.MaxPooling2D(3, 1, padding="same")(x), y]'),
        "the line doubled, not filled up with zeros": STAGES.replace("ops.zeros_like(x)", "x"),
        "the block of exercise 2": STAGES.replace(
            "layers.AveragePooling2D(2)(x)\n            x = layers.Concatenate()([x, ops.zeros_like(x)])",
            "layers.Conv2D(y.shape[-1], 1, 2, use_bias=False)(both)").replace(
            "        y = layers.ReLU()(layers.BatchNormalization()(x))\n",
            "        y = both = layers.ReLU()(layers.BatchNormalization()(x))\n"),
        "each residual added to itself": BLOCKS.replace("[x, y]", "[y, y]"),
        "too shallow": BLOCKS.replace("range(15)", "range(12)"),
        "too many parameters": DEEP.replace("0.4", "0.5"),
        "too many multiply-adds": BLOCKS.replace("strides=2, ", "").replace("(8, 3", "(10, 3"),
        "no softmax": BLOCKS.replace(', activation="softmax"', ""),
        "a ReLU before the softmax": BLOCKS.replace(
            'layers.Dense(10, activation="softmax")(x)',
            'layers.Softmax()(layers.Dense(10, activation="relu")(x))'),
        "a hundred classes": DEEP.replace("width", "classes=100, width"),
        "nothing returned": DEEP.replace("return ", ""),
        "left open": "def free_line():\n    pass"})

ANSWERS = {"ex1": COMPUTE, "ex2": CHANGE, "ex3": MEND, "ex4": DESIGN}
