"""cost, receptive_field, gradients and probes against hand counts, brute force and NumPy."""

import os
import subprocess
import sys
import time
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_cases.analysis import graph
from keras_cases.analysis.cost import cost
from keras_cases.analysis.gradients import activation_gradients, input_gradient, weight_gradients
from keras_cases.analysis.probes import (
    dead_units, gradient_norms, kernels, lesion, update_ratio, zero_block)
from keras_cases.analysis.receptive_field import effective_receptive_field, receptive_field


def chain(shape, *parts):
    x = inputs = keras.Input(shape)
    for part in parts:
        x = part(x)
    return keras.Model(inputs, x)


def array(variable):
    return np.array(ops.convert_to_numpy(variable))


def residual_net(blocks=2, width=4, classes=3):
    """Pre-activation blocks on 8x8x2 images, exits named block1, block2, ..."""
    x = inputs = keras.Input((8, 8, 2))
    x = layers.Conv2D(width, 3, padding="same", name="stem")(x)
    for i in range(blocks):
        y = layers.BatchNormalization()(x)
        y = layers.Activation("relu")(y)
        y = layers.Conv2D(width, 3, padding="same", bias_initializer="ones")(y)
        y = layers.BatchNormalization()(y)
        y = layers.Activation("tanh")(y)
        y = layers.Conv2D(width, 3, padding="same")(y)
        x = layers.Add(name=f"block{i + 1}")([y, x])
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(0.0)(x)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(x))


@pytest.fixture(scope="module")
def batch():
    rng = np.random.default_rng(0)
    return rng.normal(size=(6, 8, 8, 2)).astype("float32"), rng.integers(0, 3, 6)


LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# graph

def test_walk_gives_every_call_after_its_inputs_and_the_keras_ops_too():
    inputs = keras.Input((4, 4, 2))
    conv = layers.Conv2D(2, 1, name="conv")
    model = keras.Model(inputs, ops.relu(conv(inputs)) + conv(conv(inputs)))  # three calls
    nodes = graph.walk(model)
    names = [node.name for node in nodes]
    assert names.count("conv") == 3 and len(nodes) == 6
    made = set()
    for node in nodes:
        assert all(id(tensor) in made for tensor in node.inputs)
        made.update(map(id, node.outputs))
    assert {id(tensor) for tensor in model.outputs} <= made


def test_a_block_is_what_leads_to_its_exit_and_to_no_earlier_one():
    model = residual_net()
    parts = graph.blocks(model, ["block2", "block1", "stem"])
    assert list(parts) == ["stem", "block1", "block2", "head"]
    assert [node.name for node in parts["stem"]][1:] == ["stem"]
    assert [type(n.operation).__name__ for n in parts["block1"]] == [
        "BatchNormalization", "Activation", "Conv2D", "BatchNormalization", "Activation",
        "Conv2D", "Add"]
    assert sum(map(len, parts.values())) == len(graph.walk(model))


def test_the_exits_are_the_layers_that_were_given_a_name():
    assert graph.exits(residual_net()) == ["stem", "block1", "block2", "logits"]
    inputs = keras.Input((4, 4, 2), name="images")
    x = layers.ReLU()(layers.Conv2D(2, 1)(ops.pad(inputs[:, ::2], [[0, 0]] * 4)))
    assert graph.exits(keras.Model(inputs, layers.Conv2D(2, 1, name="conv2d_exit")(x))) == [
        "conv2d_exit"]


def test_a_missing_name_is_refused_with_the_nearest_one():
    with pytest.raises(ValueError, match="'block9'.*block"):
        cost(residual_net(), blocks=["block9"])


def test_a_subclassed_model_is_refused():
    class Subclassed(keras.Model):
        pass

    for tool in (graph.walk, cost, receptive_field):
        with pytest.raises(ValueError, match="functional"):
            tool(Subclassed())


# cost

@pytest.mark.parametrize("layer, shape, macs", [
    (layers.Conv2D(32, 5, padding="same"), (28, 28, 192), 120_422_400),
    (layers.Conv2D(5, 3), (6, 6, 3), 2_160),
    (layers.DepthwiseConv2D(3), (6, 6, 3), 432),
    (layers.Conv2D(5, 1), (4, 4, 3), 240),
    (layers.SeparableConv2D(5, 3), (6, 6, 3), 672),
    (layers.Conv2D(64, 7, strides=2, padding="same"), (224, 224, 3), 118_013_952),
    (layers.Conv2D(256, 5, padding="same", groups=2), (27, 27, 96), 223_948_800),
    (layers.Conv2DTranspose(64, 2, strides=2), (28, 28, 128), 28 * 28 * 128 * 4 * 64),
    (layers.Dense(10), (84,), 840),
    (layers.Dense(10), (7, 7, 64), 7 * 7 * 64 * 10),
    (layers.Conv1D(4, 3), (10, 2), 8 * 3 * 2 * 4),
    (layers.BatchNormalization(), (8, 8, 16), 0),
])
def test_macs_of_one_layer_match_the_hand_count(layer, shape, macs):
    table = cost(chain(shape, layer))
    assert table.macs == table[layer.name].macs == macs
    assert table.parameters == layer.count_params() and not table.not_counted


@pytest.mark.parametrize("layer", [
    lambda **k: layers.Conv2D(6, 3, **k),
    lambda **k: layers.Conv2D(6, (3, 2), strides=2, **k),
    lambda **k: layers.Conv2D(6, 3, dilation_rate=2, **k),
    lambda **k: layers.Conv2D(6, 3, groups=2, **k),
    lambda **k: layers.Conv2DTranspose(6, 3, strides=2, **k),
    lambda **k: layers.Dense(6, **k),
    lambda **k: layers.DepthwiseConv2D(3, depth_multiplier=2, depthwise_initializer="ones",
                                       use_bias=False),
])
def test_macs_are_the_products_that_a_kernel_of_ones_adds_up(layer):
    try:
        layer = layer(use_bias=False, kernel_initializer="ones")
    except TypeError:
        layer = layer()
    model = chain((11, 9, 4), layer)
    products = ops.convert_to_numpy(model(np.ones((1, 11, 9, 4), "float32"))).sum()
    assert cost(model).macs == products


def test_what_could_multiply_and_is_not_known_is_listed_not_counted():
    class Own(layers.Layer):
        def call(self, x):
            return x * 2

    class ReLU(Own):  # the name of a known layer does not make it known
        pass

    inputs = keras.Input((4, 4))
    x = ReLU(name="my_relu")(Own(name="own")(inputs))
    x = ops.matmul(x, x)
    table = cost(keras.Model(inputs, layers.Dense(2, name="end")(x)), blocks=["own", "end"])
    assert [name.split("_")[0] for name in table.not_counted] == ["own", "my", "matmul"]
    assert table["own"].macs is None and table.macs == 4 * 4 * 2
    assert str(table).count("NOT COUNTED") == 4 and "own" in str(table).splitlines()[-1]
    assert table.by_block.not_counted == table.not_counted and "32 + ?" in str(table.by_block)
    assert "NOT COUNTED" in table._repr_html_()


def test_a_layer_of_ones_own_can_say_its_macs():
    class Halving(layers.Layer):
        def call(self, x):
            return x * 0.5

        def macs(self, input_shape, output_shape):
            assert input_shape == output_shape == (None, 4, 3)
            return 12

    table = cost(chain((4, 3), Halving(name="half")))
    assert table.macs == 12 and not table.not_counted


def test_a_shared_layer_has_its_weights_once_and_its_macs_at_every_call():
    inputs, conv = keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same", name="conv")
    model = keras.Model(inputs, conv(ops.relu(conv(inputs))))
    table = cost(model)
    assert table.parameters == model.count_params() == 148
    assert table.macs == 2 * 8 * 8 * 9 * 16


def test_a_nested_model_is_opened_at_the_size_of_each_call():
    inner = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(2, 3, name="conv"),
                              layers.ReLU()], name="inner")
    middle = chain((None, None, 3), inner)
    middle.name = "middle"
    left, right = keras.Input((10, 10, 3)), keras.Input((6, 6, 3))
    pools = [layers.GlobalMaxPooling2D()(middle(x)) for x in (left, right)]
    model = keras.Model([left, right], layers.Add()(pools))
    table = cost(model, blocks=["middle"])
    calls = [row for row in table.rows if row.name == "middle/inner/conv"]
    assert [row.macs for row in calls] == [8 * 8 * 27 * 2, 4 * 4 * 27 * 2]
    assert table.parameters == model.count_params() == 56
    assert table.by_block["middle"].macs == table.macs


def test_a_frozen_layer_and_moving_averages_are_not_trainable():
    frozen = layers.Dense(3, trainable=False)
    table = cost(chain((4,), frozen, layers.BatchNormalization(), layers.Dense(2)))
    assert (table.parameters, table.trainable) == (15 + 12 + 8, 6 + 8)


def test_the_activation_bytes_follow_the_dtype():
    x = inputs = keras.Input((4, 4, 3), dtype="uint8")
    x = layers.Rescaling(1 / 255, name="floats")(x)
    x = layers.Conv2D(2, 1, dtype="bfloat16", name="half")(x)
    table = cost(keras.Model(inputs, x))
    assert table.rows[0].activation_bytes == 48
    assert table["floats"].activation_bytes == 48 * 4  # older Keras adds a cast of its own behind it
    assert table["half"].activation_bytes == 32 * 2
    assert table.activation_bytes == sum(row.activation_bytes for row in table.rows)


def test_the_blocks_add_up_to_the_total_and_the_table_prints_them():
    table = cost(residual_net(), blocks=["stem", "block1", "block2"])
    assert [row.name for row in table.by_block.rows] == ["stem", "block1", "block2", "head"]
    for total in ("parameters", "trainable", "macs", "activation_bytes"):
        assert getattr(table, total) == getattr(table.by_block, total) > 0
    assert table.by_block["block1"].macs == 2 * 8 * 8 * 9 * 4 * 4
    lines = str(table.by_block).splitlines()
    assert len({len(line) for line in lines}) == 1 and f"{table.macs:,}" in lines[-1]
    assert table._repr_html_().count("<tr>") == len(table.rows) + 2
    with pytest.raises(ValueError, match="blocks="):
        cost(residual_net()).by_block


def test_a_table_is_read_like_a_dict_of_its_rows():
    table = cost(residual_net(), blocks=["stem", "block1"])
    assert len(table) == len(table.rows) == len(list(table))
    assert [row.macs for row in table] == [table[row.name].macs for row in table]
    assert "stem" in table and "block9" not in table
    assert [row.name for row in table.by_block] == ["stem", "block1", "head"]


def test_an_unknown_size_is_refused_with_what_to_do():
    model = chain((None, None, 3), layers.Conv2D(2, 3))
    for tool in (cost, receptive_field):
        with pytest.raises(ValueError, match=r"input_shape=\(224, 224, 3\)"):
            tool(model)


@pytest.mark.parametrize("net, gigamacs", [
    ("MobileNet", 0.569),
    pytest.param("MobileNetV2", 0.301, marks=pytest.mark.slow),
    pytest.param("ResNet50", 3.86, marks=pytest.mark.slow),
    pytest.param("VGG16", 15.47, marks=pytest.mark.slow),
])
def test_the_macs_of_published_nets(net, gigamacs):
    model = getattr(keras.applications, net)(weights=None)
    table = cost(model)
    assert table.macs / 1e9 == pytest.approx(gigamacs, rel=0.005) and not table.not_counted
    assert table.parameters == model.count_params()


# receptive field

def vgg16_body():
    parts = []
    for stage, depth in enumerate((2, 2, 3, 3, 3), 1):
        parts += [layers.Conv2D(1, 3, padding="same", name=f"conv{stage}_{i + 1}")
                  for i in range(depth)]
        parts.append(layers.MaxPooling2D(name=f"pool{stage}"))
    return chain((224, 224, 1), *parts)


def test_vgg16_sees_196_pixels_at_its_last_convolution_and_212_after_its_last_pool():
    fields = receptive_field(vgg16_body())
    assert fields["conv5_3"].size == (196, 196) and fields["conv5_3"].stride == (16, 16)
    assert fields["pool5"] == ((212, 212), (32, 32), (15.5, 15.5))


@pytest.mark.parametrize("depth, size", [(1, 3), (2, 5), (3, 7)])
def test_a_stack_of_3x3_convolutions_sees_2_more_pixels_a_layer(depth, size):
    stack = [layers.Conv2D(1, 3, name=f"conv{i}") for i in range(depth)]
    assert receptive_field(chain((16, 16, 1), *stack), f"conv{depth - 1}").size == (size, size)


def positive(kind, *args, **kwargs):
    """A layer whose kernel is positive, so that no path to a pixel cancels another."""
    start = "depthwise_initializer" if kind is layers.DepthwiseConv2D else "kernel_initializer"
    ones = keras.initializers.RandomUniform(0.5, 1.0, seed=1)
    return kind(*args, use_bias=False, **{start: ones}, **kwargs)


def unet():
    x = inputs = keras.Input((40, 40, 1))
    x = skip = positive(layers.Conv2D, 2, 3, padding="same")(x)
    x = layers.AveragePooling2D(2)(x)
    x = positive(layers.Conv2D, 2, 3, padding="same")(x)
    x = positive(layers.Conv2DTranspose, 2, 2, strides=2)(x)
    x = layers.Concatenate()([skip, x])
    return keras.Model(inputs, positive(layers.Conv2D, 2, 3, padding="same")(x))


def two_branches():
    x = inputs = keras.Input((40, 40, 1))
    y = positive(layers.Conv2D, 2, 3, strides=2, padding="same")(x)
    y = positive(layers.DepthwiseConv2D, 5, padding="same")(y)
    return keras.Model(inputs, y + ops.pad(x[:, 1::2, 1::2], ((0, 0), (0, 0), (0, 0), (1, 0))))


NETS = {
    "stride, odd size": lambda: chain((41, 41, 1), *(
        positive(layers.Conv2D, 1, k, strides=2, padding="same") for k in (3, 4))),
    "dilation": lambda: chain((40, 40, 1), *(
        positive(layers.Conv2D, 1, 3, dilation_rate=d, padding="same") for d in (1, 2, 4))),
    "padding and cropping": lambda: chain((40, 40, 1), layers.ZeroPadding2D(((3, 0), (1, 2))),
                                          positive(layers.Conv2D, 1, (7, 3), strides=2),
                                          layers.Cropping2D(((1, 0), (2, 1)))),
    "overlapping pool": lambda: chain((40, 40, 1), layers.AveragePooling2D(3, 2),
                                      layers.AveragePooling2D((3, 2), 2, padding="same")),
    "transposed, overlapping": lambda: chain(
        (20, 20, 1), positive(layers.Conv2DTranspose, 1, 5, strides=2, padding="same"),
        positive(layers.Conv2D, 1, 3)),
    "transposed, longer by output_padding": lambda: chain(
        (20, 20, 1), positive(layers.Conv2DTranspose, 1, 5, strides=4, padding="same",
                              output_padding=2), positive(layers.Conv2D, 1, 3)),
    "transposed, valid, output_padding": lambda: chain(
        (20, 20, 1), positive(layers.Conv2DTranspose, 1, 3, strides=2, output_padding=1)),
    "transposed, dilated": lambda: chain(
        (20, 20, 1), positive(layers.Conv2DTranspose, 1, 3, dilation_rate=3, padding="same"),
        positive(layers.Conv2DTranspose, 1, 4, dilation_rate=2)),
    "up and down, period 4 to 1": lambda: chain(
        (40, 40, 1), layers.UpSampling2D(4), positive(layers.Conv2D, 1, 3, 2, padding="same"),
        positive(layers.Conv2DTranspose, 1, 3, strides=2, padding="same"),
        positive(layers.Conv2D, 1, 3, 4, padding="same")),
    "nearest up-sampling": lambda: chain((20, 20, 1), layers.UpSampling2D(2),
                                         positive(layers.Conv2D, 1, 3, padding="same")),
    "bilinear up-sampling": lambda: chain((20, 20, 1),
                                          layers.UpSampling2D(2, interpolation="bilinear")),
    "strided slice": lambda: chain((40, 40, 1), lambda x: x[:, 3::2, 1:-1]),
    "U-Net": unet,
    "two branches": two_branches,
}


@pytest.mark.parametrize("net", NETS)
def test_the_field_is_the_pixels_that_the_gradient_reaches(net):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = NETS[net]()
    if any("inconsistencies across backends" in str(warning.message) for warning in said):
        pytest.skip("PyTorch cannot pad this transposed convolution as the others do")
    field = receptive_field(model)[graph.walk(model)[-1].name]
    image = np.random.default_rng(0).normal(size=(1, *model.inputs[0].shape[1:]))
    for axis in (0, 1):
        middle = model.outputs[0].shape[1 + axis] // 8 * 4  # units repeat after 1, 2 or 4
        spans = []
        for unit in range(middle, middle + 5):
            def of_unit(y):
                return y[:, unit] if axis == 0 else y[:, :, unit]
            reached = abs(input_gradient(model, image, of_unit)).max(axis=(0, 2 - axis, 3)) > 1e-6
            spans.append((reached.argmax(), len(reached) - 1 - reached[::-1].argmax()))
        assert max(last - first + 1 for first, last in spans) == field.size[axis]
        assert spans[4][0] - spans[0][0] == 4 * field.stride[axis]
        assert sum(spans[0]) / 2 == field.offset[axis] + middle * field.stride[axis]


def test_up_and_down_again_costs_no_more_than_any_other_pair_of_layers():
    """16 pairs: the pattern of the units is 1 or 2 long, not 2 to the 16th."""
    pairs = [part for _ in range(16) for part in (
        layers.Conv2DTranspose(1, 3, strides=2, padding="same"),
        layers.Conv2D(1, 3, strides=2, padding="same"))]
    model = chain((32, 32, 1), *pairs)
    started = time.process_time()
    field = receptive_field(model)[pairs[-1].name]
    assert time.process_time() - started < 0.5
    assert field.stride == (1, 1) and field.size == (33, 33)


@pytest.mark.parametrize("soft", [layers.Softmax, lambda axis: lambda x: ops.softmax(x, axis)],
                         ids=["layer", "operation"])
def test_a_softmax_over_rows_sees_whole_columns(soft):
    def last(*axes):
        model = chain((12, 16, 1), layers.Conv2D(2, 3, padding="same"), *map(soft, axes))
        return list(receptive_field(model).values())[-1]

    assert last(-1) == last(3) == ((3, 3), (1, 1), (0, 0))
    assert last(1) == ((12, 3), (12, 1), (5.5, 0))
    assert last(2) == last(-2) == ((3, 16), (1, 16), (0, 7.5))
    assert last(1, 2).size == (12, 16)


def test_behind_global_pooling_or_its_gate_a_unit_sees_the_whole_image():
    def gated(x, name):
        gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
        gate = layers.Conv2D(4, 1, activation="sigmoid")(gate)
        return layers.Multiply(name=name)([gate, x, gate])

    x = inputs = keras.Input((32, 48, 3))
    x = gated(layers.Conv2D(4, 3, 2, padding="same", name="conv")(x), "gated")
    x = gated(layers.Conv2D(4, 3, 2, padding="same")(x), "again")
    x = layers.Dense(2, name="logits")(layers.Flatten()(x))
    fields = receptive_field(keras.Model(inputs, x))
    assert fields["conv"].size == (3, 3)
    assert fields["gated"] == ((32, 48), (2, 2), (15.5, 23.5))
    assert fields["again"] == ((32, 48), (4, 4), (15.5, 23.5))
    assert fields["logits"].size == (32, 48)


def test_nested_models_are_opened():
    inner = chain((None, None, 3), layers.Conv2D(3, 3, 2, padding="same", name="conv"))
    inner.name = "inner"
    fields = receptive_field(chain((32, 32, 3), inner, layers.Conv2D(1, 3, name="end")))
    assert fields["inner/conv"] == fields["inner"] == ((3, 3), (2, 2), (1, 1))
    assert fields["end"].size == (7, 7)
    with pytest.raises(ValueError, match="no layer named 'other'"):
        receptive_field(chain((8, 8, 1), layers.ReLU()), "other")


def test_an_operation_of_unknown_reach_and_misaligned_branches_are_refused():
    with pytest.raises(ValueError, match="LayerNormalization.*not known"):
        receptive_field(chain((8, 8, 1), layers.LayerNormalization(axis=(1, 2, 3))))
    with pytest.raises(ValueError, match="get_item.*not known"):
        receptive_field(chain((8, 8, 1), lambda x: x[:, ::-1]))  # mirrored
    x = inputs = keras.Input((8, 8, 1))
    upper = x[:, :4, :4]
    with pytest.raises(ValueError, match="not above one another"):
        receptive_field(keras.Model(inputs, upper + layers.MaxPooling2D()(x)))


def test_the_effective_field_lies_inside_the_theoretical_one_and_peaks_in_its_middle():
    model = chain((33, 33, 1), *(positive(layers.Conv2D, 1, 3, padding="same", name=f"conv{i}")
                                 for i in range(4)))
    strength = effective_receptive_field(model, "conv3", np.ones((2, 33, 33, 1)))
    assert strength.shape == (33, 33) and strength.max() == 1
    assert np.argwhere(strength > 0).min() == 12 and np.argwhere(strength > 0).max() == 20
    assert abs(np.argwhere(strength == 1) - 16).max() <= 1
    assert strength[12, 12] < 0.1


# gradients

def test_the_gradients_of_a_linear_classifier_are_those_of_the_formula():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 4)).astype("float32"), np.array([0, 2, 1, 1, 0])
    model = chain((4,), layers.Dense(6, name="hidden"), layers.Dense(3, name="logits"))
    hidden, logits = model.get_layer("hidden"), model.get_layer("logits")
    a = x @ array(hidden.kernel)
    scores = np.exp(a @ array(logits.kernel))
    wrong = (scores / scores.sum(axis=1, keepdims=True) - np.eye(3)[y]) / 5
    value, gradients = weight_gradients(model, x, y, LOSS)
    assert list(gradients) == [v.path for v in model.trainable_variables]
    assert value == pytest.approx(-np.log((wrong * 5 + np.eye(3)[y])[range(5), y]).mean(), rel=1e-5)
    np.testing.assert_allclose(gradients[logits.kernel.path], a.T @ wrong, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradients[hidden.bias.path],
                               (wrong @ array(logits.kernel).T).sum(axis=0), rtol=1e-4, atol=1e-6)
    again, inner = activation_gradients(model, ["logits", "hidden"], x, y, LOSS)
    assert again == pytest.approx(value) and list(inner) == ["hidden", "logits"]
    np.testing.assert_allclose(inner["logits"], wrong, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(inner["hidden"], wrong @ array(logits.kernel).T,
                               rtol=1e-4, atol=1e-6)


def test_through_batch_normalization_the_gradient_predicts_the_change_of_the_loss(batch):
    model = residual_net()
    _, gradients = weight_gradients(model, *batch, LOSS)
    step = 0.02 / np.sqrt(sum((g**2).sum() for g in gradients.values()))
    old, values = [array(v) for v in model.trainable_variables], []
    for sign in (1, -1):
        for variable, value, gradient in zip(model.trainable_variables, old, gradients.values()):
            variable.assign(value + sign * step * gradient)
        values.append(weight_gradients(model, *batch, LOSS)[0])
    predicted = 2 * step * sum((g**2).sum() for g in gradients.values())
    assert values[0] - values[1] == pytest.approx(predicted, rel=0.03)


def test_taking_gradients_changes_nothing_in_the_model(batch):
    model = chain((8, 8, 2), layers.Conv2D(3, 3), layers.BatchNormalization(name="norm"),
                  layers.Dropout(0.5), layers.Flatten(), layers.Dense(3))
    before = [array(v) for v in model.variables]
    weight_gradients(model, *batch, LOSS)
    activation_gradients(model, ["norm"], *batch, LOSS)
    input_gradient(model, batch[0], training=True)
    assert all(np.array_equal(old, array(new)) for old, new in zip(before, model.variables))


def test_training_false_uses_the_moving_averages(batch):
    model = residual_net()
    assert weight_gradients(model, *batch, LOSS, training=False)[0] == pytest.approx(
        float(array(LOSS(batch[1], model(batch[0], training=False)))), rel=1e-5)
    assert weight_gradients(model, *batch, LOSS)[0] == pytest.approx(
        float(array(LOSS(batch[1], model(batch[0], training=True)))), rel=1e-5)


def test_the_input_gradient_of_a_linear_net_is_its_kernel():
    model = chain((4,), layers.Dense(3, name="dense"))
    kernel, x = array(model.get_layer("dense").kernel), np.array([[1, 2, 3, 4], [4, -3, 2, -1.0]])
    np.testing.assert_allclose(input_gradient(model, x, 2), kernel[:, [2, 2]].T, rtol=1e-5)
    np.testing.assert_allclose(input_gradient(model, x, [0, 1]), kernel[:, [0, 1]].T, rtol=1e-5)
    best = (x @ kernel).argmax(axis=1)
    np.testing.assert_allclose(input_gradient(model, x), kernel[:, best].T, rtol=1e-5)
    half = input_gradient(model, x, lambda y: y[:, 0] / 2)
    np.testing.assert_allclose(half, kernel[:, [0, 0]].T / 2, rtol=1e-5)


def test_several_inputs_and_outputs_take_a_loss_of_ones_own():
    a, b = keras.Input((3,)), keras.Input((3,))
    dense = layers.Dense(1, use_bias=False)
    model = keras.Model([a, b], {"one": dense(a), "two": dense(layers.Add(name="sum")([a, b]))})
    x = [np.ones((2, 3), "float32"), np.full((2, 3), 2, "float32")]

    def loss(y, outputs):
        return outputs["one"] + 0.5 * outputs["two"] + y

    value, gradients = weight_gradients(model, x, np.zeros((2, 1), "float32"), loss)
    np.testing.assert_allclose(gradients[dense.kernel.path], np.full((3, 1), 1 + 1.5), rtol=1e-5)
    assert value == pytest.approx(2.5 * array(dense.kernel).sum(), rel=1e-4, abs=1e-6)
    _, inner = activation_gradients(model, ["sum"], x, np.zeros((2, 1), "float32"), loss)
    np.testing.assert_allclose(inner["sum"], array(dense.kernel).T.repeat(2, 0) / 4, rtol=1e-5)


def test_the_gradient_for_the_images_is_not_an_activation_gradient(batch):
    model = residual_net()
    with pytest.raises(ValueError, match="input_gradient"):
        activation_gradients(model, [model.layers[0].name], *batch, LOSS)


PROBE = """
import sys; sys.path[:0] = [{tests!r}]
import numpy as np, keras
from test_tools import *
model = residual_net()
rng = np.random.default_rng(3)
for v in model.weights:
    v.assign(rng.uniform(0.1, 1, v.shape) * rng.choice([-1, 1]) ** (v.name[:4] in ("kern", "bias")))
x, y = rng.normal(size=(6, 8, 8, 2)).astype("float32"), rng.integers(0, 3, 6)
value, weights = weight_gradients(model, x, y, LOSS)
inner = activation_gradients(model, ["block1"], x, y, LOSS)[1]
np.savez({out!r}, value, input_gradient(model, x), inner["block1"], *weights.values())
"""


@pytest.mark.slow
def test_tensorflow_jax_and_torch_give_the_same_gradients(tmp_path):
    results = {}
    for backend in ("tensorflow", "jax", "torch"):
        out = str(tmp_path / f"{backend}.npz")
        code = PROBE.format(tests=os.path.dirname(__file__), out=out)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                              env={**os.environ, "KERAS_BACKEND": backend})
        if "ModuleNotFoundError" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr[-2000:]
        results[backend] = list(np.load(out).values())
    assert len(results) > 1
    first, *others = results.values()
    largest = max(abs(a).max() for a in first[3:])
    for other in others:
        for a, b in zip(first, other, strict=True):
            scale = max(abs(a).max(), 1e-3 * largest)
            assert abs(a - b).max() <= 1e-4 * scale


# probes

def test_gradient_norms_are_those_of_the_kernels_from_first_to_last(batch):
    model = residual_net()
    norms = gradient_norms(model, *batch, LOSS)
    _, gradients = weight_gradients(model, *batch, LOSS)
    assert len(norms) == 1 + 2 * 2 + 1
    assert list(norms)[0] == "stem/kernel" and list(norms)[-1] == "logits/kernel"
    assert all(value == pytest.approx(np.sqrt((gradients[path] ** 2).sum()), rel=1e-4)
               for path, value in norms.items())


def test_the_update_ratio_of_one_sgd_step_is_rate_times_gradient_by_weight(batch):
    model = residual_net()
    norms, before = gradient_norms(model, *batch, LOSS), kernels(model)
    model.compile(keras.optimizers.SGD(0.1), LOSS)
    model.train_on_batch(*batch)
    for path, ratio in update_ratio(before, kernels(model)).items():
        assert ratio == pytest.approx(0.1 * norms[path] / np.linalg.norm(before[path]), rel=0.01)
    zeros, ones = {"k": np.zeros(3)}, {"k": np.ones(3)}
    assert update_ratio(zeros, ones) == {"k": np.inf} and update_ratio(zeros, zeros) == {"k": 0}
    with pytest.raises(ValueError, match="same model"):
        update_ratio(zeros, before)


def test_a_filter_that_a_low_bias_silences_is_dead(batch):
    model = chain((8, 8, 2), layers.Conv2D(4, 3, name="conv"), layers.ReLU(name="relu"),
                  layers.Flatten(), layers.Dense(8, name="dense"), layers.ReLU(name="end"))
    model.get_layer("conv").bias.assign([-1e3, 1, 1, 1])
    model.get_layer("dense").bias.assign([-1e3] * 6 + [1e3] * 2)
    assert dead_units(model, ["relu", "end"], batch[0], batch_size=4) == {"relu": 0.25, "end": 0.75}


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
