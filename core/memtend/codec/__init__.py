"""Bytes: canonical JSON, compression, the hashed envelope of a stored row."""
