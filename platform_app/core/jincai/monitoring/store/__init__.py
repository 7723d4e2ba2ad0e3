"""规则库: versions of rules, drafts of them, and the editions that put them in force together."""
