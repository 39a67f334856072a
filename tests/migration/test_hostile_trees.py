"""Trees that were made to hurt, read by a process that may not have the memory they ask for."""

from __future__ import annotations

import base64
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from memtend.limits import MIB
from memtend.migrate.detect import read_source
from memtend.migrate.items import ImportItem, Quarantined
from tests.migration.aml_samples import PythonBackups, pack, tar_backup, tarred, text, write

SPARE_MIB = 64
READER = """
import re, resource, sys
from pathlib import Path
from memtend.migrate.detect import read_source
from memtend.migrate.items import ImportItem, Quarantined

list(read_source(Path(sys.argv[2]), sys.argv[1]))  # all modules are loaded now
used = int(re.search(r"VmSize:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
limit = used + int(sys.argv[4]) * 1024 * 1024
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for one in read_source(Path(sys.argv[3]), sys.argv[1]):
    print(type(one).__name__, one.path, getattr(one, "reason", ""))
"""


def zeros(mib: int, layers: int = 1) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(mib)) + packer.flush()
    for _ in range(layers - 1):
        bomb = pack(bomb)
    return bomb


BOMB = zeros(256)


def read_in_little_memory(kind: str, harmless: Path, hostile: Path) -> list[str]:
    command = [sys.executable, "-c", READER, kind, str(harmless), str(hostile), str(SPARE_MIB)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    return done.stdout.splitlines()


def test_bombs_in_trees(tmp_path: Path) -> None:
    write(tmp_path / "good", {"a/patterns.json": pack(b'[{"id": "p1"}]')})
    write(
        tmp_path / "bad",
        {
            "a/patterns.json": BOMB,
            "a/solutions.json.gz": pack(BOMB),
            "a/decisions.json": pack(b"[" * 30_000_000),
            "a/context.json": b"\x1f\x8b" * 100_000,
            "b/patterns.json": b'[{"id": "p2"}]',
        },
    )
    told = read_in_little_memory("aml", tmp_path / "good", tmp_path / "bad")
    assert [line.split()[0] for line in told] == ["Quarantined"] * 4 + ["ImportItem"]


def test_bombs_in_backups(tmp_path: Path) -> None:
    good, bad = PythonBackups(), PythonBackups()
    good.add("full_1", "2026-10-01", {"a/patterns.json": b'[{"id": "p1"}]'})
    bad.add("full_1", "2026-10-01", {"a/patterns.json": b"x", "a/solutions.json": b"[]"})
    inside = tarred({"a/patterns.json": BOMB, "a/solutions.json": b"[]"})
    write(tmp_path / "good", good.all())
    write(
        tmp_path / "bad",
        {
            **bad.all(),
            "full_1/a/patterns.json.gz": BOMB,
            **tar_backup("t1", "2026-10-02T00:00:00Z", BOMB, agents=["a"]),
            **tar_backup("t2", "2026-10-03T00:00:00Z", inside, agents=["a"]),
            "t3.meta.json": BOMB,
            "archives/a/decisions_20260101_000000.json.gz": BOMB,
        },
    )
    told = read_in_little_memory("aml-backup", tmp_path / "good", tmp_path / "bad")
    lost = {line.split()[1] for line in told if line.startswith("Quarantined")}
    assert lost == {
        "t3.meta.json",
        "t2.tar.gz/a/patterns.json",
        "full_1/a/patterns.json.gz",
        "t1.tar.gz",
        "archives/a/decisions_20260101_000000.json.gz",
    }


def lifecycle(root: Path) -> Path:
    """A store with one record, which is no counter by its own policies."""
    record = {"key": "a/b", "value": 1, "timestamp": 1.5, "namespace": "a"}
    write(root, {".claude-flow/memory/a_b.json": text(record)})
    with sqlite3.connect(root / ".claude-flow/memory.db") as database:
        database.execute(
            "CREATE TABLE memory_metadata (key TEXT PRIMARY KEY, namespace, timestamp, file_path, "
            "accessed_at)"
        )
        row = ("a/b", "a", 1.5, "/srv/gone/a_b.json", 1_767_225_600.5)
        database.execute("INSERT INTO memory_metadata VALUES (?,?,?,?,?)", row)
    database.close()
    return root


POLICIES = ".claude/memory-retention-policies.yaml"
ALIASES = "a0: &a0 x\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)


@pytest.mark.parametrize(
    "policies",
    [
        ALIASES.encode(),
        b"namespaces: &n [*n]",
        b"[" * 100_000,
        b"a: 1\n" * 1_000_000,
        b"namespaces: !!python/object/apply:os.system ['true']",
        b"\xff\xfe",
    ],
)
def test_policies_that_were_made_to_hurt(policies: bytes, tmp_path: Path) -> None:
    write(lifecycle(tmp_path), {POLICIES: policies})
    lost, kept = read_source(tmp_path, "lifecycle")
    assert isinstance(lost, Quarantined)
    assert isinstance(kept, ImportItem)
    assert (lost.path, lost.data) == (POLICIES, policies[:MIB])
    assert kept.accessed_ms == 1_767_225_600_500


def test_policies_that_nobody_would_ever_write_to(tmp_path: Path) -> None:
    """Opening a pipe waits for a writer."""
    (lifecycle(tmp_path) / ".claude").mkdir()
    os.mkfifo(tmp_path / POLICIES)
    lost, _ = read_source(tmp_path, "lifecycle")
    assert isinstance(lost, Quarantined)
    assert lost.reason == "it is not a plain file"


def test_bombs_in_a_lifecycle_store(tmp_path: Path) -> None:
    bomb = base64.b64encode(zeros(64)).decode()
    record = {"key": "x/y", "value": bomb, "timestamp": 1.5, "compressed": True}
    loser = {"key": "x/z", "value": 1, "timestamp": 2.5, "conflict_values": [[bomb, 1.5]]}
    lifecycle(tmp_path / "good")
    write(
        lifecycle(tmp_path / "bad"),
        {
            ".claude-flow/memory/value.json": json.dumps(record).encode(),
            ".claude-flow/memory/loser.json": json.dumps(loser).encode(),
            ".claude-flow/memory/whole.json": BOMB,
            ".claude-flow/memory.db": gzip.compress(b"no database"),
        },
    )
    told = read_in_little_memory("lifecycle", tmp_path / "good", tmp_path / "bad")
    assert [line.split()[0] for line in told].count("Quarantined") == 3
    assert "ImportItem x/z/x/z " in told  # a loser that cannot be unpacked is the text that it is
