"""The audit: what is running held against the release."""
