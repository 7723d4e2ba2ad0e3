"""The multi-function socket (多功能插座): outside systems push and pull documents, over REST or as files."""
