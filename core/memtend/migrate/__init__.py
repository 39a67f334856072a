"""Memory that users already have: found, read without harm, planned, and handed over."""
