"""The inbox, what may be pushed, whom to call, and WeChat's callback."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from chalice import Response
from msgspec import Meta

from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Listing, Paged, Query, Routes, View, body_bytes, listing
from chalicelib.notices import call_sheet, catalogue, credits, events, service
from chalicelib.notices.models import Notice
from chalicelib.wechat import callback

routes = Routes(__name__)

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
TemplateId = Annotated[str, Meta(min_length=1, max_length=64)]


class NoticeView(View, frozen=True):
    """`page` is what a tap opens. `kind` is stable; `title` and `text` are for people."""

    id: str
    kind: str
    title: str
    text: str
    page: str
    urgent: bool
    at: datetime
    read: bool


class Unread(View, frozen=True):
    """`more` says that there are more than `count`."""

    count: int
    more: bool


class ReadAll(View, frozen=True):
    """`more` says that some are still unread: send it again."""

    more: bool


class Moment(Query, frozen=True):
    moment: catalogue.Moment


class TemplatesToAsk(View, frozen=True):
    """For `wx.requestSubscribeMessage`; empty when nothing needs asking. All are of one kind, as WeChat wants."""

    template_ids: list[str]
    long_term: bool


class Answers(Body, frozen=True):
    """What `wx.requestSubscribeMessage` answered, by template id."""

    answers: Annotated[dict[TemplateId, Literal["accept", "reject", "ban", "filter"]], Meta(min_length=1, max_length=5)]


class CallSheet(Paged, frozen=True, kw_only=True):
    area: AreaCode


class CallView(View, frozen=True):
    """Somebody to call. The phone number is shown by the act of showing an identity, which they can see."""

    id: str
    resident_id: str
    nickname: str
    title: str
    text: str
    page: str
    area: str
    since: datetime


def view(notice: Notice) -> NoticeView:
    return NoticeView.of(notice, kind=notice.topic, read=notice.read_at is not None)


@routes.get("/inbox")
def inbox(caller: Caller, query: Paged) -> Listing[NoticeView]:
    """My messages, newest first."""
    found = service.inbox(caller=caller, cursor=query.cursor)
    return listing(found, view)


@routes.get("/inbox/unread")
def unread(caller: Caller) -> Unread:
    """How many messages I have not read, counted up to 99."""
    count = service.unread_count(caller=caller)
    return Unread(count=min(count, service.UNREAD_SHOWN), more=count > service.UNREAD_SHOWN)


@routes.post("/inbox/{notice_id}/read")
def read(caller: Caller, notice_id: str, attempt: Attempt, now: datetime) -> None:
    """Mark a message read. Doing it again changes nothing."""
    service.read(caller=caller, notice_id=notice_id, now=now)


@routes.post("/inbox/read-all")
def read_all(caller: Caller, attempt: Attempt, now: datetime) -> ReadAll:
    """Mark my messages read, about a hundred at once."""
    return ReadAll(more=service.read_all(caller=caller, now=now))


@routes.get("/me/templates")
def templates(caller: Caller, query: Moment) -> TemplatesToAsk:
    """Which message templates to ask for at this tap. Fetch it before the tap: WeChat allows no wait in between."""
    asked = credits.to_ask(caller=caller, moment=query.moment)
    return TemplatesToAsk(template_ids=asked.template_ids, long_term=asked.long_term)


@routes.post("/me/credits")
def report_credits(caller: Caller, body: Answers, attempt: Attempt, now: datetime) -> None:
    """Report what I answered to WeChat's question for messages. Send an Idempotency-Key: each accept counts."""
    credits.report(caller=caller, answers=dict(body.answers), attempt=attempt, now=now)


@routes.get("/call-sheet")
def calls(caller: Caller, query: CallSheet, now: datetime) -> Listing[CallView]:
    """Staff: residents of an area whom an important message did not reach."""
    entries, after = call_sheet.to_call(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return Listing(items=[_call(entry) for entry in entries], next=after)


def _call(entry: call_sheet.Entry) -> CallView:
    notice = entry.notice
    return CallView.of(
        notice, id=entry.id, nickname=entry.nickname, area=notice.area or "", since=clock.local(notice.at)
    )


@routes.post("/call-sheet/{entry_id}/done")
def called(caller: Caller, entry_id: str, attempt: Attempt, now: datetime) -> None:
    """Staff: this resident has been called."""
    call_sheet.called(caller=caller, entry_id=entry_id, attempt=attempt, now=now)


@routes.get("/wechat/callback")
def confirm_callback(request: Any) -> Response:
    """WeChat makes sure that this address is ours."""
    return Response(body=callback.confirm_url(_query(request)), status_code=200, headers=_TEXT)


@routes.post("/wechat/callback")
def receive_callback(request: Any, now: datetime) -> Response:
    """WeChat tells us something. It is queued, so that the answer comes within WeChat's five seconds.

    What is older than an hour is refused."""
    events.receive(_query(request), body_bytes(request), now=now)
    return Response(body="success", status_code=200, headers=_TEXT)


def _query(request: Any) -> dict[str, str]:
    return dict(request.query_params.items()) if request.query_params else {}
