"""Users' functions that choose what is shown of several concurrent values.

They are named in policies (`conflict_strategy: function:NAME`) and found here: first those that
the program registered, then those that installed packages offer in the entry-point group
`memtend.resolvers`, which is looked at only when a name is asked for. Whatever such a function
does, the values it was given stay: an answer is shown, never stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final

from memtend.codec import canonical
from memtend.errors import InvalidName, MemtendError, ResolverFailed, ResolverUnknown
from memtend.model.policy import RESOLVER_NAME
from memtend.model.version import Resolver, Version

GROUP: Final = "memtend.resolvers"


class Resolvers:
    """The functions known to one open store."""

    def __init__(self) -> None:
        self._known: dict[str, Resolver] = {}

    def register(self, name: str, function: Resolver) -> None:
        """Know `function` under `name`, instead of what was known under it."""
        if not re.fullmatch(RESOLVER_NAME, name, re.ASCII):
            why = "a function's name has letters, digits and ._-, 64 at most"
            raise InvalidName(what="function", name=name, why=why)
        self._known[name] = function

    def names(self) -> list[str]:
        """Every name that a policy may use here."""
        from importlib.metadata import entry_points  # noqa: PLC0415 — most reads ask for none

        return sorted({*self._known, *(entry.name for entry in entry_points(group=GROUP))})

    def resolve(
        self,
        name: str,
        namespace: str,
        key: str,
        versions: Callable[[], Sequence[Version]],
        *,
        twice: bool = False,
    ) -> bytes:
        """What the function makes of the versions, as canonical JSON; made anew for each call.

        Raises `ResolverUnknown`, and `ResolverFailed` if it raises or answers with no JSON value,
        or, asked `twice`, with two different ones.
        """
        function = self._find(name, namespace, key)
        with _Guarded(name, namespace, key):
            answer = canonical.encode(function(versions()), f"what {name} returned")
            if twice and canonical.encode(function(versions()), "its second answer") != answer:
                raise ValueError("asked twice about the same values, it gave two answers")
            return answer

    def _find(self, name: str, namespace: str, key: str) -> Resolver:
        if name not in self._known:
            from importlib.metadata import entry_points  # noqa: PLC0415

            found = next(iter(entry_points(group=GROUP, name=name)), None)
            if found is None:
                raise ResolverUnknown(name=name, namespace=namespace, key=key)
            with _Guarded(name, namespace, key):
                self._known[name] = found.load()
        return self._known[name]


class _Guarded:
    """Whatever foreign code raises becomes `ResolverFailed`; what stops the program passes."""

    def __init__(self, name: str, namespace: str, key: str) -> None:
        self._facts = {"name": name, "namespace": namespace, "key": key}

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception):
            said = str(error) if isinstance(error, MemtendError) else f"{kind.__name__}: {error}"  # type: ignore[union-attr]
            raise ResolverFailed(**self._facts, why=said[:200]) from error
