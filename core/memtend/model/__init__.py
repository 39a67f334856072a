"""Pure values. Nothing here knows a store, a clock or a file."""
