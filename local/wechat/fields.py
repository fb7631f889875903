"""WeChat's rules for the values in a message (订阅消息参数值内容限制说明)."""

import re
import unicodedata
from datetime import date

from .catalogue import Template, field_kind
from .errors import WeChatError

_CLOCK = r"([01]?\d|2[0-3]):[0-5]\d(:[0-5]\d)?"
_DAY = r"\d{4}年\d{1,2}月\d{1,2}日|\d{4}-\d{1,2}-\d{1,2}"
_MOMENTS = {
    "time": re.compile(rf"(?:({_DAY})\s*)?{_CLOCK}"),
    "date": re.compile(rf"({_DAY})(?:\s*{_CLOCK})?"),
}
_CHINESE = r"\u4e00-\u9fff\u3400-\u4dbf"
_PATTERNS = {
    "thing": re.compile(r".{1,20}"),
    "character_string": re.compile(r"[\x20-\x7e]{1,32}"),
    "number": re.compile(r"(?=.{1,32}$)-?\d+(\.\d+)?"),
    "letter": re.compile(r"[A-Za-z]{1,32}"),
    "symbol": re.compile(r"[^\w\s]{1,5}"),
    "phrase": re.compile(rf"[{_CHINESE}]{{1,5}}"),
    "name": re.compile(rf"[{_CHINESE}A-Za-z\W]{{1,10}}|[A-Za-z\W]{{1,20}}"),
    "phone_number": re.compile(r"[\d+\-*() ]{1,17}"),
    "car_number": re.compile(rf"[{_CHINESE}A-Z0-9][A-Za-z0-9·]{{4,6}}[{_CHINESE}A-Za-z0-9]"),
    "amount": re.compile(r"[¥￥$€£]?\d{1,10}(\.\d+)?元?"),
}
SERVICE_FIELD_LENGTH = 20


def read_values(template: Template, data: object) -> dict[str, str]:
    """The values of all fields of the template, or 47003 naming the first field that breaks its rule."""
    if not isinstance(data, dict):
        raise WeChatError(47003, "data is empty")
    values = {}
    for key in template.fields:
        holder = data.get(key)
        raw = holder.get("value") if isinstance(holder, dict) else None
        value = str(raw) if isinstance(raw, (str, int, float)) else ""
        if not value.strip():
            raise WeChatError(47003, f"data.{key}.value is empty")
        if not _fits(template, key, value):
            raise WeChatError(47003, f"data.{key}.value invalid")
        values[key] = value
    return values


def _fits(template: Template, key: str, value: str) -> bool:
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in value):
        return False
    if template.kind == "service" and len(value) > SERVICE_FIELD_LENGTH:
        return False
    kind = field_kind(key)
    if kind == "enum":
        return value in template.enums.get(key, [])
    if kind in _MOMENTS:
        return all(_is_moment(kind, part) for part in value.split("~", 1))
    return bool(_PATTERNS[kind].fullmatch(value))


def _is_moment(kind: str, text: str) -> bool:
    """15:01, 2019年10月1日, or both. The dashed form is not in the table, but WeChat's own samples use it."""
    match = _MOMENTS[kind].fullmatch(text.strip())
    if match is None:
        return False
    if match[1]:
        try:
            date(*(int(part) for part in re.findall(r"\d+", match[1])))
        except ValueError:
            return False
    return True
