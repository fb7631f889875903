"""The copy of all my data: everything of mine, nothing of others, for a day and by links of ten minutes."""

from __future__ import annotations

import json
import re
import urllib.request
from datetime import timedelta
from urllib.parse import parse_qs, urlparse

import pytest

from chalicelib.account import own_data, rules
from chalicelib.account.models import DataCopy
from chalicelib.kit import clock, limits
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.people.models import partition
from tests.engine import local_aws
from tests.engine.http import Answer
from tests.neighbourhood import Hood, Neighbour

SCRIPT = "<script>alert('1')</script>"


def ask(neighbour: Neighbour, key: str | None = None) -> Answer:
    return neighbour.post("/me/copy", key=key)


def copy_of(neighbour: Neighbour) -> DataCopy:
    return DataCopy.fetch(partition(neighbour.id), "COPY")


def prepare(neighbour: Neighbour) -> None:
    """As the sweeper does within a minute."""
    neighbour.hood.pass_time(copy_of(neighbour), clock.now() + timedelta(seconds=1))


def ready(neighbour: Neighbour) -> dict[str, str]:
    assert ask(neighbour).status == 202
    prepare(neighbour)
    answer = neighbour.get("/me/copy").json
    assert answer["state"] == "ready"
    return dict(answer)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return str(answer.read().decode())


def files(folder: str) -> list[str]:
    found = local_aws.client("s3").list_objects_v2(
        Bucket=local_aws.ENVIRONMENT["MEDIA_BUCKET"], Prefix=f"copies/{folder}/"
    )
    return [each["Key"].rpartition("/")[2] for each in found.get("Contents", [])]


def test_it_is_prepared_in_the_background_and_its_owner_told(hood: Hood) -> None:
    neighbour = hood.resident()
    answer = ask(neighbour)
    assert (answer.status, answer.json["state"], answer.json["json_url"]) == (202, "preparing", None)
    assert neighbour.get("/me/copy").json["page_url"] is None
    prepare(neighbour)
    assert neighbour.told == ["copy_ready"]
    assert neighbour.get("/me/copy").json["state"] == "ready"


def test_it_holds_everything_of_mine_and_nothing_of_others(hood: Hood) -> None:
    mine, other = hood.resident("李菊"), hood.resident("陈彩明")
    for somebody in (mine, other):
        somebody.post("/me/phone", json={"code": hood.wechat.phone_code(somebody.phone)})
    worker = hood.staff("grid_worker")
    worker.post(f"/residents/{mine.id}/identity", json={"reason": "核实我的理由"})
    worker.post(f"/residents/{other.id}/identity", json={"reason": "核实别人的理由"})
    asked = mine.post("/help-requests", json={"what": "errand", "title": "我的求助标题", "text": "我的求助内容"}).json
    theirs = other.post("/help-requests", json={"what": "errand", "title": "别人的求助", "text": "别人求助的内容"}).json
    offer = other.post(f"/help-requests/{asked['id']}/offers", json={"message": "别人的认领留言"}).json
    mine.post(f"/help-requests/{theirs['id']}/offers", json={"message": "我的认领留言"})
    talk = f"/help-requests/{asked['id']}/offers/{offer['id']}/messages"
    mine.post(talk, json={"text": "我写的一句话"})
    other.post(talk, json={"text": "别人写的一句话"})
    mine.post("/delegations", json={"code": other.post("/me/delegates").json["code"]})
    other.post("/delegations", json={"code": mine.post("/me/delegates").json["code"]})
    mine.put("/me/nickname", json={"nickname": "菊子"})

    text = fetch(ready(mine)["json_url"])
    data = json.loads(text)
    phone = hood.wechat.person(mine.phone)["phone"]
    for own in (
        *("菊子", phone, mine.caller.openid, "1幢", "等待确认", "核实我的理由"),
        *("我的求助标题", "我的求助内容", "我的认领留言", "我写的一句话", "代办人", "替谁代办"),
    ):
        assert own in text, own
    assert {"账号", "谁查看过我的信息", "消息", "我的求助", "我帮助的", "我的留言", "照片"} <= data.keys()
    for foreign in (
        hood.wechat.person(other.phone)["phone"],
        other.caller.openid,
        worker.caller.openid,
        *("核实别人的理由", "别人的认领留言", "别人求助的内容"),
    ):
        assert foreign not in text, foreign


def test_what_a_duty_was_is_part_of_it(hood: Hood) -> None:
    worker = hood.staff("grid_worker")
    assert {"职务": "网格员", "区域": "桂苑社区"} in [
        {"职务": entry.get("职务"), "区域": entry.get("区域")} for entry in own_data.collect(worker.id)["账号"]
    ]


def test_the_page_says_the_same_and_is_no_place_for_scripts(hood: Hood) -> None:
    neighbour = hood.resident()
    body = {"what": "errand", "title": f"求助{SCRIPT}"[:40], "text": f"内容{SCRIPT}\"'&<b>"}
    assert neighbour.post("/help-requests", json=body).status == 201
    page = fetch(ready(neighbour)["page_url"])
    assert page.startswith("<!doctype html>")
    assert "<meta name=viewport" in page, "or a phone shows it too small to read"
    assert SCRIPT not in page
    assert "内容&lt;script&gt;" in page
    assert set(re.findall(r"</?(\w+)", page)) <= {
        "html",
        "meta",
        "title",
        "style",
        "h1",
        "h2",
        "table",
        "tr",
        "td",
        "hr",
    }


def test_the_files_are_saved_and_not_opened_by_the_browser(hood: Hood) -> None:
    with urllib.request.urlopen(ready(hood.resident())["page_url"], timeout=5) as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="data.html"'


def test_its_links_end_after_ten_minutes_and_lead_to_this_copy_alone(hood: Hood) -> None:
    neighbour, other = hood.resident(), hood.resident()
    link, others = ready(neighbour)["json_url"], ready(other)["json_url"]
    query = {name: values[0] for name, values in parse_qs(urlparse(link).query).items()}
    assert query.get("X-Amz-Expires") == "600"
    assert urlparse(link).path != urlparse(others).path
    assert neighbour.id not in link


def test_nobody_sees_that_there_is_one(hood: Hood) -> None:
    ready(hood.resident())
    answer = hood.resident().get("/me/copy")
    assert (answer.status, answer.code) == (404, "no_copy")


def test_asking_while_it_is_prepared_does_not_start_again(hood: Hood) -> None:
    neighbour = hood.resident()
    ask(neighbour)
    folder = copy_of(neighbour).folder
    ask(neighbour), ask(neighbour, key="k")
    assert copy_of(neighbour).folder == folder


def test_the_same_request_again_does_not_make_another_and_a_new_one_does(hood: Hood) -> None:
    neighbour = hood.resident()
    ask(neighbour, key="k"), prepare(neighbour)
    folder = copy_of(neighbour).folder
    assert ask(neighbour, key="k").json["state"] == "ready"
    assert copy_of(neighbour).folder == folder
    assert ask(neighbour).json["state"] == "preparing"
    assert copy_of(neighbour).folder != folder


def test_a_day_later_it_is_gone(hood: Hood) -> None:
    neighbour = hood.resident()
    ready(neighbour)
    with pytest.raises(rules.NoCopy):
        own_data.links(caller=neighbour.caller, now=clock.now() + rules.COPY_LIFE + timedelta(seconds=1))


def test_three_a_day_are_enough(hood: Hood) -> None:
    neighbour, most = hood.resident(), rules.COPIES_A_DAY
    with transaction() as tx:
        limits.spend(tx, neighbour.id, "copy", at_most=most, per=timedelta(days=1), now=clock.now(), cost=most)
    assert ask(neighbour).code == "too_many_requests"


def test_the_timer_run_twice_tells_once(hood: Hood) -> None:
    neighbour = hood.resident()
    ask(neighbour)
    copy = copy_of(neighbour)
    own_data.prepare(copy, now=clock.now())
    own_data.prepare(copy, now=clock.now())
    assert neighbour.told == ["copy_ready"]
    assert Item.get(copy.pk, copy.sk).timer is None


def test_an_account_closed_while_it_is_prepared_leaves_no_file(hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbour = hood.resident()
    ask(neighbour)
    copy = copy_of(neighbour)

    def collect_and_close(resident_id: str, real=own_data.collect):
        data = real(resident_id)
        assert neighbour.post("/me/close", json={"word": "注销"}).status == 204
        return data

    monkeypatch.setattr(own_data, "collect", collect_and_close)
    own_data.prepare(copy, now=clock.now())
    assert files(copy.folder) == []


def test_a_closed_account_has_no_copy_any_more(hood: Hood) -> None:
    neighbour = hood.resident()
    ready(neighbour)
    folder = copy_of(neighbour).folder
    assert files(folder) == ["data.html", "data.json"]
    neighbour.post("/me/close", json={"word": "注销"})
    assert files(folder) == []
