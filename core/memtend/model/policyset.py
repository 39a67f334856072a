"""A set of policies: which one holds for a path, and why.

The most specific pattern that governs `namespace/key` wins (`model.pattern`). Where none of the
operator's rules does, the most specific of `defaults` holds (the categories of a swarm's memory,
in a store that keeps one), and else `fallback`: permanent, last writer wins. The order of the rules
in a file has no meaning, and `digest` does not depend on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from typing import NamedTuple

import orjson
from pydantic import BaseModel, Field

from memtend.errors import InvalidPolicy
from memtend.limits import POLICY_RULES_MAX
from memtend.model.pattern import Pattern, compile_pattern, most_specific_first, why_wins
from memtend.model.policy import DEFAULT_POLICY, Policy


class NamespacePolicies(NamedTuple):
    """What can hold in one namespace. Depends on the set and the namespace only: cache it.

    `always` is the policy of every key, or None when the key decides: between `candidates`, or
    whether something is tried on it.
    """

    namespace: str
    always: Policy | None
    candidates: tuple[tuple[Pattern, Policy], ...]

    def resolve(self, key: str) -> Policy:
        if self.always is not None:
            return self.always
        path = f"{self.namespace}/{key}"
        found = next(policy for pattern, policy in self.candidates if pattern.governs(path))
        return found if found.canary is None else found.at(self.namespace, key)


class PolicySet(BaseModel, frozen=True, extra="forbid"):
    """Immutable. Each pattern occurs once among the rules, and once among the defaults."""

    rules: tuple[Policy, ...] = Field(default=(), max_length=POLICY_RULES_MAX)
    defaults: tuple[Policy, ...] = ()
    fallback: Policy = DEFAULT_POLICY

    def model_post_init(self, _context: object, /) -> None:
        seen: set[str] = set()
        for rule in self.rules:
            compile_pattern(rule.pattern)
            if rule.pattern in seen:
                why = "the pattern occurs twice"
                raise InvalidPolicy(source="policy set", where=rule.pattern, why=why)
            seen.add(rule.pattern)

    def behind(self, defaults: Iterable[Policy]) -> PolicySet:
        """The same rules with these behind them, compressed as the file says for all."""
        squeeze = {"compression": self.fallback.compression}
        behind = tuple(rule.model_copy(update=squeeze) for rule in defaults)
        return PolicySet(rules=self.rules, defaults=behind, fallback=self.fallback)

    @cached_property
    def ordered(self) -> tuple[tuple[Pattern, Policy], ...]:
        """In the order in which they are asked; the last one governs everything."""
        ordered: dict[Pattern, Policy] = {}
        for rules in (self.rules, self.defaults, (self.fallback,)):
            by_pattern = {compile_pattern(rule.pattern): rule for rule in rules}
            for pattern in most_specific_first(by_pattern):
                ordered.setdefault(pattern, by_pattern[pattern])
        return tuple(ordered.items())

    def is_default(self, pattern: str) -> bool:
        """Whether the rule with this pattern comes from the defaults."""
        return pattern in {rule.pattern for rule in self.defaults} - {r.pattern for r in self.rules}

    @cached_property
    def digest(self) -> str:
        """sha256 of what the set says: equal sets decide equally."""
        rules = [policy.said() for _, policy in self.ordered]
        return hashlib.sha256(orjson.dumps(rules, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def resolve(self, namespace: str, key: str) -> Policy:
        path = f"{namespace}/{key}"
        found = next(policy for pattern, policy in self.ordered if pattern.governs(path))
        return found.at(namespace, key)

    def for_namespace(self, namespace: str) -> NamespacePolicies:
        candidates: list[tuple[Pattern, Policy]] = []
        for pattern, policy in self.ordered:
            if pattern.governs(namespace):
                candidates.append((pattern, policy))
                break
            if pattern.may_govern_below(namespace):
                candidates.append((pattern, policy))
        alone = len(candidates) == 1 and candidates[0][1].canary is None
        always = candidates[0][1] if alone else None
        return NamespacePolicies(namespace, always, tuple(candidates))

    def explain(self, namespace: str, key: str) -> list[tuple[str, str]]:
        """Every pattern that governs the path, most specific first, with the reason in words."""
        path = f"{namespace}/{key}"
        found = [pattern for pattern, _ in self.ordered if pattern.governs(path)]
        winner, losers = found[0], found[1:]
        why = f"holds: the most specific of {len(found)} that match" if losers else "holds: alone"
        return [
            (winner.text, why + (" (a default of the layout)" if self._late(winner) else "")),
            *((p.text, f"matches, but {self._why(winner, p)}") for p in losers),
        ]

    def _why(self, winner: Pattern, loser: Pattern) -> str:
        if self._late(loser) and not self._late(winner):
            return "it is a default of the layout, and the policy file goes first"
        return why_wins(winner, loser)

    def _late(self, pattern: Pattern) -> bool:
        return self.is_default(pattern.text)
