"""What problem documents say, in both languages."""

from jincai.language import Language

# Status → (last part of the type, title and advice in Chinese, the same in English).
KINDS: dict[int, tuple[str, tuple[str, str], tuple[str, str]]] = {
    400: (
        "bad-request",
        ("请求无法识别", "请检查请求的格式。"),
        ("Bad request", "Check the request's form."),
    ),
    401: (
        "not-logged-in",
        ("尚未登录", "请登录,或在请求头 Authorization 中提供有效的接口密钥。"),
        ("Not logged in", "Log in, or send a valid API key in the Authorization header."),
    ),
    403: (
        "forbidden",
        ("没有权限", "请联系安全管理员。"),
        ("Not allowed", "Ask the security administrator."),
    ),
    404: (
        "not-found",
        ("没有找到", "请检查网址或代码。"),
        ("Not found", "Check the address or the code."),
    ),
    405: (
        "method-not-allowed",
        ("不支持的请求方法", "请改用响应头 Allow 所列的方法。"),
        ("Method not allowed", "Use a method that the Allow header names."),
    ),
    409: (
        "conflict",
        ("与现有记录冲突", "请重新读取后再提交。"),
        ("Conflict", "Read what is there now, then try again."),
    ),
    413: (
        "too-large",
        ("请求内容过大", "请分批提交。"),
        ("Content too large", "Send it in smaller batches."),
    ),
    422: (
        "invalid",
        ("填写的内容有误", "请改正下列内容。"),
        ("Invalid input", "Correct the following."),
    ),
    500: (
        "internal",
        ("平台内部错误", "错误已记入日志,请联系管理员。"),
        ("Internal error", "It has been logged; ask the administrator."),
    ),
    503: (
        "unavailable",
        ("暂时无法提供服务", "请稍后重试。"),
        ("Temporarily unavailable", "Try again shortly."),
    ),
}

# What pydantic calls the mistake → what to tell a person; its context fills the braces.
MISTAKES: dict[str, tuple[str, str]] = {
    "missing": ("必须填写", "is required"),
    "extra_forbidden": ("没有这个参数", "is not a known parameter"),
    "int_type": ("应为整数", "must be an integer"),
    "int_from_float": ("应为整数", "must be an integer"),
    "string_type": ("应为文本", "must be text"),
    "date_type": ("应为日期,如 2010-03-05", "must be a date such as 2010-03-05"),
    "too_long": ("不能超过 {max_length} 项", "must have at most {max_length} entries"),
    "too_short": ("不能少于 {min_length} 项", "must have at least {min_length} entries"),
    "int_parsing": ("应为整数", "must be an integer"),
    "literal_error": ("应为以下之一:{expected}", "must be one of {expected}"),
    "greater_than_equal": ("不能小于 {ge}", "must be at least {ge}"),
    "less_than_equal": ("不能大于 {le}", "must be at most {le}"),
    "string_too_long": ("不能超过 {max_length} 个字符", "must have at most {max_length} characters"),
    "string_too_short": ("不能少于 {min_length} 个字符", "must have at least {min_length} characters"),
    "string_pattern_mismatch": ("格式不符:{pattern}", "must match {pattern}"),
    "yuan": ("应为金额(元),如 1,234.56", "must be an amount in yuan such as 1,234.56"),
    "greater_than": ("应大于 {gt}", "must be more than {gt}"),
    "less_than": ("应小于 {lt}", "must be less than {lt}"),
    "date_from_datetime_parsing": ("应为日期,如 2010-03-05", "must be a date such as 2010-03-05"),
    "date_parsing": ("应为日期,如 2010-03-05", "must be a date such as 2010-03-05"),
    "json_invalid": ("不是有效的 JSON", "is not valid JSON"),
}

# Payments are frozen: a 503 of its own kind, so that a program tells it from a database that is away.
FROZEN: tuple[str, tuple[str, str], tuple[str, str]] = (
    "frozen",
    ("支付已冻结", "支付已冻结:{reason}。本次操作未执行;解冻后可用原编号重新提交。查询不受影响。"),
    (
        "Payments are frozen",
        "Payments are frozen: {reason}. Nothing was done; ask again, by the same keys, once they are thawed.",
    ),
)

NO_DATABASE: dict[Language, str] = {
    "zh": "数据库暂时没有可写入的主库,请稍后重试。",
    "en": "No primary database answers now; try again shortly.",
}
