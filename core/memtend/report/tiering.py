"""Where values are: as they were written, compressed, or in the archive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memtend.report.chart import Chart, legend, tabled
from memtend.report.drawing import draw
from memtend.report.palette import ink
from memtend.report.texts import count, share, size

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from memtend.report.facts import ReportFacts, Sized

_HEIGHT_IN: Final = 1.6
_LOOKS: Final = {
    "hot": ("fill2", ""),
    "warm": ("fill4", "////"),
    "cold": ("fill1", "xxx"),
}
_MEANS: Final = {
    "hot": "hot: as written",
    "warm": "warm: compressed",
    "cold": "cold: archived",
}


def tiering(facts: ReportFacts) -> Chart | None:
    """None where nothing is stored."""
    tiers = [tier for tier in facts.tiers if tier.records]
    if not tiers:
        return None
    parts = [f"{share(tier.records, facts.records)} are {tier.name}" for tier in tiers]
    said = f"Of the records {', '.join(parts)}."
    if facts.compression:
        said += f" Values here take {facts.compression:.0%} of what they are as JSON."
    if facts.saved.records:
        now = facts.saved.stub_bytes + facts.saved.archive_bytes
        said += (
            f" What {count(facts.saved.records)} archived records took here, "
            f"{size(facts.saved.before_bytes)}, takes {size(now)} now, "
            f"{size(facts.saved.stub_bytes)} of that in the store."
        )
    rows = [
        (
            _MEANS.get(tier.name, tier.name), count(tier.records), size(tier.bytes),
            share(tier.bytes, facts.bytes),
        )
        for tier in tiers
    ]  # fmt: skip
    table = tabled(("tier", "records", "size here", "share"), rows, (1, 2, 3))
    svg = draw("tiers", _HEIGHT_IN, lambda axes: _paint(axes, tiers))
    return Chart(said, svg, table)


def _paint(axes: Axes, tiers: list[Sized]) -> None:
    lines = (
        [tier.bytes / max(1, sum(one.bytes for one in tiers)) for tier in tiers],
        [tier.records / max(1, sum(one.records for one in tiers)) for tier in tiers],
    )
    begins = [0.0, 0.0]
    for n, tier in enumerate(tiers):
        fill, hatch = _LOOKS.get(tier.name, ("fill6", ""))
        widths = [line[n] for line in lines]
        axes.barh(
            (0, 1), widths, left=begins, height=0.62, color=ink(fill), edgecolor=ink("ink"),
            hatch=hatch, linewidth=0.8, label=tier.name,
        )  # fmt: skip
        begins = [begin + width for begin, width in zip(begins, widths, strict=True)]
    axes.set_yticks((0, 1), ("size", "records"))
    axes.set_xticks((0, 0.25, 0.5, 0.75, 1), ("0", "25%", "50%", "75%", "100%"))
    axes.get_xticklabels()[-1].set_horizontalalignment("right")
    axes.set_xlim(0, 1)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="both", length=2, labelsize=9)
    legend(axes)
