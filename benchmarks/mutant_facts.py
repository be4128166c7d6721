"""What the tests hold of a block or a net, and the first of it that a changed source breaks.

The facts are the tests' own: rows and graphs by hand at first, as they are fast; then every test of
FILES that speaks of the changed builder, called with the changed one in its place. A test counts
only if the unchanged source passes it here, on the NumPy backend.
"""

import ast
import contextlib
import functools
import importlib
import inspect
import itertools
import math
import pkgutil
import time

import keras
import pytest
import test_blocks
import test_cases
import test_classic_nets
import test_exits
import test_inputs
import test_modern_nets
import test_settings
import test_wiring
from graphs import drawn, starts, zero_weights

from keras_cases import blocks, nets
from keras_cases.analysis import graph

FILES = [test_settings, test_cases, test_modern_nets, test_classic_nets]
NET_FILES = [importlib.import_module(f"keras_cases.nets.{m.name}")
             for m in pkgutil.iter_modules(nets.__path__)]
FAILS = (Exception, pytest.fail.Exception)
NUMBERS = ("answers_twice", "learns", "softmax_of_the_logits")  # they compute: slow on NumPy, left out
seconds = {}  # of a graph or a test, so that the fast ones come first
holds = {}  # whether the unchanged source passes CALLS[i] here


add_weight = keras.layers.Layer.add_weight


def add_weight_that_fits(self, shape=None, *args, **options):
    """A stride left out before a dense layer can ask for gigabytes; no net here has such a layer."""
    if shape is not None and math.prod(shape) > 2e8:
        raise MemoryError(f"a weight of shape {shape}")
    return add_weight(self, shape, *args, **options)


keras.layers.Layer.add_weight = add_weight_that_fits


class Stillborn(Exception):
    """The change reads a name that is not there yet: nobody could run it."""


def passes(call, *args, **options):
    try:
        call(*args, **options)
    except NameError as error:
        raise Stillborn from error
    except FAILS:
        return False
    return True


# Every test as a list of calls

def calls_of(test):
    """[keyword arguments] of a test's calls, by its parametrize marks; [] where it needs a fixture."""
    rows = [{}]
    for mark in [m for m in getattr(test, "pytestmark", []) if m.name == "parametrize"]:
        names = [name.strip() for name in mark.args[0].split(",")]
        values = [value if len(names) > 1 else (value,) for value in mark.args[1]]
        rows = [row | dict(zip(names, each)) for row, each in itertools.product(rows, values)]
    needed = [p.name for p in inspect.signature(test).parameters.values() if p.default is p.empty]
    zeros = {"zeros": None} if "zeros" in needed else {}
    return [row | zeros for row in rows if set(needed) == {*row, *zeros}]


def words_of(value):
    """The names that a value speaks of: a builder's own, those in a lambda's code, a word."""
    if isinstance(value, str):
        return {value}
    if not callable(value):
        return set()
    return {getattr(value, "__name__", ""), *words_in(getattr(value, "__code__", None))}


def words_in(code):
    """All names in a function's code, and in the functions inside it."""
    inner = [part for part in getattr(code, "co_consts", ()) if hasattr(part, "co_names")]
    return {*getattr(code, "co_names", ()), *[word for part in inner for word in words_in(part)]}


CALLS = [(test, call, {*words_in(test.__code__), *[w for v in call.values() for w in words_of(v)]})
         for file in FILES for name, test in vars(file).items()
         if name.startswith("test_") and test.__module__ == file.__name__
         and not any(word in name for word in NUMBERS) for call in calls_of(test)]


def run(i, changed):
    test, call, _ = CALLS[i]
    call = {key: changed.get(getattr(value, "__name__", ""), value)
            if callable(value) and "<" not in value.__name__ else value
            for key, value in call.items()}
    zeros = "zeros" in call or test.__module__ == "test_cases" or "refuses" in test.__name__
    with zero_weights() if zeros else contextlib.nullcontext():
        test(**call)


@contextlib.contextmanager
def asking(only):
    """on_numpy answers anew inside, and about the nets of these names alone."""
    @functools.cache
    def answer(name):
        file, function = name.split(".")
        return getattr(importlib.import_module(file), function)()

    with pytest.MonkeyPatch.context() as patch:
        for file, table in [(test_settings, "SMALL"), (test_settings, "STARTS")]:
            patch.setattr(file, table, {k: v for k, v in getattr(file, table).items() if k in only})
        patch.setattr(test_cases, "STATED", {
            net: (nets, row) for net, (_, row) in test_cases.STATED.items() if net in only})
        for file in (test_settings, test_cases):
            patch.setattr(file, "on_numpy", answer)
        patch.setattr(keras.backend, "clear_session", lambda: None)  # slow, and done elsewhere
        yield


def broken_test(names, changed, patches, which=lambda name: True):
    """The first test about these builders that the changed ones fail, in words, or None.

    patches: [(where, name, what to put there)], the change. which: of the tests' names.
    """
    about = [i for i, (test, _, words) in enumerate(CALLS)
             if words & names and holds.get(i, True) and which(test.__name__)]
    for i in sorted(about, key=lambda i: seconds.get(i, 0)):
        start = time.perf_counter()
        with asking(names), pytest.MonkeyPatch.context() as patch:
            for place in patches:
                patch.setattr(*place)
            good = passes(run, i, changed)
        seconds.setdefault(i, time.perf_counter() - start)
        if not good:
            with asking(names):
                holds[i] = holds.get(i) or passes(run, i, {})
            if holds[i]:
                return CALLS[i][0].__name__.removeprefix("test_").replace("_", " ")


# Blocks

def of_block(name, tree):
    """The fact that kills a changed block. Raises: Stillborn."""
    namespace = {"keras": keras, "layers": keras.layers, "ops": keras.ops}
    exec(compile(tree, "mutant", "exec"), namespace)
    block, original = namespace[name], getattr(blocks, name)
    model = None

    def build(row):
        nonlocal model
        with zero_weights():
            model = test_blocks.build(row, block)

    for row in [row for row in test_blocks.ROWS if row.block is original]:
        if not passes(build, row):  # whatever Keras says of a graph that does not fit
            return "does not build"
        if told := test_blocks.differs(row, model):
            return told
        if getattr(_exit(model), "output", None) is not model.output:
            return "name of its exit"
        if not set(starts(model)) <= {test_blocks.STARTS.get(name, "GlorotUniform")}:
            return "start of its kernels"
    for bad in [bad for bad in test_blocks.BAD if bad.block is original]:
        if not passes(test_blocks.test_bad_input_raises_an_error_that_says_what,
                      bad._replace(block=block)):
            return "a bad call"
    return broken_test({name}, {name: block}, [(blocks, name, block)])


def _exit(model):
    return next((layer for layer in model.layers if layer.name == "exit"), None)


# Nets

@functools.cache
def reached(module):
    """{function of the module: the functions and tables that it uses, itself included}."""
    body = ast.parse(inspect.getsource(module)).body
    uses = {getattr(part, "name", None) or ast.unparse(getattr(part, "targets", [part])[0]):
            {n.id for n in ast.walk(part) if isinstance(n, ast.Name)} for part in body}
    for _ in uses:
        uses = {name: used.union(*[uses.get(other, ()) for other in used])
                for name, used in uses.items()}
    return {name: used | {name} for name, used in uses.items()}


@functools.cache
def by_hand(called):
    return test_wiring.GRAPHS[called][2]()


def of_inputs(module, function, changed):
    """The first test of test_inputs that the changed function fails, in words, or None."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, function, changed)
        for name, test in vars(test_inputs).items():
            if name.startswith("test_") and not all(passes(test, **row) for row in calls_of(test)):
                return name.removeprefix("test_").replace("_", " ")


def of_net(module, change):
    """The fact that kills a changed file of nets. Raises: Stillborn."""
    namespace = {"__name__": module.__name__}
    exec(compile(change.tree, "mutant", "exec"), namespace)
    if module is test_inputs.inputs:
        return of_inputs(module, change.function, namespace[change.function])
    names = {name for name in vars(nets) if getattr(
        vars(nets)[name], "__module__", "") == module.__name__ and (
            change.function in reached(module)[name])}
    changed = {name: namespace[name] for name in names}
    patches = [(nets, name, function) for name, function in changed.items()]
    if change.kind == "table":
        patches += [(module, change.function, namespace[change.function])]
    refused = broken_test(names, changed, patches, lambda name: "refuse" in name)  # fast
    if refused:
        return refused
    for called in sorted(test_wiring.GRAPHS, key=lambda called: seconds.get(called, 0)):
        builder, options, hand = test_wiring.GRAPHS[called]
        if builder.__name__ in changed and builder.__module__ == module.__name__:
            start = time.perf_counter()
            with pytest.MonkeyPatch.context() as patch:
                for place in patches:
                    patch.setattr(*place)
                wanted = hand() if change.kind == "table" else by_hand(called)
                fact = of_graph(called, changed[builder.__name__], options, wanted)
            seconds.setdefault(called, time.perf_counter() - start)
            if fact:
                return fact
    return broken_test(names, changed, patches)


def of_graph(called, builder, options, hand):
    model = None

    def build():
        nonlocal model
        with zero_weights():
            model = builder(**options)

    if not passes(build):
        return "does not build"
    if drawn(model) != hand:
        return "graph by hand"
    family = test_wiring.family_of(called)
    if model.name != test_wiring.NAMES.get(family, family):
        return "name of the net"
    if sorted(graph.exits(model)) != test_exits.promised(called):
        return "names of its exits"
    family = family.replace("resnet20_v2", "resnet20")
    if sorted(set(starts(model))) != test_wiring.START.get(family, [test_wiring.GLOROT]):
        return "start of its kernels"
