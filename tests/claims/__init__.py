"""What the rows of data/claims.csv are computed with; the functions lie beside this, by lesson.

Each is registered for its rows by `@claim("0-016", ...)`, gets the row's id, and returns the figure.
Where the lecture states words ("falls", "several") it returns (figure, whether the words hold): True,
False, or NO_BENEFIT; a comparison of numbers made there, never a constant. `gain` makes it of seeds.
"""

import keras
import numpy as np

COMPUTE = {}
NO_BENEFIT = "measured: no benefit seen"
NORMAL = np.random.default_rng(0).normal(size=(8, 6, 6, 4)).astype("float32")


def claim(*ids):
    """Registers a function as the one that computes these rows; it gets the id."""
    def register(function):
        assert not COMPUTE.keys() & set(ids), f"{ids}: another function computes one of these"
        COMPUTE.update({row: function for row in ids})
        return function
    return register


def gain(without, with_it):
    """Of two lists of figures, one a seed: True where all with it are above all without it, False
    where all are below, and NO_BENEFIT where the seeds overlap."""
    if min(with_it) > max(without):
        return True
    return False if max(with_it) < min(without) else NO_BENEFIT


def block(make, *shape):
    inputs = keras.Input(shape)
    return keras.Model(inputs, make(inputs))
