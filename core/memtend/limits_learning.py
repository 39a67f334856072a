"""Bounds and defaults of learning: outcomes, strategies, how long to keep what."""

from __future__ import annotations

from typing import Final

from memtend.limits import MIB

# Outcomes
OUTCOMES_MAX: Final = 200_000  # of one fit, the latest
OUTCOME_AHEAD_MS: Final = 60_000  # of the clock here, when somebody says when a task ended
OUTCOMES_WRITTEN: Final = 500  # in one transaction
STRATEGIES_MAX: Final = 64
OUTCOMES_MIN: Final = 100  # fewer say nothing about a context: the best single strategy holds
EXPLORE_RATE: Final = 0.1

# Features
FEATURES_MAX: Final = 512
CATEGORIES_MAX: Final = 32  # of one feature; rarer ones are one category
CONTEXT_DEPTH_MAX: Final = 4

# Insights, trends, drift
FALSE_RATE: Final = 0.05  # of insights and trends that may be mistaken
INSIGHT_ROWS_MIN: Final = 15  # of a strategy, in either half of the outcomes
INSIGHTS_ASKED_MAX: Final = 6  # of each sort: each one asked makes all of them less sure
INSIGHTS_MAX: Final = 50
TREND_WEEKS_MIN: Final = 5
TREND_ROWS_MIN: Final = 5  # of a week, for the week to be a point
JUDGED_ROWS_MIN: Final = 30  # outcomes, before a model or a task type is judged
JUDGED_SHARE: Final = (
    0.3  # of the outcomes, the latest, that a model is judged by before it is used
)
REFIT_SHARE: Final = 0.2  # of new outcomes to those learned from, before a model is fitted again
DRIFT_CHANCE: Final = 0.03  # of an alarm where nothing has changed
DRIFT_ROWS_MIN: Final = 100  # since the fit, before anything is said
WRITER_CHANCE: Final = 0.01  # that somebody honest is told of
WRITER_GAP_MIN: Final = 0.1  # of a writer's successes to everybody else's, to be told of

# Models
MODEL_BYTES_MAX: Final = 256 * MIB
MODEL_LOOK_MS: Final = 3_000  # between two looks at which model is in use
MODEL_RETRY_MS: Final = 60_000  # before a model that could not be loaded is tried again
MODELS_KEPT: Final = 10  # of a scenario, besides the active one and its parent
MODELS_LISTED_MAX: Final = 1_000
MODEL_ORPHAN_MS: Final = 30 * 24 * 3_600_000  # files that no entry names, until they are removed
TRIALS_LISTED_MAX: Final = 1_000

# Access log
ACCESS_ROWS_MAX: Final = 200_000
ACCESS_KEEP_MS: Final = 90 * 24 * 3_600_000
ACCESS_SMALL_STORE: Final = 4_096  # records; of a smaller store all keys are sampled at first
ACCESS_HALVINGS: Final = 4  # of a larger one, one key in 16
ACCESS_STEP_MS: Final = 1_000  # accesses of one sort that are closer together count as one
ACCESS_BUFFER_ROWS: Final = 8_192  # in memory, before they are written
ACCESS_SLICE: Final = 250  # keys of one transaction

# How long to keep what
TTL_FLOOR_MS: Final = 60_000
TTL_ACCESSES_MIN: Final = 200  # of a class, for a TTL to be proposed
TTL_CANARY_MS: Final = 7 * 24 * 3_600_000
TTL_REGRET_MAX: Final = 0.05  # of the reads of what has expired, before a trial is taken back

# Words of the policy file
LEARN_NAMES_MAX: Final = 256  # writers excluded, patterns kept
LEARN_WEIGHT_MAX: Final = 1_000
SEED_MAX: Final = 2**31 - 1

# Flows
FITS_AT_ONCE: Final = 2  # scenarios, in one run

# Pictures of what was learned
PICTURE_POINTS_MAX: Final = 60  # of a line; more are thinned when a model is fitted
PICTURE_LINES_MAX: Final = 6
PICTURE_BINS_MAX: Final = 20
PICTURE_BARS_MAX: Final = 16
PICTURED_SCENARIOS_MAX: Final = 3  # on the page of a report
INSIGHTS_SHOWN: Final = 12  # there, of each scenario

# Contexts
CONTEXT_KEYS_MAX: Final = 2_000  # of one context, when an encoder is fitted
CONTEXT_FIELDS_MAX: Final = 10_000  # different ones that an encoder looks at
CONTEXT_WORDS_MAX: Final = 1_000  # of one list
DROPPED_TOLD_MAX: Final = 100  # features left out that are told one by one
FEATURE_CELLS_MAX: Final = 20_000_000  # contexts x features: with many contexts fewer features

# Model files
MODEL_ENTRIES_MAX: Final = 20_000
MODEL_UNPACKED_MAX: Final = 4 * MODEL_BYTES_MAX
MODEL_NODES_MAX: Final = 4_000_000  # of a file's description
MODEL_DEPTH_MAX: Final = 40  # how deep it nests
WHY_CHARS_MAX: Final = 1_000  # of a tuned rule

# Explanations
CASES_MAX: Final = 1_000  # past outcomes that a model keeps to point at
CASES_TOLD_MAX: Final = 5
REASONS_MAX: Final = 5
REASON_FIELDS_MAX: Final = 8  # the most influential ones are looked at
