"""What is special to LeNet, AlexNet, VGG, NiN, GoogLeNet, Inception v3 and SqueezeNet, by hand."""

import inspect

import keras
import numpy as np
import pytest
from keras import layers, ops
from test_blocks import pasted, random_weights

from keras_cases.blocks import (
    auxiliary_classifier, auxiliary_classifier_v3, connected_conv, fire_module,
    global_average_pooling_head, grid_reduction_a, grid_reduction_b, grouped_conv, inception_a,
    inception_b, inception_c, inception_module, inception_module_naive, local_response_norm,
    mlpconv_block, trainable_pooling, vgg_block)
from keras_cases import nets
from keras_cases.nets.lenet import C3_TABLE
from keras_cases.analysis.cost import cost
from keras_cases.analysis.graph import exits
from keras_cases.analysis.probes import gradient_norms
from graphs import zero_weights


@pytest.fixture
def zeros():
    """Weights of zeros instead of random numbers, for big nets of which only the graph counts."""
    with zero_weights():
        yield
    keras.backend.clear_session()


def model_of(block, shape, *args, **options):
    x = keras.Input(shape)
    return keras.Model(x, block(x, *args, **options))


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def run(model, x):
    found = model(x)
    return [ops.convert_to_numpy(f) for f in found] if isinstance(found, list) \
        else ops.convert_to_numpy(found)


def sizes(model, *names):
    """(side, channels) of named exits."""
    return [tuple(model.get_layer(name).output.shape[2:]) for name in names]


# Counts that the docstrings print

@pytest.mark.parametrize("count, block, shape, args", [
    (38_720, vgg_block, (4, 4, 3), (64,)),
    (60_928, mlpconv_block, (4, 4, 3), (192, 5, (160, 96))),
    (307_456, grouped_conv, (4, 4, 96), (256, 5)),
    (614_656, grouped_conv, (4, 4, 96), (256, 5, 1, 1)),
    (11_920, fire_module, (4, 4, 96), (16, 64)),
    (12, trainable_pooling, (4, 4, 6), ()),
    (32, trainable_pooling, (4, 4, 16), ()),
    (1_516, connected_conv, (14, 14, 6), (C3_TABLE,)),
    (650, global_average_pooling_head, (7, 7, 64), (10,)),
    (3_188_840, auxiliary_classifier, (14, 14, 512), (1000,)),
    (3_327_592, auxiliary_classifier_v3, (17, 17, 768), (1000,)),
    (387_296, inception_module_naive, (4, 4, 192), (64, 128, 32)),
    (163_696, inception_module, (4, 4, 192), (64, 96, 128, 16, 32, 32)),
    (256_368, inception_a, (4, 4, 192), (64, (48, 64), (64, 96, 96), 32)),
    (1_298_944, inception_b, (4, 4, 768), (192, 128)),
    (5_047_872, inception_c, (4, 4, 1280), (320, 384, 448, 192)),
    (1_153_920, grid_reduction_a, (4, 4, 288), (384, (64, 96))),
    (1_699_584, grid_reduction_b, (4, 4, 768), (192, 320)),
])
def test_the_count_that_a_docstring_prints_is_the_blocks(count, block, shape, args, zeros):
    assert model_of(block, shape, *args).count_params() == count
    assert f"{count:,}" in block.__doc__ or block is grouped_conv or count == 32


# Local response normalization

def lrn_by_hand(x, size=5, k=2.0, alpha=1e-4, beta=0.75):
    """The paper's sum, channel by channel: from max(0, i − n/2) to min(N − 1, i + n/2)."""
    y = np.empty_like(x)
    for i in range(x.shape[-1]):
        near = x[..., max(0, i - size // 2):i + size // 2 + 1]
        y[..., i] = x[..., i] / (k + alpha * (near.astype("float64") ** 2).sum(-1)) ** beta
    return y


LRN = [dict(), dict(size=3, k=1.0, alpha=0.5, beta=0.5), dict(size=1, alpha=1.0), dict(size=9)]


@pytest.mark.parametrize("options", LRN, ids=str)
def test_local_response_norm_is_the_papers_sum(options):
    x = 20 * numbers(2, 3, 4, 7)
    found = run(model_of(local_response_norm, (3, 4, 7), **options), x)
    np.testing.assert_allclose(found, lrn_by_hand(x, **options), rtol=1e-5)


@pytest.mark.parametrize("bug, old, new", [
    ("divides alpha by the size, as Caffe does", "alpha * total", "alpha / size * total"),
    ("adds over one channel too few", "range(1, size)", "range(1, size - 1)"),
    ("multiplies where it divides", "-beta", "beta"),
    ("adds values, not squares", "ops.square(wide)", "ops.absolute(wide)"),
    ("adds over pixels, not channels", "[0, 0], [0, 0], [0, 0], [r, r]",
     "[0, 0], [0, 0], [0, 0], [0, 2 * r]"),
])
def test_a_wrong_local_response_norm_would_be_caught(bug, old, new):
    assert old in inspect.getsource(local_response_norm)
    broken = pasted(local_response_norm, lambda source: source.replace(old, new, 1))
    x = 20 * numbers(2, 3, 4, 7)
    found = run(model_of(broken, (3, 4, 7), **LRN[1]), x)
    assert not np.allclose(found, lrn_by_hand(x, **LRN[1]), rtol=1e-3)


# AlexNet

@pytest.mark.parametrize("groups, strides", [(2, 1), (2, 2), (4, 1)])
def test_towers_compute_what_a_grouped_convolution_does(groups, strides):
    towers = model_of(grouped_conv, (6, 5, 8), 12, 3, strides, groups)
    grouped = model_of(grouped_conv, (6, 5, 8), 12, 3, strides, groups, towers=False)
    random_weights(towers)
    weights = towers.get_weights()
    grouped.set_weights([np.concatenate(weights[0::2], -1), np.concatenate(weights[1::2], -1)])
    x = numbers(2, 6, 5, 8)
    np.testing.assert_allclose(run(towers, x), run(grouped, x), rtol=1e-5, atol=1e-5)


def test_alexnet_has_the_neurons_of_its_figure_and_tiles_only_from_227(zeros):
    model = nets.alexnet()
    names = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "predictions"]
    neurons = [np.prod(model.get_layer(name).output.shape[1:]) for name in names]
    assert neurons == [55 * 55 * 96, 27 * 27 * 256, 64_896, 64_896, 43_264, 4096, 4096, 1000]
    assert neurons[0] == 290_400  # the paper prints 253,440 = 48·48·110; lecture 4 follows it
    assert neurons[4] == 13 * 13 * 256  # lecture 4 prints 43,246
    assert (227 - 11) % 4 == 0 != (224 - 11) % 4


def test_alexnets_towers_and_its_groups_have_the_same_counts_and_multiply_adds():
    towers, grouped = nets.alexnet_cifar(), nets.alexnet_cifar(towers=False)
    assert towers.count_params() == grouped.count_params()
    assert cost(towers).macs == cost(grouped).macs
    whole = nets.alexnet_cifar(groups=1)
    halved = 25 * 48 * 128 + 9 * 192 * 192 + 9 * 192 * 128  # conv2, conv4, conv5
    assert whole.count_params() - towers.count_params() == halved / 2


def test_overlap_costs_no_pixel_and_normalization_no_parameter():
    ours = nets.alexnet_cifar()
    assert nets.alexnet_cifar(lrn=False).count_params() == ours.count_params()
    apart = nets.alexnet_cifar(pool_size=2)
    pooled = [[p.output.shape[1] for p in model.layers if isinstance(p, layers.MaxPooling2D)]
              for model in (ours, apart)]
    assert pooled == [[15, 7, 3], [16, 8, 4]]


# LeNet

TABLE_I = """
    X...XXX..XXXX.XX
    XX...XXX..XXXX.X
    XXX...XXX..X.XXX
    .XXX..XXXX..X.XX
    ..XXX..XXXX.XX.X
    ...XXX..XXXX.XXX
"""  # the paper's: row, a map of S2; column, a map of C3


def test_the_maps_of_c3_read_what_the_papers_table_marks():
    rows = TABLE_I.split()
    marks = np.array([[mark == "X" for mark in row] for row in rows])
    assert marks.sum() == 60 and (marks.sum(1) == 10).all()
    model = nets.lenet5_1998()
    c3 = keras.Model(model.get_layer("S2").output, model.get_layer("C3").output)
    one_map_each = np.zeros((7, 14, 14, 6), "float32")  # and none in the last image
    for i in range(6):
        one_map_each[i, ..., i] = 1
    *answers, silent = run(c3, one_map_each)
    np.testing.assert_array_equal(np.abs(np.array(answers) - silent).max((1, 2)) > 0, marks)


def test_connected_conv_is_a_whole_convolution_with_zeros_where_nothing_is_connected():
    table = ((0, 1), (2,), (0, 2))
    model = model_of(connected_conv, (6, 7, 3), table, 3)
    random_weights(model)
    weights = model.get_weights()
    kernel = np.zeros((3, 3, 3, 3), "float32")
    for out, reads in enumerate(table):
        kernel[:, :, list(reads), out] = weights[2 * out][..., 0]
    whole = model_of(lambda x: layers.Conv2D(3, 3, activation="tanh")(x), (6, 7, 3))
    whole.set_weights([kernel, np.concatenate(weights[1::2])])
    x = numbers(2, 6, 7, 3)
    np.testing.assert_allclose(run(model, x), run(whole, x), rtol=1e-5, atol=1e-5)


def test_trainable_pooling_is_the_papers_sum_with_a_quarter_of_the_weight():
    model = model_of(trainable_pooling, (4, 6, 3))
    random_weights(model)
    kernel, bias = model.get_weights()
    x = numbers(2, 4, 6, 3)
    summed = x[:, 0::2, 0::2] + x[:, 0::2, 1::2] + x[:, 1::2, 0::2] + x[:, 1::2, 1::2]
    wanted = np.tanh(kernel.reshape(3) / 4 * summed + bias)
    np.testing.assert_allclose(run(model, x), wanted, rtol=1e-5, atol=1e-5)


def test_lenet_of_1998_says_how_near_f6_is_to_each_digit():
    model = nets.lenet5_1998()
    f6 = keras.Model(model.input, model.get_layer("F6").output)
    x = numbers(3, 32, 32, 1)
    codes = nets.digit_codes()
    distances = ((run(f6, x)[:, None] - codes) ** 2).sum(-1)
    wanted = np.exp(-distances + distances.min(1, keepdims=True))
    np.testing.assert_allclose(run(model, x), wanted / wanted.sum(1, keepdims=True), rtol=1e-3,
                               atol=1e-6)
    assert codes.shape == (10, 7 * 12) and set(codes.ravel()) == {-1, 1}
    apart = ((codes[:, None] != codes) + 0).sum(-1) + 84 * np.eye(10)
    assert apart.min() >= 6  # no two digits are alike


def test_the_ten_digits_are_drawn_as_they_are_written():
    drawn = """
        ..###.. ...#... ..###.. .#####. .....#. ####### ..###.. ####### .#####. ..###..
        .#...#. ..##... .#...#. #.....# ....##. #...... .#..... ......# #.....# .#...#.
        #.....# .#.#... #.....# ......# ...#.#. #...... #...... ......# #.....# #.....#
        #.....# ...#... ......# ......# ..#..#. #...... #...... .....#. #.....# #.....#
        #.....# ...#... ......# .....#. .#...#. #####.. #.###.. .....#. .#...#. #.....#
        #.....# ...#... .....#. ..###.. #....#. .....#. ##...#. ....#.. ..###.. .#...##
        #.....# ...#... ....#.. .....#. ####### ......# #.....# ....#.. .#...#. ..###.#
        #.....# ...#... ...#... ......# .....#. ......# #.....# ...#... #.....# ......#
        #.....# ...#... ..#.... ......# .....#. ......# #.....# ...#... #.....# ......#
        #.....# ...#... .#..... ......# .....#. ......# #.....# ..#.... #.....# ......#
        .#...#. ...#... #...... #.....# .....#. #....#. .#...#. ..#.... #.....# .....#.
        ..###.. .#####. ####### .#####. .....#. .####.. ..###.. ..#.... .#####. ..###.."""
    rows = [line.split() for line in drawn.split("\n")[1:]]
    wanted = [[2.0 * (pixel == "#") - 1 for row in rows for pixel in row[digit]] for digit in range(10)]
    np.testing.assert_array_equal(nets.digit_codes(), wanted)


def test_a_border_is_added_where_either_side_is_below_32():
    for shape, s4 in (((28, 40, 1), (5, 8)), ((40, 28, 1), (8, 5)), ((32, 32, 1), (5, 5))):
        assert nets.lenet5(shape).get_layer("S4").output.shape[1:3] == s4


@pytest.mark.parametrize("builder", [nets.lenet5, nets.lenet5_1998])
def test_an_mnist_image_gets_a_border_of_two_pixels(builder):
    small, large = builder((28, 28, 1)), builder((32, 32, 1))
    large.set_weights(small.get_weights())
    x = numbers(2, 28, 28, 1)
    padded = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    np.testing.assert_allclose(run(small, x), run(large, padded), rtol=1e-5, atol=1e-6)
    assert sizes(small, "S2", "S4") == [(14, 6), (5, 16)]


def test_lenets_save_and_load_by_keras_alone(tmp_path):
    model = nets.lenet5_1998()
    model.save(tmp_path / "net.keras")
    x = numbers(2, 32, 32, 1)
    np.testing.assert_allclose(run(keras.models.load_model(tmp_path / "net.keras"), x),
                               run(model, x), rtol=1e-5, atol=1e-6)


# VGG, NiN, SqueezeNet

def test_three_3x3_see_as_far_as_one_7x7_with_27_of_its_49_weights():
    small = model_of(vgg_block, (7, 7, 4), 4, (3, 3, 3), pool=False)
    large = model_of(vgg_block, (7, 7, 4), 4, (7,), pool=False)
    biases = 3 * 4, 4
    assert (small.count_params() - biases[0]) / (large.count_params() - biases[1]) == 27 / 49


def test_vgg_halves_five_times_and_its_first_dense_layer_holds_most_weights(zeros):
    model = nets.vgg16()
    assert sizes(model, *[f"stage{n}" for n in range(1, 6)]) == [
        (112, 64), (56, 128), (28, 256), (14, 512), (7, 512)]
    assert model.get_layer("fc1").count_params() == 7 * 7 * 512 * 4096 + 4096 > 138_357_544 * 0.7


def test_squeezenet_has_the_papers_map_sizes_only_at_227(zeros):
    def maps(side):
        model = nets.squeezenet((side, side, 3))
        return sizes(model, "conv1", "fire2", "fire5", "fire9", "conv10")
    assert maps(227) == [(111, 96), (55, 128), (27, 256), (13, 512), (13, 1000)]
    assert maps(224)[0] == (109, 96)


# GoogLeNet

def test_googlenet_has_the_sizes_of_the_papers_table(zeros):
    model = nets.googlenet()
    assert sizes(model, "stem", *[f"inception_{m}" for m in ("3a", "3b", "4a", "4b", "4c", "4d",
                                                               "4e", "5a", "5b")]) == [
        (28, 192), (28, 256), (28, 480), (14, 512), (14, 512), (14, 512), (14, 528), (14, 832),
        (7, 832), (7, 1024)]
    assert len([p for p in model.layers if isinstance(p, layers.Conv2D)]) == 57


def test_heads_come_in_the_order_main_aux1_aux2_and_leave_the_main_net_alone():
    with_heads = nets.googlenet_cifar(heads=True)
    assert with_heads.output_names == ["main", "aux1", "aux2"]
    assert isinstance(with_heads.output, list) and len(with_heads.output) == 3
    main = keras.Model(with_heads.input, with_heads.get_layer("main").output)
    alone = nets.googlenet_cifar()
    assert main.count_params() == alone.count_params() < with_heads.count_params()
    alone.set_weights(main.get_weights())
    x = numbers(2, 32, 32, 3)
    np.testing.assert_allclose(run(with_heads, x)[0], run(alone, x), rtol=1e-5, atol=1e-6)


def test_detached_heads_answer_alike_and_send_no_gradient_back():
    small = dict(width=0.05, modules=("3a", "4a", "4d"), batch_norm=False)
    built = {kind: nets.googlenet_cifar(heads=kind, **small) for kind in (True, "detached")}
    built["detached"].set_weights(built[True].get_weights())
    x, y = numbers(4, 32, 32, 3), np.arange(4)
    np.testing.assert_allclose(run(built[True], x)[1], run(built["detached"], x)[1], rtol=1e-5)

    def heads_alone(y, outputs):
        return sum(keras.losses.sparse_categorical_crossentropy(y, head) for head in outputs[1:])

    sizes = {}
    for kind, net in built.items():
        norms = list(gradient_norms(net, x, y, heads_alone, training=False).values())
        sizes[kind] = norms[0], norms[-1]  # of the first convolution and of aux2's dense layer
    assert sizes[True][0] > 0 and sizes["detached"][0] == 0 and sizes["detached"][1] > 0


def test_fewer_modules_keep_their_places_in_the_table():
    net = nets.googlenet_cifar(width=0.05, modules=("3a", "4a", "5a"))
    kept = [name for name in exits(net) if name.startswith("inception")]
    assert kept == ["inception_3a", "inception_4a", "inception_5a"]
    assert sizes(net, *kept) == [(32, 20), (16, 28), (8, 44)]


def test_the_heads_read_modules_4a_and_4d_at_14_pixels(zeros):
    model = nets.googlenet_heads()
    pools = [p for p in model.layers if isinstance(p, layers.AveragePooling2D)]
    read = [p.input._keras_history.operation.name for p in pools]
    assert read == ["inception_4a", "inception_4d"]
    assert [p.output.shape[1:] for p in pools] == [(4, 4, 512), (4, 4, 528)]


@pytest.mark.parametrize("published, net, block, old, new", [
    (12_997_352, nets.googlenet_heads, inception_module, "filters_5x5, 5)", "filters_5x5, 3)"),
])
def test_a_published_wrong_count_is_this_bug(published, net, block, old, new, zeros, monkeypatch):
    """The copy's count, to the integer, comes out of our net with that one change in its block."""
    assert old in inspect.getsource(block)
    broken = pasted(block, lambda source: source.replace(old, new, 1))
    monkeypatch.setattr(inspect.getmodule(net), block.__name__, broken)
    assert net().count_params() == published


def test_naive_modules_widen_and_reduced_ones_cost_a_tenth_in_the_5x5_branch():
    naive = model_of(inception_module_naive, (28, 28, 192), 64, 128, 32)
    assert naive.output_shape[-1] == 416  # not the lecture's 256: pooling keeps its 192 channels
    five = [layer for layer in naive.layers if getattr(layer, "kernel_size", 0) == (5, 5)]
    assert cost(naive)[five[0].name].macs == 120_422_400
    reduced = model_of(inception_module, (28, 28, 192), 64, 96, 128, 16, 32, 32)
    table = cost(reduced)
    five = next(layer for layer in reduced.layers if getattr(layer, "kernel_size", 0) == (5, 5))
    before = five.input._keras_history.operation.input._keras_history.operation
    assert table[five.name].macs + table[before.name].macs == 12_443_648


# The small nets

@pytest.mark.parametrize("builder, options", [
    (nets.lenet5, {}), (nets.lenet5_1998, {}), (nets.alexnet_cifar, {"dropout": 0.0}),
    (nets.vgg_cifar, {"width": 0.125}), (nets.nin, {"dropout": 0.0}),
    pytest.param(nets.googlenet_cifar, {"heads": True}, marks=pytest.mark.slow),
    pytest.param(nets.inception_v3_cifar, {}, marks=pytest.mark.slow),
], ids=lambda value: getattr(value, "__name__", ""))
def test_a_small_net_learns_eight_images_by_heart(builder, options):
    keras.utils.set_random_seed(1)
    model = builder(**options)
    x, y = numbers(8, *model.input_shape[1:]), np.arange(8)
    x += y.reshape(8, 1, 1, 1) - 4  # each brighter than the one before
    targets = [y] * len(model.outputs) if len(model.outputs) > 1 else y
    optimizer = keras.optimizers.Adam(5e-4)
    optimizer.build(model.trainable_variables)  # now, or TensorFlow traces the first step twice
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    first, *_, last = model.fit(x, targets, batch_size=8, epochs=25, verbose=0).history["loss"]
    assert last < 0.8 * first


# Inception v3

def test_inception_v3_has_the_grids_of_the_paper(zeros):
    model = nets.inception_v3_head()
    assert sizes(model, "stem", *[f"mixed{n}" for n in range(11)]) == [
        (35, 192), (35, 256), (35, 288), (35, 288), (17, 768), (17, 768), (17, 768), (17, 768),
        (17, 768), (8, 1280), (8, 2048), (8, 2048)]
    assert model.output_names == ["main", "aux"]


def test_inception_v3_without_gamma_has_17216_parameters_less_than_the_copies_with_it(zeros):
    model = nets.inception_v3_head()
    norms = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    gammas = sum(layer.input.shape[-1] for layer in norms)
    assert gammas == 17_216 + 128 + 768
    assert cost(model).trainable + gammas == 27_161_264  # torchvision's, with its head
