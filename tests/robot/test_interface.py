"""A wrong network interface is one clear error before anything else happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from claudiad.errors import ConfigError, RobotError
from claudiad.robot.interface import Interface, check, ipv4_address, names


def add(root: Path, name: str, flags: str = "0x1003", operstate: str = "up") -> None:
    (root / name).mkdir()
    (root / name / "flags").write_text(f"{flags}\n")
    (root / name / "operstate").write_text(f"{operstate}\n")


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    """A wired interface, a wireless one and loopback, as Linux shows them."""
    add(tmp_path, "lo", "0x9", "unknown")
    add(tmp_path, "wlan0")
    add(tmp_path, "eth0")
    (tmp_path / "bonding_masters").write_text("\n")
    return tmp_path


def robot_net(name: str) -> str | None:
    return {"eth0": "192.168.123.222", "lo": "127.0.0.1"}.get(name)


def test_a_good_interface_is_described(sysfs: Path) -> None:
    """Name, address, and whether it leads off this machine."""
    assert check("eth0", sysfs, robot_net) == Interface("eth0", "192.168.123.222", loopback=False)


def test_loopback_counts_as_up(sysfs: Path) -> None:
    """Its state is "unknown"; the simulator is reached over it."""
    assert check("lo", sysfs, robot_net) == Interface("lo", "127.0.0.1", loopback=True)


def test_the_list_has_interfaces_only_and_loopback_last(sysfs: Path) -> None:
    """Plain files beside the interfaces are none."""
    assert names(sysfs) == ["eth0", "wlan0", "lo"]
    assert names(sysfs / "nowhere") == []


@pytest.mark.parametrize("name", ["eth1", "..", "../net/eth0", "eth0/", "bonding_masters", "x" * 40, "線"])
def test_one_that_is_not_there(sysfs: Path, name: str) -> None:
    """Named in the error, with those that are there."""
    with pytest.raises(RobotError) as caught:
        check(name, sysfs, robot_net)
    assert str(caught.value) == (f"robot.interface: there is no network interface {name!r}; here are: eth0, wlan0, lo")


def test_none_named(sysfs: Path, tmp_path: Path) -> None:
    """The setting is named, and what it could be."""
    with pytest.raises(ConfigError, match=r"^robot\.interface: not set: .* here are: eth0, wlan0, lo$"):
        check("", sysfs, robot_net)
    with pytest.raises(ConfigError, match=r"here are: none$"):
        check("", tmp_path / "nowhere", robot_net)


def test_one_that_is_switched_off(sysfs: Path) -> None:
    """The command that switches it on is in the error, even where the driver claims a link."""
    add(sysfs, "eth9", "0x1002", "up")
    with pytest.raises(RobotError, match=r"eth9 is down; .*: sudo ip link set eth9 up$"):
        check("eth9", sysfs, robot_net)


@pytest.mark.parametrize("operstate", ["down", "lowerlayerdown", "dormant", "notpresent"])
def test_one_without_a_cable(sysfs: Path, operstate: str) -> None:
    """Switched on and joined to nothing is another fault with another remedy."""
    add(sysfs, "eth9", "0x1003", operstate)
    with pytest.raises(RobotError, match="eth9 has no link; plug in the cable"):
        check("eth9", sysfs, lambda _: "192.168.123.5")


def test_one_without_an_address(sysfs: Path) -> None:
    """The robot's network and the command are in the error."""
    with pytest.raises(RobotError) as caught:
        check("wlan0", sysfs, robot_net)
    assert "192.168.123.0/24" in str(caught.value)
    assert str(caught.value).endswith("sudo ip addr add 192.168.123.222/24 dev wlan0")


def test_one_that_goes_away_meanwhile(sysfs: Path) -> None:
    """An adapter pulled out while it is looked at is an error like any other, not a crash."""
    (sysfs / "eth0" / "flags").write_text("")
    with pytest.raises(RobotError, match="eth0 is down"):
        check("eth0", sysfs, robot_net)


def test_the_real_loopback() -> None:
    """What the kernel says of `lo`."""
    assert check("lo") == Interface("lo", "127.0.0.1", loopback=True)


def test_the_kernel_on_an_interface_that_is_not_there() -> None:
    """No address, no exception."""
    assert ipv4_address("claudiad-none") is None
