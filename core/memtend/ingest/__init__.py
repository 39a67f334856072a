"""Importing into a store: one pass over the source for the plan, one to carry it out.

Neither pass keeps more than one batch of items in memory. The second decides again, batch by batch,
by the store as it is then; what somebody wrote meanwhile is not overwritten.
"""

from memtend.ingest.applying import apply_import
from memtend.ingest.planning import plan_import

__all__ = ["apply_import", "plan_import"]
