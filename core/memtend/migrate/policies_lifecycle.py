"""What the older lifecycle tool's own file meant there and means here.

The file loads as it is. There the first pattern that matched won, `*` worked only at the end, and
`_` stood for any character; here the most specific one wins, and all of a pattern counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from memtend.model.pattern import compile_pattern
from memtend.model.policyset import PolicySet


def differences(policies: PolicySet) -> Iterator[str]:
    """A note for each rule that had no effect there and has one here."""
    before: list[str] = []
    for rule in policies.rules:
        pattern = rule.pattern
        some_path = pattern.replace("**", "x").replace("*", "x")
        first = next((one for one in before if _matched_there(one, some_path)), None)
        if "*" in pattern.removesuffix("*"):
            yield f"{pattern!r} matched nothing in the older tool; here it holds"
        elif first is not None:
            yield f"{pattern!r} was never reached behind {first!r} in the older tool; here it holds"
        before.append(pattern)


def _matched_there(pattern: str, path: str) -> bool:
    """Whether an earlier rule took what this later one is about."""
    working = "*" not in pattern.removesuffix("*")
    return working and compile_pattern(pattern).governs(path)
