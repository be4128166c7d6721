"""Gradient norms, update ratios and dead units against what they must be."""

import keras
import numpy as np
import pytest
from keras import layers
from small_nets import LOSS, array, batch, chain, residual_net  # noqa: F401 (batch is a fixture)

from keras_cases.analysis import graph
from keras_cases.analysis.gradients import weight_gradients
from keras_cases.analysis.probes import (
    dead_units, gradient_norms, kernels, linear_probes, residual_ratios, update_ratio)


def test_gradient_norms_are_those_of_the_kernels_from_first_to_last(batch):
    model = residual_net()
    norms = gradient_norms(model, *batch, LOSS)
    _, gradients = weight_gradients(model, *batch, LOSS)
    assert len(norms) == 1 + 2 * 2 + 1
    assert list(norms)[0] == "stem/kernel" and list(norms)[-1] == "logits/kernel"
    assert all(value == pytest.approx(np.sqrt((gradients[path] ** 2).sum()), rel=1e-4)
               for path, value in norms.items())


def test_the_update_ratio_of_one_sgd_step_is_rate_times_gradient_by_weight(batch):
    model = residual_net()
    norms, before = gradient_norms(model, *batch, LOSS), kernels(model)
    model.compile(keras.optimizers.SGD(0.1), LOSS)
    model.train_on_batch(*batch)
    for path, ratio in update_ratio(before, kernels(model)).items():
        assert ratio == pytest.approx(0.1 * norms[path] / np.linalg.norm(before[path]), rel=0.01)
    zeros, ones = {"k": np.zeros(3)}, {"k": np.ones(3)}
    assert update_ratio(zeros, ones) == {"k": np.inf} and update_ratio(zeros, zeros) == {"k": 0}
    with pytest.raises(ValueError, match="same model"):
        update_ratio(zeros, before)


def test_a_filter_that_a_low_bias_silences_is_dead(batch):
    model = chain((8, 8, 2), layers.Conv2D(4, 3, name="conv"), layers.ReLU(name="relu"),
                  layers.Flatten(), layers.Dense(8, name="dense"), layers.ReLU(name="end"))
    model.get_layer("conv").bias.assign([-1e3, 1, 1, 1])
    model.get_layer("dense").bias.assign([-1e3] * 6 + [1e3] * 2)
    assert dead_units(model, ["relu", "end"], batch[0], batch_size=4) == {"relu": 0.25, "end": 0.75}


def test_a_linear_probe_reads_what_a_line_can_separate_and_no_more():
    rng = np.random.default_rng(0)
    y, y_test = rng.integers(0, 3, 300), rng.integers(0, 3, 90)

    def images(classes):  # the class is the mean of a channel; the pixels are noise
        noise = rng.normal(size=(len(classes), 4, 4, 3))
        return (3 * np.eye(3)[classes][:, None, None] + noise).astype("float32")

    model = chain((4, 4, 3), layers.Activation("linear", name="whole"), layers.Flatten(name="flat"),
                  layers.Dense(3, kernel_initializer="zeros", name="nothing"))
    scores = linear_probes(model, ["whole", "flat", "nothing"], images(y), y, images(y_test), y_test,
                           batch_size=64)
    assert list(scores) == ["whole", "flat", "nothing"]
    assert scores["whole"] > 0.95 and 0.2 < scores["nothing"] < 0.5
    assert linear_probes(model, ["whole"], images(y), y[rng.permutation(300)], images(y_test),
                         y_test)["whole"] < 0.6  # fitted on the labels given, judged on the test part
    assert linear_probes(model, ["whole"], 1e3 * images(y) + 50, y[:, None], 1e3 * images(y_test) + 50,
                         y_test[:, None])["whole"] > 0.95  # standardized; labels as CIFAR-10 has them


def test_a_penalized_probe_keeps_its_constant():
    """With an endless penalty the probe says the commonest class, as a constant does."""
    x = np.random.default_rng(1).normal(size=(20, 2, 2, 1)).astype("float32")
    y = np.array([0] * 5 + [1] * 15)
    model = chain((2, 2, 1), layers.Activation("linear", name="whole"))
    assert linear_probes(model, ["whole"], x, y, x, y, ridge=1e12)["whole"] == 0.75


def test_the_residual_ratio_of_a_block_is_its_branch_over_its_shortcut(batch):
    model = residual_net(blocks=2)
    ratios = residual_ratios(model, batch[0], batch_size=4)
    assert list(ratios) == ["block1", "block2"]
    stem, first, second = map(array, keras.Model(model.input, [
        graph.find(model, name).outputs[0] for name in ("stem", "block1", "block2")])(batch[0]))
    for name, before, after in (("block1", stem, first), ("block2", first, second)):
        wanted = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after)]
        np.testing.assert_allclose(ratios[name], wanted, rtol=1e-3)
