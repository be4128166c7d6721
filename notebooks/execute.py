"""Runs notebooks from end to end in fresh kernels, showing how far each has come.

    python execute.py NOTEBOOK …                  stores the outputs in the notebooks themselves
    python execute.py --folder OUT NOTEBOOK …     leaves them; writes OUT/NAME.ipynb, .html, figures

nbconvert does the work; here is only which of its preprocessors run, and what is said meanwhile.
"""

import argparse
import base64
import io
import os
import sys
import time
from pathlib import Path

import nbformat
from nbconvert import HTMLExporter
from nbconvert.preprocessors import (
    CellExecutionError, ClearMetadataPreprocessor, ExecutePreprocessor, ExtractOutputPreprocessor,
    Preprocessor)
from PIL import Image, ImageChops, ImageStat


class Execute(ExecutePreprocessor):
    """nbconvert's, which also says how far it has come."""

    heading, started, name = "", 0.0, ""

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "markdown":
            titles = [line for line in cell.source.splitlines() if line.startswith("#")]
            self.heading = titles[-1].lstrip("# ") if titles else self.heading
        elif cell.cell_type == "code":
            done = sum(c.cell_type == "code" for c in self.nb.cells[:index])
            count = sum(c.cell_type == "code" for c in self.nb.cells)
            text = (f"{self.name}  {'█' * (20 * done // count):<20} {done:>3}/{count}  "
                    f"{time.perf_counter() - self.started:4.0f} s  {self.heading[:60]}")
            if sys.stdout.isatty():
                print(f"\r\033[K{text}", end="", flush=True)
            elif done % 5 == 0:
                print(text, flush=True)
        return super().preprocess_cell(cell, resources, index)


class Quiet(Preprocessor):
    """Drops stderr, where libraries write the time, and gives figures a palette: a third as large."""

    def preprocess_cell(self, cell, resources, index):
        if cell.cell_type == "code":
            cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
            for output in cell.outputs:
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = smaller(output.data["image/png"])
        return cell, resources


def smaller(png):
    """A PNG (base64) with 256 colours where nobody sees the difference, else as it is."""
    picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    few, file = picture.quantize(256, dither=Image.Dither.NONE), io.BytesIO()
    few.save(file, "PNG", optimize=True)
    apart = max(ImageStat.Stat(ImageChops.difference(picture, few.convert("RGB"))).mean)
    found = base64.b64encode(file.getvalue()).decode()
    return found if apart < 0.5 and len(found) < len(png) else png


def execute(path, folder=None, timeout=1800):
    """Runs one notebook and writes it; returns whether every cell ran."""
    os.environ.pop("MPLBACKEND", None)  # the kernel would obey it and store no figures
    notebook = nbformat.read(path, as_version=4)
    run = Execute(timeout=timeout, kernel_name="python3")
    run.name, run.started, failed = path.name, time.perf_counter(), None
    try:
        run.preprocess(notebook, {"metadata": {"path": str(path.parent)}})
    except CellExecutionError as error:
        failed = error
    resources = {}
    for step in (Quiet(enabled=True), ClearMetadataPreprocessor(  # times, the kernel's version
            enabled=True, preserve_cell_metadata_mask={("tags",), ("nbgrader",), ("jupyter",)},
            preserve_nb_metadata_mask={("language_info", "name")})):
        notebook, resources = step(notebook, resources)
    notebook.metadata["kernelspec"] = {
        "display_name": "Python 3", "language": "python", "name": "python3"}
    print(f"{chr(13) if sys.stdout.isatty() else ''}{path.name}: "
          f"{'FAILED' if failed else 'done'} in {time.perf_counter() - run.started:.0f} s")
    if failed:
        print(f"In the part “{run.heading}”:\n{str(failed)[-2000:]}", file=sys.stderr)
    if folder:
        leave(notebook, path, Path(folder))
    elif not failed:
        nbformat.write(notebook, path)
    return not failed


def leave(notebook, path, folder):
    """Writes the executed notebook, an HTML page of it and its figures, and says where."""
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / path.name)
    page = folder / path.with_suffix(".html").name
    page.write_text(HTMLExporter(embed_images=True).from_notebook_node(notebook)[0], "utf-8")
    figures = folder / f"{path.stem}_figures"
    figures.mkdir(exist_ok=True)
    for old in figures.glob("*.png"):
        old.unlink()
    extract = ExtractOutputPreprocessor(
        enabled=True, output_filename_template="cell{cell_index}_{index}{extension}")
    found = extract(notebook, {"outputs": {}})[1]["outputs"]
    pictures = {name: data for name, data in found.items() if name.endswith(".png")}
    for name, data in pictures.items():
        (figures / name).write_bytes(data)
    print(f"  notebook  {folder / path.name}\n  page      {page}\n"
          f"  figures   {figures}/ ({len(pictures)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--folder", help="write there and leave the notebooks as they are")
    given = parser.parse_args()
    return 0 if all([execute(path, given.folder) for path in given.notebooks]) else 1


if __name__ == "__main__":
    sys.exit(main())
