"""`ask`, `hear`, `say`, `check-config` and the command line around them, called as a person would."""

from __future__ import annotations

import io
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from claudiad.app import cli, cmd_hear, parts
from claudiad.app.claudiactl_text import lines_of
from claudiad.app.ears import Ears
from claudiad.audio.virtual import MemorySpeaker
from claudiad.audio.wav import read_wav, write_wav
from claudiad.brain.router import Tables, load_tables
from claudiad.types import SAMPLE_RATE, Pcm
from tests.audio.sounds import silence
from tests.fakes.recogniser import FakeRecogniser

ASK_KEYS = ["text", "route", "kind", "actions", "refused", "reply", "confidence", "timings_ms"]
HEAR_KEYS = {*ASK_KEYS, "transcript", "dropped"}


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the machine's configuration nor the person's has a say."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("claudiad.app.settings.SYSTEM_FILE", tmp_path / "none.toml")


@pytest.fixture(autouse=True)
def _tables_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped tables never change: each combination with an owner's file is read once."""
    monkeypatch.setattr(parts, "load_tables", lambda actions, own: _tables(tuple(actions.items()), tuple(own)))


@lru_cache
def _tables(actions: tuple[tuple[str, int], ...], own: tuple[Path, ...]) -> Tables:
    return load_tables(dict(actions), own)


class Shell:
    """Runs the command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self.err = ""

    def __call__(self, *argv: str, status: int = 0) -> str:
        """Its standard output; fails when the exit status is another."""
        try:
            code = cli.main(argv)
        except SystemExit as left:
            code = int(left.code or 0)
        out, self.err = self._capsys.readouterr()
        assert code == status, self.err
        assert "Traceback" not in self.err
        return out

    def json(self, *argv: str, status: int = 0) -> list[dict[str, Any]]:
        """Its objects, one per line."""
        return [json.loads(line) for line in self(*argv, status=status).splitlines()]

    def ask(self, *argv: str) -> list[dict[str, Any]]:
        return self.json("ask", "--json", *argv)


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def names(out: dict[str, Any]) -> list[str]:
    return [a["name"] for a in out["actions"]]


def test_ask_prints_one_object_per_line_with_the_contracts_keys(shell: Shell) -> None:
    """In the order given, exactly the keys of the contract, also for an empty line and for nonsense."""
    out = shell.ask("座って", "", "明日の株価は", "止まって")
    assert [one["text"] for one in out] == ["座って", "", "明日の株価は", "止まって"]
    assert all(list(one) == ASK_KEYS for one in out)
    assert [one["route"] for one in out] == ["hotpath", "none", "fallback", "emergency"]
    assert out[3]["actions"] == [{"name": "stop", "api_id": 1003, "params": {}}]
    assert all(one["timings_ms"]["decide"] >= 0 for one in out)


def test_ask_reads_lines_from_standard_input(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """`-` stands for its lines, among other arguments, with any line end, the last one without."""
    monkeypatch.setattr("sys.stdin", io.StringIO("立って\r\n\nお手"))
    assert [one["text"] for one in shell.ask("座って", "-", "伏せ")] == ["座って", "立って", "", "お手", "伏せ"]


def test_ask_takes_bytes_that_are_no_text(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not UTF-8, on the command line or in a file, is an object too, and valid JSON."""
    monkeypatch.setattr(
        "sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n" + "座って\n".encode()), encoding="utf-8")
    )
    out = shell.ask(b"\xe5".decode("utf-8", "surrogateescape"), "-")
    assert [one["text"] for one in out] == ["\ufffd", "\ufffd\ufffd", "座って"]


def test_every_line_starts_afresh(shell: Shell) -> None:
    """No latch and no posture is left over from the line before, nor from the process before."""
    out = shell.ask("緊急停止", "座って", "挨拶して")
    assert [names(one) for one in out] == [["stop"], ["Sit"], ["Hello"]]


def test_the_posture_given_decides_what_is_inserted(shell: Shell) -> None:
    """From lying, StandUp comes first and is marked; a posture already held is still listed."""
    (greet,) = shell.ask("--posture", "lying", "挨拶して")
    assert [(a["name"], a.get("inserted")) for a in greet["actions"]] == [("StandUp", True), ("Hello", None)]
    assert names(shell.ask("--posture", "standing", "立って")[0]) == ["StandUp"]
    assert names(shell.ask("--posture", "sitting", "座ってから挨拶して")[0]) == ["Sit", "Hello"]


def test_a_nearly_empty_battery_refuses(shell: Shell) -> None:
    """At 5 % a dance is refused with a reason that is also the answer; a stop and sitting down are not."""
    dance, stop, sit = shell.ask("--battery", "5", "踊って", "止まって", "座って")
    assert (names(dance), [r["name"] for r in dance["refused"]]) == ([], ["Dance1"])
    assert dance["reply"] == dance["refused"][0]["reason"] != ""
    assert (names(stop), names(sit)) == (["stop"], ["Sit"])


def test_what_is_dangerous_needs_permission(shell: Shell) -> None:
    """A flip is refused, allowed with --allow-high-risk, and refused again on a low battery."""
    assert shell.ask("宙返りして")[0]["refused"][0]["name"] == "FrontFlip"
    assert names(shell.ask("--allow-high-risk", "宙返りして")[0]) == ["FrontFlip"]
    assert names(shell.ask("--allow-high-risk", "--battery", "25", "宙返りして")[0]) == []


def test_without_a_robot_nothing_is_executed_and_everything_shown(shell: Shell) -> None:
    """`--robot none` is a known state: what would be done, insertions included."""
    (out,) = shell.ask("--robot", "none", "--posture", "lying", "挨拶して")
    assert names(out) == ["StandUp", "Hello"]
    assert list(out) == ASK_KEYS


def test_the_configured_robot_is_not_used_by_ask(shell: Shell, tmp_path: Path, no_sdk: None) -> None:
    """A configuration that names a real robot does not make `ask` move it."""
    (tmp_path / "c.toml").write_text('[robot]\nengine = "go2"\ninterface = "eth0"\n')
    assert names(shell.ask("--config", str(tmp_path / "c.toml"), "座って")[0]) == ["Sit"]
    shell("ask", "--robot", "go2", "座って", status=78)
    assert shell.err.count("\n") == 1


def test_ask_for_people_names_rule_and_refusal(shell: Shell) -> None:
    """Without --json it is readable; --explain adds why, in both."""
    out = shell("ask", "--explain", "--posture", "lying", "挨拶して", "宙返りして")
    assert "挨拶して → hotpath → StandUp+, Hello" in out
    assert "because     挨拶" in out
    assert "heard as    アイサツシテ" in out
    assert "refused FrontFlip: " in out
    assert "rule" in shell.json("ask", "--json", "--explain", "座って")[0]


def test_ask_for_people_is_what_claudiactl_prints(shell: Shell) -> None:
    """Whoever was asked, the same decision reads the same."""
    words = ("--posture", "lying", "座って", "宙返りして", "一メートル前に進んで", "")
    shown = [line for out in shell.ask(*words) for line in lines_of("ask", out)]
    assert shell("ask", *words).splitlines() == shown
    assert "一メートル前に進んで → motion → StandUp+, move x=1 y=0 yaw=0" in shown


@pytest.mark.parametrize(
    "argv",
    [
        ("ask",),
        ("ask", "--battery", "101", "x"),
        ("ask", "--posture", "dancing", "x"),
        ("nonsense",),
        ("hear", "--pace", "slow", "x.wav"),
        (),
    ],
)
def test_a_wrong_command_line_is_refused(shell: Shell, argv: tuple[str, ...]) -> None:
    """64, as sysexits.h has it, with the usage."""
    shell(*argv, status=64)
    assert "usage: claudiad" in shell.err


def test_a_fault_in_the_configuration_is_78(shell: Shell, tmp_path: Path) -> None:
    """From every command that reads it: one line per fault, file and line first, nothing on standard output."""
    bad = tmp_path / "bad.toml"
    bad.write_text("[stt]\nthreads = 0\n[robot]\nengin = 'sim'\n")
    for argv in (("ask", "x"), ("hear", "x.wav"), ("say", "x"), ("run",)):
        assert shell(argv[0], "--config", str(bad), *argv[1:], status=78) == ""
        assert [line.split(": ")[0] for line in shell.err.splitlines()] == [f"{bad}:2", f"{bad}:4"]
    shell("ask", "--config", str(tmp_path / "nowhere.toml"), "x", status=78)
    shell("ask", "--set", "stt.threads=0", "x", status=78)


def test_a_fault_in_the_owners_phrases_is_65(shell: Shell, tmp_path: Path) -> None:
    """A phrase table that cannot be read is named with its line."""
    (tmp_path / "p.tsv").write_text("お茶\tMakeTea\tはい。\n")
    (tmp_path / "c.toml").write_text('[brain]\nphrases = "p.tsv"\n')
    shell("ask", "--config", str(tmp_path / "c.toml"), "お茶", status=65)
    assert "p.tsv:1: " in shell.err


def test_check_config_tells_each_fault(shell: Shell, tmp_path: Path) -> None:
    """78 with the faults, 0 for its own example, 64 without a file."""
    bad, good = tmp_path / "bad.toml", tmp_path / "good.toml"
    bad.write_text("[stt]\nthreads = 0\n[robot]\nengin = 'sim'\n")
    out = shell("check-config", str(bad), status=78) + shell.err
    assert len(out.splitlines()) == 2
    good.write_text(shell("check-config", "--example"), encoding="utf-8")
    shell("check-config", str(good))
    shell("check-config", status=64)
    assert "which file?" in shell.err


def test_the_version_and_the_help_are_there(shell: Shell) -> None:
    """Every command is in the help, and so are the exit statuses."""
    assert shell("--version").startswith("claudiad ")
    out = shell("--help")
    assert {name.replace("_", "-") for name in cli.COMMANDS} <= set(out.split())
    assert "Exit statuses" in out


class Recordings:
    """WAV files whose content the fake recogniser knows."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.recogniser = FakeRecogniser()

    def wav(self, name: str, *pieces: Pcm) -> str:
        path = self._folder / f"{name}.wav"
        write_wav(path, np.concatenate([silence(200), *(s for p in pieces for s in (p, silence(900)))]))
        return str(path)

    def saying(self, name: str, *texts: str, **how: Any) -> str:
        return self.wav(name, *(self.recogniser.says(text, **how) for text in texts))


@pytest.fixture
def recordings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Recordings:
    made = Recordings(tmp_path)
    # The loop runs on the thread the fake is made on, as everywhere.
    monkeypatch.setattr(cmd_hear.Ears, "open", classmethod(lambda _cls, _settings: Ears(made.recogniser)))
    return made


def test_hear_prints_one_object_per_recording_in_order(shell: Shell, recordings: Recordings, tmp_path: Path) -> None:
    """Speech, silence, no file, a command that is refused: four lines, each about its file, and exit 65."""
    write_wav(tmp_path / "still.wav", silence(1000))
    files = [
        recordings.saying("sit", "座って"),
        str(tmp_path / "still.wav"),
        str(tmp_path / "none.wav"),
        recordings.saying("flip", "宙返りして"),
    ]
    out = shell.json("hear", "--json", "--set", "tts.engine=none", *files, status=65)
    assert [one["file"] for one in out] == files
    assert all(set(one) >= HEAR_KEYS for one in out)
    assert [one["dropped"] for one in out] == [None, "silence", "unreadable", None]
    assert [names(one) for one in out] == [["Sit"], [], [], []]
    assert out[2]["error"].startswith(files[2])
    assert out[3]["refused"][0]["name"] == "FrontFlip"
    times = out[0]["timings_ms"]
    assert {"endpoint", "stt", "decide", "speech_end_to_dispatch"} <= set(times)
    assert recordings.recogniser.broken == []


def test_hear_joins_several_utterances(shell: Shell, recordings: Recordings) -> None:
    """Two commands in one recording are one object with both; the next recording knows nothing of them."""
    both, alone = recordings.saying("both", "座って", "緊急停止"), recordings.saying("alone", "立って")
    out = shell.json("hear", "--json", "--set", "tts.engine=none", both, alone)
    assert (out[0]["transcript"], out[0]["utterances"]) == ("座って 緊急停止", 2)
    assert names(out[0]) == ["Sit", "stop"]
    assert names(out[1]) == ["StandUp"]


def test_hear_takes_the_same_options_as_ask(shell: Shell, recordings: Recordings) -> None:
    """Posture and battery of the robot it moves, or a known state and nothing moved."""
    wav = recordings.saying("hello", "挨拶して")
    (out,) = shell.json("hear", "--json", "--set", "tts.engine=none", "--posture", "lying", wav)
    assert [(a["name"], a.get("inserted", False)) for a in out["actions"]] == [("StandUp", True), ("Hello", False)]
    (out,) = shell.json("hear", "--json", "--set", "tts.engine=none", "--battery", "5", wav)
    assert out["actions"] == []
    assert [r["name"] for r in out["refused"]] == ["Hello"]
    (out,) = shell.json("hear", "--json", "--set", "tts.engine=none", "--robot", "none", "--posture", "lying", wav)
    assert names(out) == ["StandUp", "Hello"]


def test_hear_gives_the_reason_of_what_was_dropped(shell: Shell, recordings: Recordings) -> None:
    """Unknown words move nothing and say so; the transcript is there to see why."""
    (out,) = shell.json("hear", "--json", recordings.saying("mumble", "座って", oov=0.9))
    assert (out["dropped"], out["transcript"], out["actions"], out["oov"]) == ("out of vocabulary", "座って", [], 0.9)


def test_hear_for_people_is_the_log_line(shell: Shell, recordings: Recordings, tmp_path: Path) -> None:
    """Without --json: the canonical line of each turn, or that nothing was heard."""
    write_wav(tmp_path / "still.wav", silence(500))
    out = shell("hear", "--set", "tts.engine=none", recordings.saying("sit", "座って"), str(tmp_path / "still.wav"))
    first, second = out.splitlines()
    assert first.startswith("turn 1 heard 「座って」 → hotpath → 座る")
    assert second.endswith("still.wav: nothing heard")


def test_hear_in_real_time_takes_the_recordings_time(shell: Shell, recordings: Recordings) -> None:
    """`--pace real`: a complete command is committed its short hangover after its end, and dispatched right after."""
    (out,) = shell.json(
        "hear", "--json", "--pace", "real", "--set", "tts.engine=none", recordings.saying("s", "座って")
    )
    times = out["timings_ms"]
    assert names(out) == ["Sit"]
    assert 200 <= times["endpoint"] < 600
    assert times["speech_end_to_dispatch"] >= times["endpoint"]


def test_say_writes_speech(shell: Shell, tmp_path: Path) -> None:
    """16 kHz mono, as long as the sentence, and nothing on standard output."""
    wav = tmp_path / "said.wav"
    assert shell("say", "--set", "tts.engine=openjtalk", "--out", str(wav), "はい、", "座ります。") == ""
    pcm = read_wav(wav)
    assert 0.5 * SAMPLE_RATE < len(pcm) < 4 * SAMPLE_RATE
    assert np.abs(pcm).max() > 1000


def test_say_refuses_what_is_no_japanese(shell: Shell, tmp_path: Path) -> None:
    """Nothing is left after the gate: 65, one line, no file."""
    shell("say", "--set", "tts.engine=openjtalk", "--out", str(tmp_path / "x.wav"), "***", status=65)
    assert "nothing of it can be spoken as Japanese" in shell.err
    assert not (tmp_path / "x.wav").exists()


def test_say_into_a_folder_that_is_not_there(shell: Shell, tmp_path: Path) -> None:
    """A file that cannot be written is one line, not a traceback."""
    shell("say", "--set", "tts.engine=openjtalk", "--out", str(tmp_path / "no" / "x.wav"), "はい。", status=65)
    assert shell.err.count("\n") == 1
    assert "cannot be written" in shell.err


def test_say_with_a_voice_that_is_not_there(shell: Shell) -> None:
    """The engine asked for by name and missing is 78."""
    shell("say", "--set", "tts.engine=piper", "--set", "tts.voice=/no/such.onnx", "はい。", status=78)


def test_say_without_a_speaker_that_takes_it(shell: Shell) -> None:
    """69, and what to do: a caller that has another way can try it."""
    shell("say", "--set", "tts.engine=openjtalk", "--set", "audio.speaker=no such device", "はい。", status=69)
    assert 'no speaker took it (audio.speaker = "no such device")' in shell.err.splitlines()[-1]


def test_say_into_silence_that_was_asked_for(shell: Shell) -> None:
    """`none` is the owner's choice and no fault; one line says so, for who has forgotten it."""
    shell("say", "--set", "tts.engine=openjtalk", "--set", "audio.speaker=none", "はい。")
    assert shell.err == 'claudiad say: not a sound, as audio.speaker = "none" wants it\n'


def test_say_through_a_speaker(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Heard: 0, and nothing more to say about it."""
    from claudiad.app import cmd_say

    monkeypatch.setattr(cmd_say, "speaker_for", lambda _, clock: MemorySpeaker(clock, "fast"))
    shell("say", "--set", "tts.engine=openjtalk", "はい。")
    assert shell.err == ""


def test_errors_end_with_their_own_status(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupt is 130, a reader that went away is 0, and any error of the tree is its own status."""
    from claudiad.app import cmd_ask
    from claudiad.errors import Busy

    for raised, status in ((KeyboardInterrupt(), 130), (BrokenPipeError(), 0), (Busy("taken"), 75)):

        def fails(_: object, fault: BaseException = raised) -> int:
            raise fault

        monkeypatch.setattr(cmd_ask, "run", fails)
        shell("ask", "x", status=status)
    assert shell.err == "claudiad ask: taken\n"
