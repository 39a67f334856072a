"""A test of the alerts by way of a Prefect server: a program of the flows is asked to send it.

The library never imports Prefect, so another process does, and answers with JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any, NamedTuple

from memtend.cli import show
from memtend.cli.flows import FLOWS, require

CHANNEL = "prefect"
URL = "PREFECT_API_URL"


class Answer(NamedTuple):
    """What became of the test. `why` is empty where nothing failed.

    `fires` has each automation that hears of it: its name, and whether it has `sent` something;
    None where that was not known in time.
    """

    why: str
    fires: tuple[dict[str, Any], ...] = ()
    channel: str = CHANNEL

    def told(self) -> dict[str, Any]:
        return {"channel": self.channel, "why": self.why, "automations": list(self.fires)}

    def say(self) -> None:
        if self.fires or not self.why:
            show.done("the Prefect server took the test")
        for one in self.fires:
            name = show.clean(one["automation"])
            if one["sent"]:
                show.done(f"{name} told whom it tells")
            elif one["sent"] is None:
                show.note(f"{name} hears of it; whether it told anybody is not known yet")
        if not self.fires and not self.why:
            show.note("no automation hears of it: `memtend deploy --notify` makes some")


def try_prefect(store: str | None) -> Answer | None:
    """None where no server is named."""
    if not os.environ.get(URL):
        return None
    require("alerts test")
    # By the environment: an address may hold a password, and every process shows its arguments.
    place = {} if store is None else {"MEMTEND_STORE_URL": store}
    line = (sys.executable, "-m", f"{FLOWS}.trying")
    done = subprocess.run(  # noqa: S603 — our own module, no shell
        line, env=os.environ | place, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return Answer(_why(done.stderr))
    tried = json.loads(done.stdout)
    fires = tuple(tried["fires"])
    failed = [f"{one['automation']}: {one['why']}" for one in fires if one["sent"] is False]
    untaken = "" if tried["taken"] else "the server has not written the test down"
    return Answer("; ".join(failed) or untaken, fires)


def _why(said: str) -> str:
    """The last line of what a program said, which with JSON is its error."""
    last = said.strip().rpartition("\n")[2]
    try:
        return str(json.loads(last)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return last or "the program that sends it ended without a word"
