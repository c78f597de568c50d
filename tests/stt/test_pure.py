"""Level, window, wake gate and hallucination list: what needs no model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from claudiad.stt import hallucination
from claudiad.stt.level import speech_level
from claudiad.stt.wake import WakeGate
from claudiad.stt.window import SHORTEST_S, features
from claudiad.types import SAMPLE_RATE
from tests.audio.sounds import silence, tone


class Extractor:
    """A stand-in for faster-whisper's: one frame per hop, its values the loudness of the hop."""

    hop_length = 320

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        assert samples.dtype == np.float32
        assert np.abs(samples).max(initial=0.0) <= 1.0
        self.seen = len(samples)
        hops = samples[: len(samples) // 320 * 320].reshape(-1, 320)
        return np.tile(np.abs(hops).mean(axis=1), (80, 1)) - 1.0


@given(st.integers(0, 3 * SAMPLE_RATE), st.sampled_from([0.0, 1.0, 10.0]))
def test_the_window_ends_where_the_utterance_does(samples: int, floor: float) -> None:
    """Frames are even in number and cover the audio, the shortest input and the floor, without a second to spare."""
    extractor = Extractor()
    mel = features(extractor, np.ones(samples, np.int16), floor)
    seconds = mel.shape[2] * 320 / SAMPLE_RATE
    needed = max(samples / SAMPLE_RATE, SHORTEST_S, floor)
    assert mel.shape[:2] == (1, 80)
    assert mel.shape[2] % 2 == 0
    assert needed - 0.03 <= seconds <= needed + 0.05
    assert mel.dtype == np.float32
    assert mel.flags.c_contiguous


def test_what_is_padded_is_silence() -> None:
    """The frames behind the utterance have its quietest value, not zero."""
    mel = features(Extractor(), np.full(SAMPLE_RATE, 16384, np.int16), 2.0)
    assert mel.min() == pytest.approx(-0.5)
    assert mel[0, 0, -1] == mel.min()


def test_silence_around_speech_does_not_make_it_quieter() -> None:
    """One second of tone has the level of the tone, with one second of silence on either side as well."""
    loud = tone(440, 1000, amplitude=3276.8)
    assert speech_level(loud) == pytest.approx(-23.0, abs=0.1)
    assert speech_level(np.concatenate([silence(1000), loud, silence(1000)])) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("samples", [0, 1, 319])
def test_less_than_a_frame_has_no_level(samples: int) -> None:
    """Under 20 ms there is nothing to measure: the lowest level, not an exception."""
    assert speech_level(np.full(samples, 32767, np.int16)) == -120.0


@given(st.integers(1, 32767))
def test_the_level_is_that_of_the_samples(value: int) -> None:
    """A constant has 20·log10(value / full scale)."""
    assert speech_level(np.full(3200, value, np.int16)) == pytest.approx(20 * np.log10(value / 32768), abs=0.2)


def gate(**options: object) -> WakeGate:
    return WakeGate(["クラウディア", "クラチャン", ""], ["ネエ", ""], 8000, enabled=bool(options.get("enabled", True)))


@pytest.mark.parametrize("key", ["クラウディアスワッテ", "クラチャン", "ネエクラウディアタッテ", "ネエクラチャンオテ"])
def test_the_name_opens_the_ear(key: str) -> None:
    """A name, also after a filler, also alone."""
    assert gate().admit(key, 0.0)


@pytest.mark.parametrize("key", ["", "スワッテ", "ネエスワッテ", "スワッテクラウディア", "クラウ"])
def test_without_the_name_nothing_is_meant(key: str) -> None:
    """No name, half a name, a name at the end, and a filler alone; an empty entry of the lists opens nothing."""
    assert not gate().admit(key, 0.0)


def test_after_an_answer_the_ear_stays_open_for_a_while() -> None:
    """The follow-up window ends to the millisecond, and a newer answer extends it."""
    ear = gate()
    ear.answered(100.0)
    assert ear.admit("スワッテ", 108.0)
    assert not ear.admit("スワッテ", 108.001)
    ear.answered(107.0)
    assert ear.admit("スワッテ", 115.0)


@given(st.text(), st.floats(-1e6, 1e6))
def test_a_gate_that_is_off_admits_everything(key: str, now: float) -> None:
    """Off means off."""
    assert gate(enabled=False).admit(key, now)


@given(st.text(alphabet="アイウカスタッテ"), st.floats(0, 1e6))
def test_a_gate_that_is_on_admits_only_its_names(key: str, now: float) -> None:
    """No text without a name passes at any time before the first answer."""
    assert not gate().admit(key, now)


@pytest.mark.parametrize(
    "text",
    [
        "ご視聴ありがとうございました。",
        "ご視聴、ありがとうございました!",
        "チャンネル登録をよろしくお願いいたします",
        "チャンネル登録してください",
        "最後までご視聴いただきありがとうございます",
        "この動画を最後まで見ていただきありがとう",
        "次の動画でお会いしましょう。",
        "字幕 by 誰か",
        "おやすみなさい。",
        "ＭＢＣニュース",
    ],
)
def test_subtitle_sentences_are_known(text: str) -> None:
    """The sentences of the shipped list, with the punctuation and widths Whisper writes."""
    assert hallucination.is_known(text)


@pytest.mark.parametrize(
    "text", ["", "座って", "ありがとう", "ご視聴ありがとうございましたと言って", "もうおやすみなさいをして"]
)
def test_only_whole_utterances_are_known(text: str) -> None:
    """A command that contains such a sentence is a command."""
    assert not hallucination.is_known(text)


@pytest.mark.parametrize("text", ["あああああああああああ", "はい、はい、はい、はい、はい、はい", "座って" * 6])
def test_a_loop_is_one(text: str) -> None:
    """A piece five times or more that makes up the text."""
    assert hallucination.is_loop(text)


@pytest.mark.parametrize(
    "text", ["", "座って", "もっともっともっと", "ああああああ", "ワンワンワンワンワンと三回吠えてから座って"]
)
def test_emphasis_is_no_loop(text: str) -> None:
    """People repeat words: short texts, four times, or a loop that is only the lesser part stay."""
    assert not hallucination.is_loop(text)


@given(st.text(max_size=40))
def test_any_text_is_judged(text: str) -> None:
    """No text raises, and none is slow: the pattern looks at one to twelve characters."""
    assert isinstance(hallucination.is_loop(text), bool)
    assert isinstance(hallucination.is_known(text), bool)
