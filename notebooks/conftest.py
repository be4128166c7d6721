"""The nbval kit: `pytest notebooks --nbval` here, or copy this file beside your own notebooks.

nbval alone skips a cell without an execution count, so a notebook whose outputs were cleared
passes without one comparison, with --nbval-lax too; and it compares stderr, where libraries write the time of day.
"""

import json

import pytest

collect_ignore_glob = ["_*"]  # what `make lesson` and others leave behind


def pytest_collectstart(collector):
    """Leave stderr out of the comparison."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += ("stderr",)


def pytest_itemcollected(item):
    """On a busy machine an output may come later than nbval's 5 seconds after its cell."""
    if hasattr(item, "output_timeout"):
        item.output_timeout = 60


def pytest_collect_file(file_path, parent):
    """One more test for each notebook: that there is something to compare."""
    if file_path.suffix == ".ipynb" and not file_path.name.startswith("."):
        option = parent.config.option
        if getattr(option, "nbval", False) or getattr(option, "nbval_lax", False):
            return NotebookGuard.from_parent(parent, path=file_path)


class NotebookGuard(pytest.File):
    def collect(self):
        yield GuardItem.from_parent(self, name="every code cell has been executed")


class GuardItem(pytest.Item):
    def runtest(self):
        cells = json.loads(self.path.read_text(encoding="utf-8"))["cells"]
        code = [c for c in cells if c["cell_type"] == "code" and "".join(c["source"]).strip()]
        blank = sum(cell.get("execution_count") is None for cell in code)
        silent = not any(cell["outputs"] for cell in code)
        if blank or silent or not code:
            raise VacuousPass(
                f"{self.path.name}: {blank} of {len(code)} code cells hold no execution count"
                f"{' and none an output' if silent else ''}; nbval would pass it without comparing. "
                "Execute it and store its outputs: jupyter nbconvert --to notebook --execute "
                f"--inplace {self.path.name}")

    def repr_failure(self, excinfo, style=None):
        if isinstance(excinfo.value, VacuousPass):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self):
        return self.path, None, f"{self.path.name}: {self.name}"


class VacuousPass(Exception):
    """The notebook would pass nbval without one comparison."""
