"""What every net asks of its arguments: which are taken, which refused, and in which words."""

import keras
import pytest

from keras_cases.nets import inputs

TAKEN = [  # input_shape, classes, options
    ((32, 32, 3), 10, {}), ((1, 2, 1), 1, {}), ([8, 9, 2], 3, {}), ((None, None, 3), 10, {}),
    ((None, 7, 3), 10, {"smallest": 7}), ((7, 7, 3), 10, {"smallest": 7}),
    ((7, 8, 3), 10, {"smallest": 7, "known": True}),
]
REFUSED = [  # input_shape, classes, options, what the message says of it
    ((32, 32), 10, {}, r"^net: input_shape=\(32, 32\); pass \(height, width, channels\)"),
    ((8, 32, 32, 3), 10, {}, "without the batch"),
    ((32, 32, None), 10, {}, r"such as \(32, 32, 3\)"), ((32, 32, 0), 10, {}, "channels"),
    ((None, 32, 1), 10, {"known": True}, r"^net: input_shape=\(None, 32, 1\); its dense layers"),
    ((32, None, 1), 10, {"known": True}, "both sides as numbers"),
    ((0, 32, 3), 10, {}, "at least 1×1 pixels"),
    ((6, 7, 3), 10, {"smallest": 7}, r"^net: input_shape=\(6, 7, 3\).* at least 7×7 pixels"),
    ((7, 6, 3), 10, {"smallest": 7}, "enlarge the images"),
    ((None, 6, 3), 10, {"smallest": 7}, "small ones"),
    ((8, 8, 3), 0, {}, "^net: classes=0; pass the number of classes"),
    ((8, 8, 3), -2, {}, "classes=-2"), ((8, 8, 3), 2.0, {}, r"classes=2\.0"),
    ((8, 8, 3), "ten", {}, "classes='ten'"), ((8, 8, 3), None, {}, "classes=None"),
]
SCALED = [  # arguments, filters
    ((64, 0.5), 32), ((64, 1), 64), ((64, 2), 128), ((10, 0.26), 3), ((10, 0.24), 2),
    ((64, 0.3, 8), 16), ((64, 0.32, 8), 24), ((64, 0.01), 1), ((64, 0.01, 8, 8), 8),
    ((64, 0.5, 1, 40), 40), ((64, 0.5, 1, 32), 32), ((3, 0.01, 2), 1),
]


@pytest.mark.parametrize("input_shape, classes, options", TAKEN)
def test_an_input_of_that_shape(input_shape, classes, options):
    made = inputs.image_input("net", input_shape, classes, **options)
    assert made.shape == (None, *input_shape)


@pytest.mark.parametrize("input_shape, classes, options, says", REFUSED)
def test_refuses_and_says_why(input_shape, classes, options, says):
    with pytest.raises(ValueError, match=says):
        inputs.image_input("net", input_shape, classes, **options)


def test_refuses_channels_first():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.config, "image_data_format", lambda: "channels_first")
        with pytest.raises(ValueError, match="^net: Keras is set to channels_first, .*'channels_last'"):
            inputs.image_input("net", (3, 32, 32), 10)


@pytest.mark.parametrize("arguments, filters", SCALED)
def test_filters_scaled(arguments, filters):
    assert inputs.scaled("net", *arguments) == filters


@pytest.mark.parametrize("width", [0, -1, float("nan")])
def test_refuses_a_width(width):
    with pytest.raises(ValueError, match=f"^net: width={width}; .* above 0"):
        inputs.scaled("net", 64, width)
