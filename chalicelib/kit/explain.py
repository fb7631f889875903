"""Says in Chinese which fields of a wrong request are wrong and why.

msgspec stops at the first mistake, in English; a person filling in a form wants all of them. So a request
that was refused is gone through once more, field by field.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

_TYPES = {
    "str": "文字",
    "int": "整数",
    "float": "数字",
    "bool": "是或否",
    "array": "列表",
    "object": "一组内容",
    "datetime": "时间",
    "date": "日期",
    "null": "空",
}
_REASONS: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"`array` of length <= (\d+)"), "最多 {0} 项"),
    (re.compile(r"of length <= (\d+)"), "最多 {0} 个字"),
    (re.compile(r"of length >= 1\b"), "不能为空"),
    (re.compile(r"`array` of length >= (\d+)"), "至少 {0} 项"),
    (re.compile(r"of length >= (\d+)"), "至少 {0} 个字"),
    (re.compile(r"(?:`int`|`float`) <= (-?[\d.]+)"), "不能大于 {0}"),
    (re.compile(r"(?:`int`|`float`) >= (-?[\d.]+)"), "不能小于 {0}"),
    (re.compile(r"[Ii]nvalid enum value"), "不在可选的范围内"),
    (re.compile(r"matching regex"), "格式不对"),
    (re.compile(r"Invalid RFC3339 encoded date\b"), "日期格式不对"),
    (re.compile(r"Invalid RFC3339|timezone component"), "时间格式不对"),
    (re.compile(r"out of range|too (?:large|big)"), "数字太大"),
    (re.compile(r"unknown field"), "没有这一项"),
    (re.compile(r"missing required field"), "必须填写"),
]
_INNER_FIELD = re.compile(r"(?:missing required|unknown) field `(.+)`")


def wrong_fields(given: Any, shape: Any, *, strict: bool) -> dict[str, str]:
    """Each wrong field's path with its reason; the path is empty when the whole is no object."""
    if not isinstance(given, dict):
        return {"": "应为一组内容"}
    fields = {field.encode_name: field for field in msgspec.structs.fields(shape)}
    wrong = {name: "没有这一项" for name in given if name not in fields}
    for name, field in fields.items():
        if name not in given:
            if field.required:
                wrong[name] = "必须填写"
            continue
        try:
            msgspec.convert(given[name], field.type, strict=strict)
        except msgspec.ValidationError as error:
            message, _, where = str(error).replace(" - at `key` in `$", " - at `$").partition(" - at `$")
            inner = _INNER_FIELD.search(message)
            wrong[name + where.rstrip("`") + (f".{inner[1]}" if inner else "")] = _reason(message)
    return wrong or {"": "内容不对"}


def _reason(message: str) -> str:
    for pattern, reason in _REASONS:
        found = pattern.search(message)
        if found:
            return reason.format(*found.groups())
    expected = re.match(r"Expected `(\w+)", message)
    return f"应为{_TYPES.get(expected[1], '别的类型')}" if expected else "填写不对"
