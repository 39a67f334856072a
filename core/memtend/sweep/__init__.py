"""Sweep: drop records that have outlived their TTL."""
