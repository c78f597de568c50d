"""Both recognisers on the shipped model: the contract, not the accuracy (that is `bench/`'s)."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from claudiad.config import SttSettings
from claudiad.stt.embedded import LOST_GAP, EmbeddedRecogniser
from claudiad.stt.evidence import Evidence
from claudiad.stt.whisper import WhisperRecogniser
from claudiad.types import SAMPLE_RATE, Pcm, Transcript
from tests.audio.sounds import noise, silence, tone
from tests.stt import models

SETTINGS = SttSettings(threads=1)


@pytest.fixture(scope="module")
def embedded() -> EmbeddedRecogniser:
    return EmbeddedRecogniser(SETTINGS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> WhisperRecogniser:
    """The same model with nothing but the Whisper files."""
    folder = models.copy(tmp_path_factory.mktemp("plain") / "m", head=False)
    return WhisperRecogniser(SETTINGS, str(folder))


@pytest.fixture(scope="module")
def sit() -> Pcm:
    """座ってください, spoken by Open JTalk."""
    import pyopenjtalk

    from claudiad.audio.resample import convert

    wave, rate = pyopenjtalk.tts("座ってください")
    return convert((wave / np.abs(wave).max() * 9000).astype(np.int16), rate)


def checked(transcript: Transcript) -> Transcript:
    """It keeps the ranges its fields promise."""
    assert 0.0 <= transcript.confidence <= 1.0
    assert 0.0 <= transcript.oov <= 1.0
    assert transcript.text or transcript.dropped
    return transcript


def test_it_hears_something_like_what_was_said(embedded: EmbeddedRecogniser, sit: Pcm) -> None:
    """Clear speech of a voice it was trained on comes back as kana that is mostly right, the same each time."""
    from rapidfuzz.distance import Levenshtein

    heard = checked(embedded.recognise(sit))
    assert Levenshtein.normalized_similarity(heard.reading, "スワッテクダサイ") > 0.5
    assert heard.text == heard.reading
    assert heard.dropped is None
    assert embedded.recognise(sit) == heard


@pytest.mark.parametrize("ms", [100, 300, 15_000])
@pytest.mark.parametrize("sound", [noise, lambda _dbfs, ms: tone(440, ms)], ids=["noise", "tone"])
def test_any_sound_of_any_length_comes_back(embedded: EmbeddedRecogniser, sound: object, ms: int) -> None:
    """Noise and a tone, from a tenth of a second to the longest utterance: a transcript, not an exception."""
    assert callable(sound)
    checked(embedded.recognise(sound(-20, ms)))


@pytest.mark.parametrize("which", ["embedded", "plain"])
@pytest.mark.parametrize("pcm", [silence(1000), noise(-60, 1000), silence(100)], ids=["zeros", "hiss", "short"])
def test_the_quiet_is_dropped_without_being_recognised(request: pytest.FixtureRequest, which: str, pcm: Pcm) -> None:
    """Below the level setting there is no text and nothing in vocabulary, whichever model."""
    recogniser = request.getfixturevalue(which)
    assert recogniser.recognise(pcm) == Transcript("", "", 0.0, 1.0, "too quiet")


def test_the_level_that_is_too_quiet_is_a_setting(sit: Pcm) -> None:
    """The same speech is dropped when the setting asks for more."""
    deaf = EmbeddedRecogniser(SttSettings(threads=1, min_level_dbfs=-10.0))
    assert deaf.recognise(sit).dropped == "too quiet"


def evidence(**values: object) -> Evidence:
    fields = {"labels": (1,), "joint": -1.0, "decoder_log_p": -0.1, "gap": 0.1, "sharpness": 0.9, "rate": 8.0}
    return Evidence(**(fields | values))  # type: ignore[arg-type]


def test_the_score_is_the_logistic_of_its_evidence(tmp_path: Path) -> None:
    """Each weight of calibration.json acts on its own figure, and no figure takes the score out of 0..1."""
    folder = models.copy(tmp_path / "m")
    weights = {"bias": 0.5, "decoder_log_p": -1.0, "gap": 2.0, "sharpness": -3.0, "rate": 0.25}
    (folder / "calibration.json").write_text(json.dumps(weights))
    recogniser = EmbeddedRecogniser(SETTINGS, str(folder))
    z = 0.5 + 0.1 + 0.2 - 2.7 + 2.0
    assert recogniser.out_of_vocabulary(evidence()) == pytest.approx(1 / (1 + np.exp(-z)))
    assert recogniser.out_of_vocabulary(evidence(gap=1e9)) == pytest.approx(1.0)
    assert recogniser.out_of_vocabulary(evidence(sharpness=1e9)) == pytest.approx(0.0)
    assert recogniser.name == str(folder)


@pytest.mark.parametrize(
    ("kana", "text", "dropped"),
    [("", "", "silence"), ("ア" * 20, "ア" * 20, "hallucination"), ("スワッテ", "スワッテ", None)],
)
def test_empty_and_looping_texts_are_dropped(
    embedded: EmbeddedRecogniser, monkeypatch: pytest.MonkeyPatch, kana: str, text: str, dropped: str | None
) -> None:
    """The reason is given; a text in vocabulary is not dropped."""
    monkeypatch.setattr(embedded, "hear", lambda _: (kana, evidence()))
    heard = embedded.recognise(noise(-20, 500))
    assert (heard.text, heard.dropped) == (text, dropped)


def test_a_decoder_that_lost_its_place_is_not_believed(embedded: EmbeddedRecogniser, sit: Pcm) -> None:
    """When every hypothesis contradicts the sound, the CTC head's own reading is taken."""
    own, found = embedded.hear(sit)
    unwilling = SimpleNamespace(
        encode=embedded._model.model.encode,
        generate=lambda *_, **__: [SimpleNamespace(sequences_ids=[[]], scores=[-0.01])],
    )
    broken = SimpleNamespace(model=unwilling, feature_extractor=embedded._model.feature_extractor)
    astray = EmbeddedRecogniser.__new__(EmbeddedRecogniser)
    astray.__dict__ |= embedded.__dict__ | {"_model": broken}
    kana, instead = astray.hear(sit)
    assert kana
    assert instead.gap <= LOST_GAP
    assert len(own) - 3 <= len(kana) <= len(own) + 3
    assert found.labels


def test_the_shipped_folder_is_a_plain_faster_whisper_model(plain: WhisperRecogniser, sit: Pcm) -> None:
    """Monolingual: the prompt has no language, the text comes from its tokenizer, and there is no reading."""
    assert len(plain._prompt) == 2
    heard = checked(plain.recognise(sit))
    assert heard.reading == ""
    assert not heard.text.startswith("<|")
    checked(plain.recognise(noise(-20, 100)))


def test_stock_transcribe_runs_on_it(plain: WhisperRecogniser, sit: Pcm) -> None:
    """`WhisperModel.transcribe`, as anybody would call it, yields segments of text."""
    segments, info = plain._model.transcribe(sit.astype(np.float32) / 32768, language="ja", beam_size=1)
    assert "".join(s.text for s in segments)
    assert info.duration == pytest.approx(len(sit) / SAMPLE_RATE, abs=0.01)


class Answering:
    """A Whisper that answers by script."""

    is_multilingual = False

    def __init__(self, ids: list[int], score: float, silent: float) -> None:
        self.result = SimpleNamespace(sequences_ids=[ids], scores=[score], no_speech_prob=silent)
        self.shape: list[int] = []

    def generate(self, view: object, prompts: list[list[int]], **_: object) -> list[SimpleNamespace]:
        self.shape = list(view.shape)  # type: ignore[attr-defined]
        assert len(prompts) == 1
        return [self.result]


@pytest.fixture
def scripted(plain: WhisperRecogniser) -> WhisperRecogniser:
    """A recogniser whose model and text a test replaces."""
    copy = WhisperRecogniser.__new__(WhisperRecogniser)
    copy.__dict__ |= plain.__dict__
    return copy


@pytest.mark.parametrize(
    ("text", "score", "silent", "dropped"),
    [
        ("座って", -0.2, 0.1, None),
        ("座って", -0.2, 0.9, None),
        ("座って", -1.5, 0.9, "silence"),
        ("座って", -1.5, 0.1, None),
        ("", -0.2, 0.1, "silence"),
        ("", float("nan"), 0.1, "silence"),
        ("ご視聴ありがとうございました", -0.2, 0.1, None),
        ("ご視聴ありがとうございました", -0.2, 0.5, "hallucination"),
        ("ご視聴ありがとうございました", -1.5, 0.1, "hallucination"),
        ("座って座って座って座って座って座って", -0.1, 0.0, "hallucination"),
    ],
)
def test_what_whisper_makes_up_is_dropped(
    scripted: WhisperRecogniser, text: str, score: float, silent: float, dropped: str | None
) -> None:
    """A known sentence needs weak evidence as well, silence both signs, a loop nothing more; the score is never NaN."""
    ids = [7] * len(text)
    tokenizer = SimpleNamespace(decode=lambda given, **_: text if given else "")
    scripted._model = SimpleNamespace(
        model=Answering(ids, score, silent),
        hf_tokenizer=tokenizer,
        feature_extractor=scripted._model.feature_extractor,
    )
    heard = checked(scripted.recognise(noise(-20, 500)))
    assert heard.dropped == dropped
    assert heard.oov == pytest.approx(silent)


@pytest.mark.parametrize(("window_s", "frames"), [(0.0, 500), (3.0, 150), (30.0, 1500)])
def test_the_window_is_never_shorter_than_the_models_floor(
    plain: WhisperRecogniser, window_s: float, frames: int
) -> None:
    """Unset it is 10 s, where stock models are sound; set it is what was set (20 ms a frame here)."""
    recogniser = WhisperRecogniser(SttSettings(threads=1, window_s=window_s), plain.name)
    answering, loaded = Answering([7], -0.1, 0.0), recogniser._model
    recogniser._model = SimpleNamespace(
        model=answering, hf_tokenizer=loaded.hf_tokenizer, feature_extractor=loaded.feature_extractor
    )
    recogniser.recognise(noise(-20, 500))
    assert answering.shape == [1, 80, frames]
