"""Whole sets: found, recognised, broken, unreadable, raced for, or not to be had."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from keras_cases.data import load, sample  # the functions

loading, sampling = sys.modules["keras_cases.data.load"], sys.modules["keras_cases.data.sample"]
NAMES = ("mnist", "cifar10")


# ---- whole sets, small: 600 + 100 images made known in place of the official ones -----------------

CLEAN = 20


def drawn(name, seed=0):
    """x_train, y_train, x_test, y_test of noise, as Keras gives them."""
    rng = np.random.default_rng(seed)
    shape = {"mnist": (28, 28), "cifar10": (32, 32, 3)}[name]
    column = (-1, 1) if name == "cifar10" else -1
    return [array for count in (600, 100) for array in (
        rng.integers(0, 256, (count, *shape), "uint8"),
        rng.permutation(np.arange(count, dtype="uint8") % 10).reshape(column))]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Where load() looks, offline; `drawn` is what it knows as official."""
    monkeypatch.setenv("KERAS_CASES_DATA", str(tmp_path))
    monkeypatch.setenv("KERAS_CASES_OFFLINE", "1")
    monkeypatch.setattr(loading, "COUNTS", dict.fromkeys(NAMES, (600, 100)))
    monkeypatch.setattr(loading, "CLEAN", CLEAN)
    known = {name: [sampling.digest(a) for a in drawn(name)] for name in NAMES}
    known["cifar10"][2] = None
    monkeypatch.setattr(loading, "OFFICIAL", known)
    monkeypatch.setattr(loading, "SHA256", {
        "cifar10_test": (sampling.digest(drawn("cifar10")[2][:CLEAN]), "")})
    monkeypatch.setattr(loading, "JPEG_TEST", sampling.digest(jpeg_copy()[2]))
    monkeypatch.setattr(sampling, "_said", set())
    return tmp_path


def jpeg_copy():
    arrays = drawn("cifar10")
    arrays[2][CLEAN:] //= 2
    return arrays


def save(folder, name, arrays):
    np.savez(folder / f"{name}.npz", **dict(zip(loading.KEYS, arrays, strict=True)))


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_the_official_arrays_is_official(folder, name, capsys):
    save(folder, name, drawn(name))
    found = load(name)
    load(name)
    assert found.status == "official" and found.name == name
    for got, wanted in zip((found.x_train, found.y_train, found.x_test, found.y_test), drawn(name),
                           strict=True):
        assert got.dtype == np.uint8 and np.array_equal(got.ravel(), wanted.ravel())
    assert found.x_train.ndim == 4 and found.y_train.ndim == 1
    assert capsys.readouterr().out == f"{name}: {found.source}\n"  # once


def test_the_work_copy_is_known_by_its_test_images(folder):
    save(folder, "cifar10", jpeg_copy())
    found = load("cifar10")
    assert found.status == "clean-1000" and "JPEG" in found.source


CHANGES = {
    "rolled": lambda a: np.roll(a, 1, axis=0),
    "shuffled": lambda a: np.random.default_rng(1).permutation(a),
    "one value": lambda a: np.concatenate([a[:1] ^ 1, a[1:]]),
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("key", loading.KEYS)
@pytest.mark.parametrize("name", NAMES)
def test_other_pixels_or_labels_never_pass_as_official(folder, name, key, how):
    arrays, at = drawn(name), loading.KEYS.index(key)
    arrays[at] = CHANGES[how](arrays[at])
    save(folder, name, arrays)
    found = load(name)
    assert found.status == "unknown" and key in found.source
    assert "unknown" in found.split().name


def saved_with(**change):
    arrays = dict(zip(loading.KEYS, drawn("mnist"), strict=True)) | change
    return lambda f: np.savez(f / "mnist.npz", **{k: v for k, v in arrays.items() if v is not None})


def half_of_the_file(folder):
    save(folder, "mnist", drawn("mnist"))
    os.truncate(folder / "mnist.npz", 200_000)


def one_byte_flipped(folder):
    np.savez_compressed(folder / "mnist.npz", **dict(zip(loading.KEYS, drawn("mnist"), strict=True)))
    content = bytearray((folder / "mnist.npz").read_bytes())
    content[100_000] ^= 255
    (folder / "mnist.npz").write_bytes(content)


def a_bare_array(folder):
    with open(folder / "mnist.npz", "wb") as file:
        np.save(file, np.zeros(3))


BROKEN = {
    "half of the file": half_of_the_file,
    "one byte flipped": one_byte_flipped,
    "an empty file": lambda f: (f / "mnist.npz").write_bytes(b""),
    "a web page": lambda f: (f / "mnist.npz").write_text("<html>not found</html>"),
    "pickled objects": saved_with(y_test=np.array([None] * 100)),
}
OTHER = {
    "a bare array": a_bare_array,
    "no test labels": saved_with(y_test=None),
    "a wrong shape": saved_with(x_test=np.zeros((100, 28, 27), "uint8")),
    "too few images": saved_with(x_train=np.zeros((599, 28, 28), "uint8")),
    "float images": saved_with(x_test=np.zeros((100, 28, 28), "float32")),
    "float labels": saved_with(y_test=np.arange(100) % 10 + 0.0),
    "labels to 10": saved_with(y_test=np.arange(100) % 11),
    "labels below 0": saved_with(y_test=np.arange(100) % 11 - 1),
    "one label too few": saved_with(y_test=np.arange(99) % 10),
}


def refused(name="mnist"):
    """The text of the one error that load() may end in; it always says what helps."""
    with pytest.raises(FileNotFoundError) as caught:
        load(name)
    assert f"data.sample('{name}')" in str(caught.value) and "KERAS_CASES_DATA" in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_file_is_named_set_aside_and_not_used(folder, how, capsys):
    BROKEN[how](folder)
    content = (folder / "mnist.npz").read_bytes()
    said = refused()
    assert f"{folder / 'mnist.npz'} is broken (" in said and "set aside as mnist.npz.broken:" in said
    assert "mnist.npz is broken" in capsys.readouterr().err
    assert [p.name for p in folder.iterdir()] == ["mnist.npz.broken"]
    assert (folder / "mnist.npz.broken").read_bytes() == content


@pytest.mark.parametrize("how", OTHER)
def test_a_whole_file_of_something_else_is_named_and_left_and_not_used(folder, how, capsys):
    OTHER[how](folder)
    said = refused()
    assert f"{folder / 'mnist.npz'} is not taken for MNIST (" in said and "left as it is" in said
    assert "is not taken for MNIST" in capsys.readouterr().err
    assert [p.name for p in folder.iterdir()] == ["mnist.npz"]


def test_an_older_broken_file_or_folder_is_never_overwritten(folder):
    (folder / "mnist.npz.broken").write_text("older")
    (folder / "mnist.npz.broken-2").mkdir()
    (folder / "mnist.npz.broken-2" / "mine").write_text("mine")
    (folder / "mnist.npz").write_text("newer")
    assert "set aside as mnist.npz.broken-3" in refused()
    assert (folder / "mnist.npz.broken").read_text() == "older"
    assert (folder / "mnist.npz.broken-2" / "mine").read_text() == "mine"
    assert (folder / "mnist.npz.broken-3").read_text() == "newer"


def test_a_file_that_another_process_set_aside_meanwhile_is_no_bare_error(folder, monkeypatch):
    def read(file, **_):
        (folder / "mnist.npz").rename(folder / "elsewhere")
        raise ValueError("half")

    (folder / "mnist.npz").write_text("half")
    monkeypatch.setattr(np, "load", read)
    assert "another process has set it aside" in refused()
    assert [p.name for p in folder.iterdir()] == ["elsewhere"]


def test_a_whole_file_that_took_the_place_of_a_broken_one_is_left_there(folder, monkeypatch):
    def read(file, **_):  # a download beside us ends at this moment
        os.replace(folder / "whole.npz", folder / "mnist.npz")
        raise ValueError("half")

    save(folder, "whole", drawn("mnist"))
    (folder / "mnist.npz").write_text("half")
    with monkeypatch.context() as patch:
        patch.setattr(np, "load", read)
        assert "another file has taken its place: try again" in refused()
    assert [p.name for p in folder.iterdir()] == ["mnist.npz"]
    assert load("mnist").status == "official"


def test_processes_on_one_broken_file_all_end_in_the_clear_error(tmp_path):
    (tmp_path / "mnist.npz").write_text("half")
    code = ("import pathlib, sys, time\nfrom keras_cases import data\n"
            "pathlib.Path(sys.argv[1], sys.argv[2]).touch()\n"
            "while not pathlib.Path(sys.argv[1], 'go').exists(): pass\n"
            "data.load('mnist')")
    ready = tmp_path / "ready"
    ready.mkdir()
    environment = os.environ | {"KERAS_CASES_DATA": str(tmp_path), "KERAS_CASES_OFFLINE": "1"}
    running = [subprocess.Popen([sys.executable, "-c", code, str(ready), str(i)], env=environment,
                                stderr=subprocess.PIPE, text=True) for i in range(4)]
    deadline = time.monotonic() + 60
    while len(list(ready.iterdir())) < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    (ready / "go").touch()
    said = [process.communicate(timeout=60)[1] for process in running]
    assert all("FileNotFoundError: The whole of MNIST could not be had" in text for text in said), said
    assert (tmp_path / "mnist.npz.broken").read_text() == "half"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mnist.npz.broken", "ready"]


@pytest.fixture
def as_anybody(folder, monkeypatch):
    """A folder outside root's own, and root's rights laid down: root may read and write all."""
    if os.name == "nt":
        pytest.skip("other rights")
    save(folder, "mnist", drawn("mnist"))
    load("mnist")  # whatever Python imports for it, while the rights are there
    with tempfile.TemporaryDirectory() as place:
        monkeypatch.setenv("KERAS_CASES_DATA", place)
        root = os.geteuid() == 0
        if root:
            os.chown(place, 65534, -1)
            os.seteuid(65534)
        yield Path(place)
        if root:
            os.seteuid(0)
        os.chmod(place, 0o777)


def test_a_file_without_the_right_to_read_is_named_and_left(as_anybody):
    save(as_anybody, "mnist", drawn("mnist"))
    os.chmod(as_anybody / "mnist.npz", 0)
    said = refused()
    assert "mnist.npz cannot be read (Permission denied); left as it is" in said
    assert [p.name for p in as_anybody.iterdir()] == ["mnist.npz"]


def test_a_broken_file_in_a_folder_without_the_right_to_write_is_named_and_left(as_anybody):
    (as_anybody / "mnist.npz").write_text("half")
    os.chmod(as_anybody, 0o555)
    said = refused()
    assert "is broken" in said and "could not be set aside (Permission denied)" in said
    assert [p.name for p in as_anybody.iterdir()] == ["mnist.npz"]


def test_a_whole_file_in_a_folder_without_the_right_to_write_is_used(as_anybody):
    save(as_anybody, "mnist", drawn("mnist"))
    os.chmod(as_anybody, 0o555)
    assert load("mnist").status == "official"


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError(),
                                   LookupError("unknown encoding")])
def test_a_file_that_this_machine_cannot_read_now_is_left(folder, monkeypatch, error):
    def read(file, **_):
        raise error

    save(folder, "mnist", drawn("mnist"))
    monkeypatch.setattr(np, "load", read)
    assert "left as it is" in refused()
    assert [p.name for p in folder.iterdir()] == ["mnist.npz"]


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("nowhere")])
def test_a_folder_or_a_dead_link_in_the_place_of_the_file_is_no_bare_error(folder, make):
    make(folder / "mnist.npz")
    assert "mnist.npz" in refused()
    assert (folder / "mnist.npz").is_symlink() or (folder / "mnist.npz").is_dir()


def test_a_folder_that_is_a_file_is_no_bare_error(folder, monkeypatch):
    (folder / "file").touch()
    monkeypatch.setenv("KERAS_CASES_DATA", str(folder / "file"))
    assert "Not a directory" in refused()


def test_the_error_says_what_was_tried_and_where_the_file_belongs(folder, monkeypatch):
    monkeypatch.delenv("KERAS_CASES_DATA")
    monkeypatch.setattr(loading, "stored_folder", lambda: folder / "data")
    monkeypatch.chdir(folder)
    said = refused("cifar10")
    assert f"{folder / 'data' / 'cifar10.npz'}: not there" in said
    assert "KERAS_CASES_OFFLINE is set" in said and f"into {folder / 'data'}, or set" in said


def test_an_installed_package_looks_beside_the_reader_and_not_in_itself(folder, monkeypatch):
    monkeypatch.delenv("KERAS_CASES_DATA")
    monkeypatch.setattr(loading, "stored_folder", lambda: folder / "site" / "stored")
    monkeypatch.chdir(folder)
    assert f"into {folder / 'data'}, or set" in refused()
    (folder / "data").mkdir()
    save(folder / "data", "mnist", drawn("mnist"))
    assert load("mnist").status == "official"


# ---- Keras's cache or download: a small module in Keras's place, in this and the second process ----

@pytest.fixture
def keras_that(folder, monkeypatch):
    """keras_that(body): Keras whose mnist.load_data() does `body`, in a process of its own."""
    def put(body):
        (folder / "own").mkdir(exist_ok=True)
        (folder / "own" / "keras.py").write_text(
            "from types import SimpleNamespace\n\n"
            f"def load_data():\n    {body}\n\n"
            "datasets = SimpleNamespace(mnist=SimpleNamespace(load_data=load_data))\n")
        monkeypatch.syspath_prepend(folder / "own")
        monkeypatch.setenv("PYTHONPATH", str(folder / "own"))
        monkeypatch.setenv("KERAS_CASES_OFFLINE", "0")
        monkeypatch.delitem(sys.modules, "keras", raising=False)

    before = sys.modules.get("keras")
    yield put
    sys.modules.pop("keras", None)
    if before is not None:
        sys.modules["keras"] = before


def test_a_set_that_keras_has_is_used_and_checked_too(folder, keras_that):
    np.savez(folder / "kept.npz", *drawn("mnist"))
    give = (f"import numpy as np; a = list(np.load({str(folder / 'kept.npz')!r}).values()); "
            "return (a[0], a[1]), (a[2], a[3])")
    keras_that(give)
    found = load("mnist")
    assert found.status == "official" and found.x_train.shape == (600, 28, 28, 1)
    keras_that(give.replace("a[3])", "np.roll(a[3], 1))"))
    assert load("mnist").status == "unknown"
    keras_that(give.replace("a[3])", "a[3] + 1)"))
    assert "labels are not 100 whole numbers from 0 to 9" in refused()


def test_a_failed_download_is_told_in_kerass_words(keras_that):
    keras_that("raise Exception('URL fetch failure on https://example.org: None -- unreachable')")
    said = refused()
    assert "Keras" in said and "URL fetch failure on https://example.org" in said


def test_keras_is_not_asked_offline(folder, keras_that, monkeypatch):
    keras_that(f"open({str(folder / 'asked')!r}, 'w')")
    monkeypatch.setenv("KERAS_CASES_OFFLINE", "1")
    refused()
    assert not (folder / "asked").exists()


@pytest.fixture
def silent_proxy(monkeypatch):
    """A proxy that takes connections and never answers, as a captive network does; who came."""
    came = []
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        thread = threading.Thread(target=lambda: came.append(silent.accept()), daemon=True)
        thread.start()
        proxy = f"http://127.0.0.1:{silent.getsockname()[1]}"
        for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield came
        if came:
            came[0][0].close()


def test_a_dead_network_ends_within_the_limit_in_the_clear_error(keras_that, silent_proxy, monkeypatch):
    keras_that("from urllib.request import urlretrieve; urlretrieve('http://example.org/mnist.npz')")
    monkeypatch.setenv("KERAS_CASES_DOWNLOAD_SECONDS", "2.5")
    started = time.monotonic()
    assert "not done within 2.5 s" in refused()
    assert 2.4 < time.monotonic() - started < 20
    assert silent_proxy, "nobody asked the proxy"


@pytest.mark.slow
def test_keras_itself_behind_a_dead_network(folder, silent_proxy, monkeypatch):
    monkeypatch.setenv("KERAS_CASES_OFFLINE", "0")
    monkeypatch.setenv("KERAS_HOME", str(folder))
    monkeypatch.setenv("KERAS_CASES_DOWNLOAD_SECONDS", "40")
    assert "not done within 40 s" in refused()
    assert silent_proxy, "nobody asked the proxy"


# ---- the real whole sets, where they are ------------------------------------------------------------

def has(name):
    return (Path(os.environ.get("KERAS_CASES_DATA") or ".no") / f"{name}.npz").exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_is_the_beginning_of_the_real_set(name):
    if not has(name):
        pytest.skip(f"KERAS_CASES_DATA holds no {name}.npz")
    whole, first = load(name), sample(name)
    assert whole.status in ("official", "clean-1000")
    assert np.array_equal(whole.x_train[:5000], first.x_train)
    assert np.array_equal(whole.y_train[:5000], first.y_train)
    assert np.array_equal(whole.x_test[:1000], first.x_test)
    assert np.array_equal(whole.y_test[:1000], first.y_test)
    arrays = [whole.x_train, whole.y_train, whole.x_test, whole.y_test]
    for at in (1, 3):
        hostile = [np.roll(a, 1) if i == at else a for i, a in enumerate(arrays)]
        assert loading._recognised(name, hostile)[0] == "unknown"
