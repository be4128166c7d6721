"""Runs notebooks from end to end in fresh kernels, showing how far each has come.

    python execute.py NOTEBOOK …                  stores the outputs in the notebooks themselves
    python execute.py --folder OUT NOTEBOOK …     leaves them; writes OUT/NAME.ipynb, .html, figures
"""

import argparse
import base64
import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError


def execute(path, folder=None, timeout=1800):
    """Runs one notebook and writes it; returns whether every cell ran."""
    os.environ.pop("MPLBACKEND", None)  # the kernel would obey it and store no figures
    notebook = nbformat.read(path, as_version=4)
    code = [i for i, c in enumerate(notebook.cells) if c.cell_type == "code"]
    heading, started = "", time.perf_counter()

    def show(cell, cell_index):
        nonlocal heading
        before = notebook.cells[:cell_index]
        titles = [line for c in before if c.cell_type == "markdown"
                  for line in c.source.splitlines() if line.startswith("#")]
        heading = titles[-1].lstrip("# ") if titles else ""
        done = code.index(cell_index)
        bar = "█" * (20 * done // len(code))
        text = f"{path.name}  {bar:<20} {done:>3}/{len(code)}  {time.perf_counter() - started:4.0f} s"
        if sys.stdout.isatty():
            print(f"\r\033[K{text}  {heading[:60]}", end="", flush=True)
        elif done % 5 == 0:
            print(f"{text}  {heading[:60]}", flush=True)

    client = NotebookClient(notebook, timeout=timeout, kernel_name="python3",
                            resources={"metadata": {"path": str(path.parent)}},
                            on_cell_execute=show)
    failed = None
    try:
        client.execute()
    except CellExecutionError as error:
        failed = error
    clean(notebook)
    print(f"{'' if not sys.stdout.isatty() else chr(13)}{path.name}: "
          f"{'FAILED' if failed else 'done'} in {time.perf_counter() - started:.0f} s")
    if failed:
        print(f"In the part “{heading}”:\n{str(failed)[-2000:]}", file=sys.stderr)
    if folder:
        leave(notebook, path, Path(folder))
    elif not failed:
        nbformat.write(notebook, path)
    return not failed


def clean(notebook):
    """Drops what only this run and machine knew: times, stderr, the kernel's version."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"}}


def leave(notebook, path, folder):
    """Writes the executed notebook, an HTML page of it and its figures, and says where."""
    from nbconvert import HTMLExporter

    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / path.name)
    page = folder / path.with_suffix(".html").name
    page.write_text(HTMLExporter(embed_images=True).from_notebook_node(notebook)[0], "utf-8")
    figures = folder / f"{path.stem}_figures"
    figures.mkdir(exist_ok=True)
    for old in figures.glob("*.png"):
        old.unlink()
    count, title = 0, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            titles = [line for line in cell.source.splitlines() if line.startswith("#")]
            title = titles[-1] if titles else title
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                count += 1
                slug = re.sub(r"\W+", "-", title.lower()).strip("-")[:50]
                image = base64.b64decode(output["data"]["image/png"])
                (figures / f"{count:02}-{slug}.png").write_bytes(image)
    print(f"  notebook  {folder / path.name}\n  page      {page}\n  figures   {figures}/ ({count})")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--folder", help="write there and leave the notebooks as they are")
    given = parser.parse_args()
    return 0 if all([execute(path, given.folder) for path in given.notebooks]) else 1


if __name__ == "__main__":
    sys.exit(main())
