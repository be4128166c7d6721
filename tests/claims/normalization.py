"""Lesson 06: what the lectures state about vanishing gradients and batch normalization.

Of fresh nets of 20 layers, three seeds each, as the lesson stores them; the algorithm is computed here.
"""

import keras
import numpy as np

from claims import NORMAL, claim, gain
from keras_cases import records


def stored(what):
    """(seeds, …), at least three."""
    found = records.over_seeds("06_batch_normalization", what, None, seed=None)
    assert len(found) >= 3
    return found


def gradient(net):
    """First layer ÷ last, of each seed."""
    found = stored(f"profile, {net}")
    assert found.shape[1:] == (3, 20)
    return found[:, 2, 0] / found[:, 2, -1]


@claim("1-019")
def sigmoids(_):
    highest = gradient("sigmoid").max()
    return "< 1e-10" if highest < 1e-10 else highest, highest < 1e-10


@claim("1-019b", "1-019c")
def rectifiers(row):
    found = stored("start, relu, Glorot" if row == "1-019b" else "start, relu, He")[:, 1]
    if row == "1-019b":
        return "< 0.01" if found.max() < 0.01 else found.max(), found.min() > 0.01
    return "> 0.01" if found.min() > 0.01 else found.min(), found.min() > 0.01


@claim("3-041")
def what_the_next_convolution_reads(_):
    """Batch normalization, then ReLU, as in lecture 4's block: mean and deviation of a channel."""
    inputs = keras.Input(NORMAL.shape[1:])
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(inputs))
    read = keras.ops.convert_to_numpy(keras.Model(inputs, x)(3 + 2 * NORMAL, training=True))
    mean, deviation = read.mean((0, 1, 2)).mean(), read.std((0, 1, 2)).mean()
    return f"{mean:.1f} {deviation:.1f}"


@claim("3-042")
def coordination(_):
    without, with_it = stored("kept, relu, He"), stored("kept, relu, BN")
    both = np.concatenate([stored("kept, relu, Glorot"), without])
    mean = [f"{values[:, 0, 1].mean():.2f}" for values in (both, with_it)]
    return " ".join(mean), gain(both[:, 0, 1], with_it[:, 0, 1])


@claim("4-099")
def algorithm_1(_):
    gamma, beta = np.float32([1, 2, 0.5, 3]), np.float32([0, 1, -1, 2])
    norm = keras.layers.BatchNormalization()
    norm.build(NORMAL.shape)
    norm.set_weights([gamma, beta, np.zeros(4), np.ones(4)])
    x = NORMAL.astype("float64") * 2 + 3
    mean = x.mean((0, 1, 2))
    variance = ((x - mean) ** 2).mean((0, 1, 2))
    by_hand = gamma * (x - mean) / np.sqrt(variance + norm.epsilon) + beta
    apart = np.abs(by_hand - keras.ops.convert_to_numpy(norm(x.astype("float32"), training=True))).max()
    return "< 1e-5" if apart < 1e-5 else apart, apart < 1e-5


@claim("4-100")
def normalized_sigmoids(_):
    times = gradient("sigmoid and BN").min() / gradient("sigmoid").max()
    return "> 1e9" if times > 1e9 else times, times > 1e9
