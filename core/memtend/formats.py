"""Every format number. A reader refuses one it does not know; a writer never reuses one."""

from __future__ import annotations

from typing import Final

BODY_FORMAT: Final = 1
PLAN_FORMAT: Final = 1
REPOSITORY_FORMAT: Final = 1
SEGMENT_FORMAT: Final = 1
MANIFEST_FORMAT: Final = 1
ROTATION_FORMAT: Final = 1
PIN_FORMAT: Final = 1
VERIFY_PROGRESS_FORMAT: Final = 1
AUDIT_FORMAT: Final = 2
ARCHIVE_FORMAT: Final = 1
ENCRYPTION_FORMAT: Final = 1
PLACE_FORMAT: Final = 1
UNSENT_FORMAT: Final = 1
DELTA_FORMAT: Final = 1
EXPORT_FORMAT: Final = 1
MODEL_FORMAT: Final = 1
