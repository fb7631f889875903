"""Nothing a resident writes or photographs is seen by others before WeChat, or a moderator, has passed it."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import urllib3
from PIL import Image

from chalicelib.kit import clock
from local import district
from local.phone import Phone
from local.stack import Stack
from local.story import MASKS
from tests.story.conftest import soon, whole

People = Callable[[str], Phone]
CAMERA = "SecretCam of the Wang family"


def picture(colour: str) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = CAMERA
    exif[0x8825] = {1: "N", 2: (30.0, 45.0, 0.0)}
    made = io.BytesIO()
    Image.new("RGB", (800, 600), colour).save(made, "JPEG", exif=exif)
    return made.getvalue()


def test_a_risky_text_is_refused_with_the_reason(phone: People) -> None:
    answer = phone("li-ju").post("/help-requests", MASKS | {"text": "上门赌博，有需要的来"})
    assert (answer.status, answer.code) == (409, "content_refused")


def test_a_doubtful_text_waits_hidden_for_a_moderator(phone: People) -> None:
    li_ju, chen, moderator = phone("li-ju"), phone("chen-caiming"), phone("moderator")
    asked = li_ju.post("/help-requests", MASKS | {"text": "高价回收旧手机"}).json
    assert asked["state"] == "in_review"
    assert chen.get(f"/help-requests/{asked['id']}").status == 404
    waiting = whole(moderator, f"/reviews?area={district.DISTRICT[0]}")
    review = next(line["id"] for line in waiting if "高价回收" in line["excerpt"])
    assert chen.get(f"/reviews/{review}").status == 404
    decided = moderator.post(f"/reviews/{review}/decide", {"decision": "approve"})
    assert decided.json["state"] == "approved"
    assert chen.get(f"/help-requests/{asked['id']}").json["state"] == "open"


def test_without_wechat_a_text_is_kept_hidden_and_checked_later(stage: Stack, phone: People) -> None:
    li_ju, chen = phone("li-ju"), phone("chen-caiming")
    stage.wechat.break_("down", "/wxa/msg_sec_check")
    asked = li_ju.post("/help-requests", MASKS)
    stage.wechat.mend()
    assert (asked.status, asked.json["state"]) == (201, "in_review")
    assert chen.get(f"/help-requests/{asked.json['id']}").status == 404
    stage.sweep(at=datetime.now(UTC) + timedelta(minutes=2))
    assert chen.get(f"/help-requests/{asked.json['id']}").json["state"] == "open"


def test_a_photo_is_seen_after_wechats_answer_and_without_its_place(stage: Stack, phone: People) -> None:
    li_ju, chen = phone("li-ju"), phone("chen-caiming")
    request = f"/help-requests/{li_ju.post('/help-requests', MASKS).json['id']}"
    stage.wechat.settings(media_withheld=True)
    form = li_ju.post(f"{request}/photos", {}).json
    assert li_ju.upload(form, picture("green")) == 204
    soon(lambda: li_ju.get(request).json["photos"][0]["state"] == "checking")
    assert chen.get(request).json["photos"] == []

    stage.wechat.settings(media_withheld=False)
    form = li_ju.post(f"{request}/photos", {}).json
    assert li_ju.upload(form, picture("blue")) == 204
    seen = soon(lambda: chen.get(request).json["photos"])
    shown = urllib3.request("GET", seen[0]["url"])
    assert shown.status == 200
    assert CAMERA.encode() not in shown.data
    assert not Image.open(io.BytesIO(shown.data)).getexif()


def test_a_risky_photo_is_refused_and_never_seen(phone: People) -> None:
    li_ju, chen = phone("li-ju"), phone("chen-caiming")
    request = f"/help-requests/{li_ju.post('/help-requests', MASKS).json['id']}"
    form = li_ju.post(f"{request}/photos", {}).json
    assert li_ju.upload(form, picture("red")) == 204
    soon(lambda: li_ju.get(request).json["photos"][0]["state"] == "refused")
    assert chen.get(request).json["photos"] == []


def test_s3_itself_refuses_what_is_too_large_or_no_picture(phone: People) -> None:
    li_ju = phone("li-ju")
    request = f"/help-requests/{li_ju.post('/help-requests', MASKS).json['id']}"
    form = li_ju.post(f"{request}/photos", {}).json
    assert li_ju.upload(form, b"x" * (5 * 1024 * 1024 + 1)) == 400
    forged = form | {"fields": form["fields"] | {"Content-Type": "text/html"}}
    assert li_ju.upload(forged, b"<script>") == 403


def has_lived_there_for_a_month(stage: Stack, neighbour: Phone) -> None:
    where = {"PK": {"S": f"RES#{neighbour.id}"}, "SK": {"S": "ME"}}
    since = {":since": {"S": clock.stamp(clock.now() - timedelta(days=30))}}
    table = {"TableName": stage.outputs["TableName"], "Key": where}
    stage.client("dynamodb").update_item(
        **table, UpdateExpression="SET home_since = :since", ExpressionAttributeValues=since
    )


@pytest.mark.parametrize(
    ("settled", "state", "cause"), [(True, "in_review", "flagged"), (False, "open", "pointed_out")]
)
def test_three_flags_of_who_lives_there_hide_a_request_and_those_of_newcomers_do_not(
    stage: Stack, phone: People, newcomer: Callable[[str, str], Phone], settled: bool, state: str, cause: str
) -> None:
    li_ju, moderator = phone("li-ju"), phone("moderator")
    request = f"/help-requests/{li_ju.post('/help-requests', MASKS).json['id']}"
    for number in range(3):
        neighbour = newcomer(f"flagger-{cause}-{number}", f"邻居{number}")
        if settled:
            has_lived_there_for_a_month(stage, neighbour)
        assert neighbour.post(f"{request}/flags", {"reason": "advertising"}).status == 204
    assert li_ju.get(request).json["state"] == state
    waiting = whole(moderator, f"/reviews?area={district.DISTRICT[0]}")
    review = next(line for line in waiting if line["cause"] == cause)
    refused = moderator.post(f"/reviews/{review['id']}/decide", {"decision": "refuse", "reason": "含有广告推销"})
    assert refused.json["state"] == "refused"
    seen = li_ju.get(request).json
    assert (seen["state"], seen["removed_reason"]) == ("removed", "含有广告推销")
