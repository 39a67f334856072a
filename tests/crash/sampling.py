"""Which of many points a test tries."""

from __future__ import annotations

import random
from itertools import pairwise


def sampled(total: int, most: int, seed: str) -> list[int]:
    """All points from 1 to `total`, or one out of each of `most` equal parts."""
    dice, parts = random.Random(seed), min(total, most)
    edges = [total * part // parts for part in range(parts + 1)]
    return [dice.randrange(low, high) + 1 for low, high in pairwise(edges)]
