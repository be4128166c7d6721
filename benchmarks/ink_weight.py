"""Which of two questions does a net learn first? Lesson 00's two-headed net, weight by weight.

    python benchmarks/ink_weight.py      runs what data/results lacks, writes ink_weight.md

One net reads a digit and says how much ink it took. The digits' loss has the weight 1; the ink's
has 1, 10 or 100: three seeds each, 32 epochs of the 5,000 training images of MNIST's sample, judged
on its 1,000 test images (two_headed-ink-*.json). As a control each task is learned alone, the other
one at weight 0, for 8 epochs (two_headed-alone-*.json). About 6 minutes on one CPU core for all.
"""

import datetime
import itertools
import json
import statistics
import time
from pathlib import Path

import keras
import numpy as np
from keras import layers

from keras_cases import data, weighted_losses
from keras_cases.records import machine

WEIGHTS, SEEDS, EPOCHS, BATCH, RATE = (1, 10, 100), (0, 1, 2), 32, 100, 0.003
EARLY = 8  # epochs after which the features are judged
ALONE = {"digit": (1.0, 0.0), "ink": (0.0, 1.0)}  # weights of the digits and of the ink
PAGE = Path(__file__).with_suffix(".md")
RESULTS = PAGE.parent.parent / "data" / "results"


def two_headed():
    """The net of lesson 00, part 5."""
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(16, 4, strides=4, activation="relu")(image)
    x = layers.Conv2D(32, 3, strides=2, activation="relu")(x)
    features = layers.Dense(32, activation="relu", name="features")(layers.Flatten()(x))
    return keras.Model(image, {"digit": layers.Dense(10, activation="softmax", name="digit")(features),
                               "ink": layers.Dense(1, name="ink")(features)})


def prepared(images, labels):
    x = images.astype("float32") / 255
    return x, {"digit": labels, "ink": x.mean((1, 2, 3))[:, None]}


def before_training(seed, x_test, y_test):
    """The net of a seed, not trained, and its errors on the test images: epoch 0."""
    keras.utils.set_random_seed(seed)
    net = two_headed()
    answers = net.predict(x_test, batch_size=500, verbose=0)
    right = np.asarray(answers["digit"]).argmax(1) == y_test["digit"]
    error = np.mean((np.asarray(answers["ink"]) - y_test["ink"]) ** 2)
    return net, {"val_digit_accuracy": round(float(right.mean()), 6),
                 "val_ink_loss": round(float(error), 6)}


def same_digit(known, labels, asked, answers):
    """How often the nearest of the known images shows the digit of an image asked."""
    distance = (known ** 2).sum(1) - 2 * asked @ known.T  # + |asked|², equal for all known
    return round(float((labels[distance.argmin(1)] == answers).mean()), 5)


def run(weight, seed, mnist, alone=None):
    """One record: both tasks, the ink at `weight`, or only the task named `alone`."""
    on_digits, on_ink = ALONE[alone] if alone else (1.0, float(weight))
    epochs = EARLY if alone else EPOCHS
    (x, y), (x_test, y_test) = (prepared(mnist.x_train, mnist.y_train),
                                prepared(mnist.x_test, mnist.y_test))
    net, before = before_training(seed, x_test, y_test)
    middle = keras.Model(net.input, net.get_layer("features").output)

    few, many = {}, {}  # searched among 500 other test images; among the 5,000 training images
    digit, half = y_test["digit"], len(x_test) // 2

    def judge(view, see):
        seen = see(x_test)
        few[view] = same_digit(seen[:half], digit[:half], seen[half:], digit[half:])
        many[view] = same_digit(see(x), y["digit"], seen[half:], digit[half:])

    def features(images):
        return np.asarray(middle.predict(images, verbose=0))

    def judge_early(epoch, logs):
        if epoch == EARLY - 1:
            judge(f"features, {EARLY} epochs", features)
            answers = np.asarray(net.predict(x_test[half:], verbose=0)["digit"]).argmax(1)
            many["the digit head"] = round(float((answers == digit[half:]).mean()), 5)

    judge("pixels", lambda images: images.reshape(len(images), -1))
    judge("features, untrained", features)
    early = keras.callbacks.LambdaCallback(on_epoch_end=judge_early)
    plan = weighted_losses(
        net, losses={"digit": "sparse_categorical_crossentropy", "ink": "mean_squared_error"},
        weights={"digit": on_digits, "ink": on_ink}, metrics={"digit": "accuracy"})
    began = time.perf_counter()
    history = plan.compile(keras.optimizers.Adam(RATE)).fit(
        x, plan.targets(y), batch_size=BATCH, epochs=epochs, verbose=0, callbacks=[early],
        validation_data=(x_test, plan.targets(y_test)), validation_batch_size=500).history
    seconds = round(time.perf_counter() - began, 1)
    judge(f"features, {epochs} epochs", features)
    return {"case": "two_headed", "label": f"{alone} alone" if alone else f"ink weight {weight}",
            "net": {}, "mode": "full",
            "seed": seed, "ink_weight": weight, "alone": alone,
            "recipe": {"epochs": epochs, "batch_size": BATCH, "optimizer": "Adam",
                       "learning_rate": RATE}, "parameters": net.count_params(),
            "complete": True, "accuracy": round(history["val_digit_accuracy"][-1], 5),
            "accuracy_of": "1k test", "before training": before, "neighbours": few, "neighbours of 5,000": many, "seconds": seconds,
            "data": {"name": "mnist", "source": mnist.source, "status": mnist.status,
                     "split": mnist.split().name},
            "machine": machine(), "date": datetime.date.today().isoformat(),
            "history": {key: [round(v, 6) for v in values] for key, values in history.items()}}


def always_the_mean(mnist):
    """Squared error on the test images of the training images' mean ink."""
    known, asked = (prepared(*images)[1]["ink"] for images in (
        (mnist.x_train, mnist.y_train), (mnist.x_test, mnist.y_test)))
    return float(((asked - known.mean()) ** 2).mean())


def spread(values, form):
    low, high = form.format(min(values)), form.format(max(values))
    return f"{form.format(statistics.mean(values))} ({low} to {high})"


def page(records, constant):
    first = records[0]["machine"]
    backend = first["backend"]
    lines = ["# Which question does a net learn first?", "",
             f"Made by `benchmarks/ink_weight.py` with keras {first['keras']}, {backend} "
             f"{first[backend]}: mean (lowest to highest) of seeds {', '.join(map(str, SEEDS))}.",
             "Always answering with the mean ink of the training images has the squared error "
             f"{constant:.4f}. Epoch 0 is before training.",
             "", "| ink weight | epochs | digits right, % | ink, squared error | ink's share of the "
             "total, % |", "|---|---|---|---|---|"]
    for weight in WEIGHTS:
        runs = [r for r in records if r["ink_weight"] == weight and not r.get("alone")]
        start = [r["before training"] for r in runs]
        lines.append(f"| {weight} | 0 | {spread([100 * s['val_digit_accuracy'] for s in start], '{:.1f}')}"
                     f" | {spread([s['val_ink_loss'] for s in start], '{:.4f}')} | - |")
        runs = [r["history"] for r in runs]
        for epoch in (2, 8, EPOCHS):
            right = [100 * r["val_digit_accuracy"][epoch - 1] for r in runs]
            ink = [r["val_ink_loss"][epoch - 1] for r in runs]
            share = [100 * weight * r["val_ink_loss"][epoch - 1] / r["val_loss"][epoch - 1]
                     for r in runs]
            lines.append(f"| {weight} | {epoch} | {spread(right, '{:.1f}')} | "
                         f"{spread(ink, '{:.4f}')} | {spread(share, '{:.0f}')} |")
    lines += ["", "Epochs of all after which the ink is worse than that of always answering with the "
              "mean:", "", "| ink weight | some seed | every seed | last time |", "|---|---|---|---|"]
    for weight in WEIGHTS:
        runs = [r["history"]["val_ink_loss"] for r in records
                if r["ink_weight"] == weight and not r.get("alone")]
        worse = [sum(error > constant for error in errors) for errors in zip(*runs)]
        last = max((epoch for epoch, seeds in enumerate(worse, 1) if seeds), default="never")
        lines.append(f"| {weight} | {sum(map(bool, worse))} | {worse.count(len(runs))} | {last} |")
    lines += ["", f"Each task alone (the other one at weight 0), {EARLY} epochs:", "",
              "| learned | digits right, % | ink, squared error |", "|---|---|---|"]
    for alone, key, form, scale in (("digit", "val_digit_accuracy", "{:.1f}", 100),
                                    ("ink", "val_ink_loss", "{:.5f}", 1)):
        found = spread([scale * r["history"][key][-1] for r in records if r.get("alone") == alone],
                       form)
        lines.append(f"| {alone} alone | {found} | - |" if alone == "digit"
                     else f"| {alone} alone | - | {found} |")
    lines += ["", "How often the nearest of 500 test images, or of the 5,000 training images, shows the "
              "same digit, for the other 500 test images, ink weight 1 (the digit head, after "
              f"{EARLY} epochs, searches nothing):", "",
              "| seen through | of 500, % | of 5,000, % |", "|---|---|---|"]
    judged = [r for r in records if r["ink_weight"] == 1 and not r.get("alone")]
    for view in judged[0]["neighbours"] | judged[0]["neighbours of 5,000"]:
        found = [spread([100 * r[key][view] for r in judged], "{:.1f}") if view in judged[0][key]
                 else "-" for key in ("neighbours", "neighbours of 5,000")]
        lines.append(f"| {view} | {' | '.join(found)} |")
    return "\n".join(lines) + "\n"


def main():
    mnist, records = data.sample("mnist"), []
    wanted = [(f"ink-{weight}", weight, None) for weight in WEIGHTS]
    wanted += [(f"alone-{task}", int(ALONE[task][1]), task) for task in ALONE]
    for (name, weight, alone), seed in itertools.product(wanted, SEEDS):
        file = RESULTS / f"two_headed-{name}-full-seed{seed}.json"
        if not file.exists():
            record = run(weight, seed, mnist, alone)
            file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
            print(file.name, record["accuracy"], record["history"]["val_ink_loss"][-1], flush=True)
        records.append(json.loads(file.read_text(encoding="utf-8")))
    text = page(records, always_the_mean(mnist))
    PAGE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
