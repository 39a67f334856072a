"""Bounds and defaults of learning: outcomes, strategies, how long to keep what."""

from __future__ import annotations

from typing import Final

from memtend.limits import MIB

# Outcomes
OUTCOMES_MAX: Final = 200_000  # of one fit, the latest
STRATEGIES_MAX: Final = 64
OUTCOMES_MIN: Final = 100  # fewer say nothing about a context: the best single strategy holds
EXPLORE_RATE: Final = 0.1

# Features
FEATURES_MAX: Final = 512
CATEGORIES_MAX: Final = 32  # of one feature; rarer ones are one category
CONTEXT_DEPTH_MAX: Final = 4

# Models
MODEL_BYTES_MAX: Final = 256 * MIB
MODELS_KEPT: Final = 10  # of a scenario, besides the active one and its parent

# Access log
ACCESS_ROWS_MAX: Final = 200_000
ACCESS_KEEP_MS: Final = 90 * 24 * 3_600_000

# How long to keep what
TTL_FLOOR_MS: Final = 60_000
TTL_ACCESSES_MIN: Final = 200  # of a class, for a TTL to be proposed
TTL_CANARY_MS: Final = 7 * 24 * 3_600_000
TTL_REGRET_MAX: Final = 0.05  # of the reads of what has expired, before a trial is taken back

# Words of the policy file
LEARN_NAMES_MAX: Final = 256  # writers excluded, patterns kept
LEARN_WEIGHT_MAX: Final = 1_000
SEED_MAX: Final = 2**31 - 1

# Pictures of what was learned
PICTURE_POINTS_MAX: Final = 60  # of a line; more are thinned when a model is fitted
PICTURE_LINES_MAX: Final = 6
PICTURE_BINS_MAX: Final = 20
PICTURE_BARS_MAX: Final = 16
