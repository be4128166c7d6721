"""Which fact kills which bug: bugs by the thousand, made by changing the source of blocks and nets.

    python benchmarks/mutants.py                     # half an hour of one core; writes mutants.md
    python benchmarks/mutants.py residual nets/vgg   # these files of blocks or nets
    python benchmarks/mutants.py training            # the bugs of mutants_training.py
    python benchmarks/mutants.py page                # mutants.md anew, from mutants.json

What is found of a file is kept in mutants.json, so that after a change only its file need be run.

A generated bug is one change of a source (generate_mutants.py); it is killed by the first fact that
the tests hold of that block or net (mutant_facts.py), on the NumPy backend. Bugs that somebody
named are below; those of data, training and weights are in mutants_training.py, on PyTorch.
"""

import ast
import collections
import gc
import inspect
import itertools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "numpy"
ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "benchmarks")]

import keras  # noqa: E402
import test_blocks  # noqa: E402
from generate_mutants import Change, changes  # noqa: E402
from mutant_facts import NET_FILES, Stillborn, of_block, of_net  # noqa: E402
from mutants_equivalent import EQUIVALENT  # noqa: E402

from keras_cases import blocks  # noqa: E402

STORED = ROOT / "benchmarks" / "mutants.json"
gc.freeze()  # what is loaded by now stays: a fifth of the time saved
# of the generated bugs, how many lived when first judged: a tally made by hand while they were killed
BEFORE = "about 80 (a tally)"
NAMED = [  # (file of nets or block, function, bug, the source as it is, as it would be): all lived
    ("res_block_v2", "", "its shortcut reads the normalized, activated tensor: identity, projection, pad",
     "res_x = layers.BatchNormalization()(x)\n    res_x = layers.Activation(activation)(res_x)\n",
     "res_x = layers.BatchNormalization()(x)\n    x = res_x = layers.Activation(activation)(res_x)\n"),
    ("res_block_v1", "", "option A takes the maximum of 2×2 pixels", "MaxPooling2D(1, strides)",
     'MaxPooling2D(2, strides, "same")'),
    ("res_block_v2", "", "option A takes the mean of 2×2 pixels", "MaxPooling2D(1, strides)",
     'AveragePooling2D(2, strides, "same")'),
    ("res_block_v1", "", "option A puts its zeros first", "[0, extra]]", "[extra, 0]]"),
    ("res_block_v1", "", "option A puts its zeros on both sides", "[0, extra]]",
     "[extra // 2, extra - extra // 2]]"),
    ("dense_block", "", "its dropout never switches off", "layers.Dropout(drop_rate)(y)",
     "layers.Dropout(drop_rate)(y, training=True)"),
    ("mbconv_block", "", "its kernels start 100 times as large", "scale=2.0", "scale=20000.0"),
    ("auxiliary_classifier", "", "dropout of 0.3", "dropout=0.7", "dropout=0.3"),
    ("unet", "unet", "the skip is taken after the first convolution of a level",
     "encoders.append(x)", "encoders.append(keras.Model(inputs, x).layers[-3].output)"),
    ("unet", "unet", "the skip is taken before the dropout of level 4",
     "            x = layers.Dropout(dropout, name=exit_name)(x)\n        encoders.append(x)\n",
     "            encoders.append(x)\n            x = layers.Dropout(dropout, name=exit_name)(x)\n"
     "        else:\n            encoders.append(x)\n"),
    ("googlenet", "googlenet", "local response normalization behind the pool",
     "        x = local_response_norm(x)\n    x = layers.MaxPooling2D(3, strides=2, padding=\"same\", name=\"stem\")(x)\n",
     "        pass\n    x = layers.MaxPooling2D(3, strides=2, padding=\"same\", name=\"stem\")(x)\n"
     "    x = x if batch_norm else local_response_norm(x)\n"),
    ("googlenet", "googlenet", "no local response normalization", "    if not batch_norm:\n"
     "        x = local_response_norm(x)\n    x = conv(x, 64, 1)\n", "    x = conv(x, 64, 1)\n"),
    ("resnet_cifar", "plain_cifar", "batch normalization behind its relu",
     "        if norm:\n            x = layers.BatchNormalization()(x)\n"
     "        return layers.Activation(\"relu\", name=name)(x)\n",
     "        x = layers.Activation(\"relu\", name=name)(x)\n"
     "        return layers.BatchNormalization()(x) if norm else x\n"),
    ("densenet", "_imagenet_net", "a stem without activation",
     "    x = layers.Activation(\"relu\")(x)\n    x = layers.ZeroPadding2D(1)(x)\n",
     "    x = layers.ZeroPadding2D(1)(x)\n"),
]


def generated(only=()):
    """(file, change, killed by) of every generated bug."""
    files = {row.block.__name__: f"blocks/{Path(inspect.getfile(row.block)).stem}"
             for row in test_blocks.ROWS}
    for name, file in sorted(files.items(), key=lambda item: item[::-1]):
        if not only or file in only or file.split("/")[1] in only:
            tree = ast.parse(inspect.getsource(getattr(blocks, name)))
            yield from judged(file, tree, lambda change: of_block(name, change.tree))
    for module in NET_FILES:
        file = f"nets/{module.__name__.split('.')[-1]}"
        if not only or file in only:
            tree = ast.parse(inspect.getsource(module))
            yield from judged(file, tree, lambda change: of_net(module, change))


def judged(file, tree, fact_of):
    for i, change in enumerate(changes(tree)):
        known = (change.function, change.kind, change.what, change.code) in EQUIVALENT
        try:
            yield file, change, None if known else fact_of(change)
        except Stillborn:
            pass
        if i % 50 == 49:
            keras.backend.clear_session()


def named():
    """Rows of the bugs of NAMED. Raises: ValueError where one does not fit its source any more."""
    for where, function, bug, old, new in NAMED:
        module = next((m for m in NET_FILES if m.__name__.split(".")[-1] == where and function), None)
        source = inspect.getsource(module or getattr(blocks, where))
        if source.count(old) != 1:
            raise ValueError(f"{where} holds {old!r} {source.count(old)} times: mend the row.")
        tree = ast.parse(source.replace(old, new))
        fact = of_net(module, Change(function, "", "", "", tree)) if module else of_block(where, tree)
        yield f"| {'nets/' if module else ''}{where} | {bug} | lived | {fact or 'ALIVE'} |"


def training():
    """Rows of the bugs of mutants_training.py, each told as it is judged."""
    done = subprocess.run([sys.executable, str(ROOT / "benchmarks" / "mutants_training.py")],
                          env={**os.environ, "KERAS_BACKEND": "torch"}, text=True, check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return [line for line in done.stdout.splitlines() if line.startswith("| ")]


def table(counts, ends):
    """Markdown: a row for each name in counts and one for all."""
    lines = [f"| | bugs | {' | '.join(ends)} |", "|:--|" + (len(ends) + 1) * "--:|"]
    for name, found in [*counts.items(), ("all", sum(counts.values(), collections.Counter()))]:
        numbers = " | ".join(str(found[end] or "") for end in ends)
        lines.append(f"| {name} | {found.total():,} | {numbers} |")
    return "\n".join(lines)


PAGE = """# Bugs, and what kills them

Written by `python benchmarks/mutants.py` ({minutes:.0f} minutes of one core). A bug lives if every
fact of the tests holds in spite of it.

| bugs | | lived before | live now |
|:--|--:|--:|--:|
| generated: every small change of the source | {generated:,} | {before} | {alive} |
| named in a review: blocks and nets | {named} | {named} | {named_alive} |
| data, training and loss weights: named in a review | {lived} | {lived} | {lived_alive} |
| and looked for since | {siblings} | not known | {siblings_alive} |
| of published copies | {published} | 0 | {published_alive} |

## Generated

Each is one change that a tired hand could make (`generate_mutants.py` lists them), in a function or
a stage table of a block or a net, and is judged by the tests' own facts (`mutant_facts.py`). One
that no test could ever run, as it reads a name before it is there, is not counted.

{kinds}

{files}

{waiting}What killed them:

{facts}

The equivalent ones are the same net, and why (`mutants_equivalent.py`):

{same}

## Blocks and nets: named in a review

| where | bug | before | killed by |
|:--|:--|:--|:--|
{named_rows}

## Data, training and loss weights

Each is written into a copy of the package, on which the test runs (`mutants_training.py`).

| file | bug | before | killed by |
|:--|:--|:--|:--|
{training_rows}

## Bugs of published copies

Each row is a real or likely bug written into our block (`tests/rows/`), with the first fact of
`tests/test_blocks.py` that shows it.

| block | bug | killed by |
|:--|:--|:--|
{published_rows}
"""


def judge(file, only_here):
    """What became of the generated bugs of one file, as JSON can hold it."""
    found = {"kinds": collections.defaultdict(collections.Counter), "facts": collections.Counter(),
             "same": collections.defaultdict(collections.Counter), "alive": []}
    start = time.process_time()
    for _, change, fact in only_here:
        key = change.function, change.kind, change.what, change.code
        reason = EQUIVALENT.get(key)
        end = "killed" if fact else "equivalent" if reason else "alive"
        found["kinds"][change.kind][end] += 1
        if fact:
            found["facts"][fact] += 1
        elif reason:
            found["same"][reason][change.function] += 1
        else:
            found["alive"].append(key)
            print("ALIVE", file, key, flush=True)
    return found | {"seconds": round(time.process_time() - start)}


def page(files, told):
    """The text of mutants.md, from what `judge` found in each file and `training` told."""
    kinds, counts, facts, same = (collections.defaultdict(collections.Counter) for _ in range(4))
    for file, found in sorted(files.items()):
        for kind, ends in found["kinds"].items():
            kinds[kind].update(ends)
            counts[file].update(ends)
        facts["all"].update(found["facts"])
        for reason, functions in found["same"].items():
            same[reason].update(functions)
    ends = ["killed", "equivalent", "alive"]
    rows = dict(named_rows=[*named()], training_rows=told, published_rows=[
        f"| `{m.block.__name__}` | {m.bug} | {test_blocks.killed_by(m) or 'ALIVE'} |"
        for m in test_blocks.MUTANTS])
    lived = [row for row in rows["training_rows"] if "| lived |" in row]
    total = sum(counts.values(), collections.Counter())
    numbers = dict(generated=total.total(), before=BEFORE, alive=total["alive"])
    for name, some in [("named", rows["named_rows"]), ("lived", lived),
                       ("siblings", [r for r in rows["training_rows"] if r not in lived]),
                       ("published", rows["published_rows"])]:
        numbers |= {name: len(some), f"{name}_alive": sum("ALIVE" in row for row in some)}
    print(numbers)
    names = {f"nets/{module.__name__.split('.')[-1]}" for module in NET_FILES}
    late = ", ".join(sorted(names - set(files)))
    return PAGE.format(
        waiting=f"Not judged yet: {late}.\n\n" if late else "",
        minutes=sum(found["seconds"] for found in files.values()) / 60, **numbers,
        kinds=table(dict(sorted(kinds.items())), ends), files=table(counts, ends),
        facts="\n".join(f"- {count:,}: {fact}" for fact, count in facts["all"].most_common()),
        same="\n".join(f"- {reason} ({', '.join(f'`{f}`' for f in found)}: {found.total()})"
                       for reason, found in same.items()),
        **{name: "\n".join(some) for name, some in rows.items()})


def main(only):
    for file, changes_of_it in itertools.groupby(generated(only), key=lambda each: each[0]):
        found = judge(file, changes_of_it)
        store(file, found)
        counts = sum(map(collections.Counter, found["kinds"].values()), collections.Counter())
        print(file, dict(counts), found["seconds"], "s", flush=True)
    if not only or only == ["training"]:
        store("training", training())
    if not only or only == ["page"]:
        files = stored()
        text = page(files, files.pop("training"))
        (ROOT / "benchmarks" / "mutants.md").write_text(text, encoding="utf-8")


def store(key, found):
    STORED.write_text(json.dumps(stored() | {key: found}, indent=1) + "\n", encoding="utf-8")


def stored():
    """What was found so far, file by file."""
    return json.loads(STORED.read_text(encoding="utf-8")) if STORED.exists() else {}


if __name__ == "__main__":
    main(sys.argv[1:])
