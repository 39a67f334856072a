"""What a trial does to the rules of a policy file. Pure: a file in, another one out.

What is put back stands where it stood, so that a file to which nothing else was done is the one it
had been.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.limits import POLICY_RULES_MAX
from memtend.limits_learning import WHY_CHARS_MAX
from memtend.model.policy import Canary, Policy

if TYPE_CHECKING:
    from memtend.model.policyfile import PolicyFile


def rule_of(file: PolicyFile, pattern: str) -> Policy | None:
    """The rule with this pattern that the file itself has."""
    return next((rule for rule in file.policies.rules if rule.pattern == pattern), None)


def with_rule(file: PolicyFile, pattern: str, rule: Policy | None) -> PolicyFile:
    """With `rule` in the place of the one of that pattern, behind the others, or without it."""
    rules = list(file.policies.rules)
    at = next((n for n, one in enumerate(rules) if one.pattern == pattern), len(rules))
    rules[at : at + 1] = [] if rule is None else [rule]
    policies = file.policies.model_copy(update={"rules": tuple(rules)})
    # Copied anew: what a set has worked out of its rules must not come along.
    fresh = type(policies)(
        **{name: getattr(policies, name) for name in type(policies).model_fields}
    )
    return file.model_copy(update={"policies": fresh})


def has_room(file: PolicyFile, pattern: str) -> bool:
    return rule_of(file, pattern) is not None or len(file.policies.rules) < POLICY_RULES_MAX


def tried(rule: Policy, pattern: str, trial: str, ttl_ms: int, share: float, why: str) -> Policy:
    """A rule that tries a time to live on a share of its keys; on all of them, it has it."""
    if share >= 1:
        return tuned(rule, pattern, ttl_ms, why)
    canary = Canary(trial=trial, ttl_ms=ttl_ms, share=share)
    return _altered(rule, pattern=pattern, canary=canary, why=_cut(why))


def tuned(rule: Policy, pattern: str, ttl_ms: int, why: str) -> Policy:
    return _altered(rule, pattern=pattern, ttl_ms=ttl_ms, canary=None, why=_cut(why))


def restored(rule: Policy, former: Policy) -> Policy:
    """With the time to live that it had, and nothing tried; whatever else it says by now stays."""
    return _altered(rule, ttl_ms=former.ttl_ms, canary=None, why=former.why)


def settled(rule: Policy) -> Policy:
    """Without what is tried on it."""
    return _altered(rule, canary=None)


def _altered(rule: Policy, **update: object) -> Policy:
    """Made anew: what a rule has worked out of itself must not come along."""
    return Policy(**{**{name: getattr(rule, name) for name in Policy.model_fields}, **update})


def _cut(why: str) -> str:
    return why if len(why) <= WHY_CHARS_MAX else f"{why[: WHY_CHARS_MAX - 1]}…"
