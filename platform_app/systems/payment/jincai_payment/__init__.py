"""国库集中支付管理: payment orders (支付令)."""

__version__ = "1.0.0"
