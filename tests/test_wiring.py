"""The nets' graphs written by hand, layer for layer: what reads what, and how each layer is set.

Counts do not see the order of operations, nor where a skip begins. Keras's own nets do, where
there are any (test_parity); here is the same for the others. Widths come from the nets' own stage
tables, which test_cases proves by their sums. The words are those of graphs.py.
"""

import importlib

import keras
import pytest
from graphs import X, drawn, join, lines, on_numpy, starts, then, zero_weights
from rows import zeros
from rows.classic import fire, lrn, towers
from rows.dense import dense
from rows.depthwise import inverted, mbconv
from rows.inception import branches
from rows.residual import basic_v1, basic_v2, bottleneck_v1, bottleneck_v2
from rows.unet import beside
from test_blocks import FAN_OUT, HE

from keras_cases import nets
from keras_cases.analysis import graph

pytestmark = pytest.mark.xdist_group("graphs")

# the files themselves: `nets.unet` and others of the same name are functions
alexnet, efficientnet, googlenet, inception, mobilenet, mobilenet_v2, squeezenet, vgg = (
    importlib.import_module(f"keras_cases.nets.{name}") for name in (
        "alexnet", "efficientnet", "googlenet", "inception_v3", "mobilenet", "mobilenet_v2",
        "squeezenet", "vgg"))


def lenet5_by_hand(border="", act="tanh", pool="avg", drop=""):
    return then(X, f"{border} conv5:6v+{act} {pool}2/2 conv5:16v+{act} {pool}2/2 flatten "
                   f"dense120+{act} {drop} dense84+{act} {drop} dense10+softmax")


def lenet5_1998_by_hand():
    squash = "multiply(0.6666666666666666) tanh() times1.716"
    x = then(X, f"conv5:6v {squash} avg2/2 dw1 linear {squash}")
    reads = [",".join(map(str, row)) for row in nets_lenet.C3_TABLE]
    x = join("concat", *[then(x, f"take(-1,[{row}]) conv5:1v") for row in reads])
    x = then(x, f"linear {squash} avg2/2 dw1 linear {squash} conv5:120v {squash} flatten "
                f"dense84 {squash}")
    return then(x, "expanddims(1) subtract(array10x84) square() sum([-1],False) negative() softmax")


nets_lenet = importlib.import_module("keras_cases.nets.lenet")


def alexnet_by_hand(widths, first, units, classes, norm=lrn, pool="max3/2"):
    a, b, c, d, e = widths
    x = then(norm(then(X, f"{first} relu"), a), pool)
    x = norm(then(towers(f"conv5:{b // 2}", x=x), "relu"), b)
    x = then(x, f"{pool} conv3:{c} relu")
    x = then(towers(f"conv3:{d // 2}", x=x), "relu")
    x = then(towers(f"conv3:{e // 2}", x=x), "relu")
    return then(x, f"{pool} flatten dense{units}+relu drop0.5 dense{units}+relu drop0.5 "
                   f"dense{classes}+softmax")


def vgg_by_hand(kernels, norm="", head="dense10+softmax", lrn_after_first=False):
    x = X
    for stage, (filters, sizes) in enumerate(zip(vgg.FILTERS, kernels)):
        for size in sizes:
            x = then(x, f"conv{size}:{filters} {norm} relu")
        if lrn_after_first and stage == 0:
            x = lrn(x, filters)
        x = then(x, "max2/2")
    return then(x, f"flatten {head}")


DENSE = "dense4096+relu drop0.5 dense4096+relu drop0.5 dense1000+softmax"


def nin_by_hand():
    return then(X, "conv5:192 relu conv1:160 relu conv1:96 relu max3/2s drop0.5 "
                   "conv5:192 relu conv1:192 relu conv1:192 relu avg3/2s drop0.5 "
                   "conv3:192 relu conv1:192 relu conv1:10 relu gap softmax")


def squeezenet_by_hand(first, classes):
    x = then(X, f"{first}+relu max3/2")
    for squeeze, expand, pool in squeezenet.FIRES:
        x = then(fire(squeeze, expand, x), "max3/2" if pool else "")
    return then(x, f"drop0.5 conv1:{classes}+relu gap softmax")


def googlenet_by_hand(x, classes, norm=False, heads=False, scale=int, dropout=0.4):
    bias, each = ("-", "bn relu") if norm else ("", "relu")
    auxiliary = []
    for stage, modules in enumerate(googlenet.STAGES):
        x = then(x, "max3/2s" if stage else "")
        for module, *filters in modules:
            a, r, b, s, c, p = [f"{scale(f)}{bias}" for f in filters]
            x = branches(f"conv1:{a}", f"conv1:{r} conv3:{b}", f"conv1:{s} conv5:{c}",
                         f"max3/1s conv1:{p}", each=each, x=x)
            if heads and module in ("4a", "4d"):
                seen = then(x, "stopgradient()" if heads == "detached" else "")
                auxiliary.append(then(seen, (
                    f"avg5/3 conv1:{scale(128)}{bias} {each} flatten dense{scale(1024)} relu "
                    f"drop0.7 dense{classes}+softmax")))
    main = then(x, f"gap drop{dropout} dense{classes}+softmax")
    return (main, *auxiliary) if heads else main


def googlenet_stem():
    x = lrn(then(X, "conv7:64/2 relu max3/2s"), 64)
    return then(lrn(then(x, "conv1:64 relu conv3:192 relu"), 192), "max3/2s")


GOOGLENET_BN_STEM = "conv7:64/2- bn relu max3/2s conv1:64- bn relu conv3:192- bn relu max3/2s"


def fifth(filters):
    return max(4, 4 * round(filters / 20))


def inception_v3_by_hand(stem, rows, head=False, classes=10):
    """Rows: "a", "b", "c" of the paper's figures 5 to 7, "A" and "B" the two grid reductions."""
    x, aux = then(X, stem), None
    for kind, *f in rows:
        if kind == "a":
            a, (r, b), (s, c, d), p = f
            ways = (f"conv1:{a}-", f"conv1:{r}- conv5:{b}-", f"conv1:{s}- conv3:{c}- conv3:{d}-",
                    f"avg3/1s conv1:{p}-")
        elif kind == "b":
            a, n = f
            ways = (f"conv1:{a}-", f"conv1:{n}- conv1x7:{n}- conv7x1:{a}-",
                    f"conv1:{n}- conv7x1:{n}- conv1x7:{n}- conv7x1:{n}- conv1x7:{a}-",
                    f"avg3/1s conv1:{a}-")
        elif kind == "c":
            a, t, d, p = f
            split = [f"conv1x3:{t}-", f"conv3x1:{t}-"]
            ways = (f"conv1:{a}-", [f"conv1:{t}-", *split], [f"conv1:{d}- conv3:{t}-", *split],
                    f"avg3/1s conv1:{p}-")
        elif kind == "A":
            a, (r, d) = f
            ways = f"conv3:{a}/2v-", f"conv1:{r}- conv3:{d}- conv3:{d}/2v-", "max3/2"
        else:
            n, a = f
            aux = then(x, f"avg5/3 conv1:128- bnβ relu conv5:768v- bnβ relu gap "
                          f"dense{classes}+softmax")
            ways = (f"conv1:{n}- conv3:{a}/2v-",
                    f"conv1:{n}- conv1x7:{n}- conv7x1:{n}- conv3:{n}/2v-", "max3/2")
        x = branches(*ways, each="bnβ relu", x=x)
    main = then(x, f"gap drop0.2 dense{classes}+softmax")
    return (main, aux) if head else main


STEM = ("conv3:32/2v- bnβ relu conv3:32v- bnβ relu conv3:64- bnβ relu max3/2 conv1:80- bnβ relu "
        "conv3:192v- bnβ relu max3/2")
STEM_CIFAR = "conv3:16- bnβ relu conv3:32- bnβ relu"


def inception_rows(modules):
    letters = dict(zip(("inception_a", "inception_b", "inception_c", "grid_reduction_a",
                        "grid_reduction_b"), "abcAB"))
    return [(letters[block.__name__], *filters) for block, *filters in modules]


def resnet_by_hand(n=3, version=1, projection=False):
    block = basic_v1 if version == 1 else basic_v2
    x = then(X, "conv3:16- bn relu" if version == 1 else "conv3:16- linear")
    for filters in (16, 32, 64):
        for i in range(n):
            first = i == 0 and filters > 16
            way = f"max1/2 {zeros(0, filters // 2)}"
            if projection:
                way = f"conv1:{filters}/2- bn" if version == 1 else f"conv1:{filters}/2-"
            x = block(filters, way if first else "", "/2" if first else "", "-", x)
    return then(x, ("" if version == 1 else "bn relu ") + "gap dense10+softmax")


def plain_by_hand(norm="bn"):
    words = f"conv3:16- {norm} relu " + 6 * f"conv3:16- {norm} relu "
    for filters in (32, 64):
        words += f"conv3:{filters}/2- {norm} relu " + 5 * f"conv3:{filters}- {norm} relu "
    return then(X, words + "gap dense10+softmax")


def resnet18_by_hand():
    x = then(X, "pad3 conv7:64/2v- bn5 relu pad1 max3/2")
    for filters in (64, 128, 256, 512):
        way, s = (f"conv1:{filters}/2- bn", "/2") if filters > 64 else ("", "")
        x = basic_v1(filters, "", "", "-", basic_v1(filters, way, s, "-", x))
    return then(x, "gap dense1000+softmax")


def resnet50_by_hand():
    x = then(X, "pad3 conv7:64/2v bn5 relu pad1 max3/2")
    for filters, count in zip((64, 128, 256, 512), (3, 4, 6, 3)):
        s = "/2" if filters > 64 else ""
        x = bottleneck_v1(filters, f"conv1:{4 * filters}{s} bn5", s, "", x)
        for _ in range(count - 1):
            x = bottleneck_v1(filters, x=x)
    return then(x, "gap dense1000+softmax")


def resnet50_v2_by_hand():
    """Here a stage shrinks in its last block, and the last stage not at all."""
    x = then(X, "pad3 conv7:64/2v pad1 max3/2")
    for filters, count in zip((64, 128, 256, 512), (3, 4, 6, 3)):
        x = bottleneck_v2(filters, projection=f"conv1:{4 * filters}", x=x)
        for _ in range(count - 2):
            x = bottleneck_v2(filters, x=x)
        last = filters == 512
        x = bottleneck_v2(filters, "" if last else "max1/2", shrinks=not last, x=x)
    return then(x, "bn5 relu gap dense1000+softmax")


def lecture_by_hand(block, end):
    x = block(16, x=then(X, "conv3:16+relu"))
    return then(block(32, "conv1:32", x=x), f"{end} dense10+softmax")


def densenet_by_hand(counts, layer, stem, widths, drop="", classes=10):
    x = then(X, stem)
    for stage, count in enumerate(counts):
        x = dense(*count * [f"{layer}{drop}"], x=x)
        last = stage == len(counts) - 1
        x = then(x, "bn5 relu" if last else f"bn5 relu conv1:{widths[stage]}- avg2/2")
    return then(x, f"gap dense{classes}+softmax")


def mobilenet_by_hand(s, classes):
    x = then(X, f"conv3:32{s}- bn relu6")
    for filters, count, strides in mobilenet.STAGES:
        for i in range(count):
            s = "/2" if i == 0 and strides == 2 else ""
            x = then(x, f"dw3{s}- bn relu6 conv1:{filters}- bn relu6")
    return then(x, f"gap dense{classes}+softmax")


def mobilenet_v2_by_hand(s="", shrinking=(3, 4, 6), classes=10):
    """For small images strides in stages 3, 4 and 6 only."""
    x, width = then(X, f"conv3:32{s}- bn relu6 dw3- bn relu6 conv1:16- bn"), 16
    for stage, (_, filters, count, *_) in enumerate(mobilenet_v2.STAGES[1:], 2):
        for i in range(count):
            s = "/2" if i == 0 and stage in shrinking else ""
            y = inverted(6 * width, filters, s, x)
            x, width = join("add", x, y) if i else y, filters
    return then(x, f"conv1:1280- bn relu6 gap dense{classes}+softmax")


def efficientnet_by_hand(first, s, classes, scale):
    x, width, done = then(X, f"{first} conv3:32{s}- bn silu"), 32, 0
    for t, kernel, filters, count, strides in efficientnet.STAGES:
        for i in range(count):
            move = "/2" if i == 0 and strides == 2 else ""
            widen = f"conv1:{t * width}- bn silu " if t > 1 else ""
            y = mbconv(f"{widen}dw{kernel}{move}- bn silu", width // 4, t * width, filters, x)
            x = join("add", x, then(y, f"dropone{0.2 * done / 16:g}")) if i else y
            width, done = filters, done + 1
    return then(x, f"conv1:1280- bn silu gap drop0.2 dense{classes}+softmax")


def unet_by_hand(filters, depth, pad, norm, drops, crops):
    def two(f):
        return 2 * f"conv3:{f}{pad}{'-' if norm else ''} {norm} relu "

    x, skips = then(X, two(filters)), []
    for level in range(1, depth + 1):
        skips.append(x)  # what the next level pools, dropout and all
        x = then(x, f"max2/2 {two(filters * 2**level)}" + drops * (level >= depth - 1))
    for level in reversed(range(depth)):
        f = filters * 2**level
        x = beside(crops[level], f"up2:{f}/2", two(f), skips[level], x)
    return then(x, "conv1:2+softmax")


ALEX, CIFAR = [96, 256, 384, 384, 256], [48, 128, 192, 192, 128]
LAYER, WIDE = "bn5 relu conv3:12-", "bn5 relu conv1:48- bn5 relu conv3:12-"
SMALL = dict(input_shape=(32, 32, 3))
GRAPHS = {
    "lenet5": (nets.lenet5, {}, lenet5_by_hand),
    "lenet5, 28×28": (nets.lenet5, dict(input_shape=(28, 28, 1)), lambda: lenet5_by_hand("pad2")),
    "lenet5 of later years": (nets.lenet5, dict(activation="relu", pooling="max", dropout=0.25),
                              lambda: lenet5_by_hand("", "relu", "max", "drop0.25")),
    "lenet5_1998": (nets.lenet5_1998, {}, lenet5_1998_by_hand),
    "alexnet": (nets.alexnet, dict(input_shape=(67, 67, 3)),
                lambda: alexnet_by_hand(ALEX, "conv11:96/4v", 4096, 1000)),
    "alexnet_cifar": (nets.alexnet_cifar, {}, lambda: alexnet_by_hand(CIFAR, "conv5:48", 512, 10)),
    "alexnet_cifar, bare": (nets.alexnet_cifar, dict(lrn=False, pool_size=2), lambda: (
        alexnet_by_hand(CIFAR, "conv5:48", 512, 10, lambda x, _: x, "max2/2"))),
    **{name: (getattr(nets, name), SMALL, lambda c=c: vgg_by_hand(vgg.KERNELS[c], head=DENSE))
       for name, c in [("vgg11", "A"), ("vgg13", "B"), ("vgg16_c", "C"), ("vgg16", "D"),
                       ("vgg19", "E")]},
    "vgg11_lrn": (nets.vgg11_lrn, SMALL, lambda: vgg_by_hand(vgg.KERNELS["A"], "", DENSE, True)),
    "vgg_cifar": (nets.vgg_cifar, {}, lambda: vgg_by_hand(vgg.KERNELS["D"], "bn")),
    "nin": (nets.nin, {}, nin_by_hand),
    "squeezenet": (nets.squeezenet, {}, lambda: squeezenet_by_hand("conv7:96/2v", 1000)),
    "squeezenet_cifar": (nets.squeezenet_cifar, {}, lambda: squeezenet_by_hand("conv3:96", 10)),
    "googlenet_heads": (nets.googlenet_heads, {},
                        lambda: googlenet_by_hand(googlenet_stem(), 1000, heads=True)),
    "googlenet_bn": (nets.googlenet_bn, {},
                     lambda: googlenet_by_hand(then(X, GOOGLENET_BN_STEM), 1000, norm=True)),
    "googlenet_cifar": (nets.googlenet_cifar, dict(heads=True), lambda: googlenet_by_hand(
        then(X, "conv3:40- bn relu"), 10, True, True, fifth, 0.2)),
    "googlenet_cifar, detached": (nets.googlenet_cifar, dict(heads="detached"), lambda:
                                  googlenet_by_hand(then(X, "conv3:40- bn relu"), 10, True,
                                                    "detached", fifth, 0.2)),
    "inception_v3_cifar": (nets.inception_v3_cifar, {}, lambda: inception_v3_by_hand(
        STEM_CIFAR, inception_rows(inception.MODULES_CIFAR))),
    "inception_v3_head": (nets.inception_v3_head, {}, lambda: inception_v3_by_hand(
        STEM, inception_rows(inception.MODULES), True, 1000)),
    "resnet20": (nets.resnet20, {}, resnet_by_hand),
    "resnet20, option B": (nets.resnet20, dict(shortcut="projection"),
                           lambda: resnet_by_hand(projection=True)),
    "resnet20_v2": (nets.resnet20, dict(version=2), lambda: resnet_by_hand(version=2)),
    "resnet20_v2, option B": (nets.resnet20, dict(version=2, shortcut="projection"),
                              lambda: resnet_by_hand(version=2, projection=True)),
    "plain20": (nets.plain_cifar, {}, plain_by_hand),
    "plain20 without BN": (nets.plain_cifar, dict(norm=False), lambda: plain_by_hand("")),
    "resnet18": (nets.resnet18, SMALL, resnet18_by_hand),
    "resnet50": (nets.resnet50, SMALL, resnet50_by_hand),
    "resnet50_v2": (nets.resnet50_v2, SMALL, resnet50_v2_by_hand),
    "resnet_v1": (nets.resnet_v1, {}, lambda: lecture_by_hand(basic_v1, "flatten")),
    "resnet_v1, gap": (nets.resnet_v1, dict(head="gap"), lambda: lecture_by_hand(basic_v1, "gap")),
    "resnet_v2": (nets.resnet_v2, {}, lambda: lecture_by_hand(basic_v2, "bn flatten")),
    "densenet40": (nets.densenet40, {}, lambda: densenet_by_hand(
        3 * [12], LAYER, "conv3:16-", (160, 304))),
    "densenet40 with dropout": (nets.densenet40, dict(drop_rate=0.2), lambda: densenet_by_hand(
        3 * [12], LAYER, "conv3:16-", (160, 304), " drop0.2")),
    "densenet_bc100": (nets.densenet_bc100, {}, lambda: densenet_by_hand(
        3 * [16], WIDE, "conv3:24-", (108, 150))),
    "densenet121": (nets.densenet121, SMALL, lambda: densenet_by_hand(
        (6, 12, 24, 16), "bn5 relu conv1:128- bn5 relu conv3:32-",
        "pad3 conv7:64/2v- bn5 relu pad1 max3/2", (128, 256, 512), classes=1000)),
    "mobilenet": (nets.mobilenet, {}, lambda: mobilenet_by_hand("/2", 1000)),
    "mobilenet_cifar": (nets.mobilenet_cifar, {}, lambda: mobilenet_by_hand("", 10)),
    "mobilenet_v2": (nets.mobilenet_v2, SMALL,
                     lambda: mobilenet_v2_by_hand("/2", (2, 3, 4, 6), 1000)),
    "mobilenet_v2_cifar": (nets.mobilenet_v2_cifar, {}, mobilenet_v2_by_hand),
    "efficientnet_b0": (nets.efficientnet_b0, {}, lambda: efficientnet_by_hand(
        "times0.003922 normalize", "/2", 1000, 1)),
    "efficientnet_cifar": (nets.efficientnet_cifar, {},
                           lambda: efficientnet_by_hand("", "", 10, 1)),
    "unet_2015": (nets.unet_2015, {}, lambda: unet_by_hand(64, 4, "v", "", "drop0.5", [
        "crop88", "crop40", "crop16", "crop4"])),
    "unet_small": (nets.unet_small, {}, lambda: unet_by_hand(8, 2, "", "bn", "", ["", ""])),
    "unet_small with dropout": (nets.unet_small, dict(dropout=0.5), lambda: unet_by_hand(
        8, 2, "", "bn", "drop0.5", ["", ""])),
}


def differences():
    """{net: [lines of its graph, lines by hand, how its kernels start, its name, its exits]}; no
    lines where the two graphs are one."""
    found = {}
    for name, (builder, options, by_hand) in GRAPHS.items():
        with zero_weights():
            model, wanted = builder(**options), by_hand()
        told = [[], []] if drawn(model) == wanted else [lines(drawn(model)), lines(wanted)]
        found[name] = [*told, sorted(set(starts(model))), model.name, sorted(graph.exits(model))]
        keras.backend.clear_session()
    return found


@pytest.mark.parametrize("name", GRAPHS)
def test_the_net_is_wired_as_written_by_hand(name):
    found, wanted, *_ = on_numpy("test_wiring.differences")[name]
    assert found == wanted


def family_of(called):
    """The net of a row of GRAPHS: "googlenet_cifar, detached" is "googlenet_cifar"."""
    return called.split(",")[0].split(" ")[0]


NAMES = {  # where it is not the name above
    "googlenet_heads": "googlenet", "googlenet_bn": "googlenet",
    "inception_v3_head": "inception_v3", "densenet40": "densenet40_k12",
    "densenet_bc100": "densenet100_k12", "mobilenet_cifar": "mobilenet",
    "mobilenet_v2_cifar": "mobilenet_v2"}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_net_is_called_what_it_is(name):
    family = family_of(name)
    assert on_numpy("test_wiring.differences")[name][3] == NAMES.get(family, family)


GLOROT = "GlorotUniform"  # Keras's own; see test_settings for which layer starts how
THIRD = "VarianceScaling 0.333 fan_out uniform"
START = {"nin": [HE], "resnet20": [HE], "plain20": [HE], "resnet18": [GLOROT, HE],
         **dict.fromkeys(("resnet50", "resnet50_v2", "densenet121"), [GLOROT, HE]),
         "resnet_v1": [GLOROT, HE], "resnet_v2": [GLOROT, HE], "densenet40": [GLOROT, HE],
         "densenet_bc100": [GLOROT, HE], "unet_2015": [GLOROT, HE], "unet_small": [GLOROT, HE],
         "efficientnet_b0": [THIRD, FAN_OUT], "efficientnet_cifar": [THIRD, FAN_OUT]}


@pytest.mark.parametrize("name", GRAPHS)
def test_its_kernels_start_in_these_ways_and_no_other(name):
    family = family_of(name).replace("resnet20_v2", "resnet20")
    assert on_numpy("test_wiring.differences")[name][2] == START.get(family, [GLOROT])


def test_another_wire_or_setting_would_be_noticed():
    x, y = then(X, "conv3:4 relu"), then(X, "conv3:4- relu")
    assert x != y != then(X, "relu conv3:4-") and join("concat", x, y) != join("concat", y, x)
    assert lines(then(X, "conv3:4 relu")) == ["0 x ← []", "1 conv3:4 ← [0]", "2 relu ← [1]"]
