"""Gradient norms, update ratios, dead units and lesions against what they must be."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from small_nets import LOSS, array, batch, chain, residual_net  # noqa: F401 (batch is a fixture)

from keras_cases.analysis import graph
from keras_cases.analysis.gradients import weight_gradients
from keras_cases.analysis.probes import (
    dead_units, gradient_norms, kernels, lesion, update_ratio, zero_block)


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


def test_a_lesion_leaves_the_shortcut_and_shares_the_weights(batch):
    model = residual_net(blocks=1)
    cut = lesion(model, "block1")
    stem, logits = model.get_layer("stem"), model.get_layer("logits")
    alone = logits(ops.mean(stem(batch[0]), axis=(1, 2)))
    np.testing.assert_allclose(array(cut(batch[0])), array(alone), rtol=1e-5, atol=1e-6)
    assert abs(array(model(batch[0])) - array(alone)).max() > 1e-3
    logits.bias.assign([100.0, 0, 0])
    assert array(cut(batch[0]))[:, 0].min() > 50
    assert cut.count_params() == stem.count_params() + logits.count_params()


def test_lesions_can_follow_one_another_and_leave_the_model_whole(batch):
    model = residual_net(blocks=3)
    before = array(model(batch[0]))
    cut = lesion(lesion(model, "block2"), "block3")
    assert len(kernels(cut)) == len(kernels(model)) - 4
    assert np.array_equal(array(model(batch[0])), before)
    np.testing.assert_allclose(array(cut(batch[0])), array(lesion(lesion(model, "block3"), "block2")
                                                           (batch[0])), rtol=1e-5, atol=1e-6)


def test_the_shortcut_may_be_a_projection_behind_a_shared_activation():
    x = inputs = keras.Input((8, 8, 2))
    before = layers.Activation("relu")(x)
    y = layers.Conv2D(4, 3, padding="same")(before)
    y = layers.Conv2D(4, 3, padding="same")(layers.Activation("relu")(y))
    shortcut = layers.Conv2D(4, 1, name="projection")(before)
    x = layers.Activation("relu", name="exit")(ops.add(shortcut, y))
    cut = lesion(keras.Model(inputs, x), "exit", exits=["exit"])
    assert [layer.name for layer in cut.layers if layer.weights] == ["projection"]


def test_a_block_without_a_shortcut_has_no_lesion():
    plain = chain((8, 8, 2), layers.Conv2D(2, 3), layers.ReLU(name="block1"))
    with pytest.raises(ValueError, match="not the exit of a residual block"):
        lesion(plain, "block1")
    inputs = keras.Input((8, 8, 2))
    twins = layers.Add(name="block1")([layers.Conv2D(2, 3)(inputs), layers.Conv2D(2, 3)(inputs)])
    with pytest.raises(ValueError, match="not clear"):
        lesion(keras.Model(inputs, twins), "block1")
    with pytest.raises(ValueError, match="exits"):
        lesion(plain, "block2")


def test_a_zeroed_preactivation_block_is_the_identity_and_can_be_restored(batch):
    model = residual_net(blocks=2)
    before = array(model(batch[0]))
    old = zero_block(model, "block1")
    assert {v.path.split("/")[-1] for v, _ in old} == {"kernel", "bias", "gamma", "beta"}
    stem_out, exit_out = (graph.find(model, name).outputs[0] for name in ("stem", "block1"))
    a, b = keras.Model(model.input, [stem_out, exit_out])(batch[0])
    assert np.array_equal(array(a), array(b))
    assert not np.allclose(array(model(batch[0])), before)
    for variable, value in old:
        variable.assign(value)
    assert np.array_equal(array(model(batch[0])), before)
