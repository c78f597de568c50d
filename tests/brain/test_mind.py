"""What is remembered between two utterances: what was asked back, what was done, what a model decided."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain import answers
from claudiad.brain.cache import CacheStats, DecisionCache
from claudiad.brain.mind import ASKED_S, LAST_S, Mind
from claudiad.brain.router import Router
from claudiad.brain.wording import NOT_THEN, ONCE_MORE
from claudiad.types import Context, Decision, Posture, RobotState
from tests.brain.conftest import DANCING, STANDING, calls

UNKNOWN = "犬の名前は何がいいと思う"


@pytest.fixture
def mind(router: Router) -> Mind:
    return Mind(router)


def told(mind: Mind, text: str, now: float, state: RobotState = STANDING) -> Decision:
    """One utterance that became a turn, and its answer was spoken."""
    decision = mind.decide(text, state, now)
    mind.commit(decision, now)
    mind.asked(decision, now)
    return decision


def model_said(text: str, reply: str = "ポチがいいです。") -> Decision:
    return Decision(text, "llm", "dialog", (), reply, 0.9, "qwen")


def test_what_is_asked_back_is_not_done(mind: Mind) -> None:
    """A wish or a question names what was understood, in words, and moves nothing."""
    decision = told(mind, "お座りできる？", 10.0)
    assert (decision.kind, decision.actions) == ("dialog", ())
    assert [a.name for a in decision.asked] == ["Sit"]
    assert decision.reply.endswith("で合っていますか？")


@pytest.mark.parametrize("yes", ["はい", "うん", "お願い", "そうだよ", "はい、お願いします", "ハイ"])
def test_a_yes_within_fifteen_seconds_does_what_was_asked_back(yes: str, mind: Mind) -> None:
    """To the last moment, and with the actions that were named."""
    told(mind, "お座りできる？", 10.0)
    decision = mind.decide(yes, STANDING, 10.0 + ASKED_S)
    assert (decision.route, decision.kind, calls(decision)) == ("grammar", "action", "Sit")


def test_a_question_that_was_not_put_has_no_answer(mind: Mind) -> None:
    """The decision was committed and the voice cut off before the question: はい does nothing; once put, it does."""
    decision = mind.decide("お座りできる？", STANDING, 10.0)
    mind.commit(decision, 10.0)
    assert mind.decide("はい", STANDING, 11.0).actions == ()
    mind.asked(decision, 12.0)
    assert calls(mind.decide("はい", STANDING, 13.0)) == "Sit"


@pytest.mark.parametrize("yes", ["はい", "うん", "お願い"])
def test_a_yes_later_or_to_nothing_does_nothing(yes: str, mind: Mind) -> None:
    """Fifteen seconds after the question it means something else; without one it always did."""
    assert mind.decide(yes, STANDING, 5.0).actions == ()
    told(mind, "お座りできる？", 10.0)
    assert mind.decide(yes, STANDING, 10.1 + ASKED_S).actions == ()


def test_a_yes_counts_once(mind: Mind) -> None:
    """The second はい finds no question."""
    told(mind, "お座りできる？", 10.0)
    assert calls(told(mind, "はい", 11.0)) == "Sit"
    assert told(mind, "はい", 12.0).actions == ()


def test_a_question_is_over_with_the_next_turn(mind: Mind) -> None:
    """Who says something else has not said yes."""
    told(mind, "お座りできる？", 10.0)
    told(mind, "今日は雨だった", 11.0)
    assert told(mind, "はい", 12.0).actions == ()


def test_a_new_question_takes_the_place_of_the_old_one(mind: Mind) -> None:
    """A yes answers what was asked last."""
    told(mind, "お座りできる？", 10.0)
    told(mind, "ダンスできる？", 12.0)
    assert calls(told(mind, "はい", 13.0)) == "Dance1"


@pytest.mark.parametrize("no", ["いいえ", "違う", "ううん", "いらない", "やっぱりいい"])
def test_a_no_does_nothing_and_says_so(no: str, mind: Mind) -> None:
    """The person hears that nothing will be done, and a yes after it is too late."""
    told(mind, "お座りできる？", 10.0)
    decision = told(mind, no, 11.0)
    assert (decision.kind, decision.actions, decision.reply) == ("dialog", (), NOT_THEN)
    assert told(mind, "はい", 12.0).actions == ()


@pytest.mark.parametrize("stop", ["止まって", "緊急停止", "ストップ"])
def test_after_a_stop_there_is_nothing_to_say_yes_to_or_to_repeat(stop: str, mind: Mind) -> None:
    """No はい and no もう一回 may start what a stop ended."""
    told(mind, "踊って", 9.0)
    told(mind, "お座りできる？", 10.0)
    assert told(mind, stop, 11.0).actions[0].name == "stop"
    assert mind.context(12.0) == Context()
    assert told(mind, "はい", 12.0).actions == ()
    assert told(mind, "もう一回", 13.0).actions == ()


def test_a_stop_that_never_was_a_decision_is_forgotten_too(mind: Mind) -> None:
    """The stop listener decides by itself, and says so with `forget`."""
    told(mind, "踊って", 9.0)
    told(mind, "お座りできる？", 10.0)
    mind.forget()
    assert mind.context(10.0) == Context()


def test_telling_it_not_to_do_what_it_does_is_a_stop(mind: Mind) -> None:
    """踊らないで in the middle of a dance: もう一回 does not bring it back."""
    told(mind, "踊って", 9.0)
    assert calls(told(mind, "踊らないで", 10.0, DANCING)) == "stop"
    assert told(mind, "もう一回", 11.0).actions == ()


def test_a_release_leaves_nothing_behind(mind: Mind) -> None:
    """Taking a latch off moves nothing, then and with the next はい."""
    told(mind, "お座りできる？", 10.0)
    assert told(mind, "解除", 11.0).release
    assert told(mind, "はい", 12.0).actions == ()


@pytest.mark.parametrize(
    "again", ["もう一回", "もう一度お願いします", "もっかいやって", "アンコール", "さっきのもう一回"]
)
def test_again_repeats_the_last_command(again: str, mind: Mind) -> None:
    """The same actions with the same parameters, up to two minutes later."""
    told(mind, "一メートル前に進んで", 10.0)
    decision = mind.decide(again, STANDING, 10.0 + LAST_S)
    assert (decision.route, decision.kind, decision.reply) == ("grammar", "action", ONCE_MORE)
    assert calls(decision) == "move x=1"
    assert mind.decide(again, STANDING, 10.1 + LAST_S).actions == ()


def test_again_repeats_a_whole_sequence_and_may_be_said_again(mind: Mind) -> None:
    """Each repetition counts as the last command, from its own time on."""
    told(mind, "立って挨拶して", 0.0)
    assert calls(told(mind, "もう一回", 100.0)) == "StandUp | Hello"
    assert calls(told(mind, "もう一回", 200.0)) == "StandUp | Hello"
    assert told(mind, "もう一回", 400.0).actions == ()


def test_again_repeats_what_a_yes_did(mind: Mind) -> None:
    """It was done, whoever named it."""
    told(mind, "お座りできる？", 10.0)
    told(mind, "はい", 11.0)
    assert calls(told(mind, "もう一回", 12.0)) == "Sit"


def test_again_passes_over_talk_and_what_talk_did(mind: Mind) -> None:
    """A gesture to praise is no command; what stood before it is."""
    told(mind, "踊って", 10.0)
    assert told(mind, "可愛いね", 11.0).kind == "dialog_with_action"
    told(mind, "今日は雨だった", 12.0)
    told(mind, "座らないで", 13.0)
    assert calls(told(mind, "もう一回", 14.0)) == "Dance1"


def test_again_without_a_command_before_it_is_answered_and_moves_nothing(mind: Mind) -> None:
    """Nothing was done, or only talked."""
    assert told(mind, "もう一回", 1.0).actions == ()
    told(mind, "可愛いね", 2.0)
    decision = told(mind, "もう一回", 3.0)
    assert decision.actions == ()
    assert decision.reply


def test_again_with_a_name_for_it_is_an_ordinary_command(mind: Mind) -> None:
    """もう一回踊って needs no memory."""
    assert calls(told(mind, "もう一回踊って", 1.0)) == "Dance1"
    assert calls(told(mind, "もう一回座って", 2.0)) == "Sit"


SAID = [
    "座って",
    "踊って",
    "もう一回",
    "はい",
    "いいえ",
    "お座りできる？",
    "止まって",
    "可愛いね",
    UNKNOWN,
    "",
    "解除",
    "ンー",
]


@given(st.lists(st.sampled_from(SAID), max_size=8), st.lists(st.sampled_from(SAID), min_size=1, max_size=8))
@settings(max_examples=200, deadline=None)
def test_deciding_remembers_nothing(router: Router, turns: list[str], guesses: list[str]) -> None:
    """A decision may be made early and thrown away: what follows is as if it had never been made."""
    mind = Mind(router)
    for now, text in enumerate(turns):
        told(mind, text, float(now))
    end = float(len(turns))
    before = mind.context(end)
    first = [mind.decide(text, STANDING, end) for text in guesses]
    assert mind.context(end) == before
    assert [mind.decide(text, STANDING, end) for text in guesses] == first


@given(st.lists(st.tuples(st.sampled_from(SAID), st.sampled_from([0.5, 14.9, 15.2, 119.0, 121.0])), max_size=10))
@settings(max_examples=200, deadline=None)
def test_nothing_moves_but_what_was_said_asked_or_done(router: Router, turns: list[tuple[str, float]]) -> None:
    """Whatever the order and the pauses: はい does what was asked last, もう一回 what was done last."""
    mind = Mind(router)
    now, asked, last = 0.0, Decision("", "none", "none", (), "", 0.0, ""), 0.0
    done: tuple[str, float] | None = None
    for text, pause in turns:
        now += pause
        decision = told(mind, text, now)
        if text == "はい":
            assert decision.actions == (asked.asked if now - last <= ASKED_S else ())
        elif text == "もう一回":
            assert calls(decision) == (done[0] if done and now - done[1] <= LAST_S else "")
        if decision.route == "emergency":
            asked, done = decision, None
            continue
        asked, last = decision, now
        if decision.kind == "action":
            done = (calls(decision), now)


def test_the_cache_is_asked_only_where_the_router_has_no_rule(router: Router) -> None:
    """What a table decides is never looked up; what no rule takes is, in the state in which it was decided."""
    mind = Mind(router, DecisionCache())
    assert mind.learn(model_said("座って"), STANDING, 0.0)
    assert calls(mind.decide("座って", STANDING, 1.0)) == "Sit"
    assert mind.decide("お座りできる？", STANDING, 1.0).asked
    assert mind.decide("止まって", STANDING, 1.0).route == "emergency"
    assert mind.decide("座らないで", STANDING, 1.0).route == "grammar"
    assert mind.cache_stats == CacheStats(stored=1)
    assert mind.decide(UNKNOWN, STANDING, 1.0).route == "fallback"
    assert mind.cache_stats == CacheStats(stored=1, misses=1)


def test_what_a_model_decided_is_found_again(router: Router) -> None:
    """The same words in the same state, with the route of the cache; not in another state, not after its time."""
    mind = Mind(router, DecisionCache(ttl_s=60.0))
    assert mind.learn(model_said(UNKNOWN), STANDING, 0.0)
    found = mind.decide(f"{UNKNOWN}。", STANDING, 59.0)
    assert (found.route, found.reply, found.actions) == ("cache", "ポチがいいです。", ())
    assert mind.cache_stats.hits == 1
    assert mind.decide(UNKNOWN, replace(STANDING, posture=Posture.LYING), 59.0).route == "fallback"
    assert mind.decide(UNKNOWN, STANDING, 61.0).route == "fallback"


def test_only_a_models_success_is_learnt(router: Router) -> None:
    """What the router decided, and what a model was unsure of, is not kept."""
    mind = Mind(router, DecisionCache())
    assert not mind.learn(router.decide(UNKNOWN, STANDING), STANDING, 0.0)
    assert not mind.learn(replace(model_said(UNKNOWN), confidence=0.5), STANDING, 0.0)
    assert mind.decide(UNKNOWN, STANDING, 1.0).route == "fallback"


def test_without_a_cache_nothing_is_kept_and_nothing_is_counted(router: Router, mind: Mind) -> None:
    """The decision is the router's."""
    assert not mind.learn(model_said(UNKNOWN), STANDING, 0.0)
    assert mind.decide(UNKNOWN, STANDING, 1.0) == router.decide(UNKNOWN, STANDING)
    assert mind.cache_stats == CacheStats()


def test_a_decision_from_the_cache_is_remembered_like_any_other(router: Router) -> None:
    """A question of the robot's is over when a model has answered something else."""
    mind = Mind(router, DecisionCache())
    mind.learn(model_said(UNKNOWN), STANDING, 0.0)
    told(mind, "お座りできる？", 1.0)
    assert told(mind, UNKNOWN, 2.0).route == "cache"
    assert told(mind, "はい", 3.0).actions == ()


def test_what_is_remembered_is_given_to_the_router_and_no_more(mind: Mind) -> None:
    """The context has the hour that was passed in and what still holds at that time."""
    told(mind, "踊って", 10.0)
    question = told(mind, "お座りできる？", 20.0)
    context = mind.context(30.0, hour=7)
    assert context.hour == 7
    assert [a.name for a in context.last] == ["Dance1"]
    assert context.asked == question.asked
    assert mind.context(40.0).asked == ()
    assert mind.context(140.0) == Context()
    assert mind.context(30.0).hour is None


@pytest.mark.parametrize(
    ("hour", "greeting"),
    [
        (0, "こんばんは"),
        (3, "こんばんは"),
        (4, "おはようございます"),
        (9, "おはようございます"),
        (10, "こんにちは"),
        (17, "こんにちは"),
        (18, "こんばんは"),
        (23, "こんばんは"),
        (None, "こんにちは"),
    ],
)
def test_it_greets_by_the_hour(hour: int | None, greeting: str, mind: Mind) -> None:
    """Good morning from four to ten, good evening from six till four; by day, or without a clock, good day."""
    assert answers.for_the_hour("{greeting}、よろしくお願いします。", hour) == f"{greeting}、よろしくお願いします。"
    reply = mind.decide("挨拶して", STANDING, 1.0, hour).reply
    assert reply.startswith(greeting)
    assert "{" not in reply


def test_a_reply_without_a_greeting_stays_as_it_is() -> None:
    """Braces of another kind are not touched."""
    assert answers.for_the_hour("はい、座ります。", 5) == "はい、座ります。"
    assert answers.for_the_hour("{name}です。", 5) == "{name}です。"


def test_no_reply_of_the_table_shows_its_braces(router: Router, mind: Mind) -> None:
    """At every hour of the day."""
    for hour in range(24):
        for text in ("やあ", "ハロー", "挨拶", "ご挨拶して", "こんにちは", "おはよう", "こんばんは"):
            assert "{" not in mind.decide(text, STANDING, 1.0, hour).reply
