"""Bugs of data, training and loss weights, each in a copy of the package: which test dies of it.

    KERAS_BACKEND=torch python benchmarks/mutants_training.py          # some minutes
    KERAS_BACKEND=torch python benchmarks/mutants_training.py augment  # of such a file or with such a word

A row is (file, bug, the source as it is, as it would be, the test). Each runs in a process of its
own, in which alone the copy is imported. A row whose source is not there once, a test that the
unchanged copy does not pass, or one that ends otherwise than by a failed test, is an error: no kill.
"""

import gc
import importlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import keras  # noqa: F401 (imported once, here: the processes are copies of this one)
import matplotlib.pyplot  # noqa: F401
import pandas  # noqa: F401
import PIL.Image  # noqa: F401
import pytest
import torch._dynamo  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent
SAMPLE, LOAD, AUGMENT = "data/sample.py", "data/load.py", "training/augment.py"
LOOP, TASKS, RECIPE = "training/loop.py", "training/tasks.py", "training/recipe.py"
WEIGHTS, KEPT = "loss_weights.py", "training/checkpoint.py"
PARTS = "test_data.py::test_parts_are_disjoint_and_labels_follow_their_images"
HELD = "test_data.py::test_a_split_holds_out_what_it_says"
CROPS = "test_recipe.py::test_crops_differ_between_images_and_both_sides_occur"
ORDER = "test_train.py::test_labels_follow_their_images_and_every_epoch_has_an_order_of_its_own"
FIGURES = "test_train.py::test_the_test_accuracy_is_of_the_test_images_and_the_training_accuracy_of_the_trained"
HEADS = "test_train.py::test_several_outputs_are_weighed_by_the_recipe_and_the_first_is_the_answer"
FIXED = "test_train.py::test_a_weight_that_stays_reaches_the_loss_as_the_recipe_gives_it"
PAPER = "test_runs.py::test_the_full_recipe_is_the_papers"
DEFAULT = "test_recipe.py::test_a_recipe_that_says_nothing_is_the_resnet_papers"
STEP = "test_loss_weights.py::test_a_real_step_goes_down_the_hand_computed_gradient"
STRIP = "test_loss_weights.py::test_stripping_the_heads_keeps_the_main_predictions"
MOVES = "test_loss_weights.py::test_a_schedule_changes_the_weight_every_epoch_and_nothing_retraces"
PROPER = "test_load.py::test_other_pixels_or_labels_never_pass_as_official"
FIELD = "test_receptive_field.py::test_the_field_is_the_pixels_that_the_gradient_reaches"
RESUME = "test_train.py::test_a_killed_run_ends_bitwise_where_the_other_ends"

NAMED = [  # they lived when this list was begun
    (SAMPLE, "held-out images overlap the training images by 100",
     "x, y = x[:-HELD_OUT], y[:-HELD_OUT]", "x, y = x[:100 - HELD_OUT], y[:100 - HELD_OUT]", PARTS),
    (SAMPLE, "held-out labels shifted by 100 against their images",
     "y_test = np.concatenate([y[-HELD_OUT:]",
     "y_test = np.concatenate([np.roll(y, 100)[-HELD_OUT:]", PARTS),
    (SAMPLE, "the standard split holds out the last training images",
     'if self.status == "clean-1000":', 'if self.status != "sample":', HELD),
    (LOAD, "shuffled labels pass as official",
     "same = [wanted in (None, digest(array))", "same = [array.ndim == 1 or wanted in (None, digest(array))",
     PROPER),
    (LOAD, "an older .broken file is overwritten",
     'open(aside, "xb").close()', 'open(aside, "wb").close()',
     "test_load.py::test_an_older_broken_file_or_folder_is_never_overwritten"),
    (LOAD, "a file without the right to be read is set aside",
     "raise  # the file may be whole", "raise _Broken(str(error))  # the file may be whole",
     "test_load.py::test_a_file_that_this_machine_cannot_read_now_is_left"),
    (LOAD, "a broken file that another process has moved ends in a bare error",
     "except FileNotFoundError:\n        reason", "except ZeroDivisionError:\n        reason",
     "test_load.py::test_a_file_that_another_process_set_aside_meanwhile_is_no_bare_error"),
    (AUGMENT, "the flip never flips", "rng.integers(0, 2, (count, 1)) == 1",
     "rng.integers(0, 2, (count, 1)) == 2", CROPS),
    (AUGMENT, "the flip always flips", "rng.integers(0, 2, (count, 1)) == 1",
     "rng.integers(0, 2, (count, 1)) < 2", CROPS),
    (AUGMENT, "crops out of 14 pixels", "rng, padding=4", "rng, padding=14",
     "test_recipe.py::test_a_batch_is_cropped_out_of_4_padded_pixels"),
    (LOOP, "the auxiliary weight squared on its way into training", "else recipe.aux_weight\n",
     "else recipe.aux_weight ** 2\n", FIXED),
    (LOOP, "the fading auxiliary weight squared", "fade_out(recipe.aux_weight,",
     "fade_out(recipe.aux_weight ** 2,", HEADS),
    (WEIGHTS, "a head's gradient doubled where its weight moves",
     "            total += self.plan._weight(name) * loss\n",
     "            if name in self.plan.schedules:\n"
     "                loss = 2 * loss - ops.stop_gradient(loss)\n"
     "            total += self.plan._weight(name) * loss\n", STEP),
    (WEIGHTS, "strip_heads gives a copy that shares no weights",
     "return keras.Model(inputs, outputs[keep], name=model.name)",
     "slim = keras.Model(inputs, outputs[keep], name=model.name)\n"
     "    copy = keras.models.clone_model(slim)\n"
     "    copy.set_weights(slim.get_weights())\n    return copy", STRIP),
    (LOOP, "labels not shuffled with their images", "images[which], labels[which]",
     "images[which], labels[start:start + size]", ORDER),
    (LOOP, "the same order in every epoch", "rng = np.random.default_rng([seed, epoch])",
     "rng = np.random.default_rng([seed])", ORDER),
    (LOOP, "held-out labels of a net with one output reversed",
     "tested = (split.x_test[:recipe.held_out], split.y_test[:recipe.held_out])",
     "tested = (split.x_test[:recipe.held_out], split.y_test[:recipe.held_out][::-1])", FIGURES),
    (LOOP, "labels of the watched images reversed", "shaped(task.targets(watched[1]))",
     "shaped(task.targets(watched[1][::-1]))",
     "test_train.py::test_what_is_watched_is_the_validation_part_and_test_images_are_judged_once"),
    (RECIPE, "SGD's momentum 0", '{"momentum": 0.9} if', '{"momentum": 0.0} if',
     "test_recipe.py::test_an_optimizer_is_keras_own_configuration"),
    (RECIPE, "weight decay 1.0", "weight_decay: float | None = 1e-3",
     "weight_decay: float | None = 1.0", DEFAULT),
    ("cases.py", "two epochs of the paper's 182", "RESNET = Recipe(epochs=182)",
     "RESNET = Recipe(epochs=2)", PAPER),
    ("analysis/receptive_field.py", "dilation ignored by the field of a transposed convolution",
     "return lambda o: [(o + same - t * dilation) // stride for t in range(kernel)\n"
     "                              if (o + same - t * dilation) % stride == 0], stride, 1",
     "return lambda o: [(o + same - t) // stride for t in range(kernel)\n"
     "                              if (o + same - t) % stride == 0], stride, 1", FIELD),
]
SIBLINGS = [  # looked for since
    (SAMPLE, "validation images overlap the training images", "(x[end:], y[end:]) if",
     "(x[end - 100:], y[end - 100:]) if", PARTS),
    (SAMPLE, "validation labels from the start of the set", "(x[end:], y[end:]) if",
     "(x[end:], y[:validation]) if", PARTS),
    (SAMPLE, "the JPEG copies judged by, not the clean images",
     "x_test[:CLEAN]])\n            y_test = np.concatenate([y[-HELD_OUT:], y_test[:CLEAN]])",
     "x_test[CLEAN:]])\n            y_test = np.concatenate([y[-HELD_OUT:], y_test[CLEAN:]])", HELD),
    (AUGMENT, "one crop for the whole batch", "(2, count, 1))", "(2, 1, 1)) + np.zeros((2, count, 1), int)",
     CROPS),
    (AUGMENT, "rows and columns cropped alike", "columns + offset[1]", "columns + offset[0]", CROPS),
    (AUGMENT, "no crop reaches the last place", "rng.integers(0, 2 * padding + 1,",
     "rng.integers(0, 2 * padding,", CROPS),
    (AUGMENT, "masks stay where they were", "(moved(images), moved(masks))", "(moved(images), masks)",
     "test_train.py::test_masks_are_trained_on_and_move_with_their_images"),
    (TASKS, "digits mirrored", "return crop_and_flip(images, rng, flip=images.shape[-1] == 3), labels",
     "return crop_and_flip(images, rng), labels", "test_recipe.py::test_digits_are_never_mirrored"),
    (TASKS, "label smoothing forgotten", "CategoricalCrossentropy(logits, recipe.label_smoothing)",
     "CategoricalCrossentropy(logits)", "test_train.py::test_label_smoothing_is_the_papers"),
    (TASKS, "softmax applied twice", 'return "Softmax" not in ends and "softmax" not in ends',
     "return True", "test_train.py::test_logits_train_like_probabilities"),
    (LOOP, "images never shuffled", "order = rng.permutation(len(images))",
     "order = np.arange(len(images))", ORDER),
    (LOOP, "every seed has the same order", "rng = np.random.default_rng([seed, epoch])",
     "rng = np.random.default_rng([epoch])", ORDER),
    (LOOP, "the same dropout in every epoch", "default_rng([self.seed, epoch, i])",
     "default_rng([self.seed, i])", "test_train.py::test_every_epoch_draws_a_dropout_of_its_own"),
    (LOOP, "augmentation forgotten", "if recipe.augment:", "if False:",
     "test_recipe.py::test_a_batch_is_cropped_out_of_4_padded_pixels"),
    (LOOP, "the test part watched in place of the validation part",
     "watched = tested if split.x_val is None else (split.x_val, split.y_val)", "watched = tested",
     "test_train.py::test_what_is_watched_is_the_validation_part_and_test_images_are_judged_once"),
    (LOOP, "the training accuracy reported as the test's", "in (images, tested)]",
     "in (images, images)]", FIGURES),
    (LOOP, "the mean not taken off", "-mean / deviation, dtype", "0.0, dtype",
     "test_train.py::test_the_net_sees_standardized_images_whatever_their_numbers"),
    (LOOP, "the heads' weight given to the main output", "{first: 1.0, **dict.fromkeys(others, aux)}",
     "{first: aux, **dict.fromkeys(others, 1.0)}", FIXED),
    (LOOP, "the average of the weights not put in place where the last epoch was done already",
     "    model.optimizer.finalize_variable_values(model.trainable_variables)", "    pass", RESUME),
    (LOOP, "agreement of outputs in sorted order", "for name in self.model.output}",
     "for name in sorted(self.model.output)}", HEADS),
    (KEPT, "momentum lost at a kill", "return own + [v for v in model.optimizer.variables if id(v) not in mine]",
     "return own", RESUME),
    (RECIPE, "the rate falls at half and at the end", "total * 3 // 4", "total",
     "test_recipe.py::test_the_paper_schedule_falls_at_half_and_three_quarters"),
    (RECIPE, "a batch of 64 where the paper has 128", "batch_size: int = 128", "batch_size: int = 64",
     DEFAULT),
    (RECIPE, "a rate of 0.01", "learning_rate: float = 0.1", "learning_rate: float = 0.01", DEFAULT),
    (RECIPE, "heads of weight 1", "aux_weight: float = 0.3", "aux_weight: float = 1.0", DEFAULT),
    ("cases.py", "DenseNet in batches of 128", "DENSENET = Recipe(epochs=300, batch_size=64",
     "DENSENET = Recipe(epochs=300, batch_size=128", PAPER),
    ("cases.py", "no warmup for 110 layers", "replace(RESNET, warmup=1.0)", "replace(RESNET)", PAPER),
    (WEIGHTS, "schedules an epoch ahead", "self.plan.set_epoch(epoch)", "self.plan.set_epoch(epoch + 1)",
     MOVES),
    (WEIGHTS, "a faded weight falls below 0", "start * max(0.0, 1.0 - epoch / epochs)",
     "start * (1.0 - epoch / epochs)", "test_loss_weights.py::test_fade_out_is_a_straight_line_to_zero"),
    (WEIGHTS, "targets in sorted order", "values = [by_name[name] for name in self.names]",
     "values = [by_name[name] for name in sorted(self.names)]", STEP),
]


def with_bug(file, old, new):
    """The file's source with the bug. Raises: ValueError where the row does not fit it any more."""
    source = (ROOT / "keras_cases" / file).read_text(encoding="utf-8")
    if source.count(old) != 1:
        raise ValueError(f"{file} holds {old!r} {source.count(old)} times: mend the row.")
    return source.replace(old, new)


class Died:
    """A pytest plugin: the first test that failed, and whether anything broke in another way."""

    def __init__(self):
        self.first, self.error, self.passed = None, False, 0

    def pytest_runtest_logreport(self, report):
        self.passed += report.when == "call" and report.passed
        if report.failed:
            self.error |= report.when != "call"
            self.first = self.first or report.nodeid.split("[")[0].split("/")[-1]

    def pytest_collectreport(self, report):
        self.error |= report.failed


def run(test, package):
    """(first failed test or None, tests passed) in a process that imports this copy of the package."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        with open(read, encoding="utf-8") as pipe:
            said = pipe.read()
        os.waitpid(child, 0)
        first, error, passed = json.loads(said)
        if error or not (first or passed):
            raise RuntimeError(f"{test} did not run: {said}")
        return first, passed
    sys.path.insert(0, str(package.parent))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # nbval alone would take seconds to import
    os.environ["PYTHONPATH"] = os.pathsep.join([str(package.parent), str(ROOT / "tests")])
    for name in [name for name in sys.modules if name.split(".")[0] == "keras_cases"]:
        del sys.modules[name]
    found = Path(importlib.import_module("keras_cases").__file__).parent
    died = Died()
    out = os.open(os.devnull, os.O_WRONLY)
    os.dup2(out, 1), os.dup2(out, 2)
    pytest.main([str(ROOT / "tests" / test), "-x", "-q", "-p", "no:cacheprovider"],
                plugins=[died])
    with open(write, "w", encoding="utf-8") as pipe:
        pipe.write(json.dumps([died.first, died.error or found != package, died.passed]))
    os._exit(0)


def killed(only=()):
    """(file, bug, whether it is one of NAMED, the test that dies of it or None), one by one."""
    with tempfile.TemporaryDirectory() as place:
        package = Path(place).resolve() / "keras_cases"
        shutil.copytree(ROOT / "keras_cases", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package.parent / "data").symlink_to(ROOT / "data")
        rows = [(row, row in NAMED) for row in NAMED + SIBLINGS
                if not only or any(word in row[0] + row[1] for word in only)]
        gc.freeze()
        good = {test: run(test, package) for test in dict.fromkeys(row[-1] for row, _ in rows)}
        wrong = [test for test, (first, _) in good.items() if first]
        if wrong:
            raise RuntimeError(f"The unchanged package fails {wrong}.")
        for (file, bug, old, new, test), named in rows:
            changed, whole = with_bug(file, old, new), (package / file).read_text(encoding="utf-8")
            (package / file).write_text(changed, encoding="utf-8")
            yield file, bug, named, run(test, package)[0]
            (package / file).write_text(whole, encoding="utf-8")


if __name__ == "__main__":
    for file, bug, named, test in killed(sys.argv[1:]):
        print(f"| {file} | {bug} | {'lived' if named else ''} | {f'`{test}`' if test else 'ALIVE'} |",
              flush=True)
