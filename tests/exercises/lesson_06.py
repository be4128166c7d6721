"""Lesson 06: answers that its checks take, and answers that they refuse."""

from exercises import Answers

FOLD = """
def folded(kernel, bias, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, (bias - mean) * scale + beta
"""
COMPUTE = Answers(
    right=[
        FOLD,
        """
def folded(kernel, bias, gamma, beta, mean, variance, epsilon):
    deviation = (variance + epsilon) ** 0.5
    new = np.zeros_like(kernel)
    for o in range(kernel.shape[-1]):
        new[:, :, :, o] = kernel[:, :, :, o] * gamma[o] / deviation[o]
    return new, beta + gamma * bias / deviation - gamma * mean / deviation
"""],
    wrong={
        "the old bias forgotten": FOLD.replace("(bias - mean)", "-mean"),
        "the bias not scaled": FOLD.replace("(bias - mean) * scale + beta", "bias - mean * scale + beta"),
        "no mean": FOLD.replace("(bias - mean)", "bias"),
        "no beta": FOLD.replace(" + beta", ""),
        "no gamma": FOLD.replace("gamma / np", "1 / np"),
        "epsilon outside the root": FOLD.replace("np.sqrt(variance + epsilon)", "(np.sqrt(variance) + epsilon)"),
        "Keras's epsilon, whatever is given": FOLD.replace("variance + epsilon", "variance + 1e-3"),
        "no root": FOLD.replace("np.sqrt(variance + epsilon)", "(variance + epsilon)"),
        "one scale for all": FOLD.replace("    return", "    scale = scale.mean()\n    return"),
        "a bias per input": FOLD.replace("(bias - mean) * scale + beta", "np.zeros(kernel.shape[2])"),
        "the kernel alone": FOLD.replace(", (bias - mean) * scale + beta", ""),
        "the scale along another axis": FOLD.replace("kernel * scale", "kernel * scale[:, None]"),
        "left open": "def folded(*given):\n    pass"})

GROUP = """
def group_norm(x, gamma, beta, groups, epsilon=1e-3):
    images, height, width, channels = x.shape
    parts = x.reshape(images, height, width, groups, channels // groups)
    mean = parts.mean(axis=(1, 2, 4), keepdims=True)
    variance = ((parts - mean) ** 2).mean(axis=(1, 2, 4), keepdims=True)
    return gamma * ((parts - mean) / np.sqrt(variance + epsilon)).reshape(x.shape) + beta
"""
CHANGE = Answers(
    right=[
        GROUP,
        """
def group_norm(x, gamma, beta, groups, epsilon=1e-3):
    found = []
    for part in np.split(x, groups, axis=-1):
        mean, deviation = part.mean((1, 2, 3)), np.sqrt(part.var((1, 2, 3)) + epsilon)
        found.append((part - mean[:, None, None, None]) / deviation[:, None, None, None])
    return np.concatenate(found, axis=-1) * gamma + beta
"""],
    wrong={
        "batch normalization still": """
def group_norm(x, gamma, beta, groups, epsilon=1e-3):
    mean = x.mean(axis=(0, 1, 2))
    return gamma * (x - mean) / np.sqrt(x.var(axis=(0, 1, 2)) + epsilon) + beta
""",
        "groups over the whole batch": GROUP.replace("(1, 2, 4)", "(0, 1, 2, 4)"),
        "per pixel": GROUP.replace("(1, 2, 4)", "4"),
        "per channel": GROUP.replace("(1, 2, 4)", "(1, 2)"),
        "one group": GROUP.replace("(1, 2, 4)", "(1, 2, 3, 4)"),
        "every second channel in a group": GROUP.replace("groups, channels // groups", "channels // groups, groups"
                                                         ).replace("(1, 2, 4)", "(1, 2, 3)"),
        "another epsilon": GROUP.replace("variance + epsilon", "variance + 1e-3"),
        "no gamma": GROUP.replace("gamma * ", ""),
        "not reshaped": GROUP.replace(".reshape(x.shape) + beta", "").replace("gamma * ", ""),
        "Keras's own layer": """
def group_norm(x, gamma, beta, groups, epsilon=1e-3):
    norm = layers.GroupNormalization(groups, epsilon=epsilon)
    norm.build(x.shape)
    norm.set_weights([gamma, beta])
    return keras.ops.convert_to_numpy(keras.ops.stop_gradient(norm(x)))
""",
        "a tensor": GROUP.replace("return ", "return keras.ops.convert_to_tensor(").replace(" + beta", " + beta)"),
        "left open": "def group_norm(*given):\n    pass"})

MENDED = """
def mended(base, classes):
    base.trainable = False
    inputs = keras.Input(base.input_shape[1:])
    x = layers.GlobalAveragePooling2D()(base(inputs))
    return keras.Model(inputs, layers.Dense(classes, activation="softmax")(x))
"""
MEND = Answers(
    right=[
        MENDED,
        MENDED.replace("base(inputs)", "base(inputs, training=False)"),
        """
def mended(base, classes):
    for part in base.layers:
        part.trainable = False
    x = layers.GlobalAveragePooling2D()(base.output)
    return keras.Model(base.input, layers.Dense(classes, activation="softmax")(x))
""",
        """
def mended(base, classes):
    base.trainable = False
    head = [layers.GlobalAveragePooling2D(), layers.Dense(classes, activation="softmax")]
    return keras.Sequential([keras.Input(base.input_shape[1:]), base, *head])
"""],
    wrong={
        "inference mode, but all can learn": MENDED.replace("base.trainable = False", "pass").replace(
            "base(inputs)", "base(inputs, training=False)"),
        "convolutions alone": MENDED.replace("    base.trainable = False", """
    for part in base.layers:
        if isinstance(part, layers.Conv2D):
            part.trainable = False"""),
        "convolutions frozen, inference mode": MENDED.replace("    base.trainable = False", """
    for part in base.layers:
        if isinstance(part, layers.Conv2D):
            part.trainable = False""").replace("base(inputs)", "base(inputs, training=False)"),
        "normalizations alone": MENDED.replace("    base.trainable = False", """
    for part in base.layers:
        if isinstance(part, layers.BatchNormalization):
            part.trainable = False"""),
        "gamma and beta switched off, the averages not": MENDED.replace("    base.trainable = False", """
    for part in base.layers:
        for weight in part.trainable_weights:
            weight.trainable = False"""),
        "gamma and beta switched off, no moving": MENDED.replace("    base.trainable = False", """
    for part in base.layers:
        if isinstance(part, layers.BatchNormalization):
            part.momentum = 1.0
        for weight in part.trainable_weights:
            weight.trainable = False"""),
        "a copy whose averages move": MENDED.replace("    base.trainable = False", """
    copy = keras.models.clone_model(base)
    copy.set_weights(base.get_weights())
    base = copy
    for part in base.layers:
        for weight in part.trainable_weights:
            weight.trainable = False"""),
        "a fresh copy of the base": MENDED.replace("    base.trainable", "    base = keras.models.clone_model(base)\n"
                                                   "    base.trainable"),
        "everything frozen": MENDED.replace("return keras.Model(", "net = keras.Model(") + (
            "    net.trainable = False\n    return net\n"),
        "maxima instead of means": MENDED.replace("GlobalAverage", "GlobalMax"),
        "no softmax": MENDED.replace(', activation="softmax"', ""),
        "a class too many": MENDED.replace("Dense(classes", "Dense(classes + 1"),
        "left open": "def mended(base, classes):\n    pass"})

DEEP = """
def without_normalization():
    x = inputs = keras.Input((28, 28, 1))
    for i in range(20):
        x = layers.Conv2D(8, 3, 4 if i == 0 else 1, padding="same", activation="tanh",
                          kernel_initializer="he_normal")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
"""
DESIGN = Answers(
    right=[
        DEEP,
        """
def without_normalization():
    start = keras.initializers.VarianceScaling(1.8)
    x = inputs = keras.Input((28, 28, 1))
    x = layers.AveragePooling2D(4)(x)
    for i in range(21):
        x = layers.Conv2D(12, 3, padding="same", kernel_initializer=start)(x)
        x = layers.Activation("tanh")(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.Flatten()(x)))
""",
        DEEP.replace(', activation="tanh"', "").replace('"he_normal")(x)', '"he_normal")(x)\n        x = keras.ops.tanh(x)'),
        """
def without_normalization():
    x = inputs = keras.Input((28, 28, 1))
    for i in range(20):
        start = keras.initializers.VarianceScaling(2.44)  # twice, and the padding allowed for
        x = layers.Conv2D(16, 3, 4 if i == 0 else 1, padding="same", kernel_initializer=start)(x)
        x = layers.PReLU()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
"""],
    wrong={
        "Glorot's start with ReLU": DEEP.replace('"tanh"', '"relu"').replace("he_normal", "glorot_uniform"),
        "sigmoids": DEEP.replace('"tanh"', '"sigmoid"'),
        "no activations": DEEP.replace(' activation="tanh",', ""),
        "linear activations": DEEP.replace('"tanh"', '"linear"'),
        "nearly linear": DEEP.replace(' activation="tanh",', "").replace(
            '"he_normal")(x)', '"he_normal")(x)\n        x = layers.LeakyReLU(0.95)(x)'),
        "divided by the deviation": DEEP.replace(' activation="tanh",', "").replace(
            '"he_normal")(x)', '"he_normal")(x)\n        x = layers.Lambda(lambda v: v / keras.ops.std(v))(x)'),
        "less the mean": DEEP.replace('"tanh"', "lambda v: keras.ops.tanh(v - keras.ops.mean(v))"),
        "activations in front": DEEP.replace(' activation="tanh",', "").replace(
            "        x = layers.Conv2D(", "        x = layers.Activation('tanh')(x)\n        x = layers.Conv2D("),
        "a small start": DEEP.replace('"he_normal"', 'keras.initializers.RandomNormal(stddev=0.05)'),
        "a start that explodes": DEEP.replace('"he_normal"', 'keras.initializers.VarianceScaling(30.0)'),
        "too shallow": DEEP.replace("range(20)", "range(12)"),
        "batch normalization": DEEP.replace("\n    return", "\n        x = layers.BatchNormalization()(x)\n    return"),
        "shortcuts": DEEP.replace("        x = layers.Conv2D(", "        y = x\n        x = layers.Conv2D(").replace(
            "\n    return", "\n        if i:\n            x = layers.add([x, y])\n    return"),
        "for photographs": DEEP.replace("(28, 28, 1)", "(32, 32, 3)"),
        "left open": "def without_normalization():\n    pass"})

ANSWERS = {"ex1": COMPUTE, "ex2": CHANGE, "ex3": MEND, "ex4": DESIGN}
