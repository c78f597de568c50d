"""`claudiad ask`: one decision per line of text, executed on the robot named."""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import sys
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from claudiad.app import options, signals
from claudiad.app.output import action_json, decision_json
from claudiad.app.parts import brain_tables
from claudiad.app.turn import spoken_after
from claudiad.brain.mind import Mind
from claudiad.brain.reading import reading
from claudiad.brain.router import Router
from claudiad.clock import Clock
from claudiad.config import Settings
from claudiad.robot.base import Robot
from claudiad.robot.dispatcher import Dispatcher, StepResult
from claudiad.robot.registry import load as load_registry
from claudiad.robot.safety import Policy, compile_plan
from claudiad.robot.stop_lane import StopLane

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


async def answer(text: str, router: Router, settings: Settings, args: argparse.Namespace) -> dict[str, Any]:
    """Decide one line and execute it on a robot of its own, faster than real time."""
    clock = options.clock_of(args)
    robot = options.robot_of(args, clock, settings)
    await robot.start()
    try:
        began = time.perf_counter()
        state = robot.state()
        decision = Mind(router).decide(text, state, clock.now(), datetime.now().astimezone().hour)
        decide_ms = (time.perf_counter() - began) * 1000.0
        policy = Policy.from_settings(settings.robot)
        plan = compile_plan(decision.actions, state, policy)
        results = await _execute(robot, decision.actions, policy, clock) if args.robot != "none" else []
        reasons = "".join(dict.fromkeys(r.reason for r in plan.refused))
        reply = (reasons or decision.reply) + "".join(plan.notes)
        reply += spoken_after(results, reply)
        out = decision_json(decision, plan.steps, plan.refused, reply, {"decide": round(decide_ms, 3)})
        if args.explain:
            out |= {"reading": reading(text), "rule": decision.rule, "asked": [action_json(a) for a in decision.asked]}
        return out
    finally:
        await robot.close()


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
    router = Router(brain_tables(settings, load_registry()))

    async def all_lines() -> None:
        for text in lines(args.text):
            out = await answer(text, router, settings, args)
            if args.json:
                print(json.dumps(out, ensure_ascii=False), flush=True)
            else:
                _show(out)

    signals.run(all_lines())
    return 0


def _show(out: dict[str, Any]) -> None:
    done = ", ".join(map(_call, out["actions"]))
    print(f"{out['text']} → {out['route']}" + (f" → {done}" if done else ""))
    for r in out["refused"]:
        print(f"  refused {r['name']}: {r['reason']}")
    if out["reply"]:
        print(f"  「{out['reply']}」")
    if "rule" in out:
        print(f"  heard as    {out['reading']}")
        print(f"  because     {out['rule']}")
        if out["asked"]:
            print(f"  a yes does  {', '.join(map(_call, out['asked']))}")
        print(f"  confidence  {out['confidence']}, {out['kind']}, decided in {out['timings_ms']['decide']} ms")


def _call(action: dict[str, Any]) -> str:
    """Sit, `move x=1`, and StandUp+ where safety put it there."""
    params = "".join(f" {name}={value:g}" for name, value in action["params"].items())
    return f"{action['name']}{params}{'+' if action.get('inserted') else ''}"
