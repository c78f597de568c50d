"""`claudiad report`: how it did, from the audit log."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table

from claudiad.app import options
from claudiad.app.state import audit_to_read
from claudiad.errors import DataError
from claudiad.service.audit import read
from claudiad.service.report import PERCENTILES, Budgets, Report
from claudiad.service.since import is_before, since

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_WHAT: Final = {
    "endpoint": "end of speech noticed",
    "stt": "recognition",
    "decide": "decision",
    "speech_end_to_transcript": "speech → words",
    "speech_end_to_first_token": "speech → model's first token",
    "speech_end_to_dispatch": "speech → first command",
    "speech_end_to_first_audio": "speech → first sound",
    "speech_end_to_stop": "speech → stop acknowledged",
    "speech_end_to_done": "speech → all done",
    "speculation_lead": "decided ahead of the end by",
    "speculation_waste": "recognised in vain",
}
_LISTS: Final = {
    "routes": "understood by",
    "dropped": "not for it, or not understood",
    "refused": "refused",
    "outcomes": "what became of actions",
    "budget_misses": "later than allowed",
    "repairs": "mended in models' words",
}


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("report", help="how it did: understood, refused, times, from the audit log")
    options.add_config(p)
    p.add_argument("--since", type=_moment, metavar="T", help="only turns since then: today, 2h, 7d, 2026-07-01")
    p.add_argument("--json", action="store_true", help="one JSON object")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError, and DataError for a log that may not be read."""
    settings = options.settings_of(args)
    folder = audit_to_read(settings)
    report = Report(Budgets.of(settings.turn))

    def corrupt() -> None:
        report.corrupt += 1

    try:
        for record in read(folder, corrupt):
            if args.since is None or not is_before(record.get("started"), args.since):
                report.add(record)
    except OSError as fault:
        raise DataError(f"{folder}: {fault.strerror}: read it as the daemon's user, or with sudo") from None
    if args.json:
        print(json.dumps(report.to_json(), ensure_ascii=False))
    elif report.turns:
        _show(report.to_json(), Console(highlight=False))
    else:
        print(_why_empty(str(folder), settings.audit.enabled, args.since), file=sys.stderr)
    return 0


def _moment(text: str) -> datetime:
    try:
        return since(text, datetime.now(UTC).astimezone())
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from None


def _why_empty(folder: str, enabled: bool, moment: datetime | None) -> str:
    if not enabled:
        return "the audit log is switched off: set audit.enabled = true to have turns recorded"
    if moment is not None:
        return f"no turn since {moment:%Y-%m-%d %H:%M} in {folder}; without --since: all there are"
    return (
        f"no turns yet in {folder}: start the daemon (`claudiad run`, or `systemctl start claudiad`) and speak to it; "
        "a log kept elsewhere is named by audit.directory (--config)"
    )


def _show(found: Mapping[str, Any], console: Console) -> None:
    rate = found["hit_rate"]
    console.print(f"{found['turns']} turns, {found['first']} to {found['last']}")
    understood = f"{found['understood_without_model']} of {found['answered']}"
    console.print(
        f"understood without a model: {understood}" + (f" ({rate:.0%})" if rate is not None else ""), highlight=False
    )
    if found["corrupt"]:
        console.print(f"{found['corrupt']} damaged lines were left out")
    console.print(_times(found["times_ms"]))
    counts = Table(box=None, pad_edge=False, show_header=False)
    for key, title in _LISTS.items():
        for index, (name, count) in enumerate(found[key].items()):
            counts.add_row("" if index else title, str(count), name)
    models = found["models"]
    for index, (name, count) in enumerate(models["answers"].items()):
        speed = f" ({models['tokens_per_s_p50']} tokens/s in the middle)" if models["tokens_per_s_p50"] else ""
        counts.add_row("" if index else "answered by a model", str(count), name + ("" if index else speed))
    for index, (name, count) in enumerate(models["unanswered"].items()):
        counts.add_row("" if index else "models that did not answer", str(count), name)
    console.print(counts)


def _times(times: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("milliseconds")
    for name in ("turns", *(f"p{percent}" for percent in PERCENTILES), "max"):
        table.add_column(name, justify="right")
    for stage, one in times.items():
        values = [one[f"p{percent}"] for percent in PERCENTILES] + [one["max"]]
        table.add_row(_WHAT[stage], f"{one['count']:.0f}", *(f"{ms:.1f}" if ms < 10 else f"{ms:.0f}" for ms in values))
    return table
