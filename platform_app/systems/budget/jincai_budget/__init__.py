"""部门预算管理: indicators (指标)."""

__version__ = "1.0.0"
