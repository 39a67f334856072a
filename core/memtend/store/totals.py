"""Totals, read from what every write keeps up to date. The cost does not grow with the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memtend.model.stats import Archived, Pressure, Share, Stats

if TYPE_CHECKING:
    from memtend.model.policyfile import Quotas
    from memtend.store.store import Store


def stats(store: Store, quotas: Quotas) -> Stats:
    meta = store.meta()
    shares: dict[str, list[Share]] = {"ns": [], "agent": [], "session": [], "tier": []}
    for scope, name, rows, size in store.engine.read("tallies"):
        if rows:
            shares[scope].append(Share.model_construct(name=name, records=rows, bytes=size))
    return Stats(
        records=meta.rows,
        bytes=meta.size,
        file_bytes=store.engine.size_bytes(),
        changes=meta.seq,
        namespaces=tuple(shares["ns"]),
        agents=tuple(shares["agent"]),
        sessions=tuple(shares["session"]),
        tiers=_tiers(shares["tier"], meta.rows, meta.size),
        archived=_archived(shares["tier"]),
        pressure=tuple(_pressure(quotas, shares, meta.size)),
    )


def _tiers(kept: list[Share], rows: int, size: int) -> tuple[Share, ...]:
    """Only warm and cold are counted; what they leave of the total is hot."""
    tiers = [share for share in kept if share.name in ("warm", "cold")]
    hot = Share.model_construct(
        name="hot",
        records=rows - sum(tier.records for tier in tiers),
        bytes=size - sum(tier.bytes for tier in tiers),
    )
    return (hot, *reversed(tiers)) if tiers else (hot,)


def _archived(kept: list[Share]) -> Archived:
    sizes = {share.name: share.bytes for share in kept}
    records = sum(share.records for share in kept if share.name == "cold")
    before, stubs = sizes.get("cold before", 0), sizes.get("cold", 0)
    archive = sizes.get("cold kept", 0)
    saved = before - stubs - archive
    return Archived(
        records=records,
        before_bytes=before,
        stub_bytes=stubs,
        archive_bytes=archive,
        saved_bytes=saved,
        saved_share=saved / before if before else 0.0,
    )


def _pressure(quotas: Quotas, shares: dict[str, list[Share]], total: int) -> list[Pressure]:
    held = [("agent", share.name, share.bytes, quotas.agent_bytes) for share in shares["agent"]]
    held += [("session", s.name, s.bytes, quotas.session_bytes) for s in shares["session"]]
    held.append(("store", "all", total, quotas.store_bytes))
    return [
        Pressure(scope=scope, name=name, bytes=size, limit_bytes=limit, share=size / limit)
        for scope, name, size, limit in held
        if size >= quotas.warn_share * limit
    ]
