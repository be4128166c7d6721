"""A space of cells that is small enough to be trained whole.

    0 ──┬─► 1 ──┬─► 2 ──┬─► 3        every node hands on to every later one: six edges;
        ├──────────►│   │            a node is the sum of what its edges bring
        └──────────────►│

On each edge is one of three operations, so there are 3**6 = 729 cells to write down. A *code* is six
letters, an operation for each of EDGES: "csncnc". Many codes stand for the same net: a sum does not
ask for its order, and what leads nowhere is no part of it. `canonical` folds them: 98 nets are left.

The form, nodes that are sums and operations on edges, is that of NAS-Bench-201 (Dong, Yang 2020,
arXiv:2001.00326), which has two operations more and 15,625 codes.
"""

import collections
import functools
import itertools

import keras
from keras import layers

EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))  # (from node, to node)
OPERATIONS = {"n": "none", "s": "skip", "c": "conv 3×3"}  # conv: ReLU, 3×3, batch normalization


def codes():
    """All 729 codes, in alphabetical order."""
    return ["".join(letters) for letters in itertools.product(sorted(OPERATIONS), repeat=len(EDGES))]


def decode(code):
    """{(0, 1): "conv 3×3", …}: the operation on each edge. Raises: ValueError for no code."""
    if len(code) != len(EDGES) or set(code) - set(OPERATIONS):
        raise ValueError(f"{code!r} is no code: write {len(EDGES)} letters out of "
                         f"{''.join(OPERATIONS)}, one for each edge of {EDGES}.")
    return {edge: OPERATIONS[letter] for edge, letter in zip(EDGES, code)}


def encode(operations):
    """The code of {(0, 1): "conv 3×3", …}; an edge that is not named has none."""
    letters = {operation: letter for letter, operation in OPERATIONS.items()}
    return "".join(letters[operations.get(edge, "none")] for edge in EDGES)


@functools.cache
def canonical(code):
    """The plainest code of the same net: most edges "none", then the first in the alphabet.

    None where nothing reaches node 3.
    """
    return _plainest()[_form(code)]


def different():
    """{canonical code: all codes of that net}, for every net that lets something through."""
    found = collections.defaultdict(list)
    for code in codes():
        if canonical(code):
            found[canonical(code)].append(code)
    return dict(found)


@functools.cache
def _plainest():
    found = {}
    for code in sorted(codes(), key=lambda code: (-code.count("n"), code)):
        found.setdefault(_form(code), code)
    return found | {(): None}


def _form(code):
    """What the cell computes, the names of its convolutions apart; () if nothing reaches node 3.

    The sum at a node is a bag of terms: the cell's input, called -1, and convolutions, called by
    their edges. A skip hands the whole bag on. Then the convolutions that count get numbers, in
    every order, and the order that gives the smallest tuple is the form.
    """
    bags = collections.defaultdict(collections.Counter, {0: collections.Counter([-1])})
    reads = {}
    for (i, j), operation in decode(code).items():
        if operation == "skip":
            bags[j] += bags[i]
        elif operation != "none" and bags[i]:
            reads[i, j] = bags[i]
            bags[j] += collections.Counter([(i, j)])
    used, waiting = [], [*bags[3]]
    while waiting:
        term = waiting.pop()
        if term in reads and term not in used:
            used.append(term)
            waiting.extend(reads[term])
    if not bags[3]:
        return ()

    def written(bag, order):
        return tuple(sorted((-1 if term == -1 else order.index(term), n) for term, n in bag.items()))

    return min((written(bags[3], order), *[written(reads[term], order) for term in order])
               for order in itertools.permutations(used))


# Moves

def draw(rng):
    """A code, all 729 equally likely. rng: a numpy.random.Generator, here and below."""
    return "".join(rng.choice(sorted(OPERATIONS), len(EDGES)))


def mutate(code, rng):
    """The code with another operation on one edge: that may add a skip, or take one away."""
    edge = rng.integers(len(EDGES))
    others = sorted(set(OPERATIONS) - {code[edge]})
    return code[:edge] + str(rng.choice(others)) + code[edge + 1:]


def cross(mother, father, rng, points=1):
    """A child that has the mother's letters up to a random point, then the father's, then … .

    points: how often it changes sides, from 1 to 5. Raises: ValueError for other numbers.
    """
    if not 1 <= points < len(EDGES):
        raise ValueError(f"points={points}: a code of {len(EDGES)} letters has 1 to "
                         f"{len(EDGES) - 1} places to change sides.")
    cuts = sorted(1 + rng.choice(len(EDGES) - 1, points, replace=False))
    child, parents = "", (mother, father)
    for side, (start, end) in enumerate(itertools.pairwise([0, *cuts, len(EDGES)])):
        child += parents[side % 2][start:end]
    return child


# The net

def cell(x, code, name=None):
    """One cell: (batch, H, W, C) → the same. Raises: ValueError where nothing reaches node 3."""
    nodes, filters = {0: [x]}, x.shape[-1]
    for (i, j), operation in decode(code).items():
        if operation == "none" or not nodes.get(i):
            continue
        y = nodes[i][0] if len(nodes[i]) == 1 else layers.Add()(nodes[i])
        nodes[i] = [y]  # a sum is made once
        if operation != "skip":
            y = layers.Activation("relu")(y)
            y = layers.Conv2D(filters, 3, padding="same", use_bias=False,
                              kernel_initializer="he_normal")(y)
            y = layers.BatchNormalization(momentum=0.9)(y)
        nodes.setdefault(j, []).append(y)
    if not nodes.get(3):
        raise ValueError(f"{code}: no path leads from node 0 to node 3; nothing would be learned.")
    if len(nodes[3]) > 1:
        return layers.Add(name=name)(nodes[3])
    return layers.Identity(name=name)(nodes[3][0])


def network(code, input_shape=(32, 32, 3), classes=10, width=12):
    """The net of three such cells: a stem of stride 2, cells at H/2, H/4 and H/8, a dense layer.

    The channels double where the maps are halved: width, 2·width, 4·width. Outputs: softmax
    probabilities (batch, classes). Names: "stem", "cell1" to "cell3", "predictions".
    """
    inputs = keras.Input(input_shape)
    x, filters = inputs, width
    for stage in (1, 2, 3):
        if stage > 1:
            x = layers.Activation("relu")(x)
        x = layers.Conv2D(filters, 3, strides=2, padding="same", use_bias=False,
                          kernel_initializer="he_normal")(x)
        x = layers.BatchNormalization(momentum=0.9, name="stem" if stage == 1 else None)(x)
        x = cell(x, code, name=f"cell{stage}")
        filters *= 2
    x = layers.Activation("relu")(x)
    x = layers.GlobalAveragePooling2D()(x)
    outputs = layers.Dense(classes, activation="softmax", name="predictions")(x)
    return keras.Model(inputs, outputs, name=f"cell_{code}")
