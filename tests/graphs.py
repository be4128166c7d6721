"""What several tests ask of a whole net, of which only the graph matters."""

import contextlib

import keras
import pytest
from keras import ops

from keras_cases.analysis import graph


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
