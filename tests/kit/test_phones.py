"""Numbers that people enter as theirs: one form kept, one shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kit import phones
from chalicelib.kit.errors import Invalid


@pytest.mark.parametrize(
    ("typed", "kept", "shown"),
    [
        ("13800138000", "+8613800138000", "13800138000"),
        ("86 138-0013-8000", "+8613800138000", "13800138000"),
        ("١٣٨٠٠١٣٨٠٠٠", "+8613800138000", "13800138000"),
        ("13800138000转1", "+8613800138000;ext=1", "13800138000 转1"),
        ("+86 573 8200 0000", "+8657382000000", "0573-82000000"),
        ("0573-82838483转801", "+8657382838483;ext=801", "0573-82838483 转801"),
        ("0573-82838483 转接 801", "+8657382838483;ext=801", "0573-82838483 转801"),
        ("（0573）82838483分机：801", "+8657382838483;ext=801", "0573-82838483 转801"),
        ("(010)62345678", "+861062345678", "010-62345678"),
        ("４００８２０８８２０", "+864008208820", "400-820-8820"),
        ("+852 9123 4567", "+85291234567", "+852 9123 4567"),
    ],
)
def test_a_number_is_kept_in_one_form_and_shown_as_it_is_dialled_here(typed: str, kept: str, shown: str) -> None:
    assert phones.read(typed) == kept
    assert phones.shown(kept) == shown
    assert phones.read(shown) == kept


@pytest.mark.parametrize(
    "typed",
    ["", " ", "110", "12345", "82838483", "1380013800", "138001380001", "12857300011", "电话13800138000", "+" * 9]
    + ["1" * 40, "13800138000x", "转801", "没有电话", "13800138000\n13900139000", "tel:+8613800138000"],
)
def test_what_nobody_can_call_is_refused_by_its_field(typed: str) -> None:
    with pytest.raises(Invalid) as wrong:
        phones.checked(typed, field="contact.phone")
    assert wrong.value.fields.keys() == {"contact.phone"}


@given(st.text(max_size=40))
def test_no_text_breaks_it_and_what_is_kept_is_read_again(typed: str) -> None:
    kept = phones.read(typed)
    assert kept is None or phones.read(phones.shown(kept)) == kept
