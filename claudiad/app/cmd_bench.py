"""`claudiad bench models A B`: two models, or two prompts, beside each other on the same cases."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from claudiad.app import options
from claudiad.app.doctor_models import on_stderr
from claudiad.app.machine import Machine, this_machine
from claudiad.clock import Clock, SystemClock
from claudiad.config import Settings
from claudiad.errors import DataError
from claudiad.robot.registry import load as load_registry

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from claudiad.llm.cases import Case
    from claudiad.llm.comparison import Result
    from claudiad.llm.entrant import Entrant, Rules
    from claudiad.llm.ollama_server import OllamaServer

CASES = Path(__file__).parent.parent / "data" / "bench_cases.tsv"
OUT = Path("bench-models.json")
DEADLINE_S = 30.0


@dataclass(frozen=True, slots=True)
class Where:
    """What the figures were measured on."""

    machine: Machine
    server: str
    version: str


def positive(text: str) -> int:
    """argparse type: 1 or more."""
    if int(text) < 1:
        raise argparse.ArgumentTypeError("1 or more")
    return int(text)


def seconds(text: str) -> float:
    """argparse type: more than 0, no more than an hour."""
    if not 0 < float(text) <= 3600:
        raise argparse.ArgumentTypeError("more than 0, at most 3600")
    return float(text)


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("bench", help="compare language models, or prompts, on the same cases")
    what = p.add_subparsers(dest="bench_what", required=True, metavar="models")
    m = what.add_parser("models", help="accuracy, JSON, purity and speed of models through Ollama")
    m.add_argument(
        "entrants", nargs="+", metavar="MODEL", help="Ollama's name of a model, or NAME@FILE.toml with prompts"
    )
    m.add_argument("--cases", type=Path, default=CASES, metavar="FILE", help="tab-separated: words, actions, kind")
    m.add_argument("--repeat", type=positive, default=1, metavar="N", help="ask every case N times (default: 1)")
    m.add_argument("--warm", action="store_true", help="let each model read the prompts before it is measured")
    m.add_argument(
        "--deadline", type=seconds, default=DEADLINE_S, metavar="S", help="longest wait for one answer (default: 30)"
    )
    m.add_argument("--out", type=Path, default=OUT, metavar="FILE", help=f"where every answer goes (default: {OUT})")
    m.add_argument("--json", action="store_true", help="one JSON object per model")
    options.add_config(m)
    m.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from claudiad.app.language_models import choosable
    from claudiad.app.ollama_models import open_server
    from claudiad.llm.cases import load_cases
    from claudiad.llm.entrant import Rules, parse_entrant

    settings = options.settings_of(args)
    registry = load_registry()
    names = choosable(registry, settings.robot.allow_high_risk)
    cases = load_cases(args.cases, {name: registry[name] for name in names})
    entrants = [parse_entrant(label) for label in args.entrants]
    _check_writable(args.out)
    rules = Rules(cases, args.repeat, args.warm, args.deadline)
    where, results = asyncio.run(
        compare(entrants, rules, settings, open_server(settings), SystemClock(), quiet=args.json)
    )
    _write(args.out, where, args.cases, rules, results)
    if args.json:
        for result in results:
            print(json.dumps(result.summary(), ensure_ascii=False))
    else:
        _show(where, cases, results, args.out)
    return 0


async def compare(
    entrants: Sequence[Entrant], rules: Rules, settings: Settings, server: OllamaServer, clock: Clock, *, quiet: bool
) -> tuple[Where, list[Result]]:
    """All entrants, one after the other. Raises `ModelError` when the server is not there. Closes it."""
    from claudiad.app.language_models import choosable
    from claudiad.llm import checks
    from claudiad.llm.entrant import Trial
    from claudiad.llm.prompts import Prompts

    registry, s, risky = load_registry(), settings.llm, settings.robot.allow_high_risk
    actions = choosable(registry, risky)
    results = []
    try:
        where = Where(this_machine(), server.address, (await checks.look(server, clock)).version)
        with _bars(quiet=quiet) as bar:
            for entrant in entrants:
                prompts = Prompts(
                    registry, allow_high_risk=risky, limit=s.num_predict, num_ctx=s.num_ctx, texts=entrant.texts
                )
                trial = Trial(
                    entrant, server, clock, prompts=prompts, turn=settings.turn, actions=actions, registry=registry
                )
                step = bar(entrant.label, len(rules.cases) * rules.repeat)
                results.append(await trial.run(rules, step, on_stderr))
    finally:
        await server.close()
    return where, results


@contextmanager
def _bars(*, quiet: bool) -> Iterator[Callable[[str, int], Callable[[], None]]]:
    """Makes one bar a model, on standard error: from its name and number of cases to what is told of each case."""
    if quiet:
        yield lambda _label, _total: lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def bar(label: str, total: int) -> Callable[[], None]:
            task = bars.add_task(label, total=total)
            return lambda: bars.advance(task)

        yield bar


def _check_writable(out: Path) -> None:
    """Raises DataError before anything is measured, rather than after. Leaves nothing behind."""
    try:
        try:
            out.open("xb").close()
        except FileExistsError:
            out.open("ab").close()
        else:
            out.unlink()
    except OSError as fault:
        raise DataError(f"{out}:0: cannot be written: {fault.strerror}") from fault


def _write(out: Path, where: Where, cases: Path, rules: Rules, results: Sequence[Result]) -> None:
    content: dict[str, Any] = {
        **asdict(where),
        "cases": str(cases),
        "repeat": rules.repeat,
        "warm": rules.warm,
        "models": [result.summary() | {"attempts": result.detail()} for result in results],
    }
    out.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _show(where: Where, cases: Sequence[Case], results: Sequence[Result], out: Path) -> None:
    from rich.console import Console

    from claudiad.app.bench_table import remarks, scores_table, wrong_table

    console = Console(highlight=False)
    asked = f"{len(cases)} cases, Ollama {where.version} at {where.server}"
    console.print(f"[bold]Language models[/]: {asked}\n{where.machine.line}\n", soft_wrap=True)
    console.print(scores_table(results))
    if (wrong := wrong_table(results)) is not None:
        console.print("\n[bold]Not right everywhere[/]")
        console.print(wrong)
    print(*("", *remarks(results), f"every answer: {out}"), sep="\n")
