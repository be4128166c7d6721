"""The arrows between modules run one way: read from the source, nothing imported."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "keras_cases"
FILES = sorted(PACKAGE.rglob("*.py"))

# what each module may import beside the standard library; a folder stands for its files
MAY = {
    "__init__": set(),
    "blocks": {"keras"},
    "nets": {"keras", "numpy", "blocks"},
    "loss_weights": {"keras"},
    "data": {"keras", "numpy", "PIL", "records"},
    "training": {"keras", "numpy", "loss_weights"},
    "records": {"keras", "numpy"},
    "cases": {"nets", "data", "training"},
    "plan": {"cases", "records"},
    "train": {"keras", "training", "cases", "records", "plan"},
    "analysis": {"keras", "numpy", "matplotlib", "tensorflow", "jax", "torch"},
    "plots": {"numpy", "matplotlib"},
    "nas": {"keras", "numpy", "data", "training", "records"},
}


def home(path):
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports(path):
    """Every module named in an import, with keras_cases' own by their first name in the package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield parts[1] if parts[0] == "keras_cases" else parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows_run_one_way(path):
    own = home(path)
    assert own in MAY, f"{path.name} has no place in the house; give it one here and in the README"
    foreign = {name for name in imports(path)
               if name not in sys.stdlib_module_names and name != own}
    assert foreign <= MAY[own], f"{path.name} imports {sorted(foreign - MAY[own])}"


def test_the_table_of_arrows_has_no_circle():
    done = set()
    waiting = {name: may & set(MAY) for name, may in MAY.items()}
    while waiting:
        free = [name for name, needs in waiting.items() if needs <= done]
        assert free, f"a circle among {sorted(waiting)}"
        done.update(free)
        for name in free:
            del waiting[name]


def test_every_room_of_the_table_is_there():
    assert set(MAY) == {home(path) for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_gradients_asks_which_backend_runs(path):
    words = path.read_text(encoding="utf-8")
    if path.name not in ("gradients.py", "records.py", "loop.py"):  # two write its name in a record
        assert "backend.backend()" not in words and "tensorflow as tf" not in words
    assert "import tensorflow" not in words or path.name == "gradients.py"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_fits_on_a_few_screens(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 350


def test_importing_the_package_is_instant_and_loads_neither_keras_nor_matplotlib():
    code = ("import sys, time; t = time.perf_counter(); import keras_cases; "
            "s = time.perf_counter() - t; heavy = {'keras', 'matplotlib', 'numpy', 'tensorflow'} "
            "& set(sys.modules); print(s < 0.1, sorted(heavy))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "True []\n", done.stdout + done.stderr


def test_every_name_the_package_offers_is_there():
    import keras_cases
    for name in keras_cases.__all__:
        assert callable(getattr(keras_cases, name))
    with pytest.raises(AttributeError, match="it offers"):
        keras_cases.res_block_v3
