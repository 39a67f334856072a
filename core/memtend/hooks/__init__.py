"""Hooks: what an agent tool's hook system calls before and after sessions, tasks and edits.

A hook observes. It tells the agent what its swarm knows and keeps what happens, in one short
process, and whatever goes wrong in it is a note: the agent's work goes on. What a tool was given is
kept as names and sizes unless somebody asks for more, for it may be a secret or a whole file.
"""
