"""What an erasure did, and the evidence that nothing is left: counts, never names."""

from __future__ import annotations

from pydantic import AwareDatetime, BaseModel, Field

from memtend.model.plan import Report


class Evidence(BaseModel, frozen=True, extra="forbid"):
    """Where traces were looked for and how many were found.

    `tables` counts what each table still says of the subject. `hashes` of erased rows and `texts`
    (names and parts of values that nothing else in the store contains) were looked for in every
    byte of `files`; `hashes_of` is how many rows there were to choose from. What the operator has
    set by himself, policies and grants, is counted apart in `settings`; `unfinished` are rows of
    earlier erasures that were cut off, `others` records of others that name an agent or writer.
    `unreadable` are rows that an optimization has kept elsewhere.
    """

    tables: dict[str, int] = Field(default_factory=dict)
    settings: int = 0
    unfinished: int = 0
    others: int = 0
    hashes: int = 0
    hashes_of: int = 0
    texts: int = 0
    files: int = 0
    bytes: int = 0
    hits: int = 0
    archive_entries: int = 0
    plans: int = 0
    unreadable: int = 0

    @property
    def residue(self) -> int:
        elsewhere = self.hits + self.archive_entries + self.plans + self.unreadable
        return sum(self.tables.values()) + elsewhere


class EraseReport(Report, frozen=True, extra="forbid"):
    """`backups_until` is when the last backup that may still hold it ages out.

    `rewritten` says whether the database files were rebuilt, so that deleted bytes are gone.
    """

    kind: str
    log_entries: int = 0
    access_counts: int = 0
    operations: int = 0
    messages: int = 0
    models: int = 0
    audit_redacted: int = 0
    namespaces_closed: int = 0
    grants_revoked: int = 0
    plans_deleted: int = 0
    unreadable_rows: int = 0
    ledger_entries: int = 0
    archive_entries: int = 0
    copies_removed: int = 0
    rewritten: bool = False
    evidence: Evidence = Evidence()
    backups_until: AwareDatetime | None = None

    @property
    def residue(self) -> int:
        return self.evidence.residue
