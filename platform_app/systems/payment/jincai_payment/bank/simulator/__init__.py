"""A bank to try the platform with: a process of its own that knows nothing but HTTP."""
