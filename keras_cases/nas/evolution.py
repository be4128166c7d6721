"""Search by evolution: the better half has children, the children replace the worst or the oldest.

    history = evolve(scores, evaluations=60, rng=np.random.default_rng(0))
    best(history)                                            # the candidate with the highest score

Selection, crossover and mutation as in Liu et al. 2018 (arXiv:1711.00436, tournaments) and Real et
al. 2019 (arXiv:1802.01548, ageing: whoever is oldest dies, however good).
"""

from typing import NamedTuple

from keras_cases.nas import search_space as space


class Candidate(NamedTuple):
    """One code that was asked for. parents: their numbers in the history; () for a random one."""

    number: int
    generation: int
    code: str
    score: float
    parents: tuple = ()
    by: str = "random"  # or "mutation", "crossover"


def evolve(scores, evaluations, rng, population=10, children=5, tournament=3, crossover=0.5,
           points=1, ageing=False):
    """The history of a search, a list of `Candidate` in the order in which they were asked for.

    scores: a function of a list of codes that gives a list of numbers, more is better.
    evaluations: how many codes are asked for in all. rng: a numpy.random.Generator; with the same
        seed and scores the search is the same, which is how it is continued (evaluation.py).
    population: how many live. children: born in a generation; each has the best of `tournament`
        random ones for a parent, two such with the chance `crossover`; then one letter changes.
    ageing: the oldest die; else the worst.
    Raises: ValueError for a tournament larger than the population, or less than two to choose from.
    """
    if not 1 <= tournament <= population or population < 2:
        raise ValueError(f"population={population}, tournament={tournament}: at least 2 live, and a "
                         "tournament has 1 to as many.")
    history = []

    def ask(generation, born):
        born = born[:evaluations - len(history)]
        for (code, parents, by), score in zip(born, scores([code for code, *_ in born])):
            history.append(Candidate(len(history), generation, code, score, parents, by))

    def parent(living):
        return max((living[i] for i in rng.choice(len(living), tournament, replace=False)),
                   key=lambda one: one.score)

    def child(living):
        mother = parent(living)
        if rng.random() >= crossover:
            return space.mutate(mother.code, rng), (mother.number,), "mutation"
        father = parent(living)
        code = space.mutate(space.cross(mother.code, father.code, rng, points), rng)
        return code, (mother.number, father.number), "crossover"

    ask(0, [(space.draw(rng), (), "random") for _ in range(population)])
    living, generation = list(history), 0
    while len(history) < evaluations:
        generation += 1
        ask(generation, [child(living) for _ in range(children)])
        living += [one for one in history if one.generation == generation]
        living.sort(key=lambda one: one.number if ageing else (one.score, one.number))
        living = living[-population:]
    return history


def random_search(scores, evaluations, rng):
    """The history of a search that only draws: what every other search has to beat."""
    codes = [space.draw(rng) for _ in range(evaluations)]
    return [Candidate(i, 0, code, score) for i, (code, score) in enumerate(zip(codes, scores(codes)))]


def best(history):
    """The candidate with the highest score; of equals the first."""
    return max(history, key=lambda one: one.score)
