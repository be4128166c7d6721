"""The training loop: a net, a split of the data and a recipe in; a history and its last word out.

One `model.fit` over a stream of batches. Whatever is random in an epoch is drawn from (seed,
epoch): the order of the images, the crops, the dropout. So a run that was killed and continued ends
bitwise where it would have ended, and two epochs never see the images in the same order.
"""

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass

import keras
import numpy as np

from keras_cases.loss_weights import fade_out, weighted_losses
from keras_cases.training import checkpoint
from keras_cases.training.recipe import optimizer
from keras_cases.training.tasks import task_of


@dataclass(frozen=True)
class Trained:
    """What `fit` found.

    history: {"loss", "accuracy", "val_loss", "val_accuracy", "seconds", "images", …}, a number an
        epoch; "val" is what was watched: the validation part where the split has one, else the test
        part. Of several outputs the first is the net's answer; the others add "NAME_loss",
        "NAME_accuracy", "NAME_weight", their "val_" twins and "agreement_NAME".
    train, test: {"accuracy", "loss", …} of the finished net on the images it was trained on, and on
        the test part, both without dropout and without augmentation. Empty where not complete.
    """

    history: dict
    complete: bool
    train: dict
    test: dict


def fit(net, split, recipe, seed=0, state_file=None, verbose=0, deadline=None):
    """Trains any net on a `data.Split`, in place, and returns a `Trained`.

    The labels tell the task (see tasks.py); images of any number type are standardized. Continues
    from `state_file` where there is one. Stops, not complete, on Ctrl-C, with the last whole epoch
    in the net and in the state file, and before an epoch that would pass `deadline`, a
    time.monotonic(). Raises: FloatingPointError when the loss is NaN; ValueError for fewer images
    than a batch, or the state of another run.
    """
    count = min(recipe.images or len(split.x_train), len(split.x_train))
    steps = count // recipe.batch_size  # whole batches only: one shape to compile
    if not steps:
        raise ValueError(f"{count} images are less than one batch of {recipe.batch_size}.")
    task = task_of(net, split.y_train, recipe)
    images = (split.x_train[:count], split.y_train[:count])
    tested = (split.x_test[:recipe.held_out], split.y_test[:recipe.held_out])
    watched = tested if split.x_val is None else (split.x_val, split.y_val)
    model = training_model(net, split.x_train)
    this_run = identity(model, split, recipe, seed)
    model, shaped, first = _compiled(model, task, recipe, steps)
    keeper = _Keeper(model, recipe, seed, watched, first, steps, deadline, state_file, this_run)
    if keeper.epochs < recipe.epochs and not keeper.late():
        stream = _batches(*images, task, shaped, recipe, seed, keeper.epochs, steps)
        try:
            model.fit(stream, steps_per_epoch=steps, initial_epoch=keeper.epochs,
                      epochs=recipe.epochs, callbacks=[keeper], verbose=verbose, shuffle=False,
                      validation_data=(watched[0], shaped(task.targets(watched[1]))),
                      validation_batch_size=500)
        except KeyboardInterrupt:
            print(f"Stopped by hand; {keeper.epochs} whole epochs are kept.")
    if keeper.epochs < recipe.epochs:
        checkpoint.restore(model, keeper.kept)
        return Trained(keeper.history, False, {}, {})
    model.optimizer.finalize_variable_values(model.trainable_variables)  # a moving average
    measured = [_evaluate(model, x, shaped(task.targets(y)), first) for x, y in (images, tested)]
    return Trained(keeper.history, True, *measured)


def training_model(net, x_train):
    """The net behind what it needs: raw images in, standardized as the training images are."""
    images = keras.Input(x_train.shape[1:], dtype=x_train.dtype.name)
    outputs = net(standardizer(x_train)(images))
    if isinstance(outputs, list):  # a nested net's outputs would all bear the net's name
        outputs = dict(zip(net.output_names, outputs))
    return keras.Model(images, outputs, name=f"train_{net.name}")


def standardizer(x_train):
    """A layer that gives images mean 0 and deviation 1, as the first 5,000 of x_train have."""
    mean, deviation = statistics(x_train)
    return keras.layers.Rescaling(1 / deviation, -mean / deviation, dtype="float32")


def statistics(x_train):
    """(mean, deviation) of the first 5,000 training images, in the images' own unit."""
    sample = x_train[:5000].astype("float64")
    mean, deviation = float(sample.mean()), float(sample.std())
    if not deviation:
        raise ValueError(f"All pixels of the training images are {mean}: there is nothing to learn.")
    return mean, deviation


def agreement(outputs):
    """How often each further output's highest class is the first's: {name: fraction}.

    outputs: {name: probabilities (images, classes)}, the first of them the net's answer.
    """
    (_, first), *others = ((name, values.argmax(-1)) for name, values in outputs.items())
    return {name: float((values == first).mean()) for name, values in others}


def identity(model, split, recipe, seed):
    """What has to be the same for a run to be continued: {what: text or number}."""
    policy = sorted({layer.dtype_policy.name for layer in model.layers})
    return {**asdict(recipe), "seed": seed, "net": _fingerprint_of_net(model), "policy": policy,
            "data": fingerprint_of_data(split), "split": split.name,
            "backend": keras.backend.backend(), "keras": keras.__version__}


def _fingerprint_of_net(model):
    """A hash of the graph and of every option in it, whatever Keras has called the layers."""
    number = {name: f"<{i}>" for i, name in enumerate(dict.fromkeys([model.name, *_names(model)]))}

    def plain(part):
        if isinstance(part, dict):
            return {key: plain(value) for key, value in part.items()}
        if isinstance(part, (list, tuple)):
            return [plain(value) for value in part]
        return number.get(part, part) if isinstance(part, str) else part

    text = json.dumps(plain(keras.saving.serialize_keras_object(model)), default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _names(model):
    for operation in model.operations:
        yield operation.name
        if hasattr(operation, "operations"):
            yield from _names(operation)


def fingerprint_of_data(split):
    """A hash of all images and labels of a split, in their order."""
    digest = hashlib.sha256()
    for part in (split.x_train, split.y_train, split.x_test, split.y_test, split.x_val, split.y_val):
        digest.update(b"none" if part is None else np.ascontiguousarray(part).data)
    return digest.hexdigest()[:16]


def _batches(images, labels, task, shaped, recipe, seed, epoch, steps):
    """Endless: `steps` batches of each epoch, in the order and with the crops of (seed, epoch)."""
    size = recipe.batch_size
    while True:
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(images))
        for start in range(0, steps * size, size):
            which = order[start:start + size]
            x, y = images[which], labels[which]
            if recipe.augment:
                x, y = task.augment(x, y, rng)
            yield x, shaped(task.targets(y))
        epoch += 1


def _compiled(model, task, recipe, steps):
    """What to fit, a function that shapes the labels for it, and the first of several outputs."""
    made = optimizer(recipe, steps)
    if not isinstance(model.output, dict):
        model.compile(made, task.loss, metrics=task.metrics())
        return model, lambda y: y, None
    first, *others = model.output
    aux = fade_out(recipe.aux_weight, recipe.aux_fade) if recipe.aux_fade else recipe.aux_weight
    plan = weighted_losses(model, dict.fromkeys(model.output, task.loss),
                           {first: 1.0, **dict.fromkeys(others, aux)},
                           {name: task.metrics() for name in model.output})
    return plan.compile(made), plan.targets, first


def _evaluate(model, x, y, first):
    found = model.evaluate(x, y, batch_size=500, verbose=0, return_dict=True)
    if first:
        found["accuracy"] = found.pop(f"{first}_accuracy")
    return {key: round(float(value), 5) for key, value in found.items()}


class _Keeper(keras.callbacks.Callback):
    """Sets the seeds of each epoch, collects its figures, and keeps its state."""

    def __init__(self, model, recipe, seed, watched, first, steps, deadline, file, identity):
        super().__init__()
        self.recipe, self.seed, self.watched, self.first = recipe, seed, watched, first
        self.images, self.deadline, self.file, self.identity = (
            steps * recipe.batch_size, deadline, file, identity)
        saved = checkpoint.load(file, identity) if file else None
        if saved:
            checkpoint.restore(model, saved[0])
        self.history = saved[1] if saved else {}
        self.kept = checkpoint.state(model)

    @property
    def epochs(self):
        return len(self.history.get("loss", ()))

    def late(self):
        """Whether one more epoch like the last would pass the deadline."""
        last = (self.history.get("seconds") or [0])[-1]
        return self.deadline is not None and time.monotonic() + last > self.deadline

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()
        states = [v for v in self.model.variables if "seed_generator_state" in v.path]
        for i, variable in enumerate(states):  # dropout draws from (seed, epoch)
            draw = np.random.default_rng([self.seed, epoch, i]).integers(0, 2**31, variable.shape)
            variable.assign(draw.astype(variable.dtype))

    def on_epoch_end(self, epoch, logs=None):
        logs = dict(logs)
        if not math.isfinite(logs["loss"]):
            checkpoint.restore(self.model, self.kept)
            raise FloatingPointError(
                f"The loss became {logs['loss']} in epoch {epoch + 1}; the net holds the epoch "
                f"before. Try a lower learning_rate (it is {self.recipe.learning_rate}), a warmup, "
                "or \"clipnorm\" in the optimizer's config.")
        if self.first:
            for part in ("", "val_"):
                logs[f"{part}accuracy"] = logs.pop(f"{part}{self.first}_accuracy")
            outputs = self.model.predict(self.watched[0], batch_size=500, verbose=0)
            in_order = {name: outputs[name] for name in self.model.output}  # predict may sort
            logs |= {f"agreement_{k}": v for k, v in agreement(in_order).items()}
        logs |= {"seconds": time.perf_counter() - self.started, "images": self.images}
        history = {key: [*values] for key, values in self.history.items()}
        for key, value in logs.items():
            history.setdefault(key, []).append(round(float(value), 5))
        kept = checkpoint.state(self.model)
        if self.file:
            checkpoint.save(self.file, kept, history, self.identity)
        self.history, self.kept = history, kept
        if self.late():
            self.model.stop_training = True
