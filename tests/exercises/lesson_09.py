"""Lesson 09: answers that its checks take, and answers that they refuse."""

from exercises import Answers

COUNT = "def left(n, dropped, k):\n    return comb(n - dropped, k) / comb(n, k)"
COMPUTE = Answers(
    right=[
        COUNT,
        """
def left(n, dropped, k):
    fraction = 1.0
    for i in range(k):  # the i-th block of the path is none of the dropped
        fraction *= (n - dropped - i) / (n - i)
    return max(fraction, 0)
""",
        """
def left(n, dropped, k):
    from itertools import combinations
    kept = sum(1 for blocks in combinations(range(n), k) if min(blocks, default=n) >= dropped)
    return kept / sum(1 for _ in combinations(range(n), k))
""",
        """
def left(n, dropped, k):
    from fractions import Fraction
    return Fraction(comb(n - dropped, k), comb(n, k))
"""],
    wrong={
        "of all paths": COUNT.replace("comb(n, k)", "2 ** n"),
        "of all paths that are left": COUNT.replace("comb(n, k)", "2 ** (n - dropped)"),
        "half for each block dropped": "def left(n, dropped, k):\n    return 0.5 ** dropped",
        "each block independently": "def left(n, dropped, k):\n    return (1 - dropped / n) ** k",
        "the number, not the fraction": COUNT.replace(" / comb(n, k)", ""),
        "the fraction lost": COUNT.replace("return ", "return 1 - "),
        "in words": 'def left(n, dropped, k):\n    return "a half"',
        "per cent": COUNT.replace("return ", "return 100 * "),
        "the dropped among the taken": "def left(n, dropped, k):\n    return comb(n, k - dropped) / comb(n, k)"
                                       " if k >= dropped else 0",
        "left open": "def left(n, dropped, k):\n    pass"})

VOLUMES = """
def with_volumes(branches, volumes, x):
    for i in range(len(branches)):
        shortcut, F = branches[i](x)
        x = ops.relu(shortcut + volumes[i] * F)
    return x
"""
CHANGE = Answers(
    right=[
        VOLUMES,
        """
def with_volumes(branches, volumes, x):
    for model, volume in zip(branches, volumes):
        parts = model(x)
        x = layers.ReLU()(layers.add([parts[0], parts[1] * volume]))
    return x
""",
        """
def with_volumes(branches, volumes, x):
    if not branches:
        return x
    past, added = branches[0](x)
    return with_volumes(branches[1:], volumes[1:], ops.maximum(past + added * volumes[0], 0))
"""],
    wrong={
        "on the shortcut": VOLUMES.replace("shortcut + volumes[i] * F", "volumes[i] * shortcut + F"),
        "on the sum": VOLUMES.replace("shortcut + volumes[i] * F", "volumes[i] * (shortcut + F)"),
        "no ReLU": VOLUMES.replace("ops.relu(shortcut + volumes[i] * F)", "shortcut + volumes[i] * F"),
        "the ReLU before the sum": VOLUMES.replace("ops.relu(shortcut + volumes[i] * F)",
                                                   "shortcut + ops.relu(volumes[i] * F)"),
        "one volume for all": VOLUMES.replace("volumes[i]", "volumes[0]"),
        "on or off": VOLUMES.replace("volumes[i] * F", "(F if volumes[i] else 0 * F)"),
        "volumes from the back": VOLUMES.replace("volumes[i]", "volumes[-1 - i]"),
        "blends the two": VOLUMES.replace("shortcut + volumes[i]", "(1 - volumes[i]) * shortcut + volumes[i]"),
        "every block reads the image": VOLUMES.replace("branches[i](x)", "branches[i](x)").replace(
            "        x = ops", "        y = ops").replace("return x", "return y"),
        "always four blocks": VOLUMES.replace("range(len(branches))", "range(4)"),
        "a list of all outputs": VOLUMES.replace("for i", "outputs = []\n    for i").replace(
            "    return x", "        outputs.append(x)\n    return outputs"),
        "the block is skipped at 0": """
def with_volumes(branches, volumes, x):
    for both, volume in zip(branches, volumes):
        if volume:
            shortcut, F = both(x)
            x = ops.relu(shortcut + volume * F)
    return x
""",
        "nothing returned": VOLUMES.replace("    return x\n", ""),
        "left open": "def with_volumes(branches, volumes, x):\n    pass"})

MENDED = """
def mended(blocks, x):
    outputs = {}
    for name in blocks:
        order = [other for other in blocks if other != name]
        y = x
        for other in order:
            y = blocks[other](y)
        outputs[name] = y
    return outputs
"""
BUG = """
def mended(blocks, x):
    outputs = {}
    order = list(blocks)
    for name in blocks:
        order.remove(name)
        y = x
        for other in order:
            y = blocks[other](y)
        outputs[name] = y
    return outputs
"""
MEND = Answers(
    right=[
        MENDED,
        """
def mended(blocks, x):
    outputs = {}
    for dropped in blocks:
        y = x
        for name, block in blocks.items():
            if name != dropped:
                y = block(y)
        outputs[dropped] = y
    return outputs
""",
        BUG.replace("        order.remove(name)", "        at = order.index(name)\n        order.remove(name)").replace(
            "        outputs[name] = y", "        outputs[name] = y\n        order.insert(at, name)")],
    wrong={
        "as it was": BUG,
        "put back at the end": BUG.replace("outputs[name] = y", "outputs[name] = y; order.append(name)"),
        "the copy is no copy": BUG.replace("    for name", "    whole = order\n    for name").replace(
            "        order.remove", "        order = whole\n        order.remove"),
        "x is not kept": MENDED.replace("        y = x\n", "").replace("outputs = {}", "outputs = {}\n    y = x"),
        "what stands behind is dropped too": MENDED.replace("        for other in order:\n", """
        for other in blocks:
            if other == name:
                break
"""),
        "only what stands behind": MENDED.replace("if other != name", "if other > name"),
        "nothing is dropped": MENDED.replace(" if other != name", ""),
        "that block alone": MENDED.replace("!= name", "== name"),
        "backwards": MENDED.replace("for other in order:", "for other in order[::-1]:"),
        "the blocks are used up": MENDED.replace("for name in blocks:", "for name in list(blocks):").replace(
            "        outputs[name] = y", "        outputs[name] = y\n        del blocks[name]"),
        "a list": MENDED.replace("outputs = {}", "outputs = []").replace("outputs[name] = y", "outputs.append(y)"),
        "left open": "def mended(blocks, x):\n    pass"})

SHORT = """
def many_short_paths():
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    for _ in range(10):
        y = layers.Conv2D(16, 3, padding="same", activation="relu")(x)
        x = layers.Add()([x, y])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""
DESIGN = Answers(
    right=[
        SHORT,
        """
def many_short_paths():
    x = inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(12, 3, strides=4)(x)
    for _ in range(12):
        y = layers.BatchNormalization()(x)
        y = layers.ReLU()(y)
        x = x + layers.Conv2D(12, 3, padding="same", use_bias=False)(y)
    x = layers.Flatten()(x)
    x = layers.Dense(10)(x)
    return keras.Model(inputs, layers.Softmax()(x))
""",
        """
def many_short_paths():
    x = inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(16, 3, strides=2, padding="same")(x)
    for _ in range(10):
        y = layers.Conv2D(16, 3, padding="same")(x)
        x = x + layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(y))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10, activation="softmax")(x))
"""],
    wrong={
        "ResNet-20": "def many_short_paths():\n    return resnet_cifar(20, width=0.4)",
        "ResNet-32": "def many_short_paths():\n    return resnet_cifar(32, width=0.5)",
        "nine blocks": SHORT.replace("range(10)", "range(9)"),
        "no shortcuts": SHORT.replace("layers.Add()([x, y])", "y"),
        "the sum of a tensor and itself": SHORT.replace("[x, y]", "[y, y]"),
        "F without an activation": SHORT.replace('16, 3, padding="same", activation="relu")(x)',
                                                 '16, 3, padding="same")(x)'),
        "F is a Dense": SHORT.replace('y = layers.Conv2D(16, 3, padding="same", ', "y = layers.Dense(16, "),
        "an activation that is linear": SHORT.replace('"same", activation="relu")(x)\n        x', """\
"same")(x)
        y = layers.LeakyReLU(negative_slope=1)(y)
        x"""),
        "a kernel of zeros": SHORT.replace('"same", activation="relu")(x)\n        x', """\
"same", kernel_initializer="zeros")(x)
        y = layers.ReLU()(y)
        x"""),
        "the ReLU behind the addition": SHORT.replace('"same", activation="relu")(x)\n        x', """\
"same")(x)
        x""").replace("layers.Add()([x, y])", "layers.ReLU()(layers.Add()([x, y]))"),
        "max pooling for an activation": SHORT.replace('"same", activation="relu")(x)\n        x', """\
"same")(x)
        y = layers.MaxPooling2D(3, strides=1, padding="same")(y)
        x"""),
        "two layers in each F": SHORT.replace("        x = layers.Add", """
        y = layers.Conv2D(16, 3, padding="same", activation="relu")(y)
        x = layers.Add"""),
        "too wide": SHORT.replace("(16,", "(32,"),
        "no softmax": SHORT.replace(', activation="softmax"', ""),
        "one convolution, used ten times": SHORT.replace("    for _", """
    conv = layers.Conv2D(16, 3, padding="same", activation="relu")
    for _""").replace('layers.Conv2D(16, 3, padding="same", activation="relu")(x)\n        x', "conv(x)\n        x"),
        "concatenated": SHORT.replace("range(10)", "range(4)").replace("layers.Add()", "layers.Concatenate()"),
        "an image of another size": SHORT.replace("(32, 32, 3)", "(28, 28, 3)"),
        "nothing returned": SHORT.replace("return keras.Model", "keras.Model"),
        "left open": "def many_short_paths():\n    pass"})

ANSWERS = {"ex1": COMPUTE, "ex2": CHANGE, "ex3": MEND, "ex4": DESIGN}
