"""The plan: audit plus intent."""
