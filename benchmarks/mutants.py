"""Which fact kills which bug: every mutant of the blocks, and what in tests/test_blocks.py shows it.

    python benchmarks/mutants.py      # under a minute; writes mutants.md
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import test_blocks  # noqa: E402

HEAD = """# Bugs of published copies, and what kills them

Each row is a real or likely bug written into our block (`tests/rows/`), with the first fact
of `tests/test_blocks.py` that shows it. Written by `python benchmarks/mutants.py`.

| block | bug | killed by |
|:--|:--|:--|
"""

rows = [f"| `{m.block.__name__}` | {m.bug} | {test_blocks.killed_by(m)} |"
        for m in test_blocks.MUTANTS]
(ROOT / "benchmarks" / "mutants.md").write_text(HEAD + "\n".join(rows) + "\n", encoding="utf-8")
print(f"{len(rows)} mutants; alive: {sum(row.endswith('| None |') for row in rows)}")
