"""What judges the comparison with another program, and what becomes of a peer that is missing or dies; no peer runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bench.peers.realtimestt import peer
from bench.peers.realtimestt.finals import Final, Heard, assign
from bench.peers.realtimestt.report import Run, compare
from bench.peers.realtimestt.stream import GAP_S, LEAD_S, Kind, Said, lay_out
from bench.peers.realtimestt.systems import SYSTEMS, Ours, System, Theirs
from bench.sentences import voice_end
from claudiad.config import SttSettings
from claudiad.errors import EngineMissing
from claudiad.types import FRAME_SAMPLES, SAMPLE_RATE, Pcm

STT = SttSettings()
CLAUDIAD, REALTIMESTT = SYSTEMS["claudiad"], SYSTEMS["0.6"]


def said(start_s: float, end_s: float, kind: Kind = "command") -> Said:
    return Said(kind, "お座り", round(start_s * SAMPLE_RATE), round(end_s * SAMPLE_RATE))


def tone(seconds: float) -> Pcm:
    t = np.arange(round(seconds * SAMPLE_RATE))
    return (9000 * np.sin(2 * np.pi * 200 * t / SAMPLE_RATE)).astype(np.int16)


def test_a_transcript_belongs_to_the_utterance_that_had_begun() -> None:
    """One that comes right at the beginning of the next utterance is still of the one before."""
    heard, strays = assign(
        [said(2, 3), said(6, 7)], [Final(7.4, "ニ"), Final(1.0, "ナニモ"), Final(6.2, "イチ"), Final(6.1, " ")]
    )
    assert [[f.text for f in h.finals] for h in heard] == [["イチ"], ["ニ"]]
    assert [f.text for f in strays] == ["ナニモ"]
    assert heard[1].latency_ms == pytest.approx(400.0)


def test_cut_is_in_pieces_that_nothing_joined() -> None:
    one = said(2, 5, "phrase")
    pieces = Heard(one, (Final(3.0, "タッテ"), Final(5.3, "アイサツシテ")))
    joined = Heard(one, (Final(3.0, "タッテ"), Final(5.3, "アイサツシテ", joined=True)))
    assert (pieces.cut, pieces.joined, pieces.missed) == (True, False, False)
    assert (joined.cut, joined.joined, joined.missed) == (False, True, False)
    assert joined.latency_ms == pytest.approx(300.0)


def test_what_was_final_before_the_voice_ended_has_no_latency() -> None:
    """Half a phrase is not a phrase heard early: the rest of it was lost."""
    heard = Heard(said(2, 5), (Final(3.0, "タッテ"),))
    assert heard.latency_ms is None
    assert heard.cut
    assert not Heard(said(2, 5), (Final(5.1, "タッテ"),)).cut
    assert Heard(said(2, 5), ()).missed


def test_the_stream_is_whole_frames_and_says_where_each_voice_ends() -> None:
    long, short = tone(0.505), tone(0.3)
    stream = lay_out([("command", "一", long), ("phrase", "二", short)])
    first, second = stream.said
    assert len(stream.samples) % FRAME_SAMPLES == 0
    assert first.start == LEAD_S * SAMPLE_RATE
    assert first.voice_end == first.start + voice_end(long)
    assert second.start >= first.start + len(long) + GAP_S * SAMPLE_RATE
    assert abs(int(stream.samples[second.start + 20]) - int(short[20])) < 200  # the room's noise is over it
    assert stream.samples[:1000].any()
    again = lay_out([("command", "一", long), ("phrase", "二", short)])
    assert np.array_equal(stream.samples, again.samples)


def run(system: System, latency_s: float, cut: int) -> Run:
    """Ten phrases, `cut` of them in two pieces."""
    heard = []
    for number in range(10):
        finals = [Final(5.0 + latency_s, "アイサツシテ")]
        if number < cut:
            finals.insert(0, Final(3.0, "タッテ"))
        heard.append(Heard(said(2, 5, "phrase"), tuple(finals)))
    return Run(system, tuple(heard), (), 0.0)


def test_the_goal_wants_half_the_time_and_fewer_cuts() -> None:
    better = compare(run(CLAUDIAD, 0.3, 1), run(REALTIMESTT, 0.9, 2))
    assert (better.quick, better.gentle) == (True, True)
    as_many = compare(run(CLAUDIAD, 0.3, 0), run(REALTIMESTT, 0.9, 0))
    assert (as_many.quick, as_many.gentle) == (True, False)
    slow = compare(run(CLAUDIAD, 0.5, 0), run(REALTIMESTT, 0.9, 2))
    assert (slow.quick, slow.gentle) == (False, True)


def test_a_peer_that_heard_nothing_is_not_beaten_by_silence() -> None:
    deaf = Run(REALTIMESTT, (Heard(said(2, 5, "phrase"), ()),), (), 0.0)
    assert not compare(run(CLAUDIAD, 0.3, 0), deaf).quick
    assert not compare(deaf, run(REALTIMESTT, 0.9, 2)).quick


def test_every_system_has_settings_that_exist() -> None:
    for system in SYSTEMS.values():
        if isinstance(system, Ours):
            assert system.settings.turn.model_dump().items() >= dict(system.turn).items()
        else:
            assert Path(system.recorder["model"]).is_dir()


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a shell script where the peer's interpreter would be."""

    def put(script: str) -> Path:
        python = tmp_path / "python"
        python.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        python.chmod(0o755)
        monkeypatch.setattr(peer, "PYTHON", python)
        monkeypatch.setattr(peer, "LOG", tmp_path / "peer.log")
        return python

    return put


def theirs() -> Theirs:
    assert isinstance(REALTIMESTT, Theirs)
    return REALTIMESTT


def test_a_peer_that_is_not_installed_is_named_with_the_command_that_installs_it(
    fake: Callable[[str], Path],
) -> None:
    fake("exit 0").unlink()
    with pytest.raises(EngineMissing, match=r"not installed.*run: bench/peers/realtimestt/install"):
        peer.versions()


def test_a_peer_that_lacks_a_package_says_which(fake: Callable[[str], Path]) -> None:
    fake("echo \"ModuleNotFoundError: No module named 'halo'\" >&2; exit 1")
    with pytest.raises(EngineMissing, match=r"halo.*run: bench/peers/realtimestt/install"):
        peer.versions()


def test_transcripts_come_with_their_time_and_progress_is_told(fake: Callable[[str], Path]) -> None:
    fake(
        """echo '{"event": "fed", "seconds": 1.0}'
        echo '{"event": "final", "at_s": 1.5, "text": "オスワリ"}'
        echo '{"event": "end"}'; exec sleep 60"""
    )
    told: list[float] = []
    finals = peer.listen(theirs(), STT, lay_out([("command", "お座り", tone(0.2))]), told.append)
    assert finals == [Final(1.5, "オスワリ")]
    assert told == [1.0]


def test_a_peer_that_dies_is_no_result(fake: Callable[[str], Path]) -> None:
    fake("""echo '{"event": "final", "at_s": 1.5, "text": "オスワリ"}'; echo 'RuntimeError: broken' >&2; exit 1""")
    with pytest.raises(peer.PeerFailed, match=r"ended before the stream did \(RuntimeError: broken\)"):
        peer.listen(theirs(), STT, lay_out([("command", "お座り", tone(0.2))]), lambda _: None)


def test_a_peer_that_hangs_is_ended(fake: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer, "PATIENCE_S", -2.0)
    fake("exec sleep 60")
    with pytest.raises(peer.PeerFailed, match="it said nothing"):
        peer.listen(theirs(), STT, lay_out([("command", "お座り", tone(0.2))]), lambda _: None)
