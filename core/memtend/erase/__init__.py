"""Erasure: take something out for good, everywhere, and prove it."""
