"""A command in ordinary talk: 写真を撮るから、|かっこいいポーズを取って; 危ないよ、|下がって; ばあばに|手を振って.

`Grammar` alone wants every piece of an utterance to be known. Here punctuation and the tokeniser's から, ので, けど cut
it into clauses; each is a command by the grammar (with insertions, `insertions.py`), or *context*: a statement about
the world that changes nothing. What could change the command stops everything: a quotation, a condition, somebody
else who is called, a question behind it, or a clause that asks for something unknown. Then nothing here is
understood, and nothing moves.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from claudiad.brain.insertions import Words, insertions, nominal
from claudiad.brain.normalise import Edges
from claudiad.brain.phrases import Phrase
from claudiad.brain.reading import Heard, Token
from claudiad.brain.sequence import Gaps, Grammar, Parsed, once
from claudiad.brain.steps import Step

MAX_CLAUSES = 8

STRONG = "!。♪"
"""Marks, after NFKC, behind which a new sentence begins."""

_OPEN = frozenset(
    ("つつ", "ながら", "たり", "ても", "でも", "は", "が", "に", "で", "を", "も", "と", "なんて", "とか", "ほど")
)
_BEFORE = frozenset(("前", "うち", "内", "間", "あいだ"))
_WANTS = frozenset(("下さる", "くださる", "頂く", "いただく", "貰う", "欲しい", "ほしい"))
_REASONS = frozenset(("から", "ので", "けど", "し", "んだ", "もん"))
_OF_OTHERS = frozenset(("貰う", "もらう", "欲しい", "ほしい", "頂く", "いただく"))
_QUOTING = frozenset(("と", "って", "とか", "だって", "なんて", "っていう"))
_LET = frozenset(("いい", "良い", "よい", "構う", "大丈夫"))

_SPOKEN = re.compile(
    r"(?:や|やで|やわ|やわあ|やん|やんか|やねん|やろ|ねん|[るたいうくすつぬむ]で|じゃ|じゃけん|じゃけ|けん|けえ|ばい|たい|さかい|わあ?|もん|やし|やな|"
    r"だべ|べ|さー|っぺ|のう|がな|っす|どん|ーい)$"
)
"""How a statement ends in dialect, where the tokeniser takes や for a particle and で for a conjunction."""

Clause = Sequence[Token]


@dataclass(frozen=True, slots=True)
class Understood:
    """A command, or praise, in its surroundings."""

    order: Parsed
    talk: Phrase | None = None
    """Greeting, praise or feeling, when there is no command."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One clause, or several that are one command."""

    start: int
    end: int
    parsed: Parsed | None


def understand(heard: Heard, grammar: Grammar, edges: Edges, words: Words) -> Understood | None:
    """What an utterance with tokens orders; None when any clause of it could mean something else."""
    if not heard.tokens or len(heard.clauses) > MAX_CLAUSES or _quoted(heard.tokens, words):
        return None
    pieces = _pieces(heard, grammar, insertions(heard, words))
    if any(p.parsed and (p.parsed.forbidden or any(s.joins for s in p.parsed.steps)) for p in pieces):
        return _ordered(heard, pieces, grammar, edges, words)
    return _talked(heard, pieces, edges, words)


def _pieces(heard: Heard, grammar: Grammar, gaps: Gaps) -> list[_Piece]:
    cuts = sorted({0, *heard.bounds, *heard.reasons, len(heard.key)})
    out: list[_Piece] = []
    i = 0
    while i < len(cuts) - 1:
        longest = ((j, _parse(heard, grammar, gaps, cuts[i], cuts[j])) for j in range(len(cuts) - 1, i, -1))
        j, parsed = next(((j, p) for j, p in longest if p is not None), (i + 1, None))
        out.append(_Piece(cuts[i], cuts[j], parsed))
        i = j
    return out


def _parse(heard: Heard, grammar: Grammar, gaps: Gaps, start: int, end: int) -> Parsed | None:
    bounds = tuple(b - start for b in heard.bounds if start < b < end)

    def shifted(position: int) -> tuple[int, ...]:
        return tuple(e - start for e in gaps(position + start) if e < end)

    parsed = grammar.parse(heard.key[start:end], bounds, shifted)
    return parsed if isinstance(parsed, Parsed) else None


@dataclass(slots=True)
class _Said:
    """What the clauses up to here ask for."""

    wanted: list[Step] = field(default_factory=list)
    forbidden: list[Step] = field(default_factory=list)
    after_te: bool = False
    """A bare te-form came last: 座って、…"""

    def topic(self, words: Words) -> bool:
        """Nothing but a noun so far, which may be what is talked about: ダンス、…"""
        first = self.wanted[0] if len(self.wanted) == 1 else None
        return first is not None and first.bare and first.phrase is not None and first.phrase.text not in words["order"]

    def add(self, parsed: Parsed, key: str, words: Words, *, strong: bool) -> bool:
        """Take in a clause that was understood; False when it makes something else of what stands before it."""
        talk = [s.phrase for s in parsed.steps if s.phrase and not s.joins]
        # 座って、吠えて asks for more than it can; 踊って、疲れた and ダンス、好き？ tell of something.
        if any(not p.actions and p.text.endswith(("て", "で")) for p in talk):
            return False
        if talk and not strong and (self.after_te or self.topic(words)):
            return False
        self.forbidden += parsed.forbidden
        self.wanted += [s for s in parsed.steps if s.joins]
        self.after_te = key.endswith(("テ", "デ")) and not (parsed.steps and parsed.steps[-1].bare)
        return True


def _ordered(heard: Heard, pieces: list[_Piece], grammar: Grammar, edges: Edges, words: Words) -> Understood | None:
    said = _Said()
    for piece in pieces:
        key = heard.key[piece.start : piece.end]
        strong = heard.mark_before(piece.start) in STRONG
        if piece.parsed is not None:
            fits = said.add(piece.parsed, key, words, strong=strong)
        elif edges.is_company(key):
            fits = not any(late in key for late in edges.late if late.startswith("アト"))  # 後で、踊って
        elif said.wanted and edges.takes_back(key):
            said.forbidden.append(said.wanted.pop())  # 伏せ、|違う違う、|お座り
            fits = True
        elif said.wanted and grammar.only_asks(key):
            fits = True  # バク転見たい、|やってやって
        else:
            clause = _between(heard.tokens, piece.start, piece.end)
            fits = not edges.denies_name(key) and _beside(clause, said, words, strong=strong)
            said.after_te = False
        if not fits:
            return None
    return Understood(Parsed(tuple(once(said.wanted)), tuple(said.forbidden)))


def _beside(clause: Clause, said: _Said, words: Words, *, strong: bool) -> bool:
    if said.topic(words) and not strong and clause[-1:] and clause[-1].surface not in _REASONS:
        return _addressee(clause, words)  # ダンス、昨日見たよ
    return harmless(clause, words, first=not said.wanted, after_te=said.after_te, strong=strong)


def _talked(heard: Heard, pieces: list[_Piece], edges: Edges, words: Words) -> Understood | None:
    talk = [s.phrase for p in pieces if p.parsed for s in p.parsed.steps if s.phrase is not None]
    first = next((t for t in talk if t.actions), None)
    if first is None:
        return None
    begins = next(p.start for p in pieces if p.parsed)
    for piece in pieces:
        if piece.parsed is not None or edges.is_company(heard.key[piece.start : piece.end]):
            continue
        clause = _between(heard.tokens, piece.start, piece.end)
        if not {piece.start, piece.end} <= {0, len(heard.key), *heard.bounds}:
            return None
        # 宿題に、疲れた and 雪なんて、久しぶり are about the one thing; いい子だね、クラウディアは only names it.
        if piece.start < begins and (not _states(clause) or clause[-1].surface in _OPEN):
            return None
        if piece.start > begins and _called(clause, words):
            return None
    return Understood(Parsed(()), first)


def meant_for_it(heard: Heard, words: Words) -> bool:
    """False for 妻に休んでほしい, 息子に起きてもらって, and for verbs that only sound like a command (置きなさい)."""
    somebody = False
    apart = {*heard.bounds, *heard.reasons}
    for a, b in itertools.pairwise(heard.tokens):
        if a.surface in words["unlike"] and a.pos[0] == "動詞" and (b.surface == "て") == (a.surface != "置き"):
            return False
        person = a.lemma in words["person"] or a.surface in words["person"] or a.pos[2] == "人名"
        somebody = (somebody or (person and b.surface == "に")) and b.surface != "を" and b.start not in apart
        if somebody and a.surface in ("て", "で") and b.lemma in _OF_OTHERS:
            return False
    return True


def _between(tokens: Clause, start: int, end: int) -> Clause:
    return tuple(t for t in tokens if start <= t.start < end)


def harmless(clause: Clause, words: Words, *, first: bool, after_te: bool, strong: bool) -> bool:
    """True for a clause that only says how the world is.

    Args: `first`: nothing was asked for before it. `after_te`: it follows a bare te-form (座って、…), with which いい,
    いる… would make another meaning, and a narration another one again. `strong`: a sentence ended before it.
    """
    if not clause or _called(clause, words) or clause[0].lemma in words["next"]:
        return False
    only_when = clause[0].lemma in words["time"] and all(t.pos[0] == "助詞" for t in clause[1:])  # 踊って、後でね
    if only_when or clause[0].surface in _QUOTING or any(t.lemma in words["told"] for t in clause[-4:]):
        return False
    lemmas = {t.lemma for t in clause}
    if lemmas & {"もし", "仮に", "例えば"} or (not first and lemmas & words["asking"]):
        return False
    if _asks(clause) or _conditional(clause) or clause[-1].surface in ("つつ", "ながら", "たり", "ても"):
        return False
    if not _states(clause) and not (strong or _addressee(clause, words)):
        return False
    return not (after_te and not strong) or _new_sentence(clause, words)


def _new_sentence(clause: Clause, words: Words) -> bool:
    """Behind 座って、 with nothing but a comma: no auxiliary of it, and no narration."""
    opening, last = clause[0], clause[-1]
    if opening.lemma in words["auxiliary"] and opening.surface[0] not in "置仕行来":
        return False
    if last.pos[0] == "形容詞" and last.lemma not in ("無い", "ない"):
        return False  # 踊って、暑い
    if last.pos[0] == "動詞":
        return last.pos[5].startswith("意志推量形")
    if last.lemma == "た" or (last.lemma == "ます" and last.pos[0] == "助動詞"):
        return False
    told = len(clause) > 1 and clause[-2].lemma in ("た", "ます")
    news = last.surface in ("よ", "ぞ") and any(t.surface == "が" and t.pos[1] == "格助詞" for t in clause)
    return not told or news or last.surface in _REASONS  # 立って、お客さんが見えたよ


def _states(clause: Clause) -> bool:
    """Ends in a predicate, or is all interjections: ぶつかる, お客さんだよ, わあい; not 次に尻尾ふりふり."""
    last = clause[-1]
    if _SPOKEN.search("".join(t.surface for t in clause)):
        return True
    if all(t.pos[0] in ("感動詞", "副詞", "助詞") for t in clause) or (
        last.pos[1] == "終助詞" and last.surface != "か"
    ):
        return True
    if last.surface == "に" and len(clause) > 1 and clause[-2].lemma in _BEFORE:
        return True  # ひなが帰ってくる前に
    core = [t for t in clause if t.pos[0] != "助詞"]
    return bool(core) and core[-1].pos[0] in ("動詞", "形容詞", "助動詞", "形状詞") and not _handed_on(clause)


def _handed_on(clause: Clause) -> bool:
    """Ends in て, or in a って that is no hearsay: おばあちゃん帰るって is, 座ってって is not."""
    if clause[-1].surface == "て":
        return len(clause) < 2 or clause[-2].lemma != "ます"  # 時間が迫っておりまして explains
    return clause[-1].surface == "って" and not (len(clause) > 1 and clause[-2].pos[5].startswith("終止形"))


def _asks(clause: Clause) -> bool:
    """Ends as an order or a chain of doings does, and nobody here knows what of."""
    core = [t for t in clause if t.pos[1] != "終助詞"]
    if not core:
        return False
    last, earlier = core[-1], core[-2] if len(core) > 1 else None
    if _SPOKEN.search("".join(t.surface for t in clause)) and not last.pos[5].startswith("命令形"):
        return False
    # 座っていいよ is an order, 急がなくていいよ is none
    allowed = last.lemma in _LET and any(t.surface in ("て", "で", "ても", "でも") for t in core[-3:-1])
    allowed = allowed and not any(t.lemma == "ない" for t in core[-5:-1])
    after = earlier is not None and last.surface == "から" and earlier.surface in ("て", "で")
    if last.pos[5].startswith("命令形") or last.lemma in _WANTS or allowed or after:
        return True
    if last.surface in ("て", "で") and last.pos[1] == "接続助詞":
        # 日が暮れるで is dialect and a statement; 昨日けんかしまして explains.
        return not (earlier and (earlier.pos[5].startswith(("終止形", "連体形")) or earlier.lemma == "ます"))
    return last.surface == "ない" and clause[-1].surface == "で"


def _called(clause: Clause, words: Words) -> bool:
    """Somebody else is called: 健太、…; お客様、…; みんな、…."""
    core = [t for t in clause if t.pos[1] != "終助詞"]
    if not core or not all(nominal(t) for t in core):
        return False
    return any(t.lemma in words["person"] or t.surface in words["person"] or t.pos[2] == "人名" for t in core)


def _addressee(clause: Clause, words: Words) -> bool:
    """ばあちゃんに, said behind."""
    return len(clause) > 1 and clause[-1].surface in ("に", "へ") and _called(clause[:-1], words)


def _conditional(clause: Clause) -> bool:
    last = clause[-1]
    if any(t.pos[5].startswith("仮定形") for t in clause) or last.surface in ("なら", "ば"):
        return True
    return last.surface == "と" and last.pos[1] == "接続助詞"


def _quoted(tokens: Clause, words: Words) -> bool:
    """…って言った, …と思う, 「…」だって."""
    for a, b in itertools.pairwise(tokens):
        if a.surface in ("って", "と", "とか", "なんて") and a.pos[0] == "助詞" and b.lemma in words["saying"]:
            return True
    last = tokens[-1]
    return last.surface in ("って", "だって") and len(tokens) > 1 and tokens[-2].pos[5].startswith("命令形")
