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
        "left open": "def without_5x5(x, *filters):\n    pass"})

MENDED = MODULE.format(name="mended", third="conv(conv(x, c_reduce, 1), c, 5)")
BUG = Answers(
    right=[
        MENDED,
        "def mended(x, *filters):\n    return inception_module(x, *filters)",
        "mended = inception_module",
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
        "as narrow as before": 'def wide():\n    return googlenet_cifar(width=0.1, modules=("3a", "4a", "5a"))',
        "three times the width": 'def wide():\n    return googlenet_cifar(width=0.3, modules=("3a", "4a", "5a"))',
        "the root of three": 'def wide():\n    return googlenet_cifar(width=0.17, modules=("3a", "4a", "5a"))',
        "all nine": "def wide():\n    return googlenet_cifar(width=0.1)",
        "other modules": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4b", "5a"))',
        "with heads": 'def wide():\n    return googlenet_cifar(width=0.22, modules=("3a", "4a", "5a"), heads=True)',
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
"""],
    wrong={
        "two Concatenates": LEAN.replace(
            "layers.Concatenate()(looks)", "layers.Concatenate()([layers.Concatenate()(looks[:2]), *looks[2:]])"),
        "a convolution behind": LEAN.replace(
            "layers.Concatenate()(looks)", "conv(layers.Concatenate()(looks), 256, 1)"),
        "a ReLU behind instead": LEAN.replace('activation="relu"', "activation=None").replace(
            "layers.Concatenate()(looks)", "layers.ReLU()(layers.Concatenate()(looks))"),
        "no ReLU": LEAN.replace('activation="relu"', "activation=None"),
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
