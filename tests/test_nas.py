"""The space of cells, and the searches in it."""

import dataclasses
import functools
import itertools
import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from keras_cases.nas import search_space as space
from keras_cases.nas import table as nas_table
from keras_cases.nas.evaluation import RECIPE, Evaluations, train_cell
from keras_cases.nas.evolution import best, evolve, random_search
from keras_cases.nas.reinforce import LETTERS, entropy_gradient, gradient, reinforce, softmax


# The space

def test_codes_are_all_different_and_come_back():
    codes = space.codes()
    assert len(codes) == len(set(codes)) == 729
    for code in codes:
        assert space.encode(space.decode(code)) == code


def test_a_code_names_its_edges_in_order():
    assert space.decode("csnnsc") == {
        (0, 1): "conv 3×3", (0, 2): "skip", (1, 2): "none", (0, 3): "none", (1, 3): "skip",
        (2, 3): "conv 3×3"}
    assert space.encode({(1, 3): "skip", (0, 1): "conv 3×3"}) == "cnnnsn"


@pytest.mark.parametrize("code", ["", "csncn", "csncncc", "csxcnc", "CSNCNC"])
def test_what_is_no_code_is_refused(code):
    with pytest.raises(ValueError, match="is no code: write 6 letters"):
        space.decode(code)


SLOPES = np.array(list(itertools.permutations([0.7, 1.1, 1.6, 2.3, 2.9, 3.7]))).T  # (edges, orders)


def value(code):
    """Node 3 where each convolution is a sine of its own, over all orders of the six sines."""
    node = {0: 1.0, 1: 0.0, 2: 0.0, 3: 0.0}
    for slope, ((i, j), operation) in zip(SLOPES, space.decode(code).items()):
        node[j] = node[j] + {"none": 0, "skip": node[i], "conv 3×3": np.sin(slope * node[i])}[operation]
    return round(float(np.exp(node[3] * np.ones(720)).mean()), 9)


def test_codes_are_folded_as_the_numbers_say():
    found = space.different()
    assert sum(map(len, found.values())) == 729 - 67 and len(found) == 98
    values = [{value(code) for code in same} for same in found.values()]
    assert {len(same) for same in values} == {1} and len(set.union(*values)) == 98


@pytest.mark.parametrize("a, b, same", [
    ("cnnnsn", "nnncnn", True),    # one convolution, by way of node 1 or straight
    ("ncnnns", "nnncnn", True),
    ("cnnnsn", "cncnsn", True),    # a convolution that nobody reads
    ("snnccn", "ncnnns", False),   # two convolutions side by side, or one
    ("ccnnss", "cnncsn", True),
    ("cnsnss", "cnncsn", False),   # one convolution added to itself, or two different ones
    ("cncnns", "ccnnss", False),   # one behind the other, or side by side
    ("nnnsnn", "snnnsn", True), ("nnnsnn", "snsnss", False),   # x, and 2x
])
def test_which_codes_are_the_same_net(a, b, same):
    assert (space.canonical(a) == space.canonical(b)) == same


def test_a_canonical_code_is_one_of_its_net_and_the_plainest():
    for plainest, same in space.different().items():
        assert plainest == space.canonical(plainest) and plainest in same
        assert plainest.count("n") == max(code.count("n") for code in same)
    assert space.canonical("ccnsnn") == "nnnsnn"  # two convolutions that nobody reads
    assert space.canonical("nnnnnn") is space.canonical("ccnnnn") is None


# Moves

def letters_apart(a, b):
    return sum(x != y for x, y in zip(a, b))


def test_draws_are_even():
    rng = np.random.default_rng(0)
    drawn = [space.draw(rng) for _ in range(3000)]
    for letters in zip(*drawn):
        assert all(abs(letters.count(letter) - 1000) < 120 for letter in "nsc")


def test_a_mutation_changes_one_letter_and_reaches_all_twelve_neighbours():
    rng = np.random.default_rng(0)
    children = {space.mutate("csncnc", rng) for _ in range(300)}
    assert len(children) == 12 and {letters_apart(c, "csncnc") for c in children} == {1}
    assert {type(child) for child in children} == {str}


@pytest.mark.parametrize("points", [1, 2, 5])
def test_a_child_changes_sides_as_often_as_asked(points):
    rng = np.random.default_rng(0)
    children = {space.cross("nnnnnn", "cccccc", rng, points) for _ in range(300)}
    assert {sum(a != b for a, b in itertools.pairwise(child)) for child in children} == {points}
    assert {child[0] for child in children} == {"n"}
    assert len(children) == {1: 5, 2: 10, 5: 1}[points]


@pytest.mark.parametrize("points", [0, 6])
def test_other_numbers_of_points_are_refused(points):
    with pytest.raises(ValueError, match="1 to 5 places"):
        space.cross("nnnnnn", "cccccc", np.random.default_rng(0), points)


# The net

def test_the_net_of_a_code_computes_its_cell():
    """Every kernel is a number times the identity, so that a convolution can be done by hand."""
    keras.backend.clear_session()  # names count from 0: the order in which the edges were built
    x = keras.Input((4, 4, 2))
    model = keras.Model(x, space.cell(x, "csccsc", name="out"))
    convs = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    kernel = np.zeros((3, 3, 2, 2), "float32")
    kernel[1, 1] = np.eye(2)
    for factor, conv in zip((2, 3, 5, 7), sorted(convs, key=lambda conv: (len(conv.name), conv.name))):
        conv.set_weights([kernel * factor])

    def conv(factor, value):
        return np.maximum(value, 0) * factor / np.sqrt(1 + 1e-3)  # fresh batch normalization

    image = np.random.default_rng(0).normal(size=(1, 4, 4, 2)).astype("float32")
    one = conv(2, image)
    two = image + conv(3, one)
    wanted = conv(5, image) + one + conv(7, two)
    np.testing.assert_allclose(ops.convert_to_numpy(model(image)), wanted, rtol=1e-5)


def test_the_same_net_has_the_same_weights_whatever_its_code():
    for first, same in list(space.different().items())[::12]:
        counts = {space.network(code, width=2).count_params() for code in {first, same[-1]}}
        assert len(counts) == 1


def test_the_net_halves_its_maps_and_doubles_its_channels():
    net = space.network("cnscsc", width=4)
    shapes = [net.get_layer(f"cell{i}").output.shape[1:] for i in (1, 2, 3)]
    assert shapes == [(16, 16, 4), (8, 8, 8), (4, 4, 16)]
    assert net.output_shape == (None, 10)
    kernels = 9 * (3 * 4 + 4 * 8 + 8 * 16) + 3 * 9 * (4**2 + 8**2 + 16**2)
    norms = 4 * (4 + 8 + 16) + 3 * 4 * (4 + 8 + 16)
    assert net.count_params() == kernels + norms + 16 * 10 + 10


def test_a_cell_through_which_nothing_passes_is_refused():
    with pytest.raises(ValueError, match="ccnnnn: no path leads from node 0 to node 3"):
        space.network("ccnnnn")


def test_a_skip_alone_hands_the_input_on():
    x = keras.Input((4, 4, 2))
    model = keras.Model(x, space.cell(x, "nnnsnn", name="out"))
    image = np.random.default_rng(0).normal(size=(2, 4, 4, 2)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(model(image)), image)
    assert model.layers[-1].name == "out"


# Evaluations

def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_an_evaluation_is_made_once_for_all_codes_of_a_net(tmp_path):
    asked = []
    scores = Evaluations(tmp_path / "log.jsonl",
                         lambda code, seed: asked.append(code) or {"accuracy": 0.5})
    assert scores(["cnnnsn", "nnncnn", "ncnnns", "nnnnnn"]) == [0.5, 0.5, 0.5, 0.0]
    assert scores(["ncnnns"]) == [0.5] and len(asked) == 1
    assert Evaluations(tmp_path / "log.jsonl", None)(["nnncnn"]) == [0.5]  # from the file alone
    scores.seed = 1
    assert scores(["nnncnn"]) == [0.5] and len(asked) == 2  # another seed is another evaluation


def test_a_candidate_that_fails_is_worth_nothing_and_stops_nobody(tmp_path):
    file = tmp_path / "log.jsonl"
    values = {"nnnsnn": 0.3, "cccccc": float("nan"), "nnncnn": 0.5}

    def worth(code, seed):
        return {"accuracy": values[code]}  # of others nothing is known: a KeyError

    assert Evaluations(file, worth)(["nnnsnn", "cccccc", "csccsc", "nnncnn"]) == [0.3, 0, 0, 0.5]
    told = {record["code"]: record.get("error", "") for record in lines(file)}
    assert told["cccccc"] == "FloatingPointError: its accuracy is nan"
    assert told[space.canonical("csccsc")].startswith("KeyError") and not told["nnncnn"]


def dies(code, seed):
    """Runs in another process: one code kills it."""
    if code == "cccccc":
        os._exit(9)  # as where memory ends
    return {"accuracy": code.count("c") / 10}


def test_a_worker_that_dies_costs_its_own_candidate_only(tmp_path):
    codes = [space.canonical(code) for code in ("nnncnn", "cccccc", "nnnsnn", "cnnncc")]
    scores = Evaluations(tmp_path / "log.jsonl", dies, workers=2)
    assert scores(codes) == [0.0 if code == "cccccc" else code.count("c") / 10 for code in codes]
    assert {record["code"]: record.get("error") for record in lines(scores.file)}["cccccc"] == (
        "its process died")


def test_a_line_that_was_cut_off_is_made_again_and_the_file_stays_readable(tmp_path):
    file = tmp_path / "log.jsonl"
    scores = Evaluations(file, lambda code, seed: {"accuracy": code.count("c") / 10})
    scores(["nnncnn", "cccccc"])
    whole = file.read_text()
    file.write_text(whole[:-9])
    assert len(scores.records()) == 1
    assert scores(["cccccc", "nnncnn"]) == [0.6, 0.1] and len(scores.records()) == 2
    scores(["cncncc"])
    assert len(scores.records()) == 3


SEARCH = """
import sys, time
import numpy as np
from keras_cases.nas.evaluation import Evaluations
from keras_cases.nas.evolution import evolve
def worth(code, seed):
    time.sleep(0.05)
    print(code, flush=True)
    return {"accuracy": code.count("c") / 10}
history = evolve(Evaluations(sys.argv[1], worth), 40, np.random.default_rng(3))
print("history", [(one.code, one.score) for one in history])
"""


def test_a_search_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(tmp_path):
    def run(file, kill_after=None):
        process = subprocess.Popen([sys.executable, "-c", SEARCH, str(file)], text=True,
                                   env=os.environ | {"KERAS_BACKEND": "numpy"},
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        said = []
        for line in process.stdout:
            said.append(line.strip())
            if len(said) == kill_after:
                process.kill()
        process.wait()
        return said

    first = run(tmp_path / "killed.jsonl", kill_after=12)
    second = run(tmp_path / "killed.jsonl")
    wanted = evolve(lambda codes: [(space.canonical(code) or "").count("c") / 10 for code in codes],
                    40, np.random.default_rng(3))
    assert second[-1] == f"history {[(one.code, one.score) for one in wanted]}"
    assert len(first) >= 12 and len(set(first) & set(second)) <= 1  # at most the one it was at


def test_train_cell_learns_and_says_what_it_cost():
    recipe = dataclasses.replace(RECIPE, epochs=1, images=640)
    found = train_cell("nnncnn", recipe=recipe, width=4)
    assert 0 < found["accuracy"] < 1 and 0 < found["test"] != found["accuracy"] and found["seconds"] > 0
    assert found["parameters"] == space.network("nnncnn", width=4).count_params()
    assert found == train_cell("nnncnn", recipe=recipe, width=4) | {"seconds": found["seconds"]}


# The searches

COUNTED = {code: code.count("c") / 10 + (code[0] == "s") * 0.05 for code in space.codes()}


def table(codes):
    return [COUNTED[code] for code in codes]


@pytest.mark.parametrize("search", [
    random_search, evolve, functools.partial(evolve, ageing=True, points=3),
    lambda *args: reinforce(*args)[0]])
def test_a_search_asks_for_as_many_as_it_may_and_is_the_same_again(search):
    for evaluations in (3, 23):
        asked = []
        history = search(lambda codes: asked.extend(codes) or table(codes), evaluations,
                         np.random.default_rng(1))
        assert [one.code for one in history] == asked and len(asked) == evaluations
        assert [one.number for one in history] == list(range(evaluations))
        assert [one.score for one in history] == table(asked)
        assert history == search(table, evaluations, np.random.default_rng(1))


def mean_best(search, seeds=30, evaluations=60):
    return np.mean([best(search(table, evaluations, np.random.default_rng(seed))).score
                    for seed in range(seeds)])


def test_searches_beat_random_draws_where_every_letter_counts():
    by_chance = mean_best(random_search)
    assert mean_best(evolve) > by_chance + 0.03
    assert mean_best(functools.partial(evolve, ageing=True)) > by_chance + 0.03
    assert mean_best(lambda *args: reinforce(*args)[0]) > by_chance + 0.01


def test_children_have_the_letters_of_their_parents_but_one():
    history = evolve(table, 80, np.random.default_rng(0), points=2)
    assert {one.by for one in history} == {"random", "mutation", "crossover"}
    for one in history:
        parents = [history[number].code for number in one.parents]
        assert len(parents) == {"random": 0, "mutation": 1, "crossover": 2}[one.by]
        foreign = sum(letter not in {p[i] for p in parents} for i, letter in enumerate(one.code))
        assert not parents or foreign <= 1
        assert all(history[number].generation < one.generation for number in one.parents)


def test_the_worst_die_or_the_oldest():
    def parents_of(ageing):
        history = evolve(table, 200, np.random.default_rng(0), population=6, tournament=2,
                         ageing=ageing)
        return [one.number - max(one.parents) for one in history if one.parents]

    assert max(parents_of(True)) <= 6 + 5 < max(parents_of(False))


def test_a_tournament_that_cannot_be_held_is_refused():
    for options in (dict(population=3, tournament=4), dict(tournament=0), dict(population=1, tournament=1)):
        with pytest.raises(ValueError, match="at least 2 live"):
            evolve(table, 5, np.random.default_rng(0), **options)


def test_the_gradient_of_reinforce_is_that_of_the_log_probability():
    rng = np.random.default_rng(0)
    logits, actions, advantages = rng.normal(size=(6, 3)), rng.integers(0, 3, (4, 6)), rng.normal(size=4)

    def objective(logits):
        logs = np.log(softmax(logits))
        return np.mean([a * logs[range(6), row].sum() for a, row in zip(advantages, actions)])

    def entropy(logits):
        p = softmax(logits)
        return -(p * np.log(p)).sum()

    for function, found in ((objective, gradient(softmax(logits), actions, advantages)),
                            (entropy, entropy_gradient(softmax(logits)))):
        for place in np.ndindex(6, 3):
            step = np.zeros((6, 3))
            step[place] = 1e-5
            slope = (function(logits + step) - function(logits - step)) / 2e-5
            assert found[place] == pytest.approx(slope, abs=1e-7)


def test_the_controller_starts_even_and_comes_to_favour_what_pays():
    history, p = reinforce(table, 400, np.random.default_rng(0), entropy=0.0)
    assert p.shape == (81, 6, 3) and np.allclose(p[0], 1 / 3) and np.allclose(p.sum(-1), 1)
    assert (p[-1, :, LETTERS.index("c")] > 0.5).sum() >= 4
    wide = reinforce(table, 400, np.random.default_rng(0), entropy=1.0)[1]
    assert -(wide[-1] * np.log(wide[-1])).sum() > -(p[-1] * np.log(p[-1] + 1e-12)).sum()
    assert [one.by for one in history[:2]] == ["controller"] * 2


# The table

@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(nas_table, "stored_folder", lambda: tmp_path)
    return tmp_path


def test_the_table_is_filled_seed_by_seed_and_read_again(folder):
    asked = []

    def evaluate(code, seed):
        asked.append((code, seed))
        return {"accuracy": code.count("c") / 10 + seed / 100, "test": 0.5}

    nas_table.fill(-1, evaluate)
    assert asked == []  # no time left: nothing is begun
    nas_table.fill(5, evaluate)
    assert sorted(asked) == [(code, seed) for code in sorted(space.different()) for seed in range(3)]
    assert [seed for _, seed in asked] == [0] * 98 + [1] * 98 + [2] * 98
    nas_table.fill(5, evaluate)
    assert len(asked) == 3 * 98  # nothing twice
    numbers = nas_table.stored()
    assert numbers[space.canonical("cccccc")] == pytest.approx([0.6, 0.61, 0.62])
    assert nas_table.stored("test")[space.canonical("nnnsnn")] == [0.5] * 3


def test_the_table_answers_as_a_training_would(folder):
    nas_table.fill(5, lambda code, seed: {"accuracy": code.count("c") / 10 + seed / 100})
    mean = nas_table.stored_scores()
    assert mean(["nnncnn", "cnnnsn", "nnnnnn"]) == pytest.approx([0.11, 0.11, 0.0])
    drawn = {round(nas_table.stored_scores(np.random.default_rng(i))(["nnncnn"])[0], 2) for i in range(30)}
    assert drawn == {0.1, 0.11, 0.12}
    once = nas_table.stored_scores(np.random.default_rng(0))
    assert len({tuple(once(["nnncnn", "cnnnsn"])) for _ in range(9)}) == 1  # the same when asked again


def test_a_candidate_that_failed_has_no_number(folder):
    def evaluate(code, seed):
        if code == "nnncnn":
            raise FloatingPointError("the loss is NaN")
        return {"accuracy": 0.3}

    nas_table.fill(5, evaluate)
    assert "nnncnn" not in nas_table.stored() and len(nas_table.stored()) == 97
