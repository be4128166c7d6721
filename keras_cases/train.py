"""A case trained by its recipe, and a record of what was measured.

    python -m keras_cases.train                                  # lists the cases
    python -m keras_cases.train resnet20                         # fast: under a minute
    python -m keras_cases.train resnet20 --mode full             # the paper's recipe
    python -m keras_cases.train resnet20 --mode full --recipe epochs=12 schedule=cosine

A run that was killed continues where it was when the same command is given again. The accuracy of
a record is that of the last epoch, on images never trained on.
"""

import argparse
import json
import os
import platform
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Callable

import keras
import numpy as np

from keras_cases import data
from keras_cases.nets import googlenet, resnet_cifar
from keras_cases.training.loop import Recipe, fit
from keras_cases.records import stored_folder


@dataclass(frozen=True)
class Case:
    """A net, its data set and its two recipes. `build()` gives a keras.Model of probabilities."""

    build: Callable
    dataset: str
    fast: Recipe
    full: Recipe


# The ResNet paper, sec. 4.2: 64k steps of 128 images are 182 epochs of 45,000
PAPER = Recipe(epochs=182)
SHORT = Recipe(epochs=2, learning_rate=0.05, schedule="cosine", images=6_400, held_out=2_000)
CASES = {
    **{f"resnet{d}": Case(getattr(resnet_cifar, f"resnet{d}"), "cifar10", SHORT, PAPER)
       for d in (20, 32, 44, 56)},
    "resnet110": Case(resnet_cifar.resnet110, "cifar10", SHORT, replace(PAPER, warmup=1.0)),
    **{f"plain{d}": Case(lambda d=d, **net: resnet_cifar.plain_cifar(d, **net), "cifar10", SHORT,
                         PAPER) for d in (20, 32, 44, 56)},
    "googlenet_cifar": Case(googlenet.googlenet_cifar, "cifar10", SHORT, PAPER),
    "resnet_v1": Case(resnet_cifar.resnet_v1, "cifar10", SHORT, PAPER),
    "resnet_v2": Case(resnet_cifar.resnet_v2, "cifar10", SHORT, PAPER),
}


def mode_from_environment():
    """"fast" unless KERAS_CASES_MODE says "full". Raises: ValueError for another word."""
    mode = os.environ.get("KERAS_CASES_MODE") or "fast"
    if mode not in ("fast", "full"):
        raise ValueError(f"KERAS_CASES_MODE={mode!r}; use 'fast' or 'full'.")
    return mode


def run(case, mode=None, seed=0, folder="runs", net=None, label=None, verbose=1,
        **changes):
    """Trains `case` (a name of CASES, or a Case) and returns (record, model).

    mode: "fast" or "full", by default KERAS_CASES_MODE. changes: fields of the Recipe.
    net: keyword arguments for the builder. label: what the files are called before "-mode-seed",
    by default the case and its `net`; runs that differ in their recipe alone want one. The record is also written to `folder` as JSON, beside
    the weights; a state file there lets a killed run continue, and goes when the run is done.
    Raises: ValueError for an unknown case, mode or field; FloatingPointError when the loss is NaN.
    """
    mode, net = mode or mode_from_environment(), net or {}
    name = case if isinstance(case, str) else case.build.__name__
    if isinstance(case, str):
        if case not in CASES:
            raise ValueError(f"There is no case {case!r}; there are {', '.join(CASES)}.")
        case = CASES[case]
    if mode not in ("fast", "full"):
        raise ValueError(f"mode={mode!r}; use 'fast' or 'full'.")
    unknown = set(changes) - set(Recipe.__dataclass_fields__)
    if unknown:
        raise ValueError(f"A recipe has no {sorted(unknown)}; it has "
                         f"{list(Recipe.__dataclass_fields__)}.")
    recipe = replace(getattr(case, mode), **changes)
    dataset = data.load(case.dataset)
    keras.utils.set_random_seed(seed)
    model = case.build(**net)
    label = label or "-".join([name, *(f"{k}{v}" for k, v in net.items())])
    path = Path(folder) / f"{label}-{mode}-seed{seed}"
    split = dataset.split()
    history = fit(model, split, recipe, seed, state_file=f"{path}.state.npz", verbose=verbose)
    record = {"case": name, "net": net, "mode": mode, "seed": seed, "recipe": asdict(recipe),
              "parameters": model.count_params(), **summary(history, recipe),
              "data": {"name": dataset.name, "source": dataset.source, "split": split.name,
                       "real": dataset.is_real},
              "machine": machine(), "date": date.today().isoformat(), "history": history}
    model.save_weights(f"{path}.weights.h5")
    Path(f"{path}.json").write_text(json.dumps(record, indent=1) + "\n")
    Path(f"{path}.state.npz").unlink(missing_ok=True)
    return record, model


def summary(history, recipe):
    """The figures of a record: last epoch's accuracy; seconds, with the judging of each epoch."""
    epochs = len(history.get("loss", ()))
    seconds = sum(history.get("seconds", ()))
    trained = sum(history.get("images", ()))
    last = {k: history[k][-1] for k in ("accuracy", "val_accuracy") if history.get(k)}
    return {"epochs_done": epochs, "complete": epochs == recipe.epochs,
            "train_accuracy": last.get("accuracy"), "accuracy": last.get("val_accuracy"),
            "seconds": round(seconds, 1),
            "images_per_second": round(trained / seconds, 1) if seconds else None}


def _pairs(words):
    """["epochs=3", "shortcut=pad"] → {"epochs": 3, "shortcut": "pad"}."""
    found = {}
    for word in words:
        key, _, value = word.partition("=")
        try:
            found[key] = json.loads(value)
        except json.JSONDecodeError:
            found[key] = value
    return found


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m keras_cases.train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", help="one of the cases; without it they are listed")
    parser.add_argument("--mode", choices=("fast", "full"), help="default: KERAS_CASES_MODE, or fast")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", default="runs", help="where records and weights go (runs)")
    parser.add_argument("--net", nargs="*", default=[], metavar="KEY=VALUE", help="builder options")
    parser.add_argument("--label", help="what the files are called, if not case and builder options")
    parser.add_argument("--recipe", nargs="*", default=[], metavar="KEY=VALUE",
                        help="changes of the recipe")
    parser.add_argument("--verbose", type=int, default=2)
    given = parser.parse_args(words)
    if not given.case:
        print(f"{'case':<18}{'data':<10}{'fast':<24}full")
        for name, case in CASES.items():
            fast, full = (f"{r.epochs} × {r.images or 'all'} images" for r in (case.fast, case.full))
            print(f"{name:<18}{case.dataset:<10}{fast:<24}{full}")
        return
    record, _ = run(given.case, given.mode, given.seed, given.folder, _pairs(given.net),
                    given.label, given.verbose, **_pairs(given.recipe))
    print(f"{record['case']}: {record['accuracy']:.4f} on {record['data']['split']} of "
          f"{record['data']['name']} ({record['data']['source']}), {record['seconds']:.0f} s")


if __name__ == "__main__":
    main()
