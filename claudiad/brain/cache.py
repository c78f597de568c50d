"""Decisions of the language model, kept for a while: the same words in the same state need not wait for it again.

Only successes are kept, and only a model's: what a table or a rule decides is quicker than this, and a failure must
be free to go better next time. What comes out has the route `cache` and is not taken in again, so nothing lives
longer than its time.

A text is known by its reading and what it asks, in a state: posture, and whether the battery is low, medium or high.
Two texts that are both written with kanji must not disagree in them: 散歩 and 三歩, 橋 and 箸 have one reading.

A near miss may be answered and never moves the robot: 「…の横に立ってて」 and 「…の横に座ってて」 are 94 % alike, and
so are 右 and 左 in a sentence of ordinary length. Numbers and negations are as short as that, so a text with one of
them is only ever found by its whole reading. The detectors err on one side: seeing a number or a negation where none
is costs a near hit, nothing else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from cachetools import Cache, TTLCache
from rapidfuzz.distance import Indel
from rapidfuzz.process import extractOne

from claudiad.brain.numerals import NUMBER
from claudiad.brain.reading import Heard, hear
from claudiad.types import Decision, Posture, RobotState

MIN_CONFIDENCE = 0.8
"""A decision its model was less sure of is not kept."""
NEAR_MIN = 6
"""Fewest kana for which being alike means anything."""
LOW_BATTERY = 20
MEDIUM_BATTERY = 50
"""Percent, each the highest of its bucket."""

_A = "カガサタバマラワ"
"""What stands before 〜ん and 〜ず in a verb in -u; not ナ, of 死ぬ alone, which is 何 nearly always."""
_I = "イキギジチニビミリ"
_U = "ウクグスズツヌフブムユル"
_E = "エケゲセゼテデネヘベメレ"

_NEGATION = re.compile(
    # 〜ない and what becomes of it. It can sound ねえ, but ですねえ and よねえ are not that.
    r"ナイ|ナク|ナケ|ナキャ|ナカッ|ナサ[ソス]|(?<!ハ)ナシ|[^スヨ]ネエ|ジャナ"
    # 〜ぬ (いぬ is 犬), 〜ず(に), 〜ねば, 〜ざる, 〜まい. しず, はず, むず are 静か, 筈, 難しい.
    rf"|(?<!イ)ヌ|[{_A}{_I}{_E}コ]ズ|シナズ|ズニ|ネバ|ザル|[{_U}]マイ|マイ$"
    # 〜ん: 分からん, いかん, できません; behind イ, エ, コ only where nothing but an ending follows; 〜へん, 〜ひん.
    rf"|[{_A}]ン|シナン|[セヘヒ]ン|[{_I}{_E}コ]ン(?:$|[デトワヨネナゾゼカケシジヤモノ])"
    # 〜な, the prohibition: 動くな, 来んな, 行くなよ, 動くなって.
    rf"|[{_U}]ナ|ナ(?:ヨ|ッテ|バ|ト|ア|ネ)*$"
    # Words that forbid, refuse or deny.
    r"|ダメ|イケ|ヤメ|ヨセ|ヨシテ|トメ|ヒカエ|キンシ|イヤ|ヤダ|キライ|ムリ|チガ|チャウ|イラ|イイエ|ケッコオ|イガイ|フカ|ベツニ"
)
_DENYING_KANJI = frozenset("不無非未否禁嫌没別勿莫")

_COUNTER = (
    "ホ|ポ|ド|カイ|ガイ|ジ|フン|ブン|プン|ビョオ|メエト|メエタ|センチ|ミリ|キロ|グラム|テン|コ|ホン|ボン|ポン|マイ|ニン|"
    "ダイ|ヒキ|ピキ|ビキ|エン|サイ|バン|ネン|ガツ|ツキ|カゲツ|シュウ|ニチ|パアセント|ワリ|バイ|ダン|タス|ヒク|カケ|ワル|"
    "ジュ|ジッ|ヒャ|ビャ|ピャ|セン|マン|オク"
)
_SPOKEN_NUMBER = re.compile(
    # に, し, よ, ご, く are particles and parts of words: numbers only before what is counted.
    rf"(?:{NUMBER})(?:{_COUNTER})"
    # 言って, 行った begin like 一.
    r"|レエ|レイ|ゼロ|イチ|イッ(?![テタ])|サン|ヨン|ロク|ロッ|ナナ|シチ|ハチ|ハッ|キュ|ジュ|ジッ|[ヒビピ]ャ[クッ]|セン|マン|オク"
    r"|ヒト[ツリ]|フタ|フツカ|ミッ[ツカ]|ヨッ[ツカ]|イツ[ツカ]|ム[ッイ][ツカ]|ナノカ|ヤッツ|ヨオカ|ココノ|トオ|ハツカ|ハタチ"
    r"|ハン|バイ|リョオ|ダアス|ナン|イク[ツラ]"
)
_COUNTING_KANJI = frozenset("半倍双両数何幾")

_KANA = re.compile(r"[ァ-ヺ]+")
_HAN = "々㐀-䶿一-鿿豈-﫿"
_KANJI = re.compile(rf"[{_HAN}]")
_JAPANESE = re.compile(rf"[ぁ-ゖァ-ヺー{_HAN} ]+")
_QUESTION = re.compile(r"カ[ナネヨ]?$")


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What became of everything since the cache was made. `hits` are exact ones; `near_hits` come on top."""

    hits: int = 0
    near_hits: int = 0
    misses: int = 0
    stored: int = 0
    """New entries and replaced ones."""
    refused: int = 0
    """Not worth keeping, or nothing to know it by."""
    evicted: int = 0
    """Gone to make room."""
    expired: int = 0
    """Gone because of their age, or because it could not be told (see `DecisionCache`)."""


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What has to be the same for one decision to stand for another."""

    posture: Posture
    battery: int
    """0 low, 1 medium, 2 high."""
    question: bool
    """Punctuation is not part of a reading, but 踊れる？ and 踊れる are two things to say."""


@dataclass(frozen=True, slots=True)
class _Key:
    reading: str
    bucket: _Bucket


@dataclass(frozen=True, slots=True)
class _Text:
    key: _Key
    kanji: frozenset[str]
    plain: bool
    """Long enough, Japanese, read to the end, without numbers and negations: fit for a near look-up."""


@dataclass(frozen=True, slots=True)
class _Entry:
    decision: Decision
    text: _Text

    @property
    def answers_near(self) -> bool:
        return self.text.plain and not self.decision.actions


class _Entries(TTLCache[_Key, _Entry]):
    def peek(self, key: _Key) -> _Entry:
        """The entry, without making it the one used last."""
        return Cache.__getitem__(self, key)


class DecisionCache:
    """A bounded store of model decisions; the one used least recently gives way.

    `now` is in seconds, from a clock that never goes back. If it does all the same, the age of what is kept is
    unknown: it is dropped, and time goes on from there. Not for several threads at once.
    """

    def __init__(self, ttl_s: float = 120.0, size: int = 200, near: float = 0.9) -> None:
        """`ttl_s`: how long an entry may be used, seconds; using it does not make it younger.

        `size`: most entries kept; 0 switches the cache off: it finds nothing, keeps nothing and counts nothing.
        `near`: how alike two readings must be for a near hit, 0..1; at 1 there are none. Raises `ValueError`
        for a time, size or likeness that can mean nothing.
        """
        if not (ttl_s > 0.0 and size >= 0 and 0.0 < near <= 1.0):
            raise ValueError(f"ttl_s {ttl_s}, size {size}, near {near}; allowed: ttl_s > 0, size ≥ 0, 0 < near ≤ 1")
        self._size = size
        self._near = near
        self._now = float("-inf")
        self._entries = _Entries(maxsize=size, ttl=ttl_s, timer=lambda: self._now)
        self._stats = CacheStats()

    @property
    def stats(self) -> CacheStats:
        """What became of everything so far; `clear` does not reset it."""
        return self._stats

    def find(self, text: str, state: RobotState, now: float) -> Decision | None:
        """The decision kept for this text, or one for a text nearly the same, in this kind of state. Never raises.

        It has `text`, the route `cache` and a rule naming the text it was made for; the rest is as it was decided.
        """
        if not self._size:
            return None
        self._advance(now)
        asked = _read(text, state)
        key, how = (self._exact(asked), "cache") if asked else (None, "")
        if asked and key is None:
            key, how = self._nearest(asked), "cache, near"
        if key is None:
            self._count(misses=1)
            return None
        self._count(hits=how == "cache", near_hits=how != "cache")
        decision = self._entries[key].decision
        return replace(decision, text=text, route="cache", rule=f"{how}: {decision.text}")

    def store(self, decision: Decision, state: RobotState, now: float) -> bool:
        """Keep a decision for its text; `state` is the one it was made in. False when it is not worth keeping."""
        if not self._size:
            return False
        self._advance(now)
        text = _read(decision.text, state)
        if text is None or not _is_success(decision):
            self._count(refused=1)
            return False
        full = len(self._entries) >= self._size and text.key not in self._entries
        self._count(stored=1, evicted=full)
        self._entries[text.key] = _Entry(decision, text)
        return True

    def clear(self) -> None:
        """Forget every decision: the model, its prompt or the registry has changed."""
        self._entries.clear()

    def _advance(self, now: float) -> None:
        if now >= self._now:
            gone = len(self._entries.expire(now))
        else:  # it went back, or is not a number
            gone = len(self._entries)
            self._entries.clear()
        self._now = now
        if gone:
            self._count(expired=gone)

    def _exact(self, asked: _Text) -> _Key | None:
        if asked.key in self._entries and _may_be_same(asked, self._entries.peek(asked.key).text):
            return asked.key
        return None

    def _nearest(self, asked: _Text) -> _Key | None:
        if not asked.plain:
            return None
        known = {
            key: key.reading
            for key in self._entries
            if key.bucket == asked.key.bucket
            and (entry := self._entries.peek(key)).answers_near
            and _may_be_same(asked, entry.text)
        }
        found = extractOne(asked.key.reading, known, scorer=Indel.normalized_similarity, score_cutoff=self._near)
        return None if found is None else found[2]

    def _count(self, **more: int) -> None:
        self._stats = replace(self._stats, **{name: getattr(self._stats, name) + n for name, n in more.items()})


def _read(text: str, state: RobotState) -> _Text | None:
    heard = hear(text)
    reading = heard.key or heard.letters
    if not reading or heard.truncated:  # of a text that was cut, nobody knows how it goes on
        return None
    question = "?" in heard.text or bool(_QUESTION.search(reading))
    battery = (state.battery > LOW_BATTERY) + (state.battery > MEDIUM_BATTERY)
    plain = (
        len(reading) >= NEAR_MIN
        # The dictionary reads English as well, アイドゥーノット…, whose negations nobody looks for here.
        and bool(_JAPANESE.fullmatch(heard.letters) and _KANA.fullmatch(reading))
        and not has_number(heard)
        and not has_negation(heard)
    )
    key = _Key(reading, _Bucket(state.posture, battery, question))
    return _Text(key, frozenset(_KANJI.findall(heard.letters)), plain)


def has_negation(heard: Heard) -> bool:
    """True when a text may deny, forbid or refuse something; also for many that do not."""
    return bool(_NEGATION.search(heard.key)) or not _DENYING_KANJI.isdisjoint(heard.letters)


def has_number(heard: Heard) -> bool:
    """True when a text may count something, in digits, kanji or spoken kana; also for many that do not."""
    letters = heard.letters
    return (
        any(c.isnumeric() for c in letters)
        or not _COUNTING_KANJI.isdisjoint(letters)
        or bool(_SPOKEN_NUMBER.search(heard.key))
    )


def _may_be_same(one: _Text, other: _Text) -> bool:
    # Kana says nothing about which word it is, and 下さい is as good as ください.
    return one.kanji <= other.kanji or other.kanji <= one.kanji


def _is_success(decision: Decision) -> bool:
    return (
        decision.route in ("llm", "cloud")
        and decision.confidence >= MIN_CONFIDENCE
        and bool(decision.reply.strip())
        and not (decision.latch or decision.release)
        and all(action.name != "stop" for action in decision.actions)
    )
