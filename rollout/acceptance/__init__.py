"""Hardware acceptance: what was delivered and bought, held against what is discovered, and signed."""
