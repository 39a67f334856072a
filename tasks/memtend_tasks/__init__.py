"""Prefect tasks: each opens services, calls one core function and returns its model."""
