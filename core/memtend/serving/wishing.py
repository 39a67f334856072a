"""The state that a restore is to bring, put together of repository, live store and ledgers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from memtend.backup.choosing import Choice, choose
from memtend.backup.cleansing import Ledgers
from memtend.backup.layers import Manifests, State, open_state
from memtend.backup.repository import Repository
from memtend.backup.wished import Later, Wished, state_of
from memtend.codec.envelope import check_row
from memtend.errors import StoreTooNew
from memtend.store import schema
from memtend.store.snapshot import snapshot

if TYPE_CHECKING:
    from memtend.backup.manifest import Manifest, ManifestName, StoreFacts
    from memtend.clock import Clock
    from memtend.settings import Settings
    from memtend.store.store import Store


@contextmanager
def wishing(
    repository: Repository,
    store: Store | None,
    moment_ms: int | None,
    manifest: str | None,
) -> Iterator[tuple[Choice, Wished]]:
    """The chosen backup and the state wished for. Rows are read when they are asked for.

    Without `store` there is no live one: nothing is known but what the repository tells.
    """
    manifests: Manifests = {}
    choice = choose(
        repository,
        manifests,
        store_id=store.meta().store_id if store else None,
        moment_ms=moment_ms,
        manifest=manifest,
    )
    _check_schema(choice.name, choice.manifest)
    chosen = _state(repository, choice.name, manifests)
    newest = _state(repository, choice.newest, manifests)
    sides = [chosen.side(), newest.side()]
    if store is not None:
        with snapshot(store) as view:
            sides.insert(0, iter(list(view.side())))
    ledgers = Ledgers(sides)
    with ExitStack() as held:
        later = None
        if moment_ms is not None:
            later = _later(repository, store, choice, manifests, held)
        yield choice, Wished(chosen, ledgers, later, moment_ms, held.close)


def open_repository(url: str, settings: Settings, clock: Clock) -> Repository:
    """An existing repository, opened with the key that the settings hold.

    `url` may be an address out of a plan, which tells no secret; the settings may know the rest.
    """
    from memtend.codec.crypto import UserKey  # noqa: PLC0415
    from memtend.objects import address_of, open_target  # noqa: PLC0415

    if address_of(settings.backup_url) == url:
        url = settings.backup_url
    key = UserKey.of(settings.backup_secret())
    return Repository.open(open_target(url, clock), key)


def _later(
    repository: Repository,
    store: Store | None,
    choice: Choice,
    manifests: Manifests,
    held: ExitStack,
) -> Later | None:
    """The next backup of the same line behind the moment, else the live store if it is that."""
    if choice.after is not None:
        state = _state(repository, choice.after, manifests)
        _check_schema(choice.after, state.manifest)
        then = state_of(state.manifest.store)
        return Later(state, state.side, state.audit_after, then, str(choice.after))
    if store is None:
        return None
    view = held.enter_context(snapshot(store))
    facts, live = choice.manifest.store, view.state
    if (live.store_id, live.replica) == (facts.store_id, facts.replica) and (
        live.seq >= facts.seq and view.seal_of(facts.audit_n) == _head(facts)
    ):
        return Later(view, view.side, view.audit, live, "the live store")
    return None


def _state(repository: Repository, name: ManifestName, manifests: Manifests) -> State:
    return open_state(repository, name, check_row=check_row, manifests=manifests)


def _check_schema(name: ManifestName, manifest: Manifest) -> None:
    """A newer program may have backed up what this one has no tables for."""
    found = manifest.store.schema_version
    if found > schema.HEAD:
        raise StoreTooNew(url=f"backed up as {name}", found=found, known=schema.HEAD)


def _head(facts: StoreFacts) -> bytes | None:
    """The seal of the last audit entry; there is none before the first."""
    return bytes.fromhex(facts.audit_head) if facts.audit_n else None
