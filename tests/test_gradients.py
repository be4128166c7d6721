"""Gradients against formulas and finite differences, and from one backend to another.

Run on another backend with KERAS_BACKEND=tensorflow, jax or torch.
"""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers
from small_nets import LOSS, array, batch, chain, residual_net  # noqa: F401 (batch is a fixture)

from keras_cases.analysis.gradients import activation_gradients, input_gradient, weight_gradients


def test_the_gradients_of_a_linear_classifier_are_those_of_the_formula():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4)).astype("float32"), np.array([0, 2, 1, 1, 0])
    model = chain((4,), layers.Dense(6, name="hidden"), layers.Dense(3, name="logits"))
    hidden, logits = model.get_layer("hidden"), model.get_layer("logits")
    a = x @ array(hidden.kernel)
    scores = np.exp(a @ array(logits.kernel))
    wrong = (scores / scores.sum(axis=1, keepdims=True) - np.eye(3)[y]) / 5
    value, gradients = weight_gradients(model, x, y, LOSS)
    assert list(gradients) == [v.path for v in model.trainable_variables]
    assert value == pytest.approx(-np.log((wrong * 5 + np.eye(3)[y])[range(5), y]).mean(), rel=1e-5)
    np.testing.assert_allclose(gradients[logits.kernel.path], a.T @ wrong, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradients[hidden.bias.path],
                               (wrong @ array(logits.kernel).T).sum(axis=0), rtol=1e-4, atol=1e-6)
    again, inner = activation_gradients(model, ["logits", "hidden"], x, y, LOSS)
    assert again == pytest.approx(value) and list(inner) == ["hidden", "logits"]
    np.testing.assert_allclose(inner["logits"], wrong, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(inner["hidden"], wrong @ array(logits.kernel).T,
                               rtol=1e-4, atol=1e-6)


def test_through_batch_normalization_the_gradient_predicts_the_change_of_the_loss(batch):
    model = residual_net()
    _, gradients = weight_gradients(model, *batch, LOSS)
    step = 0.02 / np.sqrt(sum((g**2).sum() for g in gradients.values()))
    old, values = [array(v) for v in model.trainable_variables], []
    for sign in (1, -1):
        for variable, value, gradient in zip(model.trainable_variables, old, gradients.values()):
            variable.assign(value + sign * step * gradient)
        values.append(weight_gradients(model, *batch, LOSS)[0])
    predicted = 2 * step * sum((g**2).sum() for g in gradients.values())
    assert values[0] - values[1] == pytest.approx(predicted, rel=0.03)


def test_taking_gradients_changes_nothing_in_the_model(batch):
    model = chain((8, 8, 2), layers.Conv2D(3, 3), layers.BatchNormalization(name="norm"),
                  layers.Dropout(0.5), layers.Flatten(), layers.Dense(3))
    before = [array(v) for v in model.variables]
    weight_gradients(model, *batch, LOSS)
    activation_gradients(model, ["norm"], *batch, LOSS)
    input_gradient(model, batch[0], training=True)
    assert all(np.array_equal(old, array(new)) for old, new in zip(before, model.variables))


def test_training_false_uses_the_moving_averages(batch):
    model = residual_net()
    assert weight_gradients(model, *batch, LOSS, training=False)[0] == pytest.approx(
        float(array(LOSS(batch[1], model(batch[0], training=False)))), rel=1e-5)
    assert weight_gradients(model, *batch, LOSS)[0] == pytest.approx(
        float(array(LOSS(batch[1], model(batch[0], training=True)))), rel=1e-5)


def test_the_input_gradient_of_a_linear_net_is_its_kernel():
    model = chain((4,), layers.Dense(3, name="dense"))
    kernel, x = array(model.get_layer("dense").kernel), np.array([[1, 2, 3, 4], [4, -3, 2, -1.0]])
    np.testing.assert_allclose(input_gradient(model, x, 2), kernel[:, [2, 2]].T, rtol=1e-5)
    np.testing.assert_allclose(input_gradient(model, x, [0, 1]), kernel[:, [0, 1]].T, rtol=1e-5)
    best = (x @ kernel).argmax(axis=1)
    np.testing.assert_allclose(input_gradient(model, x), kernel[:, best].T, rtol=1e-5)
    half = input_gradient(model, x, lambda y: y[:, 0] / 2)
    np.testing.assert_allclose(half, kernel[:, [0, 0]].T / 2, rtol=1e-5)


def test_several_inputs_and_outputs_take_a_loss_of_ones_own():
    a, b = keras.Input((3,)), keras.Input((3,))
    dense = layers.Dense(1, use_bias=False)
    model = keras.Model([a, b], {"one": dense(a), "two": dense(layers.Add(name="sum")([a, b]))})
    x = [np.ones((2, 3), "float32"), np.full((2, 3), 2, "float32")]

    def loss(y, outputs):
        return outputs["one"] + 0.5 * outputs["two"] + y

    value, gradients = weight_gradients(model, x, np.zeros((2, 1), "float32"), loss)
    np.testing.assert_allclose(gradients[dense.kernel.path], np.full((3, 1), 1 + 1.5), rtol=1e-5)
    assert value == pytest.approx(2.5 * array(dense.kernel).sum(), rel=1e-4, abs=1e-6)
    _, inner = activation_gradients(model, ["sum"], x, np.zeros((2, 1), "float32"), loss)
    np.testing.assert_allclose(inner["sum"], array(dense.kernel).T.repeat(2, 0) / 4, rtol=1e-5)


def test_the_gradient_for_the_images_is_not_an_activation_gradient(batch):
    model = residual_net()
    with pytest.raises(ValueError, match="input_gradient"):
        activation_gradients(model, [model.layers[0].name], *batch, LOSS)


PROBE = """
import sys; sys.path[:0] = [{tests!r}]
import numpy as np, keras
from small_nets import LOSS, residual_net
from keras_cases.analysis.gradients import activation_gradients, input_gradient, weight_gradients
model = residual_net()
rng = np.random.default_rng(3)
for v in model.weights:
    v.assign(rng.uniform(0.1, 1, v.shape) * rng.choice([-1, 1]) ** (v.name[:4] in ("kern", "bias")))
x, y = rng.normal(size=(6, 8, 8, 2)).astype("float32"), rng.integers(0, 3, 6)
value, weights = weight_gradients(model, x, y, LOSS)
inner = activation_gradients(model, ["block1"], x, y, LOSS)[1]
np.savez({out!r}, value, input_gradient(model, x), inner["block1"], *weights.values())
"""


@pytest.mark.slow
def test_tensorflow_jax_and_torch_give_the_same_gradients(tmp_path):
    results = {}
    for backend in ("tensorflow", "jax", "torch"):
        out = str(tmp_path / f"{backend}.npz")
        code = PROBE.format(tests=os.path.dirname(__file__), out=out)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              env={**os.environ, "KERAS_BACKEND": backend})
        if "ModuleNotFoundError" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr[-2000:]
        results[backend] = list(np.load(out).values())
    assert len(results) > 1
    first, *others = results.values()
    largest = max(abs(a).max() for a in first[3:])
    for other in others:
        for a, b in zip(first, other, strict=True):
            scale = max(abs(a).max(), 1e-3 * largest)
            assert abs(a - b).max() <= 1e-4 * scale
