"""Coded values of the ledger in both languages."""

SOURCES: dict[str, tuple[str, str]] = {
    "payment": ("支付", "Payment"),
    "clearing": ("清算", "Clearing"),
    "revenue": ("收入", "Revenue"),
    "manual": ("手工", "Manual"),
    "opening": ("期初导入", "Opening, imported"),
    "carry": ("上年结转", "Carried forward"),
    "red": ("红字冲销", "Red correction"),
    "close": ("年终结转", "Year's close"),
    "demonstration": ("示例", "Example"),
}
KINDS: dict[str, tuple[str, str]] = {
    "manual": ("手工凭证", "Manual voucher"),
    "opening": ("期初余额", "Opening balances"),
    "red": ("红字冲销", "Red correction"),
}
STATES: dict[str, tuple[str, str]] = {
    "waiting": ("待复核", "Waiting"),
    "returned": ("已退回", "Returned"),
    "booked": ("已记账", "Booked"),
    "withdrawn": ("已撤销", "Withdrawn"),
}
GROUPS: dict[str, tuple[str, str]] = {
    "asset": ("资产", "Assets"),
    "expenditure": ("支出", "Expenditure"),
    "unclassified": ("未分类(现行标准未说明类别)", "Unclassified (the standards in force do not say)"),
    "liability": ("负债", "Liabilities"),
    "net": ("净资产", "Net assets"),
    "revenue": ("收入", "Revenue"),
}
