"""Facts about the figures: what is drawn, where, in which colour; pixels are not compared."""

import functools
import io
import itertools

import keras
import matplotlib
import numpy as np
import pytest
from keras import layers, ops
from matplotlib.colors import to_hex

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from keras_cases import plots  # noqa: E402
from keras_cases.analysis import graph  # noqa: E402
from keras_cases.blocks.classic import local_response_norm  # noqa: E402
from keras_cases.blocks.residual import res_block_v1, res_block_v2  # noqa: E402
from keras_cases.analysis.diagram import boxes, diagram, draw, layout, modules  # noqa: E402

Conv = functools.partial(layers.Conv2D, padding="same", kernel_initializer="zeros")
Dense = functools.partial(layers.Dense, kernel_initializer="zeros")
ZEROS = dict(kernel_initializer="zeros")


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


# ---- nets to draw ----

def block(build, narrow=16, wide=16, **options):
    x = keras.Input((32, 32, narrow))
    return keras.Model(x, build(x, narrow, wide, **ZEROS, **options), name="block")


def inception(x, name=None):
    branches = [Conv(4, 1, activation="relu")(x),
                Conv(6, 3, activation="relu")(Conv(2, 1, activation="relu")(x)),
                Conv(3, 5, activation="relu")(Conv(2, 1, activation="relu")(x)),
                Conv(2, 1, activation="relu")(layers.MaxPooling2D(3, 1, "same")(x))]
    return layers.Concatenate(name=name)(branches)


def inception_net():
    x = keras.Input((16, 16, 8))
    return keras.Model(x, inception(x), name="inception")


def two_heads():
    inputs = keras.Input((16, 16, 3))
    x = layers.MaxPooling2D(name="stem")(Conv(4, 7, activation="relu")(inputs))
    for name in "abc":
        x = inception(x, f"module_{name}")
        if name == "a":
            y = Conv(4, 1, activation="relu")(layers.AveragePooling2D(5, 3)(x))
            y = Dense(16, activation="relu")(layers.Flatten()(y))
            aux = Dense(10, activation="softmax", name="aux")(y)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, [Dense(10, activation="softmax", name="main")(x), aux], name="heads")


def resnet20():
    inputs = keras.Input((32, 32, 3))
    x = layers.Activation("relu", name="stem")(layers.BatchNormalization()(Conv(4, 3)(inputs)))
    for stage, width in enumerate((4, 8, 16), 1):
        for k in (1, 2, 3):
            x = res_block_v1(x, x.shape[-1], width, 2 if k == 1 and stage > 1 else 1, **ZEROS,
                             name=f"stage{stage}_block{k}")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, Dense(10, activation="softmax")(x), name="resnet20")


def unet(named=True):
    def twice(x, filters, name):
        x = Conv(filters, 3, activation="relu")(x)
        return Conv(filters, 3, activation="relu", name=name if named else None)(x)

    inputs = x = keras.Input((32, 32, 1))
    skips = []
    for level in (1, 2):
        x = twice(x, 4 * level, f"encoder{level}")
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    x = twice(x, 16, "bottom")
    for level in (2, 1):
        x = layers.Conv2DTranspose(4 * level, 2, 2, **ZEROS)(x)
        x = twice(layers.Concatenate()([skips.pop(), x]), 4 * level, f"decoder{level}")
    return keras.Model(inputs, Conv(2, 1, activation="softmax")(x), name="unet")


def lenet():
    tanh = dict(activation="tanh", kernel_initializer="zeros")
    return keras.Sequential([
        keras.Input((28, 28, 1)), layers.Conv2D(6, 5, padding="same", **tanh),
        layers.AveragePooling2D(2), layers.Conv2D(16, 5, **tanh), layers.AveragePooling2D(2),
        layers.Flatten(), layers.Dense(120, **tanh), layers.Dense(84, **tanh),
        Dense(10, activation="softmax")], name="lenet5")


def vgg():
    inputs = x = keras.Input((32, 32, 3))
    for filters, count in ((2, 2), (4, 2), (8, 3), (16, 3), (16, 3)):
        for _ in range(count):
            x = Conv(filters, 3, activation="relu")(x)
        x = layers.MaxPooling2D()(x)
    return keras.Model(inputs, Dense(10)(layers.Flatten()(x)), name="vgg")


def siamese():
    encoder = keras.Sequential([keras.Input((8, 8, 1)), Conv(2, 3, activation="relu"),
                                layers.Flatten()], name="encoder")
    left, right = keras.Input((8, 8, 1), name="left"), keras.Input((8, 8, 1), name="right")
    distance = ops.absolute(layers.Subtract()([encoder(left), encoder(right)]))
    return keras.Model([left, right], Dense(1, activation="sigmoid")(distance), name="siamese")


def with_ops():
    inputs = keras.Input((8, 8, 3))
    x = ops.relu(layers.Conv2D(4, 3, **ZEROS)(ops.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]])))
    x = x / ops.sqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + 1.0)
    return keras.Model(inputs, Dense(3)(ops.mean(x, axis=(1, 2))), name="ops")


def all_to_all():
    features = [keras.Input((8, 8, 4))]
    for _ in range(4):
        x = layers.Concatenate()(features) if len(features) > 1 else features[0]
        features.append(Conv(4, 3, activation="relu")(x))
    return keras.Model(features[0], layers.Concatenate()(features), name="dense")


def any_size():
    inputs = keras.Input((None, None, 3))
    x = Conv(4, 3, activation="relu", groups=1)(inputs)
    x = layers.Add()([x, Conv(4, 1, dilation_rate=2)(x)])
    return keras.Model(inputs, layers.GlobalMaxPooling2D()(x), name="any")


def parallel():
    inputs = keras.Input((8, 8, 4))
    near = layers.Add()([Conv(4, 3)(inputs), inputs])
    far = Conv(4, 3)(Conv(4, 3)(Conv(4, 3)(inputs)))
    last = layers.Concatenate()([near, far])
    return keras.Model(inputs, layers.Add()([Conv(4, 1)(last), inputs]), name="parallel")


NETS = {"v1": lambda: block(res_block_v1), "v1 16→32": lambda: block(res_block_v1, 16, 32),
        "v2": lambda: block(res_block_v2),
        "option A": lambda: block(res_block_v1, 16, 32, strides=2, shortcut="pad"),
        "inception": inception_net, "heads": two_heads, "resnet20": resnet20, "unet": unet,
        "unnamed unet": lambda: unet(named=False), "lenet": lenet, "vgg": vgg, "siamese": siamese,
        "ops": with_ops, "dense": all_to_all, "any size": any_size,
        "parallel": parallel}
net = functools.cache(lambda name: NETS[name]())


# ---- what a figure holds ----

def drawn(figure, *kinds):
    """[(kind, name, patch)] of the boxes of these kinds, by the id that each patch carries."""
    found = [(*patch.get_gid().split(" ", 1), patch) for patch in figure.axes[0].patches
             if " " in (patch.get_gid() or "")]
    return [row for row in found if row[0] in kinds]


def texts(figure, gid):
    return [text.get_text() for text in figure.axes[0].texts if text.get_gid() == gid]


BOXES = ("input", "conv", "pool", "merge", "dense", "module", "other", "mark")


def rectangles(figure):
    return {(kind, name, i): patch.get_bbox() for i, (kind, name, patch) in
            enumerate(drawn(figure, *BOXES)) if not hasattr(patch, "radius")}


def overlap(a, b, slack=1e-6):
    return (min(a.x1, b.x1) - max(a.x0, b.x0) > slack and min(a.y1, b.y1) - max(a.y0, b.y0) > slack)


def test_the_lectures_block_has_three_red_convolutions_and_a_purple_add():
    figure = diagram(net("v1 16→32"))
    assert sorted(kind for kind, *_ in rectangles(figure)) == ["conv"] * 3 + ["input", "merge"]
    red, purple = draw.COLORS["conv"], draw.COLORS["merge"]
    assert {to_hex(p.get_facecolor()) for _, _, p in drawn(figure, "conv")} == {red}
    assert {to_hex(p.get_facecolor()) for _, _, p in drawn(figure, "merge")} == {purple}
    assert sorted(texts(figure, "label")) == ["add", "conv 1×1, 32", "conv 3×3, 32",
                                              "conv 3×3, 32", "input"]
    r, g, b = matplotlib.colors.to_rgb(red)
    assert r > 0.8 and r > 1.5 * max(g, b)


def test_activations_and_normalizations_are_marks_and_no_boxes():
    names = [name for _, name, _ in drawn(diagram(net("v1 16→32")), "mark")]
    assert sorted(name for name in names if "legend" not in name) == [
        "ReLU", "ReLU", "batch normalization", "batch normalization"]


def test_pre_activation_marks_sit_on_the_upper_edge_of_the_convolution_they_feed():
    figure = diagram(net("v2"))
    first = max((box for key, box in rectangles(figure).items() if key[0] == "conv"),
                key=lambda box: box.y1)
    heights = [patch.center[1] for _, name, patch in drawn(figure, "mark") if "legend" not in name]
    assert sorted(np.isclose(heights, first.y1)) == [False, False, True, True]
    assert sum(np.isclose(heights, first.y0)) == 2


def test_the_identity_shortcut_leads_around_the_branch():
    model = net("v1")
    shortcuts = drawn(diagram(model), "skip")
    assert [name.split(" -> ")[0][:5] for _, name, _ in shortcuts] == ["input"]
    read = boxes.read(model, {})
    places, wires, _ = layout.flow(read, functools.partial(draw._extent, down=True), True, 10)
    (edge,) = [points for (a, b), points in wires.items()
               if (a.kind, b.kind) == ("input", "merge")]
    branch = max(x + w / 2 for box, (x, _, w, _) in places.items() if box.kind == "conv")
    assert max(x for x, _ in edge) > branch


def test_a_projection_is_a_box_on_the_shortcut_and_no_skip():
    assert not drawn(diagram(net("v1 16→32")), "skip")


def test_inceptions_four_branches_stand_side_by_side():
    figure = diagram(net("inception"))
    rows = {}
    for (kind, *_), box in rectangles(figure).items():
        rows.setdefault(round(box.y0 + box.y1, 3), []).append(kind)
    assert sorted(map(sorted, rows.values())) == [
        ["conv"] * 3, ["conv"] * 3 + ["pool"], ["input"], ["merge"]]
    spots = rectangles(figure)
    (concat,) = [b for k, b in spots.items() if k[0] == "merge"]
    middle = (min(b.x0 for b in spots.values()) + max(b.x1 for b in spots.values())) / 2
    assert abs((concat.x0 + concat.x1) / 2 - middle) < 0.1


@pytest.mark.parametrize("detail", ["layer", "block"])
@pytest.mark.parametrize("name", NETS)
def test_no_box_overlaps_and_no_edge_crosses_a_box(name, detail, monkeypatch):
    plans = []
    for where in ("flow", "u_shape"):
        real = getattr(layout, where)
        monkeypatch.setattr(layout, where,
                            lambda *a, real=real: plans.append(real(*a)) or plans[-1])
    figure = diagram(net(name), detail=detail)
    spots = rectangles(figure)
    assert len(spots) > 3
    assert not [(a, b) for (a, p), (b, q) in itertools.combinations(spots.items(), 2)
                if overlap(p, q)]
    places, wires, _ = plans[-1]
    for (source, target), points in wires.items():
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            assert abs(x0 - x1) < 1e-6 or abs(y0 - y1) < 1e-6, "an edge runs askew"
            for box in set(places) - {source, target}:
                x, y, w, h = places[box]
                inside = (min(x0, x1) < x + w / 2 and max(x0, x1) > x - w / 2
                          and min(y0, y1) < y + h / 2 and max(y0, y1) > y - h / 2)
                assert not inside, f"{source.title} -> {target.title} crosses {box.title}"


@pytest.mark.parametrize("name", ["v1 16→32", "heads", "resnet20", "siamese", "vgg"])
def test_every_label_fits_its_box_and_the_page(name):
    figure = diagram(net(name), detail="block")
    figure.draw_without_rendering()
    page = figure.bbox
    patches = [p.get_window_extent() for *_, p in drawn(figure, *BOXES)]
    patches += [p.get_window_extent() for p in figure.axes[0].patches if p.get_gid() == "part"]
    for text in figure.axes[0].texts:
        box = text.get_window_extent()
        assert page.x0 <= box.x0 and box.x1 <= page.x1 and page.y0 <= box.y0 and box.y1 <= page.y1
        if text.get_gid() in ("label", None):
            middle = (box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2
            around = [p for p in patches if p.contains(*middle)]
            assert any(p.x0 - 1 <= box.x0 and box.x1 <= p.x1 + 1 for p in around), text.get_text()


def test_equal_blocks_fold_to_one_module_with_their_count():
    figure = diagram(net("resnet20"), detail="block")
    assert sorted(texts(figure, "repeat")) == ["×2", "×2", "×3"]
    assert [name for _, name, _ in drawn(figure, "module")] == [
        "stage1_block1–3", "stage2_block1", "stage2_block2–3", "stage3_block1", "stage3_block2–3"]
    whole = diagram(net("resnet20"), detail="block", fold=False)
    assert len(drawn(whole, "module")) == 9 and not texts(whole, "repeat")


def test_blocks_of_one_build_share_a_module_colour():
    tint = {name: to_hex(p.get_facecolor())
            for _, name, p in drawn(diagram(net("resnet20"), detail="block"), "module")}
    assert tint["stage1_block1–3"] == tint["stage3_block2–3"] == draw.MODULES[0]
    assert tint["stage2_block1"] == tint["stage3_block1"] == draw.MODULES[1]


def test_the_layer_picture_frames_each_block_once_with_its_count():
    figure = diagram(net("resnet20"))
    frames = {name: patch.get_bbox() for _, name, patch in drawn(figure, "frame")}
    assert len(frames) == 5 and sorted(texts(figure, "repeat")) == ["×2", "×2", "×3"]
    for name, frame in frames.items():
        inside = [k for k, box in rectangles(figure).items() if overlap(frame, box)]
        assert len(inside) == (4 if name.startswith(("stage2_block1", "stage3_block1")) else 3)


def test_equal_layers_in_a_row_fold_in_a_long_net():
    figure = diagram(net("vgg"))
    assert sorted(texts(figure, "repeat")) == ["×2", "×2", "×3", "×3", "×3"]
    assert len(drawn(diagram(net("vgg"), fold=False), "conv")) == 13
    assert not texts(diagram(net("v2")), "repeat")


def test_a_second_head_hangs_below_the_module_it_leaves():
    figure = diagram(net("heads"), detail="block")
    spots = {name: box for (_, name, _), box in rectangles(figure).items()}
    assert spots["aux"].y1 < spots["module_a"].y0 and spots["aux"].x0 > spots["module_a"].x1
    edges = [name for _, name, _ in drawn(figure, "edge")]
    assert {"stem -> module_a", "module_a -> aux", "module_a -> module_b–c"} <= set(edges)
    assert "main" in spots and texts(figure, "repeat") == ["×2"]  # a, which forks, does not fold


def test_a_u_net_is_a_u_with_level_skips():
    figure = diagram(net("unet"), detail="block")
    level = {name: (box.y0 + box.y1) / 2 for (_, name, _), box in rectangles(figure).items()}
    assert np.isclose(level["encoder1"], level["decoder1"])
    assert np.isclose(level["encoder2"], level["decoder2"])
    assert level["bottom"] < level["encoder2"] < level["encoder1"]
    assert sorted(name for _, name, _ in drawn(figure, "skip")) == [
        "encoder1 -> decoder1", "encoder2 -> decoder2"]


def test_lenet_has_tanh_marks_and_a_legend_of_what_is_present_only():
    figure = diagram(net("lenet"))
    marks = [name for _, name, _ in drawn(figure, "mark") if "legend" not in name]
    assert sorted(marks) == ["softmax"] + ["tanh"] * 4
    assert texts(figure, "legend text") == ["convolution", "pooling", "dense", "other operation",
                                            "tanh", "softmax"]
    assert {"conv 5×5, 6", "avg-pool 2×2 /2", "flatten", "Dense 120"} <= set(texts(figure, "label"))


def test_shapes_stand_where_they_change_and_nowhere_else():
    assert texts(diagram(net("lenet")), "shape") == [
        "28×28×1", "28×28×6", "14×14×6", "10×10×16", "5×5×16", "400"]
    assert texts(diagram(net("v1")), "shape") == ["32×32×16"]
    assert texts(diagram(net("inception")), "shape") == ["16×16×8", "16×16×15"]
    assert texts(diagram(net("resnet20"), detail="block"), "shape") == [
        "32×32\n×3", "32×32\n×4", "16×16\n×8", "8×8\n×16", "16"]


@pytest.mark.parametrize("detail", ["layer", "block"])
def test_a_shared_model_is_one_box_with_an_arrow_from_each_input(detail):
    figure = diagram(net("siamese"), detail=detail)
    assert [name for _, name, _ in drawn(figure, "input")] == ["left", "right"]
    assert [name for _, name, _ in drawn(figure, "module")] == ["encoder, called twice"]
    edges = [name for _, name, _ in drawn(figure, "edge")]
    assert {f"{side} -> encoder, called twice" for side in ("left", "right")} <= set(edges)
    assert texts(figure, "legend text")[:2] == ["convolution", "merge"]


def test_both_calls_of_a_shared_model_have_an_arrow():
    calls = [patch.get_path().get_extents().x0 for _, name, patch in
             drawn(diagram(net("siamese")), "edge") if name.endswith("twice -> subtract")]
    assert len(calls) == 2 and abs(calls[0] - calls[1]) > 0.1


@pytest.mark.parametrize("down", [True, False])
@pytest.mark.parametrize("name, head", [("siamese", "encoder"), ("v1 16→32", "add")])
def test_two_arrows_into_one_box_end_beside_each_other(name, head, down):
    read = boxes.read(net(name), {})
    places, wires, _ = layout.flow(read, functools.partial(draw._extent, down=down), down, 99)
    ends = [points[-1] for (_, target), points in wires.items() if target.head == head]
    assert len(ends) == len(set(ends)) == 2
    x, y, w, h = next(place for box, place in places.items() if box.head == head)
    assert all(abs(a - x) <= w / 2 + 1e-6 and abs(b - y) <= h / 2 + 1e-6 for a, b in ends)


def test_a_model_applied_to_its_own_output_is_drawn_at_each_call():
    half = keras.Sequential([keras.Input((8, 8, 2)), Conv(2, 3)], name="half")
    inputs = keras.Input((8, 8, 2))
    figure = diagram(keras.Model(inputs, half(half(inputs))), exits=[])
    assert [name for _, name, _ in drawn(figure, "module")] == ["half", "half"]
    assert texts(figure, "label").count("half") == 2


def shortcuts(figure):
    return [name for _, name, _ in drawn(figure, "skip") if name.startswith("in ")]


def test_a_folded_residual_block_shows_its_shortcut():
    figure = diagram(net("resnet20"), detail="block")
    assert shortcuts(figure) == [f"in {name}" for _, name, _ in drawn(figure, "module")]
    figure.draw_without_rendering()
    module = {name: patch.get_window_extent() for _, name, patch in drawn(figure, "module")}
    for _, name, patch in drawn(figure, "skip"):
        around, line = module[name.removeprefix("in ")], patch.get_window_extent()
        assert around.x0 < line.x0 < line.x1 < around.x1
        assert around.y0 < line.y0 < line.y1 < around.y1
    assert not shortcuts(diagram(net("heads"), detail="block"))     # Inception modules have none


@pytest.mark.parametrize("width, options, found", [
    (16, {}, (["conv", "conv", "merge"], "identity")),
    (32, {}, (["conv", "conv", "conv on it", "merge"], "projection")),
    (32, {"shortcut": "pad"}, None),
])
@pytest.mark.parametrize("build", [res_block_v1, res_block_v2])
def test_the_shortcut_of_a_module_is_what_leads_around_its_convolutions(
        build, width, options, found):
    x = inputs = keras.Input((8, 8, 16))
    x = build(Conv(16, 3, name="stem")(x), 16, width, **ZEROS, **options, name="block")
    figure = diagram(keras.Model(inputs, Conv(2, 1)(x)), detail="block", exits=["stem", "block"])
    if found is None:
        assert "block, padded shortcut" in texts(figure, "legend text")
        return
    graph = modules.modules(boxes.read(*read_with_exits(inputs, x)))
    (module,) = [box for box in graph if box.kind == "module"]
    kinds = [kind + " on it" * on for kind, text, on in draw._chips(module)
             for _ in range(2 if text.endswith("×2") else 1)]
    assert kinds == found[0]
    assert f"block, {found[1]} shortcut" in texts(figure, "legend text")


def read_with_exits(inputs, x):
    model = keras.Model(inputs, Conv(2, 1)(x))
    owner = {id(node.outputs[0]): name for name, nodes in
             graph.blocks(model, ["stem", "block"]).items() for node in nodes}
    return model, owner


def test_a_model_as_a_layer_shows_the_marks_of_its_layers_and_the_legend_names_them():
    def outer(activation):
        inputs = keras.Input((8, 8, 3))
        inner = keras.Sequential([keras.Input((8, 8, 3)), Conv(4, 3, activation=activation),
                                  layers.Flatten(), layers.Dense(2)], name="inner")
        return diagram(keras.Model(inputs, inner(inputs)), exits=[])

    marks = drawn(outer("relu"), "mark")
    assert sorted(name for _, name, _ in marks) == ["ReLU", "ReLU in the legend"]
    (chip,) = [patch for _, name, patch in marks if name == "ReLU"]
    (module,) = [patch for *_, patch in drawn(chip.figure, "module")]
    assert module.get_window_extent().contains(*chip.get_window_extent().max)
    assert not drawn(outer(None), "mark")


def test_the_legend_names_every_colour_that_is_drawn():
    for name, detail in itertools.product(("resnet20", "heads", "unet", "siamese"),
                                          ("layer", "block")):
        figure = diagram(net(name), detail=detail)
        named = {to_hex(p.get_facecolor()) for p in figure.axes[0].patches
                 if p.get_gid() == "legend"}
        used = {to_hex(p.get_facecolor()) for _, _, p in drawn(figure, *BOXES, "frame")
                if not hasattr(p, "radius")}
        used |= {to_hex(p.get_facecolor()) for p in figure.axes[0].patches if p.get_gid() == "part"}
        assert used - {"#ffffff"} <= named, (name, detail)
        words = texts(figure, "legend text")
        assert len(words) == len(set(words))


def test_the_legend_tells_modules_of_one_kind_apart_by_their_names():
    words = texts(diagram(net("unet"), detail="block"), "legend text")
    assert {"block (encoder2 …)", "block (encoder1 …)", "block that joins a skip"} <= set(words)
    words = texts(diagram(net("heads"), detail="block"), "legend text")
    assert {"module", "block", "head"} <= set(words)


def test_outputs_bear_their_names():
    for detail in ("layer", "block"):
        figure = diagram(net("heads"), detail=detail)
        assert texts(figure, "output name") == ["main"]     # aux is the title of its module
    inputs = keras.Input((4,))
    model = keras.Model(inputs, {"one": Dense(1)(inputs), "two": Dense(2)(inputs)})
    assert sorted(texts(diagram(model), "output name")) == ["one", "two"]
    assert not texts(diagram(net("vgg")), "output name")


def test_a_layer_bears_the_name_that_its_author_gave_it_and_none_that_keras_made():
    x = inputs = keras.Input((8, 8, 3))
    for name in (None, "edges"):
        x = Conv(4, 3, name=name)(x)
    x = layers.Add(name="both")([x, layers.MaxPooling2D(3, 1, "same")(x)])
    model = keras.Model(inputs, Dense(2)(layers.Flatten()(x)))
    assert texts(diagram(model, exits=[]), "layer name") == ["edges", "both"]
    assert texts(diagram(model, exits=["both"]), "layer name") == []    # the frame says it


def test_folded_layers_bear_their_first_and_last_name():
    x = inputs = keras.Input((8, 8, 4))
    for k in range(14):
        x = Conv(4, 3, name=f"conv{k}")(x)
    figure = diagram(keras.Model(inputs, Dense(2)(layers.Flatten()(x))))
    assert texts(figure, "layer name") == ["conv0–13"] and texts(figure, "repeat") == ["×14"]


def test_the_pool_between_two_stages_stands_by_itself():
    x = keras.Input((16, 16, 8))
    first = layers.MaxPooling2D(3, 2, "same")(inception(x, "a"))
    model = keras.Model(x, Conv(2, 1)(inception(first, "b")))
    figure = diagram(model, detail="block")
    assert [name for _, name, _ in drawn(figure, "module")] == ["a", "b"]
    assert len(drawn(figure, "pool")) == 1 and len({to_hex(p.get_facecolor()) for _, _, p in
                                                    drawn(figure, "module")}) == 1
    frames = drawn(diagram(model), "frame")
    (pool,) = [patch.get_bbox() for _, _, patch in drawn(diagram(model), "pool")
               if patch.get_bbox().width > 0.9 and not any(
                   overlap(patch.get_bbox(), frame.get_bbox()) for _, _, frame in frames)]


@pytest.mark.parametrize("name", ["v1 16→32", "inception", "resnet20", "siamese", "vgg", "lenet"])
def test_letters_have_9_points_at_the_width_of_a_text(name):
    for detail in ("layer", "block"):
        figure = diagram(net(name), detail=detail)
        assert figure.get_figwidth() <= plots.TEXT + 1e-3 and figure.dpi == plots.STYLE["figure.dpi"]
        assert min(text.get_fontsize() for text in figure.axes[0].texts
                   if not text.get_rotation()) >= 8.99


def test_an_unknown_operation_is_a_white_box_with_its_class_name():
    figure = diagram(net("ops"))
    assert {"pad", "Square", "Mean", "Sqrt"} <= set(texts(figure, "label"))
    assert {to_hex(p.get_facecolor()) for *_, p in drawn(figure, "other")} == {"#ffffff"}


def test_an_unknown_activation_is_a_mark_named_in_the_legend():
    inputs = keras.Input((8, 8, 3))
    x = Conv(2, 3, activation="softmax")(Conv(4, 3, activation="softplus")(inputs))
    figure = diagram(keras.Model(inputs, x))
    assert texts(figure, "legend text") == ["convolution", "softplus", "softmax"]


def test_exits_make_modules_of_a_net_whose_layers_all_have_names():
    inputs = x = keras.Input((8, 8, 2))
    for k in range(4):
        x = layers.ReLU(name=f"relu{k}")(Conv(2, 3, name=f"conv{k}")(x))
    model = keras.Model(inputs, layers.Flatten(name="flat")(x))
    assert not drawn(diagram(model, detail="block"), "module")
    figure = diagram(model, detail="block", exits=["relu1", "relu3"])
    assert [name for _, name, _ in drawn(figure, "module")] == ["relu1–3"]


def test_wide_nets_are_scaled_to_the_page_and_small_ones_are_not_blown_up():
    assert diagram(net("resnet20"), detail="block", width=5.0).get_figwidth() <= 5.001
    assert diagram(net("v1")).get_figwidth() < 4.5


def test_bad_arguments_say_what_to_do():
    with pytest.raises(ValueError, match="'layer' or 'block'"):
        diagram(net("v1"), detail="all")
    with pytest.raises(ValueError, match="stage1_block1"):
        diagram(net("resnet20"), exits=["stage1_blok1"])

    class Subclassed(keras.Model):
        pass

    with pytest.raises(ValueError, match="functional"):
        diagram(Subclassed())


# ---- plots ----

def record(case="resnet20", seed=0, epochs=9, source="official", **more):
    falling = np.exp(-np.arange(1, epochs + 1) / 3) + 0.01 * seed
    history = {"loss": falling, "accuracy": 1 - falling, "val_accuracy": 0.9 - 0.8 * falling,
               "val_loss": falling + 0.1}
    return {"case": case, "history": {k: v.tolist() for k, v in history.items()},
            "data": {"source": source}, **more}


def notes(figure, gid):
    return [t for ax in figure.axes for t in ax.texts if t.get_gid() == gid]


def test_a_net_has_one_colour_however_its_name_is_written():
    assert plots.color("ResNet-20") == plots.color("resnet20") == plots.color("resnet_20")
    assert plots.color("ResNet50 V2") == plots.color("resnet50_v2") != plots.color("resnet50")
    assert plots.color("vgg16") == "#e69f00" and plots.color("GoogLeNet") == "#009e73"
    assert plots.color("with heads") == plots.color("with heads") in map(str.lower, plots.PALETTE)
    shades = [plots.color(f"resnet{depth}") for depth in (20, 32, 44, 56, 110)]
    light = [sum(matplotlib.colors.to_rgb(shade)) for shade in shades]
    assert light == sorted(light, reverse=True) and len(set(shades)) == 5


def test_plain_and_residual_nets_differ_by_line_style_too():
    figure = plots.curves([record("plain20"), record("resnet20")])
    assert [line.get_linestyle() for line in figure.axes[0].lines] == ["--", "-"]


def test_two_labels_of_one_figure_never_share_a_colour():
    figure = plots.curves([record(label=f"aux weight {w}", seed=i)
                           for i, w in enumerate(np.linspace(0, 1, 7))], "loss")
    assert len({line.get_color() for line in figure.axes[0].lines}) == 7


def test_training_error_is_in_percent_and_seeds_become_a_mean_and_a_band():
    runs = [record(seed=s, epochs=9 + s) for s in range(3)]
    figure = plots.curves(runs, "train_error", caption="Look.")
    (line,), (band,) = figure.axes[0].lines, figure.axes[0].collections
    assert line.get_xdata().tolist() == list(range(1, 10))
    wanted = 100 * np.mean([1 - np.array(run["history"]["accuracy"][:9]) for run in runs], 0)
    np.testing.assert_allclose(line.get_ydata(), wanted)
    edge = band.get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([edge.min(), edge.max()], [wanted[-1] - 1, wanted[0] + 1], atol=1e-6)
    assert figure.axes[0].get_ylabel() == "training error (%)"
    assert notes(figure, "caption")[0].get_text() == "Look. Band: lowest to highest of 3 seeds."
    assert notes(figure, "source")[0].get_text() == "data: official"


def test_both_adds_the_training_curve_thin():
    wide, thin = plots.curves(record(), "error", both=True).axes[0].lines
    assert wide.get_linewidth() > thin.get_linewidth()
    np.testing.assert_allclose(thin.get_ydata(), 100 * np.exp(-np.arange(1, 10) / 3))


def boxes_of(figure, gid):
    figure.canvas.draw()
    return [matplotlib.text.Text.get_window_extent(text) for text in notes(figure, gid)]


def test_names_at_the_lines_ends_do_not_overlap():
    nets = ["resnet20", "resnet32", "resnet44", "resnet56", "plain20", "plain32", "plain44"]
    figure = plots.curves([record(name, seed=k % 4 / 10) for k, name in enumerate(nets)])
    found = boxes_of(figure, "line label")
    assert len(found) == 7
    assert not [1 for a, b in itertools.combinations(found, 2) if overlap(a, b, 1)]
    assert figure.axes[0].get_legend() is None


def test_more_names_than_fit_become_a_legend():
    figure = plots.curves([record(label=f"run {i}") for i in range(30)], width=plots.HALF)
    assert not notes(figure, "line label") and figure.axes[0].get_legend() is not None


def test_a_missing_metric_lists_what_the_record_has():
    with pytest.raises(ValueError, match=r"no 'aux_loss'; its history holds \['accuracy', 'loss'"):
        plots.curves(record(), "aux_loss")
    with pytest.raises(ValueError, match="no records"):
        plots.curves([])


def test_the_sources_of_all_records_are_named_once():
    figure = plots.curves([record(), record(), record(source="the sample")])
    assert notes(figure, "source")[0].get_text() == "data: official; the sample"


def test_labels_of_points_meet_neither_each_other_nor_a_point():
    random = np.random.default_rng(0)
    rows = [{"net": f"ResNet-{k}", "macs": 10 ** random.uniform(8, 10), "accuracy":
             random.uniform(70, 73)} for k in range(14)]
    figure = plots.scatter_cost(rows, caption="A caption.", source="published")
    found = boxes_of(figure, "point label")
    assert len(found) == 14
    assert not [1 for a, b in itertools.combinations(found, 2) if overlap(a, b, 1)]
    dots = figure.axes[0].transData.transform([[r["macs"], r["accuracy"]] for r in rows])
    assert not [1 for box in found for dot in dots if box.contains(*dot)]
    assert figure.axes[0].get_xscale() == "log"
    with pytest.raises(ValueError, match=r"lacks \['parameters'\]"):
        plots.scatter_cost(rows, "parameters")


def test_nets_of_unequal_depth_share_an_axis_of_relative_depth():
    figure = plots.layer_profile({"plain8": np.ones(8), "plain20": np.ones((3, 20))})
    assert [(line.get_xdata()[0], line.get_xdata()[-1]) for line in figure.axes[0].lines] == [
        (0, 1), (0, 1)]
    assert "relative depth" in figure.axes[0].get_xlabel() and figure.axes[0].get_yscale() == "log"
    with pytest.raises(ValueError, match="2 names"):
        plots.layer_profile({"a": [1, 2, 3]}, names=["x", "y"])


def test_categories_are_points_and_not_joined():
    profiles = {"a": np.array([[1, 2, 3], [3, 2, 5.0]]), "b": [1, 1, 1]}
    figure = plots.layer_profile(profiles, names=["16", "64", "none"], log=False)
    assert {line.get_linestyle() for line in figure.axes[0].lines} == {"None"}
    (bars,) = figure.axes[0].collections
    assert [path.vertices[:, 1].tolist() for path in bars.get_paths()] == [[1, 3], [2, 2], [3, 5]]
    np.testing.assert_allclose(figure.axes[0].lines[0].get_ydata(), [2, 2, 4])


def test_all_letters_of_a_figure_have_9_points_and_the_picture_twice_the_dots():
    photos = np.zeros((2, 8, 8), "uint8")
    for figure in (plots.curves([record(), record("plain20")], both=True, caption="Look. " * 30),
                   plots.bars({"a": 1}), plots.heatmap(np.eye(2), names=["a", "b"]),
                   plots.layer_profile({"a": [1, 2]}, names=["x", "y"], source="official"),
                   plots.image_grid(photos, [0, 1], [0, 0]),
                   plots.scatter_cost([{"net": "vgg16", "macs": 2, "accuracy": 3}]),
                   plots.paper_beside_ours([{"net": "vgg16", "paper": 2, "ours": 3}])):
        written = figure.findobj(lambda a: isinstance(a, matplotlib.text.Text) and a.get_text())
        assert min(text.get_fontsize() for text in written) >= 9
        assert figure.dpi == 180


def test_a_gradient_of_zero_or_nan_still_gives_a_labelled_figure():
    figure = plots.layer_profile({"dead": [1, 0.1, 0], "broken": [np.nan] * 3, "fine": [1, 1, 1]})
    assert sorted(t.get_text() for t in notes(figure, "line label")) == ["broken", "dead", "fine"]
    figure.canvas.draw()


def test_bars_write_their_numbers():
    figure = plots.bars({"5×5": 120422400, "vgg16": 12443648}, xlabel="multiplications")
    assert [t.get_text().strip() for t in figure.axes[0].texts] == ["120,422,400", "12,443,648"]
    assert to_hex(figure.axes[0].patches[1].get_facecolor()) == plots.color("vgg16")


def test_a_wrong_prediction_is_named_with_its_true_class_and_coloured():
    images = np.zeros((3, 8, 8), "uint8")
    figure = plots.image_grid(images, [0, 1, 1], [0, 1, 0], class_names=["cat", "dog"])
    labels = figure.axes[0].texts
    assert [t.get_text() for t in labels] == ["cat", "dog", "cat\n(dog)"]
    assert [t.get_color() for t in labels] == ["#222222", "#222222", plots.PALETTE[1]]
    with pytest.raises(ValueError, match=r"\(n, H, W, 3\)"):
        plots.image_grid(np.zeros((3, 8, 8, 2)))


def test_a_confusion_matrix_carries_its_numbers_and_signed_values_centre_on_zero():
    figure = plots.heatmap([[9, 1], [2, 8]], names=["cat", "dog"])
    assert [t.get_text() for t in figure.axes[0].texts] == ["9", "1", "2", "8"]
    assert plots.heatmap([[-1, 3.0]]).axes[0].images[0].get_clim() == (-3, 3)
    with pytest.raises(ValueError, match="rows, columns"):
        plots.heatmap(np.zeros(3))


def test_the_papers_number_stands_beside_ours_with_the_difference():
    figure = plots.paper_beside_ours([{"net": "resnet20", "paper": 91.25, "ours": 91.9},
                                      {"net": "densenet", "paper": 95.5, "ours": None}])
    written = [t.get_text() for t in figure.axes[0].texts]
    assert "91.90  (+0.65)" in written and "not measured" in written
    starts = sorted(line.get_xdata()[0] for line in figure.axes[0].lines)
    assert starts == [91.25, 91.25, 91.9, 95.5]


def test_a_panel_given_as_ax_is_drawn_into():
    figure, axes = plots.panels(2)
    assert plots.curves(record(), ax=axes[0]) is plots.bars({"a": 1}, ax=axes[1]) is figure
    assert len(plt.get_fignums()) == 1


def test_no_style_leaks():
    before = dict(matplotlib.rcParams)
    plots.curves([record(), record("plain20")])
    plots.heatmap(np.eye(3))
    diagram(net("v1"))
    assert dict(matplotlib.rcParams) == before


def test_pictures_are_small():
    def kilobytes(figure):
        file = io.BytesIO()
        figure.savefig(file)
        return file.tell() / 1024

    photos = np.random.default_rng(0).normal(128, 40, (16, 8, 8, 3)).repeat(4, 1).repeat(4, 2)
    shown = photos.clip(0, 255).astype("uint8")
    assert kilobytes(plots.image_grid(shown, np.arange(16))) < 60
    assert kilobytes(plots.curves([record(f"resnet{d}") for d in (20, 32, 44, 56)])) < 60
    assert kilobytes(diagram(net("resnet20"), detail="block")) < 180


def test_exit_names_found_by_the_graph_are_the_default_blocks():
    assert modules.given_exits(net("resnet20")) == graph.exits(net("resnet20"))
    assert modules.given_exits(net("lenet")) == []


def test_local_response_normalization_is_one_box_and_a_lookalike_is_not():
    def net_of(normalize):
        x = keras.Input((8, 8, 6))
        return keras.Model(x, Conv(2, 1)(normalize(Conv(6, 3)(x))))

    assert "LRN" in texts(diagram(net_of(local_response_norm)), "label")
    other = texts(diagram(net_of(lambda x: layers.Multiply()([x, ops.power(2.0, x)]))), "label")
    assert {"Power", "multiply"} <= set(other) and "LRN" not in other


def test_a_u_net_without_padding_is_a_u_too():
    inputs = keras.Input((28, 28, 1))
    top = layers.Conv2D(2, 3, name="top", **ZEROS)(layers.Conv2D(2, 3, **ZEROS)(inputs))
    low = layers.Conv2D(4, 3, name="low", **ZEROS)(layers.MaxPooling2D()(top))
    up = layers.Conv2DTranspose(2, 2, 2, **ZEROS)(low)
    x = layers.Concatenate()([layers.Cropping2D(2)(top), up])
    x = layers.Conv2D(2, 3, name="back", **ZEROS)(x)
    figure = diagram(keras.Model(inputs, Conv(2, 1)(x)), detail="block")
    level = {name: (box.y0 + box.y1) / 2 for (_, name, _), box in rectangles(figure).items()}
    assert np.isclose(level["top"], level["back"]) and level["low"] < level["top"]
    assert [name for _, name, _ in drawn(figure, "skip")] == ["top -> back"]
