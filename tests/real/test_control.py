"""`claudiactl` and the daemon as two processes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CLAUDIA_", "NOTIFY_"))}
    places = {"RUNTIME_DIRECTORY": "run", "STATE_DIRECTORY": "state", "HOME": "home"}
    return clean | {name: str(tmp_path / folder) for name, folder in places.items()}


@pytest.fixture
def daemon(tmp_path: Path, env: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """One without devices, ready."""
    words = [f"--set={each}" for each in ("audio.microphone=none", "audio.speaker=none", "llm.enabled=false")]
    config = tmp_path / "claudiad.toml"
    config.write_text('[wake]\nmode = "on"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "claudiad", "run", "--config", str(config), *words],
        env=env, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    for line in process.stderr:
        if " ready in " in line:
            break
    yield process
    process.kill()
    process.communicate()


def ctl(env: dict[str, str], *words: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "claudiad.app.claudiactl", "--json", *words],
        env=env, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_a_life_by_claudiactl(daemon: subprocess.Popen[str], env: dict[str, str], tmp_path: Path) -> None:
    """Ready means that it answers: state, a sentence, a stop that holds, a reset, reloads good and bad, and the end."""
    path = tmp_path / "run" / "control.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert ctl(env, "status")[1]["robot"]["engine"] == "sim"
    status, asked, _ = ctl(env, "ask", "座って")
    assert (status, asked["actions"][0]["name"], asked["actions"][0]["outcome"]) == (0, "Sit", "done")
    assert ctl(env, "stop")[1]["acknowledged"]
    assert ctl(env, "ask", "立って")[0] == 1
    assert ctl(env, "reset")[1] == {"was_latched": True, "latched": False}
    assert ctl(env, "mute")[1] == {"muted": True}
    assert ctl(env, "reload")[0] == 0
    assert ctl(env, "status")[1]["microphone"]["muted"]
    (tmp_path / "claudiad.toml").write_text("[wake]\nmode = 1\n")
    status, _, said = ctl(env, "reload")
    assert status == 1
    assert "claudiad.toml:2: wake.mode" in said
    assert ctl(env, "stats")[1]["turns"] == 2
    daemon.terminate()
    assert daemon.wait(20) == 0
    assert not path.exists()
    assert ctl(env, "status")[0] == 69


def test_a_second_daemon_is_refused(daemon: subprocess.Popen[str], env: dict[str, str]) -> None:
    """One socket, one daemon: 75 and one line; the first goes on."""
    words = ["--set=audio.microphone=none", "--set=audio.speaker=none", "--set=llm.enabled=false"]
    second = subprocess.run(
        [sys.executable, "-m", "claudiad", "run", *words],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert second.returncode == 75
    assert "another claudiad listens on" in second.stderr
    assert "Traceback" not in second.stderr
    assert ctl(env, "status")[0] == 0
    assert daemon.poll() is None
