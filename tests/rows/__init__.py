"""What the tables of test_blocks are made of."""

from typing import Callable, NamedTuple


class Row(NamedTuple):
    """A block called one way: `call(function, x, **name)` on `input_shape` gives these facts.

    The function is handed in, so that a pasted copy or a mutant can be called the same way.
    `graph` is written by hand: what comes out of X through which layers (see graphs.py). The same
    in words: what reads what, in which order, and how each layer is set.
    """

    block: Callable
    input_shape: tuple
    call: Callable
    output_shape: tuple
    parameters: int
    graph: int


def zeros(before, after):
    """The padding of channels with zeros, as a word."""
    return f"pad([[0,0],[0,0],[0,0],[{before},{after}]],constant)"


class Bad(NamedTuple):
    """A call that must raise a ValueError whose message holds `says`."""

    block: Callable
    input_shape: tuple
    call: Callable
    says: str


class Mutant(NamedTuple):
    """A real bug of a published copy: `old` replaced by `new` (once) in the block's source."""

    block: Callable
    bug: str
    old: str
    new: str
