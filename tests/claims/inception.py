"""Lesson 05: what the lectures state about the Inception module."""

import bisect
import functools
import math

import keras
from keras import layers

from claims import block, claim
from keras_cases.blocks import inception_module, inception_module_naive
from keras_cases.nets.googlenet import STAGES, googlenet
from keras_cases.analysis.cost import cost
from keras_cases.analysis.receptive_field import receptive_field
from graphs import zero_weights

NAIVE = 64, 128, 32                      # the filters of lecture 2, line 68
REDUCED = 64, 96, 128, 16, 32, 32        # the same behind bottlenecks: GoogLeNet's 3a


@zero_weights()
def module(*filters, side=28, channels=192):
    make = inception_module if len(filters) == 6 else inception_module_naive
    return block(lambda x: make(x, *filters), side, side, channels)


def branches(model):
    """Each branch of a module as a model: 1×1, 3×3, 5×5, pool."""
    return [keras.Model(model.inputs, tensor) for tensor in model.layers[-1].input]


def convolutions(model):
    return [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]


@claim("2-013", "2-014", "2-015", "2-016")
def volume_of_a_branch(row):
    shape = branches(module(*NAIVE))[int(row[2:]) - 13].output_shape[1:]
    return "x".join(map(str, shape))


@claim("2-017", "2-017b")
def stacked_channels(row):
    return module(*(REDUCED if row == "2-017" else NAIVE)).output_shape[-1]


@claim("2-016b")
def parameters_of_the_pool(_):
    weights = branches(module(*NAIVE))[3].count_params()
    return weights, weights > 0


@claim("0-019", "0-019b")
def kernels_and_poolings_of_a_module(row):
    if row == "0-019":
        sizes = {size for layer in convolutions(module(*REDUCED)) for size in layer.kernel_size}
        return " ".join(map(str, sorted(sizes))), len(sizes) > 1
    kinds = {type(layer).__name__ for layer in module(*REDUCED).layers}
    pools = [kind for kind in sorted(kinds) if "Pool" in kind]
    return " ".join(pools), len(pools) > 1


@claim("1-082", "1-082b")
def kernels_that_read_the_same_map(row):
    model = module(*(NAIVE if row == "1-082" else REDUCED))
    sizes = {layer.kernel_size[0] for layer in convolutions(model)
             if layer.input is model.inputs[0]}
    return " ".join(map(str, sorted(sizes)))


@claim("3-021")
def receptive_fields_of_the_branches(_):
    sizes = [receptive_field(branch, branch.layers[-1].name).size[0]
             for branch in branches(module(*REDUCED))]
    return " ".join(map(str, sizes)), len(set(sizes)) > 1


@claim("3-023")
def percent_of_the_multiply_adds_in_each_branch(_):
    model = module(*REDUCED)
    shares = [cost(branch).macs / cost(model).macs for branch in branches(model)]
    return " ".join(f"{100 * share:.1f}" for share in shares), max(shares) < 1


@claim("0-020")
def multiply_adds_of_the_naive_module_for_one_of_the_other(_):
    return round(cost(module(*NAIVE)).macs / cost(module(*REDUCED)).macs, 2)


# --- nine modules --------------------------------------------------------------------------------

@functools.cache
def nine_modules(naive):
    """(multiply-adds, channels at the end, largest share of its input that a 3×3 or 5×5 reads)."""
    macs, share, channels = 0, 0, 192
    for side, stage in zip((28, 14, 7), STAGES, strict=True):
        for _, *filters in stage:
            filters = (filters[0], filters[2], filters[4]) if naive else filters
            each = module(*filters, side=side, channels=channels)
            macs += cost(each).macs
            share = max(share, *(layer.input.shape[-1] / channels for layer in convolutions(each)
                                 if layer.kernel_size != (1, 1)))
            channels = each.output_shape[-1]
    return macs, channels, share


@claim("1-081", "1-081b", "1-084")
def naive_modules_stacked_as_in_googlenet(row):
    if row == "1-081b":
        return nine_modules(naive=True)[1]
    if row == "1-084":
        return nine_modules(naive=False)[2]
    return round(nine_modules(naive=True)[0] / nine_modules(naive=False)[0], 2)


# --- the 5×5, without and with a bottleneck ------------------------------------------------------

@functools.cache
def up_to_5x5(*filters, side=28, channels=192):
    """(products an entry, entries, MACs) of the 5×5, and first of the 1×1 that narrows it."""
    branch = branches(module(*filters, side=side, channels=channels))[2]
    return [(math.prod(conv.kernel.shape[:-1]), math.prod(conv.output.shape[1:]),
             cost(branch)[conv.name].macs) for conv in convolutions(branch)]


def macs_up_to_5x5(*filters, **size):
    return sum(macs for *_, macs in up_to_5x5(*filters, **size))


# row: (the filters, which convolution, which figure of it)
ONE_CONVOLUTION = {
    "2-018": (NAIVE, 0, 0), "2-019": (NAIVE, 0, 1), "2-020": (NAIVE, 0, 2), "2-021": (NAIVE, 0, 2),
    "2-022": (REDUCED, 0, 0), "2-023": (REDUCED, 0, 2), "2-024": (REDUCED, 0, 2),
    "2-025": (REDUCED, 1, 0), "2-026": (REDUCED, 1, 2), "2-027": (REDUCED, 1, 2)}


@claim(*ONE_CONVOLUTION)
def one_convolution_at_28(row):
    filters, conv, figure = ONE_CONVOLUTION[row]
    return up_to_5x5(*filters)[conv][figure]


@claim("2-028", "2-029")
def both_convolutions_at_28(row):
    narrowed = macs_up_to_5x5(*REDUCED)
    times = macs_up_to_5x5(*NAIVE) / narrowed
    return narrowed if row == "2-028" else (round(times, 2), times > 2)


@claim("2-029b")
def fold_for_8_16_32_and_64_bottleneck_filters(_):
    plain = macs_up_to_5x5(*NAIVE)
    times = [plain / macs_up_to_5x5(64, 96, 128, filters, 32, 32) for filters in (8, 16, 32, 64)]
    return (" ".join(str(round(each, 2)) for each in times),
            times == sorted(times, reverse=True) and times[0] > 2 * times[-1])


@claim("2-029c")
def most_bottleneck_filters_that_save(_):
    return bisect.bisect_left(range(1, 193), macs_up_to_5x5(*NAIVE), key=lambda filters:
                              macs_up_to_5x5(64, 96, 128, filters, 32, 32))


@claim("3-011", "3-012", "3-013", "3-014", "3-014b")
def convolutions_at_14(row):
    (_, _, plain), = up_to_5x5(192, 208, 48, side=14, channels=480)
    (_, _, narrow), (_, _, behind) = up_to_5x5(192, 96, 208, 16, 48, 64, side=14, channels=480)
    return {"3-011": plain, "3-012": narrow, "3-013": behind, "3-014": narrow + behind,
            "3-014b": round(plain / (narrow + behind), 2)}[row]


# --- what the bottlenecks save: the module, the nine, the net --------------------------------------

def unnarrowed(x, a, b_reduce, b, c_reduce, c, pool):
    """GoogLeNet's module, but its 3×3 and 5×5 read all of x."""
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    return layers.Concatenate()([
        layers.Conv2D(a, 1)(x), layers.Conv2D(b, 3, padding="same")(x),
        layers.Conv2D(c, 5, padding="same")(x), layers.Conv2D(pool, 1)(pooled)])


@zero_weights()
def macs_of_modules(make, stages):
    x = inputs = keras.Input((28, 28, 192))
    for place, stage in enumerate(stages):
        if place:
            x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        for _, *filters in stage:
            x = make(x, *filters)
    return cost(keras.Model(inputs, x)).macs


@claim("2-029d")
@zero_weights()
def times_cheaper_module_nine_modules_and_net(_):
    wide, narrow = ([macs_of_modules(make, stages) for stages in ([STAGES[0][:1]], STAGES)]
                    for make in (unnarrowed, inception_module))
    net = cost(googlenet()).macs
    pairs = [*zip(wide, narrow), (net - narrow[1] + wide[1], net)]
    return " ".join(f"{a / b:.2f}" for a, b in pairs)
