"""The whole of MNIST or CIFAR-10, for full runs: from a file, or by Keras, checked either way.

    data = load("cifar10")          # prints where the images come from, once

Where it looks, in this order: `mnist.npz` or `cifar10.npz` in the folder $KERAS_CASES_DATA, or,
where that is not set, in data/ of a checkout and in ./data; then Keras's own cache or download.
KERAS_CASES_OFFLINE=1 leaves Keras out; KERAS_CASES_DOWNLOAD_SECONDS limits it (600).
"""

import errno
import os
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np

from keras_cases.data.sample import (CLASS_NAMES, CLEAN, SHA256, SHAPES, TITLES, Dataset, digest,
                                     known, say_once)
from keras_cases.records import stored_folder

KEYS = ("x_train", "y_train", "x_test", "y_test")
COUNTS = {"mnist": (60_000, 10_000), "cifar10": (50_000, 10_000)}
OFFICIAL = {  # SHA-256 of x_train, y_train, x_test and y_test as uint8; None: not known here
    "mnist": ("741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
              "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
              "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
              "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5"),
    "cifar10": ("47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
                "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
                None,
                "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5"),
}
JPEG_TEST = "036b138cee41eb5c9920e669f8cee8c29c34b07e63fa6d7fbfb228eb84753fd3"  # of a known copy


def load(name):
    """The whole data set "mnist" or "cifar10" as a `Dataset`; prints its source the first time.

    A broken file is named and set aside; one that cannot be read, or is another set, is named and
    left alone.
    Raises: ValueError for another name; FileNotFoundError where the set cannot be had, with what
    was tried and where to put the file.
    """
    known(name, "load")
    tried = []  # a sentence for each place that did not give the set
    arrays = _from_files(name, tried) or _from_keras(name, tried)
    if arrays is None:
        places = "\n".join(f"  {sentence}" for sentence in tried)
        raise FileNotFoundError(
            f"The whole of {TITLES[name]} could not be had. Tried:\n{places}\n"
            f"Put {name}.npz (arrays {', '.join(KEYS)}) into {_folders()[0].resolve()}, or set "
            "KERAS_CASES_DATA to the folder that holds it.\n"
            f"Without it, keras_cases.data.sample({name!r}) gives 6,000 of its images at once.")
    status, words = _recognised(name, arrays)
    source = f"{TITLES[name]}, {words}"
    say_once(name, source)
    return Dataset(name, *arrays, CLASS_NAMES[name], source, status)


def _folders():
    asked = os.environ.get("KERAS_CASES_DATA")
    if asked:
        return [Path(asked).expanduser()]
    stored = stored_folder()
    return [Path("data")] if stored.name == "stored" else [stored, Path("data")]


class _Broken(Exception):
    """A file whose bytes are not those of a whole .npz file."""


def _from_files(name, tried):
    for folder in _folders():
        path = folder / f"{name}.npz"
        try:
            with open(path, "rb") as file:
                seen = os.fstat(file.fileno())
                arrays = _read(file)
            return _checked(name, arrays)
        except FileNotFoundError:
            tried.append(f"{path}: not there.")
            continue
        except _Broken as error:
            sentence = f"{path} is broken ({error}); {_set_aside(path, seen)}"
        except (OSError, MemoryError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            sentence = f"{path} cannot be read ({reason}); left as it is."
        except Exception as error:  # a whole file of something else, or what we cannot judge
            sentence = f"{path} is not taken for {TITLES[name]} ({error}); left as it is."
        print(sentence, file=sys.stderr)
        tried.append(sentence)
    return None


def _read(file):
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return tuple(arrays[key] for key in KEYS)
    except (ValueError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the file may be whole: this machine could not read it
        raise _Broken(str(error) or type(error).__name__) from error


def _checked(name, arrays):
    """The arrays as (n, H, W, C) and (n,), uint8; ValueError where they are not the data set's."""
    checked = []
    for x, y, count in zip(arrays[::2], arrays[1::2], COUNTS[name], strict=True):
        shape = (count, *SHAPES[name])
        if x.dtype != np.uint8 or x.shape not in (shape, shape[:-1] if shape[-1] == 1 else shape):
            raise ValueError(f"images are {x.dtype} {x.shape}, not uint8 {shape}")
        if y.dtype.kind not in "iu" or y.size != count or set(np.unique(y)) != set(range(10)):
            raise ValueError(f"labels are not {count:,} whole numbers from 0 to 9")
        checked += [x.reshape(shape), y.reshape(-1).astype("uint8")]
    return tuple(checked)


def _set_aside(path, seen):
    """Rename a broken file to a name that is free; a sentence on what became of it.

    `seen` is the `os.stat` of the file that was read: another one in its place is left alone.
    """
    for number in range(1, 1_000):
        aside = path.with_name(f"{path.name}.broken" + (f"-{number}" if number > 1 else ""))
        try:
            open(aside, "xb").close()  # takes the name, or fails if anything bears it
            break
        except FileExistsError:
            continue
        except OSError as error:
            return f"it could not be set aside ({error.strerror}): delete or replace it."
    else:
        return "delete it, and the older broken files beside it."
    try:
        if os.path.samestat(os.stat(path), seen):
            os.replace(path, aside)
            return f"set aside as {aside.name}: fetch it again."
        reason = "another file has taken its place: try again."
    except FileNotFoundError:
        reason = "another process has set it aside: fetch it again."
    except OSError as error:
        reason = f"it could not be set aside ({error.strerror}): delete or replace it."
    aside.unlink(missing_ok=True)  # the empty file that held the name
    return reason


def _from_keras(name, tried):
    """The set from Keras's cache or download; None, with a sentence in `tried`, where it fails.

    A second Python fetches it: that one can be ended at the time limit, whatever it waits for.
    """
    if os.environ.get("KERAS_CASES_OFFLINE", "0") not in ("", "0"):
        tried.append("Keras was not asked, because KERAS_CASES_OFFLINE is set.")
        return None
    limit = float(os.environ.get("KERAS_CASES_DOWNLOAD_SECONDS", 600))
    print(f"{name}: asking Keras for the whole set, at most {limit:g} s.", file=sys.stderr)
    try:
        subprocess.run(
            [sys.executable, "-c", f"import keras; keras.datasets.{name}.load_data()"],
            timeout=limit, check=True, text=True, stderr=subprocess.PIPE,
            stdout=None if sys.stdout.isatty() else subprocess.DEVNULL)  # Keras's progress bar
        import keras

        (x, y), (x_test, y_test) = getattr(keras.datasets, name).load_data()  # now in its cache
        return _checked(name, (x, y, x_test, y_test))
    except subprocess.TimeoutExpired:
        said = f"not done within {limit:g} s (KERAS_CASES_DOWNLOAD_SECONDS)."
    except subprocess.CalledProcessError as error:
        said = (error.stderr.strip().splitlines() or [f"exit code {error.returncode}"])[-1]
    except (ImportError, OSError, ValueError) as error:
        said = str(error)
    tried.append(f"Keras (its cache, ~/.keras/datasets, or a download): {said}")
    return None


def _recognised(name, arrays):
    """(status, words) by SHA-256 of images and labels."""
    same = [wanted in (None, digest(array))
            for array, wanted in zip(arrays, OFFICIAL[name], strict=True)]
    if not all(same):
        other = ", ".join(key for key, ok in zip(KEYS, same, strict=True) if not ok)
        return "unknown", f"a copy whose {other} are not the official ones"
    if name == "cifar10":
        x_test = arrays[2]
        if digest(x_test) == JPEG_TEST:
            return "clean-1000", "of whose test images those from 1,000 on are JPEG copies"
        if digest(x_test[:CLEAN]) != SHA256["cifar10_test"][0]:
            return "unknown", "a copy whose x_test are not the official ones"
    unchecked = f" (test images from {CLEAN:,} on unchecked)" if name == "cifar10" else ""
    return "official", f"all {COUNTS[name][0]:,} + {COUNTS[name][1]:,} images{unchecked}"
