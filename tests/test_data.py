"""The shipped sample, and the parts of a split."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_cases import data
from keras_cases.data import load, sample  # the functions
from keras_cases.records import stored_folder

sampling = sys.modules["keras_cases.data.sample"]


# ---- the sample ---------------------------------------------------------------------------------

FIRST_LABELS = {("mnist", "train"): [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
                ("mnist", "test"): [7, 2, 1, 0, 4, 1, 4, 9, 5, 9],
                ("cifar10", "train"): [6, 9, 9, 4, 1, 1, 2, 7, 8, 3],
                ("cifar10", "test"): [3, 8, 8, 0, 6, 6, 1, 6, 3, 1]}


@pytest.mark.parametrize("name, shape", [("mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))])
def test_the_sample_has_the_shapes_types_and_first_labels_of_the_real_set(name, shape):
    found = sample(name)
    assert found.x_train.shape == (5000, *shape) and found.x_test.shape == (1000, *shape)
    assert found.y_train.shape == (5000,) and found.y_test.shape == (1000,)
    assert {a.dtype for a in (found.x_train, found.y_train, found.x_test, found.y_test)} == {
        np.dtype("uint8")}
    assert found.y_train[:10].tolist() == FIRST_LABELS[name, "train"]
    assert found.y_test[:10].tolist() == FIRST_LABELS[name, "test"]
    assert len(found.class_names) == 10 and found.status == "sample"
    assert "first 5,000 + 1,000 images" in found.source


def test_the_first_images_are_what_they_are_labelled():
    """By eye once, in numbers here: MNIST's second digit is a ring, CIFAR's first test image a cat."""
    zero = sample("mnist").x_train[1, ..., 0]
    assert zero[14, 14] == 0 and zero[14, :14].max() > 200 and zero[14, 15:].max() > 200
    assert sample("cifar10").x_test[0, 0, 0].tolist() == [158, 112, 49]


@pytest.fixture
def own_sample(tmp_path, monkeypatch):
    """A copy of the shipped folder that a test may damage."""
    shutil.copytree(stored_folder() / "sample", tmp_path / "sample")
    monkeypatch.setattr(sampling, "stored_folder", lambda: tmp_path)
    return tmp_path / "sample"


def rolled_labels(folder):
    rows = (folder / "labels.csv").read_text().splitlines()
    at = [row.startswith("mnist,train,") for row in rows].index(True)
    start, labels = rows[at].rsplit(",", 1)
    rows[at] = f"{start},{labels[1:]}{labels[0]}"
    (folder / "labels.csv").write_text("\n".join(rows))


def one_other_pixel(folder):
    from PIL import Image
    with Image.open(folder / "mnist_train.webp") as picture:
        pixels = np.array(picture.convert("L"))
    pixels[700, 700] ^= 1
    Image.fromarray(pixels).save(folder / "mnist_train.webp", "png", compress_level=1)


DAMAGE = {
    "labels rolled by one": (rolled_labels, ValueError, "not those that were shipped"),
    "one pixel by one": (one_other_pixel, ValueError, "not those that were shipped"),
    "labels gone": (lambda f: (f / "labels.csv").unlink(), FileNotFoundError, "labels.csv is missing"),
    "no labels": (lambda f: (f / "labels.csv").write_text(""), ValueError, "not those that were"),
    "sheet gone": (lambda f: (f / "mnist_test.webp").unlink(), FileNotFoundError, "is missing"),
    "sheet cut off": (lambda f: os.truncate(f / "mnist_test.webp", 9_999), ValueError, "cannot be read"),
    "a pointer for a sheet": (lambda f: (f / "mnist_test.webp").write_text("version 1"), ValueError,
                              "cannot be read"),
    "the other set's sheet": (lambda f: shutil.copy(f / "cifar10_test.webp", f / "mnist_test.webp"),
                              ValueError, "cannot be read"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_sample_is_refused_with_what_to_do(own_sample, how):
    damage, kind, words = DAMAGE[how]
    sample("mnist")  # whole before
    damage(own_sample)
    with pytest.raises(kind, match=words) as caught:
        sample("mnist")
    assert "git checkout" in str(caught.value)


def test_the_sample_needs_no_keras_no_matplotlib_and_no_network():
    """And says its source once."""
    code = ("import socket, sys; socket.socket = None\n"
            "from keras_cases import data\n"
            "data.sample('mnist'); data.sample('mnist'); data.sample('cifar10')\n"
            "assert not {'keras', 'matplotlib', 'tensorflow'} & set(sys.modules)\n")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("mnist: first 5,000 + 1,000 images of MNIST\n"
                           "cifar10: first 5,000 + 1,000 images of CIFAR-10\n")


@pytest.mark.parametrize("folder", ["sample", "results", "weights", "measured"])
def test_the_wheel_carries_what_lessons_read(folder):
    pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
    assert f'"data/{folder}" = "keras_cases/stored/{folder}"' in pyproject.read_text()


@pytest.mark.parametrize("function", [sample, load])
def test_another_name_is_refused(function):
    with pytest.raises(ValueError, match="cifar100.*cifar10.*mnist"):
        function("cifar100")


# ---- the parts of a split, on tagged images: image and label are both the image's number -----------

def tagged(status):
    train, test = np.arange(50_000), np.arange(50_000, 60_000)
    return data.Dataset("cifar10", train.reshape(-1, 1, 1, 1), train, test.reshape(-1, 1, 1, 1), test,
                        (), "numbers", status)


def numbers(*ranges):
    return np.concatenate([np.arange(*r) for r in ranges])


SPLITS = [  # status, validation → the numbers of each part, name, tested
    ("official", 0, (0, 50_000), None, [(50_000, 60_000)], "50k / 10k test", "10k test"),
    ("official", 5_000, (0, 45_000), (45_000, 50_000), [(50_000, 60_000)],
     "45k / 5k validation / 10k test", "10k test"),
    ("clean-1000", 0, (0, 45_000), None, [(45_000, 50_000), (50_000, 51_000)],
     "45k / 5k held-out + 1k test", "5k held-out + 1k test"),
    ("clean-1000", 5_000, (0, 40_000), (40_000, 45_000), [(45_000, 50_000), (50_000, 51_000)],
     "40k / 5k validation / 5k held-out + 1k test", "5k held-out + 1k test"),
    ("unknown", 640, (0, 49_360), (49_360, 50_000), [(50_000, 60_000)],
     "49360 / 640 validation / 10k test (unknown copy)", "10k test"),
]


@pytest.mark.parametrize("status, validation, train, val, test, name, tested", SPLITS)
def test_a_split_holds_out_what_it_says(status, validation, train, val, test, name, tested):
    part = tagged(status).split(validation)
    assert np.array_equal(part.y_train, numbers(train))
    assert np.array_equal(part.y_test, numbers(*test))
    assert (part.y_val is None) if val is None else np.array_equal(part.y_val, numbers(val))
    assert (part.name, part.tested) == (name, tested)


@pytest.mark.parametrize("status", ["sample", "official", "clean-1000", "unknown"])
@pytest.mark.parametrize("validation", [0, 1, 5_000])
def test_parts_are_disjoint_and_labels_follow_their_images(status, validation):
    part = tagged(status).split(validation)
    pairs = [(part.x_train, part.y_train), (part.x_test, part.y_test)]
    if validation:
        assert len(part.x_val) == validation
        pairs.append((part.x_val, part.y_val))
    for x, y in pairs:
        assert np.array_equal(x.ravel(), y) and len(y)
    together = np.concatenate([y for _, y in pairs])
    assert len(np.unique(together)) == len(together)


def test_the_sample_is_split_into_what_was_shipped():
    found = sample("mnist")
    part = found.split(validation=500)
    assert (part.name, part.tested) == ("4.5k / 500 validation / 1k test (sample)", "1k test")
    assert np.array_equal(np.concatenate([part.x_train, part.x_val]), found.x_train)
    assert np.array_equal(np.concatenate([part.y_train, part.y_val]), found.y_train)
    assert np.array_equal(part.x_test, found.x_test) and np.array_equal(part.y_test, found.y_test)
    assert found.split().name == "5k / 1k test (sample)"


@pytest.mark.parametrize("validation", [-1, 50_000, 0.1, True, None, "5k"])
def test_a_validation_part_that_cannot_be_is_refused(validation):
    with pytest.raises(ValueError, match="how many of the 50,000"):
        tagged("official").split(validation)


def test_a_status_is_one_of_four_words():
    with pytest.raises(ValueError, match="clean-1000"):
        tagged("JPEG")
