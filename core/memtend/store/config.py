"""What an operator sets for a store: retention policies, quotas, grants. Kept in the store itself.

Every change raises `config` in the meta row; an open store notices at its next write or refresh.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar

from memtend.errors import AccessDenied, StoreBusy, StoreDamaged
from memtend.limits import UPDATE_TRIES
from memtend.model.layoutrules import LAYOUT_RULES
from memtend.model.pattern import Pattern, compile_pattern
from memtend.model.policy import Policy
from memtend.model.policyfile import Layout, PolicyFile
from memtend.model.policyset import NamespacePolicies
from memtend.store import dictionaries
from memtend.store.engine import Row
from memtend.store.meta import crc_of
from memtend.store.sql_learning import SAMPLE
from memtend.store.store import ConfigChanged

if TYPE_CHECKING:
    from memtend.store.change import Change
    from memtend.store.store import Store

Right = Literal["read", "write", "admin"]
_RIGHTS: tuple[Right, ...] = ("read", "write", "admin")
POLICIES = "policies"
LAYOUT = "layout"
T = TypeVar("T")


class Grant(NamedTuple):
    agent: str
    pattern: Pattern
    right: str


class Config:
    """Policies and grants of one store, cached until they change."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.plain: dict[str, tuple[int, bytes]] = {}
        """Id and hash prefix of namespaces where a single value is shown as it is (`Views`)."""
        self.version = -1
        self.refresh(store.meta().config)

    def refresh(self, version: int) -> None:
        """Read again if `version` is not the one that was read."""
        if version == self.version:
            return
        settings = self._checked("settings")
        found = [value for name, value in settings if name == POLICIES]
        self.laid_out = (LAYOUT, Layout.SWARM.value) in settings
        self.file = PolicyFile.model_validate_json(found[0]) if found else PolicyFile()
        if self.file.layout is Layout.SWARM or (self.file.layout is None and self.laid_out):
            policies = self.file.policies.behind(LAYOUT_RULES)
            self.file = self.file.model_copy(update={"policies": policies})
        self._store.namespaces.load()
        self._store.forget_dictionaries()
        self.dictionaries = dictionaries.newest(self._store)
        self._by_namespace: dict[str, NamespacePolicies] = {}
        self.plain.clear()
        self.grants = [
            Grant(agent, compile_pattern(pattern), right)
            for agent, pattern, right in self._checked("grants")
        ]
        sample = next((value for name, value in settings if name == SAMPLE), None)
        self._store.accesses.adopt(self.file.learning, sample)
        self.version = version

    def under_current(self, attempt: Callable[[], T]) -> T:
        """Run a write; if another process has changed policies or grants, read them and repeat."""
        for _ in range(UPDATE_TRIES):
            try:
                return attempt()
            except ConfigChanged as changed:
                self.refresh(changed.version)
        url, why = self._store.url, "its policies change all the time"
        raise StoreBusy(url=url, waited_s=0, why=why)

    def _checked(self, statement: str) -> list[Row]:
        """Rows that match their checksum: damage must neither delete nor open anything."""
        rows = [(row[:-1], row[-1]) for row in self._store.engine.read(statement)]
        if any(crc_of(values) != crc for values, crc in rows):
            raise StoreDamaged(url=self._store.url, why=f"a row of its {statement} was changed")
        return [values for values, _ in rows]

    def policy(self, namespace: str, key: str) -> Policy:
        return self._policies(namespace).resolve(key)

    def policies_in(self, namespace: str) -> list[Policy]:
        """Every policy that can hold for a key of this namespace."""
        found = self._policies(namespace)
        return [found.always] if found.always else [policy for _, policy in found.candidates]

    def _policies(self, namespace: str) -> NamespacePolicies:
        found = self._by_namespace.get(namespace)
        if found is None:
            found = self._by_namespace[namespace] = self.file.policies.for_namespace(namespace)
        return found

    def set_policies(self, file: PolicyFile, actor: str) -> None:
        with self._store.change(actor) as (change, _):
            self.keep(change, file)
        self.refresh(change.config)

    def keep(self, change: Change, file: PolicyFile) -> None:
        """The same within a change that does more; whoever commits it refreshes."""
        text = file.model_dump_json(exclude={"policies": {"defaults"}})
        change.tx.run("save_setting", (POLICIES, text, crc_of((POLICIES, text))))
        change.config += 1
        change.note("policies", f"digest {file.policies.digest}")

    def lay_out(self, actor: str) -> None:
        """Say that the store keeps a swarm's memory, so that its categories are retained as such.

        Behind the policy file: any rule of it that matches wins, and `layout: none` says no.
        """
        if self.laid_out:
            return
        row = (LAYOUT, Layout.SWARM.value)
        with self._store.change(actor) as (change, _):
            change.tx.run("save_setting", (*row, crc_of(row)))
            change.config += 1
            change.note("layout", Layout.SWARM.value)
        self.refresh(change.config)

    def allow(self, agent: str, right: Right, namespace: str) -> None:
        """Raise `AccessDenied` unless a grant covers it. Without any grant, all is allowed."""
        if not self.allows(agent, right, namespace):
            raise AccessDenied(agent=agent, action=right, namespace=namespace)

    def allows(self, agent: str, right: Right, namespace: str) -> bool:
        enough = _RIGHTS[_RIGHTS.index(right) :]
        return not self.grants or any(
            grant.agent in (agent, "*")
            and grant.right in enough
            and grant.pattern.governs(namespace)
            for grant in self.grants
        )

    def grant(self, agent: str, pattern: str, right: Right, actor: str) -> None:
        row = (agent, compile_pattern(pattern).text, right)
        with self._store.change(actor) as (change, _):
            change.tx.run("grant", (*row, crc_of(row)))
            change.config += 1
            change.note("grant", json.dumps(row))
        self.refresh(change.config)

    def revoke(self, agent: str, pattern: str, actor: str) -> None:
        with self._store.change(actor) as (change, _):
            change.tx.run("revoke", (agent, pattern))
            change.config += 1
            change.note("revoke", json.dumps((agent, pattern)))
        self.refresh(change.config)
