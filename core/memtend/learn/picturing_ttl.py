"""Figures for the pictures of times to live, from what a fit has found."""

from __future__ import annotations

from typing import Final

import numpy as np

from memtend.learn.ttl.fitted import Curve, FittedTtl
from memtend.limits import TIME_MS_MAX
from memtend.limits_learning import PICTURE_LINES_MAX, PICTURE_POINTS_MAX
from memtend.model import pictures as p

_DAY_S: Final = 86_400.0
_LINES: Final = {
    "access": "by access", "class": "by class", "incumbent": "as it is", "clairvoyant": "bound",
}  # fmt: skip


def ttl_pictures(fitted: FittedTtl) -> p.TtlPictures:
    """The classes that are used most, and every way to keep that was tried."""
    curves = sorted(fitted.curves(), key=lambda one: -one.accesses)[:PICTURE_LINES_MAX]
    return p.TtlPictures(
        survivals=tuple(_survival(one) for one in curves if len(one.age_s) > 1),
        frontier=_frontier(fitted)[:PICTURE_POINTS_MAX],
    )


def _survival(curve: Curve) -> p.Survival:
    at = np.unique(
        np.linspace(0, len(curve.age_s) - 1, PICTURE_POINTS_MAX).round().astype(int)
    ).tolist()
    return p.Survival(
        name=curve.name,
        accesses=curve.accesses,
        chosen_ms=_ms(curve.ttl_s),
        current_ms=_ms(curve.incumbent_s),
        points=tuple(
            (
                int(curve.age_s[n] * 1000),
                p.Estimate(
                    value=float(curve.survival[n]), low=float(curve.low[n]),
                    high=float(curve.high[n]),
                ),
            )
            for n in at
        ),
    )  # fmt: skip


def _frontier(fitted: FittedTtl) -> tuple[p.Frontier, ...]:
    """What was adopted at the price asked for is what is proposed."""
    asked = fitted.price.break_even_s
    found = []
    for point in fitted.frontier():
        here = np.isclose(point.break_even_s, asked)
        role = "chosen" if here and point.policy == fitted.report.adopted else ""
        role = "current" if here and point.policy == "incumbent" else role
        found.append(
            p.Frontier(
                line=_LINES.get(point.policy, point.policy),
                name=f"break-even {point.break_even_s / 3600:.3g} h",
                stored=point.byte_s / _DAY_S,
                missed=point.misses,
                role=role,
            )
        )
    return tuple(found)


def _ms(seconds: float) -> int | None:
    """None stands for ever."""
    ms = seconds * 1000
    return round(ms) if np.isfinite(ms) and ms < TIME_MS_MAX else None
