"""The training loop and its records: resumed bitwise, never the best epoch, clear when it fails."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest

from keras_cases import augment, checkpoint, data, stand_in, train
from keras_cases.nets.resnet_cifar import resnet_cifar
from keras_cases.training.loop import Recipe, fit, optimizer, standardizer, training_model

SMALL = dict(epochs=3, batch_size=16, images=64, held_out=32, schedule="cosine", warmup=1.0)


@pytest.fixture
def split(monkeypatch):
    """64 stand-in images, whatever the machine has."""
    x, y = stand_in.draw("cifar10", 64, 0)
    held_out = stand_in.draw("cifar10", 32, 1)
    part = data.Split(x, y, *held_out, "64 / 32")
    monkeypatch.setattr(data, "load", lambda name: data.Dataset(
        name, x, y, *held_out, stand_in.SHAPE_NAMES, "stand-in drawn for this test"))
    monkeypatch.setattr(data.Dataset, "split", lambda self: part)
    return part


def net(dropout=0.2):
    x = inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, 2)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(dropout, seed=3)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x), name="tiny")


def net_with_heads(heads=True):
    """As GoogLeNet's: list outputs main, aux1, aux2; the heads may read a detached map."""
    x = inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, 2, name="below")(x)
    seen = keras.ops.stop_gradient(x) if heads == "detached" else x
    outputs = [keras.layers.Conv2D(4, 3, 2, activation="relu")(x), seen, seen]
    outputs = [keras.layers.GlobalAveragePooling2D()(output) for output in outputs]
    outputs = [keras.layers.Dense(10, activation="softmax", name=name)(output)
               for name, output in zip(("main", "aux1", "aux2"), outputs)]
    return keras.Model(inputs, outputs, name="tiny_with_heads")


class Killed(Exception):
    """Stands for a power cut after a whole epoch."""


@pytest.mark.parametrize("net, changes", [(net, {}), (net_with_heads, {"aux_fade": 2})],
                         ids=["one output", "three outputs, weights fading"])
def test_a_killed_run_ends_bitwise_where_the_other_ends(split, tmp_path, monkeypatch, net, changes):
    recipe = Recipe(**SMALL, **changes)
    keras.utils.set_random_seed(0)
    through = net()
    history = fit(through, split, recipe)

    real_save, saves = checkpoint.save, []

    def save_then_die(*arguments):
        real_save(*arguments)
        saves.append(1)
        if len(saves) < 3:
            raise Killed

    monkeypatch.setattr(checkpoint, "save", save_then_die)
    for seed_of_process in (0, 1):  # a new process starts from other initial weights: no matter
        keras.utils.set_random_seed(seed_of_process)
        with pytest.raises(Killed):
            fit(net(), split, recipe, state_file=tmp_path / "s.npz")
    resumed = net()
    again = fit(resumed, split, recipe, state_file=tmp_path / "s.npz")

    same = [np.array_equal(a, b) for a, b in zip(through.get_weights(), resumed.get_weights())
            if a.dtype == np.float32]
    assert len(same) > 5 and all(same)
    assert {**again, "seconds": 0} == {**history, "seconds": 0}


def test_several_outputs_are_weighed_by_the_recipe_and_the_first_is_the_answer(split):
    net = net_with_heads()
    history = fit(net, split, Recipe(**SMALL, aux_weight=0.5, aux_fade=2))
    assert history["aux1_weight"] == history["aux2_weight"] == [0.5, 0.25, 0.0]
    for epoch, weight in enumerate([0.5, 0.25, 0.0]):
        main, aux1, aux2 = (history[f"{name}_loss"][epoch] for name in ("main", "aux1", "aux2"))
        assert abs(history["loss"][epoch] - (main + weight * (aux1 + aux2))) < 1e-4
    images = standardizer(split.x_train)(split.x_held_out)
    main, aux1, _ = (p.argmax(1) for p in net.predict(images, verbose=0))
    assert abs(history["val_accuracy"][-1] - (main == split.y_held_out).mean()) < 1e-4
    assert abs(history["agreement_aux1"][-1] - (main == aux1).mean()) < 1e-4


def test_each_epoch_sees_another_order_and_another_seed_gives_another_run(split):
    losses = []
    for seed in (0, 0, 1):
        keras.utils.set_random_seed(7)
        losses.append(fit(net(), split, Recipe(**SMALL), seed=seed)["loss"])
    assert losses[0] == losses[1] != losses[2]


def test_a_state_of_another_run_is_refused_and_a_broken_one_kept_aside(split, tmp_path, capsys):
    state = tmp_path / "s.npz"
    fit(net(), split, Recipe(**SMALL), state_file=state)
    with pytest.raises(ValueError, match="batch_size: 16 there, 32 here"):
        fit(net(), split, Recipe(**SMALL | dict(batch_size=32)), state_file=state)
    state.write_bytes(state.read_bytes()[:500])
    fit(net(), split, Recipe(**SMALL), state_file=state)
    assert (tmp_path / "s.broken").exists() and "broken" in capsys.readouterr().err


def test_nan_stops_with_advice_and_gives_the_epoch_before_back(split):
    model = net()
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        fit(model, split, Recipe(**SMALL | dict(learning_rate=1e38, warmup=0.0)))
    assert all(np.isfinite(w).all() for w in model.get_weights())


def test_ctrl_c_keeps_the_last_whole_epoch(split, monkeypatch, capsys):
    real_fit, calls = keras.Model.fit, []

    def interrupted(self, *arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            self.trainable_variables[0].assign(self.trainable_variables[0] * 0)
            raise KeyboardInterrupt
        return real_fit(self, *arguments, **options)

    monkeypatch.setattr(keras.Model, "fit", interrupted)
    model = net()
    history = fit(model, split, Recipe(**SMALL))
    assert len(history["loss"]) == 2 and "2 whole epochs are kept" in capsys.readouterr().out
    assert np.abs(model.get_weights()[0]).max() > 0


def test_the_record_says_everything_and_its_accuracy_is_the_last_epochs(split, tmp_path):
    record, model = train.run("resnet_v1", "fast", seed=2, folder=tmp_path, verbose=0,
                              net={"head": "gap"}, **SMALL)
    stored = json.loads((tmp_path / "resnet_v1-headgap-fast-seed2.json").read_text())
    assert stored == json.loads(json.dumps(record))
    assert stored["accuracy"] == stored["history"]["val_accuracy"][-1]
    assert stored["parameters"] == 20_234 and stored["complete"] and not stored["data"]["real"]
    assert stored["recipe"]["epochs"] == 3 and stored["machine"]["backend"] == keras.backend.backend()
    fresh = train.CASES["resnet_v1"].build(head="gap")
    fresh.load_weights(tmp_path / "resnet_v1-headgap-fast-seed2.weights.h5")
    assert np.array_equal(fresh.get_weights()[0], model.get_weights()[0])
    assert not list(tmp_path.glob("*.state.npz"))


def test_a_case_of_ones_own_is_named_by_its_builder_or_by_a_label(split, tmp_path):
    case = train.Case(net, "cifar10", Recipe(**SMALL), Recipe(**SMALL | {"epochs": 1, "warmup": 0.0}))
    for label, changes in ((None, {}), ("slow", {"learning_rate": 0.01})):
        train.run(case, "full", folder=tmp_path, net={"dropout": 0.1}, label=label, verbose=0, **changes)
    assert {file.stem for file in tmp_path.glob("*.json")} == {"net-dropout0.1-full-seed0",
                                                               "slow-full-seed0"}


@pytest.mark.parametrize("call, says", [
    (dict(case="resnet21"), "There is no case 'resnet21'"),
    (dict(case="resnet20", mode="quick"), "use 'fast' or 'full'"),
    (dict(case="resnet20", epoch=3), r"no \['epoch'\]"),
    (dict(case="resnet_v1", schedule="linear", batch_size=16), "use 'steps' or 'cosine'"),
    (dict(case="resnet20", images=5), "less than one batch"),
])
def test_a_wrong_call_says_what_there_is(split, tmp_path, call, says):
    with pytest.raises(ValueError, match=says):
        train.run(**call, folder=tmp_path)


def test_an_unknown_mode_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("KERAS_CASES_MODE", "turbo")
    with pytest.raises(ValueError, match="turbo"):
        train.mode_from_environment()


def rates(recipe, steps):
    schedule = optimizer(recipe, steps)._learning_rate
    return [round(float(schedule(step)), 4) for step in range(recipe.epochs * steps)]


def test_the_paper_schedule_falls_at_half_and_three_quarters():
    assert rates(Recipe(epochs=4), 2) == [.1, .1, .1, .1, .1, .01, .01, .001]
    assert rates(Recipe(epochs=4, warmup=1.0), 2)[:3] == [.01, .01, .01]


def test_the_cosine_rises_then_falls_to_nothing():
    found = rates(Recipe(epochs=10, schedule="cosine", warmup=2.0), 10)
    assert found[0] == 0 and max(found) == found[20] == 0.1 and found[-1] < 0.001


def test_keras_weight_decay_is_scaled_by_the_rate():
    """One step without a gradient takes learning_rate · weight_decay of the weight off."""
    w = keras.Variable(np.array([2.0], "float32"))
    recipe = Recipe(epochs=1, learning_rate=0.1, weight_decay=0.5)
    optimizer(recipe, 10).apply([keras.ops.zeros((1,))], [w])
    np.testing.assert_allclose(w.numpy(), 2.0 * (1 - 0.1 * 0.5), rtol=1e-6)


def test_crops_differ_between_images_and_are_crops_of_the_padded_image():
    image = np.arange(1, 65, dtype="uint8").reshape(1, 8, 8, 1)
    out = np.array(keras.ops.convert_to_numpy(
        augment.RandomCropFlip(2, seed=0)(np.repeat(image, 64, 0), training=True)))
    assert out.shape == (64, 8, 8, 1) and out.dtype == np.uint8
    padded = np.pad(image[0, :, :, 0], 2)
    crops = {padded[i:i + 8, j:j + 8].tobytes() for i in range(5) for j in range(5)}
    crops |= {np.ascontiguousarray(np.frombuffer(c, "uint8").reshape(8, 8)[:, ::-1]).tobytes()
              for c in crops}
    found = [o[..., 0].tobytes() for o in out]
    assert set(found) <= crops and len(set(found)) > 15


def test_augmentation_rests_at_inference_and_never_mirrors_digits(split):
    x = split.x_train[:4]
    layer = augment.RandomCropFlip()
    assert (keras.ops.convert_to_numpy(layer(x, training=False)) == x).all()
    tiny = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten()], name="tiny")
    digits = training_model(tiny, np.eye(28, dtype="uint8")[None, :, :, None], Recipe(1))
    assert not next(l for l in digits.layers if isinstance(l, augment.RandomCropFlip)).flip


def test_the_net_sees_standardized_images(split):
    model = training_model(net(), split.x_train, Recipe(1))
    seen = keras.Model(model.input, model.layers[2].output)(split.x_train, training=False)
    seen = keras.ops.convert_to_numpy(seen)
    assert abs(seen.mean()) < 1e-3 and abs(seen.std() - 1) < 1e-3


def test_the_command_line_lists_the_cases_with_their_cost():
    done = subprocess.run([sys.executable, "-m", "keras_cases.train"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    listed = {line.split()[0] for line in done.stdout.splitlines()[1:]}
    assert listed == set(train.CASES)


@pytest.mark.parametrize("name", ["resnet20", "resnet110", "plain56", "resnet_v2"])
def test_each_case_builds(name):
    assert resnet_cifar(8).count_params() < train.CASES[name].build().count_params()
