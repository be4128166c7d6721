"""Which fact kills which bug: published bugs by hand, and generated ones by the hundred.

    python benchmarks/mutants.py            # some minutes; writes mutants.md
    python benchmarks/mutants.py residual   # one file of blocks or nets, printed only

A generated bug is one change of the source of a block or of a net (generate_mutants.py). It is
killed by the first fact that the tests hold of that block or net; run on the NumPy backend.
"""

import ast
import collections
import functools
import importlib
import inspect
import os
import pkgutil
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "numpy"
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import keras  # noqa: E402
import pytest  # noqa: E402
import test_blocks  # noqa: E402
import test_cases  # noqa: E402
import test_settings  # noqa: E402
import test_wiring  # noqa: E402
from generate_mutants import changes  # noqa: E402
from graphs import drawn, starts, zero_weights  # noqa: E402

from keras_cases import blocks, nets  # noqa: E402
from keras_cases.analysis import cost  # noqa: E402

# (function, what is changed, in which code): why it is the same net
STILL_X = "`identity` is still x there"
EQUIVALENT = {
    ("bottleneck_block_v1", "rewired to identity",
     "layers.Conv2D(4 * filters, 1, strides=strides, **conv)(x)"): STILL_X,
    ("bottleneck_block_v2", "rewired to identity",
     "layers.MaxPooling2D(1, strides)(x)"): STILL_X,
    **{(f"res_block_v{n}", "rewired to identity",
        "layers.Conv2D(output_filter, 1, strides=strides, **conv)(x)"): STILL_X for n in (1, 2)},
    **{(f"res_block_v{n}", "rewired to x",
        "layers.MaxPooling2D(1, strides)(identity)"): STILL_X for n in (1, 2)},
}


def of_block(name, tree):
    """The fact that kills a changed block."""
    namespace = {"keras": keras, "layers": keras.layers, "ops": keras.ops}
    exec(compile(tree, "mutant", "exec"), namespace)
    block, original = namespace[name], getattr(blocks, name)
    for row in [row for row in test_blocks.ROWS if row.block is original]:
        with zero_weights():
            try:
                model = test_blocks.build(row, block)
            except Exception:  # whatever Keras says of a graph that does not fit
                return "does not build"
        if model.output_shape != (None, *row.output_shape):
            return "output shape"
        if model.count_params() != row.parameters:
            return "parameters by hand"
        if drawn(model) != row.graph:
            return "graph by hand"
        if getattr(find_exit(model), "output", None) is not model.output:
            return "name of its exit"
        if not set(starts(model)) <= {test_blocks.STARTS.get(name, "GlorotUniform")}:
            return "start of its kernels"
    if "zero_init_residual" in inspect.signature(original).parameters:
        try:
            test_settings.test_kernel_initializer_is_that_of_every_kernel_but_one_that_starts_at_zero(
                block)
            test_settings.test_zero_init_residual_starts_a_block_as_its_shortcut(block, {})
        except AssertionError:
            return "start of its kernels"


def find_exit(model):
    return next((layer for layer in model.layers if layer.name == "exit"), None)


def vars_of_nets():
    return [importlib.import_module(f"keras_cases.nets.{m.name}")
            for m in pkgutil.iter_modules(nets.__path__)]


@functools.cache
def usual_starts(builder, options):
    """How the kernels of the unchanged net start: what test_settings measures as a variance."""
    with zero_weights():
        return starts(builder(**dict(options)))


def of_net(module, tree):
    """The fact that kills a changed file of nets."""
    namespace = {"__name__": module.__name__}
    exec(compile(tree, "mutant", "exec"), namespace)
    mine = {called: entry for called, entry in test_wiring.GRAPHS.items()
            if entry[0].__module__ == module.__name__}
    for called, (builder, options, by_hand) in mine.items():
        try:
            with zero_weights():
                model = namespace[builder.__name__](**options)
        except Exception:
            return "does not build"
        if drawn(model) != by_hand():
            return "graph by hand"
        family = called.split(",")[0].split(" ")[0]
        if model.name != test_wiring.NAMES.get(family, family):
            return "name of the net"
        if starts(model) != usual_starts(builder, tuple(options.items())):
            return "start of its kernels"
    for net, (options, macs, parameters) in test_cases.EQUAL.items():
        if getattr(nets, net).__module__ == module.__name__:
            found = cost(namespace[net](**options))
            if (found.macs, found.parameters) != (macs, parameters):
                return "count at equal cost"
    for builder, side in test_cases.SMALLEST:
        if builder.__module__ == module.__name__:
            try:
                with zero_weights():
                    test_cases.check_smallest(namespace[builder.__name__], side)
            except (Exception, pytest.fail.Exception):
                return "smallest image"


def generated(only=()):
    """(file, function, code, what, killed by) of every generated bug."""
    for name in sorted({row.block.__name__ for row in test_blocks.ROWS}):
        block = getattr(blocks, name)
        file = Path(inspect.getfile(block)).stem
        if not only or f"blocks/{file}" in only or file in only:
            for _, code, what, tree in changes(ast.parse(inspect.getsource(block))):
                yield f"blocks/{file}", name, code, what, of_block(name, tree)
    used = {name for name in vars(blocks) if name in {r.block.__name__ for r in test_blocks.ROWS}}
    for module in vars_of_nets():
        file = f"nets/{module.__name__.split('.')[-1]}"
        if file == "nets/inputs" or only and file not in only:
            continue
        tree = ast.parse(inspect.getsource(module))
        for function, code, what, changed in changes(tree, used):
            yield file, function, code, what, of_net(module, changed)
        keras.backend.clear_session()


HEAD = """# Bugs, and what kills them

Written by `python benchmarks/mutants.py`.

## Generated: every small change of the source

Each layer, merge and inner block of every block and net rewired to every other tensor of its
function; activations, normalizations, dropouts and pools dropped and doubled; pools, paddings and
the order of merges swapped; keywords left out; BN set as PyTorch does, dropout left on, rates
divided, kernels started as ones, sizes and strides exchanged; conditions turned about
(`generate_mutants.py`). Each is killed by the first fact that the tests hold of it.

"""
PUBLISHED = """
## By hand: bugs of published copies

Each row is a real or likely bug written into our block (`tests/rows/`), with the first fact
of `tests/test_blocks.py` that shows it.

| block | bug | killed by |
|:--|:--|:--|
"""


def main(only):
    found = collections.defaultdict(collections.Counter)
    alive, same = [], []
    for file, function, code, what, fact in generated(only):
        reason = EQUIVALENT.get((function, what, code)) if fact is None else None
        if reason:
            fact = "equivalent"
            same.append(f"- `{function}`, `{code}` {what}: {reason}.")
        found[file][fact or "alive"] += 1
        if fact is None:
            alive.append((function, what, code))
            print("ALIVE", alive[-1], flush=True)
    facts = ["does not build", "output shape", "parameters by hand", "graph by hand",
             "name of its exit", "name of the net",
             "start of its kernels", "count at equal cost", "smallest image",
             "equivalent", "alive"]
    table = [f"| file | bugs | {' | '.join(facts)} |", "|:--|" + (len(facts) + 1) * "--:|"]
    total = sum(found.values(), collections.Counter())
    for file, counts in [*found.items(), ("all", total)]:
        table.append(f"| {file} | {counts.total()} | {' | '.join(str(counts[f]) for f in facts)} |")
    print("\n".join(table))
    if not only:
        rows = [f"| `{m.block.__name__}` | {m.bug} | {test_blocks.killed_by(m)} |"
                for m in test_blocks.MUTANTS]
        text = HEAD + "\n".join(table) + "\n\n" + "\n".join(dict.fromkeys(same)) + PUBLISHED
        (ROOT / "benchmarks" / "mutants.md").write_text(text + "\n".join(rows) + "\n",
                                                        encoding="utf-8")
        print(f"{len(rows)} by hand; alive: {sum(row.endswith('| None |') for row in rows)}")


if __name__ == "__main__":
    main(sys.argv[1:])
