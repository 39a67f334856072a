"""Prune: take away what is no longer worth its place, archive first, and undo it on demand."""
