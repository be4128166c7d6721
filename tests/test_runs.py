"""What `train.run` writes, the command line, and the plan of runs."""

import dataclasses
import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_cases import data, plan, train
from keras_cases.analysis import cost
from keras_cases.cases import CASES, EQUAL, Case
from keras_cases.training.recipe import Recipe

SMALL = dict(epochs=3, batch_size=16, images=64, held_out=32, schedule="cosine", warmup=1.0)
RECIPE = Recipe(**SMALL)


def tiny(width=4, dropout=0.0):
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(width, 3, 4)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Dropout(dropout)(x))
    return keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(x), name="tiny")


def small(mode):
    return data.sample("cifar10")


def mirrored(mode):
    found = data.sample("cifar10")
    return dataclasses.replace(found, x_train=found.x_train[:, :, ::-1])


TINY = Case(tiny, small, RECIPE, RECIPE, RECIPE)


def test_the_record_says_everything(tmp_path):
    record, model = train.run(TINY, "full", seed=2, folder=tmp_path, verbose=0, net={"width": 3})
    stored = json.loads((tmp_path / "tiny-width3-full-seed2.json").read_text())
    assert stored == json.loads(json.dumps(record))
    assert stored["accuracy"] == stored["history"]["val_accuracy"][-1]
    assert stored["accuracy_of"] == "1k test" and stored["complete"]
    assert stored["running_accuracy"] == stored["history"]["accuracy"][-1]
    assert stored["data"]["status"] == "sample" and stored["data"]["split"] == "5k / 1k test (sample)"
    assert stored["parameters"] == 3 * 28 + 3 * 10 + 10 and stored["recipe"]["epochs"] == 3
    assert stored["machine"]["backend"] == keras.backend.backend()
    pixels = data.sample("cifar10").x_train[:5000].astype("float64")
    assert stored["standardized"] == {"mean": pixels.mean(), "deviation": pixels.std()}
    fresh = tiny(3)
    fresh.load_weights(tmp_path / "tiny-width3-full-seed2.weights.h5")
    assert np.array_equal(fresh.get_weights()[0], model.get_weights()[0])
    assert not list(tmp_path.glob("*.state.npz"))


def test_a_run_without_a_folder_writes_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    record, _ = train.run(TINY, "fast", folder=None, verbose=0)
    assert record["complete"] and not list(tmp_path.rglob("*"))


def test_a_stopped_run_writes_no_record_and_the_same_call_finishes_it(tmp_path):
    record, _ = train.run(TINY, "fast", folder=tmp_path, verbose=0, deadline=time.monotonic())
    assert not record["complete"] and record["accuracy"] is None
    assert not list(tmp_path.glob("*.json"))
    record, _ = train.run(TINY, "fast", folder=tmp_path, verbose=0)
    assert record["complete"] and list(tmp_path.glob("*.json"))


def test_a_finished_record_is_never_overwritten_by_another_run(tmp_path):
    train.run(TINY, "fast", folder=tmp_path, verbose=0)
    file = tmp_path / "tiny-fast-seed0.json"
    before = file.read_bytes()
    with pytest.raises(FileExistsError, match="other: recipe"):
        train.run(TINY, "fast", folder=tmp_path, verbose=0, learning_rate=0.01)
    with pytest.raises(FileExistsError, match="other: data"):
        train.run(Case(tiny, mirrored, RECIPE), "fast", folder=tmp_path, verbose=0)
    assert file.read_bytes() == before
    train.run(TINY, "fast", folder=tmp_path, verbose=0, learning_rate=0.01, label="slow")
    assert (tmp_path / "slow-fast-seed0.json").exists()


@pytest.mark.parametrize("call, error, says", [
    (dict(case="resnet21"), ValueError, "There is no case 'resnet21'"),
    (dict(case="resnet20", mode="quick"), ValueError, "use one of"),
    (dict(case="resnet20", epoch=3), ValueError, r"no \['epoch'\]"),
    (dict(case="resnet20", augment="False"), TypeError, "it takes bool"),
    (dict(case=Case(lambda: tiny(), small)), ValueError, "name='my_net'"),
    (dict(case=TINY, net={"width": np.float32(4)}), TypeError, "the record cannot hold it"),
    (dict(case=TINY, folder="/proc/nowhere"), OSError, "."),
])
def test_what_would_fail_in_the_end_fails_at_the_start(tmp_path, monkeypatch, call, error, says):
    def never(*arguments, **options):
        raise AssertionError("it trains")

    monkeypatch.setattr(train, "fit", never)
    with pytest.raises(error, match=says):
        train.run(**{"folder": tmp_path, "mode": "fast"} | call)


def test_a_lambda_with_a_name_is_fine(tmp_path):
    train.run(Case(lambda: tiny(), small, RECIPE, name="mine"), "fast", folder=tmp_path, verbose=0)
    assert (tmp_path / "mine-fast-seed0.json").exists()


def test_an_unknown_mode_in_the_environment_is_refused(monkeypatch):
    monkeypatch.setenv("KERAS_CASES_MODE", "turbo")
    with pytest.raises(ValueError, match="turbo"):
        train.mode_from_environment()


def test_values_on_the_command_line_are_what_they_look_like():
    assert train.pairs(["epochs=3", "shortcut=pad", "norm=False", "augment=false", "images=None",
                        "learning_rate=1e-2", "modules=('3a', '4a')"]) == {
        "epochs": 3, "shortcut": "pad", "norm": False, "augment": False, "images": None,
        "learning_rate": 0.01, "modules": ("3a", "4a")}


def test_the_command_line_lists_the_cases():
    done = subprocess.run([sys.executable, "-m", "keras_cases.train"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()[1:]} == set(CASES)


def test_a_mixed_policy_lasts_for_its_run_only():
    case = Case(tiny, small, Recipe(1, 16, images=32, held_out=32, dtype="mixed_bfloat16"))
    _, model = train.run(case, "fast", folder=None, verbose=0)
    assert model.layers[1].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == "float32"


# what each paper states of its CIFAR-10 training, or the public copy it is taken from
PAPERS = {
    "resnet20": dict(epochs=182, batch_size=128, learning_rate=0.1, optimizer="SGD",
                     weight_decay=1e-3, schedule="steps", warmup=0.0, augment=True),  # 1e-4 as L2
    "resnet110": dict(epochs=182, warmup=1.0),  # sec. 4.2: a tenth of the rate until 20 % are right
    "densenet_bc100": dict(epochs=300, batch_size=64, schedule="steps", weight_decay=1e-3),
    "mobilenet_cifar": dict(epochs=200, schedule="cosine", weight_decay=5e-3, learning_rate=0.1),
    "lenet5": dict(epochs=20, augment=False),
}


@pytest.mark.parametrize("case", PAPERS)
def test_the_full_recipe_is_the_papers(case):
    recipe = CASES[case].full
    assert {key: getattr(recipe, key) for key in PAPERS[case]} == PAPERS[case]
    assert (EQUAL.epochs, EQUAL.images, EQUAL.label_smoothing, EQUAL.warmup) == (20, 45_000, 0.1, 1.0)


# --- the plan --------------------------------------------------------------------------------

ROWS = plan.rows()


def test_every_row_is_a_run_with_a_name_of_its_own():
    assert len({row.file for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.case in CASES and row.why and row.whole_recipe.epochs
        if row.mode == "equal":
            assert set(row.recipe) <= {"learning_rate", "optimizer"}, "one recipe for all"
            assert not row.recipe or "rate" in row.why, "the row says why it needs another"


@pytest.mark.parametrize("row", [row for row in ROWS if row.seed == 0], ids=lambda row: row.file)
def test_the_nets_of_the_plan_cost_what_it_says(row):
    macs = cost(CASES[row.case].build(**row.net)).macs
    assert macs == row.macs
    if row.mode == "equal":
        assert abs(macs / 12.5e6 - 1) <= 0.05


def test_seeds_of_a_row_are_the_same_run():
    groups = {}
    for row in ROWS:
        groups.setdefault((row.label, row.mode), set()).add(
            (row.case, json.dumps(row.net), json.dumps(row.recipe), row.macs))
    assert all(len(group) == 1 for group in groups.values())


@pytest.fixture
def two_rows(tmp_path, monkeypatch):
    """A plan of two small rows, with a store of its own."""
    (tmp_path / "results").mkdir()
    (tmp_path / "plan.csv").write_text(
        "case,net,mode,recipe,seed,macs,label,why\n"
        'tiny,"{""width"": 3}",equal,,0,1000,first,a test\n'
        "tiny,,equal,,0,1000,second,a test\n")
    monkeypatch.setattr(plan, "stored_folder", lambda: tmp_path)
    monkeypatch.setitem(CASES, "tiny", TINY)
    return tmp_path


def test_the_plan_works_through_its_rows_and_says_what_is_missing(two_rows, monkeypatch):
    monkeypatch.chdir(two_rows)
    assert plan.table().count("not run") == 2
    plan.work(train.run, minutes=5, verbose=0)
    assert {file.name for file in (two_rows / "results").glob("*")} == {
        "first-equal-seed0.json", "second-equal-seed0.json"}
    assert "not run" not in plan.table()
    accuracy = json.loads((two_rows / "results" / "first-equal-seed0.json").read_text())["accuracy"]
    assert f"{100 * accuracy:.1f}" in plan.table()


def test_a_record_of_another_recipe_does_not_count(two_rows, monkeypatch):
    monkeypatch.chdir(two_rows)
    plan.work(train.run, minutes=5, verbose=0)
    file = two_rows / "results" / "first-equal-seed0.json"
    record = json.loads(file.read_text())
    record["recipe"]["learning_rate"] = 0.3
    file.write_text(json.dumps(record))
    assert plan.table().count("not run") == 1


def test_a_row_that_does_not_fit_is_left_and_one_begun_is_continued(two_rows, monkeypatch, capsys):
    monkeypatch.chdir(two_rows)
    monkeypatch.setattr(plan, "USUAL_SPEED", 1.0)
    plan.work(train.run, minutes=1, verbose=0)
    assert "minutes, " in capsys.readouterr().out and plan.table().count("not run") == 2
    monkeypatch.undo()
    monkeypatch.chdir(two_rows)
    real = train.fit
    monkeypatch.setattr(plan, "stored_folder", lambda: two_rows)
    monkeypatch.setitem(CASES, "tiny", TINY)

    def killed(net, split, recipe, seed, state, *rest):
        monkeypatch.setattr(train, "fit", real)
        raise_after_one = iter([0, 1])
        from keras_cases.training import checkpoint
        save = checkpoint.save

        def dying(*arguments):
            save(*arguments)
            next(raise_after_one)
            raise KeyError("killed")

        monkeypatch.setattr(checkpoint, "save", dying)
        try:
            return real(net, split, recipe, seed, state, *rest)
        finally:
            monkeypatch.setattr(checkpoint, "save", save)

    monkeypatch.setattr(train, "fit", killed)
    with pytest.raises(KeyError):
        plan.work(train.run, minutes=5, verbose=0)
    assert list(Path("runs").glob("*.state.npz"))
    monkeypatch.setattr(plan, "USUAL_SPEED", 1.0)
    plan.work(train.run, minutes=1, verbose=0)
    assert (two_rows / "results" / "first-equal-seed0.json").exists()  # begun, so continued


def _hold(lock, taken, release):
    with plan._taken(lock) as mine:
        taken.put(mine)
        release.wait(30)


@pytest.mark.skipif(os.name == "nt", reason="file locks of POSIX")
def test_two_plans_never_take_the_same_row(tmp_path, two_rows, monkeypatch):
    context = multiprocessing.get_context("fork")
    taken, release = context.Queue(), context.Event()
    lock = tmp_path / "row.lock"
    first = context.Process(target=_hold, args=(lock, taken, release))
    first.start()
    assert taken.get(timeout=30) is True
    with plan._taken(lock) as mine:
        assert mine is False
    first.kill()  # and a plan that dies lets go
    first.join()
    with plan._taken(lock) as mine:
        assert mine is True


def test_the_readme_holds_the_table_of_equal_cost():
    readme = (Path(__file__).resolve().parent.parent / "README.md").read_text(encoding="utf-8")
    assert plan.table("equal") in readme, "python -m keras_cases.train --plan prints it: copy it"
