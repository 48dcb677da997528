"""Verbund: the platform a municipal IT alliance runs for its members."""
