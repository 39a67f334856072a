"""Carrying an export out: one view of the store, read once and written as it is read.

An export that ends before its time leaves nothing that could be taken for a whole one. A file takes
its name when it is complete and ends in a line that says so; the manifest of a tree is its last
file, and on this machine the tree has another name until then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final, cast

from memtend.errors import ExportTaken
from memtend.export import aml, jsonl, manifest, parquet
from memtend.export.packing import Counted, packed, start_of
from memtend.export.plan import ExportPlan, Format
from memtend.export.reading import records
from memtend.export.report import ExportReport, Tally
from memtend.export.tree import Files
from memtend.limits import EXPORT_MANIFEST_BYTES_MAX
from memtend.store.snapshot import snapshot

if TYPE_CHECKING:
    from memtend.objects.outlet import Outlet
    from memtend.store.snapshot import Snapshot
    from memtend.store.store import Store


_HEAD_BYTES: Final = 2**18
"""More than the first block of a compressed file has."""


def check_place(outlet: Outlet, wanted: Format, *, replace: bool) -> list[str]:
    """The files that an export may replace there; raises `ExportTaken` where something else is."""
    if wanted is Format.JSONL:
        if sizes := outlet.sizes():
            raise ExportTaken(url=outlet.url, why=f"it is a folder with {len(sizes):,} files")
        if outlet.is_file():
            if not replace:
                raise ExportTaken(url=outlet.url, why="it is there already")
            if not jsonl.begins(start_of(outlet.head(_HEAD_BYTES), outlet.url)):
                raise ExportTaken(url=outlet.url, why="what is there is no export")
        return []
    if outlet.is_file():
        raise ExportTaken(url=outlet.url, why="it is a file")
    sizes = outlet.sizes()
    if not sizes:
        return []
    if not replace:
        raise ExportTaken(url=outlet.url, why=f"{len(sizes):,} files are in it")
    if manifest.NAME not in sizes:
        raise ExportTaken(url=outlet.url, why="what is in it is no export, or half of one")
    data = outlet.read(manifest.NAME, EXPORT_MANIFEST_BYTES_MAX + 1)
    return manifest.replaceable(outlet.url, sizes, data)


def apply_export(plan: ExportPlan, store: Store, outlet: Outlet, tally: Tally) -> ExportReport:
    """Write what the plan chooses as the store is now; the tally tells how far it is."""
    began = store.clock.monotonic_ns()
    old = check_place(outlet, plan.format, replace=plan.replace)
    with snapshot(store) as view:
        if plan.format is Format.JSONL:
            _write_lines(plan, store, view, outlet, tally)
        else:
            _write_tree(plan, store, view, outlet, old, tally)
        seq = view.state.seq
    return ExportReport(
        url=outlet.url,
        format=plan.format,
        at=plan.made_at,
        store_id=plan.store_id,
        seq=seq,
        records=tally.records,
        counts=dict(sorted(tally.counts.items())),
        left_out=tally.left_out,
        losses=dict(sorted(tally.losses.items())),
        files=tally.files,
        written_bytes=tally.written_bytes,
        seconds=(store.clock.monotonic_ns() - began) / 1e9,
    )


def _write_lines(
    plan: ExportPlan, store: Store, view: Snapshot, outlet: Outlet, tally: Tally
) -> None:
    with outlet.single(replace=plan.replace) as file:
        counted = Counted(file)
        with packed(cast("BinaryIO", counted), plan.url) as stream:
            found = records(store, view, plan, tally)
            for line in jsonl.lines(plan, found, view.state.seq, tally):
                stream.write(line)
    tally.files, tally.written_bytes = 1, counted.size


def _write_tree(
    plan: ExportPlan, store: Store, view: Snapshot, outlet: Outlet, old: list[str], tally: Tally
) -> None:
    with outlet.tree(old) as tree:
        files = Files(tree)
        found = records(store, view, plan, tally)
        if plan.format is Format.PARQUET:
            parquet.write(found, files, tally)
        else:
            aml.write(plan, found, files, tally)
        files.finish(
            manifest.ExportManifest(
                format=plan.format,
                store_id=plan.store_id,
                seq=view.state.seq,
                at=plan.made_at,
                records=tally.records,
                counts=dict(sorted(tally.counts.items())),
            )
        )
        tally.files, tally.written_bytes = len(files.sizes), sum(files.sizes.values())
