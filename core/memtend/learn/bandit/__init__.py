"""Learning which strategy works from logs that know only what was tried."""
