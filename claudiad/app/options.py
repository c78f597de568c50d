"""Options several commands share, and what they make of the settings."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from claudiad.app.settings import load
from claudiad.clock import Clock, JumpClock, SystemClock
from claudiad.config import Settings
from claudiad.robot.base import Robot
from claudiad.types import Posture

STARTING_POSTURES = ("standing", "sitting", "lying", "damped")


def battery(text: str) -> int:
    """argparse type: whole percent."""
    value = int(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError("0 to 100")
    return value


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file (default: the first one found)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override one setting; may be repeated"
    )


def add_robot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--no-llm", action="store_true", help="no language model, only what needs none")
    parser.add_argument(
        "--robot", choices=("sim", "go2", "none"), default="sim", help="what executes it (default: sim)"
    )
    parser.add_argument("--posture", choices=STARTING_POSTURES, default="standing", help="how the robot begins")
    parser.add_argument("--battery", type=battery, default=100, metavar="0-100", help="its charge, percent")
    parser.add_argument("--allow-high-risk", action="store_true", help="allow flips, jumps, pounces and handstands")


def settings_of(args: argparse.Namespace) -> Settings:
    """File, environment and command line as one tree. Raises ConfigError."""
    overrides = list(args.set)
    if getattr(args, "allow_high_risk", False):
        overrides.append("robot.allow_high_risk=true")
    if getattr(args, "no_llm", False):
        overrides.append("llm.enabled=false")
    return load(args.config, os.environ, overrides)


def clock_of(args: argparse.Namespace) -> Clock:
    """The clock its robot lives in: a real one keeps real time, a simulated one is as fast as the machine."""
    return SystemClock() if args.robot == "go2" else JumpClock()


def robot_of(args: argparse.Namespace, clock: Clock, settings: Settings) -> Robot:
    """The robot `--robot` names, in the posture and with the charge asked for. Raises EngineMissing."""
    from claudiad.robot.sim import NullRobot, SimRobot

    posture = Posture(args.posture)
    if args.robot == "go2":
        from claudiad.app.parts import open_go2

        return open_go2(settings, clock)
    if args.robot == "none":
        return NullRobot(posture=posture, battery=args.battery)
    return SimRobot(clock, posture=posture, battery=args.battery)
