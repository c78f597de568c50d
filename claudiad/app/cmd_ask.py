"""`claudiad ask`: one decision per line of text, executed on the robot named."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, aclosing
from datetime import datetime
from typing import TYPE_CHECKING, Any

from claudiad.app import options, signals
from claudiad.app.claudiactl_text import asked_lines, call_text
from claudiad.app.language_models import LanguageModels, open_models
from claudiad.app.output import action_json, decision_json
from claudiad.app.parts import brain_tables
from claudiad.app.turn import spoken_after
from claudiad.brain.mind import Mind
from claudiad.brain.reading import reading
from claudiad.brain.router import Router
from claudiad.clock import Clock, SystemClock
from claudiad.config import Settings
from claudiad.llm.thinker import Account, Concluded, Question
from claudiad.robot.base import Robot
from claudiad.robot.dispatcher import Dispatcher, StepResult
from claudiad.robot.registry import load as load_registry
from claudiad.robot.safety import Policy, compile_plan
from claudiad.robot.stop_lane import StopLane
from claudiad.types import Decision

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("ask", help="decide and execute lines of text, no audio")
    p.add_argument(
        "text", nargs="+", metavar="TEXT", help="what to say to the robot; `-` reads lines from standard input"
    )
    options.add_config(p)
    options.add_robot(p)
    p.add_argument("--explain", action="store_true", help="also say why: the reading, the phrase or rule that matched")
    p.set_defaults(run=run)


def lines(texts: list[str]) -> Iterable[str]:
    """Each argument is one line; `-` stands for standard input's lines. What is no UTF-8 comes as U+FFFD."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for text in texts:
        if text == "-":
            yield from (line.rstrip("\r\n") for line in sys.stdin)
        else:
            yield text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


async def answer(
    text: str,
    router: Router,
    settings: Settings,
    args: argparse.Namespace,
    models: Callable[[], Awaitable[LanguageModels]],
) -> dict[str, Any]:
    """Decide one line and execute it on a robot of its own, faster than real time."""
    clock = options.clock_of(args)
    robot = options.robot_of(args, clock, settings)
    await robot.start()
    try:
        began, asked_at = time.perf_counter(), time.monotonic()
        state, hour = robot.state(), datetime.now().astimezone().hour
        decision = Mind(router).decide(text, state, clock.now(), hour)
        timings = {"decide": round((time.perf_counter() - began) * 1000.0, 3)}
        account = None
        if settings.llm.enabled and decision.route == "fallback":
            asked = await models()
            question = asked.question(decision, state, latched=False, hour=hour, zero_at=asked_at)
            if question is not None:
                decision, account = await think(asked, question)
                timings |= _thinking_ms(account, asked_at)
        policy = Policy.from_settings(settings.robot)
        plan = compile_plan(decision.actions, state, policy)
        results = await _execute(robot, decision.actions, policy, clock) if args.robot != "none" else []
        reasons = "".join(dict.fromkeys(r.reason for r in plan.refused))
        reply = (reasons or decision.reply) + "".join(plan.notes)
        reply += spoken_after(results, reply)
        out = decision_json(decision, plan.steps, plan.refused, reply, timings)
        if account is not None:
            for reason in account.reasons:
                print(f"language model: {reason}", file=sys.stderr)
        if args.explain:
            out |= {"reading": reading(text), "rule": decision.rule, "asked": [action_json(a) for a in decision.asked]}
            if account is not None:
                out |= {"model": account.model, "repairs": list(account.repairs)}
        return out
    finally:
        await robot.close()


async def think(models: LanguageModels, question: Question) -> tuple[Decision, Account]:
    """Everything a model says to a question, at once."""
    async with aclosing(models.thinker.begin(question).thoughts()) as thoughts:
        async for thought in thoughts:
            if isinstance(thought, Concluded):
                return thought.decision, thought.account
    raise AssertionError("thoughts end with a conclusion")


def _thinking_ms(account: Account, asked_at: float) -> dict[str, float]:
    timings = {"llm": round((time.monotonic() - asked_at) * 1000.0, 3)}
    if account.first_token_at is not None:
        timings["first_token"] = round((account.first_token_at - asked_at) * 1000.0, 3)
    return timings


async def _execute(robot: Robot, actions: tuple[Any, ...], policy: Policy, clock: Clock) -> list[StepResult]:
    lane = StopLane(robot, clock)
    lane.start()
    try:
        dispatcher = Dispatcher(robot, lane, policy, clock)
        if any(a.name == "stop" for a in actions):
            await dispatcher.stop(reason="asked")
            return []
        return await dispatcher.run(actions)
    finally:
        await asyncio.to_thread(lane.close)


def run(args: argparse.Namespace) -> int:
    settings = options.settings_of(args)
    registry = load_registry()
    tables = brain_tables(settings, registry)
    router = Router(tables)

    async def all_lines() -> None:
        async with AsyncExitStack() as stack:
            opened: list[LanguageModels] = []

            async def models() -> LanguageModels:
                """Made when the first line needs it: most never do."""
                if not opened:
                    opening = open_models(settings, SystemClock(), registry, tables, kept=None, watch=False)
                    opened.append(await stack.enter_async_context(opening))
                return opened[0]

            for text in lines(args.text):
                out = await answer(text, router, settings, args, models)
                if args.json:
                    print(json.dumps(out, ensure_ascii=False), flush=True)
                else:
                    _show(out)

    signals.run(all_lines())
    return 0


def _show(out: dict[str, Any]) -> None:
    print(*asked_lines(out), sep="\n")
    if "rule" in out:
        print(f"  heard as    {out['reading']}")
        print(f"  because     {out['rule']}")
        if out["asked"]:
            print(f"  a yes does  {', '.join(map(call_text, out['asked']))}")
        print(f"  confidence  {out['confidence']}, {out['kind']}, decided in {out['timings_ms']['decide']} ms")
