"""Telephone numbers that people enter as theirs: checked, kept in one form, shown as they are dialled here.

Kept is E.164, `+8657382838483`, with an extension behind it as RFC 3966 has it: `;ext=801`. The library is imported with
the first number only: that takes 40 ms, and few requests have to do with one.
"""

from __future__ import annotations

import re
import unicodedata

from chalicelib.kit.errors import Invalid

_HERE = "CN"
# 0573-82838483转801: the library knows "ext.", and nothing of 转.
_EXTENSION = re.compile(
    r"(?<=\d)\s*[,;(-]?\s*(?:转接?|分机号?|内线|ext\.?|x)\s*[:.]?\s*(\d{1,6})\s*\)?\s*\Z", re.IGNORECASE
)
_WRITTEN = re.compile(r"[+\d\s()./\-‐-―]+( ext\. \d+)?")
_MOBILE = re.compile(r"\+86(1\d{10})")  # which every list of people shows: known without the library


def read(typed: str) -> str | None:
    """The number as it is kept; None when there is no such number, here or, with its +, elsewhere.

    No emergency calls and hot lines (110, 12345): they are nobody's.
    """
    import phonenumbers

    text = _EXTENSION.sub(r" ext. \1", unicodedata.normalize("NFKC", typed).strip())
    if not _WRITTEN.fullmatch(text):
        return None
    try:
        number = phonenumbers.parse(text, _HERE)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{kept};ext={number.extension}" if number.extension else kept


def checked(typed: str, *, field: str) -> str:
    """The number as it is kept; Invalid names the field."""
    kept = read(typed)
    if kept is None:
        raise Invalid(fields={field: "请填手机号、带区号的固定电话，或者 400 电话"})
    return kept


def shown(kept: str) -> str:
    """As people here write it: 13800138000, 0573-82838483 转801, 400-820-8820, +852 9123 4567."""
    number, _, extension = kept.partition(";ext=")
    mobile = _MOBILE.fullmatch(number)
    text = mobile[1] if mobile else _spelt(number)
    return f"{text} 转{extension}" if extension else text


def _spelt(kept: str) -> str:
    import phonenumbers

    number = phonenumbers.parse(kept, _HERE)
    if number.country_code != phonenumbers.country_code_for_region(_HERE):
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    first, *rest = national.split(" ")
    return f"{first}-{''.join(rest)}" if first.startswith("0") else "-".join([first, *rest])
