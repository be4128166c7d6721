"""What every notebook must be, read from its file; that it runs is nbval's to say.

And the kit itself: the guard against notebooks that would pass without a comparison.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def cells(path, kind=None):
    found = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [c for c in found if kind in (None, c["cell_type"])]


def tags(cell):
    return cell["metadata"].get("tags", [])


def source(cell):
    return "".join(cell["source"])


@each
def test_it_opens_with_a_question_setup_and_parameters(path):
    first = source(cells(path)[0])
    assert first.splitlines()[0].startswith("# ") and "?" in first.splitlines()[0]
    assert re.search(r"minutes?\b", first) and "colab" in first.lower()
    assert [t for c in cells(path)[1:3] for t in tags(c) if t in ("setup", "parameters")] == \
        ["setup", "parameters"]


@each
def test_every_code_cell_was_executed_in_order_without_errors(path):
    code = cells(path, "code")
    assert [c["execution_count"] for c in code] == list(range(1, len(code) + 1))
    assert not [o for c in code for o in c["outputs"] if o["output_type"] == "error"]
    assert not [o for c in code for o in c["outputs"] if o.get("name") == "stderr"]
    assert [o for c in code for o in c["outputs"] if "image/png" in o.get("data", {})], "no figures"


@each
def test_it_is_small_and_compares_more_than_it_ignores(path):
    code = cells(path, "code")
    assert path.stat().st_size < 1_000_000
    ignored = [c for c in code if "nbval-ignore-output" in tags(c)]
    assert len(ignored) <= len(code) / 2
    for cell in ignored:  # what is not compared must at least assert
        assert "assert" in source(cell) or "show()" in source(cell) or "setup" in tags(cell), \
            source(cell)[:200]


@each
def test_a_lesson_is_one_sitting_long_and_its_cells_are_short(path):
    code = cells(path, "code")
    assert len(code) <= 44      # about 40, of which a check cell for each exercise
    for cell in code:
        if "setup" not in tags(cell) and "nbgrader" not in cell["metadata"]:
            assert len(source(cell).splitlines()) <= 15, source(cell)[:200]


@each
def test_nothing_in_it_depends_on_which_data_is_there(path):
    """Every live cell uses the sample, which is the same for everybody."""
    for cell in cells(path):
        assert not re.search(r"\bis_real\b|stand[-_]in", source(cell)), source(cell)[:200]


@each
def test_exercises_can_be_released_and_graded(path):
    code = cells(path, "code")
    solutions = [c for c in code if c["metadata"].get("nbgrader", {}).get("solution")]
    checks = [c for c in code if c["metadata"].get("nbgrader", {}).get("grade")]
    assert 3 <= len(solutions) <= 5 and len(checks) == len(solutions)
    for cell in solutions:
        assert "### BEGIN SOLUTION" in source(cell) and "### END SOLUTION" in source(cell)
        assert cell["metadata"]["jupyter"]["source_hidden"]
    assert all("assert" in source(c) and c["metadata"]["nbgrader"]["points"] > 0 for c in checks)


@each
def test_a_check_fails_on_an_exercise_left_open_and_passes_with_its_solution(path):
    """Setup and the exercises alone, as a student who jumps there runs them."""
    space = {}
    code = cells(path, "code")
    setup = next(c for c in code if "setup" in tags(c))
    exec(re.sub(r"^(\s*)%.*", r"\1pass", source(setup), flags=re.M), space)
    first = next(i for i, c in enumerate(cells(path)) if source(c).startswith("## Exercises"))
    for cell in cells(path)[first:]:
        grader = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and grader.get("grade"):
            left_open = {**space, **emptied}
            with pytest.raises((AssertionError, AttributeError, TypeError, ValueError)):
                exec(source(cell), left_open)
            exec(source(cell), space)
        elif cell["cell_type"] == "code":
            exec(source(cell), space)
            if grader.get("solution"):
                emptied = {}
                body = r"### BEGIN SOLUTION.*?### END SOLUTION"
                exec(re.sub(body, "pass", source(cell), flags=re.S), {**space}, emptied)


def guarded(tmp_path, change, option="--nbval"):
    """nbval's verdict on a small notebook under the kit's conftest."""
    import nbformat.v4 as v4
    cell = v4.new_code_cell("print(6 * 7)", execution_count=1,
                            outputs=[v4.new_output("stream", name="stdout", text="42\n")])
    notebook = v4.new_notebook(cells=[cell])
    change(cell)
    (tmp_path / "small.ipynb").write_text(json.dumps(notebook))
    shutil.copy(FOLDER / "conftest.py", tmp_path)
    return subprocess.run([sys.executable, "-m", "pytest", option, "--nbval-current-env", "-q",
                           "-p", "no:cacheprovider", str(tmp_path)], capture_output=True, text=True,
                          cwd=tmp_path)


def test_the_kit_passes_a_notebook_that_computes_what_it_shows(tmp_path):
    done = guarded(tmp_path, lambda cell: None)
    assert done.returncode == 0 and "2 passed" in done.stdout, done.stdout


def test_the_kit_fails_a_notebook_that_computes_another_thing(tmp_path):
    done = guarded(tmp_path, lambda cell: cell.update(source="print(6 * 8)"))
    assert done.returncode == 1 and "1 failed, 1 passed" in done.stdout


@pytest.mark.parametrize("option", ["--nbval", "--nbval-lax"])
def test_the_kit_fails_a_cleared_notebook_which_nbval_alone_would_pass(tmp_path, option):
    def clear(cell):
        cell.update(execution_count=None, outputs=[], source="print(6 * 8)")
    done = guarded(tmp_path, clear, option)
    assert done.returncode == 1 and "nbval would pass it without comparing" in done.stdout
    assert "nbconvert --to notebook --execute --inplace small.ipynb" in done.stdout  # works anywhere


def test_the_kit_leaves_stderr_out(tmp_path):
    line = "import sys, time; print(time.time(), file=sys.stderr); print(6 * 7)"
    assert guarded(tmp_path, lambda cell: cell.update(source=line)).returncode == 0
