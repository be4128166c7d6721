"""Signal and gradient of small nets against what the chain rule gives."""

import numpy as np
import pytest
from keras import layers, ops
from small_nets import LOSS, batch, chain, residual_net  # noqa: F401 (batch is a fixture)

from keras_cases.analysis.signal import layer_outputs, signal_and_gradient


def test_layer_outputs_normalize_by_the_batch_only_in_training_and_change_nothing():
    model = chain((2,), layers.Dense(3, name="dense"), layers.BatchNormalization(name="norm"))
    model.get_layer("norm").moving_mean.assign([5.0, 5, 5])
    x = np.random.default_rng(0).normal(3, 2, (50, 2)).astype("float32")
    before = model.get_weights()
    judged, trained = (layer_outputs(model, ["norm", "dense"], x, flag) for flag in (False, True))
    assert list(judged) == ["norm", "dense"]
    kernel, bias = model.get_layer("dense").get_weights()
    np.testing.assert_allclose(judged["dense"], x @ kernel + bias, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(judged["norm"], (judged["dense"] - 5) / np.sqrt(1.001), rtol=1e-4,
                               atol=1e-5)
    assert abs(trained["norm"].mean(0)).max() < 1e-5
    assert all(map(np.array_equal, before, model.get_weights()))


def test_signal_and_gradient_of_a_chain_are_those_of_the_chain_rule():
    model = chain((2,), layers.Dense(2, use_bias=False, name="first"),
                  layers.Dense(2, use_bias=False, name="second"))
    model.set_weights([3 * np.eye(2), 5 * np.eye(2)])
    x = np.array([[1.0, 1.0], [-1.0, 3.0]], "float32")

    def half_square(y, outputs):  # its mean over 2 images and 2 outputs: the gradient is outputs / 4
        return ops.square(outputs) / 2

    found = signal_and_gradient(model, ["second", "first"], x, np.zeros((2, 2)), half_square)
    size = np.sqrt(3)                 # of 1, 1, -1, 3
    spread = np.sqrt((1 + 1) / 2)     # of 1, -1, -1, 1 around the means 0, 2
    assert list(found) == ["second", "first"]
    assert found["first"] == pytest.approx((3 * size, 3 * spread, 5 * 15 * size / 4), rel=1e-5)
    assert found["second"] == pytest.approx((15 * size, 15 * spread, 15 * size / 4), rel=1e-5)


def test_all_images_look_the_same_where_the_spread_is_0(batch):
    model = residual_net(blocks=1)
    model.get_layer("stem").kernel.assign(np.zeros((3, 3, 2, 4)))
    model.get_layer("stem").bias.assign(np.ones(4))
    size, spread, gradient = signal_and_gradient(model, ["stem"], *batch, LOSS)["stem"]
    assert size == pytest.approx(1) and spread == 0 < gradient
