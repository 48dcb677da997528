"""Whoever means harm, or is merely careless: every address, every form, every file, from the outside."""
