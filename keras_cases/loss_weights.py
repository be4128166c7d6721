"""Weights for the losses of a model with one or several outputs, by name and without ambiguity.

    plan = weighted_losses(model,
                           losses=dict.fromkeys(["main", "aux1", "aux2"], "crossentropy"),
                           weights={"main": 1.0, "aux1": 0.3, "aux2": fade_out(0.3, epochs=20)})
    trainer = plan.compile("adam")                     # same layers as model: fit this one,
    trainer.fit(x, plan.targets(labels), epochs=30)
    strip_heads(model, keep="main").save("main.keras")   # then save or strip the model itself

Why not model.compile(loss=..., loss_weights=...)? Keras pairs a list of losses with a dict of
weights by the sorted keys, and says nothing: outputs [main, aux1, aux2] with weights {main: 1,
aux1: .3, aux2: .3} train on .3 main + .3 aux1 + 1 aux2 (benchmarks/loss_routing.md measures every
combination). Here every output is named exactly once, or a ValueError says which name is wrong.

The reported `loss` is the sum of weight x loss (+ regularisers), the reported `NAME_loss` are
unweighted. A weight that moves also moves `val_loss`: stop early on the loss of one output,
keras.callbacks.EarlyStopping("val_main_loss", mode="min"); Keras cannot guess the mode by itself.
Sample weights travel like targets: fit(..., sample_weight=plan.targets({"main": w, ...})).
Class weights: Keras takes class_weight when the only output is a bare tensor and raises a
ValueError otherwise; there look up the weight of each image and pass sample weights.
Several devices: under tf.distribute make the model and the plan inside strategy.scope().
"""

import difflib
import math
import numbers
from dataclasses import dataclass

import keras
from keras import ops


@dataclass(frozen=True)
class Learned:
    """A weight learned with the network, from the noise of its own task (homoscedastic).

    A trainable scalar s = log(noise variance) starts at `log_variance`; a loss L enters as

        kind="regression"      L mean squared error    exp(-s)/2 * L + s/2    weight exp(-s)/2
        kind="classification"  L cross-entropy         exp(-s)   * L + s/2    weight exp(-s)

    The first is a Gaussian likelihood, the second the paper's approximation of a softmax with a
    temperature; s/2 = log(standard deviation) keeps the weight from falling to 0. At rest the
    weight is 1/(2L): the noisier output gets the smaller one. The total can be negative. Weight
    decay would pull s to 0: optimizer.exclude_from_weight_decay(var_names=["log_variance"]).

    Raises: ValueError for another kind or a start that is not finite.
    Source: Kendall, Gal, Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses for Scene
    Geometry and Semantics", CVPR 2018, section 3.2 (arXiv:1705.07115).
    """

    kind: str
    log_variance: float = 0.0

    def __post_init__(self):
        if self.kind not in ("classification", "regression") or not math.isfinite(
                self.log_variance):
            raise ValueError(f"got {self}, wanted kind 'classification' (for a cross-entropy) or "
                             "'regression' (for a mean squared error), and a finite log_variance "
                             "(0.0 is a noise variance of 1).")

    def weight(self, s):
        return ops.exp(-s) / (2.0 if self.kind == "regression" else 1.0)


def fade_out(start, epochs):
    """Schedule: a straight line from `start` at epoch 0 down to 0 at epoch `epochs` and after.

    Raises: ValueError when epochs is not positive (weighted_losses checks the start).
    """
    if not epochs > 0:
        raise ValueError(f"fade_out: got epochs={epochs}, wanted a positive number of epochs.")
    return lambda epoch: start * max(0.0, 1.0 - epoch / epochs)


def strip_heads(model, keep="main"):
    """The model for inference: the inputs, the output named `keep`, and the layers between.

    It shares its weights with `model` and predicts the same; the other heads' layers are gone.
    Raises: ValueError when `keep` is not an output of `model`.
    """
    inputs, outputs = _graph(model)
    _check_names("strip_heads(keep)", {keep: None}, outputs, partly=True)
    return keras.Model(inputs, outputs[keep], name=model.name)


def weighted_losses(model, losses, weights, metrics=None):
    """Pair every output of `model` with its loss and its weight, by name.

    model: a functional Keras model or a built Sequential. Its output names are the keys of its
        output dict, or else the names of its output layers (`model.output_names`).
    losses: {output: one Keras loss (name, function or object)}, every output exactly once. A loss
        object must reduce to one number: the gradient of what reduction="none" gives is that of a
        sum, so the step would be as many times larger as a batch has images, and say nothing.
    weights: {output: weight}, every output exactly once. A weight is a finite number >= 0, or a
        schedule (callable epoch 0, 1, ... -> such a number, e.g. fade_out), or a `Learned`.
    metrics: {output: metric or list of metrics}; an output without metrics may be left out.
    Returns: a `WeightedLosses`.
    Raises: ValueError for lists, for a misspelt, missing or surplus name (with the nearest output
        name), for a negative or not finite weight, for a loss that is not reduced, and for outputs
        without unique names.
    """
    return WeightedLosses(model, losses, weights, metrics)


class WeightedLosses:
    """The checked pairing of outputs, losses and weights that `weighted_losses` returns."""

    def __init__(self, model, losses, weights, metrics=None):
        self.model = model
        self.names = list(_graph(model)[1])
        _check_names("losses", losses, self.names)
        _check_names("weights", weights, self.names)
        for name, loss in losses.items():
            if not isinstance(loss, str) and not callable(loss):
                raise ValueError(f"losses[{name!r}]: got {loss!r}, wanted one Keras loss: a name, "
                                 "a function or an object. To ignore an output, give it weight 0.")
            if getattr(loss, "reduction", "mean") in (None, "none"):
                raise ValueError(f"losses[{name!r}]: got {loss!r} with reduction='none', wanted one "
                                 "number for a batch: take reduction='sum_over_batch_size', the "
                                 "default. To weigh single images, pass sample weights to fit().")
        self.losses = dict(losses)
        self.metrics = self._route_metrics("metrics", metrics)
        self.learned = {n: w for n, w in weights.items() if isinstance(w, Learned)}
        self.schedules = {n: w for n, w in weights.items() if callable(w)}
        self.fixed = {n: _number(f"weights[{n!r}]", w) for n, w in weights.items()
                      if n not in self.learned and n not in self.schedules}
        self._trainer = _Trainer(self)

    def compile(self, optimizer, weighted_metrics=None, **options):
        """Compile and return the trainer, the model to fit; `options` go to Keras's compile().

        The trainer has the layers of `model`, plus variables for the weights that move, so that
        nothing retraces. Its fit() sets the schedules from Keras's epoch number (a second fit()
        needs initial_epoch) and records the weights as `NAME_weight`; with train_on_batch() call
        set_epoch() yourself. Its save(), and so ModelCheckpoint, saves the clean `model`; its
        save_weights() holds the moving weights too, to resume with the trainer.
        weighted_metrics: like metrics, but computed with the sample weights.
        """
        if {"loss", "loss_weights", "metrics"} & set(options):
            raise ValueError(f"compile: got {sorted(options)}; losses, weights and metrics are "
                             "given to weighted_losses(...), by name.")
        weighted_metrics = self._route_metrics("weighted_metrics", weighted_metrics)
        self._trainer.compile(optimizer, metrics=self.metrics, weighted_metrics=weighted_metrics,
                              **options)
        for method in ("fit", "evaluate"):
            _refuse_until_compiled(self.model, method)
        return self._trainer

    def compile_args(self):
        """Arguments to compile `model` itself: model.compile(optimizer, **plan.compile_args()).

        In the shape that Keras routes rightly: dicts for a dict of outputs, otherwise lists in
        output order. The total and its gradient are the trainer's, but the `NAME_loss` that Keras
        reports on TensorFlow are means over batches, off when the last batch is smaller, and older
        Keras (3.7) refuses metrics for a dict whose keys are not the names of its output layers.
        Raises: ValueError if a weight moves, for Keras's compile() holds numbers only.
        """
        moving = [*self.schedules, *self.learned]
        if moving:
            raise ValueError(f"compile_args: the weights of {moving} change while training, and "
                             "Keras's compile() holds numbers only; use compile() and fit the "
                             "trainer that it returns.")
        return {"loss": self._pack(self.losses), "loss_weights": self._pack(self.fixed),
                "metrics": self.metrics}

    def targets(self, y):
        """Targets, or sample weights, in the structure of the model's outputs.

        y: {output: array}, every output exactly once, or one array that all outputs share.
        """
        if hasattr(y, "shape"):
            y = dict.fromkeys(self.names, y)
        _check_names("targets", y, self.names)
        packed = self._pack(y)
        return tuple(packed) if isinstance(packed, list) else packed  # tf.data stacks lists

    def total(self, parts, epoch=None):
        """Sum of weight x loss as a float: what Keras reports as `loss`, without regularisers.

        parts: {output: unweighted loss}, every output exactly once. The weights are those of now;
        schedules are taken at `epoch` if it is given. A learned weight adds its s/2.
        """
        _check_names("parts", parts, self.names)
        weights = self.current_weights()
        if epoch is not None:
            weights |= {name: self._scheduled(name, epoch) for name in self.schedules}
        return (sum(weights[name] * float(parts[name]) for name in self.names)
                + sum(_float(self._trainer.moving[name]) / 2 for name in self.learned))

    def current_weights(self):
        """{output: its weight now, a float}."""
        return {name: _float(self._weight(name)) for name in self.names}

    def set_epoch(self, epoch):
        """Set every schedule to `epoch`, counted from 0. Raises: ValueError for a bad weight."""
        for name in self.schedules:
            self._trainer.moving[name].assign(self._scheduled(name, epoch))

    def _scheduled(self, name, epoch):
        return _number(f"weights[{name!r}] at epoch {epoch}", self.schedules[name](epoch))

    def _weight(self, name):
        if name in self.learned:
            return self.learned[name].weight(self._trainer.moving[name])
        return self.fixed[name] if name in self.fixed else self._trainer.moving[name]

    def _pack(self, by_name):
        """{output: value} -> the structure of the model's outputs."""
        values = [by_name[name] for name in self.names]
        if _has_dict_outputs(self.model):
            return dict(zip(self.names, values))
        return values if len(values) > 1 else values[0]

    def _unpack(self, what, values):
        """The structure of the model's outputs -> {output: value}; one value serves them all."""
        if isinstance(values, (list, tuple)):
            values = dict(zip(self.names, values, strict=True))
        if not isinstance(values, dict):
            values = dict.fromkeys(self.names, values)
        _check_names(what, values, self.names)
        return values

    def _route_metrics(self, what, metrics):
        if metrics is None:
            return None
        _check_names(what, metrics, self.names, partly=True)
        lists = {n: [*m] if isinstance(m, (list, tuple)) else [m] for n, m in metrics.items()}
        if len(self.names) == 1:
            return lists.get(self.names[0])
        return lists if _has_dict_outputs(self.model) else [lists.get(n) for n in self.names]


class _Trainer(keras.Model):
    """The model's own graph and layers, plus the variables of the weights that move.

    These hang here because the compiled step must know them (JAX freezes a variable that no model
    tracks) and because on the model itself they would break its .keras file.
    """

    def __init__(self, plan):
        inputs, outputs = _graph(plan.model)
        super().__init__(inputs, plan._pack(outputs), name=plan.model.name)
        self.plan = plan
        self.output_names = plan.names  # the dict's keys: Keras 3.7 routes metrics by these alone
        self.parts = {name: keras.metrics.Mean(name=f"{name}_loss") for name in plan.names}
        self.moving = {name: self._scalar(f"{name}_weight", plan._scheduled(name, 0), False)
                       for name in plan.schedules}
        self.moving |= {name: self._scalar(f"{name}_log_variance", weight.log_variance, True)
                        for name, weight in plan.learned.items()}
        # Only compile() knows how Keras reads a loss (a name, a function, an object): one empty
        # model per output reads it, behind a lambda, or Keras would count them as layers.
        judges = {name: keras.Sequential() for name in plan.names}
        for name, judge in judges.items():
            judge.compile(optimizer=None, loss=plan.losses[name])
        self.judge = lambda name, *data: judges[name].compute_loss(None, *data)
        self.share = keras.losses.MeanSquaredError()

    def _scalar(self, name, start, trainable):
        start = keras.initializers.Constant(start)
        return self.add_weight(shape=(), name=name, initializer=start, trainable=trainable)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        y, y_pred = self.plan._unpack("targets", y), self.plan._unpack("outputs", y_pred)
        sample_weight = self.plan._unpack("sample_weight", sample_weight)
        # Under tf.distribute Keras gives each of n replicas 1/n of every loss and adds them up.
        share = self.share(ops.zeros((1, 1)), ops.ones((1, 1)))  # 1/n; 1 everywhere else
        total = share * sum(ops.sum(extra) for extra in self.losses)  # regularisers and add_loss
        for name, mean in self.parts.items():
            loss = self.judge(name, y[name], y_pred[name], sample_weight[name])
            mean.update_state(loss / share, sample_weight=ops.shape(y_pred[name])[0])
            total += self.plan._weight(name) * loss
            if name in self.plan.learned:
                total += share * self.moving[name] / 2
        return total

    def fit(self, *args, callbacks=None, **kwargs):
        def record(epoch, logs):
            logs.update({f"{n}_weight": w for n, w in self.plan.current_weights().items()})

        weigh = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: self.plan.set_epoch(epoch), on_epoch_end=record)
        given = callbacks if isinstance(callbacks, (list, tuple)) else [callbacks]
        # Variables made inside the first step would have TensorFlow trace that step twice.
        self.optimizer.build(self.trainable_variables)
        return super().fit(*args, callbacks=[weigh, *filter(None, given)], **kwargs)

    def save(self, *args, **kwargs):
        return self.plan.model.save(*args, **kwargs)


def _refuse_until_compiled(model, method):
    """Let the model itself say which model to fit, as long as nobody has compiled it."""
    def refuse(*args, **kwargs):
        if not model.compiled:
            raise ValueError(f"{model.name!r} itself is not compiled: call {method}() on the trainer, "
                             f"trainer = plan.compile(...); trainer.{method}(...). It trains the "
                             "layers of this model, which you then save or strip.")
        return getattr(type(model), method)(model, *args, **kwargs)

    setattr(model, method, refuse)


def _has_dict_outputs(model):
    return not isinstance(model, keras.Sequential) and isinstance(model.output, dict)


def _graph(model):
    """The inputs of `model`, and {output name: output tensor} in the model's order."""
    if isinstance(model, keras.Sequential) and model.built:
        return model.inputs[0], {model.layers[-1].name: model.outputs[0]}
    if not hasattr(model, "output_names"):
        raise ValueError(f"got {model!r}, wanted a functional keras.Model or a built Sequential, "
                         "whose outputs have names.")
    tensors, names = model.output, model.output_names
    if isinstance(tensors, dict):
        tensors, names = [*tensors.values()], [*tensors]
    tensors = tensors if isinstance(tensors, (list, tuple)) else [tensors]
    if len(set(names)) < len(names) or not all(hasattr(tensor, "shape") for tensor in tensors):
        raise ValueError(f"{model.name!r} gives {model.output}, named {names}, wanted a flat list "
                         "or dict with a different name for each output; give keras.Model a dict, "
                         "{'main': ..., 'aux1': ...}.")
    return model.input, dict(zip(names, tensors))


def _float(tensor):
    return float(ops.convert_to_numpy(tensor))


def _number(what, value):
    if not isinstance(value, numbers.Real) or not math.isfinite(value) or value < 0:
        raise ValueError(f"{what}: got {value!r}, wanted a finite number >= 0.")
    return float(value)


def _check_names(what, given, names, partly=False):
    """Raise ValueError unless `given` is a dict that names each output once (`partly`: at most)."""
    listed = (f"The outputs are {', '.join(map(repr, names))}; each is named "
              f"{'at most' if partly else 'exactly'} once.")
    if not isinstance(given, dict):
        raise ValueError(f"{what}: got a {type(given).__name__}, wanted a dict by output name, so "
                         f"that no order can mix them up. {listed}")
    problems = []
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(str(name), map(str, names), n=1, cutoff=0.4)
            problems.append(f"{name!r} is no output" + "".join(f", nearest is {n!r}" for n in near))
    problems += [f"{name!r} is missing" for name in names if name not in given and not partly]
    if problems:
        raise ValueError(f"{what}: {'; '.join(problems)}. {listed}")
