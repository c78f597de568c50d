"""Write the manual pages and the shell completions from the parsers and the settings: `python -m scripts.manuals`.

What is written is kept in the tree (man/, completion/), so that a package needs nothing to install it; a test
compares it with what this makes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import shtab
from argparse_manpage.manpage import MANPAGE_DATA_ATTRS, Manpage

from claudiad import __version__
from claudiad.app import claudiactl, cli
from claudiad.app.schema import keys, sections, toml_value
from claudiad.go2sim import cli as go2sim

ROOT = Path(__file__).parents[1]
ABOUT = {
    "claudiad": "a voice for a robot dog: spoken Japanese in, clean Japanese and safe motion out",
    "claudiactl": "talk to the claudiad that is running",
    "claudiad-go2sim": "a simulated Unitree Go2 on DDS",
}
FILES = """\
.SH FILES
.TP
.I /etc/claudia/claudiad.toml
the settings, see
.BR claudiad.toml (5)
.TP
.I /run/claudia/control.sock
where claudiactl finds the daemon; a session's own is $XDG_RUNTIME_DIR/claudia/control.sock
.TP
.I /var/lib/claudia
latch and audit log
.SH SEE ALSO
.BR claudiad (1),
.BR claudiactl (1),
.BR claudiad\\-go2sim (1),
.BR claudiad.toml (5),
.BR journalctl (1)
"""


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Command → its parser."""
    return {"claudiad": cli.parser(), "claudiactl": claudiactl.parser(), "claudiad-go2sim": go2sim.parser()}


def pages() -> Iterator[tuple[Path, str]]:
    """Path in the tree and content of everything that is written."""
    for name, parser in parsers().items():
        yield Path(f"man/{name}.1"), _manual(name, parser)
        for each in _all(parser):
            for action in each._actions:
                if action.type is Path:
                    action.complete = shtab.FILE  # type: ignore[attr-defined]
        yield Path(f"completion/{name}.bash"), shtab.complete(parser, "bash")
        yield Path(f"completion/_{name}"), shtab.complete(parser, "zsh")
    yield Path("man/claudiad.toml.5"), _settings()


def _all(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in dict.fromkeys(action.choices.values()):
                yield from _all(inner)


def _manual(name: str, parser: argparse.ArgumentParser) -> str:
    given = {
        "project_name": "claudiad", "prog": name, "version": __version__, "description": ABOUT[name],
        "manual_section": "1", "manual_title": "claudiad",
    }  # fmt: skip
    epilog, parser.epilog = parser.epilog, None  # the library fills it like prose: it is a list
    with patch.dict(os.environ, COLUMNS="1000"):  # the page's reader breaks the lines
        page = str(Manpage(parser, dict.fromkeys(MANPAGE_DATA_ATTRS) | given, format="single-commands-section"))
    parser.epilog = epilog
    lines = page.splitlines()
    lines[0] = f'.TH {name.upper()} 1 "" "claudiad {__version__}" "claudiad"'  # without today's date
    page = "\n".join(lines).replace(".SH\nPOSITIONAL ARGUMENTS", ".SH COMMANDS").rstrip()
    notes = f".SH NOTES\n.nf\n{_plain(epilog or '')}\n.fi\n"
    return f"{page}\n{notes}{FILES}"


def _settings() -> str:
    out = [
        f'.TH CLAUDIAD.TOML 5 "" "claudiad {__version__}" "claudiad"',
        ".SH NAME\nclaudiad.toml \\- settings of claudiad",
        ".SH DESCRIPTION\nTOML. Every key may be left out: the defaults are what comes with claudiad.",
        "Each can also be given in the environment, as CLAUDIA_SECTION_KEY, and as",
        ".B \\-\\-set section.key=value\non the command line, which go before the file.",
        ".B claudiad check\\-config FILE\nnames every fault with its line.",
    ]
    for section, about in sections().items():
        out.append(f".SH [{section}]\n{_plain(about)}")
        for key in keys().values():
            if key.section == section:
                default = toml_value(key.default)
                out.append(f".TP\n.B {_plain(key.name)}\n{_plain(key.description)}")
                out.append(f"Allowed: {_plain(key.allowed)}. Default: {_plain(default)}")
    return "\n".join(out) + "\n" + FILES


def _plain(text: str) -> str:
    """Text as troff shows it unchanged."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").splitlines()
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)


def main() -> int:
    for path, content in pages():
        target = ROOT / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(content, encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
