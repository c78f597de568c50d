"""`claudiad purity`: is each line of standard input clean Japanese, and what of it would be spoken."""

from __future__ import annotations

import argparse
import io
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from claudiad.purity.filter import KINDS, Purified, purify

if TYPE_CHECKING:
    from argparse import _SubParsersAction

_SEPARATORS = {ord(c): f"\\u{ord(c):04x}" for c in "\x85\u2028\u2029"}
"""What JSON lets stand and some readers take for the end of a line."""


def add_parser(subparsers: _SubParsersAction[argparse.ArgumentParser]) -> None:
    p = subparsers.add_parser("purity", help="check lines of standard input: are they clean Japanese")
    p.add_argument("--json", action="store_true", help="one JSON object per line")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    for line in _lines():
        purified = purify(line)
        if args.json:
            print(json.dumps(purity_json(purified), ensure_ascii=False).translate(_SEPARATORS), flush=True)
        else:
            _show(purified)
    return 0


def purity_json(purified: Purified) -> dict[str, Any]:
    """One `purity` object of the command contract."""
    return {
        "text": purified.text,
        "pure": purified.pure,
        "clean": purified.clean,
        "findings": [asdict(finding) for finding in purified.findings],
    }


def _lines() -> Iterator[str]:
    """Standard input's lines. What is no UTF-8 comes as U+FFFD."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        # Only a line feed ends a line: others are characters that a model may have put into one.
        sys.stdin.reconfigure(encoding="utf-8", errors="replace", newline="\n")
    for line in sys.stdin:
        yield line.removesuffix("\n").removesuffix("\r")


def _show(purified: Purified) -> None:
    verdict = "pure" if purified.pure else "not pure"
    said = f"「{purified.clean}」" if purified.clean else "nothing to say"
    print(f"{_printable(purified.text)}\n  {verdict}: {said}")
    for finding in purified.findings:
        print(f"  {finding.start}-{finding.end} {finding.kind} {_printable(finding.text)!r}: {KINDS[finding.kind]}")
    if purified.left_out:
        print(f"  clauses left out: {purified.left_out}")


def _printable(text: str) -> str:
    """Control characters would reach the terminal."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
