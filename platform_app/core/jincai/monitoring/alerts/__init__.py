"""预警 as people see them: the list, one with everything about it, and the stream of new ones."""
