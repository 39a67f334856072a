"""What a backup came to, told from its manifest and from what only its making knows."""

from __future__ import annotations

from memtend.backup.manifest import Manifest, ManifestName
from memtend.backup.report import BackupReport
from memtend.objects import Capabilities


def told(
    url: str,
    name: ManifestName,
    manifest: Manifest,
    *,
    encrypted: bool,
    seconds: float,
    depth: int = 0,
    segments_new: int = 0,
    capabilities: Capabilities | None = None,
    notes: tuple[str, ...] = (),
) -> BackupReport:
    """Of a backup just taken, or of one that somebody finds there."""
    return BackupReport(
        url=url,
        manifest=str(name),
        number=manifest.number,
        kind=manifest.kind,
        parent=manifest.parent,
        base=manifest.base,
        depth=depth,
        store_id=manifest.store.store_id,
        label=manifest.label,
        who=manifest.who,
        why=manifest.why,
        at=manifest.at,
        seq=manifest.store.seq,
        seq_after=manifest.seq_after,
        root=manifest.root,
        state_sum=manifest.state_sum,
        records=manifest.records,
        record_bytes=manifest.record_bytes,
        rows=manifest.rows,
        log_rows=manifest.log_rows,
        segments=len(manifest.segments),
        segments_new=segments_new,
        raw_bytes=manifest.raw_bytes,
        stored_bytes=sum(ref.stored_bytes for ref in manifest.segments),
        written_bytes=manifest.written_bytes,
        damaged_rows=manifest.damaged_rows,
        damaged=manifest.left_out,
        encrypted=encrypted,
        capabilities=capabilities,
        started_at=manifest.started_at,
        finished_at=manifest.finished_at,
        seconds=seconds,
        notes=notes,
    )
