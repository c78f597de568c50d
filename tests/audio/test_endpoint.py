"""Where utterances begin and end."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.audio.endpoint import (
    Endpointer,
    Event,
    SpeechDiscarded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    UtteranceCommitted,
)
from claudiad.audio.frames import split
from claudiad.audio.voicing import Voicing
from claudiad.config import EndpointSettings
from claudiad.types import FRAME_SAMPLES, Frame, Pcm, Utterance
from tests.audio.sounds import noise, silence, tone, voice

LOUD, QUIET = 8000, 30


class _Marked(Voicing):
    """Voiced is what is loud: the state machine alone is under test."""

    def __init__(self) -> None:
        super().__init__(EndpointSettings(), detector=lambda _pcm: False)

    def is_voiced(self, pcm: Pcm, level_dbfs: float, *, in_speech: bool) -> bool:
        return bool(pcm[0] >= LOUD)


def _pattern(text: str) -> list[Pcm]:
    """`#` is a voiced frame, anything else a silent one; every frame has its own content."""
    return [
        np.full(FRAME_SAMPLES, (LOUD if mark == "#" else QUIET) + index % 1000, np.int16)
        for index, mark in enumerate(text)
    ]


def _run(text: str, **changes: int) -> list[Event]:
    """Events of a pattern, the end of the stream included."""
    endpointer = Endpointer(EndpointSettings(**changes), _Marked())
    events = [event for frame in _pattern(text) for event in endpointer.push(frame)]
    return events + endpointer.flush()


def _utterances(events: Sequence[Event]) -> list[Utterance]:
    return [event.utterance for event in events if isinstance(event, UtteranceCommitted)]


def test_an_utterance_has_its_pre_roll_its_end_and_its_hangover() -> None:
    """Speech of 400 ms after 1 s of silence: 300 ms before it, 300 ms after it, its end to the sample."""
    started, paused, committed = _run("." * 50 + "#" * 20 + "." * 40)
    assert started == SpeechStarted(50 * 320)
    assert isinstance(paused, SpeechPaused)
    assert isinstance(committed, UtteranceCommitted)
    utterance = committed.utterance
    assert utterance.start_sample == 35 * 320
    assert utterance.speech_start_sample == 50 * 320
    assert utterance.speech_end_sample == 70 * 320
    assert utterance.commit_sample == 85 * 320
    assert utterance.voiced_ms == 400
    assert not utterance.truncated
    assert np.array_equal(utterance.pcm, np.concatenate(_pattern("." * 50 + "#" * 20 + "." * 40)[35:85]))


def test_the_very_first_frame_can_be_speech() -> None:
    """A stream that begins in the middle of a word loses nothing of it."""
    (utterance,) = _utterances(_run("#" * 10 + "." * 20))
    assert utterance.start_sample == 0
    assert utterance.voiced_ms == 200


@pytest.mark.parametrize(("text", "starts"), [("##..#", 1), ("#..#.", 0), ("#....##...", 0), ("#.#.#", 1)])
def test_it_begins_with_enough_speech_within_100_ms(text: str, starts: int) -> None:
    """Three of five frames begin an utterance, fewer or farther apart do not."""
    events = _run(text + "." * 30)
    assert sum(isinstance(event, SpeechStarted) for event in events) == starts


def test_a_pause_shorter_than_the_hangover_does_not_split() -> None:
    """280 ms of silence inside are part of the sentence; 300 ms end it."""
    assert len(_utterances(_run("#" * 10 + "." * 14 + "#" * 10 + "." * 20))) == 1
    assert len(_utterances(_run("#" * 10 + "." * 15 + "#" * 10 + "." * 20))) == 2


def test_a_pause_is_announced_once_with_what_there_is() -> None:
    """160 ms after the last voiced sample, with the samples up to then; the committed utterance begins with them."""
    text = "." * 50 + "#" * 20 + "." * 40
    _, paused, committed = _run(text, early_ms=160, hangover_ms=600)
    assert isinstance(paused, SpeechPaused)
    assert isinstance(committed, UtteranceCommitted)
    early, whole = paused.utterance, committed.utterance
    assert (early.speech_end_sample, early.commit_sample) == (70 * 320, 78 * 320)
    assert (whole.speech_end_sample, whole.commit_sample) == (70 * 320, 100 * 320)
    assert np.array_equal(early.pcm, whole.pcm[: len(early.pcm)])


def test_speech_that_resumes_ends_the_pause_and_the_next_pause_is_a_new_one() -> None:
    """The length of the pause is told, to the frame; one utterance comes of both parts."""
    started, first, resumed, second, committed = _run("#" * 20 + "." * 15 + "#" * 20 + "." * 40, hangover_ms=600)
    assert isinstance(started, SpeechStarted)
    assert resumed == SpeechResumed(pause_ms=300)
    assert isinstance(first, SpeechPaused)
    assert isinstance(second, SpeechPaused)
    assert first.utterance.speech_end_sample == 20 * 320
    assert second.utterance.speech_end_sample == 55 * 320
    assert isinstance(committed, UtteranceCommitted)


def test_too_little_speech_is_no_pause() -> None:
    """A click's worth is not worth recognising."""
    assert [type(e) for e in _run("#" * 4 + "." * 60)] == [SpeechStarted, SpeechDiscarded]


@pytest.mark.parametrize(
    ("wait_ms", "commits_at"),
    [(200, 70 + 10), (100, 70 + 9), (1000, 70 + 50)],
    ids=["short", "shorter than what has passed", "long"],
)
def test_a_pause_lasts_as_long_as_it_is_told(wait_ms: int, commits_at: int) -> None:
    """Told in the pause, it ends after that much silence, or with the next frame."""
    endpointer = Endpointer(EndpointSettings(hangover_ms=600), _Marked())
    for frame in _pattern("." * 50 + "#" * 20 + "." * 60):
        for event in endpointer.push(frame):
            if isinstance(event, SpeechPaused):
                endpointer.wait(wait_ms)
            if isinstance(event, UtteranceCommitted):
                assert event.utterance.commit_sample == commits_at * 320
                return
    raise AssertionError("never committed")


def test_what_was_told_holds_for_one_pause_only() -> None:
    """After a wait that was overtaken by speech, the next pause has the usual hangover; outside of one, no wait."""
    endpointer = Endpointer(EndpointSettings(hangover_ms=600), _Marked())
    endpointer.wait(100)
    pauses = 0
    for frame in _pattern("#" * 20 + "." * 9 + "#" * 20 + "." * 60):
        for event in endpointer.push(frame):
            if isinstance(event, SpeechPaused):
                pauses += 1
                if pauses == 1:
                    endpointer.wait(1000)
            if isinstance(event, UtteranceCommitted):
                assert event.utterance.commit_sample == (49 + 30) * 320
                assert pauses == 2
                return
    raise AssertionError("never committed")


def test_what_nobody_says_is_no_speech() -> None:
    """Frames that hold only the robot's own voice neither begin an utterance nor prolong one."""
    endpointer = Endpointer(EndpointSettings(hangover_ms=200), _Marked())
    for frame in _pattern("#" * 30):
        assert endpointer.push(frame, nobody=True) == []
    events = [e for frame in _pattern("#" * 20) for e in endpointer.push(frame)]
    events += [e for frame in _pattern("#" * 20) for e in endpointer.push(frame, nobody=True)]
    (utterance,) = _utterances(events)
    assert utterance.speech_end_sample == 50 * 320


def test_the_end_of_a_long_utterance_can_be_had_alone() -> None:
    """`current` from a sample on; where its last piece begins is known."""
    endpointer = Endpointer(EndpointSettings(hangover_ms=600), _Marked())
    frames = _pattern("#" * 20 + "." * 15 + "#" * 20)
    for frame in frames:
        endpointer.push(frame)
    assert np.array_equal(endpointer.current(35 * 320), np.concatenate(frames[35:]))
    assert (endpointer.speech_start_sample, endpointer.piece_start_sample) == (0, 35 * 320)
    assert (endpointer.voiced_ms, endpointer.position) == (800, 55 * 320)


def test_a_click_in_the_silence_does_not_prolong() -> None:
    """One voiced frame alone, 200 ms after the end, moves neither the end nor the commit."""
    (utterance,) = _utterances(_run("#" * 10 + "." * 10 + "#" + "." * 20))
    assert utterance.speech_end_sample == 10 * 320
    assert utterance.commit_sample == 25 * 320


def test_too_little_speech_is_discarded_with_its_place() -> None:
    """80 ms are a cough, and the listener is told that what had started is over."""
    started, discarded = _run("." * 20 + "#" * 4 + "." * 20)
    assert started == SpeechStarted(20 * 320)
    assert discarded == SpeechDiscarded("too short", 5 * 320, 39 * 320)


def test_the_longest_utterance_is_cut_and_continued_without_a_gap() -> None:
    """2.5 s of speech with a limit of 1 s are three utterances whose samples join exactly."""
    frames = _pattern("#" * 125 + "." * 20)
    events = _run("#" * 125 + "." * 20, max_utterance_ms=1000)
    utterances = _utterances(events)
    assert [one.truncated for one in utterances] == [True, True, False]
    assert [len(one.pcm) for one in utterances[:2]] == [16_000, 16_000]
    joined = np.concatenate([one.pcm for one in utterances])
    assert np.array_equal(joined, np.concatenate(frames[: len(joined) // 320]))
    assert [event.sample for event in events if isinstance(event, SpeechStarted)] == [0, 16_000, 32_000]


def test_a_cut_at_the_very_end_leaves_a_discarded_rest() -> None:
    """Nothing after the cut: the utterance that was begun there is discarded, not committed empty."""
    assert isinstance(_run("#" * 50 + "." * 20, max_utterance_ms=1000)[-1], SpeechDiscarded)
    assert isinstance(_run("#" * 50, max_utterance_ms=1000)[-1], SpeechDiscarded)


def test_pre_roll_never_repeats_recognised_speech() -> None:
    """With a second of pre-roll, the next utterance still begins after the last one's speech."""
    first, second = _utterances(_run("#" * 20 + "." * 17 + "#" * 20 + "." * 20, pre_roll_ms=1000))
    assert second.start_sample >= first.speech_end_sample


def test_the_end_of_the_stream_commits_what_is_there() -> None:
    """A recording that stops in mid-word is not lost."""
    (utterance,) = _utterances(_run("." * 20 + "#" * 10))
    assert utterance.speech_end_sample == utterance.commit_sample == 30 * 320


def test_the_utterance_in_progress_can_be_heard_before_it_ends() -> None:
    """A stop listener gets the audio up to now, pre-roll included, and nothing when nobody speaks."""
    endpointer = Endpointer(EndpointSettings(), _Marked())
    frames = _pattern("." * 30 + "#" * 10 + "." * 20)
    seen = {}
    for index, frame in enumerate(frames):
        endpointer.push(frame)
        seen[index] = (endpointer.in_speech, len(endpointer.current()), endpointer.silence_ms)
    assert seen[31] == (False, 0, 0)
    assert seen[32] == (True, 18 * 320, 0)
    assert seen[39] == (True, 25 * 320, 0)
    assert seen[44] == (True, 30 * 320, 100)
    assert seen[54] == (False, 0, 300)
    assert endpointer.last_voiced_sample == 40 * 320


def test_reset_forgets_the_utterance_and_keeps_the_count() -> None:
    """What was begun is reported as reset; the next utterance has the right place and none of the old audio."""
    endpointer = Endpointer(EndpointSettings(), _Marked())
    for frame in _pattern("#" * 10):
        endpointer.push(frame)
    assert endpointer.reset() == [SpeechDiscarded("reset", 0, 10 * 320)]
    assert not endpointer.in_speech
    events = [event for frame in _pattern("#" * 10 + "." * 20) for event in endpointer.push(frame)]
    assert _utterances(events)[0].start_sample == 10 * 320


def test_a_gap_in_the_stream_ends_the_utterance() -> None:
    """Frames that do not follow are not spliced into one sentence."""
    endpointer = Endpointer(EndpointSettings(), _Marked())
    frames = _pattern("#" * 20)
    events: list[Event] = []
    for index, pcm in enumerate(frames):
        start = index * 320 if index < 10 else index * 320 + 100_000
        events += endpointer.push(Frame(pcm, start, 0.0))
    first, second = _utterances(events + endpointer.flush())
    assert (first.start_sample, len(first.pcm)) == (0, 3200)
    assert (second.start_sample, len(second.pcm)) == (103_200, 3200)


def test_a_frame_of_another_length_is_refused() -> None:
    """10 ms would silently halve every time there is."""
    with pytest.raises(ValueError, match="shape"):
        Endpointer(EndpointSettings(), _Marked()).push(np.zeros(160, np.int16))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=20),
    st.sampled_from([20, 60, 100]),
    st.sampled_from([100, 310, 600]),
    st.sampled_from([0, 300, 1000]),
    st.sampled_from([1000, 15_000]),
)
def test_whatever_is_said_the_book_is_kept(
    runs: list[tuple[bool, int]], start_ms: int, hangover_ms: int, pre_roll_ms: int, max_utterance_ms: int
) -> None:
    """Each start has one end; utterances are the stream's own samples, in order, never longer than the limit."""
    text = "".join(("#" if loud else ".") * count for loud, count in runs)
    stream = np.concatenate([np.zeros(0, np.int16), *_pattern(text)])
    events = _run(
        text,
        start_ms=start_ms,
        hangover_ms=hangover_ms,
        pre_roll_ms=pre_roll_ms,
        max_utterance_ms=max_utterance_ms,
    )
    bounds = [e for e in events if not isinstance(e, (SpeechPaused, SpeechResumed))]
    assert [isinstance(e, SpeechStarted) for e in bounds] == [True, False] * (len(bounds) // 2)
    for before, resumed in pairwise(events):
        if isinstance(resumed, SpeechResumed):
            assert isinstance(before, SpeechPaused)
            assert 160 <= resumed.pause_ms <= hangover_ms + 40
    last_end = 0
    for one in _utterances(events):
        assert np.array_equal(one.pcm, stream[one.start_sample : one.start_sample + len(one.pcm)])
        assert one.start_sample + len(one.pcm) == one.commit_sample
        assert len(one.pcm) <= max_utterance_ms * 16
        assert last_end <= one.start_sample < one.speech_end_sample <= one.commit_sample
        assert (
            one.truncated
            or one.commit_sample == len(stream)
            or one.commit_sample - one.speech_end_sample >= (hangover_ms * 16)
        )
        last_end = one.speech_end_sample


# --- with webrtcvad and the adaptive floor ---


def _hear(pcm: Pcm, **changes: float) -> list[Utterance]:
    endpointer = Endpointer(EndpointSettings(**changes))
    events = [event for frame in split(pcm) for event in endpointer.push(frame)]
    return _utterances(events + endpointer.flush())


def test_a_voice_in_a_quiet_room_is_found_to_40_ms() -> None:
    """The end of speech, zero of every latency, lies where the voice ends, not where webrtcvad lets go."""
    sound = np.concatenate([noise(-62, 1000), voice(900) + noise(-62, 900), noise(-62, 1000, seed=2)])
    (utterance,) = _hear(sound)
    assert abs(utterance.speech_end_sample - 1900 * 16) <= 40 * 16
    assert utterance.start_sample <= 700 * 16
    assert -40 < utterance.level_dbfs < -10
    assert -66 < utterance.floor_dbfs < -58


def test_a_voice_in_the_first_frame_is_found() -> None:
    """Without any silence before it, with the real detector."""
    (utterance,) = _hear(np.concatenate([voice(700), silence(600)]))
    assert utterance.start_sample == 0
    assert utterance.voiced_ms >= 560


@pytest.mark.parametrize("dbfs", [-70, -50, -35])
def test_noise_of_any_level_is_no_utterance(dbfs: float) -> None:
    """Ten seconds of steady noise begin nothing."""
    assert _hear(noise(dbfs, 10_000)) == []


def test_a_roar_is_learnt_within_four_seconds() -> None:
    """Noise at -25 dBFS sounds like speech to webrtcvad at first; it begins once and never again."""
    assert [one.commit_sample <= 4 * 16_000 for one in _hear(noise(-25, 15_000))] == [True]


def test_silence_and_zeros_are_no_utterance() -> None:
    """Digital silence has no level and no speech."""
    assert _hear(silence(3000)) == []


def test_a_hum_stops_being_speech_and_a_voice_above_it_is_heard() -> None:
    """A steady tone that the detector takes for a voice is learnt; afterwards a voice over it is one utterance."""
    hum = tone(180, 12_000, amplitude=300.0) + noise(-60, 12_000)
    spoken = hum.copy()
    spoken[8000 * 16 : 8900 * 16] += voice(900)
    late = [one for one in _hear(spoken) if one.start_sample > 5500 * 16]
    assert len(late) == 1
    assert abs(late[0].speech_end_sample - 8900 * 16) <= 80 * 16


def test_speech_below_the_smallest_level_is_not_heard() -> None:
    """A voice at -70 dBFS is another room's."""
    faint = np.asarray(voice(900) * 0.002, np.int16)
    assert _hear(np.concatenate([silence(500), faint, silence(500)])) == []


def test_a_backlog_gives_the_same_utterances() -> None:
    """Time is the count of samples: how and when the frames arrive changes nothing."""
    sound = np.concatenate([noise(-60, 700), voice(800), noise(-60, 900), voice(500, seed=3), noise(-60, 700)])
    frames = split(sound)
    once = Endpointer(EndpointSettings())
    late = [Frame(pcm, index * 320, 1e6) for index, pcm in enumerate(frames)]
    backlog = [event for frame in late for event in once.push(frame)] + once.flush()
    again = Endpointer(EndpointSettings())
    paced = [event for index, pcm in enumerate(frames) for event in again.push(Frame(pcm, index * 320, index / 50))]
    first, second = _utterances(backlog), _utterances(paced + again.flush())
    assert len(first) == len(second) == 2
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.pcm, other.pcm)
        assert (one.start_sample, one.speech_end_sample, one.commit_sample, one.floor_dbfs) == (
            other.start_sample,
            other.speech_end_sample,
            other.commit_sample,
            other.floor_dbfs,
        )
