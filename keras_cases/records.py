"""What was measured here and what others published; the one place that knows where files lie.

    published("resnet20", "CIFAR-10 error")[0].value     8.75, from data/published.csv
    results("resnet20-*")                                our own runs, from data/results
    weights_file(record)                                 and their weights, where stored
    over_seeds("07_resnet_v1", "what", measure)          one seed measured now, two read

Several sources may state one quantity, and not agree; the file keeps them all.
"""

import csv
import json
import os
import platform
from pathlib import Path
from typing import NamedTuple

import numpy as np

SCALE = {"": 1, "%": 1, "k": 1e3, "M": 1e6, "G": 1e9}


class Figure(NamedTuple):
    """One stated figure. `net` is the name of our builder where we have one."""

    net: str
    quantity: str  # "parameters", "MACs", "layers", "top-1", "CIFAR-10 error", …
    value: float   # as stated, in `unit`: "", "%", "k", "M" (million) or "G" (billion)
    unit: str
    source: str

    @property
    def amount(self):
        """The value without its unit: 138 M is 138,000,000; per cent stay per cent."""
        return self.value * SCALE[self.unit]

    def __str__(self):
        unit = self.unit and f" {self.unit}"
        return f"{self.net}: {self.quantity} {self.value:,.10g}{unit} ({self.source})"


def published(net=None, quantity=None):
    """The stated figures of one net, of one quantity, of both or of all: a list of `Figure`.

    Raises: ValueError for a net or a quantity of which nothing is known, with what is.
    """
    figures = _read()
    nets, quantities = {f.net for f in figures}, {f.quantity for f in figures}
    for wanted, known in ((net, nets), (quantity, quantities)):
        if wanted is not None and wanted not in known:
            raise ValueError(f"Nothing is published here on {wanted!r}; there is {sorted(known)}.")
    return [f for f in figures if net in (None, f.net) and quantity in (None, f.quantity)]


def stored_folder():
    """Where figures, records and weights lie: in the installed package, or data/ of a checkout."""
    package = Path(__file__).resolve().parent
    return package / "stored" if (package / "stored").exists() else package.parent / "data"


def _read():
    with open(stored_folder() / "published.csv", newline="", encoding="utf-8") as file:
        return [Figure(row["net"], row["quantity"], float(row["value"]), row["unit"], row["source"])
                for row in csv.DictReader(file)]


def results(pattern="*"):
    """The stored records whose file names match, for example "resnet20-*": a list of dicts.

    They lie in data/results of a checkout, or in the installed package. Weights, where stored:
    `weights_file(record)`. Raises: ValueError where nothing matches.
    """
    files = sorted((stored_folder() / "results").glob(f"{pattern}.json"))
    if not files:
        raise ValueError(f"No stored record is called {pattern!r}; see {stored_folder() / 'results'}.")
    return [json.loads(file.read_text()) | {"file": file.stem} for file in files]


def weights_file(record):
    """The path of a stored record's weights, for `model.load_weights`."""
    return stored_folder() / "weights" / f"{record['file']}.weights.h5"


def over_seeds(lesson, what, measure, seed=0, seeds=3, again=False):
    """What `measure(seed)` gives for several seeds: an array (seeds, ...), the one measured now first.

    A lesson that shows a range need not measure all of it while the student waits: `seed` is
    measured now, or none where it is None; the others of 0 … seeds - 1 are read from
    data/measured/LESSON.json. Where `seed` itself is stored there and differs by more than 5 %,
    something was changed: that is said, and it is given alone, as an array (1, ...). With
    `again=True` all are measured and stored first. Raises: ValueError where nothing is stored
    under `what`.
    """
    file = stored_folder() / "measured" / f"{lesson}.json"
    stored = json.loads(file.read_text()) if file.exists() else {}
    if again:
        stored |= {"machine": machine(), what: [_rounded(measure(each)) for each in range(seeds)]}
        lines = [f"{json.dumps(key)}: {json.dumps(values)}" for key, values in stored.items()]
        file.parent.mkdir(exist_ok=True)
        file.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    if what not in stored:
        raise ValueError(f"{file} holds nothing on {what!r}; measure it with again=True.")
    if seed is None:
        return np.array(stored[what])
    now, others = np.array(measure(seed)), dict(enumerate(stored[what]))
    twin = np.array(others.pop(seed, now))
    if now.shape != twin.shape or np.linalg.norm(now - twin) > 0.05 * (1 + np.linalg.norm(twin)):
        print(f"{what}: seed {seed} is not what is stored, so it is shown alone; to measure the "
              "others as well, pass again=True.")
        return now[None]
    return np.array([now, *[*others.values()][:seeds - 1]])


def _rounded(values):
    return np.vectorize(lambda value: float(f"{value:.5g}"))(values).tolist()


def machine():
    """Backend, versions and hardware of this process."""
    import keras

    backend = keras.backend.backend()
    module = __import__(backend)
    accelerators = []
    if backend == "tensorflow":
        accelerators = [d.name for d in module.config.list_physical_devices("GPU")]
    elif backend == "jax":
        accelerators = [d.device_kind for d in module.devices() if d.platform != "cpu"]
    elif backend == "torch" and module.cuda.is_available():
        accelerators = [module.cuda.get_device_name(0)]
    return {"backend": backend, backend: module.__version__, "keras": keras.__version__,
            "numpy": np.__version__, "python": platform.python_version(),
            "processor": platform.machine(), "cores": os.cpu_count(), "accelerators": accelerators}
