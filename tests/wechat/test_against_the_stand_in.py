"""Our side and the stand-in, written from the same documentation by different hands, understand each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.kit import clock
from chalicelib.kit.errors import Problem
from chalicelib.wechat import callback, client, codes, content, login, messages
from chalicelib.wechat.content import Scene
from chalicelib.wechat.errors import Meaning, WeChatRefused, WeChatUnavailable
from chalicelib.wechat.models import AccessToken
from local.wechat import catalogue, pushes, server
from local.wechat.control import StandIn

SEND = "/cgi-bin/message/subscribe/send"
ONE_TIME = "tmpl_help_progress_one_time_000000000000001"
LONG_TERM = "tmpl_civic_service_long_term_00000000000005"
SERVICE = "tmpl_service_account_reminder_0000000000006"
PROGRESS = {"thing1": "需要口罩5个", "phrase2": "已送达", "thing3": "请领取", "time4": "2026年11月22日 15:01"}


@pytest.fixture(scope="module")
def running() -> Iterator[StandIn]:
    with server.running() as stand_in:
        yield stand_in


@pytest.fixture
def wechat(running: StandIn, set_up: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A stand-in that knows 李菊 only, and no container that has talked to it before."""
    running.reset()
    running.mend()
    for appid in (catalogue.APPID, catalogue.SERVICE_APPID):
        AccessToken(*AccessToken.keys(appid)).delete()
    running.add_person("liju", "李菊", phone="13800138000", follows=True)
    monkeypatch.setenv("WECHAT_API_BASE", running.base)
    set_up(
        wechat_appid=catalogue.APPID,
        wechat_secret=catalogue.SECRET,
        service_account_appid=catalogue.SERVICE_APPID,
        service_account_secret=catalogue.SERVICE_SECRET,
        push_token=catalogue.PUSH_TOKEN,
        push_aes_key=catalogue.PUSH_AES_KEY,
    )
    client._client.cache_clear()
    yield running
    client._client.cache_clear()


@pytest.fixture
def openid(wechat: StandIn) -> str:
    return login.code_to_session(wechat.login_code("liju")).openid


def send(openid: str, **data: Any) -> str | None:
    return messages.send_subscribe(
        openid=openid, template_id=ONE_TIME, page="pages/help/index?id=help_1", data={**PROGRESS, **data}
    )


def refused(act: Callable[[], object]) -> Meaning:
    with pytest.raises(WeChatRefused) as refusal:
        act()
    return refusal.value.meaning


def test_a_login_code_works_only_once(wechat: StandIn) -> None:
    code = wechat.login_code("liju")
    assert login.code_to_session(code).openid.startswith("o")
    for errcode in (40029, 40163):
        wechat.settings(used_code_errcode=errcode)
        with pytest.raises(login.LoginCodeInvalid):
            login.code_to_session(code)


def test_a_login_needs_no_token_even_when_tokens_are_down(wechat: StandIn) -> None:
    wechat.break_("down", "/cgi-bin/stable_token")
    assert login.code_to_session(wechat.login_code("liju")).unionid


def test_a_blocked_person_is_told(wechat: StandIn) -> None:
    wechat.change_person("liju", blocked=True)
    with pytest.raises(login.BlockedByWeChat):
        login.code_to_session(wechat.login_code("liju"))


def test_a_phone_number_is_given_once_and_to_its_owner_only(wechat: StandIn, openid: str) -> None:
    wechat.add_person("chencaiming", "陈彩明", phone="13900139000")
    other = login.code_to_session(wechat.login_code("chencaiming")).openid
    code = wechat.phone_code("liju")
    with pytest.raises(login.PhoneCodeInvalid):
        login.phone_number(code, other)
    assert login.phone_number(code, openid) == "+8613800138000"
    with pytest.raises(login.PhoneCodeInvalid):
        login.phone_number(code, openid)


def test_one_accept_is_one_message_and_the_next_finds_no_credit(wechat: StandIn, openid: str) -> None:
    wechat.subscribe("liju", accept=[ONE_TIME])
    assert send(openid)
    assert refused(lambda: send(openid)) is Meaning.NO_CREDIT
    assert len(wechat.messages("liju")) == 1


def test_a_long_term_template_may_be_sent_again(wechat: StandIn, openid: str) -> None:
    wechat.subscribe("liju", accept=[LONG_TERM])
    for _ in range(2):
        messages.send_subscribe(openid=openid, template_id=LONG_TERM, page="pages/me/index", data=PROGRESS)
    assert len(wechat.messages("liju")) == 2


@pytest.mark.parametrize(
    "title", ["口" * 21, "两\n行\r\n三行", "", "😷" * 15, "\x00\u202e", "<script>alert(1)</script>", "半\ud83d个"]
)
def test_no_title_breaks_a_message(wechat: StandIn, openid: str, title: str) -> None:
    wechat.subscribe("liju", accept=[ONE_TIME])
    assert send(openid, thing1=title)


def test_two_messages_at_the_same_moment_are_refused_as_such(wechat: StandIn, openid: str) -> None:
    wechat.subscribe("liju", accept=[ONE_TIME])
    wechat.subscribe("liju", accept=[ONE_TIME])
    wechat.settings(send_milliseconds=300)
    client.mini_program().fetch_access_token()

    def attempt(_: int) -> Meaning | None:
        try:
            send(openid)
        except WeChatRefused as refusal:
            return refusal.meaning
        return None

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(attempt, range(2))) == {None, Meaning.BUSY_USER}


def test_a_follower_gets_a_template_message_once(wechat: StandIn) -> None:
    follower = wechat.person("liju")["service_openid"]
    data = {"thing1": "新的求助", "thing2": "有居民等待回应", "time3": "2026年11月22日 15:01"}
    ask: dict[str, Any] = {"openid": follower, "template_id": SERVICE, "page": "pages/index", "data": data}
    first = messages.send_template(**ask, client_msg_id="notice-1")
    assert messages.send_template(**ask, client_msg_id="notice-1") == first
    assert len(wechat.messages("liju")) == 1
    wechat.change_person("liju", follows=False)
    assert refused(lambda: messages.send_template(**ask, client_msg_id="notice-2")) is Meaning.NO_CREDIT


@pytest.mark.parametrize("spoil", [StandIn.rotate_tokens, StandIn.expire_tokens])
def test_a_token_that_dies_early_is_replaced_unnoticed(
    wechat: StandIn, openid: str, spoil: Callable[[StandIn], None]
) -> None:
    wechat.subscribe("liju", accept=[ONE_TIME])
    client.mini_program().fetch_access_token()
    spoil(wechat)
    assert send(openid)
    assert wechat.call_counts()["/cgi-bin/stable_token"] == 2


def test_a_used_up_quota_says_to_back_off(wechat: StandIn, openid: str) -> None:
    wechat.set_quota(SEND, per_day=0)
    assert refused(lambda: send(openid)) is Meaning.QUOTA


@pytest.mark.parametrize(
    ("kind", "lost"), [("down", True), ("drop_answer", True), ("bad_gateway", True), ("html", False)]
)
def test_an_outage_says_whether_the_message_may_have_gone(wechat: StandIn, openid: str, kind: str, lost: bool) -> None:
    wechat.subscribe("liju", accept=[ONE_TIME])
    wechat.break_(kind, SEND, count=1)
    with pytest.raises(WeChatUnavailable) as failure:
        send(openid)
    assert failure.value.answer_lost is lost
    assert len(wechat.messages("liju")) == (kind == "drop_answer")


def test_texts_get_their_verdicts(wechat: StandIn, openid: str) -> None:
    assert content.check_text(openid, "需要口罩", Scene.FORUM).suggest == "pass"
    risky = content.check_text(openid, "来赌博吧", Scene.FORUM)
    assert (risky.suggest, risky.reason) == ("risky", "涉及违法犯罪")
    assert content.check_text(openid, "高价回收", Scene.FORUM).suggest == "review"
    assert content.check_text(openid, "你好", Scene.PROFILE, nickname="傻逼").suggest == "risky"


def test_a_person_who_is_away_cannot_be_checked(wechat: StandIn, openid: str) -> None:
    wechat.away("liju")
    assert refused(lambda: content.check_text(openid, "需要口罩", Scene.FORUM)) is Meaning.USER_AWAY
    assert refused(lambda: content.check_image(openid, "http://127.0.0.1:9/x.jpg", Scene.FORUM)) is Meaning.USER_AWAY


def test_a_code_can_be_drawn(wechat: StandIn) -> None:
    assert codes.mini_program_code("c=8f3k", "pages/pick-up/index").startswith(b"\x89PNG")


@pytest.mark.parametrize("form", ["json", "xml"])
@pytest.mark.parametrize("mode", ["safe", "plain"])
def test_its_events_are_understood_in_every_form(
    wechat: StandIn, openid: str, set_up: Callable[..., None], form: str, mode: str
) -> None:
    wechat.settings(callback_url="http://127.0.0.1:9/", push_retry_pause_seconds=3600)
    set_up(
        wechat_appid=catalogue.APPID,
        wechat_secret=catalogue.SECRET,
        push_token=catalogue.PUSH_TOKEN,
        push_aes_key=catalogue.PUSH_AES_KEY if mode == "safe" else "",
    )
    wechat.subscribe("liju", accept=[ONE_TIME], reject=["tmpl_community_notice_one_time_000000000002"])
    wechat.turn_off("liju", ONE_TIME)
    trace_id = content.check_image(openid, "http://127.0.0.1:9/x.jpg", Scene.FORUM)
    wechat.withdraw("liju", "8")
    wechat.change_profile("liju")
    wechat.cancel("liju")
    told = {}
    for push in sent_pushes(wechat, 6):
        query, body = pushes.sealed_request(
            push["event"], form=form, mode=mode, timestamp=str(int(time.time())), nonce="2"
        )
        for event in callback.receive(query, body.encode(), now=clock.now()):
            told[type(event).__name__] = event
    assert {"SubscribePopup", "SubscribeChange", "MediaChecked"} < set(told)
    assert {"AuthorizationRevoked", "AuthorizationCancelled"} < set(told)
    assert told["Unknown"].name == "user_info_modified"
    assert told["AuthorizationCancelled"].openid == openid
    assert (told["MediaChecked"].trace_id, told["MediaChecked"].errcode) == (trace_id, -1008)


def sent_pushes(wechat: StandIn, expected: int) -> list[dict[str, Any]]:
    end = time.monotonic() + 5
    while len(found := wechat.pushes()) < expected and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_a_wrong_secret_is_a_problem_of_ours_and_not_of_the_person(
    wechat: StandIn, set_up: Callable[..., None]
) -> None:
    set_up(wechat_appid=catalogue.APPID, wechat_secret="old")
    with pytest.raises(Problem) as problem:
        login.code_to_session(wechat.login_code("liju"))
    assert problem.value.status == 503
