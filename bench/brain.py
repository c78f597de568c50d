"""How often the router is right, what one decision costs, and whether memory grows. No model, no sound.

    python -m bench.brain [--set tune|closed|all] [--show] [--rounds 20] [--times 40] [--decisions 100000]

Judges the lists in tests/brain/data/utterances (`bench.utterances` has their form), then times every text in them
with the shipped tables and with tables 40 times larger, then decides texts with random faults and looks at the
resident size. Exits 0 whatever came out; 65 when a list is missing or malformed.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.report import machine, percentile_table, percentiles, save, title
from bench.utterances import GOALS, Goal, Line, Scored, Tally, by_category, load_utterances, score, totals, written
from claudiad.app.parts import brain_tables
from claudiad.brain.kana import shorten
from claudiad.brain.phrases import Phrases
from claudiad.brain.reading import reading
from claudiad.brain.router import Router, Tables
from claudiad.config import BrainSettings, Settings
from claudiad.errors import DataError
from claudiad.robot.registry import load as load_registry
from claudiad.types import Decision, Posture, RobotState

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "brain" / "data" / "utterances"
SETS = ("tune", "closed")
RATIO_GOAL = 1.5
"""How much dearer a decision may become, at p50 and at p99, when the tables grow `--times` times."""
SEED = 20261121
CHUNK = 500
"""Random decisions between two steps of the progress bar."""
STATES = (RobotState(Posture.STANDING, 100), RobotState(Posture.STANDING, 100, running="Dance1"))

Work = list[tuple[str, RobotState]]

# What the larger table is made of: household things, and what nobody asks of a robot dog. 茶碗を洗って, 茶碗洗い,
# 茶碗洗いは楽しい: a verb, a noun and a sentence in equal shares, about as in the shipped table, because each has
# another number of forms to be looked up.
ADJECTIVES = (
    "赤い 青い 白い 黒い 古い 新しい 丸い 四角い 重い 軽い 長い 細い 厚い 薄い 硬い 冷たい 甘い 安い 珍しい 美しい"
)
THINGS = (
    "茶碗 湯呑み 急須 お皿 箸 鍋 包丁 まな板 布巾 雑巾 箒 バケツ 石鹸 タオル 毛布 布団 枕 座布団 障子 襖 畳 窓 網戸 "
    "雨戸 棚 引き出し 机 椅子 手紙 葉書 封筒 切手 新聞 雑誌 辞書 地図 額縁 花瓶 植木鉢 提灯 傘 帽子 手袋 靴下 鞄 財布 "
    "眼鏡 電池 電球 ラジオ 自転車 車輪 荷物 段ボール 紐 釘 金槌 鋸 木箱 空き瓶 野菜 大根 人参 玉ねぎ 林檎 蜜柑 煎餅 "
    "おにぎり 味噌 醤油 緑茶 薪 小石 落ち葉"
)
DOINGS = (
    "洗って:洗い 拭いて:拭き 磨いて:磨き 運んで:運び 並べて:並べ 集めて:集め 数えて:数え 包んで:包み 縛って:縛り "
    "結んで:結び 塗って:塗り 削って:削り 切って:切り 割って:割り 砕いて:砕き 温めて:温め 冷やして:冷やし "
    "乾かして:乾かし 干して:干し 畳んで:畳み 積んで:積み 重ねて:重ね 拾って:拾い 選んで:選び 探して:探し 借りて:借り "
    "返して:返し 貸して:貸し 買って:買い 売って:売り 配って:配り 送って:送り 届けて:届け 渡して:渡し 隠して:隠し "
    "飾って:飾り 吊るして:吊るし 外して:外し 叩いて:叩き 揺らして:揺らし 転がして:転がし 投げて:投げ 支えて:支え "
    "抱えて:抱え 担いで:担ぎ 直して:直し 調べて:調べ 測って:測り 比べて:比べ 読んで:読み 写して:写し 貼って:貼り "
    "剥がして:剥がし 破って:破り 燃やして:燃やし 埋めて:埋め 植えて:植え 刻んで:刻み 混ぜて:混ぜ 焼いて:焼き "
    "頼んで:頼み 預けて:預け 覚えて:覚え 見つけて:見つけ 眺めて:眺め 守って:守り"
)
ACTIONS = ("Sit", "StandUp", "StandDown", "Hello", "Stretch", "Heart", "Dance1", "move x=0.3")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The tables of one process."""

    phrases: int
    forms: int
    """Phrases with all their conjugations: what is looked up."""
    seconds: float
    """From nothing to a router that has decided once, the dictionary included."""
    resident_mb: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds per decision, and the tables they were measured with."""

    shipped: Loaded
    larger: Loaded
    shipped_us: list[float]
    larger_us: list[float]

    def ratio(self, point: str) -> float:
        """How many times dearer the larger table is at one percentile (`p50`)."""
        return percentiles(self.larger_us)[point] / percentiles(self.shipped_us)[point]


@dataclass(frozen=True, slots=True)
class Memory:
    """Resident size in MB around the random decisions."""

    decisions: int
    before_mb: float
    middle_mb: float
    after_mb: float


def larger_table(times: int, shipped: Phrases) -> list[str]:
    """Lines of a phrase file that makes the table `times` times as long as `shipped`.

    No two of its phrases, and none of its and the shipped ones, sound alike, long vowels or not.
    Raises ValueError when the words do not suffice.
    """
    wanted = (times - 1) * len(shipped.all)
    lines = list(itertools.islice(_sayings({shorten(word.key) for word in shipped.words}), wanted))
    if len(lines) < wanted:
        raise ValueError(f"there are words for {len(lines)} phrases, and {wanted} are needed")
    return lines


def _sayings(taken: Set[str]) -> Iterator[str]:
    seen = set(taken)
    things = list(enumerate(THINGS.split()))
    for adjective, (number, thing), doing in itertools.product(["", *ADJECTIVES.split()], things, DOINGS.split()):
        # One action per thing: where two verbs share a form (掛け, 書け) they still agree.
        action = ACTIONS[number % len(ACTIONS)]
        te, noun = doing.split(":")
        for phrase, call in (
            (f"{adjective}{thing}を{te}", action),
            (f"{adjective}{thing}{noun}", action),
            (f"{adjective}{thing}{noun}は楽しい", "-"),
        ):
            key = shorten(reading(phrase))
            if key not in seen:
                seen.add(key)
                yield f"{phrase}\t{call}\tはい、わかりました。"


@cache
def _tables(own: str) -> Tables:
    """The tables of this process; `own`: a phrase file, or empty."""
    return brain_tables(Settings(brain=BrainSettings(phrases=own)), load_registry())


@cache
def _router(own: str) -> Router:
    return Router(_tables(own))


def _load(own: str) -> Loaded:
    began = time.perf_counter()
    # The first decision loads the morphological dictionary where the tables have not: start-up, not deciding.
    _router(own).decide("お座り", STATES[0])
    seconds = time.perf_counter() - began
    phrases = _tables(own).phrases
    return Loaded(len(phrases.all), len(phrases.words), round(seconds, 3), round(resident_mb(), 1))


def _one_round(own: str, work: Work) -> list[float]:
    """Each text decided once, microseconds."""
    router = _router(own)
    out: list[float] = []
    for text, state in work:
        began = time.perf_counter_ns()
        router.decide(text, state)
        out.append((time.perf_counter_ns() - began) / 1000.0)
    return out


def cost(work: Work, larger: Sequence[str], rounds: int, shown: Console) -> Cost:
    """Time `rounds` passes over the work with the shipped table and with `larger` added to it; one more warms up.

    Each table has a process of its own, so that neither pays for the other's garbage collection, and the passes
    take turns, so that both meet the same machine.
    """
    spawn = get_context("spawn")
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(1, spawn) as one,
        ProcessPoolExecutor(1, spawn) as other,
    ):
        own = Path(folder) / "phrases.tsv"
        own.write_text("\n".join(larger) + "\n", encoding="utf-8")
        with shown.status("loading the shipped tables …"):
            shipped = one.submit(_load, "").result()
        with shown.status(f"loading {len(larger)} phrases more …"):
            grown = other.submit(_load, str(own)).result()
        shipped_us: list[float] = []
        larger_us: list[float] = []
        with Progress(console=shown, transient=True) as progress:
            for number in progress.track(range(rounds + 1), description="deciding by turns …"):
                for pool, path, taken_us in ((one, "", shipped_us), (other, str(own), larger_us)):
                    taken = pool.submit(_one_round, path, work).result()
                    taken_us.extend(taken if number else [])
    return Cost(shipped, grown, shipped_us, larger_us)


def named(router: Router, text: str, state: RobotState) -> Decision:
    """The router's decision; should it raise, the error says on what."""
    try:
        return router.decide(text, state)
    except Exception as fault:
        fault.add_note(f"while deciding {text!r}, running: {state.running}")
        raise


def memory(router: Router, texts: Sequence[str], decisions: int, shown: Console) -> Memory:
    """Decide that many texts with random faults, the robot still or dancing; the same ones every time."""
    rng = random.Random(SEED)
    letters = sorted({letter for text in texts for letter in text})
    sizes = [resident_mb()]
    with Progress(console=shown, transient=True) as progress:
        bar = progress.add_task("deciding at random …", total=decisions)
        for half in (decisions // 2, decisions - decisions // 2):
            for number in range(half):
                named(router, mutated(rng, texts, letters), rng.choice(STATES))
                if number % CHUNK == CHUNK - 1:
                    progress.advance(bar, CHUNK)
            sizes.append(resident_mb())
    return Memory(decisions, *sizes)


def mutated(rng: random.Random, texts: Sequence[str], letters: Sequence[str]) -> str:
    """One of the texts with up to four faults: a letter lost, wrong or added, a part twice, its end gone, another
    text behind it.
    """
    text = rng.choice(texts)
    for _ in range(rng.randint(0, 4)):
        begin, end = sorted(rng.randint(0, len(text)) for _ in range(2))
        letter = rng.choice(letters)
        text = rng.choice(
            (
                text[:begin] + text[begin + 1 :],
                text[:begin] + letter + text[begin + 1 :],
                text[:begin] + letter + text[begin:],
                text[:end] + text[begin:],
                text[:end],
                text + rng.choice(texts),
            )
        )
    return text


def resident_mb() -> float:
    """What this process holds in memory now, shared pages in full."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def show_set(console: Console, name: str, scored: Sequence[Scored]) -> None:
    """One row per category, the totals, and what they should be."""
    table = Table(f"{name}.tsv", "n", "right", "asked", "wrong", "moved", "right %")
    for column in table.columns[1:]:
        column.justify = "right"
    for category, tally in by_category(scored).items():
        table.add_row(category, *_cells(tally))
    table.add_section()
    for total, tally in totals(scored).items():
        table.add_row(total, *_cells(tally))
    console.print(table)
    for total, tally in totals(scored).items():
        console.print(f"{total}: " + ", ".join(_judged(goal, tally) for goal in GOALS[total]))


def _cells(tally: Tally) -> list[str]:
    right = tally.percent("right")
    counts = (tally.n, tally.right, tally.asked, tally.wrong, tally.moved)
    return [*map(str, counts), "-" if right is None else f"{right:.1f}"]


def _judged(goal: Goal, tally: Tally) -> str:
    percent, met = tally.percent(goal.verdict), goal.met(tally)
    if percent is None:
        return f"{goal.verdict} not measured (goal {goal.text})"
    return f"{goal.verdict} {percent:.1f} % (goal {goal.text}: {'met' if met else 'missed'})"


def show_lines(console: Console, scored: Sequence[Scored]) -> None:
    """Every line that is not right, one below the other."""
    for s in scored:
        if s.verdict == "right":
            continue
        meanwhile = f" during {s.line.running}" if s.line.running else ""
        console.print(
            f"{s.verdict}: {s.line.category} 「{s.line.text}」{meanwhile} expected {s.line.expected}, "
            f"got {written(s.decision)} ({s.decision.route}: {s.decision.rule})",
            markup=False,
            soft_wrap=True,
        )


def show_cost(console: Console, found: Cost, times: int) -> None:
    """Percentiles of both tables, their sizes, and what the larger one costs more."""
    names = ("shipped", f"{times} times larger")
    rows = dict(zip(names, (found.shipped_us, found.larger_us), strict=True))
    percentile_table(console, rows, "µs per decision")
    for name, loaded in zip(names, (found.shipped, found.larger), strict=True):
        console.print(
            f"{name}: {loaded.phrases} phrases, {loaded.forms} forms, loaded in {loaded.seconds:.2f} s, "
            f"{loaded.resident_mb:.0f} MB resident"
        )
    ratios = ", ".join(f"{point} {found.ratio(point):.2f} times" for point in ("p50", "p99"))
    met = max(found.ratio("p50"), found.ratio("p99")) <= RATIO_GOAL
    console.print(f"{times} times larger costs {ratios} (goal ≤ {RATIO_GOAL}: {'met' if met else 'missed'})")


def show_memory(console: Console, found: Memory) -> None:
    """Growth, and how much of it came in the second half: what keeps growing is a leak."""
    console.print(
        f"memory: {found.before_mb:.1f} MB before {found.decisions} random decisions, {found.after_mb:.1f} MB after: "
        f"growth {found.after_mb - found.before_mb:.1f} MB, "
        f"of it {found.after_mb - found.middle_mb:.1f} MB in the second half"
    )


def _set_json(scored: Sequence[Scored], *, lines: bool) -> dict[str, Any]:
    def counted(tallies: Mapping[str, Tally]) -> dict[str, Any]:
        return {name: {"n": t.n, **asdict(t)} for name, t in tallies.items()}

    out: dict[str, Any] = {"categories": counted(by_category(scored)), "totals": counted(totals(scored))}
    if lines:
        out["not_right"] = [
            {
                "verdict": s.verdict,
                "category": s.line.category,
                "text": s.line.text,
                "running": s.line.running,
                "expected": s.line.expected,
                "got": written(s.decision),
                "route": s.decision.route,
                "rule": s.decision.rule,
            }
            for s in scored
            if s.verdict != "right"
        ]
    return out


def _cost_json(found: Cost) -> dict[str, Any]:
    return {
        "shipped": asdict(found.shipped) | {"us": percentiles(found.shipped_us)},
        "larger": asdict(found.larger) | {"us": percentiles(found.larger_us)},
        "ratio": {point: round(found.ratio(point), 3) for point in ("p50", "p99")},
    }


def measure(sets: Mapping[str, list[Line]], a: argparse.Namespace) -> None:
    """Everything, printed and saved. Raises DataError when the shipped tables cannot be read."""
    console, shown, where = Console(highlight=False), Console(stderr=True), machine()
    title(console, "bench-brain: text in, plan out, no model", where)
    tables = _tables("")
    router = _router("")
    scored = {name: score(lines, partial(named, router)) for name, lines in sets.items()}
    for name, judged in scored.items():
        show_set(console, name, judged)
        if a.show:
            show_lines(console, judged)
    work = [(line.text, line.state) for lines in sets.values() for line in lines]
    # Before the larger table is made: its readings would have filled the memory that is looked at.
    grown = memory(router, [text for text, _ in work], a.decisions, shown)
    with shown.status("making the larger table …"):
        larger = larger_table(a.times, tables.phrases)
    timed = cost(work, larger, a.rounds, shown)
    show_cost(console, timed, a.times)
    show_memory(console, grown)
    result = {
        "sets": {name: _set_json(judged, lines=a.show) for name, judged in scored.items()},
        "rounds": a.rounds,
        "times": a.times,
        "cost": _cost_json(timed),
        "memory": asdict(grown),
    }
    console.print(f"written to {save('bench-brain', where, result)}")


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def main(argv: Sequence[str] | None = None) -> int:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--set", choices=(*SETS, "all"), default="all", help="which list (default: all)")
    p.add_argument("--show", action="store_true", help="print every line that is not right, and save it too")
    p.add_argument("--folder", type=Path, default=FOLDER, help="where tune.tsv and closed.tsv are")
    p.add_argument("--rounds", type=_positive, default=20, help="how often each text is timed (default 20)")
    p.add_argument("--times", type=_positive, default=40, help="how much longer the larger table is (default 40)")
    p.add_argument("--decisions", type=_positive, default=100_000, help="random decisions (default 100000)")
    a = p.parse_args(argv)
    try:
        names = SETS if a.set == "all" else (a.set,)
        measure({name: load_utterances(a.folder / f"{name}.tsv", load_registry()) for name in names}, a)
    except DataError as fault:
        print(fault, file=sys.stderr)
        return fault.exit_status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
