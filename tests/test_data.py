"""The images: the shipped sample, the parts of a split, and whole sets found, refused or broken."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from keras_cases import data
from keras_cases.data import load, sample  # the functions
from keras_cases.records import stored_folder

loading, sampling = sys.modules["keras_cases.data.load"], sys.modules["keras_cases.data.sample"]
NAMES = ("mnist", "cifar10")


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


def test_the_wheel_carries_the_sample():
    pyproject = Path(__file__).resolve().parent.parent / "pyproject.toml"
    assert '"data/sample" = "keras_cases/stored/sample"' in pyproject.read_text()


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
    "a bare array": a_bare_array,
    "no test labels": saved_with(y_test=None),
    "a wrong shape": saved_with(x_test=np.zeros((100, 28, 27), "uint8")),
    "too few images": saved_with(x_train=np.zeros((599, 28, 28), "uint8")),
    "float images": saved_with(x_test=np.zeros((100, 28, 28), "float32")),
    "float labels": saved_with(y_test=np.arange(100) % 10 + 0.0),
    "labels to 10": saved_with(y_test=np.arange(100) % 11),
    "labels below 0": saved_with(y_test=np.arange(100) % 11 - 1),
    "one label too few": saved_with(y_test=np.arange(99) % 10),
    "pickled objects": saved_with(y_test=np.array([None] * 100)),
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
    def read(file):
        (folder / "mnist.npz").rename(folder / "elsewhere")
        raise ValueError("half")

    (folder / "mnist.npz").write_text("half")
    monkeypatch.setattr(loading, "_read", read)
    assert "another process has set it aside" in refused()
    assert [p.name for p in folder.iterdir()] == ["elsewhere"]


def test_a_whole_file_that_took_the_place_of_a_broken_one_is_left_there(folder, monkeypatch):
    def read(file):  # a download beside us ends at this moment
        os.replace(folder / "whole.npz", folder / "mnist.npz")
        raise ValueError("half")

    save(folder, "whole", drawn("mnist"))
    (folder / "mnist.npz").write_text("half")
    with monkeypatch.context() as patch:
        patch.setattr(loading, "_read", read)
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


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), MemoryError()])
def test_a_file_that_this_machine_cannot_read_now_is_left(folder, monkeypatch, error):
    def read(file):
        raise error

    save(folder, "mnist", drawn("mnist"))
    monkeypatch.setattr(loading, "_read", read)
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
            "import os, sys, time\nfrom types import SimpleNamespace\n"
            "import numpy as np\n\n"
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
    give = (f"a = list(np.load({str(folder / 'kept.npz')!r}).values()); "
            "return (a[0], a[1]), (a[2], a[3])")
    keras_that(give)
    assert load("mnist").status == "official"
    keras_that(give.replace("a[3])", "np.roll(a[3], 1))"))
    assert load("mnist").status == "unknown"


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
    assert 2.4 < time.monotonic() - started < 8
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
