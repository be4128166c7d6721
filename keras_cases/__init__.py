"""keras_cases: the classic CNN architectures in Keras 3, to learn, prove and reuse.

Importing this package loads neither Keras nor Matplotlib; both wait until a name is used.
"""

import importlib

__version__ = "0.1.0"

_HOME = {
    "keras_cases.blocks.residual": (
        "res_block_v1", "res_block_v2", "bottleneck_block_v1", "bottleneck_block_v2"),
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
