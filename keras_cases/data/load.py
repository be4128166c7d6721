"""MNIST and CIFAR-10, from a local file, from Keras, or drawn by us, and always saying which.

    data = load("cifar10")          # prints where the images come from, once
    part = data.split()             # part.x_train, …, part.x_held_out, …, part.name

Where `load` looks, in this order: `mnist.npz` or `cifar10.npz` in the folder `$KERAS_CASES_DATA`,
or in `data/` here; Keras's own cache or download; a stand-in (see stand_in.py). Environment:
KERAS_CASES_OFFLINE=1 never downloads; KERAS_CASES_DOWNLOAD_SECONDS limits one download (600).
"""

import functools
import hashlib
import os
import socket
import sys
import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from keras_cases.data import stand_in

SHAPES = {"mnist": (28, 28), "cifar10": (32, 32, 3)}
COUNTS = {"mnist": (60_000, 10_000), "cifar10": (50_000, 10_000)}
CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                "truck"),
}
# SHA-256 of pixel bytes. CIFAR-10's official test set is known here by its first 1,000 images.
OFFICIAL = {
    "mnist_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "mnist_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "cifar10_train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "cifar10_test_1000": "da362006b99671213d1a5d856cab2bedf64d40bad4501630ee60f4ceb2d3ec7f",
}
JPEG_TEST = "036b138cee41eb5c9920e669f8cee8c29c34b07e63fa6d7fbfb228eb84753fd3"  # of the work copy


@dataclass(frozen=True)
class Split:
    """Images to train on and images to judge by; `name` says how they were chosen."""

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_held_out: np.ndarray = field(repr=False)
    y_held_out: np.ndarray = field(repr=False)
    name: str


@dataclass(frozen=True)
class Dataset:
    """uint8 images (n, H, W, C) and labels (n,); `source` says where they come from."""

    name: str
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    class_names: tuple
    source: str

    @property
    def is_real(self):
        """False for the stand-in, whose results must never stand beside real ones unmarked."""
        return not self.source.startswith("stand-in")

    def split(self):
        """The standard train/test split, or for the JPEG work copy one of clean images only."""
        if "JPEG" not in self.source:
            name = f"{len(self.x_train) // 1000}k / {len(self.x_test) // 1000}k test"
            return Split(self.x_train, self.y_train, self.x_test, self.y_test, name)
        return Split(self.x_train[:45_000], self.y_train[:45_000],
                     np.concatenate([self.x_train[45_000:], self.x_test[:1_000]]),
                     np.concatenate([self.y_train[45_000:], self.y_test[:1_000]]),
                     "45k / 5k held-out + 1k test")


_said, _unreachable = set(), set()  # so that a process prints once and waits for a network once


def load(name):
    """The data set "mnist" or "cifar10" as a `Dataset`; prints its source the first time.

    Raises: ValueError for another name.
    """
    if name not in SHAPES:
        raise ValueError(f"load({name!r}): there are {sorted(SHAPES)}.")
    arrays, source = _from_file(name) or _from_keras(name) or _drawn(name)
    x_train, y_train, x_test, y_test = arrays
    if x_train.ndim == 3:
        x_train, x_test = x_train[..., None], x_test[..., None]
    shapes_drawn = source.startswith("stand-in") and name == "cifar10"
    if (name, source) not in _said:
        _said.add((name, source))
        print(f"{name}: {source}")
    return Dataset(name, x_train, y_train, x_test, y_test,
                   stand_in.SHAPE_NAMES if shapes_drawn else CLASS_NAMES[name], source)


def _from_file(name):
    folder = os.environ.get("KERAS_CASES_DATA")
    folder = Path(folder) if folder else Path(__file__).resolve().parent.parent.parent / "data"
    path = folder / f"{name}.npz"
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = tuple(file[key] for key in ("x_train", "y_train", "x_test", "y_test"))
        arrays = _checked(name, arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        aside = path.with_name(f"{path.name}.broken")
        path.replace(aside)
        print(f"{path} is broken ({error}); kept aside as {aside.name}. "
              "Fetch it again, or delete it to stop this message.", file=sys.stderr)
        return None
    return arrays, _recognised(name, arrays)


def _checked(name, arrays):
    """The arrays, labels flat; ValueError where a shape, a type or a label is not the data set's."""
    x_train, y_train, x_test, y_test = arrays
    for x, y, count in ((x_train, y_train, COUNTS[name][0]), (x_test, y_test, COUNTS[name][1])):
        if x.shape != (count, *SHAPES[name]) or x.dtype != np.uint8:
            raise ValueError(f"images are {x.dtype} {x.shape}, not uint8 {(count, *SHAPES[name])}")
        if y.size != count or set(np.unique(y)) != set(range(10)):
            raise ValueError(f"labels are not {count} numbers from 0 to 9")
    return x_train, y_train.reshape(-1).astype("uint8"), x_test, y_test.reshape(-1).astype("uint8")


def _recognised(name, arrays):
    def digest(x):
        return hashlib.sha256(np.ascontiguousarray(x).data).hexdigest()

    x_train, _, x_test, _ = arrays
    if digest(x_train) != OFFICIAL[f"{name}_train"]:
        return "a copy whose pixels are not the official ones"
    if name == "mnist":
        same = digest(x_test) == OFFICIAL["mnist_test"]
    else:
        if digest(x_test) == JPEG_TEST:
            return "official training images; test images from 1,000 on are JPEG copies"
        same = digest(x_test[:1000]) == OFFICIAL["cifar10_test_1000"]
    return "official copy" if same else "official training images; other test images"


def _from_keras(name):
    if os.environ.get("KERAS_CASES_OFFLINE", "0") not in ("", "0") or name in _unreachable:
        return None
    limit = float(os.environ.get("KERAS_CASES_DOWNLOAD_SECONDS", 600))
    result = {}

    def fetch():
        try:
            import keras  # shows a progress bar
            (x, y), (x_test, y_test) = getattr(keras.datasets, name).load_data()
            result["arrays"] = _checked(name, (x, y, x_test, y_test))
        except Exception as error:  # no network, a proxy's page, a half file: all end in the stand-in
            result["error"] = error

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(min(10, limit))  # seconds without an answer
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    thread.join(limit)
    socket.setdefaulttimeout(before)
    if "arrays" in result:
        return result["arrays"], _recognised(name, result["arrays"])
    _unreachable.add(name)
    print(f"{name} could not be had from Keras ({result.get('error', f'over {limit:.0f} s')}). To "
          f"use the real images put {name}.npz into data/ or set KERAS_CASES_DATA to its folder.",
          file=sys.stderr)
    return None


@functools.cache
def _drawn(name):
    train, test = (stand_in.draw(name, count, seed) for seed, count in enumerate(COUNTS[name]))
    return (*train, *test), "stand-in drawn by keras_cases (not the real images)"
