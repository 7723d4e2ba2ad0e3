"""Programs that run on a host, as root, sent over SSH: the standard library alone."""
