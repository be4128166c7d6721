"""Blocks: functions from tensor to tensor, each short enough to read and to copy."""

from keras_cases.blocks.classic import (
    fire_module,
    grouped_conv,
    local_response_norm,
    mlpconv_block,
    vgg_block,
)
from keras_cases.blocks.dense import dense_block, transition_block
from keras_cases.blocks.depthwise import depthwise_separable_block, inverted_residual_block
from keras_cases.blocks.heads import (
    auxiliary_classifier,
    auxiliary_classifier_v3,
    global_average_pooling_head,
)
from keras_cases.blocks.inception import inception_module, inception_module_naive
from keras_cases.blocks.inception_v3 import (
    grid_reduction_a,
    grid_reduction_b,
    inception_a,
    inception_b,
    inception_c,
)
from keras_cases.blocks.lenet import connected_conv, trainable_pooling
from keras_cases.blocks.mbconv import mbconv_block, squeeze_excitation
from keras_cases.blocks.residual import (
    bottleneck_block_v1,
    bottleneck_block_v2,
    res_block_v1,
    res_block_v2,
)
from keras_cases.blocks.unet import decoder_block, encoder_block
