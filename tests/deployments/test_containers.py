"""Dockerfile and compose file: linted, closed, and asking for no more than they need."""

from __future__ import annotations

import os
import re
import subprocess

import psycopg
import pytest
from psycopg import sql

from memtend.settings import Settings
from tests.deployments.compose import FOLDER, composed
from tests.deployments.starting import BIN, unknown
from tests.fixtures.postgres import PostgresServer, find_binaries

ROOT = FOLDER.parents[1]
COMPOSE = composed()
SERVICES = COMPOSE.services
IMAGE = (FOLDER / "Dockerfile").read_text()


def test_the_dockerfile_passes_its_linter() -> None:
    ran = subprocess.run(
        [BIN / "hadolint", "--failure-threshold", "info", FOLDER / "Dockerfile"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout) == (0, "")


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    """And nothing else gets into the image: the list of what is ignored begins with everything."""
    lines = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    sent = {rule.removeprefix("!") for rule in rules if rule.startswith("!")}
    copied = [
        name for line in re.findall(r"^COPY (?!--)(.*)$", IMAGE, re.M) for name in line.split()[:-1]
    ]
    assert set(copied) == sent
    assert all((ROOT / name).exists() for name in copied)


def test_the_image_runs_as_nobody_in_particular() -> None:
    user = re.findall(r"^USER (.*)$", IMAGE, re.M)
    assert user == ["10001:10001"]
    assert "--uid 10001" in IMAGE
    assert not re.search(r"(?i)password|secret|_key", IMAGE)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_no_more_than_it_must(name: str) -> None:
    service = SERVICES[name]
    assert service.read_only
    assert service.cap_drop == ["ALL"]
    assert service.security_opt == ["no-new-privileges:true"]
    assert not service.cap_add or name == "database"
    assert all(port.startswith("127.0.0.1:") for port in service.ports)
    assert service.ports == [] or "outside" in service.networks  # none is published from inside


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_names_is_there(name: str) -> None:
    service = SERVICES[name]
    assert set(service.networks) <= set(COMPOSE.networks)
    for volume in service.volumes:
        source = volume.partition(":")[0]
        assert source in COMPOSE.volumes or (FOLDER / source).is_file()
    for other, on in service.depends_on.items():
        healthy = on.condition == "service_healthy"
        assert (SERVICES[other].healthcheck is not None) is healthy
    assert service.healthcheck is not None or name == "deploy"  # which ends
    if service.build is not None:
        assert (FOLDER / service.build.context).resolve() == ROOT
        assert (ROOT / service.build.dockerfile).is_file()


def test_every_volume_and_network_is_used() -> None:
    used = {volume.partition(":")[0] for one in SERVICES.values() for volume in one.volumes}
    assert set(COMPOSE.volumes) <= used
    assert {network for one in SERVICES.values() for network in one.networks} == set(
        COMPOSE.networks
    )
    assert COMPOSE.networks["inside"].internal


def test_every_variable_is_in_the_example_and_must_be_set() -> None:
    text = (FOLDER / "compose.yaml").read_text()
    wanted = set(re.findall(r"\$\{(\w+):\?[^}]+\}", text))
    assert set(re.findall(r"\$\{(\w+)", text)) == wanted  # none has a default that anybody knows
    example = (FOLDER / "example.env").read_text()
    assert set(re.findall(r"^(\w+)=$", example, re.M)) == wanted
    ignored = subprocess.run(["git", "check-ignore", "-q", FOLDER / ".env"], check=False, cwd=ROOT)
    assert ignored.returncode == 0


@pytest.mark.parametrize("name", ["deploy", "worker"])
def test_settings_are_settings(name: str) -> None:
    known = {f"MEMTEND_{field.upper()}" for field in Settings.model_fields}
    given = {key for key in SERVICES[name].environment if key.startswith("MEMTEND_")}
    assert given <= known


@pytest.mark.parametrize("name", ["prefect", "deploy", "worker"])
def test_what_is_started_exists_with_its_options(name: str) -> None:
    words = SERVICES[name].command
    commands = [part.split() for part in words[2].split(" && ")] if words[0] == "sh" else [words]
    assert [unknown(command) for command in commands] == [[]] * len(commands)


def test_two_roles_own_one_database_each(postgres_server: PostgresServer) -> None:
    """`databases.sh` on a real server; neither role may even connect to the other's."""
    binaries = find_binaries()
    assert binaries is not None
    host, port = postgres_server.host, postgres_server.port
    address = {"PGHOST": host, "PGPORT": str(port), "PGDATABASE": "postgres"}
    given = {"MEMORY_PASSWORD": "it's", "PREFECT_PASSWORD": 'a "b"'}
    given["PATH"] = f"{binaries}:{os.environ['PATH']}"
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE postgres SUPERUSER LOGIN")
        try:
            subprocess.run(
                ["sh", FOLDER / "databases.sh"], env=os.environ | address | given, check=True
            )
            for role, other in (("memory", "prefect"), ("prefect", "memory")):
                place = f"postgresql://{role}@{host}:{port}"
                with psycopg.connect(f"{place}/{role}") as own:
                    own.execute("CREATE TABLE mine (n int)")
                with pytest.raises(psycopg.OperationalError, match="permission denied"):
                    psycopg.connect(f"{place}/{other}")
        finally:
            for role in ("memory", "prefect"):
                name = sql.Identifier(role)
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
                connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(name))
            connection.execute("DROP ROLE postgres")
