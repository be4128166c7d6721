"""Where the images come from, in which order, and what happens to a file that is broken."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from keras_cases import data, stand_in


@pytest.fixture
def offline(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_CASES_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_CASES_OFFLINE", "1")
    data._said.clear()
    return tmp_path


def has_real_images():
    folder = os.environ.get("KERAS_CASES_DATA")
    return bool(folder) and os.path.exists(os.path.join(folder, "cifar10.npz"))


@pytest.mark.parametrize("name, shape", [("mnist", (28, 28, 1)), ("cifar10", (32, 32, 3))])
def test_the_stand_in_has_the_shapes_and_types_of_the_real_set(offline, name, shape, capsys):
    found = data.load(name)
    assert found.x_train.shape == (data.COUNTS[name][0], *shape)
    assert found.x_test.shape == (data.COUNTS[name][1], *shape)
    assert found.x_train.dtype == found.y_train.dtype == np.uint8
    assert set(np.bincount(found.y_train)) == {data.COUNTS[name][0] // 10}
    assert not found.is_real and "stand-in" in capsys.readouterr().out


def test_the_source_is_printed_once(offline, capsys):
    data.load("mnist")
    data.load("mnist")
    assert capsys.readouterr().out.count("mnist:") == 1


def test_the_stand_in_is_the_same_every_time_and_its_test_images_are_others():
    first, labels = stand_in.draw("cifar10", 300, seed=0)
    again, _ = stand_in.draw("cifar10", 300, seed=0)
    other, _ = stand_in.draw("cifar10", 300, seed=1)
    assert (first == again).all() and (first != other).any(axis=(1, 2, 3)).all()
    assert set(labels) == set(range(10))


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
def test_the_stand_in_is_learnable_but_not_by_its_mean_images(name):
    x, y = stand_in.draw(name, 3000, seed=0)
    x_test, y_test = stand_in.draw(name, 1000, seed=1)
    x, x_test = (a.reshape(len(a), -1).astype("float32") / 255 for a in (x, x_test))
    means = np.stack([x[y == c].mean(0) for c in range(10)])
    nearest = ((x_test[:, None] - means) ** 2).sum(-1).argmin(1)
    assert 0.05 < (nearest == y_test).mean() < 0.7


def save(folder, name, **change):
    (x, y), (x_test, y_test) = (stand_in.draw(name, 100, seed) for seed in (0, 1))
    arrays = dict(x_train=np.resize(x, (data.COUNTS[name][0], *x.shape[1:])),
                  y_train=np.resize(y, data.COUNTS[name][0]),
                  x_test=np.resize(x_test, (data.COUNTS[name][1], *x.shape[1:])),
                  y_test=np.resize(y_test, data.COUNTS[name][1])) | change
    np.savez(folder / f"{name}.npz", **arrays)


def test_a_file_with_other_pixels_is_used_and_called_not_official(offline):
    save(offline, "mnist")
    assert data.load("mnist").source == "a copy whose pixels are not the official ones"


BROKEN = {
    "half of the file": lambda f: (save(f, "mnist"), os.truncate(f / "mnist.npz", 10_000)),
    "an empty file": lambda f: (f / "mnist.npz").write_bytes(b""),
    "a web page": lambda f: (f / "mnist.npz").write_text("<html>not found</html>"),
    "a wrong shape": lambda f: save(f, "mnist", x_test=np.zeros((10_000, 28, 27), "uint8")),
    "floats": lambda f: save(f, "mnist", x_test=np.zeros((10_000, 28, 28), "float32")),
    "labels to 10": lambda f: save(f, "mnist", y_test=np.arange(10_000) % 11),
    "pickled objects": lambda f: save(f, "mnist", y_test=np.array([None] * 10_000)),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_named_and_kept_aside_and_not_used(offline, how, capsys):
    BROKEN[how](offline)
    assert not data.load("mnist").is_real
    assert (offline / "mnist.npz.broken").exists() and not (offline / "mnist.npz").exists()
    assert "mnist.npz is broken" in capsys.readouterr().err


def test_another_name_is_refused():
    with pytest.raises(ValueError, match="cifar100.*cifar10.*mnist"):
        data.load("cifar100")


def test_a_dead_network_costs_seconds_and_ends_in_the_stand_in(tmp_path):
    """A proxy that takes the connection and never answers, as a captive network does."""
    import socket
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        environment = os.environ | {
            "https_proxy": proxy, "http_proxy": proxy, "HTTPS_PROXY": proxy, "no_proxy": "",
            "KERAS_HOME": str(tmp_path), "KERAS_CASES_DATA": str(tmp_path),
            "KERAS_CASES_OFFLINE": "0", "KERAS_CASES_DOWNLOAD_SECONDS": "4"}
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", "from keras_cases.data import load; print(load('mnist').is_real)"],
            env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("False\n"), done.stderr
    assert time.monotonic() - started < 45  # of which importing Keras takes most
    assert "put mnist.npz into data/" in done.stderr


@pytest.mark.skipif(not has_real_images(), reason="KERAS_CASES_DATA holds no cifar10.npz")
def test_the_real_images_are_recognised_and_split_honestly():
    found = data.load("cifar10")
    assert found.is_real and found.x_train.shape == (50_000, 32, 32, 3)
    part = found.split()
    if "JPEG" in found.source:
        assert part.name == "45k / 5k held-out + 1k test"
        assert len(part.x_train) == 45_000 and len(part.x_held_out) == 6_000
        assert (part.x_held_out[5_000:] == found.x_test[:1_000]).all()
    assert data.load("mnist").source == "official copy"
