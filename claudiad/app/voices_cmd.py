"""`claudiad voices`: what is installed, what can be had, and fetching it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claudiad.errors import ClaudiaError
from claudiad.tts.installed import InstalledVoice, default_voice, installed_voices
from claudiad.tts.manifest import ListedVoice, find_listed, load_manifest, shipped_folder
from claudiad.tts.store import Fetched, fetch, fetch_folder

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Add the command `voices`; its namespace has `action`, `name`, `to` and `json`, and goes to `run`."""
    parser = subparsers.add_parser("voices", help="list Piper voices, or fetch one")
    parser.add_argument("action", nargs="?", choices=("list", "fetch"), default="list")
    parser.add_argument("name", nargs="?", help="the voice to fetch")
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder to fetch into (default: the first writable one)")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """List or fetch; returns the exit status. Errors are one line on standard error."""
    try:
        if args.action == "fetch":
            if not args.name:
                print("claudiad voices fetch: which? `claudiad voices` shows the names", file=sys.stderr)
                return 64
            return _fetch(args.name, args.to or fetch_folder(), as_json=args.json)
        return _list(as_json=args.json)
    except ClaudiaError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_status


def voice_rows() -> list[dict[str, Any]]:
    """One row per voice, installed or listed: `name`, `path` (or null), `chosen` (by `auto`), `speech`, `language`,
    `size` (bytes or null), `licence`, `description`, `fault`."""
    chosen = default_voice()
    installed = {voice.name: voice for voice in (*installed_voices(), *installed_voices([shipped_folder()]))}
    rows = []
    for listed in load_manifest():
        here = next((installed.pop(name) for name in (listed.name, *listed.aliases) if name in installed), None)
        rows.append(_row(listed, here, chosen))
    return rows + [_row(None, voice, chosen) for voice in installed.values()]


def _row(listed: ListedVoice | None, here: InstalledVoice | None, chosen: InstalledVoice | None) -> dict[str, Any]:
    language = "ja" if here is not None and here.phoneme_type == "japanese" else "other"
    return {
        "name": here.name if here else listed.name if listed else "",
        "path": str(here.path) if here else None,
        "chosen": here is not None and here == chosen,
        "speech": listed.speech if listed else here is not None and here.speech,
        "language": listed.language if listed else language,
        "size": listed.size if listed else here.path.stat().st_size if here else None,
        "licence": listed.licence if listed else "unknown",
        "description": listed.description if listed else "",
        "fault": here.fault if here else "",
    }


def _list(*, as_json: bool) -> int:
    rows = voice_rows()
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(Column("voice", no_wrap=True), "here", "size", "licence", "")
    for row in rows:
        here = "chosen" if row["chosen"] else "yes" if row["path"] else "no"
        size = f"{row['size'] / 1e6:.1f} MB" if row["size"] else "?"
        table.add_row(row["name"], here, size, row["licence"], escape(row["fault"] or row["description"]))
    console = Console()
    console.print(table)
    if not any(row["chosen"] for row in rows):
        console.print("No Japanese Piper voice is installed: tts.engine = auto speaks with Open JTalk.")
    return 0


def _fetch(name: str, target: Path, *, as_json: bool) -> int:
    if as_json:
        fetched = fetch(name, target)
        print(json.dumps(_fetched_row(fetched), ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    console = Console(stderr=True)
    listed = find_listed(name, load_manifest())
    if listed is not None:
        console.print(f"{listed.name}, licence: {listed.licence}", highlight=False, soft_wrap=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, Any] = {}

        def show(file: str, got: int, total: int | None) -> None:
            if file not in tasks:
                tasks[file] = bar.add_task(file, total=total)
            bar.update(tasks[file], completed=got, total=total)

        fetched = fetch(name, target, show)
    row = _fetched_row(fetched)
    print(f"{row['name']}: {row['path']}{'' if fetched.verified else ' (no sum to compare with: recorded)'}")
    return 0


def _fetched_row(fetched: Fetched) -> dict[str, Any]:
    return {
        **_row(fetched.listed, fetched.voice, default_voice()),
        "sha256": fetched.sums,
        "verified": fetched.verified,
    }
