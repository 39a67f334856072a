"""The archive: cold values packed and compressed elsewhere, still found and read like any other."""
