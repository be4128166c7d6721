"""data/claims.csv, row by row: every figure is computed here from our own code, every time.

The functions live in claims/, one module per lesson. The verdict follows from them, so no other one
passes: from the numbers where both sides are numbers, else from the comparison that the row's
function makes.
verdict: exact (the claim holds as it stands), rounded (every number within a tenth), wrong, or
measured: no benefit seen (an effect that the seeds do not show).
"""

import csv
import functools
import importlib
import re
from pathlib import Path

import pytest

from claims import COMPUTE, NO_BENEFIT, gain

ROOT = Path(__file__).resolve().parent.parent
for path in sorted((Path(__file__).parent / "claims").glob("[a-z]*.py")):
    importlib.import_module(f"claims.{path.stem}")
with (ROOT / "data" / "claims.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
IDS = [row["id"] for row in ROWS]
VERDICTS = "exact", "rounded", "wrong", NO_BENEFIT


def numbers(text):
    """The numbers of "103.2", "7 14 28" or "28x28x192"; None where there are words."""
    try:
        return [float(part) for part in re.sub(r"(?<=\d)x(?=\d)", " ", text).split()] or None
    except ValueError:
        return None


def verdict(stated, computed, holds=None):
    """The one verdict that follows. holds: what the row's function says of words."""
    said, found = numbers(stated), numbers(computed)
    limit = numbers(stated[1:]) if stated[:1] in "<>" else None
    if said and found:
        near = len(said) == len(found) and all(
            abs(b - a) <= 0.1 * abs(a) for a, b in zip(said, found))
        return "exact" if said == found else "rounded" if near else "wrong"
    if holds is not None:
        return {True: "exact", False: "wrong", NO_BENEFIT: NO_BENEFIT}[holds]
    if limit and found:
        return "exact" if (found < limit) == (stated[0] == "<") else "wrong"
    if stated in ("-", computed):  # nothing was stated, or just this
        return "exact"
    if {stated, computed} == {"runs", "refused"}:
        return "wrong"
    raise AssertionError(f"{stated!r} against {computed!r}: words; the row's function has to return "
                         "(figure, whether the words hold), by a comparison of its numbers")


@functools.cache
def computed(row):
    """(figure as it stands in the table, whether the words hold or None)."""
    assert row in COMPUTE, "no function computes this row"
    found = COMPUTE[row](row)
    figure, holds = found if isinstance(found, tuple) else (found, None)
    return str(figure), holds if holds in (None, NO_BENEFIT) else bool(holds)


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_claim(row):
    figure, holds = computed(row["id"])
    assert figure == row["computed"]
    assert row["verdict"] == verdict(row["stated"], figure, holds)


@pytest.mark.parametrize("stated, figure, holds, wanted", [
    ("61706", "61706", None, "exact"), ("98", "97.8", None, "rounded"), ("98", "88", None, "wrong"),
    ("0", "0.0", None, "exact"), ("0", "544", None, "wrong"), ("18 34", "18 34", None, "exact"),
    ("18 34", "19 34", None, "rounded"), ("18 34", "18", None, "wrong"),
    ("28x28x32", "28x28x192", None, "wrong"), ("> 1", "2.37", None, "exact"),
    ("< 1", "2.37", None, "wrong"), ("-", "12", None, "exact"), ("-", "12", NO_BENEFIT, NO_BENEFIT),
    ("runs", "refused", None, "wrong"), ("falls", "22.0 13.8", True, "exact"),
    ("falls", "22.0 13.8", False, "wrong"), ("falls", "22.0 21.8", NO_BENEFIT, NO_BENEFIT),
    ("61706", "61000", True, "rounded"),  # numbers leave nothing to say
])
def test_the_verdict_follows(stated, figure, holds, wanted):
    assert verdict(stated, figure, holds) == wanted in VERDICTS


def test_words_need_a_comparison():
    with pytest.raises(AssertionError, match="by a comparison"):
        verdict("several", "1 3 5")


def test_a_gain_is_one_in_every_seed():
    assert gain([1, 2, 3], [4, 5, 6]) is True
    assert gain([4, 5, 6], [1, 2, 3]) is False
    assert gain([1, 2, 5], [4, 5, 6]) == NO_BENEFIT


def test_no_function_without_its_row_and_every_row_names_a_notebook():
    assert set(COMPUTE) <= set(IDS)
    assert len(IDS) == len(set(IDS))
    for row in ROWS:
        assert (ROOT / "notebooks" / f"{row['notebook']}.ipynb").exists(), row["id"]
