"""TensorFlow, JAX and PyTorch compute the same blocks: same weights, same input, same output.

Each backend runs in a process of its own (backends.py), and each is compared with the first one that
is installed. One that is not installed is skipped, unless the environment variable
KERAS_CASES_BACKENDS ("tensorflow,jax,torch", as in CI) names it.
"""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
BACKENDS = ("tensorflow", "jax", "torch")
REQUIRED = [name for name in os.environ.get("KERAS_CASES_BACKENDS", "").split(",") if name]
INSTALLED = [name for name in BACKENDS if importlib.util.find_spec(name)]
TOLERANCE = 1e-4
pytestmark = pytest.mark.xdist_group("backends")


def apart(a, b):
    """The largest difference, as a share of the largest value where that is above 1."""
    return np.abs(a - b).max() / max(1.0, np.abs(b).max())


@pytest.fixture(scope="module")
def computed(tmp_path_factory):
    """{backend: {row: output}} of every installed backend, each from its own process."""
    folder = tmp_path_factory.mktemp("backends")
    path = os.pathsep.join([str(HERE.parent), os.environ.get("PYTHONPATH", "")])
    running = {name: subprocess.Popen(
        [sys.executable, HERE / "backends.py", folder / f"{name}.npz"],
        env={**os.environ, "KERAS_BACKEND": name, "PYTHONPATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for name in INSTALLED}
    for name, process in running.items():
        said = process.communicate()[0]
        assert process.returncode == 0, f"{name}: {said[-2000:]}"
    return {name: dict(np.load(folder / f"{name}.npz")) for name in INSTALLED}


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name != INSTALLED[0]])
def test_every_block_computes_what_the_first_backend_does(backend, computed):
    if backend not in INSTALLED:
        assert backend not in REQUIRED, f"{backend} is to be tested here, but not installed"
        pytest.skip(f"{backend} is not installed: pip install 'keras_cases[{backend}]'")
    found, reference = dict(computed[backend]), dict(computed[INSTALLED[0]])
    assert (found.pop("backend"), reference.pop("backend")) == (backend, INSTALLED[0])
    assert found.keys() == reference.keys() and len(found) > 50
    differences = {row: apart(found[row], reference[row]) for row in found}
    assert {row: gap for row, gap in differences.items() if not gap <= TOLERANCE} == {}


def test_outputs_depend_on_the_weights_and_the_image(computed):
    """Else equal outputs would prove nothing: no row is the same for all images and pixels."""
    for row, output in computed[INSTALLED[0]].items():
        if row != "backend" and output[0].size > 1:
            assert output.std() > 100 * TOLERANCE, f"{row} gives the same number everywhere"


def test_the_backends_that_have_to_be_here_are_here():
    assert set(REQUIRED) <= set(INSTALLED), f"{REQUIRED} are to be tested, {INSTALLED} installed"
    assert set(REQUIRED) <= set(BACKENDS), f"KERAS_CASES_BACKENDS names another than {BACKENDS}"


def test_a_small_difference_would_be_noticed():
    output = np.linspace(-3, 3, 7)
    assert apart(output, output) == 0
    assert apart(output + 4e-4, output) > TOLERANCE > apart(output + 2e-4, output)
    assert not apart(np.array([np.nan]), np.array([1.0])) <= TOLERANCE
