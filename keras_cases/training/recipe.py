"""How to train: one frozen dataclass for all nets, and the Keras optimizer that it stands for."""

import json
import math
from dataclasses import dataclass, fields

import keras


@dataclass(frozen=True)
class Recipe:
    """Batches, optimizer, schedule, augmentation. Every field is checked for its type.

    optimizer: "SGD" (momentum 0.9), the name of another Keras optimizer with its defaults, or
        Keras's own configuration, {"class_name": "RMSprop", "config": {"momentum": 0.9}}, in which
        clipping (clipnorm) and a moving average of the weights (use_ema) have their places.
    learning_rate: held ("constant"), falling tenfold at half and at three quarters of the epochs
        ("steps"), or along half a cosine ("cosine"), after `warmup` epochs of rising.
    weight_decay: Keras's, decoupled: a fraction learning_rate·weight_decay of each weight taken
        off per step. The papers' L2 of 1e-4 at momentum 0.9 acts like 1e-4 / (1 - 0.9) = 1e-3 here.
    label_smoothing: the share of the target spread over all classes.
    augment: random crop out of 4 padded pixels and, for colour images, a flip, drawn per image.
    images, held_out: how many images to train on and to judge by (None: all).
    aux_weight: of the loss of each output but the first, where a net has several (GoogLeNet: 0.3);
    aux_fade: in so many epochs it falls to 0 along a straight line (None: it stays).
    dtype: Keras's dtype policy, "float32" or "mixed_bfloat16", "mixed_float16".

    Raises: TypeError for a field of another type, ValueError for a schedule that is none.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 0.1
    optimizer: str | dict = "SGD"
    weight_decay: float | None = 1e-3
    schedule: str = "steps"
    warmup: float = 0.0
    label_smoothing: float = 0.0
    augment: bool = True
    images: int | None = None
    held_out: int | None = None
    aux_weight: float = 0.3
    aux_fade: float | None = None
    dtype: str = "float32"

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            fits = isinstance(value, field.type) or (
                type(value) is int and isinstance(0.0, field.type))  # 1 for 1.0
            if not fits or (isinstance(value, bool) and field.type is not bool):
                raise TypeError(f"Recipe: {field.name}={value!r} is a {type(value).__name__}; it "
                                f"takes {getattr(field.type, '__name__', field.type)}.")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"schedule={self.schedule!r}; use one of {[*SCHEDULES]}.")
        json.dumps(self.optimizer)  # else the record could not be written in the end


def _constant(rate, total, warm):
    if warm:
        bounds, values = [warm], [rate / 10, rate]
        return keras.optimizers.schedules.PiecewiseConstantDecay(bounds, values)
    return rate


def _steps(rate, total, warm):
    bounds, values = [total // 2, total * 3 // 4], [rate, rate / 10, rate / 100]
    if warm:  # the paper's for 110 layers: a tenth of the rate until training has begun
        bounds, values = [warm, *bounds], [rate / 10, *values]
    return keras.optimizers.schedules.PiecewiseConstantDecay(bounds, values)


def _cosine(rate, total, warm):
    return keras.optimizers.schedules.CosineDecay(
        0.0 if warm else rate, total - warm, warmup_target=rate if warm else None, warmup_steps=warm)


SCHEDULES = {"constant": _constant, "steps": _steps, "cosine": _cosine}


def optimizer(recipe, steps):
    """The recipe's Keras optimizer, its schedule over `steps` batches an epoch."""
    given = recipe.optimizer
    if isinstance(given, str):
        given = {"class_name": given, "config": {"momentum": 0.9} if given == "SGD" else {}}
    rate = SCHEDULES[recipe.schedule](
        recipe.learning_rate, recipe.epochs * steps, math.ceil(recipe.warmup * steps))
    made = keras.optimizers.get(
        {**given, "config": {**given["config"], "weight_decay": recipe.weight_decay,
                             "learning_rate": recipe.learning_rate}})
    made.learning_rate = rate
    return made
