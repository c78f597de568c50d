"""How well does the sound support the text? CTC arithmetic on the encoder's output, in numpy.

A small model bends any sound into the language it knows, and its decoder is sure of it. The CTC head
has no language model: each frame votes for a character on its own. The distance between the best
path it sees and the path the transcript needs is evidence that the decoder made the text up.
Graves et al. 2006 for the forward recursion.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLANK = 0


def log_softmax(x: NDArray[np.float32]) -> NDArray[np.float32]:
    x = x - x.max(axis=-1, keepdims=True)
    out: NDArray[np.float32] = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
    return out


def best_path(log_p: NDArray[np.float32]) -> tuple[list[int], float]:
    """Greedy CTC decoding of (frames, classes): labels without blanks and repeats, and the path's log-probability."""
    path = log_p.argmax(axis=1)
    keep = [int(c) for i, c in enumerate(path) if c != BLANK and (i == 0 or c != path[i - 1])]
    return keep, float(log_p.max(axis=1).sum())


def forced(log_p: NDArray[np.float32], labels: list[int]) -> float:
    """log P(labels | frames) by the CTC forward recursion; -inf when there are too few frames."""
    extended = [BLANK]
    for c in labels:
        extended += [c, BLANK]
    n = len(extended)
    states = np.asarray(extended)
    emit = log_p[:, states]
    skip = np.full(n, -np.inf, np.float32)  # a label may follow the last but one directly if it differs
    for i in range(3, n, 2):
        if extended[i] != extended[i - 2]:
            skip[i] = 0.0
    alpha = np.full(n, -np.inf, np.float32)
    alpha[: min(2, n)] = emit[0, : min(2, n)]
    for t in range(1, len(log_p)):
        one = np.concatenate(([-np.inf], alpha[:-1]))
        two = np.concatenate(([-np.inf, -np.inf], alpha[:-2])) + skip
        alpha = np.logaddexp(np.logaddexp(alpha, one), two[:n]) + emit[t]
    return float(np.logaddexp.reduce(alpha[-2:]))


@dataclass(frozen=True, slots=True)
class Evidence:
    """One hypothesis with the figures about it."""

    labels: tuple[int, ...]
    """CTC classes of its characters."""
    joint: float
    """Decoder's and CTC's log-probabilities, half each: what the best hypothesis is chosen by."""
    decoder_log_p: float
    """Mean log-probability of the decoder's characters."""
    gap: float
    """(best path - forced path) per character, in nats: 0 = the sound says exactly this."""
    sharpness: float
    """Mean probability of the frames that voted for a character."""
    rate: float
    """Characters per second."""


def weigh(log_p: NDArray[np.float32], labels: list[int], decoder_sum: float, seconds: float) -> Evidence:
    """Evidence for `labels`, given CTC log-probabilities (frames, classes) and the decoder's total log-probability."""
    _, free = best_path(log_p)
    support = forced(log_p, labels)
    voted = log_p.argmax(axis=1) != BLANK
    sharp = float(np.exp(log_p.max(axis=1)[voted]).mean()) if voted.any() else 0.0
    return Evidence(
        labels=tuple(labels),
        joint=0.5 * decoder_sum + 0.5 * support,
        decoder_log_p=decoder_sum / (len(labels) + 1),
        gap=min(max(0.0, free - support) / max(1, len(labels)), 50.0),
        sharpness=sharp,
        rate=len(labels) / max(seconds, 0.1),
    )


def without_decoder(log_p: NDArray[np.float32], seconds: float) -> Evidence:
    """The CTC head's own reading; its sureness per voting frame stands where the decoder's would, counted double."""
    labels, _ = best_path(log_p)
    best = log_p.max(axis=1)[log_p.argmax(axis=1) != BLANK]
    sure = float(best.mean()) if len(best) else -10.0
    return weigh(log_p, labels, 2.0 * sure * (len(labels) + 1), seconds)
