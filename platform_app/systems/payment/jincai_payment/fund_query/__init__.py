"""财政资金查询: any payment by whatever is known of it; a fund's way from indicator to receipt and alerts."""
