"""Faults: what happens to accepted work when processes die in the middle of it."""
