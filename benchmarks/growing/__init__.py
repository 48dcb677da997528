"""A change of the tables that is no release's: one migration, with which `make bench-growth` migrates all bodies."""
