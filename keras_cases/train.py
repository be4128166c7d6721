"""A case trained by its recipe, and a record of what was measured.

    python -m keras_cases.train                                  # lists the cases
    python -m keras_cases.train resnet20                         # fast: on the sample, a minute
    python -m keras_cases.train resnet20 --mode full             # the paper's recipe, all images
    python -m keras_cases.train resnet20 --mode full --recipe epochs=12 schedule=cosine
    python -m keras_cases.train --plan                           # the runs wanted, done and missing
    python -m keras_cases.train --plan --minutes 120             # works on them

A run that was killed or stopped continues where it was when the same command is given again. The
accuracy of a record is that of the last epoch, on images never trained on.
"""

import argparse
import ast
import json
import os
from dataclasses import asdict, fields, replace
from datetime import date
from pathlib import Path

import keras

from keras_cases import plan
from keras_cases.cases import CASES, MODES, Case  # noqa: F401 (train.Case is part of the interface)
from keras_cases.records import machine
from keras_cases.training.loop import fit, fingerprint_of_data, statistics
from keras_cases.training.recipe import Recipe


def mode_from_environment():
    """"fast" unless KERAS_CASES_MODE says "full". Raises: ValueError for another word."""
    mode = os.environ.get("KERAS_CASES_MODE") or "fast"
    if mode not in ("fast", "full"):
        raise ValueError(f"KERAS_CASES_MODE={mode!r}; use 'fast' or 'full'.")
    return mode


def run(case, mode=None, seed=0, folder="runs", net=None, label=None, verbose=1, deadline=None,
        **changes):
    """Trains `case` (a name of CASES, or a Case) and returns (record, model).

    mode: "fast", "full" or "equal", by default KERAS_CASES_MODE. changes: fields of the Recipe.
    net: keyword arguments for the builder. label: what the files are called before "-mode-seed",
    by default the case and its `net`; runs that differ in their recipe alone want one.
    folder: where the record goes as JSON, beside the weights and, while it is under way, the state
    from which the same call continues; None writes nothing. deadline: see `training.loop.fit`.
    Raises: ValueError or TypeError for what is unknown or cannot be written, FileExistsError where
    a finished record of another run has that name, all before training; FloatingPointError when the
    loss is NaN.
    """
    case, name = _case(case)
    mode, net = mode or mode_from_environment(), net or {}
    if mode not in MODES:
        raise ValueError(f"mode={mode!r}; use one of {MODES}.")
    known = [field.name for field in fields(Recipe)]
    if not set(changes) <= set(known):
        raise ValueError(f"A recipe has no {sorted(set(changes) - set(known))}; it has {known}.")
    recipe = replace(getattr(case, mode), **changes)
    dataset = case.data(mode)
    split = dataset.split()
    options = _as_json(net, "net")
    path = Path(folder or "") / f"{label or name_of(name, net)}-{mode}-seed{seed}"
    record = {"case": name, "net": options, "mode": mode, "seed": seed, "recipe": asdict(recipe),
              "data": {"name": dataset.name, "source": dataset.source, "status": dataset.status,
                       "split": split.name, "fingerprint": fingerprint_of_data(split)}}
    if folder:
        _check_folder(path, record)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.dtype)
    try:
        keras.utils.set_random_seed(seed)
        model = case.build(**net)
        trained = fit(model, split, recipe, seed, f"{path}.state.npz" if folder else None, verbose,
                      deadline)
    finally:
        keras.config.set_dtype_policy(policy)
    mean, deviation = statistics(split.x_train)
    record |= {"parameters": model.count_params(), **summary(trained), "accuracy_of": split.tested,
               "standardized": {"mean": mean, "deviation": deviation}, "machine": machine(),
               "date": date.today().isoformat(), "history": trained.history}
    if folder and trained.complete:
        model.save_weights(f"{path}.weights.h5")
        part = Path(f"{path}.{os.getpid()}.part")
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        part.replace(f"{path}.json")
        Path(f"{path}.state.npz").unlink(missing_ok=True)
    return record, model


def name_of(case, net):
    """What a run's files are called where it has no label: resnet_cifar-depth20-width0.5."""
    return "-".join([case, *(f"{key}{value}" for key, value in net.items())])


def summary(trained):
    """The figures of a record.

    accuracy: on the test part; train_accuracy: on the images trained on, both of the finished net;
    running_accuracy: the mean over the last epoch's steps, with dropout and augmentation;
    seconds: with the judging of each epoch.
    """
    history = trained.history
    seconds, images = sum(history.get("seconds", ())), sum(history.get("images", ()))
    return {"epochs_done": len(history.get("loss", ())), "complete": trained.complete,
            "accuracy": trained.test.get("accuracy"),
            "train_accuracy": trained.train.get("accuracy"),
            "running_accuracy": history["accuracy"][-1] if history.get("accuracy") else None,
            "seconds": round(seconds, 1),
            "images_per_second": round(images / seconds, 1) if seconds else None}


def _case(case):
    """(Case, its name)."""
    if isinstance(case, str):
        if case not in CASES:
            raise ValueError(f"There is no case {case!r}; there are {', '.join(CASES)}.")
        return CASES[case], case
    name = case.name or getattr(case.build, "__name__", "")
    if not name.isidentifier():
        raise ValueError(f"{case.build} has no name for the files; give Case(..., name='my_net').")
    return case, name


def _as_json(options, what):
    try:
        return json.loads(json.dumps(options))
    except TypeError as error:
        raise TypeError(f"{what}={options}: the record cannot hold it ({error}); pass numbers, words "
                        "and lists, and build the rest inside a builder of your own.") from None


def _check_folder(path, record):
    """Before training: the folder takes files, and no finished record would be lost."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"{path.parent} takes no files; choose another folder.")
    file = Path(f"{path}.json")
    if file.exists():
        old = json.loads(file.read_text(encoding="utf-8"))
        other = [key for key, value in record.items() if old.get(key) != value]
        if other:
            raise FileExistsError(f"{file} is the record of another run (other: {', '.join(other)}); "
                                  "give this one a label, or choose another folder.")


def main(words=None):
    parser = argparse.ArgumentParser(prog="python -m keras_cases.train", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", help="one of the cases; without it they are listed")
    parser.add_argument("--mode", choices=MODES, help="default: KERAS_CASES_MODE, or fast")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", default="runs", help="where records and weights go (runs)")
    parser.add_argument("--net", nargs="*", default=[], metavar="KEY=VALUE", help="builder options")
    parser.add_argument("--label", help="what the files are called, if not case and builder options")
    parser.add_argument("--recipe", nargs="*", default=[], metavar="KEY=VALUE",
                        help="changes of the recipe")
    parser.add_argument("--plan", action="store_true", help="the runs that the project wants")
    parser.add_argument("--minutes", type=float, help="how long to work on the plan")
    parser.add_argument("--verbose", type=int, default=2)
    given = parser.parse_args(words)
    if given.plan:
        if given.minutes:
            plan.work(run, given.minutes, given.folder, given.verbose)
        print(plan.table())
    elif not given.case:
        print(f"{'case':<20}{'fast':<24}full")
        for name, case in CASES.items():
            fast, full = (f"{r.epochs} × {r.images or 'all'} images" for r in (case.fast, case.full))
            print(f"{name:<20}{fast:<24}{full}")
    else:
        record, _ = run(given.case, given.mode, given.seed, given.folder, pairs(given.net),
                        given.label, given.verbose, **pairs(given.recipe))
        told = record["accuracy"] and f"{record['accuracy']:.4f} on {record['accuracy_of']}"
        print(f"{record['case']}: {told or 'not complete; the same command continues'}; "
              f"{record['data']['source']}, {record['seconds']:.0f} s")


def pairs(words):
    """["epochs=3", "shortcut=pad", "norm=False"] → {"epochs": 3, "shortcut": "pad", "norm": False}."""
    found = {}
    for word in words:
        key, _, value = word.partition("=")
        value = {"true": "True", "false": "False", "null": "None", "none": "None"}.get(value, value)
        try:
            found[key] = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            found[key] = value
    return found


if __name__ == "__main__":
    main()
