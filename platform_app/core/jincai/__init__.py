"""金财 (jincai): the fiscal platform's core."""

__version__ = "1.0.0"
