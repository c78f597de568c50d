"""The real engines: Open JTalk, and Piper with the project's own voice of tones."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from claudiad.clock import JumpClock
from claudiad.config import TtsSettings
from claudiad.errors import ClaudiaError, EngineMissing
from claudiad.tts.engines import NoVoice, open_voice
from claudiad.tts.manifest import shipped_folder
from claudiad.tts.mouth import Mouth
from claudiad.tts.openjtalk import OpenJTalkVoice
from claudiad.tts.piper import PiperVoiceEngine
from claudiad.types import Pcm
from tests.tts.fakes import FakeSpeaker

TONES = shipped_folder() / "test-tones.onnx"


def install(folder: Path, name: str, **changes: object) -> Path:
    """The voice of tones under another name, with other words in its ``.onnx.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    shutil.copy(TONES, path)
    config = json.loads(Path(f"{TONES}.json").read_text(encoding="utf-8"))
    Path(f"{path}.json").write_text(json.dumps(config | changes), encoding="utf-8")
    return path


def pitch(pcm: Pcm, rate: int) -> float:
    """The strongest frequency, in hertz."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(pcm.size)))
    return float(np.argmax(spectrum) * rate / pcm.size)


@pytest.fixture(scope="module")
def openjtalk() -> OpenJTalkVoice:
    return OpenJTalkVoice(1.0)


@pytest.fixture(scope="module")
def tones() -> PiperVoiceEngine:
    return PiperVoiceEngine(TONES, 1.0)


def test_openjtalk_speaks(openjtalk: OpenJTalkVoice) -> None:
    """A sentence becomes audible int16 at 48 kHz of a plausible length."""
    pcm = openjtalk.synthesise("はい、立ちます。")
    assert (openjtalk.sample_rate, str(pcm.dtype), pcm.ndim) == (48_000, "int16", 1)
    assert 0.8 < pcm.size / 48_000 < 3.0
    assert np.abs(pcm.astype(int)).max() > 3000


def test_openjtalk_takes_the_rate(openjtalk: OpenJTalkVoice) -> None:
    """Twice the rate takes about half the time."""
    usual = openjtalk.synthesise("こんにちは。").size
    quick = OpenJTalkVoice(2.0).synthesise("こんにちは。").size
    assert 0.4 < quick / usual < 0.6


def test_openjtalk_reads_rates_one_by_one(openjtalk: OpenJTalkVoice) -> None:
    """A second voice with another rate does not change the first."""
    before = openjtalk.synthesise("こんにちは。").size
    OpenJTalkVoice(2.0).synthesise("こんにちは。")
    assert openjtalk.synthesise("こんにちは。").size == before


def test_openjtalk_refuses_what_has_no_sound(openjtalk: OpenJTalkVoice) -> None:
    """Marks alone are a ClaudiaError."""
    with pytest.raises(ClaudiaError, match="nothing to pronounce"):
        openjtalk.synthesise("。")


def test_openjtalk_that_does_not_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broken installation is an EngineMissing that says what to do."""
    monkeypatch.setitem(__import__("sys").modules, "pyopenjtalk", None)
    with pytest.raises(EngineMissing, match="install pyopenjtalk-plus"):
        OpenJTalkVoice(1.0)


def test_piper_speaks_the_voice_of_tones(tones: PiperVoiceEngine) -> None:
    """Real piper-tts loads the project's voice and makes audible int16 from kanji, at the voice's rate."""
    pcm = tones.synthesise("はい、立ちます。")
    assert (tones.sample_rate, str(pcm.dtype), pcm.ndim) == (16_000, "int16", 1)
    assert pcm.size > 8000
    assert np.abs(pcm.astype(int)).max() > 20_000


def test_every_vowel_has_a_pitch_of_its_own(tones: PiperVoiceEngine) -> None:
    """Different phonemes sound different: each vowel's pitch is at least 1 % from the others'."""
    pitches = sorted(pitch(tones.synthesise(vowel * 6), tones.sample_rate) for vowel in "あいうえおん")
    assert min(b / a for a, b in pairwise(pitches)) > 1.01


def test_piper_says_all_sentences(tones: PiperVoiceEngine) -> None:
    """Piper yields one chunk per sentence; all of them are in the result."""
    one, two = tones.synthesise("はい。"), tones.synthesise("立ちます。")
    assert tones.synthesise("はい。立ちます。").size == one.size + two.size


def test_piper_takes_the_rate(tones: PiperVoiceEngine) -> None:
    """Twice the rate takes half the time."""
    usual = tones.synthesise("こんにちは。").size
    assert PiperVoiceEngine(TONES, 2.0).synthesise("こんにちは。").size == usual / 2


def test_piper_keeps_the_voices_own_scale(tmp_path: Path, tones: PiperVoiceEngine) -> None:
    """Rate 1 is the voice's own length scale, not scale 1."""
    inference = {"noise_scale": 0.0, "length_scale": 2.0, "noise_w": 0.0}
    slow = PiperVoiceEngine(install(tmp_path, "slow", inference=inference), 1.0)
    assert slow.synthesise("こんにちは。").size == 2 * tones.synthesise("こんにちは。").size


def test_piper_refuses_what_has_no_sound(tones: PiperVoiceEngine) -> None:
    """White space is a ClaudiaError."""
    with pytest.raises(ClaudiaError, match="nothing to pronounce"):
        tones.synthesise(" ")


def remove_model(path: Path) -> None:
    path.unlink()


def remove_config(path: Path) -> None:
    Path(f"{path}.json").unlink()


def cut_model(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:1000])


def empty_model(path: Path) -> None:
    path.write_bytes(b"")


def html_model(path: Path) -> None:
    path.write_bytes(b"<html>not found</html>")


def cut_config(path: Path) -> None:
    Path(f"{path}.json").write_text('{"audio": ', encoding="utf-8")


def bare_config(path: Path) -> None:
    Path(f"{path}.json").write_text("{}", encoding="utf-8")


def list_config(path: Path) -> None:
    Path(f"{path}.json").write_text("[]", encoding="utf-8")


def foreign_phonemes(path: Path) -> None:
    config = json.loads(Path(f"{path}.json").read_text(encoding="utf-8"))
    Path(f"{path}.json").write_text(json.dumps(config | {"phoneme_type": "openjtalk"}), encoding="utf-8")


DAMAGE = [
    remove_model,
    remove_config,
    cut_model,
    empty_model,
    html_model,
    cut_config,
    bare_config,
    list_config,
    foreign_phonemes,
]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_piper_voice_is_reported(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """Missing, cut, empty or foreign files are one line that names the file and says what to do."""
    path = install(tmp_path, "broken")
    damage(path)
    with pytest.raises(EngineMissing, match=r"broken\.onnx.*(fetch|choose)") as caught:
        PiperVoiceEngine(path, 1.0)
    assert "\n" not in str(caught.value)


def test_a_voice_of_another_language_is_remarked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A voice that does not read Japanese may be used by name, and the log says so."""
    path = install(tmp_path, "english", phoneme_type="text", espeak={"voice": "en-us"})
    with caplog.at_level(logging.WARNING):
        PiperVoiceEngine(path, 1.0)
    assert "english speaks en-us, not Japanese" in caplog.text


def test_auto_is_openjtalk_without_a_voice(tmp_path: Path) -> None:
    """With nothing installed the voice is Open JTalk."""
    assert open_voice(TtsSettings(), [tmp_path]).name.startswith("openjtalk")


def test_auto_is_piper_with_a_voice(tmp_path: Path) -> None:
    """An installed Japanese voice is chosen over Open JTalk."""
    install(tmp_path, "mine", not_speech=False)
    assert open_voice(TtsSettings(), [tmp_path]).name == "piper mine"


def test_auto_never_takes_the_test_voice_or_a_foreign_one(tmp_path: Path) -> None:
    """Neither tones nor a voice of another language is chosen by itself, wherever they lie."""
    install(tmp_path, "test-tones")
    install(tmp_path, "a-english", not_speech=False, phoneme_type="espeak")
    assert open_voice(TtsSettings(), [tmp_path]).name.startswith("openjtalk")


def test_auto_falls_back_from_a_damaged_voice(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A damaged Piper voice under `auto` is a warning and Open JTalk, not silence."""
    cut_model(install(tmp_path, "mine", not_speech=False))
    with caplog.at_level(logging.WARNING):
        assert open_voice(TtsSettings(), [tmp_path]).name.startswith("openjtalk")
    assert "mine.onnx" in caplog.text


def test_piper_by_name_finds_the_test_voice(tmp_path: Path) -> None:
    """Named, the project's own voice is found without being installed."""
    assert open_voice(TtsSettings(engine="piper", voice="test-tones"), [tmp_path]).name == "piper test-tones"
    assert open_voice(TtsSettings(engine="auto", voice="test-tones"), [tmp_path]).name == "piper test-tones"


def test_piper_by_path(tmp_path: Path) -> None:
    """A path is taken as it is."""
    path = install(tmp_path, "there")
    assert open_voice(TtsSettings(engine="piper", voice=str(path)), []).name == "piper there"


@pytest.mark.parametrize("settings", [TtsSettings(engine="piper"), TtsSettings(engine="piper", voice="nobody")])
def test_piper_without_a_voice_is_reported(settings: TtsSettings, tmp_path: Path) -> None:
    """`piper` asked for and not to be had is an EngineMissing with the command that helps."""
    with pytest.raises(EngineMissing, match="claudiad voices"):
        open_voice(settings, [tmp_path])


async def test_engine_none_says_nothing_and_succeeds() -> None:
    """Without a voice every reply is spoken as far as the turn is concerned, and nothing reaches the speaker."""
    speaker = FakeSpeaker(JumpClock())
    mouth = Mouth(open_voice(TtsSettings(engine="none")), speaker, JumpClock())
    said = await mouth.say("はい。立ちます。")
    assert (said.spoken, said.first_audio_at, speaker.played) == (("はい。", "立ちます。"), None, [])
    assert isinstance(open_voice(TtsSettings(engine="none")), NoVoice)
    await mouth.close()
