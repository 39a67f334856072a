"""The registry of models: one row each, and of every scenario and kind one in use at most.

What is in use changes only from what the caller saw there (compare and set), in one transaction
with its entry in the audit trail. A row that does not match its checksum is left out here and found
by `verify`: a damaged model is not in use, and nobody is refused for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import orjson

from memtend.clock import to_datetime, to_ms
from memtend.errors import ModelNotPromoted, ModelUnknown
from memtend.limits_learning import MODELS_KEPT, MODELS_LISTED_MAX
from memtend.model.learned import STRATEGY, ModelEntry, ModelStatus
from memtend.store.upkeep import save as save_rows
from memtend.store.upkeep import sound

if TYPE_CHECKING:
    from memtend.store.change import Change
    from memtend.store.engine import Row, Transaction
    from memtend.store.store import Store

ACTION = "model"
"""What the audit trail calls whatever happens to a model."""


def save(store: Store, entry: ModelEntry, actor: str) -> None:
    """Enter a model that was just fitted. Its files are written before (`memtend.modelfiles`)."""
    with store.change(actor) as (change, _):
        if change.tx.fetch("model_at", (entry.model_id,)):
            why = "it is in the registry already"
            raise _refused(entry, why)
        if entry.status is ModelStatus.ACTIVE:
            raise _refused(entry, "a model comes into use by being promoted")
        _keep(change, entry, str(entry.status), why=entry.why)


def find(store: Store, model_id: str) -> ModelEntry:
    """Raises `ModelUnknown`."""
    return _one(store.engine.read("model_at", (model_id,)), model_id)


def listed(store: Store, scenario: str | None = None) -> list[ModelEntry]:
    """The newest first; of one scenario, or of all."""
    if scenario is None:
        return _opened(store.engine.read("models", (MODELS_LISTED_MAX,)))
    return _opened(store.engine.read("models_of", (scenario, MODELS_LISTED_MAX)))


def in_use(store: Store, kind: str = STRATEGY) -> dict[str, ModelEntry]:
    """The active model of every scenario that has one of this kind."""
    used = _opened(store.engine.read("models_active"))
    return {one.scenario: one for one in used if one.kind == kind}


def active(store: Store, scenario: str, kind: str = STRATEGY) -> ModelEntry | None:
    return in_use(store, kind).get(scenario)


def promote(
    store: Store, model_id: str, *, expected: str | None, actor: str, why: str = ""
) -> ModelEntry:
    """Put a model in use, in the place of `expected`, the one that the caller saw there.

    Raises `ModelNotPromoted` where another is in use by now, or where the model was refused.
    """
    with store.change(actor) as (change, _):
        entry = _one(change.tx.fetch("model_at", (model_id,)), model_id)
        if entry.status is ModelStatus.REFUSED:
            raise _refused(entry, f"it was refused ({entry.why})")
        _replace(change, entry.scenario, entry.kind, expected, entry)
        return _keep(change, _now_active(change, entry), "promoted", was=expected, why=why)


def roll_back(
    store: Store,
    scenario: str,
    *,
    expected: str | None,
    actor: str,
    why: str = "",
    kind: str = STRATEGY,
) -> ModelEntry | None:
    """Take the model in use out of use; its parent comes back where it is still there.

    Returns what is in use now. Raises `ModelNotPromoted` where `expected` is not in use.
    """
    with store.change(actor) as (change, _):
        was = _replace(change, scenario, kind, expected, None)
        back = was and _parent(change.tx, was)
        if was is None:
            return None
        if back is None:
            _note(change, was, "rolled back", why=why, now=None)
            return None
        return _keep(change, _now_active(change, back), "rolled back", was=expected, why=why)


def retire(store: Store, model_id: str, *, actor: str, why: str = "") -> ModelEntry:
    """Take a model out of use, or a candidate out of the choice."""
    return _stand(store, model_id, ModelStatus.RETIRED, actor, why)


def refuse(store: Store, model_id: str, *, actor: str, why: str) -> ModelEntry:
    """Say that a model must not be used: the gate's word, or somebody's."""
    return _stand(store, model_id, ModelStatus.REFUSED, actor, why)


def surplus(entries: Iterable[ModelEntry]) -> list[ModelEntry]:
    """Models that need not be kept: of each scenario and kind all but the newest, the one in use
    and its parent."""
    alike: dict[tuple[str, str], list[ModelEntry]] = {}
    for entry in sorted(entries, key=lambda one: (one.made_at, one.model_id), reverse=True):
        alike.setdefault((entry.scenario, entry.kind), []).append(entry)
    found = []
    for models in alike.values():
        used = [one for one in models if one.status is ModelStatus.ACTIVE]
        kept = {one.model_id for one in used} | {one.parent for one in used}
        others = [one for one in models if one.model_id not in kept]
        found += others[MODELS_KEPT:]
    return found


def drop(store: Store, model_ids: Iterable[str], *, actor: str, why: str) -> list[str]:
    """Take models that are not in use out of the registry; returns which."""
    dropped = []
    with store.change(actor) as (change, _):
        for model_id in model_ids:
            for entry in _opened(change.tx.fetch("model_at", (model_id,))):
                if entry.status is not ModelStatus.ACTIVE:
                    change.tx.run("drop_model", (model_id,))
                    _note(change, entry, "dropped", why=why)
                    dropped.append(model_id)
    return dropped


def _stand(store: Store, model_id: str, status: ModelStatus, actor: str, why: str) -> ModelEntry:
    with store.change(actor) as (change, _):
        entry = _one(change.tx.fetch("model_at", (model_id,)), model_id)
        changed = {"status": status, "why": why or entry.why}
        return _keep(change, entry.model_copy(update=changed), str(status), why=why)


def _replace(
    change: Change, scenario: str, kind: str, expected: str | None, heir: ModelEntry | None
) -> ModelEntry | None:
    """Retire what is in use, if it is what was expected; returns it."""
    every = _opened(change.tx.fetch("models_active"))
    used = [one for one in every if (one.scenario, one.kind) == (scenario, kind)]
    found = used[0].model_id if used else None
    if found != expected:
        why = f"{found or 'no model'} is in use by now, not {expected or 'none'}"
        raise ModelNotPromoted(
            model=heir.model_id if heir else "before", scenario=scenario, why=why
        )
    for one in used:
        if heir is None or one.model_id != heir.model_id:
            _write(change.tx, one.model_copy(update={"status": ModelStatus.RETIRED}))
    return used[0] if used else None


def _parent(tx: Transaction, entry: ModelEntry) -> ModelEntry | None:
    found = _opened(tx.fetch("model_at", (entry.parent,))) if entry.parent else []
    return next(
        (
            one
            for one in found
            if one.status is not ModelStatus.REFUSED
            and (one.scenario, one.kind) == (entry.scenario, entry.kind)
        ),
        None,
    )


def _now_active(change: Change, entry: ModelEntry) -> ModelEntry:
    now = to_datetime(change.now_ms)
    return entry.model_copy(update={"status": ModelStatus.ACTIVE, "promoted_at": now})


def _refused(entry: ModelEntry, why: str) -> ModelNotPromoted:
    return ModelNotPromoted(model=entry.model_id, scenario=entry.scenario, why=why)


def _one(rows: Iterable[Row], model_id: str) -> ModelEntry:
    for found in _opened(rows):
        return found
    raise ModelUnknown(model=model_id)


def _keep(change: Change, entry: ModelEntry, act: str, **more: Any) -> ModelEntry:
    _write(change.tx, entry)
    _note(change, entry, act, **more)
    return entry


def _note(change: Change, entry: ModelEntry, act: str, **more: Any) -> None:
    detail = {"act": act, "model": entry.model_id, "scenario": entry.scenario, **more}
    change.note(ACTION, orjson.dumps(detail, option=orjson.OPT_SORT_KEYS).decode())


def _write(tx: Transaction, entry: ModelEntry) -> None:
    files = orjson.dumps([one.model_dump() for one in entry.files]).decode()
    facts = orjson.dumps(entry.facts, option=orjson.OPT_SORT_KEYS).decode()
    times = (entry.made_at, entry.promoted_at, entry.first_at, entry.last_at)
    made, promoted, first, last = (at and to_ms(at) for at in times)
    row = (
        entry.model_id, entry.scenario, entry.kind, entry.status.value, made, promoted,
        entry.parent, entry.program, entry.seed, entry.rows, first, last, files, entry.why, facts,
    )  # fmt: skip
    save_rows(tx, "model", [row])


def _opened(rows: Iterable[Row]) -> list[ModelEntry]:
    return [_entry(*row) for row in sound(rows)]


def _entry(
    model_id: str, scenario: str, kind: str, status: str, made_ms: int, promoted_ms: int | None,
    parent: str | None, program: str, seed: int, rows: int, first_ms: int | None,
    last_ms: int | None, files: str, why: str, facts: str,
) -> ModelEntry:  # fmt: skip
    promoted, first, last = (
        None if ms is None else to_datetime(ms) for ms in (promoted_ms, first_ms, last_ms)
    )
    return ModelEntry(
        model_id=model_id, scenario=scenario, kind=kind, status=ModelStatus(status),
        made_at=to_datetime(made_ms), promoted_at=promoted, parent=parent, program=program,
        seed=seed, rows=rows, first_at=first, last_at=last, files=tuple(orjson.loads(files)),
        why=why, facts=orjson.loads(facts),
    )  # fmt: skip
