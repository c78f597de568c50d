"""A command in ordinary talk: 写真を撮るから、|かっこいいポーズを取って; 危ないよ、|下がって; ばあばに|手を振って.

`Grammar` alone wants every piece of an utterance to be known. Here the tokeniser's word boundaries and parts of
speech say what else may stand beside a command without changing it:

- an *insertion* in front of a step: a place, a companion, a manner (NP + に, で, と…; an adverb);
- a *context* clause, cut off by punctuation or a proven から, ので, けど: a statement about the world.

What could change the command stops everything: a quotation, a condition, somebody else who is addressed, a question
word, another time, or a clause that asks for something unknown. Then nothing here is understood, and nothing moves.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from claudiad.brain.phrases import Phrase
from claudiad.brain.reading import Heard, Token
from claudiad.brain.sequence import Gaps, Grammar, Parsed, Step, no_gaps, once

MAX_CLAUSES = 8
MAX_INSERTIONS = 3
MAX_NOUNS = 8
"""Longest noun phrase of an insertion, in words."""

_CASE = frozenset(("に", "へ", "で", "と", "から", "さ"))
_WITH = frozenset(("合わせる", "向かう", "向ける", "向く", "対する"))
_LIKE = frozenset(("みたい", "よう", "風", "感じ"))
_ASKING = frozenset(
    ("何", "なに", "誰", "だれ", "どこ", "何処", "いつ", "何時", "なぜ", "何故", "どうして", "どんな", "どっち", "どれ", "どう", "いくつ",
     "いくら", "どの", "どちら", "なんで", "どうやって")
)  # fmt: skip
_OTHER_TIME = frozenset(
    ("明日", "昨日", "一昨日", "明後日", "来週", "先週", "今度", "来年", "去年", "昔", "さっき", "先程", "毎日", "毎朝", "毎晩", "昨夜",
     "以前", "前回", "次回", "将来", "いつか", "後", "後で", "まだ", "もし", "仮に", "例えば", "たまに", "時々", "昨年", "先月", "来月",
     "先日", "この前", "この間", "いつも", "夕べ", "ゆうべ", "ずっと", "絶対", "決して", "余り", "あんまり", "全然", "なんだか", "なかなか")
)  # fmt: skip
_SAYING = frozenset(
    (
        "言う",
        "いう",
        "云う",
        "ゆう",
        "思う",
        "聞く",
        "書く",
        "呼ぶ",
        "答える",
        "頼む",
        "教える",
        "伝える",
        "叫ぶ",
        "話す",
        "考える",
    )
)
_AUXILIARY = frozenset(
    ("良い", "いい", "よい", "居る", "いる", "有る", "ある", "置く", "おく", "仕舞う", "しまう", "無い", "ない", "欲しい", "行く", "来る", "も", "は", "ばかり")
)  # fmt: skip
_NEXT = frozenset(
    ("次", "最後", "最初", "それから", "そして", "まず", "先", "続ける", "其れから", "そのあと", "仕舞い", "おしまい")
)
"""What a step begins with: such a clause is one that was not understood."""
_WAYS = frozenset(("前", "後ろ", "右", "左", "横", "上", "下", "斜め", "逆", "反対", "方"))
"""Where a motion goes: 前に後ろに進んで is none."""
_BODY = frozenset(("足", "脚", "本", "目", "逆", "片足", "頭", "全力", "猛", "ダッシュ"))
"""How it is to be done, if it is done at all: 二本足で, 目をつぶって."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A command, or praise, in its surroundings."""

    steps: tuple[Step, ...]
    forbidden: tuple[Step, ...]
    talk: Phrase | None
    """Greeting, praise or feeling, when there is no command."""


def understand(heard: Heard, grammar: Grammar) -> Understood | None:
    """What an utterance with tokens orders; None when any clause of it could mean something else."""
    if not heard.tokens or len(heard.clauses) > MAX_CLAUSES or _quoted(heard.tokens):
        return None
    cuts = sorted({0, *heard.bounds, *heard.reasons, len(heard.key)})
    gaps = insertions(heard.tokens, heard.bounds)
    found: list[tuple[int, int, Parsed]] = []
    others: list[tuple[int, int]] = []
    i = 0
    while i < len(cuts) - 1:
        for j in range(len(cuts) - 1, i, -1):
            parsed = _parse(heard, grammar, gaps, cuts[i], cuts[j])
            if parsed is not None:
                found.append((cuts[i], cuts[j], parsed))
                i = j
                break
        else:
            others.append((cuts[i], cuts[i + 1]))
            i += 1
    return _combine(heard, grammar, found, others)


def _parse(heard: Heard, grammar: Grammar, gaps: Gaps, start: int, end: int) -> Parsed | None:
    bounds = tuple(b - start for b in heard.bounds if start < b < end)

    def shifted(position: int) -> tuple[int, ...]:
        return tuple(e - start for e in gaps(position + start) if e < end)

    parsed = grammar.parse(heard.key[start:end], bounds, shifted)
    return parsed if isinstance(parsed, Parsed) else None


def _combine(
    heard: Heard, grammar: Grammar, found: list[tuple[int, int, Parsed]], others: list[tuple[int, int]]
) -> Understood | None:
    steps = [step for _, _, p in found for step in p.steps]
    forbidden = tuple(step for _, _, p in found for step in p.forbidden)
    orders = tuple(once([s for s in steps if s.joins]))
    talk = [s.phrase for s in steps if not s.joins and s.phrase is not None]
    if orders or forbidden:
        for start, end in others:
            if steps and grammar.only_asks(heard.key[start:end]):
                continue  # バク転見たい、|やってやって
            before = next((heard.key[s:e] for s, e, _ in found if e == start), "")
            if not harmless(_between(heard.tokens, start, end), after_te=before.endswith(("テ", "デ"))):
                return None
        if len(orders) > 0 and any(p.steps and s.joins is False for _, _, p in found for s in p.steps if p.forbidden):
            return None
        return Understood(orders, forbidden, None)
    if not talk:
        return None
    begins = found[0][0]
    for start, end in others:
        clause = _between(heard.tokens, start, end)
        # 宿題に、疲れた and 雪なんて、久しぶり are about the one thing; いい子だね、クラウディアは only names it.
        if start < begins and (_addressed(clause) or not _states(clause) or _goes_on(clause)):
            return None
        if start > begins and _person(clause):
            return None
    first = next((t for t in talk if t.actions), talk[0])
    return Understood((), (), first)


def _between(tokens: Sequence[Token], start: int, end: int) -> tuple[Token, ...]:
    return tuple(t for t in tokens if start <= t.start < end)


def harmless(clause: tuple[Token, ...], *, after_te: bool) -> bool:
    """True for a clause that only says how the world is.

    `after_te`: it follows a bare te-form (座って、…), with which いい, いる… would make another meaning, and a
    narration another one again.
    """
    if not clause or _addressed(clause):
        return False
    lemmas = [t.lemma for t in clause]
    if any(lemma in _ASKING or lemma == "もし" for lemma in lemmas):
        return False
    if lemmas[0] in _NEXT or not _states(clause):
        return False
    last = clause[-1]
    if _asks(clause) or _conditional(clause) or clause[-1].surface in ("つつ", "ながら", "たり", "ても"):
        return False
    if after_te:
        if lemmas[0] in _AUXILIARY:
            return False
        if last.pos[0] in ("動詞",) or last.lemma == "た" or (last.lemma == "ます" and last.pos[0] == "助動詞"):
            return False
        if lemmas[-2:-1] in (["た"], ["ます"]) and last.surface not in ("から", "ので", "けど", "し", "んだ"):
            return False
    return True


def _states(clause: tuple[Token, ...]) -> bool:
    """Ends in a predicate, or is all interjections: ぶつかる, お客さんだよ, わあい; not 次に尻尾ふりふり."""
    if all(t.pos[0] in ("感動詞", "副詞", "助詞") for t in clause):
        return True
    core = [t for t in clause if t.pos[0] != "助詞"]
    return bool(core) and core[-1].pos[0] in ("動詞", "形容詞", "助動詞", "形状詞") and not _handed_on(clause)


def _handed_on(clause: tuple[Token, ...]) -> bool:
    """Ends in て, or in a って that is no hearsay: おばあちゃん帰るって is, 座ってって is not."""
    if clause[-1].surface == "て":
        return True
    return clause[-1].surface == "って" and not (len(clause) > 1 and clause[-2].pos[5].startswith("終止形"))


def _asks(clause: tuple[Token, ...]) -> bool:
    """Ends as an order, an invitation or a chain of doings does, and nobody here knows what of."""
    core = [t for t in clause if t.pos[1] != "終助詞"]
    if not core:
        return True
    last = core[-1]
    form = last.pos[5]
    if (
        form.startswith("命令形")
        or (form.startswith("意志推量形") and last.pos[0] == "動詞")
        or last.lemma in ("下さる", "くださる", "頂く", "いただく", "貰う", "欲しい", "ほしい")
    ):
        return True
    if last.lemma == "ます" and form.startswith("意志推量形"):
        return True
    if last.surface in ("て", "で") and last.pos[1] == "接続助詞":
        return True
    if last.surface in ("な",) and clause[-1] is last:
        return True
    return last.surface == "ない" and clause[-1].surface == "で"


def _goes_on(clause: tuple[Token, ...]) -> bool:
    """Ends in the middle of a sentence: …しつつ, …ながら, …のは, …ても."""
    return clause[-1].surface in (
        "つつ",
        "ながら",
        "たり",
        "ても",
        "でも",
        "は",
        "が",
        "に",
        "で",
        "を",
        "も",
        "と",
        "なんて",
        "とか",
        "ほど",
    )


def _person(clause: tuple[Token, ...]) -> bool:
    """Somebody is called by name behind the words: おはよう、お母さん."""
    return _addressed(clause) and not any(t.surface in ("は", "も") for t in clause)


def _conditional(clause: tuple[Token, ...]) -> bool:
    last = clause[-1]
    if last.pos[5].startswith("仮定形") or last.surface in ("たら", "なら", "ば", "れば", "だら"):
        return True
    return last.surface == "と" and last.pos[1] == "接続助詞"


def _addressed(clause: tuple[Token, ...]) -> bool:
    """Nothing but a noun phrase: somebody else is called (健太、…; お客様、…; みんな、…)."""
    if not clause:
        return False
    core = [t for t in clause if t.pos[1] != "終助詞"] or list(clause)
    return all(t.pos[0] in ("名詞", "代名詞", "接頭辞", "接尾辞", "連体詞") or t.surface == "の" for t in core)


def _quoted(tokens: Sequence[Token]) -> bool:
    """…って言った, …と思う, 「…」だって."""
    for a, b in itertools.pairwise(tokens):
        if a.surface in ("って", "と", "とか", "なんて") and a.pos[0] == "助詞" and b.lemma in _SAYING:
            return True
    last = tokens[-1]
    return last.surface in ("って", "だって") and len(tokens) > 1 and tokens[-2].pos[5].startswith("命令形")


def insertions(tokens: Sequence[Token], bounds: Sequence[int] = ()) -> Gaps:
    """What may stand in front of a step, by the places at which words begin."""
    if not tokens:
        return no_gaps
    at = {t.start: i for i, t in enumerate(tokens)}
    known: dict[int, tuple[int, ...]] = {}

    def ends(position: int) -> tuple[int, ...]:
        if position not in known:
            reached: list[int] = []
            level = [position]
            for _ in range(MAX_INSERTIONS):
                level = [
                    end
                    for p in level
                    if p in at
                    for end in (tokens[j - 1].end for j in _insertion(tokens, at[p]))
                    if not any(p < b < end for b in bounds)
                ]
                reached += level
            known[position] = tuple(dict.fromkeys(reached))
        return known[position]

    return ends


def _insertion(tokens: Sequence[Token], i: int) -> Iterator[int]:
    """Indices just behind an insertion that begins with word `i`."""
    first = tokens[i]
    kind = first.pos[0]
    if first.lemma in _ASKING or first.lemma in _OTHER_TIME:
        return
    if kind == "副詞" or (kind == "形容詞" and first.pos[5].startswith("連用形")):
        follows = i + 1 < len(tokens) and tokens[i + 1].surface in ("に", "と")
        yield i + 2 if follows else i + 1
    if i + 1 < len(tokens) and kind == "形容詞" and tokens[i + 1].pos[0] == "名詞":
        yield i + 1  # かっこいい|ポーズ
    if i + 2 < len(tokens) and kind == "形状詞" and tokens[i + 1].surface == "な" and tokens[i + 2].pos[0] == "名詞":
        yield i + 2
    if kind == "感動詞" and i + 1 < len(tokens) and tokens[i + 1].surface in ("って", "と"):
        yield i + 2
    j = i
    while j < len(tokens) and j - i < MAX_NOUNS and _nominal(tokens, j, first=j == i):
        if tokens[j].lemma in _ASKING or tokens[j].lemma in _OTHER_TIME or tokens[j].lemma in _BODY:
            return
        if tokens[j].pos[1] == "数詞":
            return
        j += 1
    if j > i and tokens[j - 1].lemma in _WAYS and j < len(tokens) and tokens[j].surface in ("に", "へ", "さ"):
        return
    if j == i or j >= len(tokens) or not any(t.pos[0] in ("名詞", "代名詞", "形状詞") for t in tokens[i:j]):
        return
    particle = tokens[j]
    if particle.surface in _CASE and (
        particle.pos[1] == "格助詞" or particle.lemma == "だ" or particle.surface == "さ"
    ):
        yield j + 1
        if j + 1 < len(tokens) and tokens[j + 1].lemma in _WITH:
            yield from (k for k in (j + 3,) if k <= len(tokens) and tokens[k - 1].surface == "て")
        if j + 1 < len(tokens) and tokens[j + 1].surface == "一緒" and j + 2 < len(tokens):
            yield j + 3
        if j + 1 < len(tokens) and tokens[j + 1].surface == "も":
            yield j + 2


def _nominal(tokens: Sequence[Token], j: int, *, first: bool) -> bool:
    token = tokens[j]
    kind = token.pos[0]
    if kind in ("名詞", "代名詞", "接頭辞", "接尾辞", "連体詞", "形状詞"):
        return True
    if kind == "形容詞":
        return token.pos[5].startswith(("連体形", "終止形"))
    if first:
        return False
    return token.surface == "の" or (token.surface == "な" and token.pos[0] == "助動詞")
