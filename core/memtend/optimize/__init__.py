"""Optimize: the same memory in fewer bytes, and read as fast as it can be."""
