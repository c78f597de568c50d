from __future__ import annotations

from pathlib import Path

from claudiad.tts.installed import default_voice, installed_voices, resolve_voice, voice_folders
from tests.tts.test_engines import cut_config, install, remove_config


def test_folders_are_searched_most_particular_first() -> None:
    """$CLAUDIA_VOICES, then the user's data folder, then the system's."""
    environment = {"CLAUDIA_VOICES": "/a:/b", "XDG_DATA_HOME": "/data", "HOME": "/home/who"}
    expected = ["/a", "/b", "/data/claudia/voices", "/var/lib/claudia/voices"]
    assert [str(folder) for folder in voice_folders(environment)] == expected


def test_the_data_folder_has_its_usual_default() -> None:
    """Without XDG_DATA_HOME it is ~/.local/share."""
    assert voice_folders({"HOME": "/home/who"})[0] == Path("/home/who/.local/share/claudia/voices")


def test_only_complete_voices_are_installed(tmp_path: Path) -> None:
    """A model without its configuration, and a folder that is not there, are passed over."""
    remove_config(install(tmp_path, "half"))
    install(tmp_path, "whole")
    assert [voice.name for voice in installed_voices([tmp_path / "none", tmp_path])] == ["whole"]


def test_the_first_folder_wins(tmp_path: Path) -> None:
    """A voice in two folders is the one of the first."""
    mine, theirs = install(tmp_path / "mine", "voice"), install(tmp_path / "theirs", "voice")
    assert [voice.path for voice in installed_voices([mine.parent, theirs.parent])] == [mine]
    assert [voice.path for voice in installed_voices([theirs.parent, mine.parent])] == [theirs]


def test_an_unreadable_voice_is_shown_and_not_chosen(tmp_path: Path) -> None:
    """A damaged configuration is listed with its fault and never the default."""
    cut_config(install(tmp_path, "broken", not_speech=False))
    [voice] = installed_voices([tmp_path])
    assert "broken.onnx.json" in voice.fault
    assert default_voice([tmp_path]) is None


def test_an_alias_finds_the_voice(tmp_path: Path) -> None:
    """The name a voice had before upstream renamed it still finds it, and the other way round."""
    new = install(tmp_path / "new", "ja_JP-hi_fi_captain-medium")
    old = install(tmp_path / "old", "ja_JA-hi_fi_captain-medium")
    assert resolve_voice("ja_JA-hi_fi_captain-medium", [new.parent]) == new
    assert resolve_voice("ja_JP-hi_fi_captain-medium", [old.parent]) == old
