"""What outcomes and accesses teach: which strategy works, and how long to keep what."""
