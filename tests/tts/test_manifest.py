from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from claudiad.errors import DataError
from claudiad.tts.manifest import find_listed, load_manifest, shipped_folder
from claudiad.tts.piper import PiperVoiceEngine
from training.voice import tones

GOOD = """\
[[voice]]
name = "a"
language = "ja"
description = "d"
licence = "l"
source = "s"
files = [{ file = "a.onnx", url = "https://h/a" }, { file = "a.onnx.json", url = "https://h/b" }]
"""


def test_shipped_voices_are_what_the_manifest_says() -> None:
    """Every file that comes with the program has the size and sum of the manifest, and all of it is small."""
    shipped = [file for voice in load_manifest() for file in voice.files if not file.url]
    assert len(shipped) == 2
    for file in shipped:
        content = (shipped_folder() / file.file).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file.size, file.sha256)
        assert len(content) < 200_000


def test_the_recipe_gives_the_shipped_voice(tmp_path: Path) -> None:
    """Built again, the voice of tones sounds sample for sample like the shipped one."""
    built, _ = tones.build(tmp_path)
    shipped = PiperVoiceEngine(shipped_folder() / built.name, 1.1)
    assert np.array_equal(PiperVoiceEngine(built, 1.1).synthesise("はい、三歩。"), shipped.synthesise("はい、三歩。"))


def test_the_official_voice_is_listed_under_both_names() -> None:
    """The Japanese voice is found by its old and its new name and can be fetched over https."""
    listed = load_manifest()
    voice = find_listed("ja_JA-hi_fi_captain-medium", listed)
    assert voice is not None
    assert voice is find_listed("ja_JP-hi_fi_captain-medium", listed)
    assert all(file.url.startswith("https://") for file in voice.files)


def test_sums_are_optional(tmp_path: Path) -> None:
    """An entry without size and sum is accepted."""
    path = tmp_path / "m.toml"
    path.write_text(GOOD)
    [voice] = load_manifest(path)
    assert (voice.files[0].sha256, voice.size, voice.speech) == (None, None, True)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[[voice]\n", "m.toml:1: "),
        (GOOD + "x = \n", "m.toml:8: "),
        ('voice = "a"\n', "m.toml:1: each voice"),
        (GOOD.replace('language = "ja"\n', ""), "m.toml:1: language is missing"),
        (GOOD + GOOD, "m.toml:8: the voice 'a' is listed already"),
        (GOOD.replace("https://h/a", "file:///etc/passwd"), "m.toml:1: url must begin"),
        (GOOD.replace('"a.onnx"', '"../a.onnx"'), "m.toml:1: file must be a plain name"),
        (GOOD.replace('"a.onnx"', '"b.onnx"'), "m.toml:1: files must be a.onnx and a.onnx.json"),
        (GOOD.replace('"https://h/a"', '"https://h/a", sha256 = "12"'), "m.toml:1: sha256 must be"),
        (GOOD.replace('"https://h/a"', '"https://h/a", size = 0'), "m.toml:1: size must be"),
        (GOOD.replace("files = [", "files = [3, "), "m.toml:1: files must be a list"),
        (GOOD + "speech = 1\n", "m.toml:1: speech must be"),
        (GOOD + "aliases = 1\n", "m.toml:1: aliases must be"),
    ],
)
def test_a_fault_is_named_by_file_and_line(tmp_path: Path, text: str, fault: str) -> None:
    """Faults in a manifest are DataErrors that begin with file and line."""
    path = tmp_path / "m.toml"
    path.write_text(text)
    with pytest.raises(DataError) as caught:
        load_manifest(path)
    assert str(caught.value).startswith(f"{tmp_path}/{fault}")


def test_a_missing_manifest_is_reported(tmp_path: Path) -> None:
    """No manifest is a DataError too."""
    with pytest.raises(DataError, match="cannot be read"):
        load_manifest(tmp_path / "none.toml")
