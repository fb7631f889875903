import io
import json

import pytest
from PIL import Image

from local.wechat.content import judge_picture

TEXT = "/wxa/msg_sec_check"
MEDIA = "/wxa/media_check_async"


def text_of(person: dict, content: object = "谁有多余的口罩？", **changed) -> dict:
    return {"version": 2, "scene": 3, "openid": person["openid"], "content": content} | changed


def media_of(person: dict, url: str, **changed) -> dict:
    return {"version": 2, "scene": 3, "openid": person["openid"], "media_type": 2, "media_url": url} | changed


def picture(colour: str, form: str = "PNG", size: tuple[int, int] = (64, 48)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, form)
    return content.getvalue()


def test_ordinary_text_passes(api, li_ju):
    answer = api.post(TEXT, text_of(li_ju))
    assert answer["result"] == {"suggest": "pass", "label": 100}
    assert answer["trace_id"]


@pytest.mark.parametrize(
    ("content", "suggest", "label"),
    [("线上赌博，日赚三千", "risky", 20006), ("高价回收旧手机", "review", 10001), ("高价回收，赌博", "risky", 20006)],
)
def test_the_worst_word_decides(api, li_ju, content, suggest, label):
    answer = api.post(TEXT, text_of(li_ju, content))
    assert answer["result"] == {"suggest": suggest, "label": label}
    assert answer["detail"][0]["suggest"] == suggest
    assert answer["detail"][1]["keyword"] in content


def test_the_nickname_and_the_title_are_read_too(api, li_ju):
    assert api.post(TEXT, text_of(li_ju, nickname="赌博之王"))["result"]["suggest"] == "risky"
    assert api.post(TEXT, text_of(li_ju, title="赌博"))["result"]["suggest"] == "risky"


def test_words_can_be_added(stand_in, api, li_ju):
    stand_in.settings(risky_words={"暗号": 20001})
    assert api.post(TEXT, text_of(li_ju, "这是暗号"))["result"] == {"suggest": "risky", "label": 20001}


@pytest.mark.parametrize(
    ("changed", "errcode"),
    [
        ({"openid": "oNobody"}, 40003),
        ({"openid": 5}, 40003),
        ({"version": 1}, 40097),
        ({"scene": 5}, 40129),
        ({"content": ""}, 40097),
        ({"content": 5}, 40097),
        ({"content": "字" * 2501}, 45002),
        ({"signature": "签名"}, 40129),
    ],
)
def test_a_wrong_text_question_is_refused(api, li_ju, changed, errcode):
    assert api.post(TEXT, text_of(li_ju, **changed))["errcode"] == errcode


def test_2500_characters_are_still_read(api, li_ju):
    assert api.post(TEXT, text_of(li_ju, "字" * 2500))["errcode"] == 0


def test_an_openid_of_another_account_has_no_permission(api, li_ju):
    assert api.post(TEXT, text_of(li_ju, openid=li_ju["service_openid"]))["errcode"] == 43104


def test_the_author_must_have_been_here_within_two_hours(stand_in, api, li_ju):
    stand_in.away("li_ju")
    assert api.post(TEXT, text_of(li_ju))["errcode"] == 61010
    assert api.post(MEDIA, media_of(li_ju, "http://127.0.0.1/p"))["errcode"] == 61010
    api.log_in(stand_in.login_code("li_ju"))
    stand_in.pass_time(7190)
    assert api.post(TEXT, text_of(li_ju), token=api.fetch_token())["errcode"] == 0
    stand_in.pass_time(20)
    assert api.post(TEXT, text_of(li_ju), token=api.fetch_token())["errcode"] == 61010


def test_who_was_never_here_counts_as_away(stand_in, api):
    assert api.post(TEXT, text_of(stand_in.add_person("chen", "陈彩明")))["errcode"] == 61010


def test_the_minutes_and_the_days_quota_have_their_own_codes(stand_in, api, li_ju):
    stand_in.set_quota(TEXT, per_minute=1)
    assert [api.post(TEXT, text_of(li_ju))["errcode"] for _ in range(2)] == [0, 44991]
    stand_in.pass_time(60)
    assert api.post(TEXT, text_of(li_ju))["errcode"] == 0
    stand_in.set_quota(MEDIA, per_day=0)
    assert api.post(MEDIA, media_of(li_ju, "http://127.0.0.1/p"))["errcode"] == 45009


@pytest.mark.parametrize(
    ("colour", "suggest", "label"), [("red", "risky", 20002), ("yellow", "review", 21000), ("green", "pass", 100)]
)
def test_a_picture_is_fetched_and_its_colour_decides(stand_in, api, li_ju, our_server, colour, suggest, label):
    stand_in.settings(push_mode="plain")
    our_server.pictures["/photo.png"] = picture(colour)
    asked = api.post(MEDIA, media_of(li_ju, f"{our_server.base}/photo.png"))
    assert asked["errcode"] == 0
    [event] = [json.loads(push.body) for push in our_server.wait_for(1)]
    assert event["trace_id"] == asked["trace_id"]
    assert event["errcode"] == 0
    assert event["result"] == {"suggest": suggest, "label": label}


@pytest.mark.parametrize(("colour", "suggest"), [("#e03020", "risky"), ("#f0e010", "review"), ("#808080", "pass")])
def test_the_colour_survives_shrinking_and_jpeg(colour, suggest):
    original = Image.open(io.BytesIO(picture(colour, "JPEG", (800, 600))))
    original.thumbnail((200, 200))
    smaller = io.BytesIO()
    original.save(smaller, "JPEG", quality=60)
    assert judge_picture(smaller.getvalue())[0] == suggest


def test_a_picture_that_is_mostly_something_else_passes():
    flag = Image.new("RGB", (60, 40), "white")
    flag.paste("red", (0, 0, 40, 40))
    content = io.BytesIO()
    flag.save(content, "PNG")
    assert judge_picture(content.getvalue()) == ("pass", 100)


@pytest.mark.parametrize("content", [None, b"", b"no picture at all", picture("red")[:60]])
def test_a_failed_download_is_reported_by_the_event(stand_in, api, li_ju, our_server, content):
    stand_in.settings(push_mode="plain")
    if content is not None:
        our_server.pictures["/photo.png"] = content
    api.post(MEDIA, media_of(li_ju, f"{our_server.base}/photo.png"))
    [event] = [json.loads(push.body) for push in our_server.wait_for(1)]
    assert event["errcode"] == -1008


def test_withheld_results_come_when_they_are_released(stand_in, api, li_ju, our_server):
    stand_in.settings(push_mode="plain", media_withheld=True)
    our_server.pictures["/photo.png"] = picture("green")
    asked = api.post(MEDIA, media_of(li_ju, f"{our_server.base}/photo.png"))
    stand_in.pass_time(3600)
    assert stand_in.pushes() == []
    stand_in.settings(media_withheld=False)
    [event] = [json.loads(push.body) for push in our_server.wait_for(1)]
    assert event["trace_id"] == asked["trace_id"]


def test_a_late_result_comes_when_its_time_has_come(stand_in, api, li_ju, our_server):
    stand_in.settings(media_delay_seconds=900)
    our_server.pictures["/photo.png"] = picture("green")
    api.post(MEDIA, media_of(li_ju, f"{our_server.base}/photo.png"))
    assert stand_in.pushes() == []
    stand_in.pass_time(901)
    our_server.wait_for(1)


def test_the_same_address_is_not_checked_twice_at_once(stand_in, api, li_ju, our_server):
    stand_in.settings(media_delay_seconds=60)
    body = media_of(li_ju, f"{our_server.base}/photo.png")
    assert api.post(MEDIA, body)["errcode"] == 0
    assert api.post(MEDIA, body)["errcode"] == 87020


@pytest.mark.parametrize("changed", [{"media_url": "ftp://x/y"}, {"media_url": 5}, {"media_type": 3}, {"version": 1}])
def test_a_wrong_media_question_is_refused(api, li_ju, changed):
    assert api.post(MEDIA, media_of(li_ju, "http://127.0.0.1/p") | changed)["errcode"] == 40097
