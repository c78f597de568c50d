"""The rest of an echo, or somebody's voice."""

import numpy as np
import pytest

from claudiad.audio.adaptive import AdaptiveFilter
from claudiad.audio.double_talk import REPLY_FRAMES, DoubleTalk
from claudiad.types import FRAME_SAMPLES, Pcm
from tests.audio.echoes import echo, mixed, spoken
from tests.audio.sounds import noise, silence, voice

REPLY = "天気はまだ分かりません。空を見てみてくださいね。"


class _Chain:
    """Filter and detector as they are used, one after the other."""

    def __init__(self) -> None:
        self.detector = DoubleTalk()
        self._canceller = AdaptiveFilter()

    def share(self, heard: Pcm, played: Pcm, begin: int = 0, end: int | None = None) -> float:
        """Of the frames between two samples, how many are somebody's."""
        found = []
        for n in range(0, len(played) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            frame, beside = heard[n : n + FRAME_SAMPLES], played[n : n + FRAME_SAMPLES]
            found.append(self.detector.somebody_speaks(frame, self._canceller(frame, beside), beside))
        return float(np.mean(found[begin // FRAME_SAMPLES : None if end is None else end // FRAME_SAMPLES]))


@pytest.mark.parametrize("decibels", [-3.0, -6.0, -20.0])
@pytest.mark.parametrize("delay_ms", [10.0, 40.0, 90.0])
def test_of_echo_alone_hardly_a_frame_is_somebody(decibels: float, delay_ms: float) -> None:
    """From the very first reply on, whatever the level and the delay, by a wire or in a room."""
    played = spoken(REPLY)
    for reverberation_s in (0.0, 0.3):
        chain, heard = _Chain(), echo(played, decibels, delay_ms, reverberation_s)
        assert chain.share(heard, played) <= 0.02
        assert chain.share(heard, played) <= 0.06


def test_a_voice_over_the_echo_is_somebody() -> None:
    """A third of the frames of a word said over the second reply, its pauses included; before it hardly one is."""
    played, chain = spoken(REPLY), _Chain()
    alone, person = echo(played, -6, 40), spoken("止まってください", -3.0, 9000.0)
    chain.share(alone, played)
    both = mixed((alone, 0), (person, 24_000))
    assert chain.share(both, played, 24_000, 24_000 + len(person)) > 0.3
    chain.share(alone, played)
    assert chain.share(both, played, 0, 20_000) < 0.06


def test_a_voice_over_the_first_reply_is_somebody_when_it_is_loud() -> None:
    """The filter knows nothing yet: enough frames of it stand out to begin an utterance."""
    played, chain = spoken(REPLY), _Chain()
    person = spoken("止まってください", -3.0, 12_000.0)
    both = mixed((echo(played, -12, 40), 0), (person, 24_000))
    assert chain.share(both, played, 24_000, 24_000 + len(person)) > 0.25


def test_a_voice_in_silence_is_somebody() -> None:
    """With nothing played for a second, everything that is heard is somebody else."""
    chain = _Chain()
    chain.share(silence(1000), silence(1000))
    assert chain.share(voice(1000), silence(1000)) > 0.9


def test_silence_is_nobody() -> None:
    """Digital silence, and the noise of a quiet room while something is played."""
    chain = _Chain()
    assert chain.share(silence(500), silence(500)) == 0
    assert chain.share(noise(-62, 1000), voice(1000)) == 0


def test_the_coupling_comes_down_as_the_filter_learns() -> None:
    """Both begin at 0 dB; what is left ends far below what is heard; without sound they stay as they are."""
    played, chain = np.tile(spoken(REPLY), 3), _Chain()
    whole, rest = chain.detector.whole, chain.detector.rest
    assert set(whole.db) == set(rest.db) == {0.0}
    chain.share(echo(played, -6, 40), played)
    assert -20 < np.mean(whole.db) < -5
    assert np.mean(rest.db) < np.mean(whole.db) - 10
    chain.share(silence(1000), silence(1000))
    known = rest.db.copy()
    chain.share(noise(-30, 1000), silence(1000))
    assert np.array_equal(rest.db, known)


def test_a_filter_proves_itself_in_every_reply() -> None:
    """Not in the first half second of all, soon in the second reply, and anew behind a pause."""
    played, chain = spoken(REPLY), _Chain()
    chain.share(echo(played, -6, 40)[:8000], played[:8000])
    assert not chain.detector.proved
    chain.share(echo(played, -6, 40), played)
    pause = REPLY_FRAMES * FRAME_SAMPLES
    chain.share(silence(1000)[: pause - 1600], silence(1000)[: pause - 1600])
    chain.share(silence(1000), silence(1000))
    assert not chain.detector.proved
    chain.share(echo(played, -6, 40)[:16_000], played[:16_000])
    assert chain.detector.proved


@pytest.mark.parametrize("shift_ms", [-10, 10, 25])
def test_a_way_that_is_no_longer_so_makes_nobody_of_an_echo(shift_ms: int) -> None:
    """Between two replies everything has moved in time: hardly a frame of the next one is taken for a voice."""
    played, chain = spoken(REPLY), _Chain()
    for _ in range(2):
        chain.share(echo(played, -6, 40), played)
        chain.share(silence(1000), silence(1000))
    assert chain.share(echo(played, -6, 40 + shift_ms), played, 0, 16_000) <= 0.04


def test_a_speaker_that_comes_nearer_is_nobody_after_a_while() -> None:
    """Louder by 18 dB from one moment to the next: less and less of it is taken for a voice."""
    played, chain = spoken(REPLY), _Chain()
    for _ in range(2):
        chain.share(echo(played, -24, 40), played)
    shares = [chain.share(echo(played, -6, 60, 0.3), played) for _ in range(4)]
    assert shares[-1] < 0.06
    assert shares[0] > shares[-1]
