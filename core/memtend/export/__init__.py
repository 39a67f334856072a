"""What is in a store, written for others to read: JSON lines, AML trees, Parquet."""
