"""Releases: from what people wrote to a signed depot of exact versions."""
