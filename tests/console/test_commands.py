"""Administrators' commands: each does one thing, wrong ones do nothing, repeated ones nothing more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.areas import service as areas
from chalicelib.areas.models import Area
from chalicelib.console import commands
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.people import service as people
from chalicelib.people.models import Duty, partition
from tests.engine.meanwhile import meanwhile
from tests.neighbourhood import Hood, Neighbour
from tests.points import books


def administer(command: str, **more: Any) -> dict[str, Any]:
    return commands.administer({"command": command, **more}, request_id="request-1", now=clock.now())


def duties_of(neighbour: Neighbour) -> list[Duty]:
    return Item.collection(partition(neighbour.id), "ME#DUTY#")


def grant(neighbour: Neighbour, area: str, role: str = "grid_worker", **more: Any) -> dict[str, Any]:
    return administer("grant_duty", resident_id=neighbour.id, role=role, area=area, **more)


def end(neighbour: Neighbour, area: str, role: str = "grid_worker") -> dict[str, Any]:
    return administer("end_duty", resident_id=neighbour.id, role=role, area=area)


class TestWrongCommands:
    @pytest.mark.parametrize(
        ("event", "wrong"),
        [
            ({}, "command"),
            ({"command": "drop_table"}, "command"),
            ({"command": None}, "command"),
            ({"command": ["grant_duty"]}, "command"),
            ({"command": "grant_duty"}, "resident_id"),
            ({"command": "grant_duty", "resident_id": 5, "role": "grid_worker", "area": "330402"}, "resident_id"),
            ({"command": "grant_duty", "resident_id": "", "role": "grid_worker", "area": "330402"}, "resident_id"),
            (
                {"command": "grant_duty", "resident_id": "r" * 65, "role": "grid_worker", "area": "330402"},
                "resident_id",
            ),
            ({"command": "grant_duty", "resident_id": "res_1", "role": "king", "area": "330402"}, "role"),
            ({"command": "grant_duty", "resident_id": "res_1", "role": "moderator", "area": "NANHU"}, "area"),
            ({"command": "end_duty", "resident_id": "res_1", "role": "moderator", "area": "330402", "x": 1}, "x"),
            ({"command": "put_areas", "areas": []}, "areas"),
            ({"command": "put_areas", "areas": [{"code": "330402"}]}, "areas[0].name"),
            ({"command": "put_areas", "areas": [{"code": "330402", "name": " "}]}, "areas[0].name"),
            ({"command": "put_areas", "areas": "330402"}, "areas"),
        ],
    )
    def test_they_say_in_chinese_what_is_wrong(self, event: dict[str, Any], wrong: str) -> None:
        answer = commands.administer(event, request_id="r", now=clock.now())
        assert (answer["ok"], answer["code"]) == (False, "command_invalid")
        assert wrong in answer["fields"], answer
        assert all(not reason.isascii() for reason in answer["fields"].values())

    @pytest.mark.parametrize("event", [None, [], "grant_duty", 5, {"command": {}}, {1: 2}])
    def test_what_is_no_command_at_all_is_refused(self, event: Any) -> None:
        assert commands.administer(event, request_id="r", now=clock.now())["ok"] is False

    def test_the_log_names_what_was_done_and_nobody_by_name(self, hood: Hood, logs: Any) -> None:
        neighbour = hood.resident()
        nickname = neighbour.get("/me").json["nickname"]
        grant(neighbour, hood.grid)
        (line,) = [line for line in logs.lines if line["message"] == "administer"]
        assert (line["command"], line["resident"], line["area"]) == ("grant_duty", neighbour.id, hood.grid)
        assert nickname not in logs.text


class TestPuttingAreas:
    def test_larger_and_smaller_ones_come_together_in_any_order(self, hood: Hood) -> None:
        street, community = f"{hood.district}007", f"{hood.district}007001"
        rows = [
            {"code": community, "name": "凌塘社区", "drop_points": [{"id": "office", "name": "居委会"}]},
            {"code": street, "name": "东栅街道"},
        ]
        assert administer("put_areas", areas=rows) == {"ok": True, "detail": "已保存 2 个区域。"}
        assert areas.get(street).name == "东栅街道"
        assert [(place.id, place.name) for place in areas.get(community).drop_points] == [("office", "居委会")]

    def test_again_changes_nothing_more(self, hood: Hood) -> None:
        rows = [{"code": hood.community, "name": "新名字", "rename": True}]
        for _ in range(2):
            assert administer("put_areas", areas=rows)["ok"]
        assert [area.name for area in areas.children(hood.street)] == ["新名字"]

    def test_another_name_for_a_known_code_is_refused_and_none_is_written(self, hood: Hood) -> None:
        """As when each street of a list carries its district's code."""
        rows = [{"code": f"{hood.street}002", "name": "第二社区"}, {"code": hood.community, "name": "别的社区"}]
        answer = administer("put_areas", areas=rows)
        assert (answer["ok"], answer["fields"].keys()) == (False, {hood.community})
        assert "桂苑社区" in answer["fields"][hood.community]
        assert [area.name for area in areas.children(hood.street)] == ["桂苑社区"]

    def test_a_name_given_in_the_same_moment_stays(self, hood: Hood) -> None:
        """The list is looked through first; each area is decided in its own write."""
        with meanwhile(f"AREA#{hood.street}", lambda: areas.put(hood.community, "先到的", [], rename=True)):
            answer = administer("put_areas", areas=[{"code": hood.community, "name": "桂苑社区"}])
        assert (answer["ok"], answer["code"]) == (False, "area_has_another_name")
        assert [area.name for area in areas.children(hood.street)] == ["先到的"]

    def test_what_keeps_its_name_may_get_other_drop_points(self, hood: Hood) -> None:
        row = {"code": hood.community, "name": "桂苑社区", "drop_points": [{"id": "shop", "name": "小店"}]}
        assert administer("put_areas", areas=[row])["ok"]
        assert [place.id for place in areas.get(hood.community).drop_points] == ["shop"]

    @pytest.mark.parametrize(
        ("suffix", "code"),
        [("999001", "area_unknown"), ("00", "area_unknown"), ("0", "area_unknown")],
    )
    def test_one_wrong_row_and_none_is_written(self, hood: Hood, suffix: str, code: str) -> None:
        good = {"code": f"{hood.district}008", "name": "好街道"}
        answer = administer("put_areas", areas=[good, {"code": hood.district + suffix, "name": "坏区域"}])
        assert (answer["ok"], answer["code"]) == (False, code)
        assert Area.find(f"AREA#{hood.district}", f"{hood.district}008") is None

    def test_the_same_code_twice_is_refused(self, hood: Hood) -> None:
        rows = [{"code": hood.community, "name": "一个"}, {"code": hood.community, "name": "另一个"}]
        assert administer("put_areas", areas=rows)["fields"] == {"areas": "同一个编码出现了两次"}
        assert areas.get(hood.community).name == "桂苑社区"

    def test_a_new_district_needs_no_parent(self) -> None:
        assert administer("put_areas", areas=[{"code": "330411", "name": "秀洲区"}])["ok"]


class TestGrantingADuty:
    def test_it_holds_at_once_and_its_holder_is_told(self, hood: Hood) -> None:
        neighbour = hood.resident()
        answer = grant(neighbour, hood.grid)
        nickname = neighbour.get("/me").json["nickname"]
        assert answer == {"ok": True, "detail": f"{nickname} 现在是桂苑社区第一网格的网格员。"}
        assert neighbour.get(f"/residences?area={hood.grid}").status == 200
        assert neighbour.told == ["duty_given"]
        (duty,) = duties_of(neighbour)
        assert duty.granted_by == "request-1"

    def test_it_may_have_an_end(self, hood: Hood) -> None:
        neighbour = hood.resident()
        answer = grant(neighbour, hood.grid, until_at="2099-12-31T23:59:00+08:00")
        assert "到 2099年12月31日 23:59 为止" in answer["detail"]
        assert neighbour.get("/me").json["duties"][0]["until_at"] == "2099-12-31T23:59:00+08:00"

    def test_again_changes_and_tells_nothing_more(self, hood: Hood) -> None:
        neighbour = hood.resident()
        first = grant(neighbour, hood.grid)
        (before,) = duties_of(neighbour)
        assert grant(neighbour, hood.grid) == first
        (after,) = duties_of(neighbour)
        assert (after.from_at, neighbour.told) == (before.from_at, ["duty_given"])

    def test_another_end_keeps_the_beginning(self, hood: Hood) -> None:
        neighbour = hood.resident()
        grant(neighbour, hood.grid)
        (before,) = duties_of(neighbour)
        grant(neighbour, hood.grid, until_at="2099-12-31T23:59:00+08:00")
        (after,) = duties_of(neighbour)
        assert after.from_at == before.from_at
        assert after.until_at > clock.now()

    def test_one_that_was_over_begins_anew(self, hood: Hood) -> None:
        neighbour = hood.resident()
        grant(neighbour, hood.grid), end(neighbour, hood.grid)
        assert grant(neighbour, hood.grid)["ok"]
        assert neighbour.get(f"/residences?area={hood.grid}").status == 200
        assert neighbour.told == ["duty_given", "duty_ended", "duty_given"]

    @pytest.mark.parametrize("until", ["2020-01-01T00:00:00+08:00", "2099-01-01T00:00:00", "tomorrow", 5])
    def test_an_end_that_is_over_or_no_moment_is_refused(self, hood: Hood, until: object) -> None:
        neighbour = hood.resident()
        assert grant(neighbour, hood.grid, until_at=until)["fields"].keys() == {"until_at"}
        assert duties_of(neighbour) == neighbour.told == []

    def test_an_area_nobody_knows_is_refused(self, hood: Hood) -> None:
        neighbour = hood.resident()
        for area in (f"{hood.community}999", f"{hood.district}00", "999999"):
            answer = grant(neighbour, area)
            assert (answer["code"], list(answer["fields"])) == ("area_unknown", ["area"])
        assert duties_of(neighbour) == []

    @pytest.mark.parametrize("resident_id", ["res_nobody", "ME", "#", "RES#x"])
    def test_somebody_nobody_knows_is_refused(self, hood: Hood, resident_id: str) -> None:
        answer = administer("grant_duty", resident_id=resident_id, role="moderator", area=hood.grid)
        assert (answer["code"], answer["fields"]) == ("resident_unknown", {"resident_id": "没有找到"})

    def test_somebody_who_has_gone_is_refused(self, hood: Hood) -> None:
        neighbour = hood.resident()
        neighbour.post("/me/close", json={"word": "注销"})
        assert grant(neighbour, hood.grid)["code"] == "resident_unknown"


class TestEndingADuty:
    def test_it_ends_at_once_and_its_holder_is_told(self, hood: Hood) -> None:
        neighbour = hood.resident()
        grant(neighbour, hood.grid)
        answer = end(neighbour, hood.grid)
        assert "不再是桂苑社区第一网格的网格员" in answer["detail"]
        assert neighbour.get(f"/residences?area={hood.grid}").code == "duty_needed"
        assert people.holders("grid_worker", hood.grid, now=clock.now()) == []
        assert neighbour.told == ["duty_given", "duty_ended"]

    def test_again_or_what_never_was_is_refused_and_tells_nothing(self, hood: Hood) -> None:
        neighbour = hood.resident()
        grant(neighbour, hood.grid), end(neighbour, hood.grid)
        ended = duties_of(neighbour)[0].until_at
        for answer in (
            end(neighbour, hood.grid),
            end(neighbour, hood.community),
            end(neighbour, hood.grid, "mediator"),
        ):
            assert (answer["ok"], answer["code"]) == (False, "duty_unknown")
        assert duties_of(neighbour)[0].until_at == ended
        assert neighbour.told == ["duty_given", "duty_ended"]

    def test_other_duties_of_the_same_person_stay(self, hood: Hood) -> None:
        neighbour = hood.resident()
        grant(neighbour, hood.grid), grant(neighbour, hood.grid, "moderator"), grant(neighbour, hood.community)
        end(neighbour, hood.grid)
        held = {(each["role"], each["area"]) for each in neighbour.get("/me").json["duties"]}
        assert held == {("moderator", hood.grid), ("grid_worker", hood.community)}


class TestCorrectingPoints:
    def correct(self, neighbour: Neighbour, transfer: str, reason: str = "重复记了一次") -> dict[str, Any]:
        return administer("correct_points", resident_id=neighbour.id, transfer=transfer, reason=reason)

    def statement(self, neighbour: Neighbour) -> list[tuple[int, str, int]]:
        month = f"{clock.day(clock.now()):%Y-%m}"
        lines = neighbour.get(f"/me/points/statement?month={month}").json["items"]
        return [(line["change"], line["reason"], line["balance"]) for line in lines]

    def test_the_resident_reads_why_in_the_statement_and_the_inbox(self, hood: Hood) -> None:
        neighbour = hood.resident()
        books.give(neighbour.id, subject="offer_1")
        answer = self.correct(neighbour, "help:offer_1", "重复记了一次。")
        nickname = neighbour.get("/me").json["nickname"]
        assert answer == {"ok": True, "detail": f"已收回 {nickname} 因“帮助邻居”得到的 10 分。"}
        assert self.statement(neighbour)[-1] == (-10, "更正：重复记了一次", 0)
        (notice,) = neighbour.get("/inbox").json["items"]
        assert notice["text"] == "“帮助邻居”的积分收回了 10 分。原因：重复记了一次。有疑问请联系社区。"

    def test_again_and_what_never_was_are_refused_and_change_and_tell_nothing(self, hood: Hood) -> None:
        neighbour = hood.resident()
        books.give(neighbour.id, subject="offer_1")
        books.spend(neighbour.id, 4, "redemption:1")
        first = self.correct(neighbour, "help:offer_1")
        assert "另有 4 分已被花掉" in first["detail"]
        refused = {
            transfer: self.correct(neighbour, transfer) for transfer in ("help:offer_1", "help:x", "redemption:1")
        }
        assert {transfer: answer["code"] for transfer, answer in refused.items()} == {
            "help:offer_1": "transfer_already_corrected",
            "help:x": "transfer_unknown",
            "redemption:1": "transfer_not_correctable",
        }
        assert all(not answer["detail"].isascii() for answer in refused.values())
        assert (books.check(neighbour.id), neighbour.told) == (0, ["points_corrected"])

    def test_who_has_spent_everything_loses_and_is_told_nothing(self, hood: Hood) -> None:
        neighbour = hood.resident()
        books.give(neighbour.id, subject="offer_1")
        books.spend(neighbour.id, 10)
        assert "10 分已被花掉" in self.correct(neighbour, "help:offer_1")["detail"]
        assert neighbour.told == []

    def test_two_administrators_at_once_take_it_back_once(self, hood: Hood) -> None:
        neighbour = hood.resident()
        books.give(neighbour.id, subject="offer_1")
        books.give(neighbour.id, subject="offer_2")
        answers = books.at_once(8, lambda _: self.correct(neighbour, "help:offer_1"))
        assert sorted(answer.get("code", "ok") for answer in answers) == ["ok"] + 7 * ["transfer_already_corrected"]
        assert (books.check(neighbour.id), neighbour.told) == (10, ["points_corrected"])

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"reason": " "}, "reason"),
            ({"reason": "长" * 61}, "reason"),
            ({"transfer": ""}, "transfer"),
            ({"x": 1}, "x"),
        ],
    )
    def test_a_wrong_command_does_nothing(self, hood: Hood, change: dict[str, Any], wrong: str) -> None:
        event = {"resident_id": "res_1", "transfer": "help:offer_1", "reason": "重复", **change}
        answer = administer("correct_points", **event)
        assert (answer["code"], list(answer["fields"])) == ("command_invalid", [wrong])

    def test_somebody_nobody_knows_is_refused(self) -> None:
        answer = administer("correct_points", resident_id="res_nobody", transfer="help:1", reason="重复")
        assert answer["code"] == "resident_unknown"


def test_the_function_itself_answers_as_the_command_does(hood: Hood) -> None:
    import app

    class Context:
        aws_request_id = "request-2"

    neighbour = hood.resident()
    event = {"command": "grant_duty", "resident_id": neighbour.id, "role": "desk_clerk", "area": hood.community}
    assert app.administer(event, Context())["ok"] is True
    (duty,) = duties_of(neighbour)
    assert duty.granted_by == "request-2"
    assert duty.from_at > clock.now() - timedelta(minutes=1)
