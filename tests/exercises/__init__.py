"""What students answer: for each exercise of a lesson, answers its check must take and must refuse.

One file per lesson (lesson_07.py), with ANSWERS = {"ex1": Answers(right=[...], wrong={...})}; each
answer is the source of the solution cell as a student would write it.
"""

from typing import NamedTuple


class Answers(NamedTuple):
    """right: at least two, written differently. wrong: at least four, {what is wrong: source}."""

    right: list
    wrong: dict
