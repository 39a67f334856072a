"""How long to keep what: TTLs learned from when entries are used again.

Pure: accesses in, a fitted policy out. Nothing here reads a store or a clock.
"""
