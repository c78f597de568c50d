"""The Go2 adapter, dispatcher and stop lane over real DDS; the robot is a simulator in a process of its own."""

from __future__ import annotations

import asyncio
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from claudiad.app.turn import spoken_after
from claudiad.robot import photo
from claudiad.robot.base import FOREIGN, Status
from claudiad.robot.go2 import adapter, codes, memo
from claudiad.types import Action, Posture
from tests.real.go2_rig import LONG_S, act, decoded, motions, rig, router, sequence, statuses, texts, until
from tests.real.go2sim_process import ROOT, Go2Sim

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("requires_sdk")]

FIVE = "立って、挨拶して、一メートル前に進んで、右に九十度回って、座って"


def claudiad(folder: Path, domain: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`claudiad` as a person calls it, with the robot on loopback, its own home and its own state."""
    here = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    env = {name: value for name, value in os.environ.items() if name != "STATE_DIRECTORY"} | here
    robot = ["--robot", "go2", "--set", "robot.interface=lo", "--set", f"robot.domain={domain}"]
    return subprocess.run(
        [sys.executable, "-m", "claudiad", *arguments, *robot],
        cwd=ROOT,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def near(pose: list[float], x: float, y: float, degrees: float) -> bool:
    """Within what is promised: 5 cm and 5 degrees."""
    turned = math.degrees(math.remainder(pose[2] - math.radians(degrees), math.tau))
    return math.hypot(pose[0] - x, pose[1] - y) <= 0.05 and abs(turned) <= 5.0


async def test_start_and_close_send_nothing(tmp_path: Path) -> None:
    """Joining and leaving is silent; the start knows posture and battery and keeps the interface for the stop."""
    with Go2Sim("--posture", "lying", "--battery", "64") as sim:
        async with rig(sim.domain, tmp_path) as r:
            state = r.robot.state()
            assert (state.posture, r.robot.foreign) == (Posture.LYING, False)
            assert 63 <= state.battery <= 64
            heard = r.witness.heard
        sim.status()
        assert (heard, sim.calls()) == ([], [])
        assert json.loads((tmp_path / "kept" / memo.NAME).read_text()) == {"interface": "lo", "domain": sim.domain}


async def test_the_state_has_an_age(tmp_path: Path) -> None:
    """While the robot reports, its state is young; when it falls silent the same state grows old, and stays known."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            await r.fresh()
            sim.fault("drop-state")
            await until(lambda: r.robot.state().age_ms > 500, "an old state")
            assert r.robot.state().posture is Posture.STANDING
            sim.clear()
            await r.fresh()


async def test_a_robot_that_comes_later_is_found(tmp_path: Path) -> None:
    """Without a robot a start is no error and nothing is done; when one comes it is there, and nothing was sent.

    Before the first request its interface is kept for `claudiad stop-robot`, in place of an earlier start's.
    """
    with Go2Sim() as gone:
        domain = gone.domain
    kept, seen = tmp_path / "kept" / memo.NAME, []
    memo.save(kept.parent, "eth9", 9)
    async with rig(domain, tmp_path) as r:
        r.witness.on_sport = lambda: seen.append(json.loads(kept.read_text()))
        assert r.robot.state().age_ms == math.inf
        assert r.robot.state().posture is Posture.UNKNOWN
        (refused,) = await r.run(act("Hello"))
        assert (refused.status, refused.dispatched_at) == (Status.REFUSED, None)
        with Go2Sim(domain=domain) as sim:
            await until(lambda: r.robot.state().age_ms < 300 and r.robot.state().battery > 0, "the robot's state")
            await until(lambda: r.robot._there.sport.reachable, "its sport service")
            sim.status()
            assert (sim.calls(), r.witness.heard) == ([], [])
            assert json.loads(kept.read_text())["interface"] == "eth9", "nothing was commanded yet"
            assert statuses(await r.run(act("Sit"))) == ["done"]
            assert seen == [{"interface": "lo", "domain": domain}]
            assert motions(sim.calls()) == ["Sit"]


@pytest.mark.parametrize(
    ("begins", "action", "machine", "wire"),
    [
        ("standing", act("Sit"), 1007, {}),
        ("sitting", act("RiseSit"), 1013, {}),
        ("lying", act("StandUp"), 1002, {}),
        ("lying", act("Damp"), 1001, {}),
        ("standing", act("StandDown"), 2006, {}),
        ("damped", act("RecoveryStand"), 1013, {}),
        ("standing", act("Hello"), 1013, {}),
        ("sitting", act("Heart"), 1007, {}),
        ("standing", act("Pose", data=True), 1013, {"data": True}),
        ("standing", act("Euler", x=0.3), 1013, {"x": 0.3, "y": 0.0, "z": 0.0}),
        ("standing", act("SpeedLevel", data=-1), 1013, {"data": -1}),
        ("standing", act("ClassicWalk"), 1013, {"data": True}),
        ("standing", act("TrotRun"), 1013, {}),
    ],
    ids=lambda value: value.name if isinstance(value, Action) else "",
)
async def test_an_action_is_done_when_the_state_shows_it(
    tmp_path: Path, begins: str, action: Action, machine: int, wire: dict[str, Any]
) -> None:
    """One call with its parameters; when it is reported done the robot's own state is the one that leads to."""
    with Go2Sim("--posture", begins) as sim:
        async with rig(sim.domain, tmp_path) as r:
            (result,) = await r.run(action)
            now = sim.status()
            assert (result.status, result.outcome.text) == (Status.DONE, "")
            (call,) = sim.calls()
            assert (call["service"], call["api_id"], call["params"]) == ("sport", action.api_id, wire)
            assert now["machine"] == machine


async def test_what_follows_at_once_is_taken(tmp_path: Path) -> None:
    """Neither a setting nor a posture that is held already is reported done while the robot still refuses the next."""
    steps = [act("SpeedLevel"), act("StandUp"), act("ClassicWalk"), act("BalanceStand"), act("SpeedLevel"), act("Sit")]
    with Go2Sim("--unlock", "0") as sim:
        async with rig(sim.domain, tmp_path) as r:
            results = await r.run(*steps)
            assert statuses(results) == ["done"] * len(steps), texts(results)
            assert motions(sim.calls()) == [step.name for step in steps]


async def test_a_move_ends_where_it_should(tmp_path: Path) -> None:
    """Velocities until odometry is there, though a part of each movement slips, then StopMove; in body coordinates."""
    with Go2Sim("--slip", "0.15", "--noise", "0.002") as sim:
        async with rig(sim.domain, tmp_path) as r:
            results = await r.run(act("move", x=0.5, y=-0.3), act("move", yaw=math.radians(120)), act("move", x=-0.2))
            assert statuses(results) == ["done", "done", "done"], texts(results)
            assert sequence(c["name"] for c in sim.calls()) == ["SwitchSet", "Move", "StopMove"] * 3
            assert all(c["noreply"] for c in sim.calls("Move"))
            back = math.radians(120)
            pose = sim.status()["pose"]
            assert near(pose, 0.5 - 0.2 * math.cos(back), -0.3 - 0.2 * math.sin(back), 120.0), pose


async def test_a_photo_is_stored_and_named(tmp_path: Path) -> None:
    """Directly after the start: the picture is a file, and what is said names that file."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            (result,) = await r.run(act("Photo"))
            assert result.status is Status.DONE, result.outcome.text
            (path,) = (tmp_path / "photos").iterdir()
            assert path.read_bytes()[:2] == b"\xff\xd8"
            assert result.outcome.text == photo.spoken(path)
            assert [(c["service"], c["api_id"]) for c in sim.calls()] == [("videohub", 1001)]


async def test_locked_joints_are_freed_first(tmp_path: Path) -> None:
    """After StandUp, BalanceStand goes before a gesture and before a move; where nothing is locked it is not sent."""
    with Go2Sim("--posture", "lying", "--unlock", "30") as sim:
        async with rig(sim.domain, tmp_path) as r:
            assert statuses(await r.run(act("StandUp"))) == ["done"]
            sim.wait_for(lambda line: line.get("machine") == 1002, LONG_S)
            await until(lambda: r.robot._watch.seen is not None and r.robot._watch.seen.locked, "locked joints")
            assert statuses(await r.run(act("Hello"))) == ["done"]
            assert statuses(await r.run(act("Pose"))) == ["done"]
            assert motions(sim.calls()) == ["StandUp", "BalanceStand", "Hello", "Pose"]
            before = len(sim.calls())
            results = await r.run(act("StandDown"), act("StandUp"), act("move", x=0.3))
            assert statuses(results) == ["done"] * 3, texts(results)
            assert sequence(motions(sim.calls()[before:])) == ["StandDown", "StandUp", "BalanceStand", "Move"]
            assert near(sim.status()["pose"], 0.3, 0.0, 0.0)


@pytest.mark.parametrize(
    ("begins", "options"),
    [
        ("lying", ()),
        ("standing", ()),
        ("lying", ("--reply-at", "end", "--serial")),
        ("lying", ("--firmware", "old")),
    ],
)
async def test_five_steps_said_in_one_sentence(tmp_path: Path, begins: str, options: tuple[str, ...]) -> None:
    """Right calls in order, the pose within tolerance, and a report in words, whenever the firmware answers."""
    with Go2Sim("--posture", begins, *options) as sim:
        async with rig(sim.domain, tmp_path) as r:
            decision = router().decide(FIVE, r.robot.state())
            results = await r.run(*decision.actions)
            assert statuses(results) == ["done"] * 5, texts(results)
            assert decision.reply + spoken_after(results, decision.reply) == "はい、順番にやります。"
            end = sim.status()
            calls = [c for c in sim.calls() if c["service"] == "sport"]
            assert sequence(c["name"] for c in calls) == [
                *("StandUp", "BalanceStand", "Hello"),
                *("Move", "StopMove", "Move", "StopMove", "Sit"),
            ]
            assert all(c["code"] == 0 for c in calls)
            assert (end["posture"], end["falls"]) == ("sitting", 0)
            assert near(end["pose"], 1.0, 0.0, -90.0), end["pose"]


async def test_old_firmware_does_what_new_firmware_does_not_know(tmp_path: Path) -> None:
    """A legacy action goes out by its id: done where it is known, else said in words, and not sent again."""
    with Go2Sim("--firmware", "old") as sim:
        async with rig(sim.domain, tmp_path) as r:
            (done,) = await r.say("お尻を振って")
            assert done.status is Status.DONE
            sim.fault("code:3203:1033")
            (refused,) = await r.say("お尻を振って")
            assert (refused.status, refused.outcome.text) == (Status.REFUSED, codes.outcome(3203).text)
            assert refused.outcome.text
            sim.status()
            assert [c["api_id"] for c in sim.calls()] == [1033, 1033]


async def test_a_remote_walk_is_seen_and_yielded_to(tmp_path: Path) -> None:
    """While somebody walks it with the remote control a motion is refused in words; when they leave it, it is ours."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            assert not r.robot.foreign
            sim.fault("remote:walk")
            await until(lambda: r.robot.foreign, "that somebody else moves it")
            (refused,) = await r.run(act("Hello"))
            assert (refused.status, refused.outcome.text) == (Status.REFUSED, FOREIGN)
            assert (await r.dispatcher.stop("asked")).acknowledged
            assert [h.api_id for h in r.witness.heard] == [1003]
            await until(lambda: not r.robot.foreign, "that it is left alone")
            assert statuses(await r.run(act("Pose"))) == ["done"]
            assert motions(sim.calls()) == ["Pose"]


async def test_a_remote_walk_right_behind_our_gesture_is_seen(tmp_path: Path) -> None:
    """What a robot does so soon may still be ours; what it goes on doing is not, although it began so soon."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            assert statuses(await r.run(act("Pose"))) == ["done"]
            sim.fault("remote:walk")
            await until(lambda: r.robot.foreign, "that somebody else moves it")


async def test_a_remote_sit_is_seen(tmp_path: Path) -> None:
    """A posture that nobody here asked for makes it somebody else's, and nothing is sent."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            sim.fault("remote:sit")
            await until(lambda: r.robot.foreign, "that somebody else moves it")
            assert r.robot.state().posture is Posture.SITTING
            (inserted, asked) = await r.run(act("move", x=0.3))
            assert (inserted.status, inserted.outcome.text) == (Status.REFUSED, FOREIGN)
            assert asked.status is not Status.DONE
            sim.status()
            assert (sim.calls(), r.witness.heard) == ([], [])


async def test_a_remote_sit_ends_our_move(tmp_path: Path) -> None:
    """Taken over in the middle of a sequence: it says so, does none of the rest, and stays out of the way."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            task = r.begin(act("move", x=3.0), act("Hello"))
            await asyncio.to_thread(sim.wait_call, "Move")
            sim.fault("remote:sit")
            walked, greeted = await task
            assert (walked.status, walked.outcome.text) == (Status.INTERRUPTED, adapter.TAKEN)
            assert (greeted.status, greeted.dispatched_at) == (Status.INTERRUPTED, None)
            assert sim.status()["posture"] == "sitting"
            before = len(r.witness.heard)
            refused = await r.run(act("move", x=0.3))
            assert (refused[0].status, refused[0].outcome.text) == (Status.REFUSED, FOREIGN)
            sim.status()
            assert r.witness.heard[before:] == []
            assert set(motions(sim.calls())) == {"Move"}


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """One process holds the robot: another ends with 75 and says whom to ask, and sends nothing."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            second = await asyncio.to_thread(claudiad, tmp_path, sim.domain, "ask", "--json", "お手")
            assert (second.returncode, second.stdout) == (75, "")
            assert "claudiactl" in second.stderr
            assert "Traceback" not in second.stderr
            sim.status()
            assert r.witness.heard == []
        third = await asyncio.to_thread(claudiad, tmp_path, sim.domain, "ask", "--json", "お手")
        assert third.returncode == 0, third.stderr


def test_ask_moves_it(tmp_path: Path) -> None:
    """`claudiad ask --robot go2 --json`: an object per line, and the robot has done it when the object is printed."""
    with Go2Sim("--posture", "lying") as sim:
        asked = claudiad(tmp_path, sim.domain, "ask", "--json", "お手", "前に二十センチ進んで", "宙返りして")
        assert asked.returncode == 0, asked.stderr
        first, second, third = map(json.loads, asked.stdout.splitlines())
        assert [(a["name"], "inserted" in a) for a in first["actions"]] == [("StandUp", True), ("Hello", False)]
        assert second["actions"] == [
            {"name": "move", "api_id": 1008, "params": {"x": pytest.approx(0.2), "y": 0.0, "yaw": 0.0}}
        ]
        assert (third["actions"], [each["name"] for each in third["refused"]]) == ([], ["FrontFlip"])
        assert sequence(motions(sim.calls())) == ["StandUp", "BalanceStand", "Hello", "Move"]
        assert near(sim.status()["pose"], 0.2, 0.0, 0.0)


def test_a_mission_over_dds_ends_within_five_percent(tmp_path: Path) -> None:
    """Out, a turn, a picture and back, with slip: each sentence succeeds, and the robot is where its report says."""
    path = tmp_path / "mission.txt"
    path.write_text("一メートル前に進んで\n左に九十度回って\n写真を撮って\n出発点に戻って\n", encoding="utf-8")
    with Go2Sim("--slip", "0.2") as sim:
        ran = claudiad(tmp_path, sim.domain, "mission", str(path), "--json", "--set", f"robot.photos={tmp_path / 'p'}")
        assert ran.returncode == 0, ran.stderr
        out, turn, picture, back = reports = [json.loads(row) for row in ran.stdout.splitlines()]
        assert all(each["success"] for each in reports), reports
        assert out["error_percent"] <= 5.0
        assert turn["error_deg"] <= 5.0
        assert back["error_m"] <= 0.05
        (taken,) = (tmp_path / "p").iterdir()
        assert photo.spoken(taken) in picture["reply"]
        end = sim.status()
        assert math.hypot(*end["pose"][:2]) <= 0.05, end
        assert end["pose"][0] == pytest.approx(back["pose"]["x"], abs=0.02)
        assert end["falls"] == 0


async def test_velocities_stay_within_the_limits(tmp_path: Path) -> None:
    """On the wire: at most 0.4 m/s and 0.8 rad/s, and slower at the end than in the middle."""
    with Go2Sim() as sim:
        async with rig(sim.domain, tmp_path) as r:
            assert statuses(await r.run(act("move", x=0.6, y=0.6), act("move", yaw=-1.0))) == ["done", "done"]
            sent = [decoded(h) for h in r.witness.heard if (h.service, h.api_id) == ("sport", 1008)]
            speeds = [math.hypot(v["x"], v["y"]) for v in sent]
            assert max(speeds) == pytest.approx(0.4)
            assert max(abs(v["z"]) for v in sent) == pytest.approx(0.8)
            walked = [s for s in speeds if s]
            assert walked[-1] < walked[0] / 2
            assert [c["params"] for c in sim.calls("Move")] == sent
