"""The state of a training run in one file, written whole or not at all.

A killed run continues from here and ends bitwise equal to one that was not killed: weights, BN
statistics, the optimizer's momentum and step, and the history so far. Everything random is drawn
anew each epoch from (seed, epoch), so no random state needs saving.
"""

import json
import os
import sys
from pathlib import Path

import keras
import numpy as np


def state(model):
    """All that training changes, as a list of arrays in a fixed order."""
    return [np.array(keras.ops.convert_to_numpy(v)) for v in _variables(model)]


def restore(model, arrays):
    """Puts a `state` back. Raises: ValueError where the arrays are another model's."""
    variables = _variables(model)
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        raise ValueError("The saved state belongs to another model; delete it to start anew.")
    for variable, array in zip(variables, arrays):
        variable.assign(array)


def _variables(model):
    """Without the seeds, which are set at the start of each epoch."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    own = [v for v in model.variables if "seed_generator_state" not in v.path]
    mine = {id(v) for v in own}
    return own + [v for v in model.optimizer.variables if id(v) not in mine]


def save(path, arrays, history, identity):
    """Writes to a temporary name first, so a kill leaves the old file or the new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
    meta = json.dumps({"history": history, "identity": identity})
    np.savez(part, meta=np.array(meta), **{f"a{i:05}": a for i, a in enumerate(arrays)})
    os.replace(part, path)


def load(path, identity):
    """(arrays, history) of the run `identity`, or None where there is nothing to continue.

    A file that cannot be read is kept aside and named. Raises: ValueError where the file is of
    another run, naming what differs.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            meta = json.loads(str(file["meta"]))
            arrays = [file[key] for key in sorted(file.files) if key != "meta"]
        found, history = dict(meta["identity"]), dict(meta["history"])
    except PermissionError:
        raise  # not broken: somebody has to be asked
    except Exception as error:  # a damaged zip fails in many ways; none of them is worth a run
        aside = path.with_name(f"{path.stem}.{os.getpid()}.broken")
        path.replace(aside)
        print(f"{path} is broken ({error!r}); kept aside as {aside.name}, starting anew.",
              file=sys.stderr)
        return None
    identity = json.loads(json.dumps(identity))
    other = sorted(k for k in {*found, *identity} if found.get(k) != identity.get(k))
    if other:
        told = "; ".join(f"{k}: {found.get(k)} there, {identity.get(k)} here" for k in other)
        raise ValueError(f"{path} is of another run ({told}). Delete it or choose another folder.")
    return arrays, history
