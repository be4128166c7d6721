"""What the targets mean: for each task its loss, its metrics and how images and targets change.

`task_of` tells the task from the labels: one per image is classification, a mask per image is
segmentation.
"""

from dataclasses import dataclass
from typing import Callable

import keras
import numpy as np

from keras_cases.training.augment import crop_and_flip


@dataclass(frozen=True)
class Task:
    """loss, metrics: for Keras. targets(labels): the arrays that the loss takes.
    augment(images, labels, rng): both changed alike."""

    name: str
    loss: Callable
    # Makes new ones, as several outputs must not share one. Objects, not the name "accuracy": Keras
    # makes a named metric's variables inside the first step, which TensorFlow then traces again.
    metrics: Callable
    targets: Callable
    augment: Callable


def task_of(net, labels, recipe):
    """The `Task` of these labels. Raises: ValueError for labels of another shape."""
    makers = {1: classification, 3: segmentation}
    if labels.ndim not in makers:
        raise ValueError(f"labels have shape {labels.shape}; pass one class per image, (n,), or one "
                         "mask per image, (n, H, W).")
    return makers[labels.ndim](net, recipe)


def classification(net, recipe):
    """One label per image: cross-entropy, with label smoothing where the recipe asks for it."""
    classes, logits = net.outputs[0].shape[-1], gives_logits(net)
    if recipe.label_smoothing:
        loss = keras.losses.CategoricalCrossentropy(logits, recipe.label_smoothing)
        accuracy = keras.metrics.CategoricalAccuracy
        one_hot = np.eye(classes, dtype="float32")
        targets = one_hot.__getitem__
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(logits)
        accuracy = keras.metrics.SparseCategoricalAccuracy
        targets = np.asarray

    def augment(images, labels, rng):
        return crop_and_flip(images, rng, flip=images.shape[-1] == 3), labels

    return Task("classification", loss, lambda: [accuracy(name="accuracy")], targets, augment)


def segmentation(net, recipe):
    """One mask of classes per image: cross-entropy of every pixel, and the mean IoU.

    On PyTorch train a net of logits (classifier_activation=None): there Keras 3.15 cannot go back
    through a softmax of maps ("grad_input must be contiguous").
    """
    if recipe.label_smoothing:
        raise ValueError("label_smoothing is for one label per image; leave it at 0 for masks.")
    classes = net.outputs[0].shape[-1]
    loss = keras.losses.SparseCategoricalCrossentropy(gives_logits(net))

    def metrics():
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy"),
                keras.metrics.MeanIoU(classes, sparse_y_pred=False, name="mean_iou")]

    def augment(images, masks, rng):
        return crop_and_flip(images, rng, flip=images.shape[-1] == 3, masks=masks)

    return Task("segmentation", loss, metrics, np.asarray, augment)


def gives_logits(net):
    """Whether the net ends without a softmax, so that the loss has to apply it."""
    last = net.outputs[0]._keras_history.operation
    ends = type(last).__name__, getattr(getattr(last, "activation", None), "__name__", "")
    return "Softmax" not in ends and "softmax" not in ends
