"""docs/howto/move-to-postgresql.md on a real server: roles, the move, what agents may not do."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from doctest import OutputChecker
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from memtend.errors import MemtendError
from memtend.memory import Memory
from memtend.services import open_services
from memtend.settings import Settings
from tests.docs.examples import LOOSELY, commands, environment
from tests.fixtures.postgres import PostgresServer

PAGE = (Path(__file__).parents[2] / "docs" / "howto" / "move-to-postgresql.md").read_text()
SHOWN = "db.example.net"
ROLES = ("memory_agents", "memory")
FIRST, INSIDE = re.findall(r"^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def prepared(postgres_server: PostgresServer) -> Iterator[str]:
    """Host and port of a server on which the page's SQL was run by its administrator."""
    server = postgres_server
    try:
        _run(server.url(), FIRST)
        _run(server.url("memory"), INSIDE)
        yield f"{server.host}:{server.port}"
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS memory WITH (FORCE)")
            for role in ROLES:
                name = sql.Identifier(role)
                connection.execute(
                    sql.SQL("REVOKE ALL ON FUNCTION pg_control_system() FROM {}").format(name)
                )
                connection.execute(sql.SQL("DROP ROLE {}").format(name))


def test_the_page_does_what_it_shows(
    prepared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = environment()
    for block in BLOCKS:
        for text, expected in commands(block.replace(SHOWN, prepared)):
            if text.startswith("export "):
                given |= dict(re.findall(r"(\w+)=(\S+)", text))
                continue
            done = subprocess.run(
                ["bash", "-c", text], env=given, check=False, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            wanted = expected.replace("…", "...").strip()
            assert OutputChecker().check_output(wanted, done.stdout.strip(), LOOSELY), done
            assert done.returncode == 0, done


def test_agents_read_and_write_and_change_no_table(prepared: str, tmp_path: Path) -> None:
    """Everything that agents call; what is the owner's part, the server refuses."""
    Memory.open(f"postgresql://memory@{prepared}/memory").close()
    url = f"postgresql://memory_agents@{prepared}/memory"
    with Memory.open(url, agent="ada", create=False) as memory:
        memory.put("team/notes", "k", {"n": 1}, ttl_ms=60_000)
        memory.increment("team/counters", "n")
        memory.add("team/sets", "s", "x")
        assert memory.get("team/notes", "k") == {"n": 1}
        with memory.lease("deploy", ttl_ms=10_000):
            memory.messages.send("bob", {"hello": True})
        memory.delete("team/notes", "k")
    settings = Settings(backup_url=str(tmp_path / "backups"), plans_url=str(tmp_path / "plans"))
    with open_services(url, settings=settings, create=False) as services:
        services.apply_sweep(services.plan_sweep())
        services.take_backup()
        with pytest.raises(MemtendError):
            services.apply_restore(services.plan_restore())
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("CREATE TABLE mine (n int)")
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DROP TABLE sibling")


def _run(url: str, statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in filter(str.strip, statements.split(";")):
            connection.execute(statement.encode())
