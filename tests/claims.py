"""What the rows of data/claims.csv are computed with; the functions are in claims_*.py, by lesson.

Each is registered for its rows by `@claim("0-016", ...)`, gets the row's id, returns the figure.
"""

import contextlib

import keras
import numpy as np
import pytest
from keras import ops

from keras_cases import graph

COMPUTE = {}
NORMAL = np.random.default_rng(0).normal(size=(8, 6, 6, 4)).astype("float32")


def claim(*ids):
    """Registers a function as the one that computes these rows; it gets the id."""
    def register(function):
        assert not COMPUTE.keys() & set(ids), f"{ids}: another function computes one of these"
        COMPUTE.update({row: function for row in ids})
        return function
    return register


def block(make, *shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, make(inputs))


def has_kernel(operation):
    return any(w.name == "kernel" for w in getattr(operation, "weights", ()))


def longest_path(model, counts=has_kernel):
    """How many operations that count, layers with a kernel, are on the longest way through."""
    depth = {}
    for node in graph.walk(model):
        before = max((depth[id(t)] for t in node.inputs), default=0)
        depth.update({id(t): before + counts(node.operation) for t in node.outputs})
    return max(depth.values())


@contextlib.contextmanager
def zero_weights():
    """Nets built inside start as zeros: faster, where only the graph is read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.initializers.VarianceScaling, "__call__",
                      lambda self, shape, dtype=None, **_: ops.zeros(shape, dtype))
        yield
