"""Receptive fields against hand counts and the pixels that a gradient reaches."""

import time
import warnings

import keras
import numpy as np
import pytest
from keras import layers, ops
from small_nets import chain

from keras_cases.analysis import graph
from keras_cases.analysis.gradients import input_gradient
from keras_cases.analysis.receptive_field import effective_receptive_field, receptive_field


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
    if net == "transposed, dilated" and keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow has no dilated transposed convolution on a CPU; JAX and PyTorch do")
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
