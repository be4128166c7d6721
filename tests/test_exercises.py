"""The checks of the lessons' exercises take right answers, however written, and refuse wrong ones.

The answers lie in exercises/, one file per lesson. A check runs as a student's who jumps to the
exercises runs it: after the setup, the parameters and the exercises before it, solved.
"""

import importlib
import json
import re
from pathlib import Path

import matplotlib
import pytest

import exercises

matplotlib.use("Agg")
ROOT = Path(__file__).resolve().parent.parent
LESSONS = {path.name[:2]: path for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))}
ANSWERS = {}
for _path in sorted(Path(exercises.__file__).parent.glob("lesson_*.py")):
    _module = importlib.import_module(f"exercises.{_path.stem}")
    ANSWERS |= {(_path.stem[-2:], name): answers for name, answers in _module.ANSWERS.items()}
CASES = [(lesson, name, "right", str(i), source) for (lesson, name), answers in ANSWERS.items()
         for i, source in enumerate(answers.right)]
CASES += [(lesson, name, "wrong", what, source) for (lesson, name), answers in ANSWERS.items()
          for what, source in answers.wrong.items()]


def exercise_cells(lesson):
    """(grade_id, is it a solution, source) of every cell that counts, from setup to the last check."""
    found = []
    for cell in json.loads(LESSONS[lesson].read_text(encoding="utf-8"))["cells"]:
        grader, tags = cell["metadata"].get("nbgrader", {}), cell["metadata"].get("tags", [])
        if cell["cell_type"] == "code" and (grader or {"setup", "parameters", "exercise"} & set(tags)):
            source = re.sub(r"^(\s*)%.*", r"\1pass", "".join(cell["source"]), flags=re.M)  # %pip on Colab
            found.append((grader.get("grade_id"), grader.get("solution", False), source))
    return found


def check(lesson, name, answer):
    """Runs the cells up to the check of exercise `name`, with `answer` in its solution cell."""
    namespace = {}
    for grade_id, solution, source in exercise_cells(lesson):
        is_check = bool(grade_id) and not solution
        if is_check and grade_id != f"{name}_check":
            continue
        exec(compile(answer if grade_id == name else source, f"{lesson}:{grade_id}", "exec"), namespace)
        if is_check:
            return


@pytest.mark.parametrize("lesson, name, kind, what, answer", CASES,
                         ids=["-".join(case[:4]).replace(" ", "_") for case in CASES])
def test_check(lesson, name, kind, what, answer, capsys):
    if kind == "right":
        check(lesson, name, answer)
        assert "passed" in capsys.readouterr().out
    else:
        with pytest.raises(AssertionError) as refused:
            check(lesson, name, answer)
        assert len(str(refused.value)) > 20, "a check says got, wanted and where to look"


@pytest.mark.parametrize("lesson", LESSONS)
def test_every_exercise_has_its_answers(lesson):
    names = [grade_id for grade_id, solution, _ in exercise_cells(lesson) if solution]
    assert 3 <= len(names) <= 5
    for name in names:
        right, wrong = ANSWERS[lesson, name]
        assert len(right) >= 2 and len(wrong) >= 4, name
