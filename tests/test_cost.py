"""The graph of a model and its cost table, against hand counts and products added up."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from small_nets import chain, residual_net

from keras_cases.analysis import graph
from keras_cases.analysis.cost import cost
from keras_cases.analysis.receptive_field import receptive_field


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
