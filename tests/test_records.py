"""What others state: each figure has a source, and agrees with our nets or is known not to; and
what is stored over seeds is what was measured."""

import subprocess
import sys

import numpy as np
import pytest
from test_cases import STATED, number

from keras_cases import records
from keras_cases.records import SCALE, over_seeds, published

# (net, quantity, value as stated): why it is not what our net has
DISAGREE = {
    ("googlenet", "parameters", 5): "lecture 1; the paper's own table sums to 6.8 million",
    ("inception_v3", "MACs", 5): "the paper rounds; the released model has 5.7 billion",
    ("inception_v3", "MACs", 5000): "likewise",
    ("squeezenet", "MACs", 1700): "twice ours: multiplications and additions counted apart",
    ("lenet5", "parameters", 60000): "lectures 1 and 2; exact for the net of 1998 only",
    ("inception_v3", "layers", 42): "the longest way through the released model has 48",
}


def test_every_figure_has_a_net_a_value_a_unit_and_a_source():
    figures = published()
    assert len(figures) > 200 and len(set(figures)) == len(figures)
    for figure in figures:
        assert figure.net and figure.quantity and figure.value > 0 and figure.unit in SCALE
        assert figure.source.startswith(("arXiv:", "lecture ", "Keras", "LeCun", "Krizhevsky",
                                         "torchvision", "github.com/", "UvA")), figure
        assert figure.unit != "%" or figure.value < 100


@pytest.mark.parametrize("quantity, column, scale", [
    ("parameters", "parameters", 1), ("trainable", "trainable", 1), ("MACs", "GMACs", 1e9),
    ("layers", "layers", 1)])
def test_our_nets_have_what_is_stated_or_we_know_why_not(quantity, column, scale):
    strays, compared = set(), 0
    for figure in published(quantity=quantity):
        if figure.net not in STATED:
            continue
        ours = number(STATED[figure.net][1][column]) * scale
        allowed = 0.07 if figure.unit else 0  # what has a unit is rounded, what has none is exact
        compared += 1
        if abs(ours / figure.amount - 1) > allowed:
            strays.add((figure.net, quantity, figure.value))
    assert strays == {key for key in DISAGREE if key[1] == quantity}
    assert compared > 1


def test_a_net_or_quantity_of_which_nothing_is_known_is_refused_with_what_is():
    with pytest.raises(ValueError, match="resnet20"):
        published("resnet21")
    with pytest.raises(ValueError, match="parameters"):
        published(quantity="weights")
    assert published("resnet20", "top-1") == []


def test_an_amount_is_the_value_times_its_unit():
    figure = published("vgg16", "parameters")[0]
    assert (figure.value, figure.unit, figure.amount) == (138, "M", 138e6)
    assert str(figure) == "vgg16: parameters 138 M (arXiv:1409.1556 table 2)"


def test_published_figures_are_read_without_keras():
    code = "import sys; from keras_cases.records import published; published(); " \
           "print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


def test_over_seeds_one_is_measured_and_the_others_are_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(records, "stored_folder", lambda: tmp_path)
    asked = []

    def measure(seed):
        asked.append(seed)
        return np.array([seed, seed + 1]) / 3

    with pytest.raises(ValueError, match="nothing on 'x'; measure it with again=True"):
        over_seeds("lesson", "x", measure)
    over_seeds("lesson", "x", measure, again=True)
    over_seeds("lesson", "y", measure, again=True)  # keeps x
    for seed, order in ((0, [0, 1, 2]), (1, [1, 0, 2]), (5, [5, 0, 1]), (None, [0, 1, 2])):
        asked.clear()
        found = over_seeds("lesson", "x", measure, seed)
        assert asked == ([] if seed is None else [seed])
        np.testing.assert_allclose(found * 3, [[s, s + 1] for s in order], rtol=1e-4)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("changed", [lambda seed: np.array([1.0, 2.2]), lambda seed: np.ones(3)])
def test_over_seeds_what_was_changed_is_not_mixed_with_what_is_stored(
        tmp_path, monkeypatch, capsys, changed):
    monkeypatch.setattr(records, "stored_folder", lambda: tmp_path)
    over_seeds("lesson", "x", lambda seed: np.array([1.0, 2.0 + seed]), again=True)
    found = over_seeds("lesson", "x", changed)
    np.testing.assert_array_equal(found, [changed(0)])
    assert "x: seed 0 is not what is stored, so it is shown alone" in capsys.readouterr().out
