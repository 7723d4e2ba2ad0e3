"""总会计核算: accounts and vouchers (科目、凭证)."""

__version__ = "1.0.0"
