"""Alerts: what is found wrong is told once, reminded of, and told again when it has ended."""
