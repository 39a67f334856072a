"""Every bound of what older programs left: files, archives, foreign databases, pickled items.

Whatever a source claims about its own size, this much is read of it and no more.
"""

from __future__ import annotations

from typing import Final

from memtend.limits import GIB, KIB, MIB, VALUE_BYTES_MAX

IMPORT_FILE_BYTES_MAX: Final = 256 * MIB
IMPORT_ITEMS_MAX: Final = 1_000_000
IMPORT_FILES_MAX: Final = 1_000_000
IMPORT_DEPTH_MAX: Final = 16
GUNZIP_FREE_BYTES: Final = 8 * MIB  # what a gzip file may unpack to whatever its own size is
GUNZIP_RATIO_MAX: Final = 256  # beyond that; JSON reaches 100, a bomb 1,000
GUNZIP_MEMBERS_MAX: Final = 10_000
GUNZIP_LAYERS_MAX: Final = 2  # a backup packs what its program had packed already
TAR_MEMBERS_MAX: Final = 100_000
TAR_HEADER_BYTES_MAX: Final = 64 * KIB  # of one long name
AML_BACKUPS_MAX: Final = 10_000
FOREIGN_DB_BYTES_MAX: Final = 16 * GIB
FOREIGN_COPY_BYTES_MAX: Final = 4 * GIB  # of a foreign database that has to be copied to be read
FOREIGN_COPY_TRIES: Final = 5
FOREIGN_BUSY_WAIT_MS: Final = 5_000
FOREIGN_PAGE_ROWS: Final = 500
FOREIGN_PAGE_BYTES: Final = 4 * MIB
FOREIGN_ROW_BYTES_MAX: Final = 2 * VALUE_BYTES_MAX
FOREIGN_COLUMNS_MAX: Final = 1_000
FOREIGN_SCHEMA_ENTRIES_MAX: Final = 1_000  # tables, indexes, views and triggers
FOREIGN_SCHEMA_BYTES_MAX: Final = 1 * MIB
FOREIGN_SLICE_ROWS: Final = 256  # deleted in one transaction, at most
FOREIGN_SWEEP_ROWS_MAX: Final = 100_000  # that one sweep names and deletes
FOREIGN_VALUES: Final = 10  # of a column, that are told with their counts
IMPORT_METADATA_BYTES_MAX: Final = 1 * MIB  # what a label may keep of a foreign row
FOREIGN_STEPS_MAX: Final = 10_000_000  # of SQLite's machine in one statement, and one per byte
QUARANTINE_BYTES_MAX: Final = 1 * MIB
QUARANTINE_TOTAL_BYTES_MAX: Final = 1 * GIB  # on disk, of one import; beyond, hash and size remain
QUARANTINE_PAGE: Final = 1_000  # entries of one index file
IMPORT_TOLD_MAX: Final = 1_000  # decisions, refusals and the like that a plan or report names
IMPORT_BATCH_ITEMS: Final = 1_000
IMPORT_BATCH_BYTES: Final = 8 * MIB
PROOF_BYTES_MAX: Final = 4 * MIB  # of a file whose items are kept in both forms
IMPORT_TWINS_CACHE_KIB: Final = 8 * 1_024
PICKLE_BYTES_MAX: Final = 4 * MIB  # one pickled item, unpacked
PICKLE_OPERATIONS_MAX: Final = 100_000
PICKLE_INTEGER_BITS_MAX: Final = 4_096
