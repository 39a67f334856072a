"""Driver: erasing on a full disk, without room to rebuild the file, and again when there is.

usage: fullerase FOLDER      FOLDER: a small file system of its own
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from memtend.drafting import Put
from memtend.model.subject import Subject
from memtend.services import Services, open_services
from memtend.settings import Settings
from memtend.store.verify import verify_store
from tests.crash.full import fill_up
from tests.crash.shim import in_child
from tests.crash.steps import store_url

CANARY = "canary-0e2f77"
KEPT, ERASED = 5_000, 50


def erase(services: Services) -> dict[str, Any]:
    report = services.apply_erase(services.plan_erase(Subject.of_namespace(CANARY)))
    return {"deleted": report.deleted, "rewritten": report.rewritten, "left": report.residue}


def naming(folder: Path) -> list[str]:
    files = sorted(file for file in folder.glob("store.db*") if file.is_file())
    return [file.name for file in files if CANARY.encode() in file.read_bytes()]


def work(folder: Path) -> Iterator[dict[str, Any]]:
    chosen = Settings(plans_url=f"{folder}/plans", archive_url=f"{folder}/archive")
    with open_services(store_url(folder), settings=chosen) as services:
        memory = services.memory
        memory.put_many([Put("kept", f"k{n}", os.urandom(600).hex()) for n in range(KEPT)])
        memory.put_many([Put(CANARY, f"{CANARY}-{n}", f"{CANARY} {n}") for n in range(ERASED)])
    with open_services(store_url(folder), settings=chosen) as services:
        fill_up(folder)
        yield erase(services) | {"naming": naming(folder)}
        yield {"gone": services.memory.scan(CANARY) == []}
        (folder / "padding").unlink()
        yield erase(services) | {"naming": naming(folder)}
        yield {"damage": verify_store(services.store).damage_count}
        yield {"ballast": services.store.ballast.count()}


if __name__ == "__main__":
    code, told = in_child(lambda: work(Path(sys.argv[1])))
    print(json.dumps({"code": code, "told": told}))
