"""The store: tables, engines, statements. The only package that knows SQL."""
