"""Lesson 05: answers that its checks take, and answers that they refuse."""

from exercises import Answers

HEAD = "def module_macs(pixels, channels, a, b_reduce, b, c_reduce, c, pool):\n"
COMPUTE = Answers(
    right=[
        HEAD + """
    in_1x1 = channels * (a + b_reduce + c_reduce + pool)
    return pixels * pixels * (in_1x1 + 9 * b_reduce * b + 25 * c_reduce * c)
""",
        HEAD + """
    total = 0
    for size, reads, filters in [(1, channels, a), (1, channels, b_reduce), (3, b_reduce, b),
                                 (1, channels, c_reduce), (5, c_reduce, c), (1, channels, pool)]:
        total = total + pixels ** 2 * size ** 2 * reads * filters
    return total
"""],
    wrong={
        "it calls cost": HEAD + """
    inputs = keras.Input((pixels, pixels, channels))
    return cost(keras.Model(inputs, inception_module(inputs, a, b_reduce, b, c_reduce, c, pool))).macs
""",
        "it calls cost for each": HEAD + """
    found = []
    for p, n, *filters in zip(pixels, channels, a, b_reduce, b, c_reduce, c, pool):
        inputs = keras.Input((int(p), int(p), int(n)))
        found.append(cost(keras.Model(inputs, inception_module(inputs, *map(int, filters)))).macs)
    return np.array(found)
""",
        "it calls cost by another name": """
import keras_cases.blocks as pieces
import keras_cases.analysis as tools
""" + HEAD + """
    found = []
    for p, n, *filters in zip(pixels, channels, a, b_reduce, b, c_reduce, c, pool):
        inputs = keras.Input((int(p), int(p), int(n)))
        found.append(tools.cost(keras.Model(inputs, pieces.inception_module(inputs, *map(int, filters)))).macs)
    return np.array(found)
""",
        "the nine looked up": """
known = []
sizes = [(28, 192), (28, 256), (14, 480), *[(14, 512)] * 3, (14, 528), *[(7, 832)] * 2]
for (pixels, channels), (_, *filters) in zip(sizes, [module for stage in STAGES for module in stage]):
    inputs = keras.Input((pixels, pixels, channels))
    known.append(cost(keras.Model(inputs, inception_module(inputs, *filters))).macs)

def module_macs(*numbers):
    return np.array(known + [0] * (len(numbers[0]) - 9))
""",
        "additions too": HEAD + """
    return 2 * pixels ** 2 * (channels * (a + b_reduce + c_reduce + pool) + 9 * b_reduce * b + 25 * c_reduce * c)
""",
        "no 1x1 behind the pool": HEAD + """
    return pixels ** 2 * (channels * (a + b_reduce + c_reduce) + 9 * b_reduce * b + 25 * c_reduce * c)
""",
        "the large kernels read all channels": HEAD + """
    return pixels ** 2 * (channels * (a + b_reduce + c_reduce + pool) + 9 * channels * b + 25 * channels * c)
""",
        "the naive module": HEAD + "    return pixels ** 2 * channels * (a + 9 * b + 25 * c)",
        "one side of the map": HEAD + """
    return pixels * (channels * (a + b_reduce + c_reduce + pool) + 9 * b_reduce * b + 25 * c_reduce * c)
""",
        "5 and 3 for 25 and 9": HEAD + """
    return pixels ** 2 * (channels * (a + b_reduce + c_reduce + pool) + 3 * b_reduce * b + 5 * c_reduce * c)
""",
        "module 3a alone": HEAD + "    return 128_049_152",
        "left open": HEAD + "    pass"})

MODULE = """
def {name}(x, a, b_reduce, b, c_reduce, c, pool):
    def conv(t, filters, size, activation="relu"):
        return layers.Conv2D(filters, size, padding="same", activation=activation)(t)

    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    looks = [conv(x, a, 1), conv(conv(x, b_reduce, 1), b, 3), {third}, conv(pooled, pool, 1)]
    return layers.Concatenate()(looks)
"""
TWO = MODULE.format(name="without_5x5", third="conv(conv(conv(x, c_reduce, 1), c_reduce, 3), c, 3)")
CHANGE = Answers(
    right=[
        TWO,
        """
def without_5x5(x, a, b_reduce, b, c_reduce, c, pool):
    def conv(t, *filters_and_sizes):
        for filters, size in filters_and_sizes:
            t = layers.ReLU()(layers.Conv2D(filters, size, padding="same")(t))
        return t

    fourth = conv(layers.MaxPool2D(3, 1, padding="same")(x), (pool, 1))
    third = conv(x, (c_reduce, 1), (c_reduce, 3), (c, 3))
    return layers.concatenate([fourth, third, conv(x, (b_reduce, 1), (b, 3)), conv(x, (a, 1))])
""",
        """
def without_5x5(x, a, b_reduce, b, c_reduce, c, pool):
    def branch(*filters_and_sizes):
        return keras.Sequential([layers.Conv2D(f, s, padding="same", activation="relu") for f, s in filters_and_sizes])

    pooled = layers.MaxPooling2D((3, 3), strides=(1, 1), padding="same")(x)
    return layers.Concatenate(axis=-1)([
        branch((a, 1))(x), branch((b_reduce, 1), (b, 3))(x),
        branch((c_reduce, 1), (c_reduce, 3), (c, 3))(x), branch((pool, 1))(pooled)])
"""],
    wrong={
        "the 1x1 before the pool": TWO.replace("(3, strides=1, padding=\"same\")(x)", "(3, strides=1, padding=\"same\")(conv(x, pool, 1))")
        .replace("conv(pooled, pool, 1)]", "pooled]"),
        "a pool of 5": TWO.replace("MaxPooling2D(3,", "MaxPooling2D(5,"),
        "an average pool": TWO.replace("MaxPooling2D(3,", "AveragePooling2D(3,"),
        "no ReLU": TWO.replace('activation="relu"', "activation=None"),
        "no ReLU between the two": TWO.replace("c_reduce, 3), c, 3)", "c_reduce, 3, None), c, 3)"),
        "the 5x5 still there": MODULE.format(name="without_5x5", third="conv(conv(x, c_reduce, 1), c, 5)"),
        "one 3x3": MODULE.format(name="without_5x5", third="conv(conv(x, c_reduce, 1), c, 3)"),
        "the first widens": MODULE.format(name="without_5x5", third="conv(conv(conv(x, c_reduce, 1), c, 3), c, 3)"),
        "no 1x1 in front": MODULE.format(name="without_5x5", third="conv(conv(x, c_reduce, 3), c, 3)"),
        "a dropout behind": TWO.replace("layers.Concatenate()(looks)", "layers.Dropout(0.1)(layers.Concatenate()(looks))"),
        "a dropout in a branch": TWO.replace("conv(pooled, pool, 1)]", "layers.Dropout(0.1)(conv(pooled, pool, 1))]"),
        "batch normalization behind": TWO.replace(
            "layers.Concatenate()(looks)", "layers.BatchNormalization()(layers.Concatenate()(looks))"),
        "no biases": TWO.replace("activation=activation)", "activation=activation, use_bias=False)"),
        "the pool halves the map": TWO.replace("(3, strides=1, padding", "(3, padding"),
        "a model and not a tensor": TWO.replace(
            "    return layers.Concatenate()(looks)", "    return keras.Model(x, layers.Concatenate()(looks))"),
        "left open": "def without_5x5(x, *filters):\n    pass"})

MENDED = MODULE.format(name="mended", third="conv(conv(x, c_reduce, 1), c, 5)")
BUG = Answers(
    right=[
        MENDED,
        """
def mended(x, a, b_reduce, b, c_reduce, c, pool):
    def conv(t, filters, size):
        return layers.Activation("relu")(layers.Conv2D(filters, size, padding="same")(t))

    joined = [conv(x, a, 1), conv(conv(x, b_reduce, 1), b, 3)]
    joined.append(conv(conv(x, c_reduce, 1), c, 5))
    joined.append(conv(layers.MaxPooling2D(3, strides=1, padding="same")(x), pool, 1))
    return layers.concatenate(joined)
"""],
    wrong={
        "as it was": "mended = published",
        "the packaged one": "mended = inception_module",
        "a call of the packaged one": "def mended(x, *filters):\n    return inception_module(x, *filters)",
        "the packaged one by its module": """
from keras_cases import blocks

def mended(*arguments):
    return blocks.inception_module(*arguments)
""",
        "the packaged one as a default": """
def mended(x, *filters, packaged=inception_module):
    return packaged(x, *filters)
""",
        "the pool halves the map": MENDED.replace("(3, strides=1, padding", "(3, padding"),
        "a dropout behind": MENDED.replace(
            "layers.Concatenate()(looks)", "layers.Dropout(0.1)(layers.Concatenate()(looks))"),
        "a dilated 3x3": MENDED.replace("conv(conv(x, c_reduce, 1), c, 5)", "layers.Conv2D(c, 3, padding='same', "
                                        "dilation_rate=2, activation='relu')(conv(x, c_reduce, 1))"),
        "the 1x1 before the pool": MENDED.replace("(3, strides=1, padding=\"same\")(x)", "(3, strides=1, padding=\"same\")(conv(x, pool, 1))")
        .replace("conv(pooled, pool, 1)]", "pooled]"),
        "a pool of 2": MENDED.replace("MaxPooling2D(3,", "MaxPooling2D(2,"),
        "no ReLU": MENDED.replace('activation="relu"', "activation=None"),
        "a tanh": MENDED.replace('activation="relu"', 'activation="tanh"'),
        "two 3x3": MODULE.format(name="mended", third="conv(conv(conv(x, c_reduce, 1), c, 3), c, 3)"),
        "the 5x5 reads all of x": MODULE.format(name="mended", third="conv(x, c, 5)"),
        "both large kernels 5x5": MENDED.replace("b, 3)", "b, 5)"),
        "left open": "def mended(x, *filters):\n    pass"})

WIDE = Answers(
    right=[
        'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4a", "5a"))',
        """
def wide():
    wanted, width = cost(googlenet_cifar(width=0.1)).macs, 0.1
    while True:
        net = googlenet_cifar(width=width, modules=["3a", "4a", "5a"])
        if abs(cost(net).macs / wanted - 1) <= 0.02:
            return net
        width += 0.01
"""],
    wrong={
        "a little too narrow": 'def wide():\n    return googlenet_cifar(width=0.2, modules=("3a", "4a", "5a"))',
        "as narrow as before": 'def wide():\n    return googlenet_cifar(width=0.1, modules=("3a", "4a", "5a"))',
        "three times the width": 'def wide():\n    return googlenet_cifar(width=0.3, modules=("3a", "4a", "5a"))',
        "the root of three": 'def wide():\n    return googlenet_cifar(width=0.17, modules=("3a", "4a", "5a"))',
        "all nine": "def wide():\n    return googlenet_cifar(width=0.1)",
        "other modules": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4b", "5a"))',
        "with heads": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4a", "5a"), heads=True)',
        "spectators": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4a", "5a"), heads="detached")',
        "larger images": 'def wide():\n    return googlenet_cifar((66, 66, 3), width=0.1, modules=("3a", "4a", "5a"))',
        "more dropout": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4a", "5a"), dropout=0.9)',
        "no softmax": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4a", "5a"), '
                      'classifier_activation=None)',
        "no batch normalization": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4a", "5a"), '
                                  'batch_norm=False)',
        "the width alone": "def wide():\n    return 0.22",
        "left open": "def wide():\n    pass"})

LEAN = """
def lean(x):
    def conv(t, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(t)

    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    looks = [conv(x, 128, 1), conv(conv(x, 16, 1), 64, 3), conv(conv(x, 8, 1), 32, 5), conv(pooled, 32, 1)]
    return layers.Concatenate()(looks)
"""
DESIGN = Answers(
    right=[
        LEAN,
        "def lean(x):\n    return inception_module(x, 128, 16, 64, 8, 32, 32)",
        """
def lean(x):
    def relu(t):
        return layers.Activation("relu")(layers.BatchNormalization()(t))

    point = relu(layers.Conv2D(192, 1)(x))
    narrow = relu(layers.Conv2D(8, 1)(x))
    wide = relu(layers.Conv2D(8, 3, padding="same")(narrow))
    wide = relu(layers.Conv2D(64, 3, padding="same")(wide))
    return layers.concatenate([wide, point])
""",
        LEAN.replace("layers.Concatenate()(looks)", "keras.ops.concatenate(looks, axis=-1)"),
        LEAN.replace('activation="relu"', "activation=layers.ReLU()"),
        LEAN.replace('activation="relu"', "activation=keras.ops.relu"),
        """
def lean(x):
    def conv(t, filters, size):
        return layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(filters, size, padding="same")(t)))

    narrow = conv(x, 16, 1)
    return layers.Concatenate()([conv(x, 128, 1), conv(narrow, 64, 3), conv(narrow, 64, 5)])
""",
        """
def lean(x):
    def branch(*filters_and_sizes):
        return keras.Sequential([layers.Conv2D(f, s, padding="same", activation="relu") for f, s in filters_and_sizes])

    narrow = keras.ops.relu(layers.Conv2D(16, 1)(x))
    five = layers.DepthwiseConv2D(5, padding="same", activation="relu")(narrow)
    return layers.Concatenate()([branch((144, 1))(x), branch((16, 1), (64, 3))(x), five,
                                 branch((32, 1))(layers.MaxPooling2D(3, 1, padding="same")(x))])
"""],
    wrong={
        "two Concatenates": LEAN.replace(
            "layers.Concatenate()(looks)", "layers.Concatenate()([layers.Concatenate()(looks[:2]), *looks[2:]])"),
        "a convolution behind": LEAN.replace(
            "layers.Concatenate()(looks)", "conv(layers.Concatenate()(looks), 256, 1)"),
        "a ReLU behind instead": LEAN.replace('activation="relu"', "activation=None").replace(
            "layers.Concatenate()(looks)", "layers.ReLU()(layers.Concatenate()(looks))"),
        "no ReLU": LEAN.replace('activation="relu"', "activation=None"),
        "sigmoids": LEAN.replace('activation="relu"', 'activation="sigmoid"'),
        "softplus": LEAN.replace('activation="relu"', 'activation="softplus"'),
        "a leaky ReLU": LEAN.replace('activation="relu"', 'activation=layers.LeakyReLU(0.2)'),
        "a ReLU that leaks": LEAN.replace(
            'padding="same", activation="relu")(t)',
            'padding="same", activation=layers.ReLU(negative_slope=0.3))(t)'),
        "a ReLU that leaks inside": LEAN.replace(
            "conv(x, 8, 1)", "layers.ReLU(negative_slope=0.3)(layers.Conv2D(8, 1)(x))"),
        "one branch fifteen times": """
def lean(x):
    def conv(t, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(t)

    point = conv(x, 16, 1)
    return layers.Concatenate()([point] * 15 + [conv(conv(x, 4, 1), 16, 5)])
""",
        "one branch and its copies": """
def lean(x):
    def conv(t, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(t)

    point = conv(x, 120, 1)
    return layers.Concatenate()([point, layers.ReLU()(point), conv(conv(x, 4, 1), 16, 5)])
""",
        "behind one filter": """
def lean(x):
    def conv(t, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(t)

    return layers.Concatenate()([conv(x, 240, 1), conv(conv(x, 1, 1), 16, 5)])
""",
        "padding left out": LEAN.replace('filters, size, padding="same", activation', "filters, size, activation"),
        "a bottleneck of ones without a ReLU": LEAN.replace(
            "conv(x, 8, 1)", "layers.Conv2D(8, 1, kernel_initializer='ones')(x)"),
        "a linear 1x1 in front of a depthwise": LEAN.replace(
            "conv(conv(x, 8, 1), 32, 5)", "conv(layers.DepthwiseConv2D(5, padding='same', activation='relu')("
            "layers.Conv2D(8, 1)(x)), 32, 1)"),
        "ops.concatenate and no last ReLU": LEAN.replace("layers.Concatenate()(looks)", "keras.ops.concatenate(looks, axis=-1)")
        .replace("looks = [conv(x, 128, 1), conv(conv(x, 16, 1), 64, 3)",
                 "looks = [layers.Conv2D(128, 1)(x), layers.Conv2D(64, 3, padding='same')(conv(x, 16, 1))"),
        "x itself as a branch": """
def lean(x):
    def conv(t, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(t)

    return layers.Concatenate()([x, conv(x, 32, 1), conv(conv(x, 16, 1), 32, 5)])
""",
        "the pool as a branch": """
def lean(x):
    def conv(t, filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")(t)

    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    return layers.Concatenate()([pooled, conv(x, 32, 1), conv(conv(x, 16, 1), 32, 5)])
""",
        "no ReLU inside a branch": LEAN.replace("conv(x, 8, 1)", "layers.Conv2D(8, 1)(x)"),
        "too dear": "def lean(x):\n    return inception_module(x, 64, 96, 128, 16, 32, 32)",
        "240 channels": "def lean(x):\n    return inception_module(x, 112, 16, 64, 8, 32, 32)",
        "nothing sees 5x5": LEAN.replace("32, 5)", "32, 3)"),
        "nothing sees one pixel": LEAN.replace("conv(x, 128, 1)", "conv(conv(x, 8, 1), 128, 3)"),
        "5x5 by a pool": LEAN.replace(
            "conv(conv(x, 8, 1), 32, 5)",
            'conv(layers.MaxPooling2D(5, strides=1, padding="same")(x), 32, 1)'),
        "a branch of four channels": "def lean(x):\n    return inception_module(x, 156, 16, 64, 8, 4, 32)",
        "left open": "def lean(x):\n    pass"})

ANSWERS = {"ex1": COMPUTE, "ex2": CHANGE, "ex3": BUG, "ex4": WIDE, "ex5": DESIGN}
