"""Telephone numbers that people enter as theirs: kept in one form, shown as they are read here.

Kept is E.164 with the extension as RFC 3966 writes it: `+8613800138000`, `+8657382838483;ext=801`. Which numbers there
are is known to Google's library (`phonenumbers`), which follows the numbering plans; it does not know 转.
"""

from __future__ import annotations

import re
from typing import Any

WANTED = "请填手机号，或者带区号的固定电话"
_EXTENSION = re.compile(r"(?:转接?|分机号?)\s*[:：]?")


def kept(typed: str) -> str | None:
    """One form for however it is typed, with or without +86; None for what is no number, or lacks its area code."""
    import phonenumbers  # 40 ms, for the few requests that enter a number

    try:
        number = phonenumbers.parse(_EXTENSION.sub(" ext. ", typed), "CN")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return _e164(phonenumbers, number) + (f";ext={number.extension}" if number.extension else "")


def shown(number: str) -> str:
    """A number as `kept` gave it, as it is dialled here: `13800138000`, `0573-82838483 转 801`; others with their +."""
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number, "CN")
    except phonenumbers.NumberParseException:  # WeChat knows it, and the library does not
        return number
    digits = phonenumbers.national_significant_number(parsed)
    if parsed.country_code != 86:
        spoken = _e164(phonenumbers, parsed)
    elif area := phonenumbers.length_of_geographical_area_code(parsed):
        spoken = f"0{digits[:area]}-{digits[area:]}"
    else:
        spoken = digits
    return f"{spoken} 转 {parsed.extension}" if parsed.extension else spoken


def _e164(phonenumbers: Any, number: Any) -> str:
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
