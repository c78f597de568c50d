"""Manual pages and shell completions are those of the parsers, and the shells and troff accept them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from claudiad.app.schema import keys
from scripts import manuals
from tests.fakes.absent import require
from tests.test_docs import ROOT

PAGES = sorted((ROOT / "man").iterdir())


def test_they_are_up_to_date() -> None:
    """What is in the tree is what the parsers give: `python -m scripts.manuals` writes it anew."""
    stale = [str(path) for path, content in manuals.pages() if (ROOT / path).read_text(encoding="utf-8") != content]
    assert stale == [], "run: python -m scripts.manuals"


def test_they_name_everything() -> None:
    """Each command and each option has its place in the page, each setting in that of the file."""
    for name, parser in manuals.parsers().items():
        page = (ROOT / f"man/{name}.1").read_text(encoding="utf-8").replace("\\-", "-")
        for each in manuals._all(parser):
            assert each.prog in page
            named = [option for action in each._actions for option in action.option_strings if option != "-h"]
            assert [option for option in named if option not in page and option != "--help"] == []
    settings = (ROOT / "man/claudiad.toml.5").read_text(encoding="utf-8")
    assert [key.dotted for key in keys().values() if f"\n.B {key.name}\n" not in settings] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_troff_has_nothing_to_say(page: Path) -> None:
    """Rendered with all warnings on, there are none."""
    require("groff", "groff")
    done = subprocess.run(["groff", "-man", "-Tutf8", "-k", "-ww", str(page)], capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
    assert len(done.stdout) > 1000


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("claudiactl st", {"status", "stop", "stats"}),
        ("claudiactl un", {"unmute"}),
        ("claudiactl allow --re", {"--remove"}),
        ("claudiad check", {"check-config"}),
    ],
)
def test_bash_completes(line: str, offered: set[str]) -> None:
    """A beginning, Tab, and what bash offers."""
    command = line.split(maxsplit=1)[0]
    script = (
        f"source completion/{command}.bash; COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1));"
        f"$(complete -p {command} | sed -E 's/.*-F ([^ ]+).*/\\1/') {command}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert set(done.stdout.split()) == offered


@pytest.mark.parametrize("name", ["_claudiad", "_claudiactl"])
def test_zsh_reads_them(name: str) -> None:
    """They parse."""
    require("zsh", "zsh")
    subprocess.run(["zsh", "-n", str(ROOT / "completion" / name)], check=True)
