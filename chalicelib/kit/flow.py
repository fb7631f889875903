"""A life cycle as data: which state may follow which."""

from __future__ import annotations

from collections.abc import Mapping, Set

from chalicelib.kit.errors import Problem


class Flow:
    """`Flow({"open": {"covered", "withdrawn"}, …})`; a state that is no key is an end."""

    def __init__(self, moves: Mapping[str, Set[str]]) -> None:
        self.moves = moves
        self.states = frozenset(moves) | frozenset(state for after in moves.values() for state in after)

    def allows(self, current: str, target: str) -> bool:
        return target in self.moves.get(current, ())

    def check(self, current: str, target: str, *, or_raise: Problem) -> None:
        """For the clear message. The write repeats it as a condition, for the race."""
        if not self.allows(current, target):
            raise or_raise

    def before(self, target: str) -> frozenset[str]:
        """The states from which `target` may be reached."""
        return frozenset(state for state, after in self.moves.items() if target in after)
