"""李菊 asks for masks, 陈彩明 brings five: the whole of it over HTTP, in process."""

from __future__ import annotations

from tests.help.street import MASKS
from tests.neighbourhood import Hood


def test_masks_come_from_a_neighbour(hood: Hood) -> None:
    li_ju, chen = hood.resident("李菊"), hood.resident("陈彩明")
    asked = li_ju.post("/help-requests", json=MASKS, key="k")
    assert asked.status == 201, asked
    request = asked.json["id"]
    assert [line["id"] for line in chen.get(f"/help-requests?area={hood.community}").json["items"]] == [request]

    offered = chen.post(f"/help-requests/{request}/offers", json={"quantity": 5, "message": "我家有"})
    assert offered.status == 201, offered
    offer = offered.json["id"]
    assert chen.get(f"/help-requests?area={hood.community}").json["items"] == []
    path = f"/help-requests/{request}/offers/{offer}"
    dropped = chen.post(f"{path}/drop-off")
    assert dropped.status == 200, dropped
    assert dropped.json["code"] is None
    assert len(li_ju.get(f"/help-requests/{request}").json["offers"][0]["code"]) == 8
    assert li_ju.post(f"{path}/collect").json["state"] == "collected"
    thanked = li_ju.post(f"{path}/thanks", json={"text": "谢谢你，帮了大忙"})
    assert thanked.status == 200, thanked
    confirmed = li_ju.post(f"/help-requests/{request}/confirm")
    assert confirmed.json["state"] == "fulfilled", confirmed
    assert li_ju.told == ["help_offered", "help_dropped_off"]
    assert chen.told == ["help_collected", "help_thanked", "help_fulfilled"]
