"""Every loss gets its own weight: names refused, totals proved, weights that move and are learned.

Run on another backend with KERAS_BACKEND=tensorflow, jax or torch.
"""

import functools
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_cases.loss_weights import Learned, fade_out, strip_heads, weighted_losses

NAMES = ["main", "aux1", "aux2"]
NUMBERS = {"main": 1.0, "aux1": 0.3, "aux2": 0.2}
KINDS = {
    "numbers": NUMBERS,
    "schedule": {"main": 1.0, "aux1": fade_out(0.3, epochs=4), "aux2": lambda epoch: 0.2 + epoch},
    "learned": {"main": Learned("regression"), "aux1": 0.3, "aux2": Learned("classification", 0.5)},
}
MSE = dict.fromkeys(NAMES, "mse")

rng = np.random.default_rng(0)
X = rng.normal(size=(20, 4)).astype("float32")
Y = {"main": X[:, :1], "aux1": X[:, 1:2] + 1, "aux2": X[:, 2:3] - 3}


@pytest.fixture
def untraced():
    """TensorFlow without a compiled step: a second less for each test that is not about the step."""
    if keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


not_traced = pytest.mark.usefixtures("untraced")


def build(outputs, regularizer="l2"):
    """Two-layer model; the dict's keys are neither sorted nor the names of its layers."""
    keras.utils.set_random_seed(1)
    pixels = keras.Input((4,))
    shared = layers.Dense(5, "tanh", kernel_regularizer=regularizer, name="shared")(pixels)
    heads = [layers.Dense(1, name=name if outputs == "list" else None)(shared) for name in NAMES]
    return keras.Model(pixels, heads if outputs == "list" else dict(zip(NAMES, heads)))


def by_name(prediction):
    return prediction if isinstance(prediction, dict) else dict(zip(NAMES, prediction))


def regularisers(model):
    return sum(float(ops.convert_to_numpy(loss)) for loss in model.losses)


def parts(logs):
    return {name: logs[f"{name}_loss"] for name in NAMES}


def close(got, wanted, relative=1e-6):
    return got == pytest.approx(wanted, rel=relative, abs=0)


# ---- names ------------------------------------------------------------------------------------

@pytest.mark.parametrize("outputs", ["list", "dict"])
@pytest.mark.parametrize("argument", ["losses", "weights", "targets", "parts"])
@pytest.mark.parametrize("names, problem", [
    (["main", "axu1", "aux2"], "'axu1' is no output, nearest is 'aux1'; 'aux1' is missing"),
    (["main", "aux1"], "'aux2' is missing"),
    ([*NAMES, "aux3"], "'aux3' is no output, nearest is"),
])
def test_every_output_must_be_named_exactly_once(outputs, argument, names, problem):
    model = build(outputs)
    with pytest.raises(ValueError) as refused:
        if argument == "losses":
            weighted_losses(model, dict.fromkeys(names, "mse"), NUMBERS)
        elif argument == "weights":
            weighted_losses(model, MSE, dict.fromkeys(names, 1.0))
        elif argument == "targets":
            weighted_losses(model, MSE, NUMBERS).targets(dict.fromkeys(names, X))
        else:
            weighted_losses(model, MSE, NUMBERS).total(dict.fromkeys(names, 1.0))
    assert str(refused.value).startswith(argument) and problem in str(refused.value)
    assert "The outputs are 'main', 'aux1', 'aux2'" in str(refused.value)


@pytest.mark.parametrize("arguments", [
    (["mse"] * 3, NUMBERS), (MSE, [1.0, 0.3, 0.2]), ("mse", NUMBERS), (MSE, 1.0),
    (MSE, NUMBERS, ["mae"]), (MSE, NUMBERS, "mae"),
])
def test_positional_arguments_are_refused(arguments):
    with pytest.raises(ValueError, match="wanted a dict by output name"):
        weighted_losses(build("list"), *arguments)


def test_metrics_may_leave_outputs_out_but_not_misspell_them():
    with pytest.raises(ValueError, match="metrics: 'mian' is no output, nearest is 'main'"):
        weighted_losses(build("list"), MSE, NUMBERS, {"mian": "mae"})
    plan = weighted_losses(build("list"), MSE, NUMBERS, {"aux1": "mae"})
    assert plan.compile_args()["metrics"] == [None, ["mae"], None]


@pytest.mark.parametrize("weight", [-0.3, float("nan"), float("inf"), None, "0.3", [0.3],
                                    lambda epoch: -1.0])
def test_a_weight_is_a_finite_number_not_below_zero(weight):
    with pytest.raises(ValueError, match=r"weights\['aux1'\].*wanted a finite number >= 0"):
        weighted_losses(build("list"), MSE, NUMBERS | {"aux1": weight})


@pytest.mark.parametrize("loss", [None, ["mse", "mae"], {"a": "mse"}])
def test_a_loss_is_one_loss(loss):
    with pytest.raises(ValueError, match=r"losses\['aux1'\].*wanted one Keras loss"):
        weighted_losses(build("list"), MSE | {"aux1": loss}, NUMBERS)


def test_a_loss_that_is_not_reduced_is_refused():
    loss = keras.losses.MeanSquaredError(reduction="none")
    with pytest.raises(ValueError, match=r"losses\['aux1'\].*reduction='sum_over_batch_size'"):
        weighted_losses(build("list"), MSE | {"aux1": loss}, NUMBERS)
    weighted_losses(build("list"), MSE | {"aux1": keras.losses.MeanSquaredError("sum")}, NUMBERS)


def test_outputs_without_unique_names_are_refused():
    pixels, twice = keras.Input((4,)), layers.Dense(1, name="twice")
    with pytest.raises(ValueError, match="a different name for each output"):
        weighted_losses(keras.Model(pixels, [twice(pixels), twice(-pixels)]), {}, {})
    nested = keras.Model(pixels, {"a": [layers.Dense(1)(pixels)], "b": twice(pixels)})
    with pytest.raises(ValueError, match="wanted a flat list or dict"):
        weighted_losses(nested, {}, {})
    with pytest.raises(ValueError, match="wanted a functional keras.Model"):
        weighted_losses(keras.Sequential([layers.Dense(1)]), {}, {})


# ---- totals -----------------------------------------------------------------------------------

def constant(value):
    return lambda y_true, y_pred: 0.0 * y_pred + value


@pytest.mark.parametrize("outputs", ["list", "dict"])
def test_the_mis_weighting_trap_of_keras_is_there_and_we_do_not_fall_into_it(outputs):
    losses = dict(zip(NAMES, map(constant, (100.0, 10.0, 1.0))))
    weights = {"main": 1.0, "aux1": 0.3, "aux2": 0.3}
    keras_alone = build(outputs, regularizer=None)
    keras_alone.compile("sgd", loss=[*losses.values()], loss_weights=weights, run_eagerly=True)
    y = [X[:, :1]] * 3 if outputs == "list" else dict.fromkeys(NAMES, X[:, :1])
    assert close(keras_alone.evaluate(X, y, verbose=0, return_dict=True)["loss"], 34.0), (
        "Keras has mended the trap: say so in loss_weights.py and run benchmarks/loss_routing.py")

    plan = weighted_losses(build(outputs, regularizer=None), losses, weights)
    logs = plan.compile("sgd").evaluate(X, plan.targets(X[:, :1]), verbose=0, return_dict=True)
    assert close(logs["loss"], 103.3)
    assert parts(logs) == {"main": 100.0, "aux1": 10.0, "aux2": 1.0}


@pytest.mark.parametrize("outputs", ["list", "dict"])
@pytest.mark.parametrize("kind", KINDS)
def test_reported_loss_is_the_weighted_sum_plus_regularisers(outputs, kind):
    model = build(outputs)
    plan = weighted_losses(model, MSE, KINDS[kind])
    trainer, y = plan.compile(keras.optimizers.SGD(0.05)), plan.targets(Y)

    for _ in range(2):      # one batch an epoch: the loss is reported before the step
        weights, before = plan.current_weights(), plan.total(dict.fromkeys(NAMES, 0.0))
        before += regularisers(model)
        logs = {k: v[0] for k, v in trainer.fit(X, y, batch_size=20, verbose=0).history.items()}
        assert close(logs["loss"], sum(weights[n] * parts(logs)[n] for n in NAMES) + before)

    logs = trainer.evaluate(X, y, batch_size=7, verbose=0, return_dict=True)    # 7 + 7 + 6
    assert close(logs["loss"], plan.total(parts(logs)) + regularisers(model))
    for name, prediction in by_name(model.predict(X, verbose=0)).items():
        assert close(logs[f"{name}_loss"], np.mean((prediction - Y[name]) ** 2), 1e-5)

    plan.set_epoch(3)
    weights, before = plan.current_weights(), plan.total(dict.fromkeys(NAMES, 0.0))
    before += regularisers(model)
    trainer.reset_metrics()
    logs = trainer.train_on_batch(X, y, return_dict=True)
    assert close(float(logs["loss"]), sum(weights[n] * parts(logs)[n] for n in NAMES) + before)


# ---- gradients --------------------------------------------------------------------------------

AT_REST = 0.5, 0.3, np.exp(-0.5)    # of KINDS["learned"]: exp(-0)/2, a number, exp(-1/2)
STEPS = {"numbers": ("numbers", 0, (1.0, 0.3, 0.2)), "keras": ("numbers", 0, (1.0, 0.3, 0.2)),
         "schedule": ("schedule", 0, (1.0, 0.3, 0.2)),
         "schedule, epoch 3": ("schedule", 3, (1.0, 0.075, 3.2)), "learned": ("learned", 0, AT_REST)}


def gradients_by_hand(model, weights, images):
    """Of sum of weight x MSE + 0.01 x |kernel|^2 for the net of build(): {name: [kernel, bias]}."""
    kernel, bias = model.get_layer("shared").get_weights()
    hidden = np.tanh(X @ kernel + bias)
    found, back = {}, 0
    for (name, tensor), weight in zip(by_name(model.output).items(), weights):
        layer = keras.Model(model.input, tensor).layers[-1]
        head, offset = layer.get_weights()
        error = weight * images * 2 * (hidden @ head + offset - Y[name]) / len(X)
        found[layer.name] = [hidden.T @ error, error.sum(0)]
        back = back + error @ head.T * (1 - hidden ** 2)
    return found | {"shared": [X.T @ back + 2 * 0.01 * kernel, back.sum(0)]}


@pytest.mark.parametrize("outputs, weighted", [("list", False), ("dict", True)],
                         ids=["list, all images alike", "dict, sample weights"])
@pytest.mark.parametrize("step", STEPS)
def test_a_real_step_goes_down_the_hand_computed_gradient(outputs, weighted, step):
    """One step of SGD at rate 1 moves every weight by its gradient, whatever is reported."""
    kind, epoch, weights = STEPS[step]
    model = build(outputs)
    images = np.linspace(0, 2, 20, dtype="float32")[:, None] if weighted else 1.0
    wanted = gradients_by_hand(model, weights, images)
    before = {layer.name: layer.get_weights() for layer in model.layers}
    plan = weighted_losses(model, MSE, KINDS[kind])
    if step == "keras":
        model.compile(keras.optimizers.SGD(1.0), **plan.compile_args())
        trainer = model
    else:
        trainer = plan.compile(keras.optimizers.SGD(1.0))
    trainer.fit(X, plan.targets(Y), batch_size=20, shuffle=False, initial_epoch=epoch, verbose=0,
                epochs=epoch + 1, sample_weight=plan.targets(images[:, 0]) if weighted else None)
    for name, gradients in wanted.items():
        for old, new, gradient in zip(before[name], model.get_layer(name).get_weights(), gradients):
            np.testing.assert_allclose(old - new, gradient, rtol=1e-4, atol=2e-6, err_msg=name)


TWO_REPLICAS = """
import contextlib, json
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, numpy as np
from test_loss_weights import KINDS, MSE, X, Y, build, weighted_losses
found, strategy = [], tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
for kind in ("schedule", "learned"):
    for scope in (contextlib.nullcontext, strategy.scope):
        with scope():
            model = build("dict")
            plan = weighted_losses(model, MSE, KINDS[kind])
            trainer = plan.compile(keras.optimizers.SGD(0.05))
        history = trainer.fit(X, plan.targets(Y), batch_size=20, epochs=2, shuffle=False,
                              verbose=0).history
        found.append([history, plan.current_weights(), [w.tolist() for w in model.get_weights()]])
print(json.dumps(found))
"""


def test_two_replicas_report_and_learn_what_one_does():
    """Each replica sees half a batch; regularisers and s/2 still count once."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.distribute is TensorFlow's; run this with KERAS_BACKEND=tensorflow")
    here = Path(__file__).resolve().parent
    env = os.environ | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "",
                        "PYTHONPATH": os.pathsep.join([str(here.parent), str(here)])}
    done = subprocess.run([sys.executable, "-c", TWO_REPLICAS], text=True, capture_output=True,
                          env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    alone, both, alone_learned, both_learned = json.loads(done.stdout.splitlines()[-1])
    for one, two in ((alone, both), (alone_learned, both_learned)):
        for key in one[0]:
            np.testing.assert_allclose(two[0][key], one[0][key], rtol=1e-5, err_msg=key)
        assert two[1] == pytest.approx(one[1], rel=1e-5)
        for first, second in zip(one[2], two[2], strict=True):
            np.testing.assert_allclose(second, first, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("outputs", ["list", "dict"])
def test_keras_with_compile_args_reports_and_learns_what_the_trainer_does(outputs):
    by_keras, by_trainer = build(outputs), build(outputs)
    metrics = {"aux1": "mae"} if outputs == "list" else None    # see compile_args on Keras 3.7
    plan = weighted_losses(by_keras, MSE, NUMBERS, metrics)
    by_keras.compile("adam", **plan.compile_args())
    trainer = weighted_losses(by_trainer, MSE, NUMBERS, metrics).compile("adam")
    fit = {"y": plan.targets(Y), "batch_size": 10, "epochs": 2, "shuffle": False, "verbose": 0}
    wanted, got = by_keras.fit(X, **fit).history, trainer.fit(X, **fit).history
    assert {f"{name}_weight" for name in NAMES} == set(got) - set(wanted)
    for key in wanted:
        np.testing.assert_allclose(got[key], wanted[key], rtol=1e-5, err_msg=key)
    for one, other in zip(by_keras.get_weights(), by_trainer.get_weights()):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
    logs = by_keras.evaluate(X, plan.targets(Y), batch_size=10, verbose=0, return_dict=True)
    assert close(logs["loss"], plan.total(parts(logs)) + regularisers(by_keras))


@not_traced
@pytest.mark.parametrize("outputs", ["list", "dict"])
@pytest.mark.parametrize("kind", ["numbers", "schedule"])
def test_metrics_and_sample_weights_reach_their_own_output(outputs, kind):
    model = build(outputs, regularizer=None)
    plan = weighted_losses(model, MSE, KINDS[kind], {"aux2": ["mae"], "main": "mae"})
    trainer = plan.compile("sgd", weighted_metrics={"aux1": "mae"})
    weigh = {name: rng.uniform(size=20).astype("float32") for name in NAMES}
    logs = trainer.evaluate(X, plan.targets(Y), sample_weight=plan.targets(weigh),
                            batch_size=20, verbose=0, return_dict=True)
    error = {name: np.abs(prediction - Y[name])[:, 0]
             for name, prediction in by_name(model.predict(X, verbose=0)).items()}
    for name in NAMES:
        assert close(logs[f"{name}_loss"], np.mean(weigh[name] * error[name] ** 2), 1e-5)
    assert close(logs["main_mae"], error["main"].mean(), 1e-5)
    assert close(logs["aux2_mae"], error["aux2"].mean(), 1e-5)
    assert close(logs["aux1_mae"], np.average(error["aux1"], weights=weigh["aux1"]), 1e-5)
    assert close(logs["loss"], plan.total(parts(logs)))


@not_traced
@pytest.mark.parametrize("outputs", ["list", "dict"])
def test_heads_may_share_integer_labels_and_name_their_losses_in_short(outputs):
    pixels = keras.Input((4,))
    heads = {name: layers.Dense(3, "softmax", name=name)(pixels) for name in NAMES}
    model = keras.Model(pixels, [*heads.values()] if outputs == "list" else heads)
    labels = rng.integers(3, size=20)
    plan = weighted_losses(model, dict.fromkeys(NAMES, "crossentropy"), KINDS["schedule"],
                           dict.fromkeys(NAMES, "accuracy"))
    logs = plan.compile("sgd").evaluate(X, plan.targets(labels), verbose=0, return_dict=True)
    for name, prediction in by_name(model.predict(X, verbose=0)).items():
        assert close(logs[f"{name}_loss"], -np.log(prediction[range(20), labels]).mean(), 1e-5)
        assert close(logs[f"{name}_accuracy"], np.mean(prediction.argmax(-1) == labels), 1e-5)


@not_traced
def test_class_weights_work_for_one_output_and_keras_refuses_them_for_several():
    pixels = keras.Input((4,))
    single = keras.Model(pixels, layers.Dense(1, name="main")(pixels))
    labels = (X[:, :1] > 0).astype("float32")
    for weight in (0.5, lambda epoch: 0.5):
        plan = weighted_losses(single, {"main": "mse"}, {"main": weight})
        error = (single.predict(X, verbose=0) - labels) ** 2
        history = plan.compile(keras.optimizers.SGD(0.0)).fit(
            X, plan.targets(labels), class_weight={0: 1.0, 1: 3.0}, verbose=0).history
        assert close(history["loss"][0], 0.5 * np.mean((1 + 2 * labels) * error), 1e-5)
    plan = weighted_losses(build("list"), MSE, NUMBERS)
    with pytest.raises(ValueError, match="class_weight"):
        plan.compile("sgd").fit(X, plan.targets(Y), class_weight={0: 1.0, 1: 3.0}, verbose=0)


@not_traced
@pytest.mark.parametrize("form", ["tensor", "list", "dict", "Sequential"])
def test_single_output_models_of_every_form(form):
    pixels, head = keras.Input((4,)), layers.Dense(1, name="main")
    if form == "Sequential":
        model = keras.Sequential([pixels, head])
    else:
        out = head(pixels)
        model = keras.Model(pixels, {"tensor": out, "list": [out], "dict": {"main": out}}[form])
    for weight in (0.5, fade_out(0.5, epochs=2)):
        plan = weighted_losses(model, {"main": "mse"}, {"main": weight}, {"main": "mae"})
        trainer, y = plan.compile(keras.optimizers.SGD(0.0)), plan.targets({"main": Y["main"]})
        logs = trainer.evaluate(X, y, verbose=0, return_dict=True)
        prediction = model.predict(X, verbose=0)
        error = (prediction["main"] if form == "dict" else prediction) - Y["main"]
        assert close(logs["loss"], 0.5 * np.mean(error ** 2), 1e-5)
        assert close(logs["mae"], np.mean(np.abs(error)), 1e-5)


# ---- weights that move ------------------------------------------------------------------------

def test_fade_out_is_a_straight_line_to_zero():
    assert [fade_out(0.5, epochs=4)(epoch) for epoch in range(6)] == [0.5, 0.375, 0.25, 0.125, 0, 0]
    with pytest.raises(ValueError, match="positive number of epochs"):
        fade_out(0.3, epochs=0)


@pytest.mark.parametrize("outputs", ["list", "dict"])
def test_a_schedule_changes_the_weight_every_epoch_and_nothing_retraces(outputs):
    traces = []

    def counted(y_true, y_pred):
        traces.append(1)    # runs when the step is traced, not when it is executed
        return ops.mean((y_true - y_pred) ** 2, axis=-1)

    plan = weighted_losses(build(outputs, regularizer=None), MSE | {"aux1": counted},
                           KINDS["schedule"])
    trainer, y = plan.compile(keras.optimizers.SGD(0.01)), plan.targets(Y)
    first = trainer.fit(X, y, batch_size=10, verbose=0, validation_data=(X, y)).history
    traced = len(traces)
    later = trainer.fit(X, y, batch_size=10, verbose=0, validation_data=(X, y),
                        initial_epoch=1, epochs=6).history
    assert traced > 0
    if keras.backend.backend() != "torch":      # torch runs eagerly: there is no trace to count
        assert len(traces) == traced
    history = {key: first[key] + later[key] for key in first}
    assert history["aux1_weight"] == pytest.approx([0.3, 0.225, 0.15, 0.075, 0, 0])
    assert history["aux2_weight"] == pytest.approx([0.2, 1.2, 2.2, 3.2, 4.2, 5.2])
    for prefix in ("", "val_"):
        for epoch in range(6):
            reported = {name: history[f"{prefix}{name}_loss"][epoch] for name in NAMES}
            assert close(history[f"{prefix}loss"][epoch], plan.total(reported, epoch=epoch))


@not_traced
def test_a_schedule_that_turns_bad_stops_with_the_output_and_the_epoch():
    plan = weighted_losses(build("list"), MSE, NUMBERS | {"aux1": lambda epoch: 0.3 - 0.2 * epoch})
    with pytest.raises(ValueError, match=r"weights\['aux1'\] at epoch 2"):
        plan.compile("sgd").fit(X, plan.targets(Y), epochs=4, verbose=0)


def test_compile_refuses_what_it_cannot_hold():
    plan = weighted_losses(build("list"), MSE, KINDS["learned"])
    with pytest.raises(ValueError, match="'main', 'aux2'.* change while training"):
        plan.compile_args()
    with pytest.raises(ValueError, match="by name"):
        plan.compile("sgd", loss="mse")


def test_learned_weights_take_the_step_and_reach_the_rest_of_the_formula():
    values = {"main": 4.0, "aux1": 0.25, "aux2": 4.0}
    kinds = {"main": "regression", "aux1": "classification", "aux2": "classification"}
    plan = weighted_losses(build("list"), {name: constant(v) for name, v in values.items()},
                           {name: Learned(kind, 0.1) for name, kind in kinds.items()})
    trainer, y = plan.compile(keras.optimizers.SGD(1.0)), plan.targets(Y)

    half = {name: 0.5 if kinds[name] == "regression" else 1.0 for name in NAMES}
    assert plan.current_weights() == pytest.approx({n: half[n] * np.exp(-0.1) for n in NAMES})
    wanted = sum(half[n] * np.exp(-0.1) * values[n] + 0.05 for n in NAMES)
    assert plan.total(values) == pytest.approx(wanted, rel=1e-6)
    trainer.fit(X, y, batch_size=20, verbose=0)      # s <- s - (1/2 - weight * L)
    stepped = {n: 0.1 - (0.5 - half[n] * np.exp(-0.1) * values[n]) for n in NAMES}
    assert plan.current_weights() == pytest.approx({n: half[n] * np.exp(-stepped[n])
                                                    for n in NAMES}, rel=1e-5)
    trainer.fit(X, y, batch_size=20, epochs=25, verbose=0)
    assert plan.current_weights() == pytest.approx({n: 1 / (2 * values[n]) for n in NAMES},
                                                   rel=1e-4)


def test_the_noisier_head_gets_the_smaller_weight_and_its_variance_is_learned():
    keras.utils.set_random_seed(2)
    draw = np.random.default_rng(2).normal
    x, noise = draw(size=(500, 2)).astype("float32"), {"clean": 0.3, "noisy": 2.0}
    y = {name: (x @ [[1.0], [-1.0]] + std * draw(size=(500, 1))).astype("float32")
         for name, std in noise.items()}
    pixels = keras.Input((2,))
    model = keras.Model(pixels, {name: layers.Dense(1)(pixels) for name in noise})
    plan = weighted_losses(model, dict.fromkeys(noise, "mse"),
                           dict.fromkeys(noise, Learned("regression")))
    trainer = plan.compile(keras.optimizers.Adam(0.05))
    history = trainer.fit(x, plan.targets(y), batch_size=100, epochs=40, verbose=0).history
    weights = plan.current_weights()
    assert weights["clean"] > 0.5 > weights["noisy"]     # both started at 1/2
    for name, std in noise.items():
        assert 1 / (2 * weights[name]) == pytest.approx(std ** 2, rel=0.2)
        assert history[f"{name}_weight"][-1] == pytest.approx(weights[name])


def test_learned_names_its_two_kinds():
    for bad in (("softmax",), ("regression", float("nan"))):
        with pytest.raises(ValueError, match="wanted kind 'classification'"):
            Learned(*bad)


@not_traced
def test_stopping_early_watches_the_loss_of_one_output():
    """Training only aux1, the total falls; main, which nobody trains, stops the run."""
    weights = {"main": 0.0, "aux1": lambda epoch: 1.0 + epoch, "aux2": 0.0}
    plan = weighted_losses(build("list", regularizer=None), MSE, weights)
    y = plan.targets(Y | {"main": 100 - 100 * Y["aux1"]})
    stop = keras.callbacks.EarlyStopping("val_main_loss", mode="min")
    history = plan.compile(keras.optimizers.SGD(0.05)).fit(
        X, y, epochs=9, validation_data=(X, y), verbose=0, callbacks=[stop]).history
    assert stop.stopped_epoch == len(history["loss"]) - 1 < 8
    assert history["val_aux1_loss"] == sorted(history["val_aux1_loss"], reverse=True)


@not_traced
@pytest.mark.parametrize("method", ["fit", "evaluate"])
def test_the_model_itself_says_that_its_trainer_is_the_one_to_fit(method):
    model = build("list")
    plan = weighted_losses(model, MSE, KINDS["schedule"])
    trainer, y = plan.compile("sgd"), plan.targets(Y)
    with pytest.raises(ValueError, match=rf"trainer = plan.compile.*trainer.{method}\("):
        getattr(model, method)(X, y)
    getattr(trainer, method)(X, y, verbose=0)
    model.compile("sgd", MSE)   # who compiles the model itself is free to fit it
    getattr(model, method)(X, y, verbose=0)


# ---- the recipes of the page --------------------------------------------------------------------

def recipes():
    place = Path(__file__).resolve().parent.parent / "benchmarks" / "loss_recipes.py"
    spec = importlib.util.spec_from_file_location("loss_recipes", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@not_traced
def test_the_recipe_of_the_heads():
    images, labels = np.ones((4, 32, 32, 3), "float32"), np.arange(4)
    page = recipes()  # with three modules of nine: on JAX the whole net compiles for a minute
    page.googlenet_cifar = functools.partial(page.googlenet_cifar, modules=("3a", "4a", "4d"))
    history, stripped = page.googlenet_heads(images, labels)
    wanted = sum(w * history[f"{n}_loss"][0] for n, w in (("main", 1), ("aux1", .3), ("aux2", .3)))
    assert history["loss"][0] == pytest.approx(wanted, rel=1e-5)
    assert stripped.output_shape == (None, 10)


@not_traced
def test_the_recipe_of_two_tasks():
    history, _ = recipes().a_regression_beside_a_classification(X, np.arange(20) % 10, X[:, :1])
    assert history["loss"][0] == pytest.approx(
        history["digit_loss"][0] + 10 * history["size_loss"][0], rel=1e-5)
    assert {"digit_accuracy", "size_mae"} <= set(history)


@not_traced
def test_the_recipe_of_a_weight_that_fades():
    history, _ = recipes().a_weight_that_fades(X, np.arange(20) % 10)
    assert history["aux_weight"] == pytest.approx([0.3, 0.225, 0.15, 0.075])
    for epoch, weight in enumerate(history["aux_weight"]):
        assert history["loss"][epoch] == pytest.approx(
            history["main_loss"][epoch] + weight * history["aux_loss"][epoch], rel=1e-5)


# ---- the clean model --------------------------------------------------------------------------

@not_traced
@pytest.mark.parametrize("outputs", ["list", "dict"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_model_itself_is_trained_stays_clean_and_loads_from_its_file(outputs, kind, tmp_path):
    model = build(outputs)
    size, before = model.count_params(), by_name(model.predict(X, verbose=0))
    plan = weighted_losses(model, MSE, KINDS[kind])
    trainer = plan.compile(keras.optimizers.SGD(0.05))
    trainer.fit(X, plan.targets(Y), verbose=0,
                callbacks=keras.callbacks.ModelCheckpoint(tmp_path / "epoch.keras"))
    after = by_name(model.predict(X, verbose=0))
    assert model.count_params() == size
    assert all(np.abs(after[name] - before[name]).max() > 1e-3 for name in NAMES)

    model.save(tmp_path / "clean.keras")
    for file in ("clean.keras", "epoch.keras"):
        loaded = keras.models.load_model(tmp_path / file)
        assert type(loaded) is type(model) and loaded.count_params() == size
        for name, prediction in by_name(loaded.predict(X, verbose=0)).items():
            np.testing.assert_array_equal(prediction, after[name])


@not_traced
@pytest.mark.parametrize("outputs", ["list", "dict"])
def test_stripping_the_heads_keeps_the_main_predictions(outputs, tmp_path):
    model = build(outputs)
    plan = weighted_losses(model, MSE, KINDS["schedule"])
    plan.compile("adam").fit(X, plan.targets(Y), verbose=0)
    slim = strip_heads(model, keep="main")
    main = by_name(model.predict(X, verbose=0))["main"]
    np.testing.assert_array_equal(slim.predict(X, verbose=0), main)
    assert {id(w) for w in slim.weights} < {id(w) for w in model.weights}   # shared, not copied
    assert model.count_params() - slim.count_params() == 2 * (5 + 1)
    slim.save(tmp_path / "slim.keras")
    loaded = keras.models.load_model(tmp_path / "slim.keras")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), main)
    with pytest.raises(ValueError, match="'mian' is no output, nearest is 'main'"):
        strip_heads(model, keep="mian")


@not_traced
def test_models_with_a_dict_of_inputs_keep_it():
    inputs = {name: keras.Input((4,), name=name) for name in ("left", "right")}
    merged = layers.Concatenate()([inputs["left"], inputs["right"]])
    model = keras.Model(inputs, [layers.Dense(1, name=name)(merged) for name in NAMES])
    plan = weighted_losses(model, MSE, KINDS["schedule"])
    x = {"right": X, "left": -X}
    logs = plan.compile("sgd").evaluate(x, plan.targets(Y), verbose=0, return_dict=True)
    assert close(logs["loss"], plan.total(parts(logs)))
    np.testing.assert_array_equal(strip_heads(model, "aux2").predict(x, verbose=0),
                                  model.predict(x, verbose=0)[2])
