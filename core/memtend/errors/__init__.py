"""One tree of errors: a stable code, a message that states facts, a hint that names the next step.

The code is also the exit status of the command line, so none is above 127, and none is ever reused:
1 unexpected · 2 wrong usage · 3 installation · 10 input · 20 store · 30 lease · 40 plan and guard ·
50 objects and backup · 60 import · 70 audit and health · 80 flows and verification · 90 replicas.
What came when its ten were full took what was free: the first line of each module says what it has.
"""

from __future__ import annotations

from memtend.errors.agent import SnapshotRefused, SnapshotUnknown
from memtend.errors.alerts import AlertsUntold, AlertUnknown
from memtend.errors.archive import ArchiveDamaged, ArchiveForeign, ArchiveUnreachable, NoArchive
from memtend.errors.backup import (
    BackupKeyRefused,
    BackupUnknown,
    ManifestDamaged,
    NoBackup,
    ObjectDamaged,
    ObjectMissing,
    RepositoryForeign,
    TargetDenied,
    TargetFull,
    TargetUnavailable,
)
from memtend.errors.base import MemtendError
from memtend.errors.export import CopyTaken, CopyWrong, ExportTaken, PackageMissing
from memtend.errors.foreign import ForeignSweepRefused
from memtend.errors.guard import (
    ClockAlarmed,
    DeletesTooMuch,
    NothingKept,
    PlanAltered,
    PlanForeign,
    PlanMissing,
    PlanStale,
    RestoreRefused,
    RestoreWrong,
    RotationRefused,
    StoreExists,
)
from memtend.errors.input import (
    AccessDenied,
    ConditionFailed,
    InvalidName,
    InvalidPolicy,
    InvalidSettings,
    InvalidValue,
    KindMismatch,
    LimitExceeded,
    NotFound,
    QuotaExceeded,
)
from memtend.errors.learning import (
    AccessesUnusable,
    CostsUnusable,
    FeedbackUnusable,
    LearnPackageMissing,
    ModelDamaged,
    ModelNotPromoted,
    ModelRefused,
    ModelUnknown,
    OutcomesUnusable,
    ScenarioUnknown,
    TrialUnknown,
    TtlPlanStale,
)
from memtend.errors.leases import Deadlock, LeaseHeld, LeaseReads, StaleLease
from memtend.errors.messages import (
    InboxFull,
    MessageIdTaken,
    NoMessage,
    NoReply,
    StaleReceipt,
)
from memtend.errors.metrics import ListenRefused, MetricsPackageMissing
from memtend.errors.migrate import (
    MigrationNotRehearsed,
    MigrationUnknown,
    MigrationWrong,
    RehearsalFailed,
)
from memtend.errors.optimize import SimilarPackageMissing, StepUnknown
from memtend.errors.parts import PlanIncomplete
from memtend.errors.prune import (
    PlanUnknown,
    ProfileUnknown,
    PruneForgotten,
    PruneUnapproved,
    StrategyUnknown,
)
from memtend.errors.report import ReportPackageMissing, ReportTaken
from memtend.errors.schema import SchemaRefused, SchemaWrong
from memtend.errors.store import (
    PeerClock,
    RecordDamaged,
    StoreBusy,
    StoreClosed,
    StoreDamaged,
    StoreFull,
    StoreMissing,
    StoreOutdated,
    StoreTooNew,
    StoreUnavailable,
)
from memtend.errors.sync import (
    DeltaGap,
    DeltaRefused,
    EpochMismatch,
    NotEntitled,
    PeerRetired,
    ReplicaCloned,
)
from memtend.errors.together import ResolverFailed, ResolverUnknown, TooManySiblings
from memtend.errors.upkeep import (
    AuditBroken,
    ErasureIncomplete,
    LedgerUnreadable,
    NotWhole,
    ScratchFull,
    SourceUnknown,
)

__all__ = [
    "AccessDenied",
    "AccessesUnusable",
    "AlertUnknown",
    "AlertsUntold",
    "ArchiveDamaged",
    "ArchiveForeign",
    "ArchiveUnreachable",
    "AuditBroken",
    "BackupKeyRefused",
    "BackupUnknown",
    "ClockAlarmed",
    "ConditionFailed",
    "CopyTaken",
    "CopyWrong",
    "CostsUnusable",
    "Deadlock",
    "DeletesTooMuch",
    "DeltaGap",
    "DeltaRefused",
    "EpochMismatch",
    "ErasureIncomplete",
    "ExportTaken",
    "FeedbackUnusable",
    "ForeignSweepRefused",
    "InboxFull",
    "InvalidName",
    "InvalidPolicy",
    "InvalidSettings",
    "InvalidValue",
    "KindMismatch",
    "LearnPackageMissing",
    "LeaseHeld",
    "LeaseReads",
    "LedgerUnreadable",
    "LimitExceeded",
    "ListenRefused",
    "ManifestDamaged",
    "MemtendError",
    "MessageIdTaken",
    "MetricsPackageMissing",
    "MigrationNotRehearsed",
    "MigrationUnknown",
    "MigrationWrong",
    "ModelDamaged",
    "ModelNotPromoted",
    "ModelRefused",
    "ModelUnknown",
    "NoArchive",
    "NoBackup",
    "NoMessage",
    "NoReply",
    "NotEntitled",
    "NotFound",
    "NotWhole",
    "NothingKept",
    "ObjectDamaged",
    "ObjectMissing",
    "OutcomesUnusable",
    "PackageMissing",
    "PeerClock",
    "PeerRetired",
    "PlanAltered",
    "PlanForeign",
    "PlanIncomplete",
    "PlanMissing",
    "PlanStale",
    "PlanUnknown",
    "ProfileUnknown",
    "PruneForgotten",
    "PruneUnapproved",
    "QuotaExceeded",
    "RecordDamaged",
    "RehearsalFailed",
    "ReplicaCloned",
    "ReportPackageMissing",
    "ReportTaken",
    "RepositoryForeign",
    "ResolverFailed",
    "ResolverUnknown",
    "RestoreRefused",
    "RestoreWrong",
    "RotationRefused",
    "ScenarioUnknown",
    "SchemaRefused",
    "SchemaWrong",
    "ScratchFull",
    "SimilarPackageMissing",
    "SnapshotRefused",
    "SnapshotUnknown",
    "SourceUnknown",
    "StaleLease",
    "StaleReceipt",
    "StepUnknown",
    "StoreBusy",
    "StoreClosed",
    "StoreDamaged",
    "StoreExists",
    "StoreFull",
    "StoreMissing",
    "StoreOutdated",
    "StoreTooNew",
    "StoreUnavailable",
    "StrategyUnknown",
    "TargetDenied",
    "TargetFull",
    "TargetUnavailable",
    "TooManySiblings",
    "TrialUnknown",
    "TtlPlanStale",
]
