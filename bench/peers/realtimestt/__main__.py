"""claudiad beside RealtimeSTT on the same audio: end of the voice → final transcript, and phrases cut at a pause.

    python -m bench.peers.realtimestt [--commands 60] [--phrases 60] [--systems claudiad,stock,0.6,0.3,0.1]

One system after the other listens to the same stream at the speed of sound, each alone on the machine. What is
compared, and what is not fair about it: README.md beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from bench.peers.realtimestt import ours, peer
from bench.peers.realtimestt.finals import assign
from bench.peers.realtimestt.report import Run, show
from bench.peers.realtimestt.stream import Stream, lay_out, spoken
from bench.peers.realtimestt.systems import SYSTEMS, USUAL, Ours, System
from bench.report import machine, title
from claudiad.config import Settings
from claudiad.errors import ClaudiaError


def run(system: System, stream: Stream, bar: Progress) -> Run:
    """One system on the whole stream. Raises ClaudiaError when it cannot."""
    task = bar.add_task(system.name, total=stream.seconds)

    def progress(seconds: float) -> None:
        bar.update(task, completed=seconds)

    load = os.getloadavg()[0]
    if isinstance(system, Ours):
        finals = asyncio.run(ours.listen(system.settings, stream, progress))
    else:
        finals = peer.listen(system, Settings().stt, stream, progress)
    bar.update(task, completed=stream.seconds)
    return Run(system, *assign(stream.said, finals), load)


def main(arguments: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(
        prog="bench.peers.realtimestt", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--commands", type=int, default=60, help="spoken in one breath (default 60)")
    p.add_argument("--phrases", type=int, default=60, help="with pauses of 300 to 800 ms inside (default 60)")
    p.add_argument("--stretch", type=float, default=1.0, help="the pauses so many times as long (default 1)")
    p.add_argument("--systems", default=",".join(USUAL), help=f"of {','.join(SYSTEMS)} (default {','.join(USUAL)})")
    args = p.parse_args(arguments)
    names = args.systems.split(",")
    if unknown := [name for name in names if name not in SYSTEMS]:
        p.error(f"there is no system {unknown[0]!r}; here are: {', '.join(SYSTEMS)}")
    if min(args.commands, args.phrases) < 0 or args.commands + args.phrases == 0:
        p.error("nothing would be said")
    if not 0.8 <= args.stretch <= 2.0:
        p.error("pauses shorter than they can be, or as long as those between utterances: --stretch is 0.8 to 2")
    logging.basicConfig(level=logging.ERROR)
    console, where = Console(highlight=False), machine()
    try:
        versions = peer.versions()
        title(console, f"bench-peers: claudiad beside RealtimeSTT {versions['RealtimeSTT']}", where)
        console.print(", ".join(f"{name} {version}" for name, version in versions.items()))
        with console.status("preparing the speech …"):
            stream = lay_out(spoken(args.commands, args.phrases, args.stretch))
        console.print(f"{len(stream.said)} utterances in {stream.seconds / 60:.1f} minutes, heard {len(names)} times")
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bar:
            runs = [run(SYSTEMS[name], stream, bar) for name in names]
    except ClaudiaError as fault:
        console.print(f"bench-peers: {fault}", markup=False)
        return fault.exit_status
    show(console, runs, {"stretch": args.stretch, "versions": versions}, where)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
