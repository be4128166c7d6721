"""Which loss and which weight land on which output? Every way to write it, Keras alone and keras_cases.

    python benchmarks/loss_routing.py            prints the table and writes loss_routing.md

Three outputs, given as a list or a dict, each of which is 1; their losses are main 100, aux1 10 and
aux2 1 times the output, their weights shall be main 1, aux1 .3, aux2 .2. The reported total is right
if it is 103.2, but a right total is no proof: so one step of SGD is made, and how far it moves each
output is weight times loss as they reached that output: right is 100, 3 and 0.2.
The page opens with recipes to copy (loss_recipes.py) and the rule that predicts every total.
"""

import ast
import importlib.metadata
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

LOSSES = {"main": 100.0, "aux1": 10.0, "aux2": 1.0}
RIGHT = {"main": 1.0, "aux1": 0.3, "aux2": 0.2}
CASES = {
    "right": RIGHT,
    "typo": {"main": 1.0, "axu1": 0.3, "aux2": 0.2},
    "missing": {"main": 1.0, "aux1": 0.3},
    "surplus": RIGHT | {"aux3": 0.1},
    "negative": RIGHT | {"aux1": -0.3},
    "NaN": RIGHT | {"aux1": float("nan")},
}
BACKENDS = ("tensorflow", "jax", "torch")


def measure():
    """One row per combination: [outputs, losses, weights, case, Keras alone, the step, keras_cases]."""
    import keras
    import numpy as np

    from keras_cases.loss_weights import weighted_losses

    x, y = np.ones((2, 1), "float32"), np.zeros((2, 1), "float32")
    losses = {name: lambda y_true, y_pred, value=value: value * y_pred
              for name, value in LOSSES.items()}

    def build(outputs):
        pixels = keras.Input((1,))
        heads = {name: keras.layers.Dense(1, kernel_initializer="zeros", bias_initializer="ones",
                                          name=name)(pixels) for name in LOSSES}
        return keras.Model(pixels, list(heads.values()) if outputs == "list" else heads)

    def total(model, targets):
        loss = model.evaluate(x, targets, verbose=0, return_dict=True)["loss"]
        return f"{loss:.1f}"

    def keras_alone(outputs, losses, weights):
        model = build(outputs)
        model.compile(keras.optimizers.SGD(1.0), loss=losses, loss_weights=weights, run_eagerly=True)
        targets = [y] * 3 if outputs == "list" else dict.fromkeys(LOSSES, y)
        found = total(model, targets)
        model.train_on_batch(x, targets)
        biases = [float(model.get_layer(name).get_weights()[1][0]) for name in LOSSES]
        return found, ", ".join(f"{1 - bias:.4g}" for bias in biases)

    def ours(outputs, losses, weights):
        plan = weighted_losses(build(outputs), losses, weights)
        return total(plan.compile("sgd", run_eagerly=True), plan.targets(y))

    def outcome(run, *arguments):
        try:
            return run(*arguments)
        except Exception as error:
            return f"{type(error).__name__}: {str(error).splitlines()[0]}"

    rows = []
    for outputs, as_losses, as_weights in itertools.product(("list", "dict"), repeat=3):
        for case, weights in CASES.items():
            if as_weights == "list" and case == "typo":
                continue    # a list has no name to misspell
            arguments = (outputs, losses if as_losses == "dict" else [*losses.values()],
                         weights if as_weights == "dict" else [*weights.values()])
            alone = outcome(keras_alone, *arguments)
            alone, step = (alone, "") if isinstance(alone, str) else alone
            rows.append([outputs, as_losses, as_weights, case, alone, step, outcome(ours, *arguments)])
    return rows


RULE = """\
Keras pairs losses with weights before the first step, like this:

1. Outputs in a list, losses in a dict: the losses are put in the order of the outputs. Weights in
   a dict are looked up by the same names (a surplus one is dropped), a list is taken in its order.
2. Else, losses and weights of one form (two lists of one length, two dicts with the same keys) are
   paired as they stand, by place or by name.
3. Else both are made flat, a list in its order **and a dict in the order of its sorted keys**, and
   paired by place. Only their numbers have to be equal; the names are not looked at.
4. The losses, each with its weight, go to the outputs: by name if the losses are a dict, else by
   place, **and a dict of outputs is put in the order of its sorted keys**.

Step 3 is the trap for the weights: a list of losses and a dict of weights, or the other way round,
or two dicts one of whose names is misspelt. Step 4 is the trap for the losses: a list of losses for
a dict of outputs. There the total can be right while no output has its own loss. Sorted, `aux1,
aux2` come before `main`."""


def by_the_rule(outputs, as_losses, as_weights, case):
    """The total and the step of each output by RULE, of Keras alone; None where it refuses."""
    weights, by_name = CASES[case], as_weights == "dict"
    if outputs == "list" and as_losses == "dict" and by_name:
        pairs = [(LOSSES[n], weights[n]) for n in LOSSES] if LOSSES.keys() <= weights.keys() else ()
    elif as_losses == as_weights == "dict" and LOSSES.keys() == weights.keys():
        pairs = [(LOSSES[n], weights[n]) for n in LOSSES]
    else:
        in_order = as_losses == "list" or outputs == "list"
        flat = [LOSSES[n] for n in (LOSSES if in_order else sorted(LOSSES))]
        of_each = [weights[n] for n in (sorted(weights) if by_name else weights)]
        pairs = list(zip(flat, of_each)) if len(flat) == len(of_each) else ()
    if not pairs:
        return None
    if as_losses == "list":
        outputs_by_place = list(LOSSES) if outputs == "list" else sorted(LOSSES)
        step = {name: loss * weight for name, (loss, weight) in zip(outputs_by_place, pairs)}
    else:
        by_loss = {loss: loss * weight for loss, weight in pairs}
        step = {name: by_loss[loss] for name, loss in LOSSES.items()}
    return (f"{sum(loss * weight for loss, weight in pairs):.1f}",
            ", ".join(f"{step[name]:.4g}" for name in LOSSES))


def recipes():
    """The functions of loss_recipes.py as sections of the page."""
    source = (Path(__file__).parent / "loss_recipes.py").read_text()
    parts = [node for node in ast.parse(source).body
             if isinstance(node, (ast.Import, ast.ImportFrom, ast.FunctionDef))]
    imports = [ast.get_source_segment(source, node) for node in parts
               if not isinstance(node, ast.FunctionDef)]
    yield "```python\n" + "\n".join(imports) + "\n```"
    for node in parts:
        if isinstance(node, ast.FunctionDef):
            title = node.name.replace("_", " ").capitalize().replace("Googlenet", "GoogLeNet's")
            yield f"### {title}\n\n```python\n{ast.get_source_segment(source, node)}\n```"


def verdict(case, keras_alone, step):
    if "Error" in keras_alone:
        return "refused"
    if case not in ("typo", "missing"):
        meant = ", ".join(f"{LOSSES[name] * CASES[case][name]:.4g}" for name in LOSSES)
        if step == meant:
            return "right" if case == "right" else "accepted"
    return "**misrouted**"


def page(rows, versions):
    verdicts = [verdict(case, alone, step) for *_, case, alone, step, _ in rows]
    for *given, alone, step, _ in rows:
        assert by_the_rule(*given) == (None if "Error" in alone else (alone, step)), (given, alone, step)
    count = {word: sum(word in v for v in verdicts)
             for word in ("misrouted", "accepted", "refused", "right")}
    ours = [outcome.split(". The outputs")[0] for *_, outcome in rows]
    lines = [
        "# Which loss and which weight land on which output",
        "",
        f"Made by `benchmarks/loss_routing.py` with {versions}. The three backends gave the same.",
        "",
        "## Three recipes to copy",
        "",
        *[line for recipe in recipes() for line in (recipe, "")],
        "## What plain Keras does",
        "",
        RULE,
        "",
        f"This predicts all {len(rows)} outcomes of Keras below, total and step.",
        "",
        "## Every combination",
        "",
        "Losses: main 100, aux1 10, aux2 1. Weights meant: main 1, aux1 0.3, aux2 0.2. *Total*: what Keras",
        "alone reports; 103.2 is right, and 33.0 is .3 on main's loss, .2 on aux1's, 1 on aux2's. *Step*:",
        "weight times loss as they reached main, aux1 and aux2, measured by one step of SGD; right is",
        "100, 3, 0.2. *Misrouted*: a weight or a loss sits on another output, silently, even where the",
        "total is right. *Accepted*: a surplus name is dropped, or a negative or NaN weight is used,",
        "silently.",
        "",
        f"Keras alone, of {len(rows)} combinations: {count['right']} right, {count['misrouted']} "
        f"misrouted, {count['accepted']} accepted, {count['refused']} refused.",
        f"`weighted_losses`: {ours.count('103.2')} right (the only two that name everything once), "
        f"{sum('ValueError' in outcome for outcome in ours)} refused.",
        "",
        "| outputs | losses | weights | case | total | step | is | `weighted_losses` |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (*given, alone, step, _), word, outcome in zip(rows, verdicts, ours):
        lines.append("| " + " | ".join([*given, alone, step, word, outcome]) + " |")
    return "\n".join(lines) + "\n"


def main():
    root = Path(__file__).resolve().parent.parent
    results = []
    for backend in BACKENDS:
        run = subprocess.run(
            [sys.executable, __file__, "measure"], cwd=root, check=True, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(root)})
        results.append(json.loads(run.stdout.splitlines()[-1]))
    for backend, rows in zip(BACKENDS, results):
        for row, first in zip(rows, results[0]):
            if row != first:
                raise SystemExit(f"{backend} differs from {BACKENDS[0]}: {row} against {first}")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}"
                         for name in ("keras", *BACKENDS))
    text = page(results[0], versions)
    (root / "benchmarks" / "loss_routing.md").write_text(text)
    print(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(measure()))
    else:
        main()
