"""Small trees and backups as the two AML programs left them, always with the same bytes.

    python -m tests.migration.aml_samples tests/golden/legacy/aml-ts

writes the golden sample: a tree of the program that packs every file, with the backups of both.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import tarfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

STAMP = "2026-09-05T07:10:59.953Z"
LATER = "2026-10-01T12:00:00.000Z"


def pattern(item_id: str, rate: float = 0.5, **more: Any) -> dict[str, Any]:
    return {
        "id": item_id,
        "agent": "backend",
        "timestamp": STAMP,
        "pattern": {
            "type": "retry",
            "context": {"http": True, "tries": 3},
            "approach": {"technique": "back off", "rationale": "bürsts", "steps": ["wait", "try"]},
            "conditions": {"whenApplicable": ["5xx"], "whenNotApplicable": []},
        },
        "metrics": {"successRate": rate, "executionCount": 8, "avgTimeSavedMs": 12,
                    "errorPreventionCount": 1},
        "evolution": {"created": STAMP, "lastUsed": LATER, "refinements": 2,
                      "confidenceScore": 0.75},
        "tags": ["http"],
        "active": True,
        **more,
    }  # fmt: skip


def solution(item_id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": item_id,
        "agent": "backend",
        "timestamp": STAMP,
        "problem": {"errorType": "Timeout", "errorMessage": "late", "context": {}},
        "solution": {"rootCause": "pool", "fixApproach": "more", "prevention": "alarm"},
        "effectiveness": {"worked": True, "timeToFixMinutes": 5, "preventedRecurrence": True,
                          "relatedErrorsFixed": 0},
        "active": True,
        "verifiedCount": 3,
        **more,
    }  # fmt: skip


def decision(item_id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": item_id,
        "agent": "backend",
        "timestamp": STAMP,
        "decision": {
            "type": "storage",
            "question": "which?",
            "context": {},
            "chosenOption": "b",
            "alternativesConsidered": ["a"],
            "decisionFactors": {"primary": ["cost"], "secondary": []},
        },
        "outcome": {"successMetrics": {"maintainability": 0.9}, "lessonsLearned": [],
                    "wouldRepeat": True},
        "active": True,
        "reviewedAt": LATER,
        **more,
    }  # fmt: skip


def alert(item_id: str, message: str) -> dict[str, Any]:
    return {"id": item_id, "timestamp": "2026-10-01T12:00:00.123456", "level": "warning",
            "category": "memory", "message": message, "details": {"mb": 61.5}, "resolved": False,
            "resolved_at": None}  # fmt: skip


def text(value: Any) -> bytes:
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def pack(data: bytes) -> bytes:
    return gzip.compress(data, 9, mtime=0)


TREE: dict[str, Any] = {
    "backend/patterns.json": [pattern("p1"), pattern("p2", 1, mood="grün")],
    "backend/solutions.json": [solution("s1")],
    "backend/decisions.json": [
        decision("d1"),
        decision("d2", outcome={"success_metrics": {"speed": 0.1}, "would_repeat": False}),
    ],
    "backend/metrics.json": {"agent": "backend", "timestamp": LATER,
                             "performance": {"avgQueryLatencyMs": 3.5, "totalQueries": 12},
                             "period": "day"},
    "backend/context.json": {"language": "python"},
    "backend/index.json": {"never": "read"},
    "frontend/patterns.json": [pattern("p1", agent="frontend")],
    "global/archived-decisions.json": [decision("d0", agent="frontend", tags=["old"])],
    "global/cross-agent.json": {"shared": ["p1"]},
    "global/index.json": {"never": "read"},
    "audit/audit-2026-10-01T12-00-00.json": [{"event": "write"}],
}  # fmt: skip
PLAIN = {
    "config.json": {"enabled": True},
    "monitoring/alerts.json": {"alerts": [alert("alert_1", "one"), alert("alert_1", "two")]},
    "monitoring/metrics.json": {"history": [{"timestamp": "2026-10-01T12:00:00.123456"}]},
}


def write(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def packed_tree() -> dict[str, bytes]:
    """As the program in TypeScript writes it: gzip under the names of plain JSON."""
    packed = {name: pack(text(value)) for name, value in TREE.items()}
    return packed | {name: text(value) for name, value in PLAIN.items()}


class PythonBackups:
    """`backup_metadata.json` and a folder for each backup."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.entries: list[dict[str, Any]] = []

    def add(
        self, name: str, at: str, tree: Mapping[str, bytes], parent: str | None = None
    ) -> dict[str, Any]:
        """`tree` are the files as they lay in the memory; more may be said of it afterwards."""
        for path, data in tree.items():
            self.files[f"{name}/{path}.gz"] = pack(data)
        entry = {
            "backup_id": name,
            "backup_type": "incremental" if parent else "full",
            "timestamp": at,
            "source_path": "/srv/agents/.loom/memory",
            "backup_path": f"/srv/agents/.loom/memory-backup/{name}",
            "agents": sorted({path.split("/")[0] for path in tree} - {"global"}),
            "total_size_bytes": sum(map(len, tree.values())),
            "file_count": len(tree),
            "checksums": {path: sha256(data).hexdigest() for path, data in tree.items()},
            "parent_backup_id": parent,
            "compressed": True,
            "encrypted": False,
        }
        self.entries.append(entry)
        return entry

    def all(self) -> dict[str, bytes]:
        listed = text({"version": "1.0.0", "backups": self.entries})
        return self.files | {"backup_metadata.json": listed}


def tarred(members: Mapping[str, bytes], form: int = tarfile.USTAR_FORMAT) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as tar:
        for name in sorted({path.split("/")[0] for path in members}):
            folder = tarfile.TarInfo(f"{name}/")
            folder.type = tarfile.DIRTYPE
            tar.addfile(folder)
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return pack(raw.getvalue())


def tar_backup(
    name: str, at: str, members: Mapping[str, bytes] | bytes, **more: Any
) -> dict[str, bytes]:
    """A `.tar.gz` and its `.meta.json`."""
    data = members if isinstance(members, bytes) else tarred(members)
    agents = [] if isinstance(members, bytes) else sorted({path.split("/")[0] for path in members})
    meta = {"id": name, "timestamp": at, "agents": agents, "totalSize": len(data),
            "compressed": True, "encrypted": False, "type": "full",
            "checksum": sha256(data).hexdigest(), "fileCount": 1, **more}  # fmt: skip
    return {f"{name}.tar.gz": data, f"{name}.meta.json": text(meta)}


def both_backups() -> dict[str, bytes]:
    """An older full backup and an increment of one program, the newest of the other, archives."""
    tree = packed_tree()
    of_agents = {name: tree[name] for name in tree if name.startswith(("backend", "global"))}
    python = PythonBackups()
    python.add("full_20260901_100000", "2026-09-01T10:00:00.000001", of_agents)
    changed = {"backend/solutions.json": pack(text([solution("s1"), solution("s2")]))}
    python.add("incr_20260902_100000", "2026-09-02T10:00:00.000001", changed,
               "full_20260901_100000")  # fmt: skip
    everything = {name: tree[name] for name in tree if "/" in name}
    stamp = "2026-10-02T00:00:00.000Z"
    archived = {
        "archives/backend/decisions_20260701_000000.json.gz": pack(text([decision("d7")])),
        "archives/backend/negative_decisions_20260702_000000.json.gz": pack(text([decision("d8")])),
    }
    return python.all() | tar_backup("backup-1790899200000-x1", stamp, everything) | archived


def main(folder: Path) -> None:
    write(folder / "memory", packed_tree())
    write(folder / "memory-backup", both_backups())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
