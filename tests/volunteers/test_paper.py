"""The page to print: complete, plain when it does not count, and harmless whatever is written in it."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.statements import rules
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour
from tests.volunteers import hours

HOSTILE = '<script>alert(1)</script><img src=x onerror="a()">&amp;\u202e"\'</td></table></style>'


class Read(HTMLParser):
    """The tags with their attributes, and the text, of a page whose tags are closed in order."""

    VOID = {"meta", "col", "br", "path"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def page(hood: Hood, number: str) -> Answer:
    answer = hood.http.get(f"/statements/{number}/page")
    assert answer.status == 200, answer
    return answer


def issued(hood: Hood, **more: Any) -> tuple[Neighbour, str]:
    chen = hours.volunteer(hood)
    hours.served(chen, **more)
    return chen, hours.issued(chen)["number"]


def test_the_page_shows_what_the_statement_shows(hood: Hood) -> None:
    chen, _ = issued(hood)
    hours.served(chen, days_ago=2, minutes=90, how="recorded", why="门口信号不好，没有签到", title="夜间巡逻")
    worker = hood.staff("grid_worker", name="沈网格")
    hours.noted(worker, chen, hours.training())
    hours.noted(worker, chen)
    number = hours.issued(chen)["number"]
    answer = page(hood, number)
    text = Read(answer.text).text
    for group in ("一、个人基本信息", "二、志愿服务情况", "三、培训情况", "四、表彰奖励情况", "五、评价情况"):
        assert group in text
    for shown in (
        "陈建君",
        "1962年5月8日",
        "桂苑社区",
        "水电维修、驾驶",
        "守小门",
        "夜间巡逻",
        "桂苑社区东门",
        "签到签退",
    ):
        assert shown in text, shown
    for shown in ("组织者补录", "记录人：沈组织", "原因：门口信号不好，没有签到", "心肺复苏初级培训", "年度优秀志愿者"):
        assert shown in text, shown
    assert "合计 2 次，5 小时 30 分钟。其中签到签退 4 小时，组织者补录 1 小时 30 分钟。" in text
    assert text.count(number) >= 2
    assert f"http://api.test/api/statements/{number}/page" in text
    assert "五、评价情况无。" in text
    assert "已作废" not in text
    assert "已替换" not in text


def test_the_qr_code_is_of_the_check_address(hood: Hood) -> None:
    import segno

    _, number = issued(hood)
    address = f"http://api.test/api/statements/{number}/page"
    drawn = segno.make(address, error="m", micro=False).svg_inline(scale=4, border=1, omitsize=True)
    assert drawn in page(hood, number).text
    assert drawn.count("<path") == 1


def test_the_page_loads_nothing_runs_nothing_and_is_kept_by_nobody(hood: Hood) -> None:
    answer = page(hood, issued(hood)[1])
    found = Read(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    (style,) = re.findall(r"<style>(.*?)</style>", answer.text, re.S)
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in policy
    assert not {"script", "link", "img", "iframe", "a", "form", "object"} & {tag for tag, _ in found.tags}
    assert not {"style", "src", "href", "onload", "onerror"} & {name for _, given in found.tags for name in given}
    assert "url(" not in style
    assert "@import" not in style


def test_whatever_was_written_stays_text(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.register(chen, HOSTILE)
    why = {"how": "recorded", "why": HOSTILE, "recorded_by_name": HOSTILE}
    hours.served(chen, title=HOSTILE, place=HOSTILE, service="<b>", **why)
    worker = hood.staff("grid_worker")
    for kind in ("training", "commendation", "evaluation"):
        body = {"kind": kind, "day": f"{hours.today()}", "title": "<script>alert(2)</script>", "by": "<b>甲</b>"}
        hours.noted(worker, chen, body)
    answer = page(hood, hours.issued(chen)["number"])
    found = Read(answer.text)
    assert not {"script", "img", "b"} & {tag for tag, _ in found.tags}
    assert found.text.count(HOSTILE) == 5
    assert found.text.count("<script>alert(2)</script>") == 3


def test_a_statement_that_does_not_count_says_so_on_top_and_across(hood: Hood) -> None:
    chen, first = issued(hood)
    made = hours.served(chen, days_ago=3)
    second = hours.issued(chen)["number"]
    replaced = Read(page(hood, first).text).text
    assert "已于" in replaced
    assert "被新开的证明替换" in replaced
    assert second not in replaced
    hours.correct(made, 12)
    revoked = Read(page(hood, second).text).text
    assert "作废，原因：服务时长有更正。请勿采用" in revoked
    assert revoked.index("请勿采用") < revoked.index("一、个人基本信息")


def test_a_shift_over_midnight_says_on_which_day_it_ends(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    made = hours.record(chen.id, days_ago=2)
    start = made.start_at + timedelta(hours=14)
    hours.served(chen, start=start, end_at=start + timedelta(hours=4))
    assert "22:00–次日 02:00" in page(hood, hours.issued(chen)["number"]).text


def test_many_lines_repeat_the_head_of_the_table_and_keep_their_rows_whole(hood: Hood) -> None:
    text = page(hood, issued(hood)[1]).text
    assert "thead { display: table-header-group }" in text
    assert "tr { break-inside: avoid }" in text
    assert "size: A4" in text
    assert re.search(r'@bottom-left { content: "编号 ZM-[0-9A-Z-]{14}"', text)


def test_each_line_says_for_whom_it_was_and_who_answered_for_it(hood: Hood) -> None:
    chen = hours.volunteer(hood)
    hours.served(chen, area=hood.community, organiser_name="沈<组织>")
    text = hood.http.get(f"/statements/{hours.issued(chen)['number']}/page").text
    assert "服务对象：桂苑社区居民" in text
    assert "负责人：沈&lt;组织&gt;" in text


def test_three_years_of_two_shifts_a_day_are_small_enough_when_packed() -> None:
    from chalicelib.kit import clock

    made = rules.Served(
        clock.now(),
        clock.now(),
        "桂苑社区守小门志愿服务活动",
        "守小门",
        "桂苑社区东门",
        "桂苑社区居民",
        "网格员",
        240,
        "recorded",
        "沈",
        "忘记签到",
    )
    lines = [made] * rules.LINES_AT_MOST
    basic = rules.Basic("陈建君", None, "桂苑社区", [], None)
    paper = rules.Paper(basic, lines, record_rules.totals_of([]), [], [], [])
    assert len(rules.packed(paper)) < rules.BYTES_AT_MOST
    assert rules.unpacked(rules.packed(paper)).service == [*lines]
