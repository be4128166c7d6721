"""Our nets against keras.applications: weights copied across, same input, same logits.

With default weights such a test cannot fail (logits of 1e-11), so weights and BN statistics are
drawn at random, the difference is taken relative to the logits' spread, and a scrambled copy of
the weights must fail.
"""

import keras
import numpy as np
import pytest

from keras_cases.cases import resnet

SIZE = 64  # pixels: small enough for a test, large enough for every stage
# (our builder, Keras's, keyword arguments for Keras's)
PAIRS = [
    (resnet.resnet50, "ResNet50"),
    (resnet.resnet50_v2, "ResNet50V2"),
    pytest.param(resnet.resnet101, "ResNet101", marks=pytest.mark.slow),
    pytest.param(resnet.resnet152, "ResNet152", marks=pytest.mark.slow),
    pytest.param(resnet.resnet101_v2, "ResNet101V2", marks=pytest.mark.slow),
    pytest.param(resnet.resnet152_v2, "ResNet152V2", marks=pytest.mark.slow),
]
TOLERANCE = 1e-4  # of the logits' spread
