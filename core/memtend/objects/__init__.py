"""Places where immutable bytes are kept: a folder, memory, S3 and what else fsspec reaches."""

from memtend.objects.store import Capabilities, ObjectInfo, ObjectStore
from memtend.objects.target import open_target
from memtend.objects.urls import address_of, redact

__all__ = ["Capabilities", "ObjectInfo", "ObjectStore", "address_of", "open_target", "redact"]
