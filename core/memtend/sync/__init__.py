"""Carrying deltas: directly between two stores, or through a place that all of them can reach."""
