"""Times to live that were learned, brought into force: proposed, tried, watched, taken back.

Nothing here reads a store, a clock or a log: what was learned and what was seen come as values.
"""
