"""Lesions, scaled shortcuts, blocks in another order: against what is put together by hand."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from small_nets import array, batch, chain, residual_net  # noqa: F401 (batch is a fixture)

from keras_cases.analysis import graph
from keras_cases.analysis.probes import kernels
from keras_cases.analysis.surgery import (
    branches, lesion, pieces, scale_shortcuts, shuffle_blocks, zero_block)


def test_a_lesion_leaves_the_shortcut_and_shares_the_weights(batch):
    model = residual_net(blocks=1)
    cut = lesion(model, "block1")
    stem, logits = model.get_layer("stem"), model.get_layer("logits")
    alone = logits(ops.mean(stem(batch[0]), axis=(1, 2)))
    np.testing.assert_allclose(array(cut(batch[0])), array(alone), rtol=1e-5, atol=1e-6)
    assert abs(array(model(batch[0])) - array(alone)).max() > 1e-3
    logits.bias.assign([100.0, 0, 0])
    assert array(cut(batch[0]))[:, 0].min() > 50
    assert cut.count_params() == stem.count_params() + logits.count_params()


def test_lesions_can_follow_one_another_and_leave_the_model_whole(batch):
    model = residual_net(blocks=3)
    before = array(model(batch[0]))
    cut = lesion(lesion(model, "block2"), "block3")
    assert len(kernels(cut)) == len(kernels(model)) - 4
    assert np.array_equal(array(model(batch[0])), before)
    np.testing.assert_allclose(array(cut(batch[0])), array(lesion(lesion(model, "block3"), "block2")
                                                           (batch[0])), rtol=1e-5, atol=1e-6)


def test_the_shortcut_may_be_a_projection_behind_a_shared_activation():
    x = inputs = keras.Input((8, 8, 2))
    before = layers.Activation("relu")(x)
    y = layers.Conv2D(4, 3, padding="same")(before)
    y = layers.Conv2D(4, 3, padding="same")(layers.Activation("relu")(y))
    shortcut = layers.Conv2D(4, 1, name="projection")(before)
    x = layers.Activation("relu", name="exit")(ops.add(shortcut, y))
    cut = lesion(keras.Model(inputs, x), "exit", exits=["exit"])
    assert [layer.name for layer in cut.layers if layer.weights] == ["projection"]


def test_a_block_without_a_shortcut_has_no_lesion():
    plain = chain((8, 8, 2), layers.Conv2D(2, 3), layers.ReLU(name="block1"))
    with pytest.raises(ValueError, match="not the exit of a residual block"):
        lesion(plain, "block1")
    inputs = keras.Input((8, 8, 2))
    twins = layers.Add(name="block1")([layers.Conv2D(2, 3)(inputs), layers.Conv2D(2, 3)(inputs)])
    with pytest.raises(ValueError, match="not clear"):
        lesion(keras.Model(inputs, twins), "block1")
    with pytest.raises(ValueError, match="exits"):
        lesion(plain, "block2")


def test_a_zeroed_preactivation_block_is_the_identity_and_can_be_restored(batch):
    model = residual_net(blocks=2)
    before = array(model(batch[0]))
    old = zero_block(model, "block1")
    assert {v.path.split("/")[-1] for v, _ in old} == {"kernel", "bias", "gamma", "beta"}
    stem_out, exit_out = (graph.find(model, name).outputs[0] for name in ("stem", "block1"))
    a, b = keras.Model(model.input, [stem_out, exit_out])(batch[0])
    assert np.array_equal(array(a), array(b))
    assert not np.allclose(array(model(batch[0])), before)
    for variable, value in old:
        variable.assign(value)
    assert np.array_equal(array(model(batch[0])), before)


def v1_net(blocks=3, widen=False):
    """relu(x + F(x)), exits stem, block1, ...; with `widen` the second block has a projection."""
    x = inputs = keras.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="stem")(x)
    for i in range(1, blocks + 1):
        filters = 8 if widen and i >= 2 else 4
        y = layers.Conv2D(filters, 3, padding="same", bias_initializer="ones")(x)
        y = layers.Conv2D(filters, 3, padding="same")(layers.ReLU()(y))
        if x.shape[-1] != filters:
            x = layers.Conv2D(filters, 1)(x)
        x = layers.ReLU(name=f"block{i}")(layers.add([x, y]))
    return keras.Model(inputs, layers.Dense(3, name="logits")(layers.Flatten()(x)))


def small(images):
    return images[:, :6, :6]


def by_hand(net, x, order, gates=None):
    """What the blocks of a v1_net give in this order, each relu(s·x + f·F(x)) of gates[name]."""
    parts, kept = branches(net), gates or {}
    x = net.get_layer("stem")(x)
    for name in order:
        shortcut, residual = parts[name](x)
        s, f = kept.get(name, (1, 1))
        x = ops.relu(s * shortcut + f * residual)
    return array(net.get_layer("logits")(ops.reshape(x, (len(x), -1))))


def test_several_lesions_at_once_are_those_one_after_the_other(batch):
    model = residual_net(blocks=4)
    once = lesion(model, ["block2", "block4"])
    after = lesion(lesion(model, "block2"), "block4")
    np.testing.assert_allclose(array(once(batch[0])), array(after(batch[0])), rtol=1e-5, atol=1e-6)
    assert len(kernels(once)) == len(kernels(model)) - 4
    assert graph.exits(once) == graph.exits(model)  # so that one may go on cutting
    net = v1_net(3, widen=True)
    cut = lesion(net, ("block3", "block2"))
    wanted = by_hand(net, small(batch[0]), ["block1", "block2", "block3"],
                     {"block2": (1, 0), "block3": (1, 0)})
    np.testing.assert_allclose(array(cut(small(batch[0]))), wanted, rtol=1e-4, atol=1e-5)
    with pytest.raises(ValueError, match="block9"):
        lesion(model, ["block1", "block9"])
    assert np.array_equal(array(lesion(model, [])(batch[0])), array(model(batch[0])))


def test_pieces_are_the_model_one_block_after_the_other(batch):
    model = residual_net(blocks=3)
    parts = pieces(model)
    assert list(parts) == ["stem", "block1", "block2", "block3", "logits"]
    x = batch[0]
    for part in parts.values():
        x = part(x)
    np.testing.assert_allclose(array(x), array(model(batch[0])), rtol=1e-5, atol=1e-6)
    assert [len(kernels(part)) for part in parts.values()] == [1, 2, 2, 2, 1]
    assert list(pieces(model, ["block2"])) == ["block2", "head"]
    model.get_layer("logits").bias.assign([1e3, 0, 0])
    assert array(parts["logits"](np.ones((1, 8, 8, 4)))).max() > 500  # the layers are shared


def test_a_model_with_a_way_past_an_exit_is_no_chain():
    inputs = keras.Input((8,))
    a = layers.Dense(8, name="a")(inputs)
    b = layers.Dense(8, name="b")(a)
    with pytest.raises(ValueError, match="c reads more than the exit before it"):
        pieces(keras.Model(inputs, layers.Add(name="c")([a, b])))
    with pytest.raises(ValueError, match="2 outputs"):
        pieces(keras.Model(inputs, [a, b]))


@pytest.mark.parametrize("factor", [0.5, 0.0, 1.0, -2.0])
def test_a_scaled_shortcut_is_weakened_in_every_block_and_nowhere_else(batch, factor):
    net, names = v1_net(3, widen=True), ["block1", "block2", "block3"]
    before, x = array(net(small(batch[0]))), small(batch[0])
    scaled = scale_shortcuts(net, factor)
    wanted = by_hand(net, x, names, dict.fromkeys(names, (factor, 1)))
    np.testing.assert_allclose(array(scaled(x)), wanted, rtol=1e-4, atol=1e-5)
    assert np.allclose(wanted, before) == (factor == 1)
    assert np.array_equal(array(net(x)), before) and scaled.count_params() == net.count_params()
    only = scale_shortcuts(net, factor, exits=["stem", "block2"])  # block1 belongs to block2 now
    wanted = by_hand(net, x, names, {"block2": (factor, 1)})
    np.testing.assert_allclose(array(only(x)), wanted, rtol=1e-4, atol=1e-5)


def test_scaling_keeps_the_names_of_the_exits_and_needs_a_residual_block():
    model = residual_net(blocks=2)
    assert graph.exits(scale_shortcuts(model, 0.5)) == graph.exits(model)
    with pytest.raises(ValueError, match="residual"):
        scale_shortcuts(chain((8, 8, 2), layers.Conv2D(2, 3), layers.ReLU(name="block1")), 0.5)


def test_shuffled_blocks_stand_in_the_order_asked_for(batch):
    net, x = v1_net(4), small(batch[0])
    before = array(net(x))
    for order, whole in ((["block3", "block1", "block2"], [3, 1, 2, 4]),
                         (["block4", "block2"], [1, 4, 3, 2])):
        wanted = by_hand(net, x, [f"block{i}" for i in whole])
        got = array(shuffle_blocks(net, order)(x))
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5)
        assert abs(got - before).max() > 1e-2
    same = shuffle_blocks(net, ["block1", "block2", "block3", "block4"])
    np.testing.assert_allclose(array(same(x)), before, rtol=1e-5, atol=1e-6)
    assert np.array_equal(array(net(x)), before)
    assert graph.exits(shuffle_blocks(net, ["block3", "block2"])) == [
        "stem", "block1", "block3", "block2", "block4", "logits"]


def test_blocks_of_other_shapes_and_unknown_ones_do_not_change_places():
    net = v1_net(3, widen=True)
    with pytest.raises(ValueError, match=r"block2 cannot .* block1: \(6, 6, 4\) → \(6, 6, 8\)"):
        shuffle_blocks(net, ["block2", "block1"])
    for order in (["block2", "block2"], ["block9", "block1"]):
        with pytest.raises(ValueError, match="each once"):
            shuffle_blocks(net, order)


def test_branches_are_the_shortcut_and_what_is_added_to_it(batch):
    model, x = residual_net(blocks=2), batch[0]
    parts = branches(model)
    assert list(parts) == ["block1", "block2"]
    stem, first = keras.Model(model.input, [graph.find(model, name).outputs[0]
                                            for name in ("stem", "block1")])(x)
    shortcut, residual = parts["block1"](stem)
    assert np.array_equal(array(shortcut), array(stem))
    np.testing.assert_allclose(array(residual), array(first - stem), rtol=1e-4, atol=1e-5)
    assert abs(array(residual)).max() > 1e-2
    wide = branches(v1_net(3, widen=True))
    assert [len(kernels(part)) for part in wide.values()] == [2, 3, 2]


def test_branches_can_be_called_in_a_model_of_another_batch_size(batch):
    both = branches(residual_net(blocks=1))["block1"]
    inputs = keras.Input(batch_shape=(6, 8, 8, 4))
    model = keras.Model(inputs, ops.add(*both(inputs)))
    x = np.repeat(batch[0], 2, axis=-1)
    np.testing.assert_allclose(array(model(x)), array(ops.add(*both(x))), rtol=1e-5, atol=1e-6)
