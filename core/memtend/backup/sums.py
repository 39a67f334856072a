"""State sums along a chain: is what the backups say together the state that each was taken of?

Each manifest carries the sum of the row hashes of its whole state modulo 2^128. One merge over the
layers of a chain gives the sums of all its members: where a layer replaces a path, the sum changes
by the difference between the path's rows there and in the newest layer below that touches it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from memtend.backup.chain import Chain
from memtend.backup.findings import Findings
from memtend.backup.layers import CheckRow, Layer, StoredLayer
from memtend.backup.lineage import chain_of
from memtend.backup.manifest import ManifestName
from memtend.backup.report import FindingKind
from memtend.backup.repository import Repository
from memtend.codec.segment import Key, key_of
from memtend.codec.statesum import SUM_VALUES, addend, pack_sum

_Touch: TypeAlias = tuple[Key, int, int]


def state_sums(layers: Sequence[Layer]) -> list[int]:
    """The sum of the state after each layer, oldest first. One pass; one open segment a layer."""
    changes = [0] * len(layers)
    streams = [_touches(layer, number) for number, layer in enumerate(layers)]
    for _, path in groupby(merge(*streams), key=itemgetter(0)):
        before = 0
        for number, touches in groupby(path, key=itemgetter(1)):
            now = sum(value for _, _, value in touches)
            changes[number] += now - before
            before = now
    sums, total = [], 0
    for change in changes:
        total = (total + change) % SUM_VALUES
        sums.append(total)
    return sums


def check_sums(
    repository: Repository, chain: Chain, check_row: CheckRow, findings: Findings
) -> None:
    """Compare the sums of the newest chain of each store. Its objects have been found whole."""
    newest = {one.store.store_id: name for name, one in chain.items()}
    for name in newest.values():
        names, _ = chain_of(name, chain)
        if len(names) > 1 and all(findings.is_whole(one, chain[one]) for one in names):
            layers = [StoredLayer(repository, chain[one], check_row) for one in names]
            for one, found in zip(names, state_sums(layers), strict=True):
                compare_sum(one, chain, found, findings)


def compare_sum(name: ManifestName, chain: Chain, found: int, findings: Findings) -> None:
    if pack_sum(found).hex() != chain[name].state_sum:
        why = "its rows do not add up to the state that it was taken of"
        findings.add(FindingKind.SUM_WRONG, str(name), why, manifest=name)


def _touches(layer: Layer, number: int) -> Iterator[_Touch]:
    rows = ((key_of(row), number, addend(row.hash)) for row in layer.rows())
    log = ((key_of(entry), number, 0) for entry in layer.log())
    return merge(rows, log)
