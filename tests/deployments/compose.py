"""The part of the Compose format that ours uses, closed: a misspelt word is an error.

There is no Docker here to read the file, and its own schema would let unknown words pass in many
places. So what is not known to this module is not used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

FOLDER = Path(__file__).parents[2] / "deployments" / "containers"


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Build(Closed):
    context: str
    dockerfile: str


class Healthcheck(Closed):
    test: list[str]
    interval: str = Field(pattern=r"^[0-9]+[sm]$")
    timeout: str = Field(pattern=r"^[0-9]+s$")
    retries: int
    start_period: str = Field(default="0s", pattern=r"^[0-9]+[sm]$")


class DependsOn(Closed):
    condition: Literal["service_healthy", "service_completed_successfully"]


class Deploy(Closed):
    replicas: int


class Service(Closed):
    image: str
    restart: Literal["unless-stopped", "on-failure"]
    init: bool
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    pids_limit: int
    networks: list[str]
    environment: dict[str, str]
    build: Build | None = None
    cap_add: list[str] = []
    command: list[str] = []
    entrypoint: list[str] = []
    volumes: list[str] = []
    tmpfs: list[str] = []
    ports: list[str] = []
    shm_size: str | None = None
    stop_grace_period: str | None = None
    depends_on: dict[str, DependsOn] = {}
    deploy: Deploy | None = None
    healthcheck: Healthcheck | None = None


class Network(Closed):
    internal: bool = False


class Compose(Closed):
    name: str
    services: dict[str, Service]
    networks: dict[str, Network]
    volumes: dict[str, dict[str, Any]]


def composed() -> Compose:
    """The file as Compose sees it: extensions are gone, what they stood for is in its place."""
    found = yaml.safe_load((FOLDER / "compose.yaml").read_text())
    kept = {key: value for key, value in found.items() if not key.startswith("x-")}
    return Compose.model_validate(kept, strict=True)
