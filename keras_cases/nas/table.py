"""The whole space, trained: every net by three seeds, stored, so that a search costs no training.

    scores = stored_scores()                  # a function of a list of codes, for any search
    python -m keras_cases.nas.table --minutes 60     # trains what is missing, in any order, killable

The lines of data/cells.jsonl were made by `evaluation.train_cell` (its RECIPE, width 12; PyTorch on
one thread): "accuracy" is on 1,000 validation images, "test" on the 1,000 test images that no
search may see.
"""

import argparse
import collections
import random
import time

import numpy as np

from keras_cases.nas import search_space as space
from keras_cases.nas.evaluation import Evaluations, train_cell
from keras_cases.records import stored_folder

SEEDS = 3


def evaluations(seed=0, evaluate=train_cell):
    """The stored file as `Evaluations`: what is missing in it would be trained."""
    return Evaluations(stored_folder() / "cells.jsonl", evaluate, seed)


def stored(what="accuracy"):
    """{canonical code: [a number for each seed]}: "accuracy", "test", "train", "parameters", …"""
    found = collections.defaultdict(list)
    for (code, _), record in sorted(evaluations().records().items()):
        if what in record:
            found[code].append(record[what])
    return dict(found)


def stored_scores(rng=None, what="accuracy"):
    """A function of a list of codes that reads their numbers from the table.

    rng: which seed's number is taken is drawn for each code at its first question, as a training
    would; None: the mean of all seeds. What lets nothing through is worth 0.
    """
    numbers, drawn = stored(what), {}

    def score(code):
        net = space.canonical(code)
        if net is None:
            return 0.0
        if net not in drawn:
            seeds = numbers.get(net, [0.0])  # one that failed in every seed is worth 0
            drawn[net] = float(np.mean(seeds) if rng is None else rng.choice(seeds))
        return drawn[net]

    return lambda codes: [score(code) for code in codes]


def fill(minutes, evaluate=train_cell):
    """Train what is missing, one net after the other, first seed first. Tells how many are done."""
    deadline = time.monotonic() + 60 * minutes
    for seed in range(SEEDS):
        scores = evaluations(seed, evaluate)
        waiting = list(space.different())
        random.shuffle(waiting)  # two processes seldom take the same
        for code in waiting:
            if time.monotonic() > deadline:
                return
            if (code, seed) not in scores.records():
                score, = scores([code])
                print(f"{code} seed {seed}: {score:.3f}; {len(scores.records())} of "
                      f"{SEEDS * len(waiting)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the cells that are not in the table yet.")
    parser.add_argument("--minutes", type=float, default=60)
    fill(parser.parse_args().minutes)
