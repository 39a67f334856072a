"""The reclaim: runs whose process was killed are told so, and begin again."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from memtend_tasks.escaping import Markdown, code, paragraphs
from memtend_tasks.reclaim import Reclaimed, reclaim_runs


@flow(name="reclaim", flow_run_name="reclaim")
def reclaim() -> Reclaimed:
    """Begin again what was cut off: runs whose process, worker or machine was killed.

    A run that gives no sign of life for two heartbeats is called crashed. A run that crashed begins
    again, up to three times, unless another has run in its place since: every operation does what
    is left of its work, and nothing twice. Places in concurrency limits that nobody holds are given
    back. The stores are not touched.
    """
    found = reclaim_runs()
    if not found.nothing:
        lists = (
            ("Looked alive and were dead", found.crashed),
            ("Begin again", found.again),
            ("Were cut off too often, and stay as they are", found.given_up),
            ("Limits with a place that nobody held", found.freed),
        )
        parts = [_part(title, names) for title, names in lists if names]
        page = paragraphs([Markdown("# Reclaim report"), *parts])
        create_markdown_artifact(page, key="reclaim-report", description="Reclaim report")
    return found


def _part(title: str, names: tuple[str, ...]) -> Markdown:
    return Markdown(f"**{title}:**\n\n" + "\n".join(f"- {code(name)}" for name in names))
