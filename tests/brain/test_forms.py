"""Forms of a command: requests, bans, sequences, counts, motions with numbers, and what is none of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.answers import FORBIDDEN, TOO_LONG
from claudiad.brain.kana import hiragana
from claudiad.brain.reading import reading
from claudiad.brain.router import Router, Tables
from claudiad.brain.sequence import Grammar
from claudiad.brain.tables import DATA, expand, rows
from claudiad.types import Decision
from tests.brain.conftest import ACTIONS, STANDING, calls, fault, pronounced

Decide = Callable[[str], Decision]


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("よ", "よ"),
        ("", ""),
        ("て{,も}いい", "ていい てもいい"),
        ("{,お}願い{,します}", "願い 願いします お願い お願いします"),
        ("{あ,い}{う,え}", "あう あえ いう いえ"),
        ("{あ}", "あ"),
        ("あ{い,い}", "あい あい"),
    ],
)
def test_braces_stand_for_each_of_their_parts(text: str, expanded: str) -> None:
    """In order, the first pair slowest; nothing between the commas is nothing."""
    assert list(expand(text)) == expanded.split(" ")


@given(st.text("あいう、・", max_size=8), st.lists(st.text("かきく", max_size=3), min_size=1, max_size=4))
def test_expanding_multiplies(plain: str, parts: list[str]) -> None:
    """As many texts as the parts of all braces multiplied; a text without braces is itself."""
    assert list(expand(plain)) == [plain]
    pair = "{" + ",".join(parts) + "}"
    assert list(expand(plain + pair)) == [plain + part for part in parts]
    assert len(list(expand(pair + plain + pair))) == len(parts) ** 2


VERBS = {"座って": "Sit", "踊って": "Dance1", "伏せて": "StandDown", "歩いて": "move x=0.3"}
REQUESTS = [each for _, (kind, text) in rows(DATA / "endings.tsv", 2) if kind == "te" for each in expand(text)]
UNREAD = frozenset(("いただけますとこーえいです", "いただけるとこーえいです"))
"""光栄, which the table spells こーえい, sounds コーエー."""


def test_there_are_many_ways_to_ask() -> None:
    """The table of requests does not shrink unnoticed."""
    assert len(REQUESTS) > 1500
    assert set(REQUESTS) >= UNREAD


@pytest.mark.parametrize("verb", VERBS)
def test_a_te_form_with_any_request_is_done(verb: str, router: Router) -> None:
    """Behind all four verbs, every line of the table: in kanji, and in kana throughout."""
    known = ["" if request == "@" else request for request in REQUESTS if request not in UNREAD]
    said = [each for request in known for each in (verb + request, hiragana(reading(verb)) + request)]
    assert [text for text in said if calls(router.decide(text, STANDING)) != VERBS[verb]] == []


@pytest.mark.parametrize(
    "request_", ["", "ください", "くれる？", "もらえますか", "ほしいな", "ちょうだいね", "みせてくれない？"]
)
def test_a_request_takes_a_name_and_a_filler_along(request_: str, decide: Decide) -> None:
    """In front and behind, with and without punctuation."""
    for text in (f"ねえクラウディア、座って{request_}", f"座って{request_}、クラちゃん", f"えーと座って{request_}ポチ"):
        assert calls(decide(text)) == "Sit", text


# the verb's te-form, dictionary form, stem of its negation, past, and with ちゃ; what does it, and what the robot runs
FORBIDDABLE = [
    "座って 座る 座ら 座った 座っちゃ Sit",
    "踊って 踊る 踊ら 踊った 踊っちゃ Dance1",
    "挨拶して 挨拶する 挨拶し 挨拶した 挨拶しちゃ Hello",
    "歩いて 歩く 歩か 歩いた 歩いちゃ move",
    "伏せて 伏せる 伏せ 伏せた 伏せちゃ StandDown",
    "走って 走る 走ら 走った 走っちゃ TrotRun",
    "ハートを作って ハートを作る ハートを作ら ハートを作った ハートを作っちゃ Heart",
]
BANS = """
{nai}ないで {nai}ないでください {nai}ないでね {nai}ないでくれ {nai}ないでくれますか {nai}ないでほしい
{nai}ないでもらえますか {nai}ないでいただけますか {nai}ないでちょうだい {nai}ないでいて {nai}なくていい
{nai}なくていいよ {nai}なくても大丈夫 {nai}なくて結構です {nai}なくてもかまわない {nai}ないように
{nai}ないようにしてください {nai}ない方がいい {nai}ないこと {nai}ずに {nai}んでいい {nai}んでええよ
{nai}んといて {nai}んとって {nai}んでください {plain}な {plain}なよ {plain}なってば {plain}んじゃない
{plain}んじゃないよ {plain}んじゃねえ {plain}のじゃない {plain}べからず {plain}ことはない {plain}必要はない
{plain}必要はありません {plain}のはだめ {plain}のはいや {plain}のはもういい {plain}のは禁止 {plain}のはなし
{plain}のはあとで {te}はいけない {te}はいけません {te}はだめだよ {te}はならない {te}はあかん {te}ほしくない
{te}ほしくないです {te}もらわなくていい {te}くれなくていいよ {te}もらいたくない {cha}だめ {cha}だめだよ
{cha}いけない {cha}いけません {cha}あかん {cha}いやだ {ta}らだめ {ta}らいけません {ta}らあかん {ta}ら困る
"""


def banned(row: str) -> tuple[list[str], str]:
    """Every ban of one verb, and the action that is banned."""
    te, plain, nai, ta, cha, action = row.split()
    return [ban.format(te=te, plain=plain, nai=nai, ta=ta, cha=cha) for ban in BANS.split()], action


@pytest.mark.parametrize("row", FORBIDDABLE, ids=lambda row: row.split()[0])
def test_what_is_forbidden_is_not_done(row: str, router: Router) -> None:
    """Sixty ways to forbid it, written and as pronounced: nothing moves, and it says that it will not."""
    bans, _ = banned(row)
    assert len(bans) >= 60
    for text in bans:
        decision = router.decide(text, STANDING)
        assert (decision.route, decision.actions, decision.reply) == ("grammar", (), FORBIDDEN), text
        assert router.decide(pronounced(text), STANDING).actions == (), text


@pytest.mark.parametrize("row", FORBIDDABLE, ids=lambda row: row.split()[0])
def test_forbidding_what_it_is_doing_stops_it(row: str, router: Router) -> None:
    """While that very action runs each ban is a stop, without a latch."""
    bans, action = banned(row)
    for text in bans:
        decision = router.decide(text, replace(STANDING, running=action))
        assert (decision.route, calls(decision), decision.latch) == ("emergency", "stop", False), text


@pytest.mark.parametrize("row", FORBIDDABLE, ids=lambda row: row.split()[0])
def test_forbidding_something_else_starts_nothing(row: str, router: Router) -> None:
    """While it stretches only what may be a stop word by itself (いけない, 入るな) stops it, as any doubt does."""
    doubts = 0
    for text in banned(row)[0]:
        decision = router.decide(text, replace(STANDING, running="Stretch"))
        if decision.actions:
            doubts += 1
            assert (calls(decision), decision.rule.split(":")[0] in ("end", "near", "maybe")) == ("stop", True), text
    assert doubts <= 6


@pytest.mark.parametrize(
    ("text", "running"),
    [
        ("踊らないで", "Dance2"),
        ("踊らないで", "Dance1"),
        ("進まないで", "move x=0.3"),
        ("歩かないで", "EconomicGait"),
        ("走らないで", "StaticWalk"),
    ],
)
def test_both_dances_are_dancing_and_every_gait_is_walking(text: str, running: str, router: Router) -> None:
    """What is meant is the kind of thing it does."""
    assert calls(router.decide(text, replace(STANDING, running=running))) == "stop"


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("座らないで立って", "StandUp"),
        ("座らずに伏せて", "StandDown"),
        ("座るんじゃなくて伏せて", "StandDown"),
        ("伏せじゃなくて座って踊って", "Sit | Dance1"),
        ("踊らないで、座って", "Sit"),
        ("座って、でも踊らないで", "Sit"),
        ("右に回って、違う、左に回って", "move yaw=1.5708"),
        ("伏せ、じゃなくてお座り", "Sit"),
        ("伏せて、間違えた、座って", "Sit"),
        ("伸びをしてから踊るんじゃなくて座って", "Sit"),
        ("立って踊らないで", ""),
        ("座って、やっぱりやめた", ""),
        ("座ってなんてね", ""),
    ],
)
def test_one_thing_instead_of_another(text: str, actions: str, decide: Decide) -> None:
    """What was taken back is not done, nor what came with it; what takes its place is."""
    assert calls(decide(text)) == actions


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("立ってから挨拶して", "StandUp | Hello"),
        ("立ったら挨拶して", "StandUp | Hello"),
        ("立ったあと挨拶して", "StandUp | Hello"),
        ("立って、そのあと挨拶して、最後に座って", "StandUp | Hello | Sit"),
        ("立ってください、そのあと座ってください", "StandUp | Sit"),
        ("座る前に挨拶して", "Hello | Sit"),
        ("踊る前に立って", "StandUp | Dance1"),
        ("お座りの前にお手", "Hello | Sit"),
        ("座って、その前に挨拶して", "Hello | Sit"),
        ("挨拶して、先に立って", "StandUp | Hello"),
        ("座る前に立って、踊って", "StandUp | Dance1 | Sit"),
        ("立って、座る前に挨拶して", "StandUp | Hello | Sit"),
        ("最後に踊って、座って", "Sit | Dance1"),
        ("座って、後で踊って", "Sit | Dance1"),
        ("立って回って座る", "StandUp | move yaw=6.2832 | Sit"),
    ],
)  # fmt: skip
def test_steps_come_in_the_order_in_which_they_are_to_be_done(text: str, actions: str, decide: Decide) -> None:
    """前に turns two steps round, 先に and 最後に move one of them."""
    assert calls(decide(text)) == actions


@pytest.mark.parametrize("text", ["後で踊って", "あとで踊ってね", "後で座ってくれる？", "あとで座って、あとで踊って"])
def test_later_alone_is_not_now(text: str, decide: Decide) -> None:
    """Nothing moves; at most it is asked back."""
    assert decide(text).actions == ()
    assert decide(pronounced(text)).actions == ()


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("三回挨拶して", "Hello | Hello | Hello"),
        ("三回、挨拶して", "Hello | Hello | Hello"),
        ("挨拶を三回して", "Hello | Hello | Hello"),
        ("お手を二回", "Hello | Hello"),
        ("手を二回振って", "Hello | Hello"),
        ("二回お座りして挨拶して", "Sit | Sit | Hello"),
        ("立って座ってを二回繰り返して", "StandUp | Sit | StandUp | Sit"),
        ("立って座ってを二回", "StandUp | Sit | StandUp | Sit"),
        ("立って座って挨拶してを二回やって", "StandUp | Sit | Hello | StandUp | Sit | Hello"),
        ("座って座って", "Sit"),
        ("背伸び、伸びをして", "Stretch"),
        ("座って、もう一回座って", "Sit | Sit"),
        ("お手、おかわり", "Hello | Hello"),
        ("零回挨拶して", ""),
        ("一回半挨拶して", ""),
    ],
)
def test_counts_repeat_what_stands_beside_them(text: str, actions: str, decide: Decide) -> None:
    """One thing or the whole sequence; what is only said twice is done once."""
    assert calls(decide(text)) == actions


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("六回挨拶して", 6),
        ("七回挨拶して", 7),
        ("百回挨拶して", 100),
        ("立って座って立って座って立って座って", 6),
        ("立って座って立って座って立って座って伏せて", 7),
        ("立って座ってを三回繰り返して", 6),
        ("立って座ってを四回繰り返して", 8),
        ("三回挨拶して三回踊って", 6),
        ("三回挨拶して四回踊って", 7),
    ],
)
def test_six_steps_are_done_and_seven_are_not(text: str, steps: int, decide: Decide) -> None:
    """Counted with their repetitions; beyond six none is done, and it says why."""
    decision = decide(text)
    assert len(decision.actions) == (steps if steps <= 6 else 0)
    assert (decision.reply == TOO_LONG) == (steps > 6)


STEPS = {"立って": "StandUp", "座って": "Sit", "伏せて": "StandDown", "挨拶して": "Hello", "踊って": "Dance1"}


@given(
    st.lists(st.sampled_from(list(STEPS)), min_size=1, max_size=8), st.sampled_from(["", "、", "から", "、そのあと"])
)
@settings(max_examples=300, deadline=None)
def test_any_steps_come_out_as_they_went_in(router: Router, said: list[str], joint: str) -> None:
    """Up to six, in their order; the same one twice in a row is one wish."""
    wanted = [STEPS[step] for i, step in enumerate(said) if i == 0 or step != said[i - 1]]
    names = [a.name for a in router.decide(joint.join(said), STANDING).actions]
    assert names == (wanted if len(wanted) <= 6 else [])


@given(st.sampled_from(list(STEPS)), st.integers(0, 130))
@settings(max_examples=150, deadline=None)
def test_any_count_is_that_many_or_none(router: Router, step: str, times: int) -> None:
    """Digits, kanji or kana; none, where it is none or more than six."""
    expected = [STEPS[step]] * (times if times <= 6 else 0)
    for text in (f"{times}回{step}", reading(f"{times}回{step}")):
        assert [a.name for a in router.decide(text, STANDING).actions] == expected, text


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("座って待って", "Sit"),
        ("座って待っててね", "Sit"),
        ("お座りして待って", "Sit"),
        ("伏せて待ってて", "StandDown"),
        ("立って待って", "StandUp"),
        ("四歩進んだら止まって", "move x=1.2"),
        ("スワッテマッテ", "Sit"),
        ("待って", "stop"),
        ("ちょっと待って、座って", "stop"),
        ("座って、待って！", "stop"),
    ],
)
def test_to_wait_in_a_posture_is_no_stop(text: str, actions: str, decide: Decide) -> None:
    """座って待って is one wish; where punctuation cuts it, the stop wins."""
    assert calls(decide(text)) == actions


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("三秒歩いて", "move x=1.2"),
        ("三秒間歩いて", "move x=1.2"),
        ("3秒歩いて", "move x=1.2"),
        ("サンビョーアルイテ", "move x=1.2"),
        ("五秒進んで", "move x=2"),
        ("二秒下がって", "move x=-0.8"),
        ("二秒左に動いて", "move y=0.8"),
        ("二秒回って", "move yaw=1.6"),
        ("三秒右に回って", "move yaw=-2.4"),
        ("二秒前に進んでから座って", "move x=0.8 | Sit"),
        ("三秒座って", ""),
        ("三秒待って", ""),
        ("三秒", ""),
        ("一分歩いて", ""),
        ("二メートル三秒歩いて", ""),
        ("二秒九十度回って", ""),
        ("二秒一メートル回って", ""),
    ],
)
def test_a_time_is_a_way_or_an_angle_at_the_usual_speed(text: str, action: str, decide: Decide) -> None:
    """0.4 m/s and 0.8 rad/s; a time for anything else, or beside another amount, is not understood."""
    assert calls(decide(text)) == action


WALKS = {"進んで": ("x", 1), "下がって": ("x", -1), "右に動いて": ("y", -1), "左に動いて": ("y", 1)}
TURNS = {"左に回って": ("yaw", 1), "右に回って": ("yaw", -1), "回転して": ("yaw", 1)}


@given(st.integers(1, 99), st.sampled_from([*WALKS, *TURNS]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_motion_has_one_axis_and_the_size_that_was_said(router: Router, n: int, verb: str, aloud: bool) -> None:
    """Metres, centimetres, steps, degrees and seconds, in digits or as they sound; the sign is the way's."""
    axis, sign = {**WALKS, **TURNS}[verb]
    units = {"度": math.pi / 180, "秒": 0.8} if verb in TURNS else {"メートル": 1.0, "センチ": 0.01, "秒": 0.4}
    if verb in WALKS and n < 20:
        units["歩"] = 0.3
    for unit, size in units.items():
        text = f"{n}{unit}{verb}"
        (action,) = router.decide(reading(text) if aloud else text, STANDING).actions
        assert (action.name, list(action.params)) == ("move", [axis])
        assert action.params[axis] == pytest.approx(sign * n * size, abs=1e-4)


@pytest.mark.parametrize(
    "text", ["十九歩進んで", fault("the tokeniser reads 歩 as ぶ", "20歩歩いて"), fault("or as あゆみ", "28歩歩いて")]
)
def test_many_steps_are_steps_too(text: str, decide: Decide) -> None:
    """As far as anybody would count them."""
    assert decide(text).actions


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("お座り、お手", "Sit | Hello"),
        ("お座り お手", "Sit | Hello"),
        ("お座り。お手！伏せ", "Sit | Hello | StandDown"),
        ("オスワリ、オテ", "Sit | Hello"),
        ("お座りとお手", "Sit | Hello"),
        ("ハート、ダンス", "Heart | Dance1"),
        ("お座りお手", ""),
        ("おすわりおて", ""),
        ("オスワリオテ", ""),
        ("お座りお手伏せ", ""),
        fault("the heart is lost", "ハートダンス", ""),
    ],
)
def test_nouns_follow_one_another_only_where_punctuation_stood(text: str, actions: str, decide: Decide) -> None:
    """Side by side they may be one word that nobody knows: all of them or none."""
    assert calls(decide(text)) == actions


def test_a_grammar_without_bounds_chains_no_nouns(tables: Tables) -> None:
    """The place of the punctuation is given to the grammar; it does not guess one."""
    grammar = Grammar(tables.phrases, tables.motions, tables.edges, ACTIONS["move"])
    assert grammar.parse("オスワリオテ") is None
    parsed = grammar.parse("オスワリオテ", (4,))
    assert parsed is not None
    assert parsed != "too long"
    assert [a.name for a in parsed.actions] == ["Sit", "Hello"]
    assert grammar.parse("オスワリオテ", (3,)) is None


@pytest.mark.parametrize("verb", ["すわって", "おどって", "ふせて", "あるいて"])
def test_hiragana_and_katakana_are_one(verb: str, router: Router) -> None:
    """However it was written down."""
    spelled = reading(verb)
    assert hiragana(spelled) == verb
    assert router.decide(verb, STANDING).actions == router.decide(spelled, STANDING).actions != ()
