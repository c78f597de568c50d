"""One request: written down, served unless a fault falls upon it, answered now, later or never."""

from __future__ import annotations

import io
import json
import queue
from collections.abc import Callable
from typing import Any

import pytest

from claudiad.go2sim.control import obey
from claudiad.go2sim.desk import Desk, ReplyAt, Request
from claudiad.go2sim.faults import parse
from claudiad.go2sim.journal import Journal
from claudiad.go2sim.services import MotionSwitcher, Service, Vui
from claudiad.go2sim.sport import SportService
from claudiad.robot.go2.rpc import Reply
from claudiad.robot.simulator import Go2Body
from claudiad.types import Posture
from tests.robot.fakes import HandClock

STOP, STAND, MOVE, HELLO, DANCE = 1003, 1004, 1008, 1016, 1022


class Bench:
    """A desk on a clock moved by hand; what is to be done later is done when `pass_time` gets there."""

    def __init__(
        self, *faults: str, posture: Posture = Posture.STANDING, reply_at: ReplyAt = "accept", serial: bool = False
    ) -> None:
        self.clock = HandClock()
        self.body = Go2Body(self.clock.now, posture=posture)
        self.sport = SportService(self.body, MotionSwitcher())
        self.vui = Vui()
        self.out = io.StringIO()
        self.died = 0
        self.answers: queue.Queue[tuple[int, int]] = queue.Queue()
        self._later: list[tuple[float, Callable[[], None]]] = []
        self._count = 0

        def later(seconds: float, do: Callable[[], None]) -> None:
            self._later.append((self.clock.t + seconds, do))

        self.desk = Desk(
            self.body,
            self.sport,
            Journal(self.out, self.clock.now),
            later=later,
            die=self._die,
            reply_at=reply_at,
            serial=serial,
        )
        self.desk.give(map(parse, faults), 0.0)

    def _die(self) -> None:
        self.died += 1

    def ask(self, api_id: int, parameter: str = "{}", service: Service | None = None, *, noreply: bool = False) -> int:
        self._count += 1
        number = self._count

        def respond(reply: Reply) -> None:
            self.answers.put((number, reply.code))

        self.desk.receive(Request(service or self.sport, api_id, parameter, number, noreply, respond, self.clock.t))
        return number

    def pass_time(self, t: float) -> None:
        self.clock.t = t
        self.body.state()
        ready = [do for at, do in self._later if at <= t]
        self._later = [entry for entry in self._later if entry[0] > t]
        for do in ready:
            do()

    def answered(self) -> list[tuple[int, int]]:
        """Answers since the last look, as (number of the request, code)."""
        got = []
        while not self.answers.empty():
            got.append(self.answers.get())
        return got

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def calls(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "api_id" in line]

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines() if line.get("event") == kind]


def test_a_call_is_answered_and_written_down() -> None:
    """Everything about it is in one line, with the time it came."""
    bench = Bench()
    bench.clock.t = 1.25
    bench.ask(MOVE, '{"x": 0.1, "y": 0, "z": 0}', noreply=True)
    assert bench.answered() == [(1, 0)]
    assert bench.lines() == [
        {
            "t": 1.25,
            "service": "sport",
            "api_id": MOVE,
            "name": "Move",
            "params": {"x": 0.1, "y": 0, "z": 0},
            "code": 0,
            "done": True,
            "noreply": True,
            "id": 1,
            "fault": None,
        }
    ]


def test_what_was_no_json_is_written_as_it_came() -> None:
    """NaN is refused, and the line in the log is JSON all the same."""
    bench = Bench()
    bench.ask(MOVE, '{"x": NaN}')
    bench.ask(4711, "おすわり")
    assert [(call["code"], call["done"], call["params"]) for call in bench.calls()] == [
        (3204, False, '{"x": NaN}'),
        (3203, False, "おすわり"),
    ]
    assert [call["name"] for call in bench.calls()] == ["Move", "4711"]


def test_a_stop_is_answered_while_an_action_runs() -> None:
    """Answers at the end or not: StopMove has none to wait for; what it stopped answers 4201."""
    bench = Bench(reply_at="end")
    bench.ask(DANCE)
    bench.pass_time(3.0)
    assert bench.answered() == []
    bench.ask(STOP)
    assert bench.answered() == [(2, 0)]
    bench.pass_time(3.0)
    assert bench.answered() == [(1, 4201)]
    assert [(event["id"], event["code"]) for event in bench.events("answer")] == [(1, 4201)]


def test_an_answer_at_the_end_comes_at_the_end() -> None:
    """0 once it is completed; what is refused is refused at once."""
    bench = Bench(reply_at="end")
    bench.ask(HELLO)
    bench.ask(DANCE)
    assert bench.answered() == [(2, 4206)]
    bench.pass_time(2.9)
    assert bench.answered() == []
    bench.pass_time(3.0)
    assert bench.answered() == [(1, 0)]


def test_serial_without_answers_at_the_end_waits_for_nothing() -> None:
    """Each is answered when it is accepted, so the next one's turn comes."""
    bench = Bench(serial=True)
    bench.ask(DANCE)
    bench.ask(STOP)
    assert [bench.answers.get(timeout=10.0), bench.answers.get(timeout=10.0)] == [(1, 0), (2, 0)]


def test_serial_makes_a_stop_wait_for_the_action() -> None:
    """With answers at the end the stop is served behind the dance, other services are not, and `t` is its arrival."""
    bench = Bench(serial=True, reply_at="end")
    bench.ask(4711)
    bench.ask(DANCE)
    assert bench.answers.get(timeout=10.0) == (1, 3203)
    bench.clock.t = 1.0
    bench.ask(STOP)
    bench.ask(1004, service=bench.vui)
    assert bench.answers.get(timeout=10.0) == (4, 0)
    assert bench.answers.empty()
    while bench.answers.empty():  # until the thread that serves them has taken the dance
        bench.pass_time(max(bench.clock.t, 1.0) + 10.0)
    assert [bench.answers.get(timeout=10.0), bench.answers.get(timeout=10.0)] == [(2, 0), (3, 0)]
    assert [call["t"] for call in bench.calls() if call["name"] == "StopMove"] == [1.0]


@pytest.mark.parametrize(
    ("fault", "code", "done"),
    [("no-reply", None, False), ("deaf-but-stop", None, False), ("unknown", None, True), ("code:3202", 3202, False)],
)
def test_what_a_fault_does_to_a_call(fault: str, code: int | None, done: bool) -> None:
    """Lost, done but never answered, answered and not done; the log says which."""
    bench = Bench(fault)
    bench.ask(HELLO)
    bench.pass_time(100.0)
    assert bench.answered() == ([] if code is None else [(1, code)])
    call = bench.calls()[0]
    assert (call["code"], call["done"], call["fault"]) == (code, done, fault)
    assert (len(bench.body.calls) == 1) == done


def test_deaf_but_stop_still_stops() -> None:
    """It loses the dance and hears the stop."""
    bench = Bench("deaf-but-stop")
    bench.ask(DANCE)
    bench.ask(STOP)
    assert bench.answered() == [(2, 0)]
    assert bench.body.stops == 1


def test_a_late_reply_is_late() -> None:
    """Done at once, answered after its time, also when answers come at the end."""
    bench = Bench("late-reply:2:Hello")
    bench.ask(HELLO)
    assert bench.body.state().running == "Hello"
    bench.pass_time(1.9)
    assert bench.answered() == []
    bench.pass_time(2.0)
    assert bench.answered() == [(1, 0)]
    bench = Bench("late-reply:2:Hello", reply_at="end")
    bench.ask(HELLO)
    bench.pass_time(3.0)
    bench.pass_time(4.9)
    assert bench.answered() == []
    bench.pass_time(5.0)
    assert bench.answered() == [(1, 0)]


def test_unknown_stays_unanswered_at_the_end_too() -> None:
    """Done, never answered, and no line that says it was."""
    bench = Bench("unknown", reply_at="end")
    bench.ask(HELLO)
    bench.pass_time(3.0)
    bench.pass_time(10.0)
    assert bench.answered() == []
    assert bench.events("answer") == []


def test_serial_goes_on_behind_a_call_that_is_never_answered() -> None:
    """A lost call has no turn to hold."""
    bench = Bench("no-reply:Hello", serial=True, reply_at="end")
    bench.ask(HELLO)
    bench.ask(STOP)
    assert bench.answers.get(timeout=10.0) == (2, 0)


def test_locked_ignores_move_after_standing_up() -> None:
    """Answered 0 and not done, until its time is over."""
    bench = Bench("locked:8", posture=Posture.LYING)
    bench.ask(STAND)
    move = '{"x": 0.4, "y": 0, "z": 0}'
    bench.clock.t = 7.9
    bench.ask(MOVE, move)
    bench.clock.t = 8.0
    bench.ask(MOVE, move)
    bench.clock.t = 8.5
    assert bench.body.pose[0] == pytest.approx(0.2)
    assert [(call["code"], call["done"]) for call in bench.calls()] == [(0, True), (0, False), (0, True)]


def test_what_time_brings() -> None:
    """The battery drops, somebody takes the remote control, it dies: each in its time, and in the log."""
    bench = Bench("battery:9@1", "remote:sit@2", "remote:walk@4", "die@5")
    assert bench.desk.tick(0.5)
    assert bench.body.state().battery == 100
    bench.clock.t = 1.0
    bench.desk.tick(1.0)
    assert bench.body.state().battery == 9
    bench.clock.t = 2.0
    bench.desk.tick(2.0)
    assert bench.body.state().running == "Sit"
    bench.clock.t = 4.0
    bench.desk.tick(4.0)
    assert bench.died == 0
    bench.desk.tick(5.0)
    assert bench.died == 1
    assert [(event["fault"], event["what"]) for event in bench.events("fault")][4:] == [
        ("battery:9@1", "happens"),
        ("remote:sit@2", "happens"),
        ("remote:walk@4", "cannot happen now"),
        ("die@5", "happens"),
    ]
    assert bench.calls() == []


def test_state_is_not_published_while_it_is_dropped() -> None:
    """`tick` says so, and time goes on."""
    bench = Bench("drop-state:1@1")
    assert [bench.desk.tick(t) for t in (0.5, 1.5, 2.5)] == [True, False, True]


def test_changes_of_state_and_falls_are_events() -> None:
    """One line for each change, none for none."""
    bench = Bench()
    for t in (0.0, 0.5):
        bench.clock.t = t
        bench.desk.tick(t)
    bench.ask(1001)
    bench.desk.tick(0.5)
    bench.clock.t = 2.0
    bench.desk.tick(2.0)
    assert [(event["posture"], event["machine"]) for event in bench.events("state")] == [
        ("standing", 1013),
        ("standing", 1001),
        ("damped", 1001),
    ]
    assert [event["falls"] for event in bench.events("fall")] == [1]


def test_standard_input() -> None:
    """Faults, clear, status; and one line to the person for what is none of these."""
    bench = Bench()
    said: list[str] = []
    for line in ("no-reply:Hello\n", "  \n", "status\n", "explode\n", "clear\n"):
        obey(line, bench.desk, said.append)
    bench.ask(HELLO)
    assert bench.answered() == [(1, 0)]
    status = bench.events("status")[0]
    assert (status["faults"], status["posture"], status["pose"]) == (["no-reply:Hello"], "standing", [0.0, 0.0, 0.0])
    assert len(said) == 1
    assert "explode" in said[0]
    assert [(event.get("fault"), event["what"]) for event in bench.events("fault")] == [
        ("no-reply:Hello", "given"),
        (None, "cleared"),
    ]


def test_a_log_nobody_reads_stops_nothing() -> None:
    """When the reader of standard output has gone calls are served all the same."""

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    journal = Journal(Gone(), HandClock().now)
    journal.event("start")
    assert journal.closed
    journal.call(1.0, name="Hello")
    assert [call["name"] for call in journal.recent] == ["Hello"]
