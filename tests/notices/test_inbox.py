from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest

from chalicelib.kit import clock
from chalicelib.kit.errors import Refused
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service
from chalicelib.notices.models import Notice
from chalicelib.people import personal_data
from tests.engine.budget import budget
from tests.engine.http import Http
from tests.notices.conftest import NOON, Neighbour, tell


@pytest.fixture
def token(token: Callable[..., str], set_up: Callable[..., None]) -> Callable[..., str]:
    return token


class SomeoneElse(Refused):
    code, detail = "someone_else", "别人先办了。"


def test_a_message_is_there_exactly_when_the_act_happened(li_ju: Neighbour) -> None:
    taken = Item("TAKEN#" + li_ju.id, "X")
    with pytest.raises(SomeoneElse), transaction() as tx:
        service.tell(tx, li_ju.id, "copy_ready", about="x", now=NOON)
        tx.update(taken, [Item.area_sort.set("1")], or_raise=SomeoneElse())
    assert li_ju.notices == []


def test_the_inbox_shows_the_newest_first_page_by_page(http: Http, li_ju: Neighbour) -> None:
    for number in range(23):
        tell(li_ju, "help_thanked", now=NOON + timedelta(minutes=number), requester="陈", title=f"谢谢{number}")
    first = http.get("/inbox", token=li_ju.token).json
    rest = http.get(f"/inbox?cursor={first['next']}", token=li_ju.token).json
    texts = [item["text"] for item in first["items"] + rest["items"]]
    assert [re.search(r"谢谢(\d+)", text)[1] for text in texts] == [str(number) for number in range(22, -1, -1)]
    assert rest["next"] is None


def test_a_message_says_what_who_and_where_to_tap(http: Http, li_ju: Neighbour) -> None:
    tell(li_ju, "help_dropped_off", now=NOON)
    (item,) = http.get("/inbox", token=li_ju.token).json["items"]
    assert item.pop("id").startswith("notice_20261120T040000000Z_")
    assert item == {
        "kind": "help_dropped_off",
        "title": "东西已送到，请去领取",
        "text": "陈彩明已把“需要口罩5个”要的东西放到凌塘社区居委会。请带上取件码去领，取件码在求助详情里。",
        "page": "pages/help/detail?id=help_1",
        "urgent": False,
        "at": "2026-11-20T12:00:00+08:00",
        "read": False,
    }


def test_reading_takes_a_message_off_the_unread_ones_and_keeps_it(http: Http, li_ju: Neighbour) -> None:
    tell(li_ju), tell(li_ju)
    assert http.get("/inbox/unread", token=li_ju.token).json == {"count": 2, "more": False}
    newest = http.get("/inbox", token=li_ju.token).json["items"][0]
    for _ in range(2):
        assert http.post(f"/inbox/{newest['id']}/read", token=li_ju.token).status == 204
    assert http.get("/inbox/unread", token=li_ju.token).json["count"] == 1
    assert [item["read"] for item in http.get("/inbox", token=li_ju.token).json["items"]] == [True, False]


def test_reading_again_does_not_change_when_it_was_read(li_ju: Neighbour) -> None:
    notice = tell(li_ju)
    service.read(caller=li_ju.caller, notice_id=notice.id, now=NOON)
    service.read(caller=li_ju.caller, notice_id=notice.id, now=NOON + timedelta(hours=1))
    assert li_ju.notice.read_at == NOON


def test_reading_all_goes_on_until_nothing_is_left(http: Http, li_ju: Neighbour) -> None:
    with transaction() as tx:
        for _ in range(100):
            service.tell(tx, li_ju.id, "copy_ready", about="x", now=NOON)
    tell(li_ju)
    with budget() as spent:
        assert http.get("/inbox/unread", token=li_ju.token).json == {"count": 99, "more": True}
    assert spent.calls == ["dynamodb Query"]
    assert http.post("/inbox/read-all", token=li_ju.token).json == {"more": True}
    assert http.post("/inbox/read-all", token=li_ju.token).json == {"more": False}
    assert http.get("/inbox/unread", token=li_ju.token).json == {"count": 0, "more": False}


def test_nobody_reads_or_marks_the_messages_of_another(
    http: Http, li_ju: Neighbour, neighbour: Callable[..., Neighbour]
) -> None:
    notice, other = tell(li_ju), neighbour()
    assert http.get("/inbox", token=other.token).json["items"] == []
    assert http.post(f"/inbox/{notice.id}/read", token=other.token).code == "notice_unknown"
    assert li_ju.notice.read_at is None


def test_an_id_that_is_none_is_not_found(http: Http, li_ju: Neighbour) -> None:
    for given in ("1", "notice_1", "notice_20261120T040000000Z_", "ME", "%00", "..%2FME", "口罩", "a" * 500):
        answer = http.post(f"/inbox/{quote(given, safe='%')}/read", token=li_ju.token)
        assert (answer.status, answer.code) == (404, "notice_unknown"), given


def test_an_id_well_formed_but_of_nothing_is_not_found_and_makes_nothing(http: Http, li_ju: Neighbour) -> None:
    answer = http.post(f"/inbox/{Notice.new(li_ju.id, NOON).id}/read", token=li_ju.token)
    assert (answer.status, answer.code) == (404, "notice_unknown")
    assert li_ju.notices == []


def test_a_made_up_cursor_is_refused(http: Http, li_ju: Neighbour) -> None:
    for cursor in ("x", "", "eyJhIjoxfQ.x", "口罩"):
        answer = http.get(f"/inbox?cursor={quote(cursor)}", token=li_ju.token)
        assert (answer.status, answer.code) == (422, "cursor_invalid"), cursor


def test_a_cursor_of_anothers_inbox_is_refused(
    http: Http, li_ju: Neighbour, neighbour: Callable[..., Neighbour]
) -> None:
    with transaction() as tx:
        for _ in range(21):
            service.tell(tx, li_ju.id, "copy_ready", about="x", now=NOON)
    cursor = http.get("/inbox", token=li_ju.token).json["next"]
    assert http.get(f"/inbox?cursor={cursor}", token=neighbour().token).code == "cursor_invalid"


def test_an_unknown_parameter_is_refused(http: Http, li_ju: Neighbour) -> None:
    assert http.get("/inbox?page=2", token=li_ju.token).wrong == {"page": "没有这一项"}


def test_without_a_login_there_is_nothing(http: Http) -> None:
    mine = ["GET /inbox", "GET /inbox/unread", "POST /inbox/read-all", "GET /me/templates", "POST /me/credits"]
    for route in [*mine, "POST /inbox/x/read", "GET /call-sheet", "POST /call-sheet/x/done"]:
        assert http.call(*route.split()).code == "login_needed", route


def test_the_inbox_is_nobody_elses_even_for_delegates(
    http: Http, li_ju: Neighbour, neighbour: Callable[..., Neighbour]
) -> None:
    assert http.get("/inbox", token=neighbour().token, acting_for=li_ju.id).code == "own_affair_only"


def test_html_stays_text(http: Http, li_ju: Neighbour) -> None:
    tell(li_ju, "help_message", sender="<b>陈</b>", title="<script>alert(1)</script>")
    (item,) = http.get("/inbox", token=li_ju.token).json["items"]
    assert "<script>alert(1)</script>" in item["text"]
    assert item["title"] == "<b>陈</b>给您留言"


def test_a_very_long_fact_is_shortened(li_ju: Neighbour) -> None:
    notice = tell(li_ju, "help_message", sender="陈", title="口" * 5000)
    assert "口口…”" in notice.text
    assert len(notice.text) < 300


@pytest.mark.parametrize(
    ("at", "kind", "state"),
    [
        ("2026-11-20T23:30:00+08:00", "help_offered", "later"),
        ("2026-11-20T23:30:00+08:00", "help_unanswered_urgent", "waiting"),
        ("2026-11-20T12:30:00+08:00", "help_offered", "waiting"),
        ("2026-11-20T23:30:00+08:00", "content_in_review", "inbox_only"),
    ],
)
def test_at_night_only_urgent_messages_go_out(
    set_up: Callable[..., None], li_ju: Neighbour, at: str, kind: str, state: str
) -> None:
    set_up(quiet_from="22:00", quiet_until="07:00")
    notice = tell(li_ju, kind, now=datetime.fromisoformat(at), what="求助")
    assert notice.push_state == state


def test_what_waits_for_the_morning_goes_out_between_seven_and_twenty_past(
    set_up: Callable[..., None], li_ju: Neighbour
) -> None:
    set_up(quiet_from="22:00", quiet_until="07:00")
    late = clock.from_stamp("2026-11-20T15:30:00.000Z")
    due = [tell(li_ju, now=late).due_at for _ in range(6)]
    seven = clock.from_stamp("2026-11-20T23:00:00.000Z")
    assert all(at and seven <= at <= seven + timedelta(minutes=20) for at in due)
    assert len(set(due)) > 1


def test_each_act_costs_what_it_must(http: Http, li_ju: Neighbour) -> None:
    notice = tell(li_ju)
    with budget() as spent:
        http.get("/inbox", token=li_ju.token)
    assert spent.calls == ["dynamodb Query"]
    with budget() as spent:
        http.get("/inbox/unread", token=li_ju.token)
    assert spent.calls == ["dynamodb Query"]
    with budget() as spent:
        http.post(f"/inbox/{notice.id}/read", token=li_ju.token)
    assert spent.calls == ["dynamodb TransactWriteItems"]
    tell(li_ju)
    with budget() as spent:
        http.post("/inbox/read-all", token=li_ju.token)
    assert spent.calls == ["dynamodb Query", "dynamodb TransactWriteItems"]
    with budget() as spent, transaction() as tx:
        service.tell(tx, li_ju.id, "help_offered", about="x", now=clock.now(), title="口罩", helper="陈")
    assert spent.calls == ["dynamodb TransactWriteItems"]


def test_messages_are_in_the_copy_of_my_data_and_go_with_my_account(li_ju: Neighbour) -> None:
    tell(li_ju, "copy_ready", now=NOON)
    li_ju.accept("tmpl_help_progress_one_time_000000000000001")
    assert list(personal_data.sections["消息"](li_ju.id)) == [
        {
            "时间": "2026年11月20日 12:00",
            "标题": "您的资料已备好",
            "内容": "您要的个人资料已经备好，请在一天之内下载，过期要重新申请。",
            "已读": "否",
        }
    ]
    for _ in range(2):
        service.erase(li_ju.id, now=NOON)
    left = [item for item in Item.collection(f"RES#{li_ju.id}") if not item.sk.startswith("ME")]
    assert left == []


def test_messages_do_not_stay_for_ever(li_ju: Neighbour) -> None:
    notice = tell(li_ju, now=NOON)
    assert notice.expires_at == int((NOON + timedelta(days=365)).timestamp())
