"""Only WeChat is believed, whatever it writes is understood or refused, and a repeat is known as one."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import struct
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kit.errors import Problem
from chalicelib.wechat import callback
from chalicelib.wechat.callback import (
    AuthorizationCancelled,
    AuthorizationRevoked,
    MediaChecked,
    MessageTooLarge,
    MessageTooOld,
    MessageUnreadable,
    SignatureWrong,
    SubscribeChange,
    SubscribePopup,
    SubscribeSent,
    Unknown,
    confirm_url,
    parse,
)
from chalicelib.wechat.client import NotConfigured

VECTORS = json.loads((Path(__file__).parents[1] / "data/wechat_push_vectors.json").read_text())
TOKEN, KEY, APPID = VECTORS["token"], VECTORS["encoding_aes_key"], VECTORS["appid"]
SAFE = VECTORS["safe_mode_json"]
SAFE_QUERY = {name: SAFE[name] for name in ("msg_signature", "timestamp", "nonce")}
SAFE_BODY = json.dumps(SAFE["body"]).encode()


def receive(query: dict[str, str], body: bytes, *, later: timedelta = timedelta()) -> list[callback.Event]:
    """A message as it comes in so much later than WeChat has sent it."""
    sent = datetime.fromtimestamp(int(query.get("timestamp") or 0), UTC)
    return callback.receive(query, body, now=sent + later)


@pytest.fixture
def plain(set_up: Callable[..., None]) -> None:
    set_up(push_token=TOKEN)


@pytest.fixture
def safe(set_up: Callable[..., None]) -> None:
    set_up(push_token=TOKEN, push_aes_key=KEY, wechat_appid=APPID)


def sealed(message: str | bytes, appid: str = APPID, xml: bool = False) -> tuple[dict[str, str], bytes]:
    """A message as WeChat would seal it, by the rules of its documentation."""
    text = message if isinstance(message, bytes) else message.encode()
    clear = b"0123456789abcdef" + struct.pack(">I", len(text)) + text + appid.encode()
    clear += bytes([32 - len(clear) % 32]) * (32 - len(clear) % 32)
    key = base64.b64decode(KEY + "=")
    cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    encrypted = base64.b64encode(cipher.update(clear) + cipher.finalize()).decode()
    return signed(encrypted), (
        f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>" if xml else json.dumps({"Encrypt": encrypted})
    ).encode()


def signed(encrypted: str) -> dict[str, str]:
    signature = hashlib.sha1("".join(sorted([TOKEN, "1", "2", encrypted])).encode()).hexdigest()
    return {"timestamp": "1", "nonce": "2", "msg_signature": signature}


class TestWhoIsBelieved:
    def test_the_official_url_check_is_answered_with_its_echo(self, plain: None) -> None:
        query = {**VECTORS["url_verification"], "echostr": "4375120948345356249"}
        assert confirm_url(query) == "4375120948345356249"

    def test_the_url_check_is_the_same_in_safe_mode(self, safe: None) -> None:
        assert confirm_url({**VECTORS["url_verification"], "echostr": "1"}) == "1"

    @pytest.mark.parametrize("echo", ["", "中", "a b", "a\r\nb", "x" * 513])
    def test_an_echo_is_never_more_than_a_short_word(self, plain: None, echo: str) -> None:
        with pytest.raises(MessageUnreadable):
            confirm_url({**VECTORS["url_verification"], "echostr": echo})

    def test_the_official_plain_message_is_believed(self, plain: None) -> None:
        assert receive(VECTORS["plain_mode"], b'{"MsgType":"event","Event":"debug_demo","CreateTime":1714037059}')

    def test_the_official_encrypted_message_is_believed_and_opened(self, safe: None) -> None:
        (event,) = receive(SAFE_QUERY, SAFE_BODY)
        assert isinstance(event, Unknown)
        assert event.name == "debug_demo"
        assert event.at == datetime.fromtimestamp(1714112445, UTC)

    def test_an_encrypted_message_may_come_in_xml(self, safe: None) -> None:
        event = "<xml><MsgType>event</MsgType><Event>hello</Event><CreateTime>1</CreateTime></xml>"
        assert receive(*sealed(event, xml=True)) == receive(*sealed(event))

    @pytest.mark.parametrize("change", [{"msg_signature": "0" * 40}, {"nonce": "1"}, {"timestamp": ""}])
    def test_a_wrong_signature_is_refused(self, safe: None, change: dict[str, str]) -> None:
        with pytest.raises(SignatureWrong) as refusal:
            receive({**SAFE_QUERY, **change}, SAFE_BODY)
        assert (refusal.value.status, refusal.value.code) == (403, "wechat_signature_wrong")

    @pytest.mark.parametrize("signature", ["", "签名", "\ud800", "899CF89E464EFB63F54DDAC96B0A0A235F53AA78"])
    def test_no_signature_is_a_wrong_one(self, plain: None, signature: str) -> None:
        with pytest.raises(SignatureWrong):
            receive({**VECTORS["plain_mode"], "signature": signature}, b"{}")
        with pytest.raises(SignatureWrong):
            receive({}, b"{}")
        with pytest.raises(SignatureWrong):
            confirm_url({"echostr": "1"})

    def test_in_safe_mode_the_signature_that_does_not_cover_the_body_counts_for_nothing(self, safe: None) -> None:
        with pytest.raises(SignatureWrong):
            receive(
                VECTORS["plain_mode"], b'{"MsgType":"event","Event":"user_authorization_cancellation","OpenID":"o1"}'
            )
        with pytest.raises(SignatureWrong):
            receive({**VECTORS["plain_mode"], "msg_signature": SAFE["msg_signature"]}, SAFE_BODY)

    def test_wechats_own_repeats_are_taken_and_what_is_older_than_an_hour_is_not(self, safe: None, plain: None) -> None:
        body = b'{"MsgType":"event","Event":"debug_demo","CreateTime":1714037059}'
        for later in (timedelta(), timedelta(seconds=15), timedelta(minutes=-5), timedelta(minutes=59)):
            assert receive(VECTORS["plain_mode"], body, later=later)
        with pytest.raises(MessageTooOld) as refusal:
            receive(VECTORS["plain_mode"], body, later=timedelta(minutes=61))
        assert (refusal.value.status, refusal.value.code) == (403, "wechat_message_too_old")

    def test_an_encrypted_message_is_too_old_as_well(self, safe: None) -> None:
        assert receive(SAFE_QUERY, SAFE_BODY, later=timedelta(minutes=59))
        with pytest.raises(MessageTooOld):
            receive(SAFE_QUERY, SAFE_BODY, later=timedelta(days=1))

    @pytest.mark.parametrize("created", ["1714030000", '""', '"x"', "0", "-5"])
    def test_what_happened_long_ago_is_refused_though_it_was_sent_just_now(self, plain: None, created: str) -> None:
        body = '{"MsgType":"event","Event":"debug_demo","CreateTime":' + created + "}"
        with pytest.raises(MessageTooOld):
            receive(VECTORS["plain_mode"], body.encode())

    def test_nothing_has_happened_later_than_we_are_told_of_it(self, plain: None) -> None:
        """Or what WeChat's clock says too early would undo what is given until then."""
        body = b'{"MsgType":"event","Event":"debug_demo","CreateTime":1714037359}'
        early, in_time = receive(VECTORS["plain_mode"], body) + receive(
            VECTORS["plain_mode"], body, later=timedelta(minutes=6)
        )
        assert early.at == datetime.fromtimestamp(1714037059, UTC)
        assert in_time.at == datetime.fromtimestamp(1714037359, UTC)
        assert early.fingerprint == in_time.fingerprint

    def test_a_message_for_another_account_is_refused(self, safe: None) -> None:
        with pytest.raises(SignatureWrong):
            receive(*sealed("{}", appid="wxanother"))

    @pytest.mark.parametrize(
        "encrypted", ["", "x", "AAAA", base64.b64encode(b"x" * 33).decode(), base64.b64encode(b"x" * 32).decode(), "中"]
    )
    def test_a_signed_message_that_cannot_be_opened_is_refused(self, safe: None, encrypted: str) -> None:
        with pytest.raises(SignatureWrong):
            receive(signed(encrypted), json.dumps({"Encrypt": encrypted}).encode())

    def test_without_a_token_in_the_settings_nobody_is_believed(self, set_up: Callable[..., None]) -> None:
        empty = {"timestamp": "1", "nonce": "2", "signature": hashlib.sha1(b"12").hexdigest()}
        set_up(push_token="")
        with pytest.raises(NotConfigured):
            receive(empty, b"{}")
        with pytest.raises(NotConfigured):
            confirm_url({**empty, "echostr": "1"})

    def test_a_key_of_the_wrong_length_is_a_matter_of_configuration(self, set_up: Callable[..., None]) -> None:
        set_up(push_token=TOKEN, push_aes_key=KEY[:-1], wechat_appid=APPID)
        with pytest.raises(NotConfigured):
            receive(SAFE_QUERY, SAFE_BODY)


BOMB = """<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]><xml>&d;</xml>"""
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><xml><Event>&e;</Event></xml>'


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"null",
            b"[]",
            b"17",
            b'"x"',
            b"{",
            b"\xff\xfe{}",
            b"[" * 200_000,
            b'{"a":' * 50_000,
            b"<",
            b"<xml>",
            b"<xml></yml>",
            b"<xml>text</xml>",
            b"<xml/>",
            b"<a/><b/>",
            b"<xml>&undefined;</xml>",
            b'<?xml version="1.0" encoding="no-such"?><xml><a>1</a></xml>',
            b"<xml><a>\x00</a></xml>",
            b"<a>" * 80_000,
            b"<a>" * 9 + b"</a>" * 9,
            b"<!DOCTYPE xml><xml><a>1</a></xml>",
            BOMB.encode(),
            OUTSIDE.encode(),
            BOMB.encode("utf-16"),
            b'{"CreateTime":"999999999999999999"}',
        ],
    )
    def test_what_is_no_message_is_refused_at_once(self, plain: None, body: bytes) -> None:
        begun = time.monotonic()
        with pytest.raises(MessageUnreadable):
            receive(VECTORS["plain_mode"], body)
        assert time.monotonic() - begun < 1

    def test_a_bomb_inside_an_encrypted_message_is_refused_too(self, safe: None) -> None:
        with pytest.raises(MessageUnreadable):
            receive(*sealed(BOMB))

    def test_a_bomb_is_refused_even_before_the_signature_is_known(self, safe: None) -> None:
        with pytest.raises(MessageUnreadable):
            receive({}, BOMB.encode())

    def test_ten_megabytes_are_refused_unread(self, plain: None) -> None:
        with pytest.raises(MessageTooLarge):
            receive({}, b"{" * 10_000_000)

    @given(st.binary(max_size=400))
    def test_no_bytes_at_all_can_crash_it(self, body: bytes) -> None:
        with contextlib.suppress(Problem):
            assert isinstance(parse(body), list)

    @given(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["List", "TemplateId", "MsgID", "suggest", "label", "ErrorCode"]), inner
                )
            ),
            max_leaves=8,
        ),
        st.sampled_from(
            [
                "subscribe_msg_popup_event",
                "subscribe_msg_change_event",
                "subscribe_msg_sent_event",
                "wxa_media_check",
                "user_authorization_revoke",
                "user_authorization_cancellation",
                "user_info_modified",
            ]
        ),
    )
    def test_no_type_in_any_field_can_crash_it(self, value: Any, name: str) -> None:
        fields = ["List", "SubscribeMsgPopupEvent", "SubscribeMsgSentEvent", "trace_id", "result", "errcode"]
        fields += ["FromUserName", "OpenID", "RevokeInfo", "CreateTime", "MsgId"]
        try:
            events = parse(json.dumps({**dict.fromkeys(fields, value), "Event": name}).encode())
        except Problem:
            return
        assert msgspec.json.decode(msgspec.json.encode(events), type=list[callback.Event]) == events


AT = datetime.fromtimestamp(1610969440, UTC)


def event(name: str, **fields: Any) -> bytes:
    head = {"ToUserName": "g", "FromUserName": "o", "CreateTime": "1610969440", "MsgType": "event", "Event": name}
    return json.dumps({**head, **fields}).encode()


def facts(events: list[Any]) -> list[dict[str, Any]]:
    return [{k: v for k, v in msgspec.structs.asdict(e).items() if k != "fingerprint"} for e in events]


class TestWhatIsUnderstood:
    def test_the_official_xml_events(self) -> None:
        popup, change, sent, media = (parse(xml.encode())[0] for xml in VECTORS["events_xml"])
        assert facts([popup]) == [{"at": AT, "openid": "o", "template_id": "A", "status": "accept"}]
        assert isinstance(popup, SubscribePopup)
        assert facts([change]) == [{"at": AT, "openid": "o", "template_id": "A", "status": "reject"}]
        assert isinstance(change, SubscribeChange)
        assert facts([sent]) == [{"at": AT, "openid": "o", "template_id": "A", "msgid": "17", "error_code": 0}]
        assert isinstance(sent, SubscribeSent)
        at = datetime.fromtimestamp(1626959646, UTC)
        assert facts([media]) == [{"at": at, "trace_id": "t1", "suggest": "pass", "label": 100, "errcode": 0}]
        assert isinstance(media, MediaChecked)

    def test_one_answer_comes_as_an_object_and_several_as_a_list(self) -> None:
        one = {"TemplateId": "A", "SubscribeStatusString": "accept", "PopupScene": "0"}
        other = {"TemplateId": "B", "SubscribeStatusString": "reject", "PopupScene": "0"}
        (alone,) = parse(event("subscribe_msg_popup_event", List=one))
        both = parse(event("subscribe_msg_popup_event", List=[one, other]))
        assert both[0] == alone
        assert [(e.template_id, e.status) for e in both] == [("A", "accept"), ("B", "reject")]  # type: ignore[union-attr]
        in_xml = parse(
            b"<xml><FromUserName>o</FromUserName><CreateTime>1610969440</CreateTime><MsgType>event</MsgType>"
            b"<Event>subscribe_msg_popup_event</Event><SubscribeMsgPopupEvent>"
            b"<List><TemplateId>A</TemplateId><SubscribeStatusString>accept</SubscribeStatusString></List>"
            b"<List><TemplateId><![CDATA[B]]></TemplateId><SubscribeStatusString>reject</SubscribeStatusString></List>"
            b"</SubscribeMsgPopupEvent></xml>"
        )
        assert in_xml == both

    def test_numbers_may_come_as_text(self) -> None:
        entry = {"TemplateId": "A", "MsgID": "1864323726461255680", "ErrorCode": "43101", "ErrorStatus": "x"}
        (sent,) = parse(event("subscribe_msg_sent_event", List=entry))
        (same,) = parse(
            event(
                "subscribe_msg_sent_event",
                List={**entry, "MsgID": 1864323726461255680, "ErrorCode": 43101},
                CreateTime=1610969440,
            )
        )
        assert sent == same
        assert isinstance(sent, SubscribeSent)
        assert (sent.msgid, sent.error_code) == ("1864323726461255680", 43101)

    def test_a_picture_that_wechat_could_not_fetch_has_no_verdict(self) -> None:
        (checked,) = parse(event("wxa_media_check", trace_id="t", errcode=-1008, result={}, detail=[]))
        assert isinstance(checked, MediaChecked)
        assert (checked.errcode, checked.suggest) == (-1008, "review")

    def test_in_account_events_the_person_is_not_the_sender(self) -> None:
        told = {"OpenID": "o-person", "AppID": "wx", "RevokeInfo": "8"}
        (revoked,) = parse(event("user_authorization_revoke", **told))
        (cancelled,) = parse(event("user_authorization_cancellation", **told))
        assert facts([revoked]) == [{"at": AT, "openid": "o-person", "revoke_info": "8"}]
        assert isinstance(revoked, AuthorizationRevoked)
        assert facts([cancelled]) == [{"at": AT, "openid": "o-person"}]
        assert isinstance(cancelled, AuthorizationCancelled)

    def test_an_account_event_without_a_person_touches_nobody(self) -> None:
        (unknown,) = parse(event("user_authorization_cancellation"))
        assert isinstance(unknown, Unknown)

    def test_what_nothing_waits_for_is_named(self) -> None:
        (punished,) = parse(event("wxa_punish_event", punish_id="1"))
        assert isinstance(punished, Unknown)
        assert punished.name == "wxa_punish_event"
        (text,) = parse(b'{"MsgType":"text","Content":"hello","CreateTime":1,"FromUserName":"o","MsgId":5}')
        assert isinstance(text, Unknown)
        assert text.name == "text"

    def test_events_travel_through_a_queue_and_stay_themselves(self) -> None:
        events = [e for xml in VECTORS["events_xml"] for e in parse(xml.encode())]
        assert msgspec.json.decode(msgspec.json.encode(events), type=list[callback.Event]) == events


class TestFingerprints:
    def fingerprints(self, **fields: Any) -> list[str]:
        return [e.fingerprint for e in parse(event("subscribe_msg_popup_event", **fields))]

    def test_a_repeat_has_the_same_one(self) -> None:
        entry = {"TemplateId": "A", "SubscribeStatusString": "accept"}
        assert self.fingerprints(List=entry) == self.fingerprints(List=[entry])

    def test_different_events_have_different_ones(self) -> None:
        entry = {"TemplateId": "A", "SubscribeStatusString": "accept"}
        prints = [
            *self.fingerprints(List=entry),
            *self.fingerprints(List={**entry, "TemplateId": "B"}),
            *self.fingerprints(List={**entry, "SubscribeStatusString": "reject"}),
            *self.fingerprints(List=entry, FromUserName="p"),
            *self.fingerprints(List=entry, CreateTime="1610969441"),
            *[e.fingerprint for e in parse(event("subscribe_msg_change_event", List=entry))],
            *[e.fingerprint for e in parse(event("wxa_media_check", trace_id="t1"))],
            *[e.fingerprint for e in parse(event("wxa_media_check", trace_id="t2"))],
            *[e.fingerprint for e in parse(event("hello"))],
            *[e.fingerprint for e in parse(event("hello", MsgId=2))],
        ]
        assert len(set(prints)) == len(prints) == 10

    def test_they_tell_nothing_and_fit_wherever_a_number_is_kept(self) -> None:
        (fingerprint,) = self.fingerprints(List={"TemplateId": "A", "SubscribeStatusString": "accept"})
        assert len(fingerprint) == 40
        assert fingerprint.isalnum()


class TestWhatAnEventUndoes:
    AT = datetime(2026, 11, 23, 8, 0, 7, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("given", "undone"),
        [(-timedelta(days=1), True), (-timedelta(milliseconds=1), True), (timedelta(), False)]
        + [(timedelta(milliseconds=999), False), (timedelta(seconds=1), False), (timedelta(days=1), False)],
    )
    def test_what_was_given_in_an_earlier_second(self, given: timedelta, undone: bool) -> None:
        event = AuthorizationCancelled(at=self.AT, fingerprint="f", openid="o")
        assert event.undoes(self.AT + given) is undone

    def test_what_has_no_time(self) -> None:
        assert AuthorizationCancelled(at=self.AT, fingerprint="f", openid="o").undoes(None)
