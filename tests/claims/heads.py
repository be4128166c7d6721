"""Lesson 05: what auxiliary classifiers, bottlenecks, a mix of kernels and width are good for.

Read from the stored runs in data/results, 3 seeds each, or measured on fresh nets.
"""

import functools

import keras
import numpy as np

from claims import NO_BENEFIT, claim, gain
from keras_cases import data, records, strip_heads
from keras_cases.analysis import probes
from keras_cases.nets.googlenet import googlenet_cifar
from keras_cases.training.loop import standardizer

WEIGHTS = "off", "0.3", "1"  # of the heads; "off": on a detached map, so of no effect


def seeds(runs, figure, mode="full"):
    """The figure of each seed of these stored runs, three at least."""
    found = records.results(f"{runs}-{mode}-seed*")
    assert [record["seed"] for record in found] == [*range(len(found))] and len(found) >= 3
    assert all(record["complete"] and record["data"]["name"] == "cifar10" for record in found)
    return [figure(record) for record in found]


def mean(runs, figure):
    """Over the seeds, in per cent, to a tenth."""
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
    without, with_heads = (seeds(f"googlenet_cifar-heads-{w}", accuracy) for w in ("off", "1"))
    return by_weight(accuracy), gain(without, with_heads)


@claim("0-024", "0-024b")
def accuracy_by_width_of_the_bottleneck(row):
    widths = (16, 64, 192, "-none") if row == "0-024" else (4, 8, "-none")
    found = [f"one_branch-bottleneck{width}" for width in widths]
    *behind, without = (seeds(runs, accuracy) for runs in found)
    return (" ".join(str(mean(runs, accuracy)) for runs in found),
            all(gain(without, each) is not False for each in behind))


def draw_kernels(net, start, seed):
    """Normal kernels of variance 2 / inputs ("He") or 2 / (inputs + outputs) ("Glorot")."""
    rng = np.random.default_rng(seed)
    for layer in net.layers:
        if hasattr(layer, "kernel"):
            *window, reads, filters = layer.kernel.shape
            fans = np.prod(window) * reads, np.prod(window) * filters
            variance = 2 / (fans[0] if start == "He" else sum(fans))
            layer.kernel.assign(rng.normal(0, variance ** 0.5, layer.kernel.shape))


@functools.cache
def times_the_gradient(start, batch_norm=False):
    """How many times larger heads of 0.3 make the gradient of module 3a: lowest and highest of 5 seeds.

    The control is a loss of 1.6 · main, which weighs as much and makes every gradient 1.6 times as large.
    """
    sample, ratios = data.sample("cifar10"), []
    x = np.array(standardizer(sample.x_train)(sample.x_test[:16]))
    net = googlenet_cifar(heads=True, width=0.1, batch_norm=batch_norm)
    kernels = list(probes.kernels(strip_heads(net)))[1:7]
    for seed in range(5):
        draw_kernels(net, start, seed)
        off, on = (probes.gradient_norms(net, x, sample.y_test[:16], lambda y, p, w=w: sum(
            k * keras.losses.sparse_categorical_crossentropy(y, q)
            for k, q in zip((1, w, w), p)), training=batch_norm) for w in (0.0, 0.3))
        ratios.append(sum(on[k] for k in kernels) / sum(off[k] for k in kernels))
    return min(ratios), max(ratios)


@claim("1-085", "1-085e")
def gradient_of_the_first_module(row):
    low, high = times_the_gradient("Glorot" if row == "1-085" else "He")
    return f"{low:.1f} to {high:.1f}", gain([1 + 0.3 + 0.3], [low, high])


@claim("1-085b")
def gradient_of_the_first_module_behind_batch_normalization(_):
    low, high = times_the_gradient("He", batch_norm=True)
    return "< 2" if high < 2 else "> 2"


@claim("1-082c", "1-082d")
def mixed_kernels_at_equal_multiply_adds(row):
    """Three modules: without the mix (four branches, or one), and with it."""
    arms = ("no5x5", "all3x3") if row == "1-082c" else ("3x3", "plain3x3", "two3x3")
    *without, mixed = (seeds(f"kernels-{arm}", accuracy, "fast") for arm in (*arms, "mixed"))
    found = {gain(each, mixed) for each in without}
    return (" ".join(f"{100 * np.mean(each):.1f}" for each in (*without, mixed)),
            found.pop() if len(found) == 1 else NO_BENEFIT)


@claim("1-086")
def nine_modules_against_three_wide_ones(_):
    runs = "googlenet_cifar-heads-off", "googlenet_cifar-wide"
    return (" ".join(str(mean(each, accuracy)) for each in runs),
            gain(*(seeds(each, accuracy) for each in runs)))


@claim("2-050", "2-050b")
def agreement_of_a_head_with_the_last_layer(row):
    head = "aux1" if row == "2-050" else "aux2"

    def agreement(record):
        return record["history"][f"agreement_{head}"][-1]
    without, with_heads = (seeds(f"googlenet_cifar-heads-{w}", agreement) for w in ("off", "0.3"))
    return by_weight(agreement), gain(without, with_heads)


@claim("1-085c", "1-085d")
def without_batch_normalization(row):
    def early(record):
        return record["history"]["accuracy"][3]
    runs, figure = "googlenet_cifar-nobn-heads", early if row == "1-085c" else accuracy
    without, with_heads = (seeds(f"{runs}-{w}", figure) for w in ("off", "0.3"))
    return by_weight(figure, runs, ("off", "0.3")), gain(without, with_heads)
