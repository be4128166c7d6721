"""The outputs of every row of test_blocks on one backend, weights and inputs drawn by NumPy.

    KERAS_BACKEND=jax python tests/backends.py FILE.npz

test_backends runs this once per backend and compares the files.
"""

import sys

import keras
import numpy as np
from test_blocks import ROWS, batch, build, name_of, outputs, random_weights


def main(path):
    # every weight is drawn anew below, so start from zeros, which costs no compilation on JAX
    keras.initializers.VarianceScaling.__call__ = (
        lambda self, shape, dtype=None, **_: np.zeros(shape, dtype))
    found = {"backend": np.array(keras.backend.backend())}
    for i, row in enumerate(ROWS):
        model = build(row)
        random_weights(model)
        # JAX compiles a whole block at once in predict, else each operation by itself: 3 times slower
        compute = model.predict_on_batch if keras.backend.backend() == "jax" else (
            lambda x, model=model: outputs(model, x))
        found[f"{i:03} {name_of(row)}"] = compute(batch(row))
    np.savez(path, **found)


if __name__ == "__main__":
    main(sys.argv[1])
