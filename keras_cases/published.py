"""What papers, lectures and Keras state about the nets: `data/published.csv`, each with its source.

    published("resnet20", "CIFAR-10 error")[0].value     8.75
    for figure in published("googlenet", "parameters"): print(figure)

Several sources may state one quantity, and not agree; the file keeps them all.
"""

import csv
from pathlib import Path
from typing import NamedTuple

SCALE = {"": 1, "%": 1, "k": 1e3, "M": 1e6, "G": 1e9}


class Figure(NamedTuple):
    """One stated figure. `net` is the name of our builder where we have one."""

    net: str
    quantity: str  # "parameters", "MACs", "layers", "top-1", "CIFAR-10 error", …
    value: float   # as stated, in `unit`: "", "%", "k", "M" (million) or "G" (billion)
    unit: str
    source: str

    @property
    def amount(self):
        """The value without its unit: 138 M is 138,000,000; per cent stay per cent."""
        return self.value * SCALE[self.unit]

    def __str__(self):
        unit = self.unit and f" {self.unit}"
        return f"{self.net}: {self.quantity} {self.value:,.10g}{unit} ({self.source})"


def published(net=None, quantity=None):
    """The stated figures of one net, of one quantity, of both or of all: a list of `Figure`.

    Raises: ValueError for a net or a quantity of which nothing is known, with what is.
    """
    figures = _read()
    nets, quantities = {f.net for f in figures}, {f.quantity for f in figures}
    for wanted, known in ((net, nets), (quantity, quantities)):
        if wanted is not None and wanted not in known:
            raise ValueError(f"Nothing is published here on {wanted!r}; there is {sorted(known)}.")
    return [f for f in figures if net in (None, f.net) and quantity in (None, f.quantity)]


def stored_folder():
    """Where figures, records and weights lie: in the installed package, or data/ of a checkout."""
    package = Path(__file__).resolve().parent
    return package / "stored" if (package / "stored").exists() else package.parent / "data"


def _read():
    with open(stored_folder() / "published.csv", newline="", encoding="utf-8") as file:
        return [Figure(row["net"], row["quantity"], float(row["value"]), row["unit"], row["source"])
                for row in csv.DictReader(file)]
