"""What a nickname may be."""

from __future__ import annotations

import pytest

from chalicelib.profile import rules


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("李菊", "李菊"),
        ("  李 \t 菊\n", "李 菊"),
        ("ＬＩ菊", "LI菊"),
        ("陈彩明👍", "陈彩明👍"),
        ("👨\u200d👩\u200d👧一家", "👨\u200d👩\u200d👧一家"),
        ("❤\ufe0f\u200d🔥", "❤\ufe0f\u200d🔥"),
        ("<b>李</b>", "<b>李</b>"),
        ("王" * 20, "王" * 20),
        ("老王12345", "老王12345"),
        ("Ōta", "Ōta"),
        ("⼈", "人"),
    ],
)
def test_a_nickname_is_shown_on_one_line_in_common_forms(typed: str, shown: str):
    assert rules.nickname(typed) == shown


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "不能为空"),
        (" \u3000\t", "不能为空"),
        ("王" * 21, "最多 20 个字"),
        ("㎏" * 11, "最多 20 个字"),
        ("。。。", "至少要有一个字"),
        ("李\u200b菊", "含有看不见的字符"),
        ("李\u202e菊", "含有看不见的字符"),
        ("李\u200d菊", "含有看不见的字符"),
        ("\u3164", "含有看不见的字符"),
        ("\u2800", "含有看不见的字符"),
        ("李\ue000", "含有看不见的字符"),
        ("H\u0300\u0301\u0302\u0303", "叠加的符号太多"),
    ],
)
def test_what_is_no_nickname_is_refused_with_the_reason(typed: str, reason: str):
    with pytest.raises(rules.NicknameInvalid) as refused:
        rules.nickname(typed)
    assert refused.value.fields == {"nickname": reason}
    assert reason in refused.value.detail


@pytest.mark.parametrize(
    "name",
    [
        *("桂苑社区", "社区网格员小王", "网格长", "管理员", "南湖公安", "派出所老李", "市政府", "法院", "微嘉园客服"),
        # the same in disguise
        *(
            "社 区",
            "社-区",
            "社·区",
            "社❤区",
            "公.安",
            "社區",
            "網格員",
            "管理員",
            "檢察院",
            "微嘉園",
            "⽹格员",
            "客服①号",
        ),
        *(
            "ＡＤＭＩＮ",
            "Admin",
            "a.d.m.i.n",
            "аdmіn",
            "4dmin_admin",
            "@dmin",
            "ädmin",
            "ａｄⓜｉｎ",
            "0fficial",
            "p0lice",
        ),
        *("WeiJiaYuan", "wеijiаyuаn"),
    ],
)
def test_nobody_passes_for_an_office(name: str):
    with pytest.raises(rules.LooksOfficial) as refused:
        rules.check_not_official(rules.nickname(name), roles=())
    assert refused.value.status == 409
    assert "请换一个" in refused.value.detail


@pytest.mark.parametrize("name", ["李菊", "老王12345", "爱花的人", "小区门口卖菜的", "长安", "区块", "Ada", "🌻"])
def test_ordinary_names_pass(name: str):
    rules.check_not_official(name, roles=())


def test_staff_may_say_what_they_are_and_nothing_else():
    rules.check_not_official("网格员小王", roles={"grid_worker"})
    rules.check_not_official("桂苑社区居委小陈", roles={"community_worker"})
    for name, role in (("网格员小王", "moderator"), ("民警小王", "grid_worker"), ("admin", "moderator")):
        with pytest.raises(rules.LooksOfficial):
            rules.check_not_official(name, roles={role})
