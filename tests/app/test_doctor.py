"""`claudiad doctor`: each part looked at, what is missing said with its remedy, and nothing moved."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from claudiad.app import cli, cmd_doctor
from claudiad.audio.virtual import NullMicrophone
from claudiad.config import Settings
from claudiad.types import FRAME_SAMPLES
from tests.app.room import settings_with
from tests.audio.sounds import tone

QUIET = ("--set", "audio.microphone=none", "--set", "audio.speaker=none")


@pytest.fixture(autouse=True)
def no_ollama(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on port 1."""
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")


def doctor(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, dict[str, dict[str, str]]]:
    code = cli.main(["doctor", "--json", *argv])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return code, {row["check"]: row for row in rows}


def test_a_machine_without_sound_is_warned_about_and_sound(capsys: pytest.CaptureFixture[str]) -> None:
    """The embedded set needs nothing: exit 0, with what could be had named."""
    code, rows = doctor(capsys, *QUIET)
    assert code == 0
    heard = ["configuration", "microphone", "speaker", "speech model", "voice", "robot"]
    machine = [name for name in ("memory", "disk", "Jetson") if name in rows]
    assert list(rows) == [*heard, *machine, "Ollama", "cloud"]
    assert rows["microphone"]["verdict"] == rows["speaker"]["verdict"] == rows["Ollama"]["verdict"] == "warning"
    assert rows["speech model"]["detail"] == "embedded"
    assert "Go2 EDU only" in rows["robot"]["remedy"]


def test_a_device_that_is_not_there_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    """Named, with what to do; exit 1."""
    code, rows = doctor(capsys, "--set", "audio.microphone=none", "--set", "audio.speaker=nowhere")
    assert code == 1
    assert rows["speaker"]["verdict"] == "missing"
    assert "nowhere" in rows["speaker"]["detail"] + rows["speaker"]["remedy"]


def test_every_fault_of_the_configuration_is_a_row(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without a sound configuration nothing else is looked at."""
    (tmp_path / "c.toml").write_text("[robot]\nmax_speed = 9\n", encoding="utf-8")
    code, rows = doctor(capsys, "--config", str(tmp_path / "c.toml"))
    assert code == 1
    assert "max_speed" in rows["configuration"]["detail"]
    assert list(rows) == ["configuration"]


def test_a_go2_without_the_sdk_says_how_to_get_it(capsys: pytest.CaptureFixture[str], no_sdk: None) -> None:
    """And which Go2 it would be for is in the manual it names."""
    code, rows = doctor(capsys, *QUIET, "--set", "robot.engine=go2", "--set", "robot.interface=lo")
    assert code == 1
    assert rows["robot"]["verdict"] == "missing"
    assert "sudo ./install.sh --robot IFACE" in rows["robot"]["remedy"]
    assert "docs/go2.md" in rows["robot"]["remedy"]


def test_a_model_that_is_not_there_is_a_fault_of_the_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    """It is found where the key is read."""
    code, rows = doctor(capsys, *QUIET, "--set", "stt.model=no-such-model")
    assert code == 1
    assert "stt.model" in rows["configuration"]["detail"]


@pytest.mark.parametrize(("amplitude", "verdict"), [(0.0, "warning"), (0.2, "ok")])
async def test_a_muted_microphone_is_noticed(amplitude: float, verdict: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zeros are no quiet room."""

    class Room(NullMicrophone):
        async def frames(self):  # type: ignore[no-untyped-def]
            from claudiad.types import Frame

            sound = (tone(440, 20) * amplitude).astype("int16")
            for i in range(100):
                yield Frame(sound[:FRAME_SAMPLES], i * FRAME_SAMPLES, 0.0)

    monkeypatch.setattr(cmd_doctor, "microphone_for", lambda *_: Room())
    found = await cmd_doctor._microphone(settings_with(audio={"microphone": "default"}))
    assert found.verdict == verdict


async def test_a_microphone_that_delivers_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not waited for without end."""
    monkeypatch.setattr(cmd_doctor, "LISTEN_S", 0.05)
    monkeypatch.setattr(cmd_doctor, "microphone_for", lambda *_: NullMicrophone())
    found = await cmd_doctor._microphone(settings_with(audio={"microphone": "default"}))
    assert found.verdict == "missing"


def test_for_people_it_is_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Check, verdict, what was found, what to do."""
    assert cli.main(["doctor", *QUIET]) == 0
    out = capsys.readouterr().out
    assert "speech model" in out
    assert "what to do" in out
    assert Settings().robot.engine == "sim"
