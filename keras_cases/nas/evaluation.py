"""What a cell is worth: train it, judge it on images it has not seen, and write that down at once.

    scores = Evaluations("runs/cells.jsonl", train_cell)      # or with workers=2
    scores(["cnnncs", "nsccnn"])                              # [0.48, 0.52]

A search asks `scores` for a list of codes and gets a list of numbers; it need not know whether they
were trained now, read from the file, or read from the stored table. The file has a line for each
evaluation, written by the process that made it, so whatever is killed, nothing finished is lost;
and as a search with the same seed asks the same questions, it goes on where it was.
"""

import functools
import json
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

import keras

from keras_cases import data
from keras_cases.nas.search_space import canonical, network
from keras_cases.training.loop import fit
from keras_cases.training.recipe import Recipe

RECIPE = Recipe(epochs=8, batch_size=64, learning_rate=0.05, schedule="cosine", weight_decay=5e-4,
                augment=False)
VALIDATION = 1_000  # of the sample's 5,000 training images: the search sees these, never the test's


def train_cell(code, seed=0, recipe=RECIPE, width=12):
    """Train a cell's net on the CIFAR-10 sample: {"accuracy": on the validation part, "test": …}.

    Raises: FloatingPointError where the loss is NaN; ValueError for a cell that lets nothing through.
    """
    keras.backend.clear_session()
    split = _images()
    keras.utils.set_random_seed(seed)
    net = network(code, split.x_train.shape[1:], width=width)
    start = time.perf_counter()
    trained = fit(net, split, recipe, seed)
    return {"accuracy": round(trained.history["val_accuracy"][-1], 4),
            "test": round(trained.test["accuracy"], 4), "train": round(trained.train["accuracy"], 4),
            "parameters": net.count_params(), "seconds": round(time.perf_counter() - start, 1)}


@functools.cache
def _images():
    return data.sample("cifar10").split(validation=VALIDATION)


class Evaluations:
    """`scores(codes)`: what each code is worth, in [0, 1]; what fails is worth 0.

    file: where every evaluation is written, a line of JSON each; what is there is not made again.
    evaluate: a function of (code, seed) that gives {"accuracy": …} and what else is to be kept.
    workers: processes that train beside each other. They are new for every call, so what a net
        leaves in memory goes with them. pool: another way to run many, called with the number of
        workers, for example `lambda n: ray.util.multiprocessing.Pool(n)`; it needs `map`.
    Codes of the same net are one evaluation (`canonical`).
    """

    def __init__(self, file, evaluate=train_cell, seed=0, workers=1, pool=None):
        self.file, self.evaluate, self.seed, self.workers = Path(file), evaluate, seed, workers
        self.pool = pool or (lambda n: ProcessPoolExecutor(n, get_context("spawn")))

    def __call__(self, codes):
        nets = [canonical(code) for code in codes]
        found = self.records()
        missing = [net for net in dict.fromkeys(nets) if net and (net, self.seed) not in found]
        self._make(missing)
        found = self.records()
        return [found.get((net, self.seed), {}).get("accuracy") or 0.0 for net in nets]

    def records(self):
        """{(code, seed): record} of the file; a line that a kill has cut off is none."""
        found = {}
        for line in self.file.read_text(encoding="utf-8").splitlines() if self.file.exists() else []:
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[record["code"], record["seed"]] = record
        return found

    def _make(self, codes):
        one = functools.partial(_evaluate, self.evaluate, self.seed, self.file)
        if self.workers == 1 and not codes[1:]:
            return [one(code) for code in codes]
        try:
            self._map(self.workers, one, codes)
        except BrokenProcessPool:  # a process died: out of memory, killed. Which cell was it?
            for code in [c for c in codes if (c, self.seed) not in self.records()]:
                try:
                    self._map(1, one, [code])
                except BrokenProcessPool:
                    _write(self.file, {"code": code, "seed": self.seed, "error": "its process died"})

    def _map(self, workers, one, codes):
        if self.workers == 1:
            return [one(code) for code in codes]
        with self.pool(workers) as pool:
            return list(pool.map(one, codes))


def _evaluate(evaluate, seed, file, code):
    """Runs in the worker. Whatever happens to one candidate is its record, and no more."""
    try:
        found = evaluate(code, seed)
        if not math.isfinite(found["accuracy"]):
            raise FloatingPointError(f"its accuracy is {found['accuracy']}")
    except Exception as error:
        found = {"error": f"{type(error).__name__}: {error}"[:200]}
    _write(file, {"code": code, "seed": seed} | found)


def _write(file, record):
    """One line at the end of the file, whole or not at all, whoever else writes there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    cut_off = file.exists() and not file.read_bytes().endswith(b"\n") and file.stat().st_size
    line = ("\n" if cut_off else "") + json.dumps(record) + "\n"
    with open(file, "ab", buffering=0) as end:
        end.write(line.encode())
        os.fsync(end.fileno())
