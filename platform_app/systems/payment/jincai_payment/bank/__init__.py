"""The agent bank's side of centralised payment: instructions out, receipts in, the daily clearing."""
