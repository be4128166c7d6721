"""The three recipes of loss_routing.md, to copy; a test runs them, on each backend."""

import keras

from keras_cases.loss_weights import fade_out, strip_heads, weighted_losses
from keras_cases.nets import googlenet_cifar


def googlenet_heads(x, labels, epochs=1):
    """GoogLeNet's heads: 0.3 of each beside the answer, and gone after training."""
    net = googlenet_cifar(heads=True, width=0.1)                # outputs: main, aux1, aux2
    plan = weighted_losses(net,
                           losses=dict.fromkeys(["main", "aux1", "aux2"], "crossentropy"),
                           weights={"main": 1.0, "aux1": 0.3, "aux2": 0.3},
                           metrics={"main": "accuracy"})
    trainer = plan.compile("adam")                              # fit this one, not net
    history = trainer.fit(x, plan.targets(labels), epochs=epochs, verbose=0).history
    return history, strip_heads(net, keep="main")               # one output, the same weights


def a_regression_beside_a_classification(x, labels, sizes, epochs=1):
    """Two tasks on one body: squared errors count 10 times, or they would vanish beside the other."""
    images = keras.Input(x.shape[1:])
    body = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(images))
    net = keras.Model(images, {"digit": keras.layers.Dense(10, activation="softmax")(body),
                               "size": keras.layers.Dense(1)(body)})
    plan = weighted_losses(net, losses={"digit": "crossentropy", "size": "mse"},
                           weights={"digit": 1.0, "size": 10.0},
                           metrics={"digit": "accuracy", "size": "mae"})
    trainer = plan.compile("adam")
    targets = plan.targets({"digit": labels, "size": sizes})    # by name, in any order
    history = trainer.fit(x, targets, epochs=epochs, verbose=0).history
    return history, net


def a_weight_that_fades(x, labels, epochs=4):
    """The head helps in the beginning, 0.3, and counts 0 when the training is over."""
    images = keras.Input(x.shape[1:])
    low = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(images))
    high = keras.layers.Dense(32, activation="relu")(low)
    heads = [keras.layers.Dense(10, activation="softmax", name=name)(body)
             for name, body in (("main", high), ("aux", low))]
    net = keras.Model(images, heads)
    plan = weighted_losses(net, losses={"main": "crossentropy", "aux": "crossentropy"},
                           weights={"main": 1.0, "aux": fade_out(0.3, epochs=epochs)})
    trainer, targets = plan.compile("adam"), plan.targets(labels)
    # val_loss falls with the weight: watch one output's own loss
    stop = keras.callbacks.EarlyStopping("val_main_loss", mode="min", patience=3)
    history = trainer.fit(x, targets, validation_data=(x, targets), epochs=epochs, verbose=0,
                          callbacks=[stop]).history             # has "aux_weight" too
    return history, strip_heads(net, keep="main")
