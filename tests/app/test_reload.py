"""What a reload changes at once, and what it leaves for a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from claudiad.app.reload import LIVE, LIVE_SECTIONS, RESTART, change, is_live, renewed
from claudiad.app.schema import keys
from claudiad.app.state import audit_directory, open_audit
from claudiad.brain.reading import reading
from claudiad.config import Settings
from claudiad.errors import DataError
from tests.app.room import room, settings_with


def test_every_setting_is_known_to_be_one_or_the_other() -> None:
    """The lists name keys and sections that exist; opened things are never live."""
    known = keys()
    assert known.keys() >= LIVE | RESTART
    assert {dotted.partition(".")[0] for dotted in known} >= LIVE_SECTIONS
    live = {dotted for dotted in known if is_live(dotted)}
    assert {"turn.resume_ms", "wake.mode", "privacy.log_speech", "log.level", "brain.phrases"} <= live
    opened = {"audio.microphone", "stt.model", "tts.rate", "robot.engine", "llm.models", "cloud.enabled"}
    assert opened.isdisjoint(live)
    assert {"turn.turn_budget_ms", "turn.greeting_budget_ms"}.isdisjoint(live), "the language models were given these"


def other(value: Any) -> Any:
    """Some other value of the same type; whether it is allowed is not asked here."""
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else ("x",) if isinstance(value, tuple) else value + "x"


@pytest.mark.parametrize("dotted", sorted(keys()))
def test_each_setting_is_applied_or_named(dotted: str) -> None:
    """Exactly one of both; what needs a restart stays as it was, so the next reload names it again."""
    old = Settings()
    section, _, key = dotted.partition(".")
    part = getattr(old, section)
    new = old.model_copy(update={section: part.model_copy(update={key: other(getattr(part, key))})})
    changed = change(old, new)
    assert (changed.applied, changed.need_restart) == (((dotted,), ()) if is_live(dotted) else ((), (dotted,)))
    assert changed.settings == (new if is_live(dotted) else old)
    assert dotted in str(changed)
    assert change(changed.settings, new).need_restart == changed.need_restart


def test_nothing_new_is_said() -> None:
    """A reload without a change is no fault."""
    assert str(change(Settings(), Settings())) == "nothing to change"


async def test_new_parts_have_the_new_settings_and_the_old_engines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Wake phrase and audit anew, the rest the same objects; without a change all of them."""
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    async with room(monkeypatch, keep=True) as r:
        parts = r.parts
        same = renewed(parts, parts.settings)
        assert same == parts
        new = change(parts.settings, settings_with(wake={"mode": "on"}, privacy={"log_speech": False})).settings
        following = renewed(parts, new)
        assert following.settings is new
        assert not following.wake.admit(reading("座って"), 0.0)
        assert parts.wake.admit(reading("座って"), 0.0)
        assert following.audit is not None
        assert following.audit is not parts.audit
        following.audit.write({"turn": 1, "transcript": "ひみつ"})
        following.audit.close()
        assert "ひみつ" not in (audit_directory(new) / "audit.jsonl").read_text(encoding="utf-8")
        for name in ("ears", "robot", "lane", "dispatcher", "mouth", "speaker", "mind"):
            assert getattr(following, name) is getattr(parts, name)


async def test_a_phrase_file_is_read_again_or_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its phrases are understood after the reload, though no setting has changed; a bad one changes nothing."""
    phrases = tmp_path / "own.tsv"
    phrases.write_text("", encoding="utf-8")
    from claudiad.app import parts as parts_module
    from claudiad.app import reload as reload_module

    real = parts_module.brain_tables
    async with room(monkeypatch, settings_with(brain={"phrases": str(phrases)})) as r:
        monkeypatch.setattr(reload_module, "brain_tables", real)
        text = "ぺこぺこして"
        state = r.robot.state()
        assert r.parts.mind.decide(text, state, 0.0).route == "fallback"
        phrases.write_text(f"{text}\tSit\tはい。\n", encoding="utf-8")
        following = renewed(r.parts, r.parts.settings)
        assert [a.name for a in following.mind.decide(text, state, 0.0).actions] == ["Sit"]
        phrases.write_text("x\tNoSuchAction\tはい。\n", encoding="utf-8")
        with pytest.raises(DataError, match=r"own\.tsv:1"):
            renewed(r.parts, r.parts.settings)


def test_the_audit_log_can_be_switched_off(tmp_path: Path) -> None:
    """And it is where the settings say."""
    assert open_audit(settings_with(audit={"enabled": False})) is None
    assert audit_directory(settings_with(audit={"directory": str(tmp_path)})) == tmp_path
