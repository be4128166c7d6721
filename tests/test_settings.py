"""What a graph's words leave open: how weights start, dropout and BN of every net, last layers.

Each table stands beside its source. What is in no table must be what Keras takes by default.
"""

import inspect
import json

import keras
import numpy as np
import pytest
from graphs import drawn, on_numpy, starts, word, zero_weights
from keras import layers, ops

from keras_cases import blocks, nets
from keras_cases.analysis import graph

# every builder, as small as it can be built
SMALL = {
    **dict.fromkeys(("lenet5", "lenet5_1998", "alexnet_cifar", "nin", "squeezenet_cifar",
                     "inception_v3_cifar", "inception_v3_head", "resnet20", "resnet32",
                     "resnet44", "resnet56", "resnet110", "resnet_v1", "resnet_v2", "densenet40",
                     "densenet_bc100", "unet_2015", "unet_small", "mobilenet_cifar",
                     "mobilenet_v2_cifar", "efficientnet_cifar"), {}),
    **dict.fromkeys(("vgg11", "vgg11_lrn", "vgg13", "vgg16_c", "vgg16", "vgg19", "googlenet",
                     "googlenet_bn", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
                     "resnet50_v2", "resnet101_v2", "resnet152_v2", "densenet121", "densenet169",
                     "densenet201", "mobilenet", "mobilenet_075", "mobilenet_050", "mobilenet_025",
                     "mobilenet_v2", "mobilenet_v2_140", "efficientnet",
                     *[f"efficientnet_b{n}" for n in range(8)]), dict(input_shape=(32, 32, 3))),
    "alexnet": dict(input_shape=(67, 67, 3)), "alexnet_ungrouped": dict(input_shape=(67, 67, 3)),
    "vgg_cifar": dict(width=0.25), "squeezenet": dict(input_shape=(35, 35, 3)),
    "googlenet_heads": dict(input_shape=(65, 65, 3)), "googlenet_cifar": dict(heads=True),
    "inception_v3": dict(input_shape=(75, 75, 3)), "unet": dict(input_shape=(188, 188, 1)),
    "resnet_cifar": dict(depth=8), "plain_cifar": dict(depth=8), "densenet_cifar": dict(depth=16),
}
read_once = pytest.mark.xdist_group("settings")  # the nets are built once, in one process


def build(net, **options):
    return getattr(nets, net)(**{**SMALL[net], **options})


# Read from the graphs, on the NumPy backend: dropout, batch normalization, last layers

def read_all():
    """Of every builder: its dropout rates, its BN settings, its last layers' words with tanh."""
    found = {}
    for net in SMALL:
        with zero_weights():
            model = build(net, classifier_activation="tanh")
        rates = [node.operation.rate for node in graph.walk(model)
                 if isinstance(node.operation, layers.Dropout)]
        norms = {(n.momentum, n.epsilon, n.center, n.scale) for n in model.layers
                 if isinstance(n, layers.BatchNormalization)}
        last = [word(graph.find(model, t._keras_history.operation.name)) for t in model.outputs]
        found[net] = dict(rates=rates, norms=sorted(norms), last=last)
        keras.backend.clear_session()
    return found


def test_every_builder_is_here():
    builders = {name for name, value in vars(nets).items()
                if callable(value) and value.__module__.startswith("keras_cases.nets.")}
    assert builders - set(SMALL) == {"digit_codes", "compound_scaling", "output_size"}


@read_once
@pytest.mark.parametrize("net", SMALL)
def test_classifier_activation_reaches_every_last_layer_and_is_softmax_by_default(net):
    last = on_numpy("test_settings.read_all")[net]["last"]
    assert len(last) == {"heads": 3, "head": 2}.get(net.split("_")[-1], 3 if SMALL[net].get(
        "heads") else 1)
    assert all(text == "tanh" or text.endswith("+tanh") for text in last)
    parameters = inspect.signature(getattr(nets, net)).parameters
    passes_on = [p.kind for p in parameters.values()][-1] is inspect.Parameter.VAR_KEYWORD
    assert passes_on or parameters["classifier_activation"].default == "softmax"


@pytest.mark.parametrize("net, options", [  # one net of each kind of last layer
    ("lenet5", {}), ("lenet5_1998", {}), ("nin", dict(width=0.1)), ("unet_small", {}),
    ("googlenet_cifar", dict(width=0.05, modules=("3a", "4a", "4d"))),
    ("resnet_cifar", dict(width=0.25)), ("resnet_v2", {})], ids=str)
def test_the_softmax_of_the_logits_is_the_probabilities(net, options):
    model, bare = build(net, **options), build(net, classifier_activation=None, **options)
    bare.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype("float32")
    for wanted, logits in zip(*[found if isinstance(found, list) else [found]
                                for found in (model(x), bare(x))], strict=True):
        np.testing.assert_allclose(*map(ops.convert_to_numpy, (ops.softmax(logits), wanted)),
                                   rtol=1e-4, atol=1e-6)
        assert ops.convert_to_numpy(logits).sum(-1) != pytest.approx(1)


B0 = [0.2 * n / 16 for n in (2, 4, 6, 7, 9, 10, 12, 13, 14)]  # tan and le: 0.2, growing evenly
RATES = {  # in the order of the outputs
    "alexnet": [0.5, 0.5],              # sec. 4.2
    "alexnet_ungrouped": [0.5, 0.5], "alexnet_cifar": [0.5, 0.5],
    **dict.fromkeys(("vgg11", "vgg11_lrn", "vgg13", "vgg16_c", "vgg16", "vgg19"), [0.5, 0.5]),
    "nin": [0.5, 0.5],                  # the authors' model; sec. 4.1 tells no rate
    "squeezenet": [0.5], "squeezenet_cifar": [0.5],  # sec. 3.3: 50 % after fire9
    "googlenet": [0.4], "googlenet_bn": [0.4],       # table 1: 40 %
    "googlenet_heads": [0.4, 0.7, 0.7],              # sec. 5: 70 % in the heads
    "googlenet_cifar": [0.2, 0.7, 0.7],
    "inception_v3": [0.2], "inception_v3_head": [0.2], "inception_v3_cifar": [0.2],  # released
    "unet": [0.5, 0.5], "unet_2015": [0.5, 0.5],     # the released net
    "efficientnet": [*B0, 0.2], "efficientnet_b0": [*B0, 0.2], "efficientnet_cifar": [*B0, 0.2],
}
LAST = {1: 0.2, 2: 0.3, 3: 0.3, 4: 0.4, 5: 0.4, 6: 0.5, 7: 0.5}  # EfficientNet, as released


@read_once
@pytest.mark.parametrize("net", SMALL)
def test_dropout_rates_are_the_papers(net):
    rates = on_numpy("test_settings.read_all")[net]["rates"]
    if net[-1].isdigit() and net.startswith("efficientnet_b") and net != "efficientnet_b0":
        assert rates.pop() == LAST[int(net[-1])] and max(rates) < 0.2
        assert rates == sorted(rates) and len(set(rates)) == len(rates)
    else:
        assert rates == pytest.approx(RATES.get(net, []))


KERAS = [0.99, 1e-3, True, True]
TORCH_EPSILON = [0.99, 1.001e-5, True, True]  # what Keras's ResNet and DenseNet took over
NO_GAMMA = [0.99, 1e-3, True, False]
NORMS = {
    **dict.fromkeys(("resnet50", "resnet101", "resnet152", "resnet50_v2", "resnet101_v2",
                     "resnet152_v2", "densenet121", "densenet169", "densenet201", "densenet40",
                     "densenet_bc100", "densenet_cifar"), [TORCH_EPSILON]),
    **dict.fromkeys(("resnet18", "resnet34"), [TORCH_EPSILON, KERAS]),  # stem and blocks
    **dict.fromkeys(("inception_v3", "inception_v3_head", "inception_v3_cifar"), [NO_GAMMA]),
    **dict.fromkeys(("lenet5", "lenet5_1998", "alexnet", "alexnet_ungrouped", "alexnet_cifar",
                     "vgg11", "vgg11_lrn", "vgg13", "vgg16_c", "vgg16", "vgg19", "nin",
                     "squeezenet", "squeezenet_cifar", "googlenet", "googlenet_heads", "unet",
                     "unet_2015"), []),
}


@read_once
@pytest.mark.parametrize("net", SMALL)
def test_batch_normalization_is_set_as_the_table_says(net):
    found = json.loads(json.dumps(on_numpy("test_settings.read_all")[net]["norms"]))
    assert found == NORMS.get(net, [KERAS])


# How weights start: the variance that each rule wants of a kernel, by its fans

RULES = {
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "he": lambda fan_in, fan_out: 2 / fan_in,        # He et al. 2015, for what relu follows
    "fan_out": lambda fan_in, fan_out: 2 / fan_out,  # EfficientNet's released code
    "third": lambda fan_in, fan_out: 1 / 3 / fan_out,
}
STARTS = {  # net: (options, of its convolutions, of its last layer)
    "lenet5": ({}, "glorot", "glorot"), "alexnet_cifar": ({}, "glorot", "glorot"),
    "vgg_cifar": (dict(width=0.25), "glorot", "glorot"), "nin": ({}, "he", "he"),
    "googlenet_cifar": ({}, "glorot", "glorot"), "inception_v3_cifar": ({}, "glorot", "glorot"),
    "squeezenet_cifar": ({}, "glorot", "glorot"),
    "resnet_cifar": (dict(depth=8), "he", "he"), "plain_cifar": (dict(depth=8), "he", "he"),
    "resnet_v1": ({}, "glorot", "he"), "resnet_v2": ({}, "glorot", "he"),  # the lecture's
    "resnet18": ({}, "he", "glorot"), "resnet50": ({}, "he", "glorot"),
    "resnet50_v2": ({}, "he", "glorot"), "densenet_cifar": (dict(depth=16), "he", "glorot"),
    "densenet_bc100": ({}, "he", "glorot"), "densenet121": ({}, "he", "glorot"),
    "unet_small": ({}, "he", "glorot"), "mobilenet_cifar": ({}, "glorot", "glorot"),
    "mobilenet_v2_cifar": ({}, "glorot", "glorot"),
    "efficientnet_cifar": ({}, "fan_out", "third"),
}


def deviations():
    """{net: [kernel, its variance against the rule's, how far chance may put it]}."""
    keras.utils.set_random_seed(0)
    found = {}
    for net, (options, convolutions, last) in STARTS.items():
        found[net] = list(against_rules(build(net, **options), convolutions, last))
        keras.backend.clear_session()
    return found


def against_rules(model, convolutions, last):
    """(kernel, its variance against the rule's, numbers in it); last, that the rest is 0 or 1."""
    kernels = [layer for layer in model.layers if hasattr(layer, "kernel")]
    for layer in kernels:
        k = ops.convert_to_numpy(layer.kernel)
        fan_out, fan_in = k[..., 0, :].size, k[..., 0].size
        wanted = RULES[last if layer is kernels[-1] else convolutions](fan_in, fan_out)
        yield f"{layer.name} {k.shape}", float((k**2).mean() / wanted), k.size
    rest = [ops.convert_to_numpy(w) for w in model.weights
            if w.name not in ("kernel", "count") and "seed" not in w.path]
    yield "biases and BN", float(all(set(np.unique(w)) <= {0, 1} for w in rest)), 10**6


def near(ratio, size):
    return abs(ratio - 1) < 6 * np.sqrt(2 / size)  # a normal's; others vary less


@read_once
@pytest.mark.parametrize("net", STARTS)
def test_kernels_start_with_the_variance_of_their_rule(net):
    for kernel, ratio, size in on_numpy("test_settings.deviations")[net]:
        assert near(ratio, size), kernel


# Dropout: off when answering, on when training

@pytest.mark.parametrize("net, options", [
    ("lenet5", dict(dropout=0.5)), ("alexnet_cifar", {}), ("nin", dict(width=0.1)),
    ("squeezenet_cifar", dict(width=0.1)), ("googlenet_cifar", dict(width=0.05, modules=("3a", "4a", "4d"))),
    ("inception_v3_cifar", dict(width=0.5)), ("vgg_cifar", dict(width=0.1, dropout=0.5)),
    ("unet_small", dict(dropout=0.5)), ("densenet_cifar", dict(drop_rate=0.5)),
    ("efficientnet_cifar", dict(width_coefficient=0.25)),
], ids=lambda value: value if isinstance(value, str) else "")
def test_a_net_answers_twice_alike_and_in_training_it_does_not(net, options):
    model = build(net, **options)
    x = np.random.default_rng(0).normal(size=(2, *model.input_shape[1:])).astype("float32")

    def answers(training):
        found = model(x, training=training)
        return [ops.convert_to_numpy(f) for f in (found if isinstance(found, list) else [found])]

    for first, second in zip(answers(False), answers(False)):
        np.testing.assert_array_equal(first, second)
    for norm in (n for n in model.layers if isinstance(n, layers.BatchNormalization)):
        norm.trainable = False  # its batch statistics are no dropout
    for first, second in zip(answers(True), answers(True)):
        assert np.abs(first - second).max() > 0


# Options that a graph does not show

@pytest.mark.parametrize("block", [blocks.res_block_v1, blocks.res_block_v2])
@pytest.mark.parametrize("options", [dict(), dict(shortcut="pad", strides=2)], ids=str)
def test_zero_init_residual_starts_a_block_as_its_shortcut(block, options):
    x = keras.Input((4, 4, 3))
    wide = 3 if not options else 5
    image = np.abs(np.random.default_rng(0).normal(size=(2, 4, 4, 3))).astype("float32")
    model = keras.Model(x, block(x, 3, wide, zero_init_residual=True, **options))
    wanted = image if not options else np.pad(image[:, ::2, ::2], [(0, 0)] * 3 + [(0, 2)])
    np.testing.assert_allclose(ops.convert_to_numpy(model(image)), wanted, atol=1e-6)
    usual = keras.Model(x, block(x, 3, wide, **options))
    assert not np.allclose(ops.convert_to_numpy(usual(image)), wanted, atol=1e-2)


@pytest.mark.parametrize("block", [blocks.res_block_v1, blocks.res_block_v2])
def test_kernel_initializer_is_that_of_every_kernel_but_one_that_starts_at_zero(block):
    x = keras.Input((4, 4, 3))
    model = keras.Model(x, block(x, 3, 5, kernel_initializer="he_normal"))
    assert starts(model) == 3 * ["HeNormal"]
    model = keras.Model(x, block(x, 3, 5, kernel_initializer="he_normal", zero_init_residual=True))
    zero = [] if block.__name__ == "res_block_v1" else ["Zeros"]
    assert sorted(starts(model)) == ["HeNormal"] * (3 - len(zero)) + zero


@pytest.mark.parametrize("version", [1, 2])
def test_a_resnet_can_start_with_every_block_as_its_shortcut(version):
    model = nets.resnet_cifar(8, version, zero_init_residual=True)
    way = keras.Model(model.input, [model.get_layer(name).output
                                    for name in ("stem", "stage1_block1")])
    stem, block = way(np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype("float32"))
    np.testing.assert_allclose(*map(ops.convert_to_numpy, (block, stem)), atol=1e-6)


@pytest.mark.parametrize("block", [blocks.res_block_v1, blocks.res_block_v2])
def test_option_a_takes_every_second_pixel_and_puts_its_zeros_last(block):
    x = keras.Input((5, 5, 2))
    model = keras.Model(x, block(x, 2, 5, 2, shortcut="pad", activation="linear"))
    for layer in model.layers:  # a silent residual leaves the shortcut
        layer.set_weights([np.zeros_like(w) for w in layer.get_weights()])
    image = np.random.default_rng(0).normal(size=(2, 5, 5, 2)).astype("float32")
    found = ops.convert_to_numpy(model(image))
    np.testing.assert_array_equal(found[..., :2], image[:, ::2, ::2])
    np.testing.assert_array_equal(found[..., 2:], 0)


@pytest.mark.parametrize("options", [dict(), dict(strides=2), dict(strides=2, shortcut="pad")],
                         ids=str)
def test_the_shortcut_of_version_2_is_the_raw_input_whatever_its_sign(options):
    """Output minus residual branch: the input's own values, negative ones too, unnormalized."""
    x = keras.Input((4, 4, 3))
    model = keras.Model(x, blocks.res_block_v2(x, 3, 3, **options))
    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            kernel, bias = layer.get_weights()
            one = layer.kernel_size == (1, 1)  # the projection as the identity, the rest silent
            layer.set_weights([np.eye(3).reshape(kernel.shape) if one else 0 * kernel, bias])
    image = np.random.default_rng(0).normal(size=(2, 4, 4, 3)).astype("float32")
    s = options.get("strides", 1)
    np.testing.assert_allclose(ops.convert_to_numpy(model(image)), image[:, ::s, ::s], rtol=1e-6)
    assert image[:, ::s, ::s].min() < 0


@pytest.mark.parametrize("norm", [False, True])
def test_the_halves_of_a_unet_take_any_size(norm):
    def halves(side):
        x = keras.Input((side, side, 3))
        down = blocks.encoder_block(x, 4, norm=norm)
        with zero_weights():
            return drawn(keras.Model(x, blocks.decoder_block(down, x, 2, norm=norm)))

    assert halves(None) == halves(8)


def test_local_response_norm_survives_float16():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        x = keras.Input((2, 2, 5), dtype="float16")
        y = blocks.local_response_norm(x)
        found = keras.Model(x, y)(np.full((1, 2, 2, 5), 200, "float16"))
    finally:
        keras.config.set_dtype_policy("float32")
    assert keras.backend.standardize_dtype(found.dtype) == "float16"
    middle = 200 / (2 + 1e-4 * 5 * 200**2)**0.75  # 200² · 5 is past float16's 65,504
    assert float(found[0, 0, 0, 2]) == pytest.approx(middle, rel=2e-3)


@pytest.mark.parametrize("block", [
    lambda x, s: blocks.res_block_v1(x, 8, 8, s), lambda x, s: blocks.res_block_v2(x, 8, 8, s),
    lambda x, s: blocks.bottleneck_block_v1(x, 2, s),
    lambda x, s: blocks.bottleneck_block_v2(x, 2, s),
    lambda x, s: blocks.inverted_residual_block(x, 8, s),
    lambda x, s: blocks.mbconv_block(x, 8, strides=s)], ids=range(6))
def test_strides_are_one_number_or_two_and_sides_may_be_unknown(block):
    x = keras.Input((None, None, 8))
    for one, two in [(1, (1, 1)), (2, (2, 2)), (1, [1, 1])]:
        assert drawn(keras.Model(x, block(x, one))) == drawn(keras.Model(x, block(x, two)))
    image = np.zeros((1, 5, 7, 8), "float32")
    for strides, shape in [((1, 1), (1, 5, 7, 8)), ((2, 2), (1, 3, 4, 8))]:
        assert tuple(keras.Model(x, block(x, strides))(image).shape) == shape


@pytest.mark.parametrize("builder", [nets.nin, nets.lenet5, nets.resnet20, nets.unet_small])
def test_channels_first_is_refused_in_words(builder):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="channels last; keras.config.set_image_data_format"):
            builder()
    finally:
        keras.config.set_image_data_format("channels_last")
