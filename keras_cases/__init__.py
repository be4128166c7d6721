"""keras_cases: the classic CNN architectures in Keras 3, to learn, prove and reuse.

Importing this package loads neither Keras nor Matplotlib; both wait until a name is used.
"""

import importlib

__version__ = "0.1.0"

_HOME = {
    "keras_cases.blocks.residual": (
        "res_block_v1", "res_block_v2", "bottleneck_block_v1", "bottleneck_block_v2"),
    "keras_cases.blocks.classic": (
        "vgg_block", "mlpconv_block", "grouped_conv", "local_response_norm", "fire_module"),
    "keras_cases.blocks.lenet": ("trainable_pooling", "connected_conv"),
    "keras_cases.blocks.inception": ("inception_module_naive", "inception_module"),
    "keras_cases.blocks.inception_v3": (
        "inception_a", "inception_b", "inception_c", "grid_reduction_a", "grid_reduction_b"),
    "keras_cases.blocks.heads": (
        "global_average_pooling_head", "auxiliary_classifier", "auxiliary_classifier_v3"),
    "keras_cases.blocks.depthwise": ("depthwise_separable_block", "inverted_residual_block"),
    "keras_cases.blocks.mbconv": ("mbconv_block", "squeeze_excitation"),
    "keras_cases.blocks.dense": ("dense_block", "transition_block"),
    "keras_cases.blocks.unet": ("encoder_block", "decoder_block"),
    "keras_cases.loss_weights": ("weighted_losses", "strip_heads"),
}
_WHERE = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_WHERE)


def __getattr__(name):
    if name in _WHERE:
        return getattr(importlib.import_module(_WHERE[name]), name)
    raise AttributeError(f"module 'keras_cases' has no attribute {name!r}; it offers {__all__}")


def __dir__():
    return [*globals(), *__all__]
