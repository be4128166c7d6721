"""The first 5,000 + 1,000 images of MNIST and CIFAR-10, shipped with the package.

    data = sample("cifar10")        # at once, without a network, the same for everybody
    part = data.split()             # part.x_train, part.y_train, part.x_test, …, part.name

The sheets lie in data/sample: lossless pictures of 100 images a row. SHA-256 of pixels and labels
is checked whenever they are read.
"""

import csv
import hashlib
from dataclasses import dataclass, field
from numbers import Integral

import numpy as np

from keras_cases.records import stored_folder

TITLES = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
SHAPES = {"mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
SAMPLE_COUNTS = {"train": 5_000, "test": 1_000}
COLUMNS = 100  # images in a row of a sheet
CLASS_NAMES = {
    "mnist": tuple("0123456789"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
                "truck"),
}
ANEW = "Fetch the folder anew (by git checkout, or by installing keras_cases again)."
STATUSES = ("sample", "official", "clean-1000", "unknown")
HELD_OUT, CLEAN = 5_000, 1_000  # of a "clean-1000" set: training images kept back, clean test images

SHA256 = {  # of pixels and of labels, as uint8 in the order of the set
    "cifar10_train": ("c60be474cc3b1f259ec6533177319e08544ec7e5bae0fb92dff084d381b65826",
                      "0cbafd4dfb25472c7c0d137ea8e7920f0afa3475882651ef6f8825cb39e748fb"),
    "cifar10_test": ("da362006b99671213d1a5d856cab2bedf64d40bad4501630ee60f4ceb2d3ec7f",
                     "636a087e604331a0b9dafc94b6e9ade0c9cec72c4400d12473ccdb3e264474c1"),
    "mnist_train": ("a853ca5da5c224d531837eaa3fe56ac036778bb2fdfad445143b5b7d4ec1c739",
                    "4263f048ea43702387ef1c8494b59e785853c0410e9770600d50f541a6fee264"),
    "mnist_test": ("f8f3c5a608a9f7d4bd5e9d69b90c53932b8b99371d9db26121b42f62f3abcd56",
                   "d14ba0a1a3818edefa35518ed001ece84b7ac0eabe9394551c73928493175d3f"),
}


@dataclass(frozen=True)
class Split:
    """Images to learn from, to choose by and to judge by; no image stands in two parts.

    `name` says how they were chosen, `tested` of which images an accuracy on the test part is.
    x_val and y_val are None unless `Dataset.split` was asked for them.
    """

    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    name: str
    tested: str
    x_val: np.ndarray | None = field(default=None, repr=False)
    y_val: np.ndarray | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Dataset:
    """uint8 images (n, H, W, C) and labels (n,); `source` is a few words for figures and records.

    `status` is one of: "sample"; "official" (the whole set); "clean-1000" (a copy whose test
    images from 1,000 on are JPEG copies); "unknown" (right shapes, other pixels or labels).
    """

    name: str
    x_train: np.ndarray = field(repr=False)
    y_train: np.ndarray = field(repr=False)
    x_test: np.ndarray = field(repr=False)
    y_test: np.ndarray = field(repr=False)
    class_names: tuple
    source: str
    status: str

    def __post_init__(self):
        if self.status not in STATUSES:
            raise ValueError(f"Dataset: status is {self.status!r}, not one of {STATUSES}.")

    def split(self, validation=0):
        """The training and test part, and on request a validation part to search and stop by.

        validation: how many images to take from the end of the training part, 0 for none.
        The test part is the test set; of a "clean-1000" set it is the last 5,000 training images,
        which are then not trained on, and the first 1,000 test images.
        Raises: ValueError where `validation` leaves nothing to train on.
        """
        x, y, x_test, y_test = self.x_train, self.y_train, self.x_test, self.y_test
        tested = f"{_short(len(x_test))} test"
        if self.status == "clean-1000":
            x_test = np.concatenate([x[-HELD_OUT:], x_test[:CLEAN]])
            y_test = np.concatenate([y[-HELD_OUT:], y_test[:CLEAN]])
            x, y = x[:-HELD_OUT], y[:-HELD_OUT]
            tested = f"{_short(HELD_OUT)} held-out + {_short(CLEAN)} test"
        whole = isinstance(validation, Integral) and not isinstance(validation, bool)
        if not whole or not 0 <= validation < len(x):
            raise ValueError(f"split(validation={validation!r}): say how many of the {len(x):,} "
                             "training images; 0 for none.")
        end = len(x) - validation
        parts = [_short(end), f"{_short(validation)} validation", tested]
        name = " / ".join(parts if validation else parts[::2])
        note = {"sample": " (sample)", "unknown": " (unknown copy)"}.get(self.status, "")
        chosen = (x[end:], y[end:]) if validation else (None, None)
        return Split(x[:end], y[:end], x_test, y_test, name + note, tested, *chosen)


def _short(count):
    """5000 → "5k", 4500 → "4.5k", 640 → "640"."""
    return f"{count / 1000:g}k" if count >= 1000 and count % 100 == 0 else str(count)


def sample(name):
    """The first 5,000 training and 1,000 test images of "mnist" or "cifar10", as a `Dataset`.

    Raises: ValueError for another name, or where a sheet is not the one that was shipped;
    FileNotFoundError where it is missing.
    """
    known(name, "sample")
    arrays = []
    for part in SAMPLE_COUNTS:
        images, labels = _sheet(name, part), _labels(name, part)
        if (digest(images), digest(labels)) != SHA256[f"{name}_{part}"]:
            raise ValueError(f"The images or labels of {name}_{part} in {_folder()} are not those "
                             f"that were shipped. {ANEW}")
        arrays += [images, labels]
    source = f"first {' + '.join(f'{n:,}' for n in SAMPLE_COUNTS.values())} images of {TITLES[name]}"
    say_once(name, source)
    return Dataset(name, *arrays, CLASS_NAMES[name], source, "sample")


def _folder():
    return stored_folder() / "sample"


def _sheet(name, part):
    """The images of one sheet, cut apart: (n, H, W, C)."""
    from PIL import Image  # comes with Matplotlib

    height, width, channels = SHAPES[name]
    path = _folder() / f"{name}_{part}.webp"
    try:
        with Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L" if channels == 1 else "RGB"))
        rows = pixels.reshape(-1, height, COLUMNS, width, channels).swapaxes(1, 2)
        return np.ascontiguousarray(rows).reshape(-1, height, width, channels)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing. {ANEW}") from None
    except (OSError, ValueError) as error:  # cut off, another picture, or no right to read it
        raise ValueError(f"{path} cannot be read ({error}). {ANEW}") from error


def _labels(name, part):
    path = _folder() / "labels.csv"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing. {ANEW}")
    with open(path, newline="", encoding="utf-8") as file:
        digits = {(row["set"], row["part"]): row["labels"] for row in csv.DictReader(file)}
    return np.array(list(digits.get((name, part), "")), "uint8")


def known(name, function):
    """ValueError for a set that is not here."""
    if name not in SHAPES:
        raise ValueError(f"{function}({name!r}): there are {sorted(SHAPES)}.")


def digest(array):
    """SHA-256 of an array's bytes, in C order."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


_said = set()


def say_once(name, source):
    """Print where the images of a set come from, once a process."""
    if (name, source) not in _said:
        _said.add((name, source))
        print(f"{name}: {source}")
