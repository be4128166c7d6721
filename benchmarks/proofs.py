"""All nets in one table: what they hold and cost, what is stated, and how near Keras's they are.

    python benchmarks/proofs.py                 # some minutes; writes proofs.md
    python benchmarks/proofs.py resnet50 vgg16  # some nets, printed only

The nets are the rows of the docstring tables in keras_cases/nets, the stated figures those of
data/published.csv, and the comparisons those of tests/test_parity.py: there is no list here.
"""

import platform
import sys
import time
from pathlib import Path

import keras

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import test_cases  # noqa: E402
import test_parity  # noqa: E402

from keras_cases.records import published  # noqa: E402

PAIRS = {pair[0].__name__: pair for pair in test_parity.PAIRS + test_parity.SLOW_PAIRS}


def stated(net, quantity):
    """The most exact figure that a paper or Keras states, the lectures' only where nothing else."""
    if net not in {figure.net for figure in published()}:
        return "–"
    figures = published(net, quantity)
    figures.sort(key=lambda figure: (figure.source.startswith("lecture"), figure.unit != ""))
    if not figures:
        return "–"
    best = figures[0]
    unit = best.unit and f" {best.unit}"
    return f"{best.value:,.10g}{unit} ({best.source.split(' (')[0].split(';')[0]})"


def parity(net):
    """The name of Keras's net, and the difference of the logits as a share of their spread."""
    if net not in PAIRS:
        return "–", "–"
    found = test_parity.compare(*PAIRS[net])
    keras.backend.clear_session()
    difference = f"{found.difference:.1e}" if found.difference else "0"
    return PAIRS[net][1], f"{difference} (scrambled: {found.scrambled:.1f})"


def row(net):
    parameters, trainable, macs, _, depth = test_cases.facts(net)
    file = test_cases.STATED[net][0].__name__.split(".")[-1]
    macs = f"{macs / 1e9:.3f} G" if macs > 1e8 else f"{macs / 1e6:.2f} M"
    return (f"`{file}.{net}`", depth, f"{parameters:,}", f"{trainable:,}",
            stated(net, "parameters"), macs, stated(net, "MACs"), *parity(net))


def main(nets):
    start = time.process_time()
    lines = ["| net | layers | parameters | trainable | stated | MACs | stated | Keras's net "
             "| difference of the logits |",
             "|:--|--:|--:|--:|:--|--:|:--|:--|:--|"]
    print(*lines, sep="\n", flush=True)
    for net in nets or test_cases.STATED:
        lines.append("| " + " | ".join(map(str, row(net))) + " |")
        print(lines[-1], flush=True)
    if not nets:
        text = HEAD.format(nets=len(test_cases.STATED), keras=keras.__version__,
                           backend=keras.backend.backend(), python=platform.python_version(),
                           minutes=(time.process_time() - start) / 60)
        (ROOT / "benchmarks" / "proofs.md").write_text(text + "\n".join(lines) + "\n",
                                                        encoding="utf-8")


HEAD = """# Every net, proved

Parameters (all, and those that are trained) and multiply-adds of the {nets} nets at the size of
their builders' defaults, beside what is stated; for each net that Keras has too, the largest
difference between the two nets' logits after its random weights and BN statistics were copied
into ours, as a share of the logits' spread; and in brackets the same after two kernels of equal
shape were exchanged, which has to be seen. MACs are multiply-adds; FLOPs = 2 × MACs.

Written by `python benchmarks/proofs.py` in {minutes:.0f} minutes of processor time, on Keras
{keras}, {backend}, Python {python}. The tests hold the same: `tests/test_cases.py` and
`tests/test_parity.py`.

"""

if __name__ == "__main__":
    main(sys.argv[1:])
