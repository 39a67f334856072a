"""Driver: alerts on a disk that has got full.

usage: fullalert FOLDER     FOLDER: a small file system of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from memtend.alerting.telling import Notice
from memtend.services import open_services
from memtend.settings import Settings
from tests.crash.full import fill_up, put_until_full
from tests.crash.steps import store_url


class Ear:
    name = channel = "ear"

    def __init__(self) -> None:
        self.heard: list[str] = []

    def tell(self, store: str, notices: Sequence[Notice]) -> str | None:
        self.heard += [notice.alert.rule for notice in notices]
        return None


def main(folder: Path) -> None:
    ear = Ear()
    settings = Settings(backup_url=f"{folder}/backups")
    with open_services(store_url(folder), settings=settings) as services:
        put_until_full(services.memory)
        fill_up(folder)
        looks = [services.check_alerts(tellers=[ear]) for _ in range(3)]
        report = {
            "heard": ear.heard,
            "opened": [[one.rule for one in look.opened] for look in looks],
        }
    print(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
