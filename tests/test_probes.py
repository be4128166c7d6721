"""Gradient norms, update ratios and dead units against what they must be."""

import keras
import numpy as np
import pytest
from keras import layers
from small_nets import LOSS, array, batch, chain, residual_net  # noqa: F401 (batch is a fixture)

from keras_cases.analysis.gradients import weight_gradients
from keras_cases.analysis.probes import dead_units, gradient_norms, kernels, update_ratio


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
