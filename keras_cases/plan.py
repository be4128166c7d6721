"""The runs that the project wants, in order of worth: data/plan.csv; and what has become of them.

A row is a call of `train.run`, so its record is what anyone gets who makes that call. Rows are
independent: several machines, or several processes on one, work on the plan at once.
"""

import contextlib
import csv
import json
import shutil
import statistics
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from keras_cases.cases import CASES
from keras_cases.records import machine, stored_folder

EPOCH_COST = 3  # a step forward and back takes about three times the multiply-adds of a look
USUAL_SPEED = 10e9  # multiply-adds a second, before anything was measured on a machine


@dataclass(frozen=True)
class Row:
    """One run: a case, options of its net, a mode with changes of its recipe, a seed."""

    case: str
    net: dict
    mode: str
    recipe: dict
    seed: int
    macs: float  # multiply-adds per image
    label: str
    why: str

    @property
    def file(self):
        return f"{self.label}-{self.mode}-seed{self.seed}"

    @property
    def whole_recipe(self):
        return replace(getattr(CASES[self.case], self.mode), **self.recipe)

    @property
    def work(self):
        """Multiply-adds of the whole run, about."""
        recipe = self.whole_recipe
        return EPOCH_COST * recipe.epochs * (recipe.images or 50_000) * self.macs


def rows():
    """The rows of data/plan.csv; net and recipe are JSON objects there."""
    with open(stored_folder() / "plan.csv", newline="", encoding="utf-8") as file:
        return [Row(row["case"], json.loads(row["net"] or "{}"), row["mode"],
                    json.loads(row["recipe"] or "{}"), int(row["seed"]), float(row["macs"]),
                    row["label"], row["why"]) for row in csv.DictReader(file)]


def record(row):
    """The stored record of a row, or None. One of another recipe is none."""
    file = stored_folder() / "results" / f"{row.file}.json"
    if not file.exists():
        return None
    found = json.loads(file.read_text(encoding="utf-8"))
    same = found["recipe"] == asdict(row.whole_recipe) and found["net"] == row.net
    return found if same and found["complete"] else None


def minutes_of(row):
    """How long the row will take on this machine, from the records made on its like."""
    here = machine()
    records = [(done, record(done)) for done in rows()]
    rates = [done.work / found["seconds"] for done, found in records if found and all(
        found["machine"].get(key) == here[key] for key in ("backend", "accelerators"))]
    return row.work / 60 / (statistics.median(rates) if rates else USUAL_SPEED)


def work(run, minutes, folder="runs", verbose=2):
    """Runs the next rows that have no record, that nobody else is at, and that fit in `minutes`.

    run: `train.run`. folder: for the states and weights; records go to data/results. A row that was
    begun here before is continued even if it will not be finished in time.
    """
    deadline = time.monotonic() + 60 * minutes
    for row in rows():
        state = Path(folder) / f"{row.file}.state.npz"
        left = (deadline - time.monotonic()) / 60
        if left <= 0:
            return
        with _taken(Path(folder) / f"{row.file}.lock") as mine:
            if not mine or record(row):
                continue
            if minutes_of(row) > left and not state.exists():
                print(f"{row.file}: about {minutes_of(row):.0f} minutes, {left:.0f} are left")
                continue
            print(f"{row.file}: begins", flush=True)
            try:
                found, _ = run(row.case, row.mode, row.seed, folder, row.net, row.label, verbose,
                               deadline, **row.recipe)
            except (ValueError, FloatingPointError, FileExistsError) as error:
                print(f"{row.file}: {error}", flush=True)
                continue
            if found["complete"]:
                results = stored_folder() / "results"
                results.mkdir(exist_ok=True)
                shutil.copy(Path(folder) / f"{row.file}.json", results / f"{row.file}.json")
                print(f"{row.file}: {found['accuracy']:.4f}", flush=True)


@contextlib.contextmanager
def _taken(lock):
    """Whether this process holds the row; the system lets go of it when the process ends."""
    try:
        import fcntl
    except ImportError:  # Windows: one plan at a time
        yield True
        return
    lock.parent.mkdir(parents=True, exist_ok=True)
    with open(lock, "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True


def table(mode=None):
    """The plan, or its rows of one mode, with what was measured, in Markdown.

    A net's seeds share a line; a seed that is missing is "–", and a net without any "not run".
    """
    lines = ["| net | what for | multiply-adds | parameters | epochs | accuracy, % | on |",
             "|:--|:--|--:|--:|--:|:--|:--|"]
    groups = {}
    for row in rows():
        if mode in (None, row.mode):
            groups.setdefault((row.label, row.mode), []).append(row)
    for (label, _), (first, *others) in groups.items():
        found = [record(row) for row in (first, *others)]
        done = [one for one in found if one]
        told = " · ".join(f"{100 * one['accuracy']:.1f}" if one else "–" for one in found)
        parameters, judged = (f"{done[0]['parameters']:,}", done[0]["accuracy_of"]) if done else ("", "")
        lines.append(f"| {label} | {first.why} | {first.macs / 1e6:,.1f} M | {parameters} | "
                     f"{first.whole_recipe.epochs} | {told if done else 'not run'} | {judged} |")
    return "\n".join(lines)
