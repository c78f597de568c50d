"""`claudiad doctor`: what is here, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.table import Table

from claudiad.app import doctor_machine, doctor_models, doctor_sandbox, options
from claudiad.app.ears import Ears
from claudiad.app.finding import Finding, of_fault
from claudiad.app.parts import open_go2
from claudiad.audio.build import microphone_for
from claudiad.audio.portaudio import PortAudioHost
from claudiad.clock import SystemClock
from claudiad.config import Settings
from claudiad.errors import Busy, ClaudiaError, ConfigError
from claudiad.tts.engines import open_voice

if TYPE_CHECKING:
    from argparse import _SubParsersAction

LISTEN_FRAMES = 25
"""Half a second of the microphone."""
LISTEN_S = 5.0
SILENT_DBFS = -80.0
"""Below this a microphone is muted or not plugged in; a quiet room is louder."""

MODELS = "Go2 EDU only: Air and Pro cannot be commanded over DDS (docs/go2.md)"


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("doctor", help="what is here, what is missing, and how to get it; moves nothing")
    options.add_config(p)
    p.add_argument("--json", action="store_true", help="one JSON object per check")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    try:
        settings = options.settings_of(args)
    except ConfigError as fault:
        found = [
            Finding("configuration", "missing", line, "mend that line; `claudiad check-config`")
            for line in fault.faults
        ]
    else:
        found = [Finding("configuration", "ok", "sound"), *asyncio.run(examine(settings))]
    if args.json:
        for finding in found:
            print(json.dumps(asdict(finding), ensure_ascii=False))
    else:
        _show(found)
    return 1 if any(f.verdict == "missing" for f in found) else 0


async def examine(settings: Settings) -> list[Finding]:
    """Look at every part the settings name, one after another."""
    checks: list[tuple[str, Callable[[Settings], Awaitable[Finding]]]] = [
        ("microphone", _microphone),
        ("speaker", _speaker),
        ("speech model", _hearing),
        ("voice", _voice),
        ("robot", _robot),
    ]
    found = []
    for name, check in checks:
        try:
            found.append(await check(settings))
        except ClaudiaError as fault:
            found.append(of_fault(name, str(fault)))
    found += doctor_machine.examine(settings)
    found += await doctor_models.examine(settings)
    return [*found, *await asyncio.to_thread(doctor_sandbox.examine, settings, dict(os.environ))]


async def _microphone(settings: Settings) -> Finding:
    name, blocks = settings.audio.microphone, []
    if name == "none":
        return Finding("microphone", "warning", "none", "set audio.microphone to hear anybody")
    frames = microphone_for(settings.audio, SystemClock()).frames()
    async with contextlib.aclosing(frames):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LISTEN_S):
                async for frame in frames:
                    blocks.append(frame.pcm)
                    if len(blocks) == LISTEN_FRAMES:
                        break
    if not blocks:
        return Finding("microphone", "missing", f"{name} delivers nothing", "plug it in, or set audio.microphone")
    power = float(np.mean(np.square(np.concatenate(blocks).astype(np.float64))))
    level = 10 * np.log10(max(power, 1e-12) / 32768.0**2)
    if level < SILENT_DBFS:
        return Finding("microphone", "warning", f"{name} is silent ({level:.0f} dBFS)", "is it muted?")
    return Finding("microphone", "ok", f"{name}, {level:.0f} dBFS")


async def _speaker(settings: Settings) -> Finding:
    name = settings.audio.speaker
    if name == "none":
        return Finding("speaker", "warning", "none", "set audio.speaker to hear the answers")
    # Not through the speaker part: that one goes on without a device, and this one is to say that there is none.
    host = PortAudioHost()
    opened = await host.open_output(name, lambda _out: None, lambda: None)
    await host.close(opened)
    return Finding("speaker", "ok", f"{name}, {opened.rate} Hz, output latency {opened.latency_s * 1000:.0f} ms")


async def _hearing(settings: Settings) -> Finding:
    ears = await asyncio.to_thread(Ears.open, settings.stt)
    await ears.close()
    return Finding("speech model", "ok", ears.main.name)


async def _voice(settings: Settings) -> Finding:
    voice = await asyncio.to_thread(open_voice, settings.tts)
    return Finding("voice", "ok", voice.name)


async def _robot(settings: Settings) -> Finding:
    """Looks at the robot; sends it nothing."""
    if settings.robot.engine != "go2":
        remedy = f'a real one: robot.engine = "go2"; {MODELS}'
        return Finding("robot", "ok", f"engine {settings.robot.engine}, no real robot", remedy)
    robot = open_go2(settings, SystemClock(), remember=False)
    try:
        await robot.start()
    except Busy:
        return Finding("robot", "ok", f"held by a claudiad that is running, on {settings.robot.interface}")
    try:
        state = robot.state()
        if state.age_ms > settings.robot.state_max_age_ms:
            detail = f"nothing is heard of a Go2 on {settings.robot.interface}"
            return Finding("robot", "missing", detail, f"switch it on, check cable and address; {MODELS}")
        battery = f"{state.battery} %" if state.battery >= 0 else "unknown"
        return Finding("robot", "ok", f"a Go2 on {settings.robot.interface}: {state.posture.value}, battery {battery}")
    finally:
        await robot.close()


def _show(found: list[Finding]) -> None:
    table = Table(box=None, pad_edge=False)
    for column in ("", "", "found", "what to do"):
        table.add_column(column, overflow="fold")
    marks = {"ok": "[green]ok[/]", "warning": "[yellow]warning[/]", "missing": "[red]missing[/]"}
    for f in found:
        table.add_row(f.check, marks[f.verdict], f.detail, f.remedy)
    Console(highlight=False).print(table)
