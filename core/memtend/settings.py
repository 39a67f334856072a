"""Settings, read once at the edge: environment variables `MEMTEND_…`, else these defaults.

A store URL may carry a password, so it is a secret: `repr` and logs never show it.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from memtend.errors import InvalidSettings
from memtend.limits import SECRET_CHARS_MAX
from memtend.limits_upkeep import ALERT_ADDRESSES_MAX


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MEMTEND_", frozen=True, extra="ignore")

    store_url: str = Field(default="memtend.db", repr=False)
    """The store: a path, `sqlite:///PATH` or `postgresql://…`."""
    backup_url: str = Field(default="memtend-backups", repr=False)
    """Where backups go: a folder, or any fsspec URL such as `s3://bucket/backups`."""
    backup_key: SecretStr | None = None
    """Opens encrypted backups and encrypts new repositories: 64 hex digits, or a passphrase."""
    backup_key_file: Path | None = None
    """A file that holds the same."""
    backup_new_key: SecretStr | None = None
    """What `memtend backup rekey` puts in its place; or `backup_new_key_file`."""
    backup_new_key_file: Path | None = None
    archive_url: str = Field(default="memtend-archive", repr=False)
    """Where the values of cold records go. Not set, a store has a folder of its own below that."""
    plans_url: str = "memtend-plans"
    """Where plans are kept, each under its digest, and what an import could not read."""
    peer_url: str | None = Field(default=None, repr=False)
    """The address of a peer, of which `memtend blocks init` makes a Secret block; nothing else
    reads it."""
    export_url: str = "memtend-exports"
    """A folder below which the flow `export` writes."""
    report_url: str = "memtend-reports"
    """A folder below which the flows `report` and `tend` write, each store under its name."""
    report_link: str | None = None
    """The address at which people find that folder; pages of Prefect's UI link to it."""
    models_url: str = Field(default="memtend-models", repr=False)
    """Where the files of learned models are kept, each store's below its id."""
    dask_address: str | None = None
    """The scheduler of a Dask cluster, such as tcp://tend.internal:8786: wide flows use its workers
    instead of processes of their own. Workers need these same settings."""
    import_source: str | None = None
    """Older memory that the flow `ingest` reads, hourly while `memtend serve` knows of it."""
    alert_urls: SecretStr | None = None
    """Who is told of alerts: Apprise addresses, with white space between. They hold passwords."""
    alert_urls_file: Path | None = None
    """A file that holds the same, and lines of comment that begin with #."""
    home: Path | None = None
    """The folder in which workers execute what `memtend deploy` registers: relative addresses begin
    there. Unset, the folder in which it is called."""
    durability: Literal["full", "normal"] = "full"
    """What an acknowledged write survives: `full`, the loss of power; `normal`, of the process."""
    key_path: Path | None = None
    """Where the audit key is kept; beside the database file if unset."""
    migrate: Literal["check", "auto", "off"] = "check"
    """What starting does about values of older versions: say so, migrate them, or nothing. With
    `auto` a store of an older schema is brought forward, too, instead of being refused."""
    agent: str | None = None
    """Open the store as this agent, with its grants."""

    def backup_secret(self) -> str | None:
        """The text of the backup key, from the variable or the file."""
        return _secret("backup_key", self.backup_key, self.backup_key_file)

    def backup_new_secret(self) -> str | None:
        """The text of the key that is to replace it."""
        return _secret("backup_new_key", self.backup_new_key, self.backup_new_key_file)

    def alert_addresses(self) -> tuple[str, ...]:
        """Whom to tell of alerts, each once."""
        text = _secret("alert_urls", self.alert_urls, self.alert_urls_file) or ""
        lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
        found = tuple(dict.fromkeys(url for line in lines for url in line.split()))
        if len(found) > ALERT_ADDRESSES_MAX:
            why = f"{len(found):,} addresses, and no more than {ALERT_ADDRESSES_MAX} are told"
            raise InvalidSettings(name="alert_urls", why=why)
        return found


def process_name() -> str:
    """This process as an operator would look for it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _secret(name: str, given: SecretStr | None, path: Path | None) -> str | None:
    """Both would leave it open which one is meant. A file that cannot be read is named, as is."""
    if path is None:
        return given.get_secret_value() if given else None
    if given is not None:
        raise InvalidSettings(name=name, why=f"{name} and {name}_file are both set")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = f"{path} cannot be read ({type(error).__name__})"
        raise InvalidSettings(name=f"{name}_file", why=why) from None
    if len(text) > SECRET_CHARS_MAX:
        why = f"{path} is longer than {SECRET_CHARS_MAX:,} characters"
        raise InvalidSettings(name=f"{name}_file", why=why)
    return text.strip() or None
