"""`claudiad check-config`: one line per fault, exit 78."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from claudiad.app.example import example_toml
from claudiad.app.settings import check_config

if TYPE_CHECKING:
    from argparse import _SubParsersAction


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("check-config", help="check a configuration file, or print an example")
    p.add_argument("file", nargs="?", type=Path, metavar="FILE")
    p.add_argument("--example", action="store_true", help="print a file with every key explained and its default")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    if args.example:
        sys.stdout.write(example_toml())
        return 0
    if args.file is None:
        print("claudiad check-config: which file? or --example", file=sys.stderr)
        return 64
    return check_config(args.file)
