"""Opening models: what is missing or broken is one line that names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from claudiad.config import SttSettings
from claudiad.errors import EngineMissing
from claudiad.stt.embedded import EmbeddedRecogniser
from claudiad.stt.engines import open_recogniser
from claudiad.stt.head import load_head
from claudiad.stt.load import EMBEDDED, model_folder
from claudiad.stt.whisper import WhisperRecogniser
from tests.stt import models

SETTINGS = SttSettings(threads=1)
Damage = Callable[[Path], object]

EMPTY: Damage = lambda file: file.write_bytes(b"")  # noqa: E731
HALF: Damage = lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])  # noqa: E731
JUNK: Damage = lambda file: file.write_bytes(np.random.default_rng(1).bytes(5000))  # noqa: E731
GONE: Damage = lambda file: file.unlink()  # noqa: E731


def fault_of(model: str) -> str:
    """The one line that opening it ends with."""
    with pytest.raises(EngineMissing) as caught:
        open_recogniser(SETTINGS, model)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("stt.model: ")
    return line


@pytest.mark.parametrize("damage", [EMPTY, HALF, JUNK, GONE], ids=["empty", "half", "junk", "gone"])
@pytest.mark.parametrize("name", ["model.bin", "ctc.npz"])
def test_a_damaged_binary_file_is_named(
    tmp_path: Path, name: str, damage: Damage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model or its CTC head, empty, cut in half, overwritten or gone: one line with the file's name."""
    folder = models.copy(tmp_path / "m")
    monkeypatch.setattr("claudiad.stt.load.EMBEDDED", folder)
    damage(folder / name)
    assert name in fault_of("embedded")


@pytest.mark.parametrize("damage", [EMPTY, HALF, JUNK, GONE], ids=["empty", "half", "junk", "gone"])
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "vocabulary.json"])
def test_a_damaged_text_file_is_no_model(tmp_path: Path, name: str, damage: Damage) -> None:
    """Whatever library trips over it, and over whatever, it is one line with the folder and what to do."""
    folder = models.copy(tmp_path / "m")
    damage(folder / name)
    line = fault_of(str(folder))
    assert str(folder) in line
    assert "broken copy" in line
    if damage is GONE and name != "vocabulary.json":
        assert name in line


@pytest.mark.parametrize("damage", [EMPTY, HALF, JUNK, GONE], ids=["empty", "half", "junk", "gone"])
@pytest.mark.parametrize("name", ["calibration.json", "preprocessor_config.json"])
def test_damage_that_would_only_be_heard_is_named(tmp_path: Path, name: str, damage: Damage) -> None:
    """Without its frame rate or its calibration the model would load and hear nonsense: it does not load."""
    folder = models.copy(tmp_path / "m")
    damage(folder / name)
    assert name in fault_of(str(folder))


def test_one_flipped_bit_is_found(tmp_path: Path) -> None:
    """A weight that changed on the disk loads without complaint in CTranslate2; the checksum does not let it."""
    folder = models.copy(tmp_path / "m")
    content = bytearray((folder / "model.bin").read_bytes())
    content[-1] ^= 1
    (folder / "model.bin").write_bytes(content)
    line = fault_of(str(folder))
    assert "model.bin" in line
    assert "SHA256SUMS" in line


def test_without_checksums_a_truncated_model_is_still_found(tmp_path: Path) -> None:
    """A folder of one's own needs no SHA256SUMS; what the loader says is passed on."""
    folder = models.copy(tmp_path / "m", head=False)
    (folder / "SHA256SUMS").unlink()
    HALF(folder / "model.bin")
    assert "cannot be loaded" in fault_of(str(folder))


@pytest.mark.parametrize(
    "table",
    [
        {"gap": 1.0},
        {"bias": 0, "decoder_log_p": 0, "gap": 0, "rate": 0},
        {"bias": 0, "decoder_log_p": 0, "gap": 0, "rate": 0, "sharpness": 0, "loudness": 0},
        {"bias": "0", "decoder_log_p": 0, "gap": 0, "rate": 0, "sharpness": 0},
        {"bias": True, "decoder_log_p": 0, "gap": 0, "rate": 0, "sharpness": 0},
        {"bias": float("nan"), "decoder_log_p": 0, "gap": 0, "rate": 0, "sharpness": 0},
        [1, 2, 3],
        None,
    ],
)
def test_a_calibration_of_another_model_is_refused(tmp_path: Path, table: object) -> None:
    """A weight too few, too many, or no finite number: the file is named, before anything is heard."""
    folder = models.copy(tmp_path / "m")
    (folder / "calibration.json").write_text(json.dumps(table))
    with pytest.raises(EngineMissing, match=r"calibration\.json is missing or broken"):
        load_head(folder)


@pytest.mark.parametrize(
    ("weight", "bias", "characters"),
    [((8, 4), (4,), "アイ"), ((8, 3), (4,), "アイ"), ((3,), (3,), "アイ"), ((8, 3), (3, 1), "アイ")],
)
def test_a_head_that_does_not_fit_itself_is_refused(
    tmp_path: Path, weight: tuple[int, ...], bias: tuple[int, ...], characters: str
) -> None:
    """Classes, bias and characters must agree in number."""
    folder = models.copy(tmp_path / "m")
    np.savez(folder / "ctc.npz", weight=np.zeros(weight), bias=np.zeros(bias), characters=list(characters))
    with pytest.raises(EngineMissing, match=r"ctc\.npz is missing or broken"):
        load_head(folder)


@pytest.mark.parametrize("left_out", ["weight", "bias", "characters"])
def test_a_head_without_one_of_its_arrays_is_refused(tmp_path: Path, left_out: str) -> None:
    """Each of the three is needed."""
    folder = models.copy(tmp_path / "m")
    arrays = {"weight": np.zeros((8, 3)), "bias": np.zeros(3), "characters": np.array(["ア", "イ"])}
    del arrays[left_out]
    np.savez(folder / "ctc.npz", **arrays)
    with pytest.raises(EngineMissing, match=left_out):
        load_head(folder)


def test_a_head_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    """A single array under the name of the archive is not one."""
    folder = models.copy(tmp_path / "m")
    with (folder / "ctc.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(EngineMissing, match=r"ctc\.npz is missing or broken"):
        load_head(folder)


def test_a_head_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    """A character the tokenizer does not know means that the two files come from different models."""
    folder = models.copy(tmp_path / "m")
    with np.load(folder / "ctc.npz") as shipped:
        arrays = dict(shipped)
    arrays["characters"] = np.array(["Ω", *arrays["characters"][1:]])
    np.savez(folder / "ctc.npz", **arrays)
    (folder / "SHA256SUMS").unlink()
    assert "not of the same model" in fault_of(str(folder))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A path without a folder, or to a file, is said so; an empty folder lacks all three files."""
    assert f"no folder {tmp_path / 'nowhere'}" in fault_of(str(tmp_path / "nowhere"))
    (tmp_path / "file").write_text("")
    assert "no folder" in fault_of(str(tmp_path / "file"))
    (tmp_path / "empty").mkdir()
    assert "lacks model.bin, config.json, tokenizer.json" in fault_of(str(tmp_path / "empty"))


def test_a_name_that_was_never_fetched_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A known name without its files names the command; nothing is downloaded."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    line = fault_of("large-v3-turbo")
    assert "`claudiad models fetch large-v3-turbo`" in line
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("model", "folder"),
    [("embedded", EMBEDDED), ("tiny", "tiny"), ("./tiny", None), ("/no/such", None), ("org/name", None)],
)
def test_a_path_is_a_folder_and_a_name_a_name(model: str, folder: Path | str | None) -> None:
    """What has a slash or begins with a dot is looked for on the disk; a bare name is left as it stands."""
    if folder is None:
        with pytest.raises(EngineMissing, match="no folder"):
            model_folder(model)
    else:
        assert model_folder(model) == folder


def test_the_head_decides_what_a_folder_is(tmp_path: Path) -> None:
    """With a CTC head it is one of ours; without, any faster-whisper model."""
    assert isinstance(open_recogniser(SETTINGS, str(models.copy(tmp_path / "ours"))), EmbeddedRecogniser)
    assert isinstance(open_recogniser(SETTINGS, str(models.copy(tmp_path / "any", head=False))), WhisperRecogniser)
