"""Apply: steps, journal, lease, and what is left behind when a run dies."""
