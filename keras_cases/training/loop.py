"""The training loop: a net, a split of the data and a recipe in, a history out.

One `fit` per epoch. Whatever is random in an epoch is drawn from (seed, epoch): the order of the
images, the crops, the dropout. So a run that was killed and continued ends bitwise where it would
have ended, and two epochs never see the images in the same order.
"""

import math
import time
from dataclasses import asdict, dataclass

import keras
import numpy as np

from keras_cases import augment, checkpoint
from keras_cases.loss_weights import fade_out, weighted_losses
from keras_cases.analysis.probes import agreement


@dataclass(frozen=True)
class Recipe:
    """How to train. learning_rate falls tenfold at half and at three quarters of the epochs
    ("steps"), or along half a cosine ("cosine"), after `warmup` epochs of rising.

    weight_decay is Keras's: decoupled, a fraction learning_rate·weight_decay of each weight taken
    off per step. The papers' L2 of 1e-4 at momentum 0.9 acts like 1e-4 / (1 - 0.9) = 1e-3 here.
    images, held_out: how many images to train on and to judge by (None: all).
    aux_weight: of the loss of each output but the first, where a net has several (GoogLeNet: 0.3);
    aux_fade: in so many epochs it falls to 0 along a straight line (None: it stays).
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 1e-3
    schedule: str = "steps"
    warmup: float = 0.0
    augment: bool = True
    images: int | None = None
    held_out: int | None = None
    aux_weight: float = 0.3
    aux_fade: float | None = None


def fit(net, split, recipe, seed=0, state_file=None, verbose=0):
    """Trains any net of probabilities on a `data.Split`, in place, and returns its history.

    history: {"loss", "accuracy", "val_loss", "val_accuracy", "seconds"}, a number an epoch;
    "val" is the held-out part. Of several outputs the first is the net's answer; the others add
    "NAME_loss", "NAME_accuracy", "NAME_weight", their "val_" twins and "agreement_NAME", how often
    they name the same class as the first on the held-out part. Continues from `state_file` where
    there is one. Ctrl-C gives back the last whole epoch. Raises: FloatingPointError when the loss
    is NaN.
    """
    count = min(recipe.images or len(split.x_train), len(split.x_train))
    steps = count // recipe.batch_size  # whole batches only: one shape to compile
    if not steps:
        raise ValueError(f"{count} images are less than one batch of {recipe.batch_size}.")
    model = training_model(net, split.x_train, recipe, seed)
    model, targets, first = _compiled(model, recipe, steps)
    identity = {**asdict(recipe), "seed": seed, "net": net.name, "split": split.name,
                "backend": keras.backend.backend(), "keras": keras.__version__}
    judged = (split.x_held_out[:recipe.held_out], split.y_held_out[:recipe.held_out])
    history = {}
    saved = checkpoint.load(state_file, identity) if state_file else None
    if saved:
        checkpoint.restore(model, saved[0])
        history = saved[1]
    kept = checkpoint.state(model)
    for epoch in range(len(history.get("loss", ())), recipe.epochs):
        order = np.random.default_rng([seed, epoch]).permutation(count)[:steps * recipe.batch_size]
        _seed_generators(model, seed, epoch)
        started = time.perf_counter()
        try:
            logs = model.fit(split.x_train[order], targets(split.y_train[order]), shuffle=False,
                             batch_size=recipe.batch_size, initial_epoch=epoch, epochs=epoch + 1,
                             validation_data=(judged[0], targets(judged[1])),
                             validation_batch_size=500, verbose=verbose).history
        except KeyboardInterrupt:
            checkpoint.restore(model, kept)
            print(f"Stopped by hand; {epoch} whole epochs are kept.")
            break
        if first:
            for part in ("", "val_"):
                logs[f"{part}accuracy"] = logs.pop(f"{part}{first}_accuracy")
            logs |= {f"agreement_{k}": [v] for k, v in agreement(model, judged[0]).items()}
        logs |= {"seconds": [time.perf_counter() - started], "images": [len(order)]}
        if not math.isfinite(logs["loss"][0]):
            checkpoint.restore(model, kept)
            raise FloatingPointError(
                f"The loss became {logs['loss'][0]} in epoch {epoch + 1}; the model holds the epoch "
                f"before. Try a lower learning_rate (it is {recipe.learning_rate}) or a warmup.")
        for key, values in logs.items():
            history.setdefault(key, []).append(round(float(values[0]), 5))
        kept = checkpoint.state(model)
        if state_file:
            checkpoint.save(state_file, kept, history, identity)
    return history


def training_model(net, x_train, recipe, seed=0):
    """The net behind what training needs: uint8 images in, augmented, standardized."""
    images = keras.Input(x_train.shape[1:], dtype="uint8")
    x = images
    if recipe.augment:
        x = augment.RandomCropFlip(4, flip=x_train.shape[-1] == 3, seed=seed)(x)
    outputs = net(standardizer(x_train)(x))
    if isinstance(outputs, list):  # a nested net's outputs would all bear the net's name
        outputs = dict(zip(net.output_names, outputs))
    return keras.Model(images, outputs, name=f"train_{net.name}")


def _compiled(model, recipe, steps):
    """What to fit, a function that shapes the labels for it, and the first of several outputs."""
    loss, sgd = "sparse_categorical_crossentropy", optimizer(recipe, steps)
    if not isinstance(model.output, dict):
        model.compile(sgd, loss, metrics=["accuracy"])
        return model, lambda y: y, None
    first, *others = model.output
    aux = fade_out(recipe.aux_weight, recipe.aux_fade) if recipe.aux_fade else recipe.aux_weight
    plan = weighted_losses(model, dict.fromkeys(model.output, loss),
                           {first: 1.0, **dict.fromkeys(others, aux)},
                           dict.fromkeys(model.output, "accuracy"))
    return plan.compile(sgd), plan.targets, first


def standardizer(x_train):
    """A layer that gives the images mean 0 and deviation 1, as the first 5,000 of x_train have."""
    sample = x_train[:5000].astype("float32") / 255
    mean, deviation = float(sample.mean()), float(sample.std())
    return keras.layers.Rescaling(1 / (255 * deviation), -mean / deviation)


def optimizer(recipe, steps):
    """SGD with momentum, its schedule over `steps` batches an epoch, and weight decay."""
    total, warm = recipe.epochs * steps, round(recipe.warmup * steps)
    rate = recipe.learning_rate
    if recipe.schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(
            0.0 if warm else rate, total - warm, warmup_target=rate if warm else None,
            warmup_steps=warm)
    elif recipe.schedule == "steps":
        bounds, values = [total // 2, total * 3 // 4], [rate, rate / 10, rate / 100]
        if warm:  # the paper's for 110 layers: a tenth of the rate until training has begun
            bounds, values = [warm, *bounds], [rate / 10, *values]
        rate = keras.optimizers.schedules.PiecewiseConstantDecay(bounds, values)
    else:
        raise ValueError(f"schedule={recipe.schedule!r}; use 'steps' or 'cosine'.")
    return keras.optimizers.SGD(rate, momentum=recipe.momentum, weight_decay=recipe.weight_decay)


def _seed_generators(model, seed, epoch):
    """Dropout and augmentation draw from (seed, epoch), so a continued run draws the same."""
    states = [v for v in model.variables if "seed_generator_state" in v.path]
    for i, variable in enumerate(states):
        draw = np.random.default_rng([seed, epoch, i]).integers(0, 2**31, variable.shape)
        variable.assign(draw.astype(variable.dtype))
