"""Speak to the daemon through a sound server: what it hears, does, answers, and how it ends."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from claudiad.app.demo_sound import person
from claudiad.brain.reading import reading
from claudiad.config import SttSettings
from claudiad.stt.embedded import EmbeddedRecogniser
from claudiad.stt.load import EMBEDDED
from claudiad.types import SAMPLE_RATE
from tests.real.daemon import Daemon
from tests.real.pulse import Pulse, SpeakerRecording, pulse, wait_for

__all__ = ["pulse"]

pytestmark = pytest.mark.real

READY = r"ready in \d"
Start = Callable[..., Daemon]


@pytest.fixture
def start(pulse: Pulse, tmp_path: Path) -> Iterator[Start]:
    """Starts daemons that do not outlive the test."""
    started: list[Daemon] = []

    def begin(toml: str = "") -> Daemon:
        started.append(Daemon(pulse, tmp_path, toml))
        return started[-1]

    yield begin
    for daemon in started:
        daemon.kill()


def said(text: str) -> np.ndarray:
    """A person's line with the silence before and after that a room has."""
    quiet = np.zeros(SAMPLE_RATE // 2, np.int16)
    return np.concatenate([quiet, person(text, mumble=False), quiet])


def test_a_spoken_command_moves_the_robot_and_is_answered_aloud(pulse: Pulse, start: Start) -> None:
    """Speech into the microphone: the action is logged and audited, and what the speaker says can be understood."""
    daemon = start()
    daemon.expect(READY)
    with SpeakerRecording(pulse) as recording:
        pulse.play_pcm_into_mic(said("座ってください"))
        line = daemon.expect(r"turn \d+ heard .* → hotpath → 座る")
        assert "first move" in line
        wait_for(lambda: loud(recording.pcm()) and quiet_now(recording.pcm()), lambda: "no spoken answer")
        answer = recording.pcm()
    assert daemon.end() == 0
    (turn,) = [t for t in daemon.audit() if t["actions"]]
    assert [a["api_id"] for a in turn["actions"]] == [1009]
    assert turn["actions"][0]["outcome"] == "done"
    heard = EmbeddedRecogniser(SttSettings(), "embedded").recognise(answer).text
    replies = {
        text: reading(text) for text in ("はい、座ります。", "止まりました。", "はい、踊ります。", "おやすみなさい。")
    }
    assert (
        min(replies, key=lambda text: Levenshtein.normalized_distance(reading(heard), replies[text])) == turn["reply"]
    )
    assert daemon.end() == 0


def loud(pcm: np.ndarray) -> bool:
    return bool(len(pcm)) and int(np.abs(pcm.astype(int)).max()) > 1000


def quiet_now(pcm: np.ndarray) -> bool:
    return int(np.abs(pcm[-SAMPLE_RATE // 2 :].astype(int)).max()) < 50


def test_a_spoken_stop_ends_a_dance(pulse: Pulse, start: Start) -> None:
    """A stop said while the robot dances ends the dance, which the audit shows as stopped."""
    daemon = start()
    daemon.expect(READY)
    with SpeakerRecording(pulse) as recording:
        pulse.play_pcm_into_mic(said("踊って"))
        wait_for(lambda: loud(recording.pcm()), lambda: "the dance was not announced")
        pulse.play_pcm_into_mic(said("止まって"))
    daemon.expect(r"emergency → 止まる")
    assert daemon.end() == 0  # by then the audit is complete
    outcomes = {a["name"]: a["outcome"] for t in daemon.audit() for a in t["actions"]}
    assert outcomes == {"Dance1": "stopped", "stop": "done"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("moment", ["starting", "idle", "speaking", "moving"])
def test_signals_end_it_cleanly_whatever_it_is_doing(
    pulse: Pulse, start: Start, moment: str, number: signal.Signals
) -> None:
    """From every state SIGTERM and SIGINT give exit status 0, the line that it stopped, and no library's complaint."""
    daemon = start()
    daemon.expect("starting" if moment == "starting" else READY)
    if moment == "speaking":
        with SpeakerRecording(pulse) as recording:
            pulse.play_pcm_into_mic(said("何ができますか"))
            wait_for(lambda: loud(recording.pcm()), lambda: "it does not speak")
    elif moment == "moving":
        with SpeakerRecording(pulse) as recording:
            pulse.play_pcm_into_mic(said("踊って"))
            wait_for(lambda: loud(recording.pcm()) and quiet_now(recording.pcm()), lambda: "it does not dance")
    assert daemon.end(number) == 0
    assert any(line.endswith("stopped") for line in daemon.seen), daemon.seen
    assert not any("Traceback" in line or "leaked" in line for line in daemon.seen)


def test_a_microphone_that_comes_late_is_opened(pulse: Pulse, start: Start) -> None:
    """Started without a sound server, the daemon is ready, says what is missing, and hears once it is there."""
    pulse.kill()
    daemon = start("[audio]\nreopen_ms = 200\n")
    daemon.expect(r"no microphone: .* looking again")
    if not any(re.search(READY, line) for line in daemon.seen):  # either may come first
        daemon.expect(READY)
    pulse.start()
    daemon.expect(r"microphone default: \d+ Hz")
    pulse.play_pcm_into_mic(said("座ってください"))
    daemon.expect(r"→ 座る")
    assert daemon.end() == 0


def test_a_microphone_that_vanishes_and_returns_is_heard_again(pulse: Pulse, start: Start) -> None:
    """The sound server dies and comes back: one clear line for the loss, and the next command is understood."""
    daemon = start("[audio]\nreopen_ms = 200\n")
    daemon.expect(READY)
    pulse.play_pcm_into_mic(said("座ってください"))
    daemon.expect(r"→ 座る")
    pulse.kill()
    daemon.expect(r"(?i)(microphone|speaker).*(lost|gone|missing)")
    pulse.start()
    daemon.expect(r"microphone default: \d+ Hz")
    pulse.play_pcm_into_mic(said("立ってください"))
    daemon.expect(r"→ 立つ")
    assert daemon.end() == 0


def test_a_microphone_of_zeros_is_reported(start: Start) -> None:
    """A null sink's monitor with nothing playing gives zeros only: after some seconds it says so."""
    daemon = start()
    daemon.expect(READY)
    daemon.expect(r"(?i)zeros")
    assert daemon.end() == 0


def test_without_a_speaker_the_turn_completes(pulse: Pulse, start: Start) -> None:
    """A speaker that cannot be found: it is said once, and the command is carried out all the same."""
    daemon = start('[audio]\nspeaker = "no such speaker"\n')
    daemon.expect(r"(?i)no such speaker")
    daemon.expect(READY)
    pulse.play_pcm_into_mic(said("座ってください"))
    daemon.expect(r"→ 座る")
    assert daemon.end() == 0


@pytest.mark.parametrize("fault", ["missing folder", "missing file", "cut file"])
def test_a_broken_model_is_one_line_and_exit_78(start: Start, tmp_path: Path, fault: str) -> None:
    """A model folder that is missing or damaged ends the start with one line that names it."""
    folder = tmp_path / "model"
    if fault != "missing folder":
        shutil.copytree(EMBEDDED, folder)
        model = folder / "model.bin"
        if fault == "missing file":
            model.unlink()
        else:
            model.write_bytes(model.read_bytes()[:100_000])
    daemon = start(f'[stt]\nmodel = "{folder}"\n')
    assert daemon.wait() == 78
    (line,) = [line for line in daemon.seen if "stt.model" in line]
    assert str(folder) in line
    assert not any("Traceback" in line for line in daemon.seen)
