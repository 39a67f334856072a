"""Figures of a store: what they are called, how they are written, how long they are kept."""
