"""The training loop: the same run whether killed or not, honest figures, clear when it fails.

What `train.run` writes is tested in test_runs.py, recipe and augmentation in test_recipe.py. This
file runs on whatever backend KERAS_BACKEND names.
"""

import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from keras_cases import data
from keras_cases.training import checkpoint, loop
from keras_cases.training.loop import agreement, fit, training_model
from keras_cases.training.recipe import Recipe
from keras_cases.training.tasks import gives_logits

SMALL = dict(epochs=3, batch_size=16, images=64, held_out=32, schedule="cosine", warmup=1.0)
MOVING = {"class_name": "SGD", "config": {"momentum": 0.9, "use_ema": True, "ema_momentum": 0.5}}


@pytest.fixture(scope="module")
def split():
    """64 + 32 images of CIFAR-10."""
    found = data.sample("cifar10")
    return data.Split(found.x_train[:64], found.y_train[:64], found.x_test[:32], found.y_test[:32],
                      "64 / 32", "32 test")


def tiny(dropout=0.2, softmax=True):
    x = inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(4, 3, 2)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(dropout, seed=3)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    end = keras.layers.Dense(10, activation="softmax" if softmax else None)
    return keras.Model(inputs, end(x), name="tiny")


def tiny_with_heads(heads=True):
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


@pytest.mark.parametrize("net, changes", [
    (tiny, {}), (tiny, {"optimizer": MOVING}), (tiny_with_heads, {"aux_fade": 2})],
    ids=["one output", "moving average of the weights", "three outputs, weights fading"])
def test_a_killed_run_ends_bitwise_where_the_other_ends(split, tmp_path, monkeypatch, net, changes):
    recipe = Recipe(**SMALL, **changes)
    keras.utils.set_random_seed(0)
    through = net()
    found = fit(through, split, recipe)

    real_save, saves = checkpoint.save, []

    def save_then_die(*arguments):
        real_save(*arguments)
        saves.append(1)
        raise Killed

    monkeypatch.setattr(checkpoint, "save", save_then_die)
    for seed_of_process in (0, 1, 2):  # a new process starts from other initial weights: no matter
        keras.utils.set_random_seed(seed_of_process)
        with pytest.raises(Killed):
            fit(net(), split, recipe, state_file=tmp_path / "s.npz")
    assert len(saves) == recipe.epochs  # the last kill fell between the last epoch and the record
    resumed = net()
    again = fit(resumed, split, recipe, state_file=tmp_path / "s.npz")

    same = [np.array_equal(a, b) for a, b in zip(through.get_weights(), resumed.get_weights())
            if a.dtype == np.float32]
    assert len(same) > 5 and all(same)
    assert (again.train, again.test) == (found.train, found.test)
    assert {**again.history, "seconds": 0} == {**found.history, "seconds": 0}


def test_a_moving_average_is_one_over_the_whole_run(split, monkeypatch):
    """Of all epochs' steps, one an epoch here; begun anew each epoch it would be the last step."""
    net, recipe = tiny(dropout=0.0), dict(epochs=4, batch_size=64, learning_rate=0.5)
    start, steps = net.get_weights(), []
    monkeypatch.setattr(checkpoint, "save", lambda *a: steps.append(a[1][0]))
    fit(net, split, Recipe(**recipe), state_file="nowhere.npz")
    net.set_weights(start)
    fit(net, split, Recipe(**recipe, optimizer=MOVING))
    average = steps[0]
    for step in steps[1:]:
        average = 0.5 * average + 0.5 * step
    np.testing.assert_allclose(net.get_weights()[0], average, atol=1e-6)
    assert np.abs(average - steps[-1]).max() > 1e-3


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the others do not trace so")
@pytest.mark.parametrize("net", [tiny, tiny_with_heads])
def test_tensorflow_traces_the_step_once(split, monkeypatch, net):
    """Twice, and a lesson's first epoch takes twice as long to start."""
    traced, step = [], keras.Model.train_step
    monkeypatch.setattr(keras.Model, "train_step",
                        lambda model, batch: traced.append(model.name) or step(model, batch))
    fit(net(), split, Recipe(**SMALL))
    assert len(traced) == 1


def test_several_outputs_are_weighed_by_the_recipe_and_the_first_is_the_answer(split):
    net = tiny_with_heads()
    found = fit(net, split, Recipe(**SMALL, aux_weight=0.5, aux_fade=2))
    history = found.history
    assert history["aux1_weight"] == history["aux2_weight"] == [0.5, 0.25, 0.0]
    for epoch, weight in enumerate([0.5, 0.25, 0.0]):
        main, aux1, aux2 = (history[f"{name}_loss"][epoch] for name in ("main", "aux1", "aux2"))
        assert abs(history["loss"][epoch] - (main + weight * (aux1 + aux2))) < 1e-4
    images = loop.standardizer(split.x_train)(split.x_test)
    main, aux1, _ = (p.argmax(1) for p in net.predict(images, verbose=0))
    assert abs(history["val_accuracy"][-1] - (main == split.y_test).mean()) < 1e-4
    assert abs(history["agreement_aux1"][-1] - (main == aux1).mean()) < 1e-4
    assert found.test["accuracy"] == history["val_accuracy"][-1]


def test_a_weight_that_stays_reaches_the_loss_as_the_recipe_gives_it(split):
    history = fit(tiny_with_heads(), split, Recipe(**SMALL, aux_weight=0.5)).history
    assert history["aux1_weight"] == history["aux2_weight"] == 3 * [0.5]
    for total, main, *heads in zip(*(history[f"{name}loss"] for name in (
            "", "main_", "aux1_", "aux2_"))):
        assert abs(total - (main + 0.5 * sum(heads))) < 1e-4


def test_agreement_is_with_the_first_output():
    outputs = {"main": np.eye(3), "aux": np.eye(3)[[0, 1, 1]], "far": np.eye(3)[[1, 2, 0]]}
    assert agreement(outputs) == {"aux": pytest.approx(2 / 3), "far": 0.0}


def batches(split, recipe, seed=0, epoch=0, count=4):
    task = loop.task_of(tiny(), split.y_train, recipe)
    stream = loop._batches(split.x_train, split.y_train, task, lambda y: y, recipe, seed, epoch, 4)
    return [next(stream) for _ in range(count)]


def test_labels_follow_their_images_and_every_epoch_has_an_order_of_its_own(split):
    recipe = Recipe(**SMALL, augment=False)
    label_of = {x.tobytes(): y for x, y in zip(split.x_train, split.y_train)}
    eight = batches(split, recipe, count=8)
    orders = []
    for epoch in (eight[:4], eight[4:]):
        images = np.concatenate([x for x, _ in epoch])
        labels = np.concatenate([y for _, y in epoch])
        assert [label_of[x.tobytes()] for x in images] == labels.tolist()
        assert {x.tobytes() for x in images} == set(label_of)  # every image once
        orders.append([x.tobytes() for x in images])
    assert orders[0] != orders[1]
    assert [x.tobytes() for x in np.concatenate([x for x, _ in batches(split, recipe, seed=1)])
            ] != orders[0]
    assert [x.tobytes() for x in np.concatenate([x for x, _ in batches(split, recipe, epoch=1)])
            ] == orders[1]  # a run continued from epoch 1 sees what the other saw


def test_the_test_accuracy_is_of_the_test_images_and_the_training_accuracy_of_the_trained(split):
    """On a net that knows the training labels by heart, and no others."""
    images = loop.standardizer(split.x_train)(split.x_train)
    net = tiny(dropout=0.9)
    found = fit(net, split, Recipe(1, 16, learning_rate=0.0, augment=False))
    right = (net.predict(images, verbose=0).argmax(1) == split.y_train).mean()
    assert found.train["accuracy"] == pytest.approx(right, abs=1e-4)  # without dropout
    backwards = data.Split(split.x_train, split.y_train, split.x_test, split.y_test[::-1], "", "")
    other = fit(net, backwards, Recipe(1, 16, learning_rate=0.0, augment=False))
    answers = net.predict(loop.standardizer(split.x_train)(split.x_test), verbose=0).argmax(1)
    assert found.test["accuracy"] == pytest.approx((answers == split.y_test).mean(), abs=1e-4)
    assert other.test["accuracy"] == pytest.approx((answers == split.y_test[::-1]).mean(), abs=1e-4)


def test_what_is_watched_is_the_validation_part_and_test_images_are_judged_once(split):
    three = data.Split(split.x_train[:48], split.y_train[:48], split.x_test, split.y_test, "", "",
                       split.x_train[48:], split.y_train[48:])
    net = tiny()
    found = fit(net, three, Recipe(**SMALL))
    answers = net.predict(loop.standardizer(split.x_train[:48])(three.x_val), verbose=0).argmax(1)
    assert found.history["val_accuracy"][-1] == pytest.approx((answers == three.y_val).mean(), abs=1e-4)


def test_every_epoch_draws_a_dropout_of_its_own(split, monkeypatch):
    """Seen by the seeds that each epoch begins with: no two alike, and the same for the same seed."""
    begin, seen = loop._Keeper.on_epoch_begin, []

    def noted(self, epoch, logs=None):
        begin(self, epoch, logs)
        seen.append(tuple(keras.ops.convert_to_numpy(v).tobytes() for v in self.model.variables
                          if "seed_generator_state" in v.path))

    monkeypatch.setattr(loop._Keeper, "on_epoch_begin", noted)
    for seed in (0, 0, 1):
        fit(tiny(), split, Recipe(**SMALL), seed=seed)
    first, again, other = seen[:3], seen[3:6], seen[6:]
    assert first == again and len({*first, *other}) == 6 and first[0]


def test_another_seed_gives_another_run(split):
    losses = []
    for seed in (0, 0, 1):
        keras.utils.set_random_seed(7)
        losses.append(fit(tiny(), split, Recipe(**SMALL), seed=seed).history["loss"])
    assert losses[0] == losses[1] != losses[2]


OTHER = {
    "batch_size: 16 there, 32 here": dict(recipe=Recipe(**SMALL | dict(batch_size=32))),
    "data: ": dict(images=lambda x: x[::-1]),
    "net: ": dict(net=lambda: tiny(dropout=0.3)),
    "policy: ": dict(policy="mixed_bfloat16"),
}


@pytest.mark.parametrize("says", OTHER)
def test_a_state_of_another_run_is_refused(split, tmp_path, says):
    state, other = tmp_path / "s.npz", OTHER[says]
    fit(tiny(), split, Recipe(**SMALL), state_file=state)
    x = other.get("images", lambda x: x)(split.x_train)
    changed = data.Split(x, split.y_train, split.x_test, split.y_test, split.name, split.tested)
    keras.config.set_dtype_policy(other.get("policy", "float32"))
    try:
        net = other.get("net", tiny)()
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match=says):
        fit(net, changed, other.get("recipe", Recipe(**SMALL)), state_file=state)


def test_heads_that_are_detached_are_another_net(split):
    def print_of(heads):
        return loop._fingerprint_of_net(training_model(tiny_with_heads(heads), split.x_train))

    assert print_of(True) == print_of(True) != print_of("detached")


def test_a_state_file_that_is_damaged_anywhere_is_kept_aside(tmp_path, capsys):
    """A byte changed, or the end cut off, at 300 places: never another error, never wrong numbers."""
    state, arrays = tmp_path / "s.npz", [np.arange(50.0), np.ones((3, 4), "float32")]
    checkpoint.save(state, arrays, {"loss": [1.0]}, {"seed": 0})
    whole = state.read_bytes()
    rng = np.random.default_rng(0)
    for trial in range(300):
        broken = bytearray(whole)
        place = int(rng.integers(len(whole)))
        if trial % 2:
            broken = broken[:place]
        else:
            broken[place] ^= int(rng.integers(1, 256))
        state.write_bytes(bytes(broken))
        found = checkpoint.load(state, {"seed": 0})
        assert found is None or all(np.array_equal(a, b) for a, b in zip(found[0], arrays))
        if found is None:
            assert not state.exists()
    assert "kept aside" in capsys.readouterr().err


def test_nan_stops_with_advice_and_gives_the_epoch_before_back(split):
    model = tiny()
    with pytest.raises(FloatingPointError, match="lower learning_rate"):
        fit(model, split, Recipe(**SMALL | dict(learning_rate=1e38, warmup=0.0)))
    assert all(np.isfinite(w).all() for w in model.get_weights())


@pytest.mark.parametrize("whole", [0, 2])
def test_ctrl_c_keeps_the_last_whole_epoch_and_the_same_call_continues(
        split, tmp_path, monkeypatch, capsys, whole):
    keras.utils.set_random_seed(0)
    through = tiny()
    fit(through, split, Recipe(**SMALL))
    done = iter(range(100))

    def interrupted(self, batch, logs=None):  # in the main thread, where Ctrl-C arrives
        if next(done) == 4 * whole + 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop._Keeper, "on_train_batch_end", interrupted)
    keras.utils.set_random_seed(0)
    found = fit(tiny(), split, Recipe(**SMALL), state_file=tmp_path / "s.npz")
    assert len(found.history.get("loss", ())) == whole and not found.complete
    assert f"{whole} whole epochs are kept" in capsys.readouterr().out
    monkeypatch.undo()
    keras.utils.set_random_seed(0)
    net = tiny()
    assert fit(net, split, Recipe(**SMALL), state_file=tmp_path / "s.npz").complete
    assert np.array_equal(net.get_weights()[0], through.get_weights()[0])


def test_a_deadline_stops_between_epochs_and_the_run_goes_on_later(split, tmp_path, monkeypatch):
    recipe, state = Recipe(**SMALL), tmp_path / "s.npz"
    assert not fit(tiny(), split, recipe, state_file=state, deadline=time.monotonic()).history
    now, ticks = time.monotonic(), iter([0, 1e9])
    clock = SimpleNamespace(monotonic=lambda: now + next(ticks), perf_counter=time.perf_counter)
    monkeypatch.setattr(loop, "time", clock)  # the loop's alone: JAX reads the clock as well
    first = fit(tiny(), split, recipe, state_file=state, deadline=now + 1e6)
    assert len(first.history["loss"]) == 1 and not first.complete
    monkeypatch.undo()
    assert fit(tiny(), split, recipe, state_file=state).complete


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_logits_train_like_probabilities(split, smoothing):
    losses = []
    for softmax in (True, False):
        keras.utils.set_random_seed(0)
        net = tiny(dropout=0.0, softmax=softmax)
        assert gives_logits(net) is not softmax
        losses.append(fit(net, split, Recipe(**SMALL, label_smoothing=smoothing)).history["loss"])
    np.testing.assert_allclose(*losses, rtol=1e-4)


def test_label_smoothing_is_the_papers(split):
    """Cross-entropy with 0.9 + 0.01 on the label and 0.01 on each other class, by hand."""
    net = tiny(dropout=0.0)
    found = fit(net, split, Recipe(1, 64, 0.0, label_smoothing=0.1, augment=False, held_out=32))
    p = net.predict(loop.standardizer(split.x_train)(split.x_test), verbose=0)
    wanted = np.full((32, 10), 0.01)
    wanted[np.arange(32), split.y_test] = 0.91
    assert found.test["loss"] == pytest.approx(-(wanted * np.log(p)).sum(1).mean(), rel=1e-4)


def test_masks_are_trained_on_and_move_with_their_images():
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 3, (48, 8, 8)).astype("uint8")
    images = (masks[..., None] * 100).astype("uint8")
    split = data.Split(images[:32], masks[:32], images[32:], masks[32:], "32 / 16", "16")
    inputs = keras.Input((8, 8, 1))
    net = keras.Model(inputs, keras.layers.Conv2D(3, 1)(inputs), name="point")
    task = loop.task_of(net, masks, Recipe(1))
    moved, followed = task.augment(images, masks, np.random.default_rng(1))
    assert (moved[..., 0] == followed * 100).all() and not (followed == masks).all()
    found = fit(net, split, Recipe(40, 16, 0.5, weight_decay=None, schedule="constant"))
    assert found.test["mean_iou"] > 0.6 and found.test["accuracy"] > 0.8


@pytest.mark.parametrize("unit", ["uint8", "float32"])
def test_the_net_sees_standardized_images_whatever_their_numbers(split, unit):
    images = split.x_train if unit == "uint8" else split.x_train.astype("float32") / 255
    model = training_model(tiny(), images)
    seen = keras.Model(model.input, model.layers[1].output)(images, training=False)
    seen = keras.ops.convert_to_numpy(seen)
    assert abs(seen.mean()) < 1e-3 and abs(seen.std() - 1) < 1e-3
    with pytest.raises(ValueError, match="nothing to learn"):
        training_model(tiny(), np.zeros_like(images))


def test_a_schedule_or_a_batch_that_cannot_be_is_refused(split):
    with pytest.raises(ValueError, match="constant"):
        Recipe(1, schedule="linear")
    with pytest.raises(ValueError, match="less than one batch"):
        fit(tiny(), split, Recipe(1, images=5))
    with pytest.raises(ValueError, match="one class per image"):
        fit(tiny(), data.Split(split.x_train, np.eye(10)[split.y_train], split.x_test,
                               np.eye(10)[split.y_test], "", ""), Recipe(1, 16))
