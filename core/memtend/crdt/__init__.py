"""Replicated values (CRDT_SPEC 2 to 4). Pure: no clock, no store, no pydantic."""
