"""A year of real size: the region's 13 months, generated from a seed, posted, and reconciled to the fen."""
