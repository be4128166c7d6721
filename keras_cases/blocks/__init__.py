"""Blocks: functions from tensor to tensor, each short enough to read and to copy."""

from keras_cases.blocks.residual import (
    bottleneck_block_v1,
    bottleneck_block_v2,
    res_block_v1,
    res_block_v2,
)
