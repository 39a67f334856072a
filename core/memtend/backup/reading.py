"""Reading objects for verification: what is wrong with one is a finding, and the next is read."""

from __future__ import annotations

from hashlib import sha256

from memtend.backup.findings import Findings
from memtend.backup.report import FindingKind
from memtend.backup.repository import Repository, object_name
from memtend.codec.compress import Damaged
from memtend.codec.crypto import Kind
from memtend.errors import ObjectDamaged, ObjectMissing, TargetDenied, TargetUnavailable
from memtend.limits import TARGET_FAILURES_MAX


class Reader:
    """Gives up on the target after a few failures in a row."""

    def __init__(self, repository: Repository, findings: Findings) -> None:
        self._repository = repository
        self._findings = findings
        self._failures = 0
        self.read_bytes = 0

    def read(self, digest: str, limit: int) -> bytes | None:
        """What is in the object, if its bytes are the right ones."""
        if self._findings.is_bad_object(digest):
            return None
        name = object_name(digest)
        try:
            data = self._repository.store.get(name, limit=limit)
        except (ObjectDamaged, ObjectMissing) as error:
            self._findings.add(FindingKind.OBJECT_DAMAGED, name, str(error), object=digest)
            return None
        except (TargetDenied, TargetUnavailable) as error:
            self._failures += 1
            if self._failures >= TARGET_FAILURES_MAX:
                raise
            self._findings.add(FindingKind.OBJECT_UNREADABLE, name, str(error), object=digest)
            return None
        self._failures = 0
        self.read_bytes += len(data)
        if sha256(data).hexdigest() != digest:
            why = "its bytes do not match its name"
            self._findings.add(FindingKind.OBJECT_DAMAGED, name, why, object=digest)
            return None
        try:
            return self._repository.unseal(Kind.SEGMENT, data)
        except Damaged as error:
            self._findings.add(FindingKind.OBJECT_DAMAGED, name, str(error), object=digest)
            return None
