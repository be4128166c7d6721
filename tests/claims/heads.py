"""Lesson 05: what auxiliary classifiers, bottlenecks and width are good for.

Read from the stored runs in data/results, 3 seeds each, or measured on fresh nets.
"""

import functools

import keras
import numpy as np

from claims import claim, gain
from keras_cases import records, strip_heads
from keras_cases.analysis import probes
from keras_cases.nets.googlenet import googlenet_cifar

WEIGHTS = "off", "0.3", "1"  # of the heads; "off": on a detached map, so of no effect


def seeds(runs, figure):
    """The figure of each of the three seeds of these stored runs."""
    found = records.results(f"{runs}-full-seed*")
    assert [record["seed"] for record in found] == [0, 1, 2]
    assert all(record["complete"] and record["data"]["name"] == "cifar10" for record in found)
    return [figure(record) for record in found]


def mean(runs, figure):
    """Over the three seeds, in per cent, to a tenth."""
    return round(100 * float(np.mean(seeds(runs, figure))), 1)


def accuracy(record):
    return record["accuracy"]


def by_weight(figure, runs="googlenet_cifar-heads", weights=WEIGHTS):
    return " ".join(str(mean(f"{runs}-{weight}", figure)) for weight in weights)


@claim("0-023")
def gap_between_training_and_held_out_accuracy(_):
    def gap(record):
        return record["running_accuracy"] - record["accuracy"]
    off, strongest = (seeds(f"googlenet_cifar-heads-{w}", gap) for w in ("off", "1"))
    return by_weight(gap), gain(strongest, off)


@claim("0-023b")
def held_out_accuracy(_):
    return by_weight(accuracy)


@claim("0-024", "0-024b")
def accuracy_by_width_of_the_bottleneck(row):
    widths = (16, 64, 192, "-none") if row == "0-024" else (4, 8, "-none")
    found = [f"one_branch-bottleneck{width}" for width in widths]
    *behind, without = (seeds(runs, accuracy) for runs in found)
    return (" ".join(str(mean(runs, accuracy)) for runs in found),
            all(gain(without, each) is not False for each in behind))


@functools.cache
def times_the_gradient(batch_norm):
    """How many times larger heads of 0.3 make the gradient of module 3a's first kernel."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16, 32, 32, 3)).astype("float32"), rng.integers(0, 10, 16)
    ratios = []
    for seed in range(3):
        keras.utils.set_random_seed(seed)
        net = googlenet_cifar(heads=True, width=0.1, batch_norm=batch_norm)
        kernel = list(probes.kernels(strip_heads(net)))[1]
        norms = [probes.gradient_norms(net, x, y, lambda y, p, w=w: sum(
            k * keras.losses.sparse_categorical_crossentropy(y, q)
            for k, q in zip((1, w, w), p)))[kernel] for w in (0.0, 0.3)]
        ratios.append(norms[1] / norms[0])
    return float(np.mean(ratios))


@claim("1-085", "1-085b")
def gradient_of_the_first_module(row):
    times = times_the_gradient(batch_norm=row == "1-085b")
    return "> 2" if times > 2 else "< 2", times > 1 if row == "1-085" else None


@claim("1-086")
def nine_modules_against_three_wide_ones(_):
    runs = "googlenet_cifar-heads-off", "googlenet_cifar-wide"
    return (" ".join(str(mean(each, accuracy)) for each in runs),
            gain(*(seeds(each, accuracy) for each in runs)))


@claim("2-050")
def agreement_of_the_first_head_with_the_last_layer(_):
    def agreement(record):
        return record["history"]["agreement_aux1"][-1]
    without, *with_heads = (seeds(f"googlenet_cifar-heads-{w}", agreement) for w in WEIGHTS)
    return by_weight(agreement), all(np.mean(each) > np.mean(without) for each in with_heads)


@claim("1-085c", "1-085d")
def without_batch_normalization(row):
    def early(record):
        return record["history"]["accuracy"][3]
    return by_weight(early if row == "1-085c" else accuracy, "googlenet_cifar-nobn-heads",
                     ("off", "0.3"))
