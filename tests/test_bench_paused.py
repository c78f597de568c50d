"""The list of utterances with pauses inside: what it holds, and that words alone suffice to get each of them right."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from bench import paused as bench
from bench.paused import GUARD_MS, Paused, paused, speak, spoken
from bench.sentences import voice_end
from claudiad.brain.backchannel import is_backchannel, load_backchannels
from claudiad.brain.continuation import continued, joined, whole_of
from claudiad.brain.openness import Openness, how_open, load_openness, says_nothing
from claudiad.brain.router import Router, load_tables
from claudiad.types import SAMPLE_RATE, Action, Decision, Pcm
from tests.brain.conftest import ACTIONS, STANDING, pronounced

LIST = list(paused())
WAITS_MS = {Openness.COMPLETE: 200, Openness.BETWEEN: 600, Openness.OPEN: 1000}
"""The profile `snappy`."""
OPENNESS, BACKCHANNELS = load_openness(), load_backchannels()
Decide = Callable[[str], Decision]


@pytest.fixture(scope="module")
def decide() -> Decide:
    router = Router(load_tables(ACTIONS))
    return lambda text: router.decide(text, STANDING)


def utterances(pieces: tuple[str, ...], pauses_ms: tuple[int, ...], decide: Decide) -> list[str]:
    """What the pauses make of it: a piece is joined when the silence before it was shorter than the wait."""
    found = [pieces[0]]
    for piece, pause in zip(pieces[1:], pauses_ms, strict=True):
        wait = WAITS_MS[how_open(found[-1], decide(found[-1]), OPENNESS).openness]
        if pause <= wait:
            found[-1] = joined(found[-1], piece)[0]
        else:
            found.append(piece)
    return found


def done(said: list[str], decide: Decide) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """What is done in the end, and what was stopped, when each utterance goes on from those before it."""
    begun = decide(said[0])
    actions = begun.actions
    stopped: tuple[Action, ...] = ()
    for more in said[1:]:
        rest = decide(more)
        whole = whole_of(begun, rest, decide)
        nothing = is_backchannel(more, BACKCHANNELS) or says_nothing(more, OPENNESS)
        got = continued(begun, whole, rest, rest_dropped=None, rest_voiced_ms=500, says_nothing=nothing)
        if got.kind in ("replace", "cancel"):
            stopped, actions = stopped + actions, ()
        actions += got.actions
        if got.kind in ("follow", "replace", "same", "cancel"):
            begun = whole
    return actions, stopped


def names(actions: tuple[Action, ...]) -> tuple[str, ...]:
    return tuple(action.name for action in actions)


def test_the_list_is_as_large_and_varied_as_it_says() -> None:
    """200 different utterances, one or two pauses of 300-800 ms in each, every length about as often."""
    assert len(LIST) >= 200
    assert len({one.pieces for one in LIST}) == len(LIST)
    assert all(len(one.pauses_ms) == len(one.pieces) - 1 in (1, 2) for one in LIST)
    often = Counter(pause for one in LIST for pause in one.pauses_ms)
    assert min(often) == 300
    assert max(often) == 800
    assert min(often.values()) > len(LIST) / 15
    assert len({(one.half_tones, one.speed) for one in LIST}) == 35


def test_the_list_is_the_same_every_time() -> None:
    """Two runs measure the same."""
    assert list(paused()) == LIST


def test_any_beginning_has_something_of_each_kind() -> None:
    """Also a short run: sequences, corrections, bans, names, fillers, numbers."""
    first = [" … ".join(one.pieces) for one in LIST[:60]]
    for sign in ("立って", "えーと", "クラウディア", "じゃなくて", "いけない", "九十度", "ください", "から"):
        assert any(sign in text for text in first)
    assert sum(bool(one.may_begin) for one in LIST[:60]) >= 8
    assert sum(not one.actions for one in LIST) >= 15


def test_every_action_is_one() -> None:
    """Names of the registry; what may begin and is stopped stands only where it differs from what is wanted."""
    assert {name for one in LIST for name in (*one.actions, *one.may_begin)} <= set(ACTIONS)
    assert all(one.actions or one.may_begin for one in LIST)


@pytest.mark.parametrize("form", ["written", "pronounced"])
@pytest.mark.parametrize("one", LIST, ids=lambda one: " … ".join(one.pieces))
def test_words_alone_give_what_is_wanted(one: Paused, form: str, decide: Decide) -> None:
    """Cut where the pauses cut it, and gone on with by the rules: the wanted actions, and no other began."""
    pieces = one.pieces if form == "written" else tuple(pronounced(spoken(piece)) for piece in one.pieces)
    said = utterances(pieces, one.pauses_ms, decide)
    actions, stopped = done(said, decide)
    assert names(actions) == one.actions, said
    assert set(names(stopped)) <= set(one.may_begin), said


def test_without_the_rules_it_would_go_wrong(decide: Decide) -> None:
    """Acting on the first utterance alone is right for few of them: the list measures what it is for."""
    alone = [names(decide(utterances(one.pieces, one.pauses_ms, decide)[0]).actions) == one.actions for one in LIST]
    assert sum(alone) < len(LIST) / 2


def voice(pcm: Pcm) -> list[tuple[int, int]]:
    """(begin, end) in samples of everything louder than a thousandth of full scale."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 32)
    apart = np.flatnonzero(np.diff(loud) > SAMPLE_RATE // 20)
    begins, ends = [loud[0], *loud[apart + 1]], [*loud[apart], loud[-1]]
    return [(int(b), int(e) + 1) for b, e in zip(begins, ends, strict=True)]


def test_the_pause_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever silence the synthesiser puts around each piece, within the 10 ms the voice is measured in."""

    def tone(sentence: object) -> Pcm:
        number = len(said)
        said.append(sentence)
        sound = 8000 * np.sin(np.arange(SAMPLE_RATE // 2) * 0.3)
        silence = np.zeros(SAMPLE_RATE * (number + 1) // 10)
        return np.concatenate([silence, sound, silence, silence]).astype(np.int16)

    said: list[object] = []
    monkeypatch.setattr(bench, "speak_sentence", tone)
    pcm = speak(Paused(("あ", "い", "う"), (300, 800), ("Sit",), 0.0, 1.0))
    pieces = voice(pcm)
    gaps = [(b - e) * 1000 / SAMPLE_RATE for (_, e), (b, _) in itertools.pairwise(pieces)]
    assert gaps == pytest.approx([300, 800], abs=10)
    assert pieces[0][0] * 1000 / SAMPLE_RATE == pytest.approx(GUARD_MS, abs=10)
    assert len(pcm) - voice_end(pcm) == SAMPLE_RATE * GUARD_MS // 1000


def test_a_particle_is_spoken_as_one() -> None:
    """は at the beginning of a piece, which a synthesiser would read ハ."""
    assert spoken("はいけない") == "わいけない"
    assert spoken("はい、座って") == "はい、座って"
    assert spoken("座って") == "座って"
