"""People with phones, the stand-in for WeChat, and the two queues, around the notices."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from chalicelib import wechat_events
from chalicelib.kit import auth, clock, ids, settings, timers, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import credits, jobs, push, service
from chalicelib.notices.models import Credit, Notice
from chalicelib.people.models import OpenidLink, Resident
from chalicelib.wechat import client
from chalicelib.wechat.models import AccessToken
from local.wechat import catalogue, server
from local.wechat.control import StandIn
from tests.engine import local_aws
from tests.engine.http import token_of

COMMUNITY = "330402001001"
ONE_TIME, COMMUNITY_NEWS, _, TO_DO, LONG_TERM, SERVICE = list(catalogue.TEMPLATES)
TEMPLATES: dict[str, Any] = {
    "help_progress": {"one_time": {"id": ONE_TIME}},
    "community": {"one_time": {"id": COMMUNITY_NEWS}},
    "to_do": {"one_time": {"id": TO_DO}},
}
ALL_CHANNELS: dict[str, Any] = {
    "help_progress": {
        "long_term": {"id": LONG_TERM},
        "one_time": {"id": ONE_TIME},
        "service_account": {"id": SERVICE, "fields": {"subject": "thing1", "hint": "thing2", "time": "time3"}},
    }
}
NOON = datetime.fromisoformat("2026-11-20T04:00:00Z")  # in Shanghai, outside the quiet hours


@pytest.fixture(scope="session")
def _stand_in() -> Iterator[StandIn]:
    with server.running() as stand_in:
        yield stand_in


@pytest.fixture
def wechat(_stand_in: StandIn, configure: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """WeChat on a good day; the test breaks it."""
    _stand_in.reset()
    _stand_in.mend()
    monkeypatch.setenv("WECHAT_API_BASE", _stand_in.base)
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")  # read once per test: see `set_up`
    configure("notices", templates=TEMPLATES, quiet_from="00:00", quiet_until="00:00")
    settings.forget()
    auth.forget_revocations()
    # The stand-in has forgotten the tokens it gave out before; we do too.
    client._client.cache_clear()
    for appid in (catalogue.APPID, catalogue.SERVICE_APPID):
        AccessToken(*AccessToken.keys(appid)).delete()
    return _stand_in


@pytest.fixture
def set_up(wechat: StandIn, configure: Callable[..., None]) -> Callable[..., None]:
    """Change the settings of this slice."""

    def change(**values: Any) -> None:
        configure("notices", **{"templates": TEMPLATES, "quiet_from": "00:00", "quiet_until": "00:00", **values})
        settings.forget()

    return change


class Neighbour:
    """Somebody logged in who has consented. `phone` is their id in the stand-in."""

    def __init__(self, wechat: StandIn, caller: Caller, token: str, phone: str) -> None:
        self.wechat, self.caller, self.token, self.phone = wechat, caller, token, phone
        self.id, self.openid = caller.id, caller.openid

    @property
    def notices(self) -> list[Notice]:
        """Oldest first."""
        return list(Notice.query(f"RES#{self.id}", Item.sk.startswith("NOTICE#"), consistent_read=True))

    @property
    def notice(self) -> Notice:
        (only,) = self.notices
        return only

    def credit(self, template: str = ONE_TIME) -> tuple[int, int, int, bool]:
        held = Credit.find(f"RES#{self.id}", f"CREDIT#{template}")
        return (int(held.reported), int(held.confirmed), int(held.used), held.standing) if held else (0, 0, 0, False)

    def accept(self, *templates: str, times: int = 1) -> None:
        """Accepts on the phone, and the phone tells us; WeChat's own event does not come."""
        for _ in range(times):
            self.wechat.subscribe(self.phone, accept=list(templates), tell=False)
            report(self, dict.fromkeys(templates, "accept"))

    @property
    def received(self) -> list[str]:
        """What the phone shows, oldest first."""
        return [message["text"] for message in self.wechat.messages(self.phone)]


@pytest.fixture
def neighbour(wechat: StandIn) -> Callable[..., Neighbour]:
    def arrive() -> Neighbour:
        """As logging in and consenting leave somebody, in a third of the calls."""
        phone = ids.new_id("phone")
        openid = wechat.add_person(phone, phone)["openid"]
        resident = Resident.key(ids.new_id("res"))
        vault.open_for(resident.id)
        resident.nickname, resident.created_at = "李菊", clock.now()
        resident.consent_version = auth.privacy().version
        resident.openid_sealed = vault.seal(resident.id, "openid", openid)
        link = OpenidLink.key(openid)
        link.resident_id = resident.id
        with Item.batch_write() as batch:
            batch.save(resident)
            batch.save(link)
        token = token_of(resident.id, openid=openid, session_version=0)
        return Neighbour(wechat, auth.check(f"Bearer {token}", now=clock.now()), token, phone)

    return arrive


@pytest.fixture
def li_ju(neighbour: Callable[..., Neighbour]) -> Neighbour:
    return neighbour()


def attempt(person: Neighbour, key: str | None = None, body: bytes = b"{}") -> Any:
    return Attempt(person.id, "POST /me/credits", body, key)


def report(person: Neighbour, answers: dict[str, Any], key: str | None = None) -> None:
    body = json.dumps(answers).encode()
    credits.report(caller=person.caller, answers=answers, attempt=attempt(person, key, body), now=clock.now())


def tell(person: Neighbour, kind: str = "help_offered", *, now: datetime | None = None, **more: Any) -> Notice:
    """A message as an act would cause it; without WeChat's stream yet."""
    facts = {"title": "需要口罩5个", "helper": "陈彩明", "place": "凌塘社区居委会", "who": "陈彩明", **more}
    known = {notice.sk for notice in person.notices}
    with transaction() as tx:
        service.tell(tx, person.id, kind, about="help_1", now=now or clock.now(), area=COMMUNITY, **facts)
    return next(notice for notice in person.notices if notice.sk not in known)


class Context:
    function_name = "worker"
    aws_request_id = "request"

    def __init__(self, seconds: float = 60) -> None:
        self._ends = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._ends - time.monotonic()) * 1000)


def stream_record(notice: Notice, number: int = 1) -> dict[str, Any]:
    """What the table's stream says about a new item."""
    key = {"PK": {"S": notice.pk}, "SK": {"S": notice.sk}}
    found = local_aws.client("dynamodb").get_item(TableName=Item.Meta.table_name, Key=key, ConsistentRead=True)
    return {
        "eventID": str(number),
        "eventName": "INSERT",
        "dynamodb": {"Keys": key, "NewImage": found["Item"], "SequenceNumber": str(number)},
    }


def dispatch(*notices: Notice) -> list[str]:
    """The table's stream starts the dispatcher. Returns the sequence numbers that it wants again."""
    records = [stream_record(notice, number) for number, notice in enumerate(notices, 1)]
    answer = jobs.dispatch_notices({"Records": records}, Context())
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def letter(notice: Notice) -> dict[str, Any]:
    """A message about a notice as Lambda hands it to the worker."""
    return message(msgspec.json.encode(push.Letter.about(notice)).decode(), notice.resident_id)


def message(body: str, group: str) -> dict[str, Any]:
    name = ids.new_id("message")
    return {"messageId": name, "receiptHandle": name, "body": body, "attributes": {"MessageGroupId": group}}


def work(*messages: dict[str, Any], worker: Callable[..., Any] = jobs.push_notices, seconds: float = 60) -> list[str]:
    """Run the worker on a batch. Returns the ids that it wants again."""
    answer = worker({"Records": list(messages)}, Context(seconds))
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


class Queue:
    """A real FIFO queue between Lambda and a worker."""

    def __init__(self, name: str, worker: Callable[..., Any]) -> None:
        self.url, self._worker = local_aws.ENVIRONMENT[name], worker
        self._sqs = local_aws.client("sqs")
        self.empty()

    def receive(self, at_most: int = 10) -> list[dict[str, Any]]:
        found = self._sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=at_most, AttributeNames=["All"], VisibilityTimeout=30
        )
        return [
            {
                "messageId": each["MessageId"],
                "receiptHandle": each["ReceiptHandle"],
                "body": each["Body"],
                "attributes": each["Attributes"],
            }
            for each in found.get("Messages", [])
        ]

    def delete(self, message: dict[str, Any]) -> None:
        self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["receiptHandle"])

    def empty(self) -> None:
        while found := self.receive():
            for each in found:
                self.delete(each)

    def work(self, at_once: int = 10) -> int:
        """Hand over everything in the queue as Lambda would, until it is empty. Returns how many messages went."""
        done = 0
        while found := self.receive(at_once):
            again = set(work(*found, worker=self._worker))
            assert not again
            for each in found:
                self.delete(each)
                done += 1
        return done


@pytest.fixture
def pushes(wechat: StandIn) -> Queue:
    return Queue("PUSH_QUEUE_URL", jobs.push_notices)


@pytest.fixture
def told(wechat: StandIn) -> Queue:
    return Queue("WECHAT_EVENTS_QUEUE_URL", wechat_events.wechat_events)


def sweep(now: datetime) -> int:
    """The minute's sweep at some time; only in tests with `empty_table`, whose timers are their own."""
    return timers.sweep(now=now, time_left=lambda: 60)


def shortly(notice: Notice) -> datetime:
    """Just after the notice's timer is due."""
    assert notice.due_at is not None
    return notice.due_at + timedelta(seconds=1)
