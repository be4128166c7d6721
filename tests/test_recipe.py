"""Recipes and augmentation: what a recipe means to Keras, and what it does to a batch of images.

This file runs on whatever backend KERAS_BACKEND names.
"""

import dataclasses

import keras
import numpy as np
import pytest

from keras_cases.training import loop
from keras_cases.training.augment import crop_and_flip
from keras_cases.training.recipe import Recipe, optimizer


def classifier(classes=10):
    inputs = keras.Input((28, 28, 1))
    return keras.Model(inputs, keras.layers.Dense(classes, "softmax")(keras.layers.Flatten()(inputs)))


def test_a_recipe_that_says_nothing_is_the_resnet_papers():
    """He et al. 2015, sec. 4.2; the heads' weight is GoogLeNet's (2014, sec. 5)."""
    said = dataclasses.asdict(Recipe(1))
    assert said == dict(
        epochs=1, batch_size=128, learning_rate=0.1, optimizer="SGD", schedule="steps", warmup=0.0,
        weight_decay=1e-3,  # their L2 of 1e-4 at momentum 0.9, see Recipe
        label_smoothing=0.0, augment=True, images=None, held_out=None, aux_weight=0.3,
        aux_fade=None, dtype="float32")


def test_a_batch_is_cropped_out_of_4_padded_pixels():
    """Where a lone bright pixel of 256 images ends: everywhere from 4 left to 4 right, no further."""
    images = np.zeros((256, 32, 32, 1), "uint8")
    images[:, 16, 16] = 1
    labels = np.zeros(256, "uint8")
    task = loop.task_of(classifier(), labels, Recipe(1))
    for augment, far in [(True, 4), (False, 0)]:
        stream = loop._batches(images, labels, task, lambda y: y,
                               Recipe(1, 256, augment=augment), 0, 0, 1)
        _, rows, columns, _ = np.nonzero(next(stream)[0])
        for places in (rows, columns):
            assert set(places) == set(range(16 - far, 16 + far + 1)) and len(places) == 256


def test_crops_differ_between_images_and_both_sides_occur():
    image = np.arange(1, 65, dtype="uint8").reshape(1, 8, 8, 1)
    out = crop_and_flip(np.repeat(image, 256, 0), np.random.default_rng(0), padding=2)
    assert out.shape == (256, 8, 8, 1) and out.dtype == np.uint8
    padded = np.pad(image[0, :, :, 0], 2)
    crops = {padded[i:i + 8, j:j + 8].tobytes() for i in range(5) for j in range(5)}
    mirrored = {padded[i:i + 8, j:j + 8][:, ::-1].tobytes() for i in range(5) for j in range(5)}
    found = [o[..., 0].tobytes() for o in out]
    assert set(found) <= crops | mirrored and len(set(found)) > 40
    assert 0.35 < np.mean([one in mirrored for one in found]) < 0.65
    whole = crop_and_flip(np.repeat(image, 256, 0), np.random.default_rng(0), padding=2, flip=False)
    assert {o[..., 0].tobytes() for o in whole} <= crops


def test_digits_are_never_mirrored():
    ramp = np.tile(np.arange(1, 29, dtype="uint8"), (64, 28, 1))[..., None]
    task = loop.task_of(classifier(), np.zeros(64, "uint8"), Recipe(1))
    out, _ = task.augment(ramp, None, np.random.default_rng(0))
    middle = out[:, 14, 6:20, 0].astype(int)
    assert (np.diff(middle, axis=1) > 0).all()
    colour, _ = task.augment(np.repeat(ramp, 3, -1), None, np.random.default_rng(0))
    assert (np.diff(colour[:, 14, 6:20, 0].astype(int), axis=1) < 0).any()


def rates(recipe, steps):
    schedule = optimizer(recipe, steps)._learning_rate
    return [round(float(keras.ops.convert_to_numpy(schedule(step))), 4)
            for step in range(recipe.epochs * steps)]


def test_the_paper_schedule_falls_at_half_and_three_quarters():
    assert rates(Recipe(epochs=4), 2) == [.1, .1, .1, .1, .1, .01, .01, .001]
    assert rates(Recipe(epochs=4, warmup=1.0), 2)[:3] == [.01, .01, .01]


def test_the_cosine_rises_then_falls_to_nothing():
    found = rates(Recipe(epochs=10, schedule="cosine", warmup=2.0), 10)
    assert found[0] == 0 and max(found) == found[20] == 0.1 and found[-1] < 0.001


def test_an_optimizer_is_keras_own_configuration():
    made = optimizer(Recipe(2, optimizer={"class_name": "RMSprop", "config": {
        "momentum": 0.9, "clipnorm": 1.0, "use_ema": True}}), 5)
    assert (type(made).__name__, made.momentum, made.clipnorm, made.use_ema) == (
        "RMSprop", 0.9, 1.0, True)
    assert optimizer(Recipe(2), 5).momentum == 0.9 and optimizer(Recipe(2), 5).weight_decay == 1e-3
    assert type(optimizer(Recipe(2, optimizer="Adam"), 5)).__name__ == "Adam"


def test_keras_weight_decay_is_scaled_by_the_rate():
    """One step without a gradient takes learning_rate · weight_decay of the weight off."""
    w = keras.Variable(np.array([2.0], "float32"))
    recipe = Recipe(epochs=1, learning_rate=0.1, weight_decay=0.5)
    optimizer(recipe, 10).apply([keras.ops.zeros((1,))], [w])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(w), 2.0 * (1 - 0.1 * 0.5), rtol=1e-6)


@pytest.mark.parametrize("wrong, says", [
    (dict(epochs=2.5), "epochs=2.5"), (dict(epochs="3"), "epochs='3'"),
    (dict(epochs=1, augment="False"), "augment='False' is a str; it takes bool"),
    (dict(epochs=1, batch_size=True), "batch_size=True"),
    (dict(epochs=1, learning_rate="0.1"), "learning_rate='0.1'"),
    (dict(epochs=1, aux_fade="2"), "aux_fade='2'"),
    (dict(epochs=1, optimizer={"class_name": "SGD", "config": {"momentum": np.float32(1)}}), "JSON"),
])
def test_a_recipe_checks_its_types(wrong, says):
    with pytest.raises(TypeError, match=says):
        Recipe(**wrong)
