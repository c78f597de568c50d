"""One DDS participant on one network interface: readers and writers for the SDK's message types.

The SDK's own channel classes are not used: they print to standard output, sleep 0.2 to 0.7 s in their constructors,
write a trace file to a fixed path, cannot say whether anybody listens, and take a second interface silently for the
first (docs/facts.md). Quality of service is CycloneDDS's default, as theirs is.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import quoteattr

from claudiad.errors import RobotError
from claudiad.robot.go2 import sdk

_log = logging.getLogger(__name__)

_CONFIG = """<CycloneDDS><Domain Id="any"><General><Interfaces>
<NetworkInterface name={name}/>
</Interfaces></General><Discovery><MaxAutoParticipantIndex>99</MaxAutoParticipantIndex></Discovery><Tracing><Verbosity>{verbosity}</Verbosity><OutputFile>stderr</OutputFile></Tracing></Domain></CycloneDDS>"""

_muted: list[Any] = []
"""Entities that are silent and not deleted."""
_domains: dict[int, tuple[str, Any]] = {}
_lock = threading.Lock()


def _domain(interface: str, domain: int) -> None:
    """Create the process's domain once. Raises RobotError when it exists already on another interface."""
    from cyclonedds.core import DDSException
    from cyclonedds.domain import Domain

    with _lock:
        if domain in _domains:
            if _domains[domain][0] != interface:
                raise RobotError(
                    f"DDS domain {domain} is on interface {_domains[domain][0]} in this process, not on {interface}"
                )
            return
        # Loopback has no multicast. CycloneDDS finds its peers there all the same, and warns at every start.
        config = _CONFIG.format(name=quoteattr(interface), verbosity="severe" if interface == "lo" else "warning")
        try:
            _domains[domain] = interface, Domain(domain, config)
        except DDSException as fault:
            raise RobotError(f"CycloneDDS cannot use the interface {interface}: {fault}") from fault


class Writer:
    """Writes one topic. Safe to use from any thread."""

    def __init__(self, participant: Any, topic: str, kind: Any, lifespan_ms: int | None = None) -> None:
        from cyclonedds.core import Listener, Policy, Qos
        from cyclonedds.pub import DataWriter
        from cyclonedds.topic import Topic
        from cyclonedds.util import duration

        self._listeners = 0

        class Matched(Listener):  # type: ignore[misc]
            def on_publication_matched(inner, _writer: Any, status: Any) -> None:  # noqa: N805
                self._listeners = status.current_count

        self._listener = Matched()  # held here: the C library calls it until it is muted
        qos = None if lifespan_ms is None else Qos(Policy.Lifespan(duration(milliseconds=lifespan_ms)))
        self._writer = DataWriter(participant, Topic(participant, topic, kind), qos=qos, listener=self._listener)

    @property
    def listeners(self) -> int:
        """How many readers there are on the network."""
        return self._listeners

    def mute(self) -> None:
        """No more calls from CycloneDDS's threads."""
        self._writer.set_listener(None)

    def write(self, sample: Any) -> bool:
        """Send; False when CycloneDDS would not."""
        from cyclonedds.core import DDSException

        try:
            self._writer.write(sample)
        except DDSException as fault:
            _log.warning("DDS: %s", fault)
            return False
        return True


class Reader:
    """Reads one topic and hands on each message."""

    def __init__(
        self, participant: Any, topic: str, kind: Any, on_sample: Callable[[Any], None], *, others: bool
    ) -> None:
        from cyclonedds.core import Listener, Policy, Qos
        from cyclonedds.internal import InvalidSample
        from cyclonedds.sub import DataReader
        from cyclonedds.topic import Topic

        self._writers = 0

        class Arrived(Listener):  # type: ignore[misc]
            def on_data_available(inner, reader: Any) -> None:  # noqa: N805
                try:
                    for sample in reader.take(N=16):
                        if not isinstance(sample, InvalidSample):
                            on_sample(sample)
                except Exception:  # nothing may reach the C library's thread
                    _log.exception("DDS: reading %s", topic)

            def on_subscription_matched(inner, _reader: Any, status: Any) -> None:  # noqa: N805
                self._writers = status.current_count

        self._listener = Arrived()
        qos = Qos(Policy.IgnoreLocal.Participant) if others else None
        self._reader = DataReader(participant, Topic(participant, topic, kind), qos=qos, listener=self._listener)

    def mute(self) -> None:
        """No more calls from CycloneDDS's threads."""
        self._reader.set_listener(None)

    @property
    def writers(self) -> int:
        """How many writers there are on the network."""
        return self._writers


class Link:
    """A participant and all its entities, which live as long as the process (see `connection`)."""

    def __init__(self, interface: str, domain: int = 0) -> None:
        """Raises EngineMissing without the SDK, RobotError when the interface cannot be used."""
        self.messages = sdk.load()
        from cyclonedds.core import DDSException
        from cyclonedds.domain import DomainParticipant

        _domain(interface, domain)
        self.interface, self.domain = interface, domain
        try:
            self._participant: Any = DomainParticipant(domain)
        except DDSException as fault:
            raise RobotError(f"CycloneDDS has no participant left on {interface}: {fault}") from fault
        self._entities: list[Reader | Writer] = []
        atexit.register(self.close)
        self.wire = threading.Lock()
        """Held for one send: what asks whether it may still send, and sends, does both under it."""

    def writer(self, topic: str, kind: Any, lifespan_ms: int | None = None) -> Writer:
        """A writer of `topic`, e.g. `rt/api/sport/request`. What is older than `lifespan_ms` is not delivered any more.

        Raises RobotError.
        """
        from cyclonedds.core import DDSException

        try:
            writer = Writer(self._participant, topic, kind, lifespan_ms)
        except DDSException as fault:
            raise RobotError(f"CycloneDDS cannot write {topic} on {self.interface}: {fault}") from fault
        self._entities.append(writer)
        return writer

    def reader(self, topic: str, kind: Any, on_sample: Callable[[Any], None], *, others: bool = False) -> Reader:
        """Call `on_sample` with each message, on a thread of CycloneDDS: it must be quick and raises nothing.

        `others`: only of other participants. Raises RobotError.
        """
        from cyclonedds.core import DDSException

        try:
            reader = Reader(self._participant, topic, kind, on_sample, others=others)
        except DDSException as fault:
            raise RobotError(f"CycloneDDS cannot read {topic} on {self.interface}: {fault}") from fault
        self._entities.append(reader)
        return reader

    def close(self) -> None:
        """Hear nothing more. The interpreter must not end while a thread of CycloneDDS calls into it."""
        while self._entities:
            entity = self._entities.pop()
            entity.mute()
            _muted.append(entity)
