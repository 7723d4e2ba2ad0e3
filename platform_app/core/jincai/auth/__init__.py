"""Who may see and do what: sessions, and what each may do."""
