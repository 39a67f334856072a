"""Models, as steps of the crash scripts: files before the row, and the row before they are used."""

from __future__ import annotations

from collections.abc import Iterator

from memtend.clock import to_datetime
from memtend.model.learned import ModelEntry, ModelStatus
from memtend.modelfiles import files_of
from memtend.services import Services
from memtend.store import models

SCENARIO = "build"
FILES = {"card.md": b"# what it is", "serve.npz": b"\x00" * 5_000}


def fit(services: Services) -> None:
    """One model more, put in use."""
    store = services.store
    used = _used(services)
    model_id = store.clock.new_id()
    entry = ModelEntry(
        model_id=model_id, scenario=SCENARIO, kind="strategy", status=ModelStatus.CANDIDATE,
        made_at=to_datetime(store.clock.now_ms()), parent=used, program="0.1.0",
        seed=0, rows=9, files=files_of(store).write(model_id, FILES),
    )  # fmt: skip
    models.save(store, entry, "operator")
    models.promote(store, model_id, expected=used, actor="operator")


def go_back(services: Services) -> None:
    models.roll_back(services.store, SCENARIO, expected=_used(services), actor="operator")


def let_go_of_unused(services: Services) -> None:
    """The row first: what it leaves is too much, never too little."""
    known = models.listed(services.store)
    old = [one.model_id for one in known if one.status is ModelStatus.RETIRED]
    files_of(services.store).remove(models.drop(services.store, old, actor="tend", why="old"))


def torn(services: Services) -> Iterator[str]:
    """What must not be, whenever the process was killed."""
    files, known = files_of(services.store), models.listed(services.store)
    for one in known:
        if files.missing(one):
            yield f"the model {one.model_id} has lost files"
        elif {name: files.read(one, name) for name in FILES} != FILES:
            yield f"the model {one.model_id} has other files"
    if sum(one.status is ModelStatus.ACTIVE for one in known) > 1:
        yield "two models are in use"


def _used(services: Services) -> str | None:
    found = models.active(services.store, SCENARIO)
    return found.model_id if found else None
