"""What a language model's answer costs in time here, on a scripted Ollama: the same model every time, on any machine.

    python -m bench.llm [--rounds 400] [--answers 20] [--turns 200] [--real 20]

Three parts. Overhead: to the first token, over a bare HTTP client. First clause: from the question to the first sound,
against the same answer awaited whole. Hedge: to the first token, while the first model stalls in every fifth turn; in
virtual time, and a smaller sample in real time. All but the virtual part goes over TCP to a server in another process.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from collections.abc import Sequence

from rich.console import Console

from bench.llm_clause import beginnings
from bench.llm_hedge import GONE_MS, Turn, real, virtual
from bench.llm_overhead import overhead
from bench.llm_report import Results, show
from bench.report import machine, title
from claudiad.llm.request_class import RequestClass

CLASSES = (RequestClass.GREETING, RequestClass.SIMPLE)


async def hedges(turns: int, sample: int) -> list[Turn]:
    """With the hedge and without, `turns` in virtual time and `sample` in real time each."""
    found: list[Turn] = []
    for request_class in CLASSES:
        for hedge in (True, False):
            for gone_ms in (0.0, GONE_MS):
                found += await virtual(turns, request_class, hedge=hedge, gone_ms=gone_ms)
            found += await real(sample, request_class, hedge=hedge)
    return found


async def measure(args: argparse.Namespace, console: Console) -> Results:
    """All three parts, one after another."""
    with console.status("overhead at the first token …"):
        first_tokens = await overhead(args.rounds)
    with console.status("first clauses …"):
        begun = await beginnings(args.answers)
    with console.status("hedge …"):
        hedged = await hedges(args.turns, args.real)
    return Results(first_tokens, tuple(begun), tuple(hedged))


def main(arguments: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=400, help="first tokens of each way (default 400)")
    p.add_argument("--answers", type=int, default=20, help="answers spoken each way (default 20)")
    p.add_argument("--turns", type=int, default=200, help="virtual turns for each row of the hedge (default 200)")
    p.add_argument("--real", type=int, default=20, help="real turns for each row of the hedge (default 20)")
    args = p.parse_args(arguments)
    logging.basicConfig(level=logging.ERROR)
    console, where = Console(highlight=False), machine()
    title(console, "bench-llm: the time a language model's answer costs, scripted Ollama", where)
    return show(console, asyncio.run(measure(args, console)), where)


if __name__ == "__main__":
    raise SystemExit(main())
