"""Decisions kept for a while: the same words in the same state, never for longer, never for something else."""

from __future__ import annotations

import math
import re
import tracemalloc
from dataclasses import FrozenInstanceError, replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claudiad.brain.cache import CacheStats, DecisionCache, has_negation, has_number
from claudiad.brain.reading import MAX_CHARS, hear
from claudiad.types import Action, Decision, Posture, RobotState
from tests.brain.conftest import ACTIONS, STANDING, lines, pronounced

HELLO = Action("Hello", 1016)
NAME = "犬の名前は"


def said(text: str, reply: str = "はい。") -> Decision:
    return Decision(text, "llm", "dialog", (), reply, 0.9, "qwen")


def moved(text: str, *actions: Action) -> Decision:
    return Decision(text, "llm", "dialog_with_action", actions or (HELLO,), "はい。", 0.9, "qwen")


def state(battery: int, posture: Posture = Posture.STANDING) -> RobotState:
    return RobotState(posture, battery)


def kept(text: str, decision: Decision | None = None) -> DecisionCache:
    """A cache that holds one decision."""
    cache = DecisionCache()
    assert cache.store(decision or said(text), STANDING, 0.0)
    return cache


def test_a_hit_is_the_decision_with_the_new_text_and_where_it_came_from() -> None:
    """Actions, reply, kind and confidence are the stored ones; text, route and rule say what happened."""
    decision = moved("その場で楽しくごあいさつしてみせて")
    cache = kept("", decision)
    text = "その場で、楽しくごあいさつしてみせて！"
    expected = replace(decision, text=text, route="cache", rule="cache: その場で楽しくごあいさつしてみせて")
    assert cache.find(text, STANDING, 1.0) == expected


def test_a_near_hit_says_so() -> None:
    """Who asks why is told that the text was not the same."""
    cache = kept("今日はとても暑いですね")
    found = cache.find("今日はとても暑いですねえ", STANDING, 1.0)
    assert found is not None
    assert (found.route, found.rule) == ("cache", "cache, near: 今日はとても暑いですね")
    assert cache.stats == CacheStats(near_hits=1, stored=1)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("お茶は好きですか", "おちゃわすきですか"),
        ("お茶は好きですか", "オチャワスキデスカ"),
        ("お茶は、好きですか。", "お茶は好きですか"),
        ("座って話して下さい", "座って話してください"),
        ("五十センチの犬を見た", "50cmの犬を見た"),
        ("ー", "ー！"),
        ("Hello there", "hello, there"),
    ],
)
def test_what_reads_the_same_is_the_same(one: str, other: str) -> None:
    """Spelling, width, punctuation and case do not matter; what has no reading is compared by its letters."""
    assert kept(one).find(other, STANDING, 1.0) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("三歩する犬", "散歩する犬"),
        ("箸を持ってきた話", "橋を持ってきた話"),
        ("楽しく踊れる", "楽しく踊れる？"),
        ("？？", "？？"),
        ("", ""),
        ("あ" * (MAX_CHARS + 1), "あ" * (MAX_CHARS + 1)),
    ],
)
def test_what_only_sounds_or_looks_the_same_is_not(one: str, other: str) -> None:
    """Homophones in kanji, a question and a statement, and texts of which nothing or not all was read."""
    cache = DecisionCache()
    cache.store(said(one), STANDING, 0.0)
    assert cache.find(other, STANDING, 1.0) is None


@pytest.mark.parametrize(
    "decision",
    [
        replace(said(NAME), route="cache"),
        replace(said(NAME), route="fallback"),
        replace(said(NAME), route="hotpath"),
        replace(said(NAME), route="emergency"),
        replace(said(NAME), reply=""),
        replace(said(NAME), reply=" \n"),
        replace(said(NAME), confidence=0.79),
        replace(said(NAME), confidence=math.nan),
        replace(said(NAME), latch=True),
        replace(said(NAME), release=True),
        moved(NAME, Action("stop", 1003)),
        moved(NAME, HELLO, Action("stop", 1003)),
        said("？？"),
        said("あ" * (MAX_CHARS + 1)),
    ],
)
def test_only_a_models_success_is_kept(decision: Decision) -> None:
    """No rule's decision, nothing empty or doubtful, no stop, latch or release, and no entry's second life."""
    cache = DecisionCache()
    assert not cache.store(decision, STANDING, 0.0)
    assert cache.find(decision.text, STANDING, 0.0) is None
    assert cache.stats == CacheStats(refused=1, misses=1)


@pytest.mark.parametrize("route", ["llm", "cloud"])
def test_a_model_that_was_just_sure_enough_is_kept(route: str) -> None:
    """The floor itself is high enough."""
    decision = replace(said(NAME), route="llm" if route == "llm" else "cloud", confidence=0.8)
    assert kept("", decision).find(NAME, STANDING, 0.0) is not None


BATTERIES = [0, 20, 21, 50, 51, 100]


@pytest.mark.parametrize(("before", "after"), list(product(BATTERIES, BATTERIES)))
def test_battery_low_medium_and_high_are_kept_apart(before: int, after: int) -> None:
    """Up to 20 %, up to 50 %, and above: in each the model would have answered with another state in mind."""
    cache = DecisionCache()
    cache.store(said(NAME), state(before), 0.0)
    same = BATTERIES.index(before) // 2 == BATTERIES.index(after) // 2
    assert (cache.find(NAME, state(after), 0.0) is not None) == same
    assert (cache.find("犬の名前はね", state(after), 0.0) is not None) == same


@pytest.mark.parametrize(("before", "after"), list(product(Posture, Posture)))
def test_postures_are_kept_apart(before: Posture, after: Posture) -> None:
    """What was decided for a robot that lies is nothing for one that stands, near or exact."""
    cache = DecisionCache()
    cache.store(said(NAME), state(100, before), 0.0)
    assert (cache.find(NAME, state(100, after), 0.0) is not None) == (before is after)
    assert (cache.find("犬の名前はね", state(100, after), 0.0) is not None) == (before is after)


def test_what_else_the_state_holds_does_not_matter() -> None:
    """Position and age change with every breath."""
    cache = kept(NAME)
    assert cache.find(NAME, replace(STANDING, x=1.0, yaw=2.0, age_ms=30.0), 1.0) is not None


def test_an_entry_dies_of_age_however_often_it_is_used() -> None:
    """Just under the time to live it is there, at it no more, and being found has not made it younger."""
    cache = kept(NAME)
    assert cache.find(NAME, STANDING, 60.0) is not None
    assert cache.find(NAME, STANDING, 119.99) is not None
    assert cache.find(NAME, STANDING, 120.0) is None
    assert cache.stats == CacheStats(hits=2, misses=1, stored=1, expired=1)


def test_storing_again_replaces_and_makes_young() -> None:
    """The newer answer counts, from its own time on, and takes no second place."""
    cache = DecisionCache(size=1)
    cache.store(said(NAME, "ポチです。"), STANDING, 0.0)
    cache.store(said(NAME, "シロです。"), STANDING, 100.0)
    found = cache.find(NAME, STANDING, 219.0)
    assert found is not None
    assert found.reply == "シロです。"
    assert cache.stats == CacheStats(hits=1, stored=2)


@pytest.mark.parametrize("used", [NAME, "犬の名前はね"])
def test_the_one_used_least_recently_gives_way(used: str) -> None:
    """An exact or a near hit keeps an entry in; looking for another one that is not there changes nothing."""
    cache = DecisionCache(size=3)
    for text in (NAME, "お茶は楽しいですね", "空は青い色ですね"):
        cache.store(said(text), STANDING, 0.0)
    assert cache.find(used, STANDING, 1.0) is not None
    assert cache.find("山は高いですね", STANDING, 1.0) is None
    cache.store(said("海は広いですね"), STANDING, 2.0)
    assert cache.find("お茶は楽しいですね", STANDING, 3.0) is None
    assert cache.find(NAME, STANDING, 3.0) is not None
    assert cache.find("空は青い色ですね", STANDING, 3.0) is not None
    assert cache.stats.evicted == 1


def test_an_expired_entry_makes_room_before_a_living_one_goes() -> None:
    """Eviction is for entries that could still be used."""
    cache = DecisionCache(ttl_s=10.0, size=2)
    cache.store(said("お茶は好きですか"), STANDING, 0.0)
    cache.store(said(NAME), STANDING, 5.0)
    cache.store(said("海は広いですね"), STANDING, 10.0)
    assert cache.find(NAME, STANDING, 10.0) is not None
    assert (cache.stats.expired, cache.stats.evicted) == (1, 0)


def test_size_nought_switches_it_off() -> None:
    """Nothing is kept, found or counted."""
    cache = DecisionCache(size=0)
    assert not cache.store(said(NAME), STANDING, 0.0)
    assert cache.find(NAME, STANDING, 0.0) is None
    assert cache.stats == CacheStats()


@pytest.mark.parametrize("now", [99.0, -1.0, math.nan, -math.inf])
def test_a_clock_that_goes_back_empties_it(now: float) -> None:
    """What is of unknown age is not used; the cache works on from the new time."""
    cache = DecisionCache()
    cache.store(said(NAME), STANDING, 100.0)
    assert cache.find(NAME, STANDING, now) is None
    assert cache.stats.expired == 1
    cache.store(said(NAME), STANDING, 50.0)
    assert cache.find(NAME, STANDING, 60.0) is not None


def test_clear_forgets_the_decisions_and_not_the_statistics() -> None:
    """After a change of model its old answers are gone; what was counted stays counted."""
    cache = kept(NAME)
    cache.clear()
    assert cache.find(NAME, STANDING, 0.0) is None
    assert cache.stats == CacheStats(stored=1, misses=1)
    with pytest.raises(FrozenInstanceError):
        cache.stats.hits = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("ttl_s", "size", "near"),
    [
        (0.0, 1, 0.9),
        (-1.0, 1, 0.9),
        (math.nan, 1, 0.9),
        (1.0, -1, 0.9),
        (1.0, 1, 0.0),
        (1.0, 1, 1.1),
        (1.0, 1, math.nan),
    ],
)
def test_settings_that_mean_nothing_are_refused(ttl_s: float, size: int, near: float) -> None:
    """A mistake shows when it is made."""
    with pytest.raises(ValueError, match="allowed"):
        DecisionCache(ttl_s, size, near)


# --- near misses ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("お茶は楽しいですね", "お茶は楽しいですよね"),
        ("オテンキワドオデスカ", "オテンキドオデスカ"),
        ("どんな歌が好きですか", "どんなうたがすきですかね"),
        ("名前を教えて下さい", "名前を教えてくださいね"),
    ],
)
def test_a_text_nearly_the_same_is_answered_the_same(one: str, other: str) -> None:
    """A particle, an ending, a lost kana."""
    found = kept(one).find(other, STANDING, 1.0)
    assert found is not None
    assert found.rule == f"cache, near: {one}"


def test_of_several_the_nearest_answers() -> None:
    """Not the first that is near enough."""
    cache = DecisionCache(near=0.8)
    cache.store(said("あしたのてんきわ", "一"), STANDING, 0.0)
    cache.store(said("あさってのてんきわ", "二"), STANDING, 0.0)
    found = cache.find("あさってのてんきわね", STANDING, 0.0)
    assert found is not None
    assert found.reply == "二"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ねえクラウディア、あのテーブルの横に立っててくれる", "ねえクラウディア、あのテーブルの横に座っててくれる"),
        ("ゆっくりあっちのほうへ右を向いてみせて", "ゆっくりあっちのほうへ左を向いてみせて"),
        ("ココエキテマエオムイテ", "ココエキテウエオムイテ"),
        ("たのしくあいさつしてみせて", "たのしくあいさつしてみせてね"),
    ],
)
def test_a_near_miss_never_moves_the_robot(one: str, other: str) -> None:
    """The opposite motion is as near as a particle is."""
    near = DecisionCache(near=0.8)
    near.store(moved(one), STANDING, 0.0)
    assert near.find(other, STANDING, 1.0) is None
    assert near.find(one, STANDING, 1.0) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("お水を飲むのが好き", "お水を飲むのが好きじゃない"),
        ("ここでたべてわいけない", "ここでたべてわいけないよ"),
        ("早く走るなと言われた犬", "早く走るなと言われた犬ね"),
        ("犬が三匹いるところ", "犬が四匹いるところ"),
        ("いぬがさんびきいるところ", "いぬがごひきいるところ"),
        ("いぬがごひきいるところ", "いぬがごひきいるところね"),
        ("オモシロイオハナシヲ", "オモシロイオハナシヲニカイ"),
        ("まっすぐ100センチ先の箱", "まっすぐ200センチ先の箱"),
        ("そらがあおい", "そらがあおいのか"),
        ("箸を使うのが得意です", "橋を使うのが得意ですね"),
    ],
)
def test_numbers_negations_and_questions_are_not_near_anything(one: str, other: str) -> None:
    """One kana of them turns a sentence round, in what is asked as in what is kept."""
    for stored, asked in ((one, other), (other, one)):
        cache = DecisionCache(near=0.5)
        cache.store(said(stored), STANDING, 0.0)
        assert cache.find(asked, STANDING, 1.0) is None
        assert cache.find(stored, STANDING, 1.0) is not None


def test_a_few_kana_are_not_near_anything() -> None:
    """Six is the least, in what is asked and in what is kept."""
    for one, other, near in [("アオイソラ", "アオイソラダ", False), ("アオイソラダ", "アオイソラダヨ", True)]:
        for stored, asked in ((one, other), (other, one)):
            cache = DecisionCache(near=0.8)
            cache.store(said(stored), STANDING, 0.0)
            assert (cache.find(asked, STANDING, 1.0) is not None) == near


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("I do like the blue sky", "I do not like the blue sky"),
        ("我喜欢蓝色的天空", "我喜欢蓝色的天空吗"),
        ("アオイソラガΩ", "アオイソラガΩΩ"),
        ("髙橋さんﾃﾞｽ𠮷野家", "髙橋さんﾃﾞｽ𠮷野家ね"),
    ],
)
def test_what_is_not_japanese_or_cannot_be_read_is_not_near_anything(one: str, other: str) -> None:
    """Other languages have negations and numbers of their own."""
    cache = DecisionCache(near=0.5)
    cache.store(said(one), STANDING, 0.0)
    assert cache.find(other, STANDING, 0.0) is None
    assert cache.find(one, STANDING, 0.0) is not None


@pytest.mark.parametrize(("near", "hit"), [(0.9, False), (0.84, False), (0.83, True), (0.5, True)])
def test_near_is_what_the_setting_says(near: float, hit: bool) -> None:
    """One kana of six replaced is a likeness of 10 / 12."""
    cache = DecisionCache(near=near)
    cache.store(said("アオイソラダ"), STANDING, 0.0)
    assert (cache.find("アカイソラダ", STANDING, 0.0) is not None) == hit


def test_at_likeness_one_nothing_is_near() -> None:
    """The strictest setting switches near hits off."""
    cache = DecisionCache(near=1.0)
    cache.store(said("今日はとても暑いですね"), STANDING, 0.0)
    assert cache.find("今日はとても暑いですねえ", STANDING, 0.0) is None


NEGATED = """
動くな 動くなよ 動くなって言った 来んな 走るな待て 行かん 知らんけど 分かりません 食べんといて 起きんでいい
動かずに待って 動かず待て 見ずに 食べずに できずに 死なずに 吠えるべからず 言わぬ 見ぬふりをして せんでいい
来ないで 禁止 やめて 駄目 無理 行くまい 食べざるを得ない 行かねばならぬ 知らねえ 行かへん できひん あかん
ちゃうで よして 嫌だ 嫌い いらない いりません 結構です いいえ 行かなければ 行かなきゃ 踊らんで
立たんでええ 遊ばんで 死なんで 書かんで 泳がんで 読まんで 話さんで 買わんで 待たんで 座ったらダメ
やらんといて しなくていい なしで 違うよ 不可 別にいい
""".split()  # noqa: SIM905 - sixty words read better so
NEGATED += [line for line in lines("traps.txt") if re.search("ない|なく|なかっ|だめ", line)]


@pytest.mark.parametrize("text", NEGATED)
def test_a_negation_is_seen(text: str) -> None:
    """Every form people deny and forbid in, those of the trap list among them."""
    assert has_negation(hear(text))


@pytest.mark.parametrize("text", [t for t in NEGATED if not re.search("[不別]", t)])
def test_a_negation_is_seen_in_a_kana_transcript(text: str) -> None:
    """The embedded recogniser writes one line of katakana."""
    assert has_negation(hear(pronounced(text)))


COUNTED = """
三歩進んで 3歩 ３歩 二回 二メートル 五メートル 四回 九回 二つ 五つ 一つ 六つ 七つ 八つ 九つ 十 とお
ひとり 二人 四人 五人 百 千 一万 半分 倍 五時 四時 九時 二時 二分 十分 四歩 二歩 五歩 九歩 五度
二度 四度 一度 二周 六歩 八歩 十歩 1.5メートル 二足す二は 四かける五 二十 五十センチ 二センチ 五匹
二本 二枚 何回 いくつ 二秒 五秒 ゼロ 二番 二日 五日 四日 八日 九日 両方 一ダース ½
""".split()  # noqa: SIM905 - the same


@pytest.mark.parametrize("text", COUNTED)
def test_a_number_is_seen(text: str) -> None:
    """Digits, kanji and counters of their own."""
    assert has_number(hear(text))


@pytest.mark.parametrize("text", [t for t in COUNTED if t != "½"])
def test_a_number_is_seen_in_a_kana_transcript(text: str) -> None:
    """Without digits or kanji a number is known by what it counts."""
    assert has_number(hear(pronounced(text)))


def test_ordinary_sentences_are_still_near_something() -> None:
    """The detectors see too much, not everything: a third of everyday sentences and more can be near hits."""
    sentences = [hear(line) for line in lines("everyday.txt")]
    plain = [heard for heard in sentences if not has_negation(heard) and not has_number(heard)]
    assert len(plain) * 3 > len(sentences)


# --- what holds whatever happens --------------------------------------------------------------------------------------

TEXTS = [
    "アオイソラ",
    "アオイソラダ",
    "アオイソラダヨ",
    "アオイソラダヨネ",
    "アオイソラダヨネエ",
    "シロイクモガデタ",
    "シロイクモガデタヨ",
]
TEXTS += ["シロイクモガデタヨネ", "サンビキノイヌガ", "サンビキノイヌガイル", "ハシラナイデクレ", "ハシラナイデクレル"]
STATES = [state(b, p) for b, p in product(BATTERIES, (Posture.STANDING, Posture.LYING))]
STEP = st.tuples(
    st.booleans(), st.sampled_from(TEXTS), st.sampled_from(STATES), st.sampled_from([0.0, 0.1, 1.0, 4.0, 9.9, 10.0])
)


def bucket(where: RobotState) -> tuple[int, Posture]:
    return BATTERIES.index(where.battery) // 2, where.posture


@given(st.lists(STEP, max_size=40), st.integers(0, 4), st.booleans())
@settings(max_examples=400, deadline=None)
def test_what_comes_out_is_young_of_its_bucket_and_one_of_few(
    steps: list[tuple[bool, str, RobotState, float]], size: int, moving: bool
) -> None:
    """Never more entries than `size`, none as old as `ttl_s`, none decided in another kind of state; all is counted."""
    cache = DecisionCache(ttl_s=10.0, size=size)
    stored: dict[str, tuple[str, RobotState, float]] = {}
    latest: dict[tuple[str, tuple[int, Posture]], str] = {}
    now, looked = 1000.0, 0
    for storing, text, where, later in steps:
        now += later
        if storing:
            reply = f"{len(stored)}です。"
            stored[reply] = (text, where, now)
            decision = replace(moved(text) if moving else said(text), reply=reply)
            assert cache.store(decision, where, now) == (size > 0)
            latest[text, bucket(where)] = reply
            continue
        looked += 1
        if found := cache.find(text, where, now):
            check_hit(found, text, where, now, stored)
            assert latest[found.rule.split(": ")[1], bucket(where)] == found.reply
            assert found.rule == f"cache: {text}" or not moving
    stats = cache.stats
    assert stats.hits + stats.near_hits + stats.misses == (looked if size else 0)
    assert stats.stored == (len(stored) if size else 0)
    # A look-up of everything that could be there shows how much is.
    everything = {f.reply for text, where in product(TEXTS, STATES) if (f := cache.find(text, where, now))}
    assert len(everything) <= size
    assert len(everything) <= stats.stored - stats.evicted - stats.expired


def check_hit(
    found: Decision, text: str, where: RobotState, now: float, stored: dict[str, tuple[str, RobotState, float]]
) -> None:
    earlier, then, at = stored[found.reply]
    assert found.text == text
    assert found.route == "cache"
    assert found.rule == (f"cache: {earlier}" if earlier == text else f"cache, near: {earlier}")
    assert bucket(then) == bucket(where)
    assert 0.0 <= now - at < 10.0
    if earlier != text:
        assert min(len(earlier), len(text)) >= 6
        assert not re.search("サンビキ|ナイデ", earlier + text)


@given(st.text(max_size=60), st.sampled_from(STATES), st.floats())
@settings(max_examples=500, deadline=None)
def test_no_text_and_no_time_raises(text: str, where: RobotState, now: float) -> None:
    """Lone surrogates, control characters, no reading at all; infinite times and what is not a number."""
    cache = DecisionCache(size=2)
    for at in (0.0, now, 1.0):
        cache.store(said(text), where, at)
        found = cache.find(text, where, at)
        assert found is None or found.text == text


@pytest.mark.parametrize(
    "text", ["イチ" * 199, "イチテン" * 99, "ジュウキュウ" * 60, "ン" * 399, "ナヨ" * 199, "9" * 399]
)
def test_long_texts_are_found_like_short_ones(text: str) -> None:
    """No pattern loses itself in repetitions (it would hang here)."""
    assert kept(text).find(text, STANDING, 1.0) is not None


def test_memory_is_bounded() -> None:
    """Thousands of different texts leave no more behind than the entries that fit."""
    cache = DecisionCache(size=20)
    syllables = "アカサタナハマヤラワ"

    def use(first: int, last: int) -> None:
        for n in range(first, last):
            text = "アオイ" + "".join(syllables[int(d)] for d in f"{n:06d}")
            cache.store(said(text, f"{n}です。" * 20), STANDING, n * 0.01)
            cache.find(text + "ヨ", STANDING, n * 0.01)

    use(0, 500)
    tracemalloc.start()
    try:
        use(500, 600)
        before, _ = tracemalloc.get_traced_memory()
        use(600, 3000)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 50_000
    assert cache.stats.stored == 3000
    assert cache.stats.evicted == 2980


def test_an_action_of_the_registry_comes_back_as_it_went_in() -> None:
    """Ids and parameters are not touched."""
    way = Action("move", ACTIONS["move"], {"x": -0.3, "data": True})
    found = kept("", moved("すこしさがってごあいさつ", way, HELLO)).find("少し下がってご挨拶", STANDING, 0.0)
    assert found is not None
    assert found.actions == (way, HELLO)
