"""What the rows of data/claims.csv are computed with; the functions lie beside this, by lesson.

Each is registered for its rows by `@claim("0-016", ...)`, gets the row's id, returns the figure.
"""

import keras
import numpy as np

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
