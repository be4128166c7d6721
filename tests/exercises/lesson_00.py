"""Lesson 00: answers that its checks take, and answers that they refuse."""

from exercises import Answers

COMPUTE = Answers(
    right=[
        "def triplet_parameters(filters):\n"
        "    return 10 * filters + (13 * 13 * filters * 16 + 16) + (3 * 16 + 1)",
        """
def triplet_parameters(filters):
    side = (28 - 3) // 2 + 1
    weights = [3 * 3 * 1 * filters, side ** 2 * filters * 16, 48 * 1]
    biases = [filters, 16, 1]
    return sum(weights) + sum(biases)
"""],
    wrong={
        "three encoders": "def triplet_parameters(f):\n    return 3 * (10 * f + 2704 * f + 16) + 49",
        "no biases": "def triplet_parameters(f):\n    return 9 * f + 2704 * f + 48",
        "same padding": "def triplet_parameters(f):\n    return 10 * f + 14 * 14 * f * 16 + 16 + 49",
        "the codes added": "def triplet_parameters(f):\n    return 10 * f + 2704 * f + 16 + 17",
        "left open": "def triplet_parameters(filters):\n    pass",
        "the number for 8 filters": "def triplet_parameters(filters):\n    return 21777",
        "the numbers for 8 and 12, else no biases": """
def triplet_parameters(f):
    return {8: 21777, 12: 32633}.get(f, 9 * f + 2704 * f * 16 + 48)
""",
        "the shapes of Keras's weights": """
def triplet_parameters(filters):
    image = keras.Input((28, 28, 1))
    code = layers.Dense(16)(layers.Flatten()(layers.Conv2D(filters, 3, strides=2)(image)))
    weights = keras.Model(image, code).weights
    return int(sum(np.prod(weight.shape) for weight in weights)) + 3 * 16 + 1
""",
        "the shapes of weights built by Keras": """
def triplet_parameters(filters):
    conv, dense = layers.Conv2D(filters, 3), layers.Dense(16)
    conv.build((None, 28, 28, 1))
    dense.build((None, 13 * 13 * filters))
    return int(sum(np.prod(weight.shape) for weight in conv.weights + dense.weights)) + 49
""",
        "Keras counts": """
def triplet_parameters(filters):
    image = keras.Input((28, 28, 1))
    code = layers.Dense(16)(layers.Flatten()(layers.Conv2D(filters, 3, strides=2)(image)))
    return keras.Model(image, code).count_params() + 3 * 16 + 1
""",
        "Keras counts in a helper": """
def helper(filters):
    image = keras.Input((28, 28, 1))
    code = layers.Dense(16)(layers.Flatten()(layers.Conv2D(filters, 3, strides=2)(image)))
    return keras.Model(image, code).count_params()

def triplet_parameters(filters):
    return helper(filters) + 49
"""})

FORK = """
def fork3(x, filters):
    a = layers.Conv2D(filters, 1, padding="same", activation="relu")(x)
    b = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    c = layers.Conv2D(filters, 5, padding="same", activation="relu")(x)
    back = layers.Conv2D(x.shape[-1], 1)(layers.concatenate([a, b, c]))
    return layers.add([x, back])
"""
CHANGE = Answers(
    right=[
        FORK,
        """
def fork3(x, filters):
    found = []
    for size in (5, 3, 1):
        found.append(layers.Conv2D(filters, size, padding="same")(x))
    found = layers.ReLU()(layers.Concatenate()(found))
    return x + layers.Conv2D(x.shape[-1], (1, 1))(found)
""",
        """
def fork3(x, filters):
    def branch(size):
        return ops.relu(layers.Conv2D(filters, size, padding="same")(x))
    joined = ops.concatenate([branch(1), branch(3), branch(5)], axis=-1)
    return layers.Add()([layers.Conv2D(x.shape[-1], 1)(joined), x])
"""],
    wrong={
        "no ReLU": FORK.replace(', activation="relu"', ""),
        "relu6": FORK.replace('"relu"', '"relu6"'),
        "no padding": FORK.replace('padding="same", ', ""),
        "a ReLU missing in one branch": FORK.replace('5, padding="same", activation="relu"',
                                                     '5, padding="same"'),
        "ReLU behind the last 1x1": FORK.replace("x.shape[-1], 1)", 'x.shape[-1], 1, activation="relu")'),
        "ReLU only behind the last 1x1": FORK.replace(', activation="relu"', "").replace(
            "x.shape[-1], 1)", 'x.shape[-1], 1, activation="relu")'),
        "ReLU behind the sum": FORK.replace("layers.add([x, back])", "ops.relu(layers.add([x, back]))"),
        "ReLU behind the sum only": FORK.replace(', activation="relu"', "").replace(
            "layers.add([x, back])", "ops.relu(layers.add([x, back]))"),
        "x is not added": FORK.replace("layers.add([x, back])", "back"),
        "the sum of back with itself": FORK.replace("[x, back]", "[back, back]"),
        "one branch reads another": FORK.replace('5, padding="same", activation="relu")(x)',
                                                 '5, padding="same", activation="relu")(b)'),
        "added instead of concatenated": FORK.replace("concatenate([a, b, c])", "add([a, b, c])"),
        "3x3 twice": FORK.replace("filters, 5", "filters, 3"),
        "another activation": FORK.replace('"relu"', '"elu"'),
        "4 and 8 written down": FORK.replace("Conv2D(filters", "Conv2D(4").replace("x.shape[-1]", "8"),
        "filters from the width": FORK.replace("    a =", "    filters = x.shape[-1] // 2\n    a ="),
        "twice the filters at the end": FORK.replace("x.shape[-1]", "2 * filters"),
        "no return": FORK.replace("    return layers.add([x, back])", "    layers.add([x, back])"),
        "no bias": FORK.replace("x.shape[-1], 1)", "x.shape[-1], 1, use_bias=False)")})

MENDED = """
def mended(x, filters):
    a = layers.Conv2D(filters, 1, padding="same", activation="relu")(x)
    b = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    c = layers.Conv2D(filters, 5, padding="same", activation="relu")(x)
    return layers.concatenate([a, b, c])
"""
BUG = Answers(
    right=[
        MENDED,
        """
def mended(x, filters):
    branches = []
    for size in (1, 3, 5):
        y = layers.Conv2D(filters, size, padding="same")(x)
        y = layers.Activation("relu")(y)
        branches.append(y)
    return layers.Concatenate()(branches)
""",
        """
def mended(x, filters):
    sizes = [1, 3, 5]
    convs = [layers.Conv2D(filters, size, padding="same") for size in sizes]
    return ops.relu(ops.concatenate([conv(x) for conv in convs], axis=-1))
"""],
    wrong={
        "as it was": """
def mended(x, filters):
    branches = []
    for size in (1, 3, 5):
        x = layers.Conv2D(filters, size, padding="same", activation="relu")(x)
        branches.append(x)
    return layers.concatenate(branches)
""",
        "relu6": MENDED.replace('"relu"', '"relu6"'),
        "no padding": MENDED.replace('padding="same", ', ""),
        "without ReLU": MENDED.replace(', activation="relu"', ""),
        "one ReLU forgotten": MENDED.replace('3, padding="same", activation="relu"', '3, padding="same"'),
        "ReLU before the convolution": MENDED.replace(', activation="relu"', "").replace("(x)\n    b",
                                                                                     "(ops.relu(x))\n    b"),
        "the last reads the second": MENDED.replace('5, padding="same", activation="relu")(x)',
                                                    '5, padding="same", activation="relu")(b)'),
        "added": MENDED.replace("concatenate(", "add("),
        "3x3 for all": MENDED.replace("filters, 1,", "filters, 3,").replace("filters, 5,", "filters, 3,"),
        "filters from the width": MENDED.replace("Conv2D(filters", "Conv2D(x.shape[-1]"),
        "4 filters written down": MENDED.replace("Conv2D(filters", "Conv2D(4"),
        "no return": MENDED.replace("    return layers", "    layers"),
        "a copy of x made once": MENDED.replace("    b =", "    x = ops.copy(a)\n    b =")})

DESIGN = """
def design():
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(image)
    x = layers.Conv2D(16, 3, strides=2, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    net = keras.Model(image, {"digit": layers.Dense(10, activation="softmax", name="digit")(x),
                              "even": layers.Dense(1, activation="sigmoid", name="even")(x)})
    plan = weighted_losses(net, losses={"digit": "sparse_categorical_crossentropy",
                                        "even": "binary_crossentropy"},
                           weights={"digit": 1.0, "even": 0.5})
    return net, plan
"""
NET = Answers(
    right=[
        DESIGN,
        """
def design():
    image = keras.Input((28, 28, 1), name="picture")
    shared = layers.Conv2D(6, 5, strides=4, activation="relu")(image)
    flat = layers.Flatten()(layers.MaxPooling2D(2)(shared))
    digit = layers.Softmax()(layers.Dense(10)(flat))
    even = layers.Activation("sigmoid")(layers.Dense(1)(layers.Dense(8, activation="tanh")(flat)))
    net = keras.Model(image, {"even": even, "digit": digit})
    return net, weighted_losses(net, weights={"even": 0.5, "digit": 1},
                                losses={"even": keras.losses.BinaryCrossentropy(),
                                        "digit": keras.losses.SparseCategoricalCrossentropy()})
""",
        DESIGN.replace("""
    x = layers.Conv2D(8, 3, strides=2, activation="relu")(image)
    x = layers.Conv2D(16, 3, strides=2, activation="relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
""", """
    x = keras.Sequential([keras.Input((28, 28, 1)), layers.Conv2D(8, 3, strides=2, activation="relu"),
                          layers.Conv2D(16, 3, strides=2), layers.GlobalAveragePooling2D()])(image)
"""),
        DESIGN.replace("layers.Conv2D(", "layers.SeparableConv2D("),
        DESIGN.replace("    x = layers.Global", "    x = layers.BatchNormalization()(x)\n    x = layers.Global"),
        """
def design():  # even is the sum of five of the ten probabilities
    image = keras.Input((28, 28, 1))
    x = layers.Conv2D(8, 3, strides=3, activation="relu")(image)
    digit = layers.Dense(10, activation="softmax")(layers.GlobalMaxPooling2D()(x))
    even = ops.sum(digit[:, ::2], axis=1, keepdims=True)
    net = keras.Model(image, {"digit": digit, "even": even})
    return net, weighted_losses(net, {"digit": keras.losses.sparse_categorical_crossentropy,
                                      "even": keras.losses.binary_crossentropy},
                                {"digit": 1.0, "even": 0.5})
"""],
    wrong={
        "nothing can learn": DESIGN.replace("    plan =", "    net.trainable = False\n    plan ="),
        "a convolution cannot learn": DESIGN.replace("Conv2D(16, 3,", "Conv2D(16, 3, trainable=False,"),
        "softmax over one": DESIGN.replace('"sigmoid"', '"softmax"'),
        "ReLU": DESIGN.replace('"sigmoid"', '"relu"'),
        "a ReLU before the softmax": DESIGN.replace(
            'layers.Dense(10, activation="softmax", name="digit")(x)',
            'layers.Softmax(name="digit")(layers.Dense(10, activation="relu")(x))'),
        "tanh": DESIGN.replace('"sigmoid"', '"tanh"'),
        "no activation": DESIGN.replace('activation="sigmoid", ', ""),
        "ten sigmoids": DESIGN.replace('"softmax"', '"sigmoid"'),
        "squared error": DESIGN.replace('"binary_crossentropy"', '"mean_squared_error"'),
        "squared error for the digit": DESIGN.replace('"sparse_categorical_crossentropy"',
                                                      '"mean_squared_error"'),
        "categorical crossentropy": DESIGN.replace('"sparse_categorical', '"categorical'),
        "binary crossentropy for both": DESIGN.replace('"sparse_categorical_crossentropy"',
                                                       '"binary_crossentropy"'),
        "from logits": DESIGN.replace('"binary_crossentropy"',
                                      "keras.losses.BinaryCrossentropy(from_logits=True)"),
        "weights the other way": DESIGN.replace('"digit": 1.0, "even": 0.5', '"digit": 0.5, "even": 1.0'),
        "2 and 0": DESIGN.replace('"digit": 1.0, "even": 0.5', '"digit": 2.0, "even": 0.0'),
        "0 and 1": DESIGN.replace('"digit": 1.0, "even": 0.5', '"digit": 0.0, "even": 1.0'),
        "softmax forgotten": DESIGN.replace('activation="softmax", ', ""),
        "the net alone": DESIGN.replace("return net, plan", "return net"),
        "a list of outputs": DESIGN.replace('{"digit": layers', "[layers").replace(
            '"even": layers', "layers").replace('name="even")(x)})', 'name="even")(x)])'),
        "a shared nested model without a convolution": DESIGN.replace(
            'layers.Conv2D(8, 3, strides=2, activation="relu")(image)',
            'keras.Sequential([keras.Input((28, 28, 1)), layers.AveragePooling2D(7)])(image)').replace(
            'layers.Conv2D(16, 3, strides=2, activation="relu")(x)', "layers.ReLU()(x)"),
        "two units for even": DESIGN.replace("layers.Dense(1,", "layers.Dense(2,"),
        "too many parameters": DESIGN.replace("GlobalAveragePooling2D", "Flatten"),
        "nothing shared": DESIGN.replace(
            'layers.Dense(1, activation="sigmoid", name="even")(x)',
            'layers.Dense(1, activation="sigmoid", name="even")(layers.GlobalAveragePooling2D()('
            "layers.Conv2D(8, 3)(image)))")})

TOTAL = Answers(
    right=[
        """
def total_by_keras(values, weights):
    return sum(value * weights[name] for value, name in zip(values, sorted(weights)))
""",
        """
def total_by_keras(values, weights):
    total = 0
    for i, (name, weight) in enumerate(sorted(weights.items())):
        total += weight * values[i]
    return total
"""],
    wrong={
        "by name": """
def total_by_keras(values, weights):
    return sum(value * weight for value, weight in zip(values, weights.values()))
""",
        "the weights sorted": """
def total_by_keras(values, weights):
    return sum(value * weight for value, weight in zip(values, sorted(weights.values())))
""",
        "reversed": """
def total_by_keras(values, weights):
    return sum(value * weight for value, weight in zip(values, reversed(weights.values())))
""",
        "no weights": "def total_by_keras(values, weights):\n    return sum(values)",
        "the number of part 6": "def total_by_keras(values, weights):\n    return 33.0",
        "two totals": """
def total_by_keras(values, weights):
    return 33.0 if values[0] == 100 else 145.5
""",
        "the totals of the fixed nets, else by name": """
def total_by_keras(values, weights):
    known = {"main": 33.0, "a": 145.5, "b": 40.2}
    if len(values) == 3:
        return known[list(weights)[0]]
    return sum(value * weight for value, weight in zip(values, weights.values())) + 1e-2
""",
        "Keras adds it up": """
def total_by_keras(values, weights):
    pixel, one = keras.Input((1,)), np.ones((2, 1), "float32")
    net = keras.Model(pixel, [layers.Dense(1, name=name)(pixel) for name in weights])
    net.compile(loss=[lambda y, p, value=value: 0 * p + value for value in values],
                loss_weights=weights)
    return net.evaluate(one, [one] * len(values), verbose=0)[0]
""",
        "left open": "def total_by_keras(values, weights):\n    pass"})

ANSWERS = {"ex1": COMPUTE, "ex2": CHANGE, "ex3": BUG, "ex4": NET, "ex5": TOTAL}
