"""Settings, read once at the edge: environment variables `MEMTEND_…`, else these defaults.

A store URL may carry a password, so it is a secret: `repr` and logs never show it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MEMTEND_", frozen=True, extra="ignore")

    store_url: str = Field(default="memtend.db", repr=False)
    backup_url: str = Field(default="memtend-backups", repr=False)
    plans_url: str = "memtend-plans"
    durability: Literal["full", "normal"] = "full"
    key_path: Path | None = None
    """Where the audit key is kept; beside the database file if unset."""
    agent: str | None = None
    """Open the store as this agent, with its grants."""
