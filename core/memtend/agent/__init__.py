"""The swarm façade: what one agent remembers, shares with its swarm and learns from it."""
