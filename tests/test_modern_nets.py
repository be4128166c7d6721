"""What is special to U-Net, DenseNet, MobileNet, MobileNetV2 and EfficientNet, by hand.

Weights start as zeros here, which is quicker to build: these are facts of the graphs.
"""

import functools
import math

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_cases.blocks.dense import dense_block
from keras_cases import nets
from keras_cases.blocks import depthwise_separable_block
from keras_cases.nets.efficientnet import RELEASED
from keras_cases.nets.mobilenet_v2 import divisible_by_8
from keras_cases.analysis.cost import cost
from graphs import zero_weights


@pytest.fixture(scope="module", autouse=True)
def zeros_instead_of_random_numbers():
    with zero_weights():
        yield
    net.cache_clear()


@functools.cache
def net(builder, **options):
    return builder(**options)


def of_kind(model, kind):
    return [layer for layer in model.layers if type(layer) is kind]


def size(model, name):
    """(H, W, C) of a named exit."""
    return tuple(model.get_layer(name).output.shape[1:])


# MobileNet

# paper, table 1, as lecture 1 prints it: stride, height and width of the input, channels in, out
TABLE = [("conv", 2, 224, 3, 32), ("dw", 1, 112, 32, 32), ("conv", 1, 112, 32, 64),
         ("dw", 2, 112, 64, 64), ("conv", 1, 56, 64, 128), ("dw", 1, 56, 128, 128),
         ("conv", 1, 56, 128, 128), ("dw", 2, 56, 128, 128), ("conv", 1, 28, 128, 256),
         ("dw", 1, 28, 256, 256), ("conv", 1, 28, 256, 256), ("dw", 2, 28, 256, 256),
         ("conv", 1, 14, 256, 512), *5 * [("dw", 1, 14, 512, 512), ("conv", 1, 14, 512, 512)],
         ("dw", 2, 14, 512, 512), ("conv", 1, 7, 512, 1024), ("dw", 2, 7, 1024, 1024),
         ("conv", 1, 7, 1024, 1024)]
MISPRINT = 25  # the last depthwise row


def test_mobilenet_is_the_papers_table_but_for_the_stride_of_its_last_depthwise_layer():
    convs = [layer for layer in net(nets.mobilenet).layers
             if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D))]
    ours = [("dw" if isinstance(layer, layers.DepthwiseConv2D) else "conv", layer.strides[0],
             layer.input.shape[1], layer.input.shape[-1], layer.output.shape[-1])
            for layer in convs]
    assert len(ours) == len(TABLE) == 27
    assert [row for row in range(27) if ours[row] != TABLE[row]] == [MISPRINT]
    assert ours[MISPRINT] == ("dw", 1, 7, 1024, 1024)
    assert math.ceil(TABLE[MISPRINT][2] / TABLE[MISPRINT][1]) == 4 != TABLE[MISPRINT + 1][2] == 7


def test_rho_leaves_every_parameter_and_takes_multiply_adds_as_the_paper_prints():
    whole, small = net(nets.mobilenet), net(nets.mobilenet, rho=6 / 7)
    assert small.input_shape == (None, 192, 192, 3)
    assert small.count_params() == whole.count_params()
    assert round(cost(small).macs / 1e6) == 418
    half = net(nets.mobilenet_050, rho=5 / 7)
    assert half.input_shape[1] == 160 and int(cost(half).macs / 1e6) == 76  # 76.5: the paper cuts


def test_mobilenet_takes_images_of_any_size():
    assert nets.mobilenet((None, None, 3), alpha=0.25).input_shape == (None, None, None, 3)


def test_alpha_thins_every_layer_depthwise_or_not():
    whole, thin = net(nets.mobilenet), net(nets.mobilenet_075)
    wide = [layer.output.shape[-1] for layer in of_kind(whole, layers.BatchNormalization)]
    assert [layer.output.shape[-1] for layer in of_kind(thin, layers.BatchNormalization)] == [
        3 * filters // 4 for filters in wide]


def test_a_separable_block_costs_one_ninth_and_one_nth_of_a_convolution():
    x = keras.Input((10, 10, 24))
    separable = keras.Model(x, depthwise_separable_block(x, 40))
    ordinary = keras.Model(x, layers.Conv2D(40, 3, padding="same", use_bias=False)(x))
    assert cost(separable).macs / cost(ordinary).macs == pytest.approx(1 / 9 + 1 / 40)


# MobileNetV2

def test_mobilenet_v2_has_seventeen_blocks_of_which_ten_have_a_shortcut():
    model = net(nets.mobilenet_v2)
    assert len(of_kind(model, layers.DepthwiseConv2D)) == 17
    assert len(of_kind(model, layers.Add)) == 10


def test_every_narrow_end_of_mobilenet_v2_is_linear():
    model = net(nets.mobilenet_v2)
    ends = [layer for layer in model.layers if layer.name.startswith("stage")]
    assert len(ends) == 17
    assert {type(layer) for layer in ends} == {layers.Add, layers.BatchNormalization}
    for end in ends:
        if isinstance(end, layers.Add):
            assert type(end.input[1]._keras_history.operation) is layers.BatchNormalization


@pytest.mark.parametrize("filters, rounded", [
    (32, 32), (5.6, 8), (1, 8), (11.2, 16), (18, 24), (33.6, 32), (22.4, 24), (44.8, 48), (12, 16),
    (67.2, 64), (448, 448), (1792, 1792)])
def test_widths_are_multiples_of_8_that_never_lose_a_tenth(filters, rounded):
    assert divisible_by_8(filters) == rounded
    assert rounded % 8 == 0 and rounded >= 0.9 * filters


@pytest.mark.parametrize("alpha", [0.35, 1.4])
def test_mobilenet_v2_has_keras_widths_at_other_alphas(alpha):
    ours = nets.mobilenet_v2((32, 32, 3), alpha=alpha)
    theirs = keras.applications.MobileNetV2((32, 32, 3), alpha=alpha, weights=None)
    assert ours.count_params() == theirs.count_params()


def test_a_well_known_cifar_copy_of_mobilenet_v2_holds_five_convolutions_more():
    ours = sum(math.prod(w.shape) for w in net(nets.mobilenet_v2_cifar).trainable_weights)
    projections = sum(i * o + 2 * o for i, o in [(32, 16), (16, 24), (64, 96), (160, 320)])
    widening = 32 * 32 + 2 * 32  # of the first block, whose expansion is 1
    assert ours + projections + widening == 2_296_922


def test_small_images_reach_the_heads_of_the_mobile_nets_unshrunk():
    assert size(net(nets.mobilenet_cifar), "stage5_block2") == (2, 2, 1024)
    assert size(net(nets.mobilenet_v2_cifar), "last_conv") == (4, 4, 1280)
    assert size(net(nets.efficientnet_cifar), "last_conv") == (2, 2, 1280)


# EfficientNet

def test_no_single_phi_gives_the_released_nets():
    width, depth, resolution = nets.compound_scaling(1)
    b2_width, b2_depth, b2_resolution, _ = RELEASED["b2"]
    assert (width, depth) == pytest.approx((b2_width, b2_depth))
    assert resolution == pytest.approx(257.6) and b2_resolution == 260

    width, depth, resolution, _ = RELEASED["b7"]
    phis = [math.log(width, 1.1), math.log(depth, 1.2), math.log(resolution / 224, 1.15)]
    assert [round(phi, 1) for phi in phis] == [7.3, 6.2, 7.0]
    assert nets.compound_scaling(7)[1] == pytest.approx(3.58, abs=0.01)  # released: 3.1
    assert RELEASED["b1"][0] == 1.0  # no width at all, so phi = 0; its depth: 0.5
    assert math.log(RELEASED["b1"][1], 1.2) == pytest.approx(0.52, abs=0.01)


def test_each_phi_costs_about_twice():
    ratio = 1.2 * 1.1**2 * 1.15**2
    width, depth, resolution = nets.compound_scaling(3)
    assert depth * width**2 * (resolution / 224)**2 == pytest.approx(ratio**3)
    assert ratio == pytest.approx(1.92, abs=0.005)


def test_the_gates_of_b0_are_reduced_from_each_blocks_input():
    reduced = [layer.filters for layer in of_kind(net(nets.efficientnet_b0), layers.Conv2D)
               if layer.use_bias and layer.activation is keras.activations.silu]
    assert reduced == [8, 4, 6, 6, 10, 10, 20, 20, 20, 28, 28, 28, 48, 48, 48, 48]


def test_stochastic_depth_grows_evenly_over_the_blocks_that_have_a_shortcut():
    *drops, head = of_kind(net(nets.efficientnet_b0), layers.Dropout)
    with_shortcut = [2, 4, 6, 7, 9, 10, 12, 13, 14]  # of 16 blocks, counted from 0
    assert [drop.rate for drop in drops] == pytest.approx([0.2 * n / 16 for n in with_shortcut])
    assert {drop.noise_shape for drop in drops} == {(None, 1, 1, 1)} and head.rate == 0.2


def test_seven_numbers_of_an_efficientnet_are_its_normalization():
    model = net(nets.efficientnet_b0)
    normalization, = of_kind(model, layers.Normalization)
    assert normalization.count_params() == 3 + 3 + 1
    assert model.count_params() - 7 == 5_330_564  # trainable 5,288,548 and 42,016 BN statistics
    assert not of_kind(net(nets.efficientnet_cifar), layers.Normalization)


def test_efficientnet_takes_pixels_from_0_to_255():
    model = keras.Model(net(nets.efficientnet_b0).input,
                        of_kind(net(nets.efficientnet_b0), layers.Normalization)[0].output)
    x = np.full((1, 224, 224, 3), 255, "float32")
    np.testing.assert_allclose(ops.convert_to_numpy(model(x)), 1, atol=1e-5)


# DenseNet

def test_a_dense_block_of_five_layers_has_fifteen_connections():
    x = keras.Input((4, 4, 6))
    model = keras.Model(x, dense_block(x, 5, growth_rate=4, bottleneck=False))  # the paper's fig. 1
    reads = [layer.input.shape[-1] for layer in of_kind(model, layers.Conv2D)]
    sources = [1 + (width - 6) / 4 for width in reads]
    assert sources == [1, 2, 3, 4, 5] and sum(sources) == 5 * (5 + 1) / 2


def test_a_dense_block_hands_its_input_on_untouched():
    x = keras.Input((4, 4, 6))
    model = keras.Model(x, dense_block(x, 3, growth_rate=4))
    image = np.random.default_rng(0).normal(size=(2, 4, 4, 6)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(model(image))[..., :6], image)


def test_the_first_dense_block_of_densenet_121_holds_338304_parameters():
    x = keras.Input((2, 2, 64))
    reads = [64 + 32 * n for n in range(6)]
    by_hand = sum(4 * c + c * 128 + 4 * 128 + 9 * 128 * 32 for c in reads)
    assert keras.Model(x, dense_block(x, 6, 32)).count_params() == by_hand == 338_304


def test_densenet_121_grows_by_32_and_halves_between():
    model = net(nets.densenet121)
    assert size(model, "stem") == (56, 56, 64)
    assert size(model, "stage1_block1") == (56, 56, 64 + 6 * 32)
    assert size(model, "stage1_transition") == (28, 28, 128)
    assert size(model, "stage2_block1") == (28, 28, 128 + 12 * 32)
    assert size(model, "stage3_block1") == (14, 14, 256 + 24 * 32)
    assert size(model, "stage4_block1") == (7, 7, 512 + 16 * 32)


def test_a_published_densenet_121_of_8058408_forgets_its_last_batch_normalization():
    model = net(nets.densenet121)
    last = model.get_layer("post_activation").input._keras_history.operation
    assert type(last) is layers.BatchNormalization
    assert model.count_params() - last.count_params() == 8_058_408


def test_the_cifar_densenets_widen_as_the_paper_says():
    assert size(net(nets.densenet40), "stem") == (32, 32, 16)
    assert size(net(nets.densenet40), "stage2_transition") == (8, 8, 16 + 24 * 12)
    assert size(net(nets.densenet40), "stage3_block1") == (8, 8, 16 + 36 * 12)
    assert size(net(nets.densenet_bc100), "stem") == (32, 32, 24)
    assert size(net(nets.densenet_bc100), "stage1_transition") == (16, 16, (24 + 192) // 2)
    assert size(net(nets.densenet_bc100), "stage3_block1") == (8, 8, 150 + 192)


# U-Net

def test_unet_has_the_sizes_of_the_2015_figure():
    model = net(nets.unet_2015)
    assert [size(model, f"encoder{n}")[::2] for n in (1, 2, 3, 4)] == [
        (568, 64), (280, 128), (136, 256), (64, 512)]
    assert size(model, "bottom") == (28, 28, 1024)
    assert [pool.output.shape[1] for pool in of_kind(model, layers.MaxPooling2D)] == [
        284, 140, 68, 32]
    assert [size(model, f"decoder{n}")[::2] for n in (4, 3, 2, 1)] == [
        (52, 512), (100, 256), (196, 128), (388, 64)]
    assert model.output_shape == (None, 388, 388, 2)


def test_unet_crops_its_skips_to_their_centre():
    crops = [layer.cropping for layer in of_kind(net(nets.unet_2015), layers.Cropping2D)]
    assert crops == [((n, n), (n, n)) for n in (4, 16, 40, 88)]


def test_an_unpadded_unet_takes_only_sizes_of_12_more_than_a_multiple_of_16():
    for side in range(1, 700):
        tiles = side >= 188 and side % 16 == 12
        assert nets.output_size(side) == (side - 184 if tiles else 0)
        assert nets.output_size(side, padding="same") == (side if side % 16 == 0 else 0)


def test_a_padded_unet_takes_images_of_any_size_that_pools_evenly():
    model = nets.unet_small((None, None, 1), filters=2)
    for side in (8, 12):
        assert model(np.zeros((1, side, side, 1), "float32")).shape == (1, side, side, 2)


def test_without_skips_a_unet_loses_exactly_the_weights_that_read_them():
    with_skips, without = net(nets.unet_small), net(nets.unet_small, skips=False)
    assert with_skips.count_params() - without.count_params() == 9 * (8 * 8 + 16 * 16)
    assert not of_kind(without, layers.Concatenate)


# What the builders refuse

@pytest.mark.parametrize("call, says", [
    (lambda: nets.mobilenet(alpha=0), "alpha=0"),
    (lambda: nets.mobilenet(alpha=-1), "alpha=-1"),
    (lambda: nets.mobilenet(alpha=0.031), "alpha=0.031"),  # less than one of 32 filters
    (lambda: nets.mobilenet(rho=0), "rho=0"),
    (lambda: nets.mobilenet(rho=0.125), "at rho=0.125: input_shape=(28, 28, 3)"),
    (lambda: nets.mobilenet(input_shape=(31, 64, 3)), "32×32"),
    (lambda: nets.mobilenet_cifar(input_shape=(8, 8, 3)), "16×16"),
    (lambda: nets.mobilenet(classes=0), "classes=0"),
    (lambda: nets.mobilenet(input_shape=(224, 224)), "(height, width, channels)"),
    (lambda: nets.mobilenet_v2(alpha=0), "alpha=0"),
    (lambda: nets.mobilenet_v2(input_shape=(16, 16, 3)), "32×32"),
    (lambda: nets.mobilenet_v2_cifar(input_shape=(4, 4, 3)), "8×8"),
    (lambda: nets.mobilenet_v2(classes=-1), "classes=-1"),
    (lambda: nets.efficientnet(width_coefficient=0), "width_coefficient=0"),
    (lambda: nets.efficientnet(depth_coefficient=-1), "depth_coefficient=-1"),
    (lambda: nets.efficientnet_b0(input_shape=(16, 16, 3)), "32×32"),
    (lambda: nets.efficientnet_b3(classes=0), "classes=0"),
    (lambda: nets.densenet121(input_shape=(31, 31, 3)), "32×32"),
    (lambda: nets.densenet121(classes=0), "classes=0"),
    (lambda: nets.densenet_cifar(41), "depth=41"),
    (lambda: nets.densenet_cifar(43, bottleneck=True), "depth=43"),
    (lambda: nets.densenet_cifar(4), "depth=4"),
    (lambda: nets.densenet_cifar(growth_rate=0), "filters"),
    (lambda: nets.unet(input_shape=(570, 572, 1)), "The next that does: 572"),
    (lambda: nets.unet(input_shape=(572, 570, 1)), "The next that does: 572"),
    (lambda: nets.unet(input_shape=(64, 64, 1)), "188"),
    (lambda: nets.unet_small(input_shape=(30, 32, 1)), "32"),
    (lambda: nets.unet(depth=0), "depth=0"),
    (lambda: nets.unet(classes=0), "classes=0"),
])
def test_a_builder_refuses_what_it_cannot_build_and_says_what_to_do(call, says):
    with pytest.raises(ValueError) as error:
        call()
    assert says in str(error.value)


def test_the_smallest_unet_holds_nothing_empty():
    model = nets.unet_small(input_shape=(4, 4, 3), classes=4)
    assert model.output_shape == (None, 4, 4, 4)
    assert all(0 not in layer.output.shape for layer in model.layers)
