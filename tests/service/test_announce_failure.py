"""What systemd/announce-failure says of a unit that stays down, with a systemctl and a claudiad of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "systemd" / "announce-failure"
SYSTEMCTL = """#!/bin/sh
case $* in
    *--property=Result*) echo "$RESULT" ;;
    *--property=ExecMainStatus*) echo "$STATUS" ;;
    *--property=NRestarts*) echo "$RESTARTS" ;;
esac
"""
CLAUDIAD = """#!/bin/sh
echo "$*" >>"$SAID"
case $* in *"--config /dev/null"*) exit "$WITH_DEFAULTS" ;; *) exit "$WITH_SETTINGS" ;; esac
"""


class Announced:
    """One run of the script, in a release's folders."""

    def __init__(self, folder: Path, *, ended: str = "exit-code 1 5", settings: int = 0, defaults: int = 0) -> None:
        """Args: `ended` is result, exit status and restarts; `settings` and `defaults` how `claudiad say` ends."""
        script = folder / "share" / "claudia" / "announce-failure"
        script.parent.mkdir(parents=True)
        shutil.copy(SCRIPT, script)
        for name, text in (("bin/claudiad", CLAUDIAD), ("path/systemctl", SYSTEMCTL)):
            program = folder / name
            program.parent.mkdir()
            program.write_text(text)
            program.chmod(0o755)
        result, status, restarts = ended.split(" ")
        environment = {"PATH": f"{folder / 'path'}:{os.environ['PATH']}", "SAID": str(folder / "said")}
        environment |= {"RESULT": result, "STATUS": status, "RESTARTS": restarts}
        environment |= {"WITH_SETTINGS": str(settings), "WITH_DEFAULTS": str(defaults)}
        done = subprocess.run([script, "claudiad"], env=environment, capture_output=True, text=True, check=False)
        self.status = done.returncode
        self.lines = done.stderr.splitlines()
        self.said = (folder / "said").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        ("exit-code 78 0", "its configuration, an engine or a model is at fault (78)"),
        ("exit-code 78 4", "its configuration, an engine or a model is at fault (78)"),
        ("exit-code 64 0", "its command line is at fault (64)"),
        ("exit-code 64 3", "its command line is at fault (64)"),
        ("watchdog 6 4", "it stopped making progress, again and again"),
        ("oom-kill 9 0", "memory ran out"),
        ("exit-code 1 4", "it ended too often within five minutes, the last time with exit-code, status 1"),
        ("exit-code 1 12", "it ended too often within five minutes, the last time with exit-code, status 1"),
        ("start-limit-hit 0 0", "it ended too often within five minutes, the last time with start-limit-hit, status 0"),
        ("exit-code 1 0", "it ended with exit-code, status 1"),
        ("exit-code 178 0", "it ended with exit-code, status 178"),
        ("signal 9 ", "it ended with signal, status 9"),
        ("  ", "it ended with unknown, status unknown"),
    ],
)
def test_it_says_why(tmp_path: Path, ended: str, why: str) -> None:
    """One line for the journal, an error by its prefix, with what to do; one sentence aloud; never a failure itself."""
    announced = Announced(tmp_path, ended=ended)
    (line,) = announced.lines
    assert line.startswith(f"<3>claudiad is not running: {why}. What to do: ")
    assert "claudiad" in line.partition("What to do: ")[2] or "stt.model" in line
    (said,) = announced.said
    assert said.startswith("say ")
    assert said.endswith("。")
    assert announced.status == 0


@pytest.mark.parametrize(("defaults", "unheard"), [(0, False), (69, True)])
def test_settings_without_a_speaker_are_not_the_last_word(tmp_path: Path, defaults: int, unheard: bool) -> None:
    """69 from `claudiad say`: once more with the defaults; when that is not heard either, the journal says so."""
    announced = Announced(tmp_path, settings=69, defaults=defaults)
    assert [each.split(" ")[1] for each in announced.said] == ["何度も起動に失敗したので、休みます。", "--config"]
    assert any("could not be said aloud" in line for line in announced.lines) is unheard
    assert announced.status == 0
