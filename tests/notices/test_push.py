from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ReadTimeoutError

from chalicelib.kit import clock, vault
from chalicelib.notices import jobs, push, service
from chalicelib.notices.models import Notice
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from chalicelib.wechat.callback import SubscribeSent
from local.wechat.control import StandIn
from tests.engine.budget import budget
from tests.engine.wire import Call, Watcher, watched
from tests.faults.faults import no_waiting
from tests.notices.conftest import (
    ALL_CHANNELS,
    LONG_TERM,
    ONE_TIME,
    Context,
    Neighbour,
    Queue,
    dispatch,
    letter,
    message,
    shortly,
    stream_record,
    sweep,
    tell,
    work,
)

SEND = "/cgi-bin/message/subscribe/send"


def follow(person: Neighbour) -> None:
    """They follow our service account, and we know under which openid."""
    (known,) = [each for each in person.wechat.people() if each["id"] == person.phone]
    sealed = vault.seal(person.id, "service_openid", known["service_openid"])
    Resident.key(person.id).update([Resident.service_openid_sealed.set(sealed)])


def counted(logs: Any, name: str) -> list[dict[str, Any]]:
    return [line for line in logs.metrics if name in line]


# ------------------------------------------------------------------------------------------------- the plain way


def test_a_message_travels_from_the_act_to_the_phone(li_ju: Neighbour, pushes: Queue) -> None:
    li_ju.accept(ONE_TIME)
    notice = tell(li_ju, "help_dropped_off", now=clock.now())
    assert dispatch(notice) == []
    assert pushes.work() == 1
    assert li_ju.received == [
        "求助进展提醒\n事项：需要口罩5个\n状态：已送达\n提示：请领取：凌塘社区居委会\n时间：" + clock.spoken(notice.at)
    ]
    (message_on_phone,) = li_ju.wechat.messages(li_ju.phone)
    assert message_on_phone["page"] == "pages/help/detail?id=help_1"
    sent = li_ju.notice
    assert (sent.push_state, sent.channel, sent.tries) == ("sent", "one_time", 1)
    assert sent.msgid == str(message_on_phone["id"])
    assert sent.sent_at
    assert sent.timer is None
    assert li_ju.credit() == (1, 0, 1, False)


def test_the_template_filter_of_the_stream_sees_what_is_to_be_pushed(li_ju: Neighbour) -> None:
    image = stream_record(tell(li_ju))["dynamodb"]["NewImage"]
    assert (image["kind"], image["push_state"]) == ({"S": "notice"}, {"S": "waiting"})


def test_without_a_credit_nothing_is_tried(li_ju: Neighbour, wechat: StandIn) -> None:
    notice = tell(li_ju)
    wechat.clear_calls()
    work(letter(notice))
    assert wechat.call_counts() == {}
    assert li_ju.notice.push_state == "no_channel"
    assert li_ju.notice.timer is None


def test_one_accept_is_one_message(li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME)
    work(letter(tell(li_ju)))
    work(letter(tell(li_ju)))
    assert len(li_ju.received) == 1
    assert [notice.push_state for notice in li_ju.notices] == ["sent", "no_channel"]


def test_ten_messages_to_one_person_arrive_in_their_order_and_never_collide(
    li_ju: Neighbour, pushes: Queue, wechat: StandIn
) -> None:
    li_ju.accept(ONE_TIME, times=10)
    dispatch(*[tell(li_ju, title=f"第{number}件") for number in range(10)])
    wechat.settings(send_milliseconds=20)  # long enough for two at a time to meet
    with ThreadPoolExecutor(3) as pool:
        assert sum(pool.map(lambda _: pushes.work(at_once=1), range(3))) == 10
    assert [text.splitlines()[1] for text in li_ju.received] == [f"事项：第{number}件" for number in range(10)]
    assert {call["outcome"] for call in wechat.recent_calls() if call["endpoint"] == SEND} == {"ok"}


def test_a_push_costs_few_calls(li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME, times=2)
    work(letter(tell(li_ju)))  # fetches the token and unwraps the key
    notice = tell(li_ju)
    with budget() as spent:
        work(letter(notice))
    assert spent.calls == [
        "dynamodb BatchGetItem",  # notice, person, credit
        "dynamodb GetItem",  # the vault
        "dynamodb TransactWriteItems",  # taking it
        "dynamodb UpdateItem",  # the outcome
    ]


def test_a_message_nobody_can_get_costs_two_calls(li_ju: Neighbour) -> None:
    notice = tell(li_ju)
    with budget() as spent:
        work(letter(notice))
    assert spent.calls == ["dynamodb BatchGetItem", "dynamodb UpdateItem"]


# ------------------------------------------------------------------------------------------------------ once only


def test_32_workers_with_the_same_message_send_it_once(li_ju: Neighbour, wechat: StandIn) -> None:
    li_ju.accept(ONE_TIME, times=3)
    same = letter(tell(li_ju))
    ready = threading.Barrier(32)

    def one_of_many(_: int) -> list[str]:
        ready.wait()
        return work(same)

    with ThreadPoolExecutor(32) as pool:
        again = [each for answer in pool.map(one_of_many, range(32)) for each in answer]
    assert again == []
    assert len(li_ju.received) == 1
    assert wechat.call_counts()[SEND] == 1
    assert li_ju.credit() == (3, 0, 1, False)


def test_stream_and_queue_may_repeat_themselves(li_ju: Neighbour, pushes: Queue) -> None:
    li_ju.accept(ONE_TIME, times=3)
    notice = tell(li_ju)
    dispatch(notice, notice)
    dispatch(notice)
    pushes.work()
    work(letter(notice), letter(notice))
    assert len(li_ju.received) == 1


def test_a_redriven_message_has_another_id_and_still_does_nothing_twice(li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME, times=2)
    notice = tell(li_ju)
    work(letter(notice))
    assert work(letter(notice)) == []
    assert len(li_ju.received) == 1


def test_messages_out_of_order_are_all_sent(li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME, times=3)
    notices = [tell(li_ju) for _ in range(3)]
    work(*[letter(notice) for notice in reversed(notices)])
    assert len(li_ju.received) == 3


def test_a_worker_that_died_in_the_middle_is_followed_by_another_and_counted(
    empty_table: str, li_ju: Neighbour, pushes: Queue, logs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    li_ju.accept(ONE_TIME, times=2)
    notice = tell(li_ju)
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(push, "_through", lambda *_: exit())
        work(letter(notice))
    dying = li_ju.notice
    assert dying.push_state == "sending"
    work(letter(notice))
    assert li_ju.received == [], "its worker may still be at it"
    assert sweep(shortly(dying)) == 1
    pushes.work()
    assert len(li_ju.received) == 1
    assert li_ju.notice.answers_lost == 1
    assert len(counted(logs, "push_answer_lost")) == 1
    assert li_ju.credit() == (2, 0, 1, False), "the credit it had taken is used, not another one"


def test_a_lost_answer_of_wechat_is_tried_again_and_counted(
    empty_table: str, li_ju: Neighbour, pushes: Queue, wechat: StandIn, logs: Any
) -> None:
    li_ju.accept(ONE_TIME, times=2)
    notice = tell(li_ju)
    wechat.break_("drop_answer", SEND, count=1)
    work(letter(notice))
    assert (li_ju.notice.push_state, li_ju.notice.answers_lost) == ("later", 1)
    assert len(counted(logs, "push_answer_lost")) == 1
    sweep(shortly(li_ju.notice))
    pushes.work()
    assert li_ju.notice.push_state == "sent"
    assert len(li_ju.received) == 2, "the one time that a push may come twice"


def test_a_lost_answer_that_used_the_last_credit_leaves_it_open_whether_it_arrived(
    empty_table: str, li_ju: Neighbour, pushes: Queue, wechat: StandIn
) -> None:
    li_ju.accept(ONE_TIME)
    notice = tell(li_ju, "help_dropped_off")
    wechat.break_("drop_answer", SEND, count=1)
    work(letter(notice))
    sweep(shortly(li_ju.notice))
    pushes.work()
    assert li_ju.notice.push_state == "unsure"
    assert li_ju.notice.area_key == "NOT_REACHED#330402"
    assert len(li_ju.received) == 1


def test_a_lost_answer_of_dynamodb_does_not_send_twice(li_ju: Neighbour) -> None:
    class LosesEachAnswerOnce(Watcher):
        def __init__(self) -> None:
            super().__init__()
            self.lost: set[int] = set()

        def sends(self, call: Call, request: Any) -> Any:
            if call.service == "dynamodb" and call.number not in self.lost:
                self.lost.add(call.number)
                urllib3.request("POST", request.url, body=request.body, headers=dict(request.headers))
                raise ReadTimeoutError(endpoint_url=request.url)
            return None

    li_ju.accept(ONE_TIME, times=2)
    same = letter(tell(li_ju))
    with no_waiting(), watched(LosesEachAnswerOnce()):
        assert work(same) == []
    assert len(li_ju.received) == 1
    assert li_ju.notice.push_state == "sent"
    assert li_ju.credit() == (2, 0, 1, False)


# --------------------------------------------------------------------------------------------------- the channels


def test_a_long_term_template_comes_first_and_costs_no_credit(set_up: Callable[..., None], li_ju: Neighbour) -> None:
    set_up(templates=ALL_CHANNELS)
    li_ju.accept(LONG_TERM)
    li_ju.accept(ONE_TIME)
    for _ in range(3):
        work(letter(tell(li_ju)))
    assert [notice.channel for notice in li_ju.notices] == ["long_term"] * 3
    assert [text.splitlines()[0] for text in li_ju.received] == ["政务服务进度提醒"] * 3
    assert li_ju.credit() == (1, 0, 0, False)
    assert li_ju.credit(LONG_TERM)[3]


def test_a_long_term_template_turned_off_unheard_gives_way_to_a_credit(
    set_up: Callable[..., None], li_ju: Neighbour, wechat: StandIn
) -> None:
    set_up(templates=ALL_CHANNELS)
    li_ju.accept(LONG_TERM)
    li_ju.accept(ONE_TIME)
    wechat.turn_off(li_ju.phone, LONG_TERM)
    work(letter(tell(li_ju)))
    assert (li_ju.notice.channel, li_ju.notice.push_state) == ("one_time", "sent")
    assert li_ju.credit(LONG_TERM) == (0, 0, 0, False)
    assert li_ju.credit() == (1, 0, 1, False)


def test_a_follower_gets_it_from_the_service_account_in_its_own_fields(
    set_up: Callable[..., None], li_ju: Neighbour, wechat: StandIn
) -> None:
    set_up(templates=ALL_CHANNELS)
    wechat.change_person(li_ju.phone, follows=True)
    follow(li_ju)
    notice = tell(li_ju, "help_dropped_off")
    work(letter(notice))
    assert (li_ju.notice.push_state, li_ju.notice.channel) == ("sent", "service_account")
    assert li_ju.received == [
        "社区事项提醒\n事项：需要口罩5个\n说明：请领取：凌塘社区居委会\n时间：" + clock.spoken(notice.at)
    ]


def test_who_has_stopped_following_is_not_reached(
    set_up: Callable[..., None], li_ju: Neighbour, wechat: StandIn
) -> None:
    set_up(templates=ALL_CHANNELS)
    follow(li_ju)
    work(letter(tell(li_ju)))
    assert (li_ju.notice.push_state, li_ju.notice.errcode) == ("no_channel", 43004)


def test_a_template_that_is_not_set_up_leaves_the_message_in_the_inbox(
    set_up: Callable[..., None], li_ju: Neighbour
) -> None:
    set_up(templates={})
    work(letter(tell(li_ju)))
    assert li_ju.notice.push_state == "no_channel"


# --------------------------------------------------------------------------------------------- what WeChat refuses


def test_43101_ends_all_credits_and_is_never_repeated(li_ju: Neighbour, wechat: StandIn) -> None:
    li_ju.accept(ONE_TIME, times=3)
    wechat.turn_off(li_ju.phone, ONE_TIME)
    work(letter(tell(li_ju, "help_dropped_off")))
    work(letter(tell(li_ju)))
    assert wechat.call_counts()[SEND] == 1
    assert [notice.push_state for notice in li_ju.notices] == ["no_channel", "no_channel"]
    assert li_ju.notices[0].errcode == 43101
    assert li_ju.credit() == (0, 0, 0, False)
    li_ju.accept(ONE_TIME)
    work(letter(tell(li_ju)))
    assert len(li_ju.received) == 1


def test_what_wechat_refuses_for_good_is_not_repeated_and_gives_the_credit_back(
    li_ju: Neighbour, wechat: StandIn
) -> None:
    li_ju.accept(ONE_TIME)
    refusals = [40003, 40037, 41030, 43107, 45168, 47003, 48001, 12345]
    for errcode in refusals:
        wechat.break_("errcode", SEND, errcode=errcode, count=1)
        notice = tell(li_ju)
        work(letter(notice))
        failed = Notice.fetch(notice.pk, notice.sk)
        assert (failed.push_state, failed.errcode, failed.timer) == ("failed", errcode, None)
    assert wechat.call_counts()[SEND] == len(refusals)
    assert li_ju.credit() == (1, 0, 0, False)


@pytest.mark.parametrize(("errcode", "calls"), [(45009, 1), (45011, 1), (-1, 1), (40001, 2)])
def test_wechat_asking_for_patience_gets_it(
    empty_table: str, li_ju: Neighbour, pushes: Queue, wechat: StandIn, errcode: int, calls: int
) -> None:
    li_ju.accept(ONE_TIME)
    wechat.break_("errcode", SEND, errcode=errcode)
    work(letter(tell(li_ju)))
    waiting = li_ju.notice
    assert (waiting.push_state, waiting.paused) == ("later", 1)
    assert waiting.due_at
    assert timedelta(seconds=55) < waiting.due_at - clock.now() <= timedelta(minutes=2)
    assert wechat.call_counts()[SEND] == calls
    wechat.mend()
    assert sweep(clock.now()) == 0
    sweep(shortly(waiting))
    pushes.work()
    assert li_ju.notice.push_state == "sent"
    assert li_ju.credit() == (1, 0, 1, False), "one credit for both tries"


def test_43108_is_tried_again_soon_and_stops_nobody_else(neighbour: Callable[..., Neighbour], wechat: StandIn) -> None:
    first, second = neighbour(), neighbour()
    first.accept(ONE_TIME), second.accept(ONE_TIME)
    wechat.break_("errcode", SEND, errcode=43108, count=1)
    work(letter(tell(first)), letter(tell(second)))
    assert (first.notice.push_state, second.notice.push_state) == ("later", "sent")


def test_a_rotated_token_costs_one_more_try_and_no_message(li_ju: Neighbour, wechat: StandIn) -> None:
    li_ju.accept(ONE_TIME, times=2)
    work(letter(tell(li_ju)))
    wechat.rotate_tokens()
    work(letter(tell(li_ju)))
    assert len(li_ju.received) == 2


def test_a_failure_that_only_an_event_tells_puts_it_on_the_call_sheet(li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME)
    work(letter(tell(li_ju, "help_dropped_off")))
    msgid = li_ju.notice.msgid or ""
    told = {"openid": "", "template_id": ONE_TIME, "at": clock.now(), "fingerprint": "f"}
    push.failed_later(SubscribeSent(msgid=msgid, error_code=0, **told), resident_id=li_ju.id, now=clock.now())
    assert li_ju.notice.push_state == "sent"
    for _ in range(2):
        push.failed_later(SubscribeSent(msgid=msgid, error_code=-1, **told), resident_id=li_ju.id, now=clock.now())
    assert (li_ju.notice.push_state, li_ju.notice.area_key) == ("failed", "NOT_REACHED#330402")
    push.failed_later(SubscribeSent(msgid="1", error_code=-1, **told), resident_id=li_ju.id, now=clock.now())


# ------------------------------------------------------------------------------------------------- WeChat is away


@pytest.mark.parametrize("kind", ["down", "html", "bad_gateway"])
def test_while_wechat_is_away_one_call_is_tried_and_nothing_is_lost(
    empty_table: str, neighbour: Callable[..., Neighbour], pushes: Queue, wechat: StandIn, kind: str
) -> None:
    waiting = [neighbour() for _ in range(5)]
    for person in waiting:
        person.accept(ONE_TIME)
    wechat.break_(kind)
    wechat.clear_calls()
    assert work(*[letter(tell(person)) for person in waiting]) == []
    assert sum(wechat.call_counts().values()) <= 1
    assert {person.notice.push_state for person in waiting} == {"later"}
    wechat.mend()
    sweep(clock.now() + timedelta(minutes=5))
    pushes.work()
    assert [len(person.received) for person in waiting] == [1] * 5


def test_after_an_hour_without_wechat_the_rest_goes_out_minute_by_minute(
    empty_table: str,
    set_up: Callable[..., None],
    neighbour: Callable[..., Neighbour],
    pushes: Queue,
    wechat: StandIn,
) -> None:
    set_up(push_per_minute=4)
    person = neighbour()
    person.accept(ONE_TIME, times=10)
    wechat.break_("down")
    for _ in range(10):
        work(letter(tell(person)))
    wechat.mend()
    back = clock.now() + timedelta(hours=1)
    sent = []
    for minute in range(4):
        sweep(back + timedelta(minutes=minute, seconds=minute))
        sent.append(pushes.work())
    assert sent == [4, 4, 2, 0]
    assert len(person.received) == 10


def test_a_pause_grows_with_each_try_and_ends_when_the_message_is_too_old(
    empty_table: str,
    set_up: Callable[..., None],
    li_ju: Neighbour,
    pushes: Queue,
    wechat: StandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    set_up(push_within_hours=2)
    li_ju.accept(ONE_TIME)
    wechat.break_("html")
    told = clock.now()
    tell(li_ju, "help_dropped_off", now=told)
    monkeypatch.setattr(push.random, "random", lambda: 1.0)
    at, pauses = told, []
    dispatch(li_ju.notice)
    while li_ju.notice.push_state != "expired" and len(pauses) < 99:
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        this_round = push.Round(seconds_left=lambda: 60, now=lambda at=at: at)
        for each in pushes.receive():
            this_round.deliver(each["body"])
            pushes.delete(each)
        if li_ju.notice.due_at:
            pauses.append(li_ju.notice.due_at - at)
            at = shortly(li_ju.notice)
            sweep(at)
    assert pauses[:5] == [timedelta(minutes=minutes) for minutes in (2, 3, 5, 9, 17)]
    assert max(pauses) == timedelta(minutes=31)
    assert timedelta(hours=2) < at - told < timedelta(hours=3)
    assert li_ju.notice.area_key, "too old to push, and it matters"
    assert li_ju.credit() == (1, 0, 0, False)


def test_a_worker_short_of_time_leaves_the_rest_for_the_next_minute(li_ju: Neighbour, wechat: StandIn) -> None:
    li_ju.accept(ONE_TIME)
    wechat.clear_calls()
    work(letter(tell(li_ju)), seconds=5)
    assert li_ju.notice.push_state == "later"
    assert wechat.call_counts() == {}


# --------------------------------------------------------------------------------------- not now, or not any more


def test_a_lost_stream_record_is_made_up_for_after_ten_minutes(
    empty_table: str, li_ju: Neighbour, pushes: Queue, logs: Any
) -> None:
    li_ju.accept(ONE_TIME)
    told = tell(li_ju)
    assert sweep(told.at + timedelta(minutes=9)) == 0
    assert sweep(told.at + timedelta(minutes=11)) == 1
    assert pushes.work() == 1
    assert li_ju.notice.push_state == "sent"
    assert len(counted(logs, "push_resent")) == 1


def test_what_was_held_in_the_night_goes_out_in_the_morning(
    empty_table: str, set_up: Callable[..., None], li_ju: Neighbour, pushes: Queue
) -> None:
    set_up(quiet_from="22:00", quiet_until="07:00")
    li_ju.accept(ONE_TIME)
    night = clock.from_stamp("2026-11-20T15:30:00.000Z")
    held = tell(li_ju, now=night)
    assert sweep(night + timedelta(hours=7)) == 0
    assert sweep(shortly(held)) == 1
    morning = push.Round(seconds_left=lambda: 60, now=lambda: shortly(held))
    (queued,) = pushes.receive()
    morning.deliver(queued["body"])
    pushes.delete(queued)
    assert li_ju.notice.push_state == "sent"


def test_a_retry_that_falls_into_the_night_waits_for_the_morning(set_up: Callable[..., None], li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME)
    evening = clock.from_stamp("2026-11-20T13:50:00.000Z")
    notice = tell(li_ju, now=evening)
    set_up(quiet_from="22:00", quiet_until="07:00")
    push.Round(seconds_left=lambda: 60, now=lambda: evening + timedelta(minutes=20)).deliver(letter(notice)["body"])
    assert li_ju.notice.push_state == "later"
    assert li_ju.notice.due_at
    assert clock.local(li_ju.notice.due_at).hour == 7
    assert li_ju.notice.paused == 0


def test_who_has_read_it_in_the_app_gets_no_push(li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME)
    notice = tell(li_ju, "help_dropped_off")
    service.read(caller=li_ju.caller, notice_id=notice.id, now=clock.now())
    work(letter(notice))
    assert (li_ju.notice.push_state, li_ju.received, li_ju.notice.area_key) == ("seen", [], None)


def test_a_message_of_yesterday_is_not_pushed_but_an_urgent_one_is(li_ju: Neighbour) -> None:
    li_ju.accept(ONE_TIME)
    yesterday = clock.now() - timedelta(hours=25)
    work(letter(tell(li_ju, now=yesterday)))
    assert li_ju.notice.push_state == "expired"
    urgent = tell(li_ju, "help_unanswered_urgent", now=yesterday)
    work(letter(urgent))
    assert Notice.fetch(urgent.pk, urgent.sk).push_state == "no_channel", (
        "it would have been pushed, had there been a credit"
    )


@pytest.mark.parametrize("how", ["consent", "account", "key", "item"])
def test_who_is_gone_gets_nothing_and_nobody_calls(li_ju: Neighbour, how: str) -> None:
    li_ju.accept(ONE_TIME)
    notice = tell(li_ju, "help_dropped_off")
    resident = Resident.key(li_ju.id)
    if how == "consent":
        people.withdraw_consent(caller=li_ju.caller, now=clock.now())
    elif how == "account":
        resident.update([Resident.state.set("closed")])
    elif how == "key":
        vault.destroy(li_ju.id)
    else:
        resident.delete()
    assert work(letter(notice)) == []
    assert (li_ju.notice.push_state, li_ju.notice.area_key) == ("gone", None)
    assert li_ju.received == []


def test_a_notice_deleted_meanwhile_is_nobodys_trouble(li_ju: Neighbour) -> None:
    notice = tell(li_ju)
    notice.delete()
    assert work(letter(notice)) == []


# --------------------------------------------------------------------------------------------------------- poison

POISON = ["", "not json", "{}", "[]", '{"to":1}', '{"to":"a","notice":"b","template":"c"}', "\x00" * 10, '"' * 5000]


def test_poison_comes_back_until_it_is_dead_and_is_not_quoted(wechat: StandIn, logs: Any) -> None:
    for body in POISON:
        bad = message(body, "res_1")
        assert work(bad) == [bad["messageId"]]
    assert logs.text.count('"crash":1') == len(POISON)
    assert "not json" not in logs.text


def test_poison_holds_up_its_own_group_only(neighbour: Callable[..., Neighbour]) -> None:
    first, second = neighbour(), neighbour()
    first.accept(ONE_TIME), second.accept(ONE_TIME)
    bad, behind, other = message("poison", first.id), letter(tell(first)), letter(tell(second))
    assert work(bad, behind, other) == [bad["messageId"], behind["messageId"]]
    assert (len(first.received), len(second.received)) == (0, 1)
    work(behind)
    assert len(first.received) == 1


def test_a_defect_of_ours_sends_nothing_and_the_next_try_may(li_ju: Neighbour, monkeypatch: pytest.MonkeyPatch) -> None:
    li_ju.accept(ONE_TIME)
    same = letter(tell(li_ju))
    with monkeypatch.context() as patch:
        patch.setattr(push, "_hand_over", lambda *_: 1 / 0)
        for _ in range(3):
            assert work(same) == [same["messageId"]]
    assert li_ju.notice.push_state == "waiting"
    redriven = message(same["body"], li_ju.id)
    assert work(redriven) == []
    assert len(li_ju.received) == 1
    assert li_ju.credit() == (1, 0, 1, False)


def test_a_stream_record_that_cannot_be_read_stops_only_what_is_behind_it(li_ju: Neighbour, pushes: Queue) -> None:
    records = [stream_record(tell(li_ju), number) for number in (1, 2, 3)]
    del records[1]["dynamodb"]["NewImage"]["template"]
    answer = jobs.dispatch_notices({"Records": records}, Context())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert len(pushes.receive()) == 1


def test_what_the_queue_does_not_take_the_stream_gives_again(li_ju: Neighbour, monkeypatch: pytest.MonkeyPatch) -> None:
    notices = [tell(li_ju) for _ in range(3)]
    monkeypatch.setattr(push, "enqueue", None)
    monkeypatch.setattr(jobs, "enqueue", lambda letters: [letters[1]])
    assert dispatch(*notices) == ["2"]


def test_a_hundred_new_messages_are_ten_calls(li_ju: Neighbour, pushes: Queue) -> None:
    notice = tell(li_ju)
    records = [stream_record(notice)] * 100
    with budget() as spent:
        jobs.dispatch_notices({"Records": records}, Context())
    assert spent.calls == ["sqs SendMessageBatch"] * 10


def test_no_name_and_no_openid_stands_in_the_queue_or_the_log(li_ju: Neighbour, pushes: Queue, logs: Any) -> None:
    li_ju.accept(ONE_TIME)
    dispatch(tell(li_ju, "help_message", sender="陈彩明", text="口罩放在社区了"))
    (queued,) = pushes.receive()
    work(queued)
    pushes.delete(queued)
    for text in (queued["body"], logs.text):
        assert not any(word in text for word in (li_ju.openid, "陈彩明", "口罩"))
