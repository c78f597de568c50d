"""The rest of an echo, or somebody's voice."""

import numpy as np
import pytest

from claudiad.audio.adaptive import AdaptiveFilter
from claudiad.audio.double_talk import DoubleTalk
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
            left = self._canceller(heard[n : n + FRAME_SAMPLES], played[n : n + FRAME_SAMPLES])
            found.append(self.detector.somebody_speaks(left, played[n : n + FRAME_SAMPLES]))
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
    """Most frames of a word said over the second reply are; before it none is."""
    played, chain = spoken(REPLY), _Chain()
    alone, person = echo(played, -6, 40), spoken("止まってください", -3.0, 9000.0)
    chain.share(alone, played)
    both = mixed((alone, 0), (person, 24_000))
    assert chain.share(both, played, 24_000, 24_000 + len(person)) > 0.45
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
    """It begins at 0 dB, is low in every band after some seconds of echo, and stays as it is without sound."""
    played, chain = np.tile(spoken(REPLY), 3), _Chain()
    assert set(chain.detector.coupling_db) == {0.0}
    chain.share(echo(played, -6, 40), played)
    assert np.mean(chain.detector.coupling_db) < -20
    chain.share(silence(1000), silence(1000))
    known = chain.detector.coupling_db
    chain.share(noise(-30, 1000), silence(1000))
    assert chain.detector.coupling_db == known


def test_a_speaker_that_comes_nearer_is_nobody_after_a_while() -> None:
    """Louder by 18 dB from one moment to the next: less and less of it is taken for a voice."""
    played, chain = spoken(REPLY), _Chain()
    for _ in range(2):
        chain.share(echo(played, -24, 40), played)
    shares = [chain.share(echo(played, -6, 60, 0.3), played) for _ in range(4)]
    assert shares[-1] < 0.06
    assert shares[0] > shares[-1]
