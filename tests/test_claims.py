"""data/claims.csv, row by row: every figure is computed here from our own code, every time.

The functions live in claims/, one module per lesson.
verdict: exact (the claim holds as it stands), rounded (within a tenth), wrong.
"""

import csv
import importlib
from pathlib import Path

import pytest

from claims import COMPUTE

ROOT = Path(__file__).resolve().parent.parent
for path in sorted((Path(__file__).parent / "claims").glob("[a-z]*.py")):
    importlib.import_module(f"claims.{path.stem}")
with (ROOT / "data" / "claims.csv").open(encoding="utf-8", newline="") as file:
    ROWS = list(csv.DictReader(file))
IDS = [row["id"] for row in ROWS]


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_claim(row):
    assert row["id"] in COMPUTE, "no function computes this row"
    assert str(COMPUTE[row["id"]](row["id"])) == row["computed"]
    stated, computed = number(row["stated"]), number(row["computed"])
    if stated is not None and computed is not None:
        near = abs(computed - stated) <= 0.1 * abs(stated)
        assert row["verdict"] == ("exact" if stated == computed else "rounded" if near else "wrong")
    assert row["verdict"] in ("exact", "rounded", "wrong")
    assert row["verdict"] == "exact" or row["stated"] != row["computed"]


def test_no_function_without_its_row_and_every_row_names_a_notebook():
    assert set(COMPUTE) <= set(IDS)
    assert len(IDS) == len(set(IDS))
    for row in ROWS:
        assert (ROOT / "notebooks" / f"{row['notebook']}.ipynb").exists(), row["id"]
