"""Numbers that people enter as theirs: one form for all ways to type them."""

from __future__ import annotations

import pytest

from chalicelib.kit.phone_numbers import kept, shown


@pytest.mark.parametrize(
    ("typed", "number", "read"),
    [
        ("13857300011", "+8613857300011", "13857300011"),
        (" 138 5730-0011 ", "+8613857300011", "13857300011"),
        ("+86 138 5730 0011", "+8613857300011", "13857300011"),
        ("0086 13857300011", "+8613857300011", "13857300011"),
        ("１３８５７３０００１１", "+8613857300011", "13857300011"),
        ("+86 573 8200 0000", "+8657382000000", "0573-82000000"),
        ("0573-82838483", "+8657382838483", "0573-82838483"),
        ("(010)62345678", "+861062345678", "010-62345678"),
        ("0573-82838483转801", "+8657382838483;ext=801", "0573-82838483 转 801"),
        ("0573 8283 8483 转接 801", "+8657382838483;ext=801", "0573-82838483 转 801"),
        ("057382838483分机801", "+8657382838483;ext=801", "0573-82838483 转 801"),
        ("0573-82838483 分机号：801", "+8657382838483;ext=801", "0573-82838483 转 801"),
        ("400-812-3123", "+864008123123", "4008123123"),
        ("+852 2123 4567", "+85221234567", "+85221234567"),
    ],
)
def test_a_number_is_kept_in_one_form_and_read_as_it_is_dialled(typed: str, number: str, read: str) -> None:
    assert (kept(typed), shown(number)) == (number, read)
    assert kept(read) == number, "what is shown may be typed in again"


@pytest.mark.parametrize(
    "typed",
    ["", "110", "12345", "12857300011", "1385730001", "138573000111", "82838483", "没有电话", "+1385730001", "转801"],
)
def test_what_nobody_can_call_is_none(typed: str) -> None:
    assert kept(typed) is None


def test_what_wechat_knows_and_the_library_does_not_is_shown_as_it_is() -> None:
    assert shown("+") == "+"
