"""Every family of versions there is. A new version of ours is one more step at the end."""

from __future__ import annotations

from typing import Final

from memtend.upcast.aml_marks import state
from memtend.upcast.aml_versions import KINDS, STEPS, VERSIONS, version_of
from memtend.upcast.casting import Cast, Family, Step

__all__ = ["AML", "FAMILIES", "Cast", "Family", "Step"]

AML: Final = Family("aml", KINDS, VERSIONS[0], STEPS, version_of, state)
FAMILIES: Final = (AML,)
