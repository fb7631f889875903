"""What may be shown and until when WeChat is asked again, without any engine."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.content import rules
from chalicelib.kit.errors import Invalid

WRITTEN = datetime(2026, 11, 22, 9, tzinfo=UTC)


def all_tries() -> list[datetime]:
    """The moments of asking again, while WeChat never answers."""
    moments, now = [], WRITTEN
    while at := rules.next_check(len(moments), since=WRITTEN, now=now):
        moments.append(at)
        now = at
    return moments


def test_wechat_is_asked_again_ever_more_slowly():
    minutes = [int((at - WRITTEN).total_seconds()) // 60 for at in all_tries()]
    assert minutes == [1, 3, 7, 15, 31, 61, 91]


def test_wechat_is_never_asked_once_the_author_counts_as_away():
    assert all(at < WRITTEN + timedelta(hours=2) for at in all_tries())
    assert rules.next_check(0, since=WRITTEN, now=WRITTEN + timedelta(hours=3)) is None


def test_a_refusal_needs_a_reason_and_an_approval_does_not():
    for blank in (None, "", "  \n "):
        with pytest.raises(rules.ReasonNeeded) as refused:
            rules.decision_reason(approve=False, reason=blank)
        assert refused.value.fields == {"reason": "必须填写"}
        assert rules.decision_reason(approve=True, reason=blank) == ""


def test_a_reason_is_told_on_one_line():
    assert rules.decision_reason(approve=False, reason=" 含有\n广告 ") == "含有 广告"


def test_the_reasons_of_flags_are_told_once_each_the_most_frequent_first():
    assert rules.told_flags(["广告", "骂人", "骂人"]) == "骂人、广告"


def test_a_risky_text_is_refused_with_its_reason_and_what_to_do_next():
    refused = rules.ContentRefused.because("像是广告")
    assert (refused.code, refused.status) == ("content_refused", 409)
    assert "像是广告" in refused.detail
    assert "修改后再提交" in refused.detail


def test_a_photo_is_never_shown_without_having_been_checked():
    assert not rules.PHOTO.allows("awaited", "shown")
    assert not rules.PHOTO.allows("refused", "shown")
    assert not rules.PHOTO.allows("removed", "shown")
    assert rules.PHOTO.before("shown") == {"checking", "held"}


def test_a_decision_is_final():
    for end in ("approved", "refused", "moot"):
        assert end not in rules.REVIEW.moves


@pytest.mark.parametrize(
    "text", ["", " ", "\n\t", "\u3000", " \u3000\t", "\u200b\u200b", "\ufeff \u2060", "\u0301", "\u00a8"]
)
def test_what_nobody_sees_is_blank(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.refuse_blank(title=text, text="口罩")
    assert refusal.value.fields == {"title": "不能为空"}


@given(st.text(min_size=1))
def test_what_holds_a_letter_is_not_blank(text: str) -> None:
    rules.refuse_blank(title=f"{text}水")
