"""Every block: shape, count, graph, copy-paste, training, saving, bad input, and mutants.

The rows live beside this file, in rows/, one module per family, each with ROWS, BAD, MUTANTS.
"""

import importlib
import inspect
from pathlib import Path

import keras
import numpy as np
import pytest
import rows
from graphs import drawn, lines, starts, zero_weights
from keras import layers, ops

FAMILIES = [importlib.import_module(f"rows.{path.stem}")
            for path in sorted(Path(rows.__file__).parent.glob("[a-z]*.py"))]
ROWS = [row for family in FAMILIES for row in family.ROWS]
BLOCKS = list(dict.fromkeys(row.block for row in ROWS))  # no set: its order differs between workers
BAD = [bad for family in FAMILIES for bad in family.BAD]
MUTANTS = [mutant for family in FAMILIES for mutant in family.MUTANTS]


def name_of(row):
    return f"{row.block.__name__}-{'x'.join(map(str, row.input_shape))}-{getattr(row, 'parameters', '')}"


def build(row, function=None):
    x = keras.Input(row.input_shape)
    return keras.Model(x, row.call(function or row.block, x, name="exit"))


def pasted(block, change=lambda source: source):
    """The function as a reader pastes it: its source alone, with keras, layers and ops at hand."""
    namespace = {"keras": keras, "layers": layers, "ops": ops}
    exec(change(inspect.getsource(block)), namespace)
    return namespace[block.__name__]


def random_weights(model, seed=0):
    """Weights and BN statistics drawn anew, so that no branch is silent."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed_generator" in variable.path:
            continue
        low = 0.5 if variable.path.endswith(("gamma", "moving_variance")) else -0.5
        variable.assign(rng.uniform(low, 1.5 if low > 0 else 0.5, variable.shape).astype("float32"))


def batch(row, n=2, seed=1):
    return np.random.default_rng(seed).normal(size=(n, *row.input_shape)).astype("float32")


def outputs(model, x):
    return ops.convert_to_numpy(model(x))  # a PyTorch tensor with a gradient is no NumPy array


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_shape_count_and_exit(row):
    model = build(row)
    assert model.output_shape == (None, *row.output_shape)
    assert model.count_params() == row.parameters
    assert model.get_layer("exit").output is model.output
    assert lines(drawn(model)) == lines(row.graph)


# how kernels start where it is not Keras's way: he et al. 2015; EfficientNet's code, by fan_out
HE, FAN_OUT = "HeNormal", "VarianceScaling 2 fan_out truncated_normal"
STARTS = {"mlpconv_block": HE, "bottleneck_block_v1": HE, "bottleneck_block_v2": HE,
          "dense_block": HE, "transition_block": HE, "encoder_block": HE, "decoder_block": HE,
          "mbconv_block": FAN_OUT}


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_its_kernels_start_as_the_table_says(row):
    with zero_weights():
        assert set(starts(build(row))) <= {STARTS.get(row.block.__name__, "GlorotUniform")}


@pytest.mark.parametrize("row", [row for row in ROWS if "activation" in
                                 inspect.signature(row.block).parameters], ids=name_of)
def test_another_activation_takes_the_place_of_the_usual_one_everywhere(row):
    usual = inspect.signature(row.block).parameters["activation"].default
    x = keras.Input(row.input_shape)
    with zero_weights():
        model = keras.Model(x, row.call(row.block, x, activation="elu"))
    wanted = [line.replace(f" {usual} ", " elu ").replace(f"+{usual} ", "+elu ")
              for line in lines(row.graph)]
    assert lines(drawn(model)) == wanted


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.__name__)
def test_a_pasted_copy_is_the_same_block_and_learns(block):
    row, *others = [row for row in ROWS if row.block is block]
    for other in others:  # every branch of its source, with nothing else at hand
        with zero_weights():
            assert drawn(build(other, pasted(block))) == other.graph
    ours, copy = build(row), build(row, pasted(block))
    assert drawn(copy) == drawn(ours)
    random_weights(ours)
    copy.set_weights(ours.get_weights())
    x = batch(row)
    np.testing.assert_allclose(outputs(copy, x), outputs(ours, x), rtol=1e-5, atol=1e-5)

    y = np.random.default_rng(2).normal(size=(2, *row.output_shape)).astype("float32")
    copy.compile(keras.optimizers.SGD(1e-4), "mse", jit_compile=False)
    losses = [copy.train_on_batch(x, y) for _ in range(3)]
    assert losses[-1] < losses[0] or not row.parameters  # nothing to learn with


@pytest.mark.parametrize("row", ROWS, ids=name_of)
def test_saved_and_loaded_it_computes_the_same(row, tmp_path):
    model = build(row)
    random_weights(model)
    model.save(tmp_path / "block.keras")
    loaded = keras.models.load_model(tmp_path / "block.keras")
    x = batch(row)
    np.testing.assert_allclose(outputs(loaded, x), outputs(model, x), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.__name__)
def test_two_unnamed_copies_fit_in_one_model(block):
    row = next(r for r in ROWS if r.block is block)
    x = keras.Input(row.input_shape)
    keras.Model(x, [row.call(block, x), row.call(block, x)])


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.block.__name__}-{bad.says}")
def test_bad_input_raises_an_error_that_says_what(bad):
    with pytest.raises(ValueError, match=".*") as error:
        bad.call(bad.block, keras.Input(bad.input_shape))
    assert bad.says in str(error.value)


def differs(row, model):
    """The first figure of a row that the model does not have, or None."""
    if model.output_shape != (None, *row.output_shape):
        return "output shape"
    if model.count_params() != row.parameters:
        return "parameters by hand"
    if drawn(model) != row.graph:
        return "graph by hand"


def killed_by(mutant):
    """The first fact of a row, or the bad call, that shows the bug; None if it lives."""
    function = pasted(mutant.block, lambda source: source.replace(mutant.old, mutant.new, 1))
    for row in (row for row in ROWS if row.block is mutant.block):
        try:
            model = build(row, function)
        except ValueError:
            return "it no longer builds"
        if told := differs(row, model):
            return told
    for bad in (bad for bad in BAD if bad.block is mutant.block):
        try:
            bad.call(function, keras.Input(bad.input_shape))
        except ValueError:
            continue
        return "a bad call passes"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.block.__name__}: {m.bug}")
def test_a_published_bug_would_be_caught(mutant):
    assert mutant.old in inspect.getsource(mutant.block), "the mutant no longer fits the source"
    assert killed_by(mutant)


def test_each_public_block_has_a_row():
    import keras_cases.blocks as blocks
    public = {f for f in vars(blocks).values() if inspect.isfunction(f)}
    assert public <= {row.block for row in ROWS}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.__name__)
def test_the_docstring_holds_what_a_reader_needs(block):
    for part in ("Shapes:", "Parameters", "Paper:", "Differs from the paper:", "Raises:"):
        assert part in block.__doc__, f"{block.__name__}: no {part!r} in its docstring"
