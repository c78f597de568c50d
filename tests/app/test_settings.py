"""Loading settings: what wins, and what each fault reads like."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from claudiad.app import settings as loading
from claudiad.app.example import example_toml
from claudiad.app.schema import keys
from claudiad.app.settings import check_config, default_file, load
from claudiad.config import Settings
from claudiad.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "c.toml"


def faults_of(
    file: Path | None, text: str | None = None, environ: Mapping[str, str] | None = None, overrides: Sequence[str] = ()
) -> list[str]:
    """The faults of a configuration, without the folder of the file."""
    if file is not None and text is not None:
        file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environ or {}, overrides)
    folder = "" if file is None else f"{file.parent}{os.sep}"
    return [fault.replace(folder, "") if folder else fault for fault in caught.value.faults]


def test_nothing_given_is_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without file, environment and arguments the settings are exactly the defaults."""
    monkeypatch.setattr(loading, "SYSTEM_FILE", tmp_path / "none.toml")
    assert load(None, {"HOME": str(tmp_path)}) == Settings()


def test_later_sources_win(file: Path) -> None:
    """Command line over environment over file over default."""
    file.write_text("[stt]\nthreads = 3\n[tts]\nrate = 1\n[endpoint]\nhangover_ms = 400\nmargin_db = 9\n")
    environ = {"CLAUDIA_ENDPOINT_HANGOVER_MS": "500", "CLAUDIA_STT_THREADS": "4"}
    settings = load(file, environ, ["stt.threads=5", "stt.threads = 6"])
    assert (settings.stt.threads, settings.endpoint.hangover_ms) == (6, 500)
    assert (settings.tts.rate, settings.endpoint.margin_db) == (1.0, 9.0)
    assert isinstance(settings.tts.rate, float)


def test_arrays_become_tuples(file: Path) -> None:
    """A TOML array is accepted where the tree has a tuple, from each source."""
    file.write_text('[wake]\nphrases = ["ロボ"]\n')
    assert load(file, {}).wake.phrases == ("ロボ",)
    assert load(file, {"CLAUDIA_WAKE_PHRASES": '["ねえ", "犬"]'}).wake.phrases == ("ねえ", "犬")
    assert load(file, {}, ["wake.phrases=[]"]).wake.phrases == ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2", "2"),
        ("USB Audio", "USB Audio"),
        ('"a b"', "a b"),
        ("true", "true"),
        ("x\n[robot]", None),
        ('1\n"engine"=2', None),
    ],
)
def test_text_needs_no_quotes_outside_files(file: Path, given: str, expected: str | None) -> None:
    """A bare word, number or sentence is text for a text setting; TOML hidden in it sets nothing else."""
    file.write_text("")
    if expected is None:
        assert "control characters" in faults_of(file, overrides=[f"audio.microphone={given}"])[0]
    else:
        assert load(file, {"CLAUDIA_AUDIO_MICROPHONE": given}).audio.microphone == expected
        assert load(file, {}, [f"audio.microphone={given}"]).audio.microphone == expected


def test_a_value_brings_no_other_value_along(file: Path) -> None:
    """More than one line of TOML is no value for a number either."""
    (found,) = faults_of(file, "", {"CLAUDIA_STT_THREADS": "1\nengine = 'go2'"})
    assert found.startswith("environment CLAUDIA_STT_THREADS: stt.threads: ")
    assert found.endswith("is text; allowed: whole number 1 to 32")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[stt]\n\nmodle = 'x'", "c.toml:3: stt.modle: unknown key, did you mean model?; allowed: model, stop_model, "),
        (
            "[stt]\nhangover_ms = 1",
            "c.toml:2: stt.hangover_ms: unknown key, did you mean endpoint.hangover_ms?; allowed: model",
        ),
        ("[adio]", "c.toml:1: adio: unknown section, did you mean audio?; allowed: audio, endpoint, "),
        ("threads = 2", "c.toml:1: threads: unknown section, did you mean stt.threads?; allowed: audio, "),
        ("stt = 3", "c.toml:1: stt: a whole number instead of a section; allowed: [stt] and keys below it"),
        ("[[stt]]\nthreads = 2", "c.toml:1: stt: a list instead of a section; allowed: [stt] and keys below it"),
        ('[stt]\nthreads = "2"', 'c.toml:2: stt.threads: "2" is text; allowed: whole number 1 to 32'),
        ("[stt]\nthreads = 2.0", "c.toml:2: stt.threads: 2.0 is a decimal number; allowed: whole number 1 to 32"),
        ("[stt]\nthreads = true", "c.toml:2: stt.threads: true is true or false; allowed: whole number 1 to 32"),
        ("[stt]\nthreads = 0", "c.toml:2: stt.threads: 0 is out of range; allowed: whole number 1 to 32"),
        ("[robot]\nmax_speed = 0", "c.toml:2: robot.max_speed: 0 is out of range; allowed: number above 0.0 to 1.0"),
        ("[tts]\nrate = nan", "c.toml:2: tts.rate: nan is out of range; allowed: number 0.5 to 2.0"),
        ("[tts]\nrate = -inf", "c.toml:2: tts.rate: -inf is out of range; allowed: number 0.5 to 2.0"),
        (f"[tts]\nrate = 1{'0' * 400}", "c.toml:2: tts.rate: 1000"),
        (
            f"[tts]\nrate = 0x1{'0' * 9000}",
            "c.toml:2: tts.rate: a huge number is out of range; allowed: number 0.5 to 2.0",
        ),
        (f"[stt]\nthreads = 1{'0' * 9000}", "c.toml: cannot be read: Exceeds the limit"),
        (f"[stt]\nthreads = {'[' * 9000}", "c.toml: cannot be read: "),
        ("[tts]\nrate = true", "c.toml:2: tts.rate: true is true or false; allowed: number 0.5 to 2.0"),
        ("[stt]\nmodel = 1979-05-27", "c.toml:2: stt.model: 1979-05-27 is a date or time; allowed: text"),
        ("[stt]\ndevice = 'gpu'", 'c.toml:2: stt.device: "gpu" is none of the choices; allowed: "auto", "cpu", "cuda"'),
        ("[stt]\ndevice = 1", 'c.toml:2: stt.device: 1 is a whole number; allowed: "auto", "cpu", "cuda"'),
        ("[audit]\nenabled = 1", "c.toml:2: audit.enabled: 1 is a whole number; allowed: true or false"),
        ("[wake]\nphrases = 'x'", 'c.toml:2: wake.phrases: "x" is text; allowed: list of texts'),
        (
            "[wake]\nphrases = [\n'x',\n3]",
            "c.toml:2: wake.phrases: 3 in the list is a whole number; allowed: list of texts",
        ),
        ("[stt]\nthreads.x = 2", "c.toml:2: stt.threads: {'x': 2} is a table; allowed: whole number 1 to 32"),
        (
            "[stt]\nthreads = 1\nthreads = 2",
            "c.toml:3: stt.threads: given twice, first in line 2; allowed: each key and each",
        ),
        (
            "[stt]\n[tts]\n[stt]",
            "c.toml:3: stt: given twice, first in line 1; allowed: each key and each [section] once",
        ),
        (
            "[stt]\nmodel = small",
            "c.toml:2: column 9: not TOML: Invalid value; allowed: [section], key = value, text in ",
        ),
        ("[stt]\n\nmodel = [1,\n\n", "c.toml:3: end of file: not TOML: Invalid value; allowed: "),
        ('[stt]\nmodel = "a\\u0000b"', 'c.toml:2: stt.model: "a\\x00b" has control characters; allowed: text'),
        ('["a\\nb"]', "c.toml:1: a\\nb: unknown section; allowed: "),
    ],
)
def test_each_fault_is_one_line_with_place_and_what_is_allowed(file: Path, text: str, fault: str) -> None:
    """`file:line: section.key: what is wrong; allowed: …`."""
    (found,) = faults_of(file, text)
    assert found.startswith(fault)
    assert "; allowed: " in found
    assert len(found.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "[robot]\nengine = 'go2'",
            'c.toml:2: robot.interface: missing, and robot.engine = "go2" needs it; allowed: the net',
        ),
        (
            "[endpoint]\nmax_utterance_ms = 1000\nhangover_ms = 1000",
            "c.toml:3: endpoint.hangover_ms: 1000 is not below ",
        ),
        (
            "[endpoint]\nmax_utterance_ms = 1000\npre_roll_ms = 1000",
            "c.toml:3: endpoint.pre_roll_ms: 1000 is not below ",
        ),
        (
            "[endpoint]\nmin_speech_ms = 1000\nmax_utterance_ms = 1000",
            "c.toml:2: endpoint.min_speech_ms: 1000 is not below ",
        ),
        ("[turn]\nturn_budget_ms = 500\nstop_budget_ms = 600", "c.toml:3: turn.stop_budget_ms: 600 is above "),
        ("[turn]\nturn_budget_ms = 500\naction_budget_ms = 501", "c.toml:3: turn.action_budget_ms: 501 is above "),
        ("[wake]\nmode = 'on'\nphrases = []", "c.toml:3: wake.phrases: empty, and with the wake phrase on nothing"),
        (
            "[robot]\nengine='go2'\ninterface='x'\n[wake]\nphrases = []",
            "c.toml:5: wake.phrases: empty, and with the wake",
        ),
        (
            "[tts]\nacknowledgements = ['はい。', ' ']",
            "c.toml:2: tts.acknowledgements: one of the texts is empty; allowed: ",
        ),
        ("[wake]\nphrases = ['']", "c.toml:2: wake.phrases: one of the texts is empty; allowed: "),
        ("[audio]\nspeaker = ''", "c.toml:2: audio.speaker: empty; allowed: default, none, or part of a device name"),
        ("[brain]\nphrases = 'no.tsv'", 'c.toml:2: brain.phrases: no file "no.tsv"; allowed: a TSV file, '),
        ("[tts]\nvoice = 'no.onnx'", 'c.toml:2: tts.voice: no file "no.onnx"; allowed: a Piper voice (.onnx) or '),
        ("[tts]\nvoice = 'half.onnx'", 'c.toml:2: tts.voice: "half.onnx" lacks its .onnx.json; allowed: '),
        ("[stt]\nmodel = './no'", 'c.toml:2: stt.model: no model.bin in "no"; allowed: a folder with a CTranslate2'),
        ("[stt]\nstop_model = '~nobody-here/x'", "c.toml:2: stt.stop_model: no model.bin in "),
        (
            "[stt]\nmodel = 'smal'",
            'c.toml:2: stt.model: no model is called "smal", did you mean small?; allowed: embedded, tiny',
        ),
        (
            "[stt]\nmodel = 'small.en'",
            'c.toml:2: stt.model: "small.en" knows English only; allowed: embedded, tiny, base',
        ),
        (
            "[audit]\ndirectory = 'half.onnx'",
            'c.toml:2: audit.directory: "half.onnx" is a file; allowed: a folder; it is made',
        ),
    ],
)
def test_settings_that_need_each_other_or_a_file(file: Path, text: str, fault: str) -> None:
    """Cross checks name the line of the key at fault."""
    (file.parent / "half.onnx").touch()
    (found,) = faults_of(file, text)
    assert found.startswith(fault)


def test_a_path_too_long_to_look_up_is_a_missing_file(file: Path) -> None:
    """An impossible file name is a fault like any missing file."""
    (found,) = faults_of(file, f"[brain]\nphrases = '{'x' * 5000}'")
    assert found.startswith("c.toml:2: brain.phrases: no file ")


def test_a_rule_does_not_blame_the_default_of_a_faulty_key(file: Path) -> None:
    """When robot.interface has the wrong type, it is not also called missing."""
    assert len(faults_of(file, "[robot]\nengine = 'go2'\ninterface = 1")) == 1


def test_all_faults_of_all_sources_come_at_once_in_reading_order(file: Path) -> None:
    """Faults of the file in the order of its lines, then the environment's, then the command line's."""
    text = "[tts]\nrate = 9\n[stt]\nmodle = 1\n[brain]\nphrases = 'no.tsv'\n[endpoint]\nhangover_ms = 'x'\n"
    environ = {"CLAUDIA_STT_THREADS": "many", "CLAUDIA_SST_MODEL": "x", "CLAUDIA_TTS_RATE": "1.0"}
    found = faults_of(file, text, environ, ["stt.threads=99", "nonsense", "=", "a..b=1"])
    assert [fault.split(": ")[0] for fault in found] == [
        "c.toml:2",
        "c.toml:4",
        "c.toml:6",
        "c.toml:8",
        "environment CLAUDIA_SST_MODEL",
        "command line",
        "command line",
        "command line",
        "environment CLAUDIA_STT_THREADS",
        "command line",
    ]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (
            "CLAUDIA_SST_MODEL",
            "environment CLAUDIA_SST_MODEL: unknown setting, did you mean CLAUDIA_STT_MODEL?; allowed: ",
        ),
        ("CLAUDIA_STT", "environment CLAUDIA_STT: unknown setting, did you mean "),
        (
            "CLAUDIA_stt_model",
            "environment CLAUDIA_stt_model: unknown setting, did you mean CLAUDIA_STT_MODEL?; allowed: ",
        ),
        ("CLAUDIA_A_\nB", "environment CLAUDIA_A_\\nB: unknown setting; allowed: "),
    ],
)
def test_a_variable_that_looks_like_a_setting_and_is_none(file: Path, name: str, fault: str) -> None:
    """A misspelt variable is a fault with the nearest name."""
    (found,) = faults_of(file, "", {name: "x"})
    assert found.startswith(fault)


def test_variables_with_other_meanings_are_left_alone(file: Path) -> None:
    """The documented non-settings and foreign variables change nothing and are no faults."""
    file.write_text("")
    names = [
        "CLAUDIA_CONFIG",
        "CLAUDIA_VOICES",
        "CLAUDIA_TEST_STT_MODEL",
        "CLAUDIA_HOME",
        "OLLAMA_HOST",
        "XCLAUDIA_A_B",
    ]
    assert load(file, dict.fromkeys(names, "x")) == Settings()


def test_every_setting_can_come_from_the_environment_and_the_command_line(file: Path) -> None:
    """Each key's variable and dotted name reach that key and no other."""
    file.write_text("")
    for key in keys().values():
        other = {"switch": "false" if key.default else "true", "list": '["x"]'}.get(key.kind)
        if other is not None:
            expected: Any = {"true": True, "false": False}.get(other, ("x",))
            for settings in (load(file, {key.variable: other}), load(file, {}, [f"{key.dotted}={other}"])):
                changed = settings.model_dump()
                assert changed[key.section].pop(key.name) == expected
                plain = Settings().model_dump()
                plain[key.section].pop(key.name)
                assert changed == plain
        else:
            fault = {"text": "a\x07", "choice": "?"}.get(key.kind, "?")
            assert key.dotted in faults_of(file, environ={key.variable: fault})[0]
            assert key.dotted in faults_of(file, overrides=[f"{key.dotted}={fault}"])[0]


def test_relative_paths_start_where_they_were_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file: its folder. From the environment and the command line: the current folder. Names stay names."""
    inside, outside = tmp_path / "etc", tmp_path / "cwd"
    for folder in (inside, outside):
        (folder / "m" / "x").mkdir(parents=True)
        (folder / "m" / "x" / "model.bin").touch()
        for name in ("p.tsv", "v.onnx", "v.onnx.json"):
            (folder / name).touch()
    monkeypatch.chdir(outside)
    file = inside / "c.toml"
    file.write_text(
        "[brain]\nphrases='p.tsv'\n[stt]\nmodel='m/x'\nstop_model='org/name'\n[tts]\nvoice='v.onnx'\n[audit]\ndirectory='log'"
    )
    settings = load(file, {})
    assert settings.brain.phrases == str(inside / "p.tsv")
    assert (settings.stt.model, settings.stt.stop_model) == (str(inside / "m" / "x"), "org/name")
    assert settings.tts.voice == str(inside / "v.onnx")
    assert settings.audit.directory == str(inside / "log")
    settings = load(file, {"CLAUDIA_BRAIN_PHRASES": "p.tsv"}, ["stt.model=./m/x", "tts.voice=takumi"])
    assert settings.brain.phrases == str(outside / "p.tsv")
    assert (settings.stt.model, settings.tts.voice) == (str(outside / "m" / "x"), "takumi")


@pytest.mark.parametrize(
    "name", ["embedded", "small", "turbo", "kotoba-whisper-v2.0", "Systran/faster-whisper-tiny.en"]
)
def test_named_models_stay_names(file: Path, name: str) -> None:
    """A known model name or org/name is not taken for a path."""
    file.write_text("")
    assert load(file, {}, [f"stt.model={name}"]).stt.model == name


def test_the_file_as_a_whole(tmp_path: Path) -> None:
    """A missing, binary, oversized or unreadable file, a folder and a name no file can have are one fault each."""
    binary, big, link = tmp_path / "b.toml", tmp_path / "big.toml", tmp_path / "loop.toml"
    binary.write_bytes(b"[stt]\n# \xe3\x81\x82\n# \x82\xa0 Shift JIS\n")
    big.write_bytes(b"#" * 1_000_001)
    link.symlink_to(link)
    assert faults_of(tmp_path / "none.toml")[0].startswith("none.toml: no such file; allowed: a TOML file")
    assert faults_of(binary) == ["b.toml:3: byte 0x82 is not UTF-8; allowed: text saved as UTF-8"]
    assert faults_of(big)[0].startswith("big.toml: larger than 1000000 bytes")
    assert faults_of(link)[0].startswith("loop.toml: cannot be read: ")
    assert "cannot be read: Is a directory" in faults_of(tmp_path)[0]
    assert "cannot be read: File name too long" in faults_of(tmp_path / ("x" * 400))[0]
    assert faults_of(Path("a\0b"))[0].startswith("a\\x00b: cannot be read: ")
    assert faults_of(Path("/dev/zero"))[0].startswith("zero: larger than ")


def test_a_forbidden_file_is_a_fault(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is named, not skipped."""
    file.touch()

    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert faults_of(file) == ["c.toml: cannot be read: Permission denied; allowed: a readable TOML file"]


def test_a_byte_order_mark_is_no_fault(file: Path) -> None:
    """Files saved by editors that mark UTF-8 load."""
    file.write_bytes(b"\xef\xbb\xbf[stt]\nthreads = 3\n")
    assert load(file, {}).stt.threads == 3


def test_the_default_file_is_the_first_there_is(tmp_path: Path) -> None:
    """$CLAUDIA_CONFIG even when missing, the system's, the user's, none."""
    system, user = tmp_path / "system.toml", tmp_path / ".config" / "claudia" / "claudiad.toml"
    environ = {"HOME": str(tmp_path)}
    assert default_file(environ, system) is None
    assert default_file({}, system) is None
    user.parent.mkdir(parents=True)
    user.touch()
    assert default_file(environ, system) == user
    assert default_file({"XDG_CONFIG_HOME": str(tmp_path / ".config")}, system) == user
    system.touch()
    assert default_file(environ, system) == system
    assert default_file(environ | {"CLAUDIA_CONFIG": "/x/y"}, system) == Path("/x/y")


def test_a_default_file_one_may_not_look_for_counts_as_present(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed /etc/claudia leads to a fault, not to silent defaults."""

    def refuse(_: Path) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "lstat", refuse)
    assert default_file({}, tmp_path / "system.toml") == tmp_path / "system.toml"


def test_check_config_prints_and_returns(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A sound file: `ok:` and 0. A faulty one: a line per fault on standard error and 78."""
    file.write_text("[stt]\nthreads = 3\n")
    assert check_config(file) == 0
    assert capsys.readouterr() == (f"ok: {file}\n", "")
    file.write_text("[stt]\nthreads = 'x'\nx = 1\n")
    assert check_config(file) == 78
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[0] for line in err.splitlines()] == [f"{file}:2", f"{file}:3"]


def test_check_config_judges_the_file_alone(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of whoever checks does not make a file good or bad."""
    monkeypatch.setenv("CLAUDIA_STT_THREADS", "x")
    file.write_text("")
    assert check_config(file) == 0


def _spoil(seed: int) -> bytes:
    """The example file with one to four faults that make it certainly wrong."""
    dice = random.Random(seed)
    lines = example_toml().splitlines()
    assignments = [index for index, line in enumerate(lines) if re.match(r"\w+ = ", line)]
    kinds = ["value", "name", "cut", "double", "quote", "section", "huge", "bytes", "nest", "control"]
    spoiled = b""
    for kind in dice.choices(kinds, k=dice.randint(1, 4)):
        index = dice.choice(assignments)
        name = lines[index].split(" = ")[0]
        if kind == "value":
            lines[index] = f"{name} = {dice.choice(['{a = 1}', '1979-05-27', '[[1]]', '07:32:00', '{}', '[{a=[1]}]'])}"
        elif kind == "name":
            lines[index] = f"{name}x = 1"
        elif kind == "cut":
            lines[index] = f"{name} ="
        elif kind == "double":
            lines.insert(index, lines[index])
            assignments = [at + (at >= index) for at in assignments]
        elif kind == "quote":
            lines[index] = f'{name} = "' + dice.choice(["", "\\q", "a\tb\x01", '""'])
        elif kind == "section":
            lines[index] = f"[{dice.choice(['x', 'stt', 'a.b', '', 'tts.rate', '[stt]'])}]\n{name} ="
        elif kind == "huge":
            lines[index] = f"{name} = {'9' * dice.choice([400, 9000])}"
        elif kind == "nest":
            lines[index] = f"{name} = {'[' * dice.choice([3, 3000])}"
        elif kind == "control":
            lines[index] = f'{name} = "\\u0000\\n"'
        else:
            spoiled += bytes([dice.choice([0x00, 0x80, 0xC0, 0xFF])])
    return "\n".join(lines).encode() + spoiled


def test_three_hundred_spoiled_files_give_faults_and_no_traceback(file: Path) -> None:
    """Whatever is wrong, load raises ConfigError with faults of one line that begin with the file."""
    for seed in range(300):
        file.write_bytes(_spoil(seed))
        with pytest.raises(ConfigError) as caught:
            load(file, {})
        assert caught.value.faults
        for fault in caught.value.faults:
            assert re.match(rf"{re.escape(str(file))}(:\d+)?: ", fault), fault
            assert fault.isprintable(), fault
            assert "allowed: " in fault, fault


@given(st.binary(max_size=80), st.text(max_size=20), st.text(max_size=30))
@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_input_at_all_loads_or_is_a_config_error(file: Path, content: bytes, variable: str, override: str) -> None:
    """Arbitrary bytes, variables and arguments never give another exception."""
    file.write_bytes(content)
    for text in (override, f"stt.{override}", f"stt.model={override}", f"wake.phrases=[{override}]", f"{override}=1"):
        try:
            load(file, {f"CLAUDIA_{variable}": variable, "CLAUDIA_STT_MODEL": variable}, [text])
        except ConfigError as error:
            longest = max(len(fault.splitlines()) for fault in error.faults)
        else:
            longest = 1
        assert longest == 1
