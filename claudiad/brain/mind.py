"""Router, cache and the little that is remembered between two utterances, behind one call.

Pure like everything here: the time is passed in. `decide` changes nothing that is remembered; `commit` does, once the
turn is certain to be one. So a decision can be made early and thrown away.
"""

from __future__ import annotations

from claudiad.brain.cache import CacheStats, DecisionCache
from claudiad.brain.router import Router
from claudiad.types import Action, Context, Decision, RobotState

ASKED_S = 15.0
"""How long a question of the robot's stands: はい after that means something else."""
LAST_S = 120.0
"""How long もう一回 knows what was done."""


class Mind:
    """What decides for one conversation. Not for several threads."""

    def __init__(self, router: Router, cache: DecisionCache | None = None) -> None:
        self.router = router
        self._cache = cache or DecisionCache(size=0)
        self._asked: tuple[float, tuple[Action, ...]] = (0.0, ())
        self._last: tuple[float, tuple[Action, ...]] = (0.0, ())

    @property
    def cache_stats(self) -> CacheStats:
        """Hits, misses and evictions so far."""
        return self._cache.stats

    def context(self, now: float, hour: int | None = None) -> Context:
        """What a decision made at `now` (seconds, monotonic) may depend on; `hour` is local, 0–23."""
        asked = self._asked[1] if now - self._asked[0] <= ASKED_S else ()
        last = self._last[1] if now - self._last[0] <= LAST_S else ()
        return Context(hour, last, asked)

    def decide(self, text: str, state: RobotState, now: float, hour: int | None = None) -> Decision:
        """The router's decision; where it has none, what a model decided lately for the same words in this state."""
        decision = self.router.decide(text, state, self.context(now, hour))
        if decision.route != "fallback":
            return decision
        return self._cache.find(text, state, now) or decision

    def commit(self, decision: Decision, now: float) -> None:
        """Remember what was done. What was asked before has had its answer, or none."""
        self._asked = (0.0, ())
        if decision.route == "emergency":
            self.forget()
            return
        if decision.actions and decision.kind == "action":
            self._last = (now, decision.actions)

    def asked(self, decision: Decision, now: float) -> None:
        """Remember the question in the reply, now that it has been put: what was not said cannot be answered."""
        if decision.asked:
            self._asked = (now, decision.asked)

    def forget(self) -> None:
        """After a stop: no はい and no もう一回 may start what it ended."""
        self._asked = self._last = (0.0, ())

    def learn(self, decision: Decision, state: RobotState, now: float) -> bool:
        """Keep a model's decision, made in `state`; True when it was one to be kept."""
        return self._cache.store(decision, state, now)
