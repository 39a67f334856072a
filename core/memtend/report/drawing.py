"""Charts as SVG inside the page: drawn by matplotlib, rebuilt from the parts that a chart needs.

matplotlib writes text as text and escapes it. What it writes is nevertheless read again, and only
elements and attributes of a short list are written out, each text and each attribute escaped here:
what a name in the memory contains cannot become markup by anybody's mistake.

Figures are plain objects; nothing global is left changed. matplotlib is an extra: without it
`ReportPackageMissing` is raised before anything is read.
"""

from __future__ import annotations

import io
import logging
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from memtend.errors import ReportPackageMissing
from memtend.report.palette import ink, themed

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH_IN: Final = 3.9
FONT_PT: Final = 9.5
_LOCK: Final = threading.Lock()
"""matplotlib's settings belong to the process."""
_ELEMENTS: Final = {
    "svg",
    "g",
    "path",
    "rect",
    "text",
    "tspan",
    "use",
    "defs",
    "clipPath",
    "pattern",
}
_ATTRIBUTES: Final = {
    "d", "x", "y", "width", "height", "transform", "style", "clip-path", "patternUnits", "id",
    "href", "fill",
}  # fmt: skip
_GENERATED: Final = re.compile(r"[a-z][0-9a-f]{10,}")
_HERE: Final = re.compile(r"#[a-z][0-9a-f]{10,}")
_FONT: Final = re.compile(
    r"font-family:[^;]*;?|font: (?P<weight>[0-9]+ )?(?P<size>[0-9.]+px)[^;]*;?"
)
_SETTINGS: Final[dict[str, Any]] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # a name with two dollars is no formula
    "font.family": ["DejaVu Sans"],  # comes with matplotlib; the page shows its own
    "font.size": FONT_PT,
    "hatch.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}


def require_packages() -> None:
    """Raise `ReportPackageMissing` unless everything that a report needs is installed."""
    # It complains when it has no home to keep its list of fonts in. It works all the same.
    talk = logging.getLogger("matplotlib")
    before = talk.level
    talk.setLevel(logging.ERROR)
    try:
        import jinja2  # noqa: F401, PLC0415 — an optional extra
        import matplotlib.figure  # noqa: F401, PLC0415
        import squarify  # noqa: F401, PLC0415
    except ImportError as error:
        raise ReportPackageMissing(package=error.name or "matplotlib") from error
    finally:
        talk.setLevel(before)


def draw(
    name: str,
    height_in: float,
    paint: Callable[[Axes], None],
    *,
    bare: bool = False,
    narrow: bool = False,
    legend_rows: int = 1,
) -> str:
    """The SVG of what `paint` puts into a pair of axes. `name` keeps apart what charts define;
    `bare` leaves no room for ticks and a legend, `narrow` none for figures at the left."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    with _settings(name):
        figure = Figure(figsize=(WIDTH_IN, height_in))
        ticks, legend = 0.28 / height_in, (0.12 + 0.18 * legend_rows) / height_in
        left = 0.02 if narrow else 0.17
        room = (left, ticks, 0.98 - left, 1 - ticks - legend)
        room = (0.002, 0.002, 0.996, 0.996) if bare else room
        axes = figure.add_axes(room)
        paint(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    return "".join(_rebuilt(ET.fromstring(out.getvalue())))  # noqa: S314 — written just above


@contextmanager
def _settings(name: str) -> Iterator[None]:
    from matplotlib import rc_context  # noqa: PLC0415

    roles = {
        "text.color": "ink", "axes.edgecolor": "line", "axes.labelcolor": "ink",
        "xtick.color": "line", "ytick.color": "line", "xtick.labelcolor": "soft",
        "ytick.labelcolor": "soft", "grid.color": "line", "hatch.color": "soft",
    }  # fmt: skip
    colours = {setting: ink(role) for setting, role in roles.items()}
    wanted = _SETTINGS | colours | {"svg.hashsalt": name}
    with _LOCK, rc_context(wanted), warnings.catch_warnings():
        # It has no glyphs for many scripts; the browser that shows the text has.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def _rebuilt(element: ET.Element) -> Iterator[str]:
    name = element.tag.rpartition("}")[2]
    if name not in _ELEMENTS:
        return
    yield f"<{name}"
    yield from (f' {key}="{escape(value)}"' for key, value in _attributes(name, element.attrib))
    yield ">"
    if name in ("text", "tspan"):
        yield escape(element.text or "")
    for child in element:
        yield from _rebuilt(child)
    yield f"</{name}>"


def _attributes(element: str, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if element == "svg":
        yield "viewBox", given["viewBox"]
        yield "aria-hidden", "true"
        return
    for full, value in given.items():
        name = full.rpartition("}")[2]
        if name not in _ATTRIBUTES:
            continue
        if name == "id" and not _GENERATED.fullmatch(value):
            continue  # matplotlib numbers its groups: alike in every chart, and of no use
        if name == "href" and not _HERE.fullmatch(value):
            continue
        yield name, _styled(value) if name in ("style", "fill") else value


def _styled(style: str) -> str:
    """Without the font, which is the page's; with its colours."""
    return themed(_FONT.sub(_sized, style)).strip()


def _sized(found: re.Match[str]) -> str:
    weight = f"font-weight: {found['weight'].strip()};" if found["weight"] else ""
    return f"{weight}font-size: {found['size']};" if found["size"] else ""
