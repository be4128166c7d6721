"""What the tables of test_blocks are made of."""

from typing import Callable, NamedTuple


class Row(NamedTuple):
    """A block called one way: `call(function, x, **name)` on `input_shape` gives these facts.

    The function is handed in, so that a pasted copy or a mutant can be called the same way.
    `kinds`, where given, is the graph written by hand: the kinds of the layers in `model.operations`,
    in test_blocks' short words ("conv bn act conv bn add act"). `holds(model)` is a further fact
    that must be true, where neither shape nor count nor kinds can see it: the order of a
    concatenation, the sides of a crop.
    """

    block: Callable
    input_shape: tuple
    call: Callable
    output_shape: tuple
    parameters: int
    kinds: str = ""
    holds: Callable = lambda model: True


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
