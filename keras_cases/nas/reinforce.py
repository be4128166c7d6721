"""Search by reinforcement: a controller samples cells, and learns from how good they were.

    history, probabilities = reinforce(scores, evaluations=60, rng=np.random.default_rng(0))

The controller is a table of logits, a row for each edge, a column for each operation; an action A_t
is the operation drawn for edge t. REINFORCE (Williams 1992) moves the logits along
(R - baseline) · d log p / d logits, where R, the reward, is the cell's score. Zoph and Le 2017
(arXiv:1611.01578) sample from a recurrent net; six choices need none.
"""

import numpy as np

from keras_cases.nas import search_space as space
from keras_cases.nas.evolution import Candidate

LETTERS = sorted(space.OPERATIONS)


def reinforce(scores, evaluations, rng, batch=5, rate=5.0, memory=0.8, entropy=0.01):
    """(history, probabilities): a list of `Candidate`, and after each batch the edges' distributions.

    scores: a function of a list of codes that gives a list of numbers, more is better.
    batch: cells sampled before each step. rate: of the step. memory: the baseline is a moving
        average of the rewards, memory·baseline + (1 - memory)·(mean of the batch).
    entropy: the weight of a bonus for distributions that stay wide; 0 for none.
    probabilities: (steps + 1, edges, operations), the operations in the order of `LETTERS`.
    """
    logits = np.zeros((len(space.EDGES), len(LETTERS)))
    history, seen, baseline = [], [softmax(logits)], None
    while len(history) < evaluations:
        p = seen[-1]
        count = min(batch, evaluations - len(history))
        actions = np.array([[rng.choice(len(LETTERS), p=edge) for edge in p] for _ in range(count)])
        codes = ["".join(LETTERS[a] for a in row) for row in actions]
        rewards = np.array(scores(codes))
        history += [Candidate(len(history) + i, len(seen) - 1, code, float(reward), by="controller")
                    for i, (code, reward) in enumerate(zip(codes, rewards))]
        baseline = rewards.mean() if baseline is None else baseline
        logits += rate * gradient(p, actions, rewards - baseline) + entropy * entropy_gradient(p)
        baseline = memory * baseline + (1 - memory) * rewards.mean()
        seen.append(softmax(logits))
    return history, np.array(seen)


def softmax(logits):
    e = np.exp(logits - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gradient(p, actions, advantages):
    """The mean of advantage · d log p(actions) / d logits: (edges, operations).

    d log softmax / d logits is (1 for the chosen operation, else 0) - p.
    """
    chosen = np.eye(p.shape[-1])[actions]  # (batch, edges, operations)
    return ((chosen - p) * np.asarray(advantages)[:, None, None]).mean(0)


def entropy_gradient(p):
    """d H(p) / d logits, H = -sum p log p: -p (log p + H)."""
    logs = np.log(np.maximum(p, 1e-12))
    return -p * (logs + -(p * logs).sum(-1, keepdims=True))
