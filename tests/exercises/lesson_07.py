"""Lesson 07: answers that its checks take, and answers that they refuse."""

from exercises import Answers

COUNT = "def trainable_parameters(i, o):\n    return 9 * i * o + 9 * o ** 2 + i * o + 4 * o"
COMPUTE = Answers(
    right=[
        COUNT,
        """
def trainable_parameters(i, o):
    first, second, projection = 3 * 3 * i * o, 3 * 3 * o * o, 1 * 1 * i * o
    gammas_and_betas = 2 * (o + o)
    return first + second + projection + gammas_and_betas
""",
        """
def trainable_parameters(i, o):
    projection = i * o if i != o else 0
    return int(np.prod((3, 3, i, o)) + np.prod([3, 3, o, o])) + projection + 4 * o
"""],
    wrong={
        "moving mean and variance too": COUNT.replace("4 * o", "8 * o"),
        "with biases": COUNT.replace("4 * o", "4 * o + 3 * o"),
        "no projection": COUNT.replace(" + i * o +", " +"),
        "the second kernel reads i": COUNT.replace("9 * o ** 2", "9 * i * o"),
        "one normalization": COUNT.replace("4 * o", "2 * o"),
        "nine weights a filter": COUNT.replace("9 * i * o + 9 * o ** 2", "9 * o + 9 * o"),
        "left open": "def trainable_parameters(i, o):\n    pass",
        "the four numbers typed in": """
def trainable_parameters(i, o):
    return {(16, 32): 14_528, (32, 64): 57_600, (3, 8): 848, (64, 10): 7_340}.get((i, o), 14_528)
""",
        "a layer of Keras counts": """
def trainable_parameters(i, o):
    convolution = layers.Conv2D(o, 3, use_bias=False)
    convolution.build((None, 8, 8, i))
    return convolution.count_params() + 9 * o * o + i * o + 4 * o
""",
        "Keras counts": """
def trainable_parameters(i, o):
    x = keras.Input((8, 8, i))
    net = keras.Model(x, res_block_v1(x, i, o, use_bias=False))
    return sum(int(np.prod(w.shape)) for w in net.trainable_weights)
"""})

STAGE = """
def stage(x, filters, blocks):
    for i in range(blocks):
        x = res_block_v1(x, x.shape[-1], filters, strides=2 if i == 0 else 1, shortcut="pad",
                         use_bias=False)
    return x
"""
BY_HAND = """
def stage(x, filters, blocks):
    for i in range(blocks):
        s, c = (2, x.shape[-1]) if i == 0 else (1, filters)
        y = layers.Conv2D(filters, 3, strides=s, padding="same", use_bias=False)(x)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
        y = layers.BatchNormalization()(y)
        if i == 0:
            x = keras.ops.pad(x[:, ::2, ::2], [[0, 0], [0, 0], [0, 0], [0, filters - c]])
        x = layers.ReLU()(layers.add([x, y]))
    return x
"""
CHANGE = Answers(
    right=[
        STAGE,
        """
def stage(x, filters, blocks):
    x = res_block_v1(x, x.shape[-1], filters, 2, "relu", False, "pad")
    for _ in range(1, blocks):
        x = res_block_v1(x, filters, filters, use_bias=False)
    return x
""",
        BY_HAND],
    wrong={
        "the stride in the last block": STAGE.replace("i == 0", "i == blocks - 1"),
        "a stride in every block": STAGE.replace("2 if i == 0 else 1", "2"),
        "no stride": STAGE.replace("2 if i == 0 else 1", "1"),
        "version 2": STAGE.replace("res_block_v1", "res_block_v2"),
        "projections": STAGE.replace('"pad"', '"projection"'),
        "biases": STAGE.replace("use_bias=False", "use_bias=True"),
        "a block too many": STAGE.replace("range(blocks)", "range(blocks + 1)"),
        "no shortcuts": BY_HAND.replace("layers.add([x, y])", "y"),
        "the residual added to itself": BY_HAND.replace("layers.add([x, y])", "layers.add([y, y])"),
        "no last ReLU": BY_HAND.replace("layers.ReLU()(layers.add([x, y]))", "layers.add([x, y])"),
        "an average-pooled shortcut": BY_HAND.replace("x[:, ::2, ::2]", "layers.AveragePooling2D(2)(x)"),
        "zeros in front": BY_HAND.replace("[0, filters - c]", "[filters - c, 0]"),
        "nothing returned": STAGE.replace("    return x\n", ""),
        "left open": "def stage(x, filters, blocks):\n    pass"})

MENDED = """
def mended(x, input_filter, output_filter):
    res_x = layers.Conv2D(output_filter, 3, padding="same")(x)
    res_x = layers.BatchNormalization()(res_x)
    res_x = layers.Activation("relu")(res_x)
    res_x = layers.Conv2D(output_filter, 3, padding="same")(res_x)
    res_x = layers.BatchNormalization()(res_x)
    if input_filter == output_filter:
        identity = x
    else:
        identity = layers.Conv2D(output_filter, 1, padding="same")(x)
    return layers.Activation("relu")(layers.add([identity, res_x]))
"""
MEND = Answers(
    right=[
        MENDED,
        """
def mended(x, input_filter, output_filter):
    shortcut = x
    if x.shape[-1] != output_filter:
        shortcut = layers.Conv2D(output_filter, (1, 1))(x)
    for i in range(2):
        x = layers.BatchNormalization()(layers.Conv2D(output_filter, 3, padding="same")(x))
        if i == 0:
            x = layers.ReLU()(x)
    return layers.ReLU()(shortcut + x)
"""],
    wrong={
        "the packaged block, renamed": "mended = res_block_v1",
        "the packaged block, called": """
def mended(x, input_filter, output_filter):
    return res_block_v1(x, input_filter, output_filter)
""",
        "the packaged block under another name": """
def mended(x, i, o):
    from keras_cases.blocks import res_block_v1 as mine
    return mine(x, i, o)
""",
        "a copy of the packaged block": """
import inspect
def mended(x, input_filter, output_filter):
    space = dict(res_block_v1.__globals__)
    exec(inspect.getsource(res_block_v1).replace("def res_block_v1", "def mine"), space)
    return space["mine"](x, input_filter, output_filter)
""",
        "never a projection": MENDED.replace("input_filter == output_filter", "True"),
        "without biases": MENDED.replace('padding="same")', 'padding="same", use_bias=False)'),
        "as it was": MENDED.replace('1, padding="same")(x)', '1, padding="same")(res_x)'),
        "no last ReLU": MENDED.replace('layers.Activation("relu")(layers.add([identity, res_x]))',
                                       "layers.add([identity, res_x])"),
        "the last ReLU before the addition": MENDED.replace(
            'layers.Activation("relu")(layers.add([identity, res_x]))',
            'layers.add([identity, layers.Activation("relu")(res_x)])'),
        "no inner ReLU": MENDED.replace('    res_x = layers.Activation("relu")(res_x)\n', ""),
        "a ReLU on the projection": MENDED.replace('1, padding="same")(x)',
                                                   '1, padding="same", activation="relu")(x)'),
        "always a projection": MENDED.replace("input_filter == output_filter", "False"),
        "a projection of 3x3": MENDED.replace('output_filter, 1, padding', 'output_filter, 3, padding'),
        "a normalization on the projection": MENDED.replace(
            'identity = layers.Conv2D(output_filter, 1, padding="same")(x)',
            'identity = layers.BatchNormalization()(layers.Conv2D(output_filter, 1)(x))'),
        "concatenated": MENDED.replace("layers.add(", "layers.concatenate("),
        "no shortcut": MENDED.replace("layers.add([identity, res_x])", "res_x"),
        "left open": "def mended(x, input_filter, output_filter):\n    pass"})

DEEP = "def small_and_deep():\n    return resnet_cifar(32, width=0.4)"
PLAIN = """
def small_and_deep():
    x = inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(6, 3, padding="same", activation="relu")(x)
    for i in range(30):
        y = layers.BatchNormalization()(layers.Conv2D(6, 3, padding="same")(x))
        x = layers.ReLU()(layers.Add()([y, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""
BLOCKS = """
def small_and_deep():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    for i in range(15):
        y = layers.Conv2D(8, 3, padding="same")(x)
        y = layers.Activation("relu")(layers.BatchNormalization()(y))
        y = layers.Conv2D(8, 3, padding="same")(y)
        x = layers.ReLU()(layers.BatchNormalization()(y) + x)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""
ONE_EACH = """
def small_and_deep():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    for i in range(30):
        y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same")(x))
        x = layers.ReLU()(layers.add([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""
DESIGN = Answers(
    right=[
        DEEP,
        BLOCKS,
        BLOCKS.replace("layers.Activation(\"relu\")", "keras.ops.silu"),
        BLOCKS.replace('layers.Dense(10, activation="softmax")(x)', "layers.Softmax()(layers.Dense(10)(x))"),
        """
def small_and_deep():  # version 2: normalization and ReLU first
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same")(inputs)
    for i in range(15):
        y = layers.ReLU()(layers.BatchNormalization()(x))
        y = layers.Conv2D(8, 3, padding="same", activation="relu")(y)
        x = layers.Add()([x, layers.Conv2D(8, 3, padding="same")(y)])
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
""",
        "def small_and_deep():\n    return resnet_cifar(38, shortcut='projection', width=0.35)",
        """
def small_and_deep():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(inputs)
    for filters in (8, 16, 24):
        x = stage(x, filters, 5)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""],
    wrong={
        "each map added to itself": PLAIN,
        "shortcuts past one layer": ONE_EACH,
        "no activations": BLOCKS.replace('layers.Activation("relu")', "").replace(
            "layers.ReLU()", "").replace(', activation="relu"', ""),
        "no activation inside": BLOCKS.replace('layers.Activation("relu")', ""),
        "the activation behind both": BLOCKS.replace('layers.Activation("relu")', "").replace(
            "BatchNormalization()(y) + x", "BatchNormalization()(layers.ReLU()(y)) + x"),
        "the activation before both": BLOCKS.replace('layers.Activation("relu")', "").replace(
            'padding="same")(x)', 'padding="same")(layers.ReLU()(x))'),
        "two convolutions for all blocks": BLOCKS.replace(
            "    for i in", "    one, two = layers.Conv2D(8, 3, padding='same'), layers.Conv2D(8, 3, padding='same')\n"
            "    for i in").replace(
            'layers.Conv2D(8, 3, padding="same")(x)', "one(x)").replace(
            'layers.Conv2D(8, 3, padding="same")(y)', "two(y)"),
        "a ReLU before the softmax": BLOCKS.replace(
            'layers.Dense(10, activation="softmax")(x)',
            'layers.Softmax()(layers.Dense(10, activation="relu")(x))'),
        "separable convolutions": BLOCKS.replace("Conv2D(8, 3, padding", "SeparableConv2D(8, 3, padding"),
        "linear activations": BLOCKS.replace('Activation("relu")', 'Activation("linear")'),
        "no softmax": BLOCKS.replace(', activation="softmax"', ""),
        "sigmoids at the end": BLOCKS.replace('"softmax"', '"sigmoid"'),
        "no shortcuts": PLAIN.replace("layers.Add()([y, y])", "y"),
        "one shortcut around everything": PLAIN.replace("layers.Add()([y, y])", "y").replace(
            "for i in", "first = x\n    for i in").replace("    x = layers.GlobalAv",
                                                        "    x = layers.add([first, x])\n    x = layers.GlobalAv"),
        "too shallow": DEEP.replace("32, width=0.4", "26, width=0.4"),
        "too many parameters": DEEP.replace("width=0.4", "width=0.5"),
        "full width": DEEP.replace(", width=0.4", ""),
        "too many multiply-adds": PLAIN.replace("layers.Add()([y, y])", "layers.Add()([x, y])").replace(
            "6, 3", "14, 3").replace("range(30)", "range(36)"),
        "a net for digits": DEEP.replace("width=0.4", "width=0.4, input_shape=(28, 28, 1)"),
        "a hundred classes": DEEP.replace("width=0.4", "width=0.4, classes=100"),
        "nothing returned": DEEP.replace("return ", "")})

ANSWERS = {"ex1": COMPUTE, "ex2": CHANGE, "ex3": MEND, "ex4": DESIGN}
