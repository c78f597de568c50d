"""How a comparison of models is shown to a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from claudiad.llm.comparison import WEIGHTS, Attempt, Result, Scores, difference

if TYPE_CHECKING:
    from rich.table import Table

_ROWS: tuple[tuple[str, Callable[[Scores], float | None], str], ...] = (
    ("quality, of 100", lambda s: s.quality, "{:.1f}"),
    ("accuracy", lambda s: s.accuracy, "{:.1%}"),
    ("sequences", lambda s: s.sequence_accuracy, "{:.1%}"),
    ("valid JSON", lambda s: s.json_validity, "{:.1%}"),
    ("pure Japanese", lambda s: s.purity, "{:.1%}"),
    ("first token in time", lambda s: s.in_time, "{:.1%}"),
    ("first token p50, ms", lambda s: s.first_token_p50_ms, "{:.0f}"),
    ("first token p90, ms", lambda s: s.first_token_p90_ms, "{:.0f}"),
    ("tokens/s", lambda s: s.tokens_per_s, "{:.1f}"),
    ("answers with an invented action", lambda s: s.invented, "{:.0f}"),
    ("no complete answer", lambda s: s.failed, "{:.0f}"),
    ("asked", lambda s: s.asked, "{:.0f}"),
)
MOST_LINES = 40
"""Cases that are shown one by one; the file has all."""


def scores_table(results: Sequence[Result]) -> Table:
    """One row per figure, one column per model."""
    from rich.table import Table

    weights = ", ".join(f"{name.replace('_', ' ')} {points}" for name, points in WEIGHTS.items())
    table = Table(box=None, pad_edge=False, caption=f"quality: {weights}", caption_justify="left")
    table.add_column("")
    for result in results:
        table.add_column(result.label, justify="right", overflow="fold")
    scores = [result.scores for result in results]
    for name, value, form in _ROWS:
        table.add_row(name, *(_put(value(each), form) for each in scores))
    table.add_row("tokens/s before", *(_put(each.speeds.before, "{:.1f}") for each in results))
    table.add_row("tokens/s after", *(_put(each.speeds.after, "{:.1f}") for each in results))
    table.add_row("on the GPU", *(_put(each.gpu_share, "{:.0%}") for each in results))
    return table


def wrong_table(results: Sequence[Result]) -> Table | None:
    """The cases that not every model got right; None when there are none."""
    from rich.table import Table

    table = Table("case", "expected", *(each.label for each in results), box=None, pad_edge=False)
    for column in table.columns:
        column.overflow = "fold"
    wrong = [row for row in zip(*(each.attempts for each in results), strict=True) if not all(a.right for a in row)]
    for row in wrong[:MOST_LINES]:
        table.add_row(row[0].case.text, row[0].case.written, *map(_outcome, row))
    if len(wrong) > MOST_LINES:
        table.caption = f"and {len(wrong) - MOST_LINES} more"
    return table if wrong else None


def remarks(results: Sequence[Result]) -> list[str]:
    """What the figures do not say by themselves, a line each."""
    said = []
    for each in results:
        if each.speeds.dropped:
            said.append(
                f"WARNING: {each.label} has become slow: {each.speeds.after:.1f} tokens/s after the cases instead of "
                f"{each.speeds.before:.1f} before; keep models loaded (keep_alive); reboot"
            )
        said += [f"{each.label}: {count} times: {fault}" for fault, count in _faults(each).items()]
    if len(results) == 2:
        found, (first, second) = difference(*results), results
        said.append(
            f"{first.label} was better in {found.first_better} cases, {second.label} in {found.second_better}; "
            f"of two equal models, {found.chance:.0%} would differ at least as much"
        )
    return said


def _faults(result: Result) -> dict[str, int]:
    faults = [each.fault for each in result.attempts if each.fault]
    return {fault: faults.count(fault) for fault in dict.fromkeys(faults)}


def _outcome(attempt: Attempt) -> str:
    if attempt.right:
        return "right"
    if attempt.fault:
        return "no answer"
    if attempt.invented:
        return f"invented {', '.join(attempt.invented)}"
    return " ".join(attempt.actions) or ("-" if attempt.valid else "no JSON")


def _put(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)
