"""A value that WeChat would refuse never leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.wechat import messages
from chalicelib.wechat.errors import Meaning, WeChatRefused
from chalicelib.wechat.messages import FieldBroken, check, fit

SEND = "/cgi-bin/message/subscribe/send"
SEND_TEMPLATE = "/cgi-bin/message/template/send"


class TestWhatStandsInAField:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("thing1", "需要口罩5个"),
            ("thing12", "一二三四五六七八九十一二三四五六七八九十"),
            ("character_string2", "HZ-2026/11#5"),
            ("number3", "-12.5"),
            ("letter4", "NanHu"),
            ("symbol5", "!?+-*"),
            ("phrase6", "已送达"),
            ("name7", "陈彩明"),
            ("name7", "阿依古丽·买买提"),
            ("name7", "O'Neill, J. Patrick"),
            ("phone_number8", "+86-0766-66888866"),
            ("car_number9", "粤A8Z888挂"),
            ("amount10", "¥100.50元"),
            ("time11", "15:01"),
            ("time11", "2026年11月22日 15:01"),
            ("time11", "2026年11月22日 15:01~2026年11月23日 09:00"),
            ("date12", "2026年11月22日"),
            ("date12", "2026年11月22日 15:01"),
            ("enum13", "办理中"),
            ("keyword1", "新的求助"),
        ],
    )
    def test_a_good_value_is_taken_and_left_as_it_is(self, field: str, value: str) -> None:
        check(field, value)
        assert fit(field, value) == value

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("thing1", ""),
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一"),
            ("thing1", "两\n行"),
            ("thing1", "铃\x07声"),
            ("thing1", "半\ud83d个"),
            ("character_string2", "口罩"),
            ("character_string2", "x" * 33),
            ("number3", "五"),
            ("number3", "1" * 33),
            ("number3", "1.2.3"),
            ("number3", "１２"),
            ("letter4", "a1"),
            ("symbol5", "!!!!!!"),
            ("symbol5", "ab"),
            ("phrase6", "已经送到社区"),
            ("phrase6", "done"),
            ("name7", "一二三四五六七八九十一"),
            ("name7", "陈A"),
            ("name7", "x" * 21),
            ("name7", "user7"),
            ("phone_number8", "0" * 18),
            ("phone_number8", "电话"),
            ("car_number9", "粤A8Z888挂挂"),
            ("amount10", "12345678901"),
            ("amount10", "一百元"),
            ("time11", "25:00"),
            ("time11", "明天"),
            ("time11", "2026-11-22T15:01:00Z"),
            ("date12", "15:01"),
            ("keyword1", "x" * 21),
            ("title1", "no such kind"),
            ("thing1x", "no such kind"),
        ],
    )
    def test_a_bad_value_is_refused_without_being_quoted(self, field: str, value: str) -> None:
        with pytest.raises(FieldBroken) as broken:
            check(field, value)
        assert not value or value not in str(broken.value)

    def test_a_list_of_choices_is_kept_to(self) -> None:
        check("enum1", "办理中", choices=["办理中", "已办结"])
        with pytest.raises(FieldBroken):
            check("enum1", "在路上", choices=["办理中", "已办结"])

    @pytest.mark.parametrize(
        ("field", "value", "fitted"),
        [
            ("thing1", "一二三四五六七八九十一二三四五六七八九十一", "一二三四五六七八九十一二三四五六七八九…"),
            ("thing1", " 第一行\r\n第二行\t\x00完 ", "第一行 第二行 完"),
            ("thing1", "", "无"),
            ("thing1", "\u200b\u202e\n", "无"),
            ("thing1", "<b>口罩</b>", "<b>口罩</b>"),
            ("thing1", "😷" * 11, "😷" * 9 + "…"),
            ("thing1", "半\ud83d个", "半个"),
            ("character_string2", "编号 HZ-5", "HZ-5"),
            ("character_string2", "口罩", "-"),
            ("phrase6", "已经送到社区", "已经送到社"),
            ("phrase6", "OK", "无"),
            ("name7", "陈彩明😀 007", "陈彩明"),
            ("name7", "陈彩明 Tom", "陈彩明"),
            ("name7", "一二三四五六七八九十一", "一二三四五六七八九十"),
            ("name7", "用户\n123", "用户"),
            ("name7", "007", "居民"),
            ("number3", 5, "5"),
            ("time11", datetime(2026, 11, 22, 7, 1, tzinfo=UTC), "2026年11月22日 15:01"),
            ("date12", datetime(2026, 12, 31, 16, 0, tzinfo=UTC), "2027年01月01日 00:00"),
        ],
    )
    def test_what_people_wrote_is_made_to_fit(self, field: str, value: Any, fitted: str) -> None:
        assert fit(field, value) == fitted

    def test_what_our_code_made_is_not_changed_but_refused(self) -> None:
        for field in ("time1", "date1", "number1", "amount1", "phone_number1", "enum1"):
            with pytest.raises(FieldBroken):
                fit(field, "明\n天")

    @given(
        st.text(st.characters(exclude_categories=())),
        st.sampled_from(["thing1", "character_string1", "phrase1", "name1"]),
    )
    def test_no_text_at_all_can_break_a_field_that_people_fill(self, text: str, field: str) -> None:
        check(field, fit(field, text))
        assert fit(field, fit(field, text)) == fit(field, text)


class TestSending:
    def test_a_subscribe_message_carries_fitted_values_and_the_edition(self, scripted: Any) -> None:
        scripted.answers[SEND] = {"errcode": 0, "errmsg": "ok", "msgid": 1888884277765000001}
        msgid = messages.send_subscribe(
            openid="o1",
            template_id="T",
            page="pages/help?id=help_1",
            data={"thing1": "口罩\n" * 20, "number2": 5},
        )
        assert msgid == "1888884277765000001"
        ((_, body),) = scripted.asked(SEND)
        assert body == {
            "touser": "o1",
            "template_id": "T",
            "page": "pages/help?id=help_1",
            "data": {"thing1": {"value": "口罩 口罩 口罩 口罩 口罩 口罩 口…"}, "number2": {"value": "5"}},
            "miniprogram_state": "formal",
            "lang": "zh_CN",
        }

    def test_a_broken_value_is_not_sent(self, scripted: Any) -> None:
        with pytest.raises(FieldBroken):
            messages.send_subscribe(openid="o1", template_id="T", page="p", data={"time1": "soon"})
        assert scripted.requests == []

    @pytest.mark.parametrize(("errcode", "meaning"), [(43101, Meaning.NO_CREDIT), (43108, Meaning.BUSY_USER)])
    def test_a_refusal_reaches_the_caller_with_its_meaning(self, scripted: Any, errcode: int, meaning: Meaning) -> None:
        scripted.answers[SEND] = {"errcode": errcode, "errmsg": "no"}
        with pytest.raises(WeChatRefused) as refusal:
            messages.send_subscribe(openid="o1", template_id="T", page="p", data={"thing1": "x"})
        assert refusal.value.meaning is meaning
        assert len(scripted.asked(SEND)) == 1

    def test_a_template_message_goes_from_the_service_account_and_opens_the_mini_program(
        self, scripted: Any, set_up: Any
    ) -> None:
        set_up(service_account_appid="wxservice", service_account_secret="s2")
        scripted.answers[SEND_TEMPLATE] = {"errcode": 0, "errmsg": "ok", "msgid": 17}
        msgid = messages.send_template(
            openid="f1", template_id="T", page="pages/help", data={"keyword1": "新的求助"}, client_msg_id="c" * 32
        )
        assert msgid == "17"
        assert scripted.asked("/cgi-bin/stable_token")[0][1]["appid"] == "wxservice"
        ((_, body),) = scripted.asked(SEND_TEMPLATE)
        assert body == {
            "touser": "f1",
            "template_id": "T",
            "miniprogram": {"appid": scripted.appid, "pagepath": "pages/help"},
            "data": {"keyword1": {"value": "新的求助"}},
            "client_msg_id": "c" * 32,
        }

    @pytest.mark.parametrize("client_msg_id", ["", "c" * 33])
    def test_a_number_that_wechat_would_not_recognise_is_refused(self, scripted: Any, client_msg_id: str) -> None:
        with pytest.raises(ValueError, match="client_msg_id"):
            messages.send_template(openid="f", template_id="T", page="p", data={}, client_msg_id=client_msg_id)
