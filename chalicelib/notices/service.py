"""Telling somebody something, and what they do with it: the inbox.

Every message reaches the inbox, in the transaction of the act that causes it. The push follows from there:
the table's stream shows the new notice to `jobs.dispatch_notices`, see `push`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from chalicelib.kit import clock, timers
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item, Page, page
from chalicelib.kit.transaction import transaction
from chalicelib.notices import rules, settings
from chalicelib.notices.catalogue import FORMS, KINDS
from chalicelib.notices.models import OFF_CALL_SHEET, Counted, Credit, Notice, unread
from chalicelib.people import personal_data
from chalicelib.people import service as people
from chalicelib.people.models import partition
from chalicelib.wechat import messages

PUSH_TIMER = "push_notice"
UNREAD_SHOWN = 99
READ_AT_ONCE = 99  # with the resident, the items of one transaction


def tell(
    tx: transaction, to: str, kind: str, *, about: str, now: datetime, area: str | None = None, **facts: str
) -> None:
    """Put a message into a resident's inbox, with the act that causes it or not at all.

    `kind` and its `facts` stand in the catalogue; `about` is the id of what its page opens. With an `area`,
    a message that matters goes on that area's call sheet when it cannot be pushed.
    """
    tx.put(new_notice(to, kind, about=about, now=now, area=area, facts=facts))


def tell_in_time(
    tx: transaction,
    to: str,
    kind: str,
    *,
    needed_by: datetime,
    about: str,
    now: datetime,
    area: str | None,
    facts: dict[str, str],
) -> None:
    """The same; but what would come too late after the quiet hours is urgent, and does not wait for their end."""
    tx.put(new_notice(to, kind, about=about, now=now, area=area, facts=facts, needed_by=needed_by))


def tell_once(
    to: str,
    kind: str,
    *,
    about: str,
    at: datetime,
    now: datetime,
    facts: dict[str, str],
    area: str | None = None,
    needed_by: datetime | None = None,
) -> bool:
    """Put a message into a resident's inbox by a write of its own: for what is told to very many, piece by piece.

    Person, kind, `about` and `at` make its id, so whoever does a piece again tells nobody twice. False when it was
    there already. `area`: where staff see whom to call, if it does not reach them.
    """
    new = new_notice(to, kind, about=about, now=now, area=area, facts=facts, once_at=at, needed_by=needed_by)
    return new.create()


def new_notice(
    to: str,
    kind: str,
    *,
    about: str,
    now: datetime,
    area: str | None,
    facts: dict[str, str],
    once_at: datetime | None = None,
    needed_by: datetime | None = None,
) -> Notice:
    """A message with all its push will need: the worker looks nothing up but the person.

    With `once_at` it is the same message for every call with the same person, kind and `about`.
    """
    sort, said, options = KINDS[kind], rules.say(kind, about, facts), settings.current()
    notice = Notice.new(to, once_at, kind, about) if once_at else Notice.new(to, now)
    notice.topic, notice.about, notice.area = kind, about, area
    notice.title, notice.text, notice.page = said.title, said.text, said.page
    quiet_until = rules.quiet_end(now, options.quiet)
    too_late = rules.too_late_after(quiet_until, needed_by, options.quiet_spread_minutes)
    notice.urgent, notice.matters = sort.urgent or too_late, sort.matters
    notice.expires_at = int((now + timedelta(days=options.keep_days)).timestamp())
    notice.push_state, due = "inbox_only", None
    if sort.template:
        notice.template = sort.template
        notice.values = _fitted(sort.template, said.values, now)
        if quiet_until and not notice.urgent:
            notice.push_state, due = "later", quiet_until + rules.spread(notice.id, options.quiet_spread_minutes)
        else:
            notice.push_state, due = "waiting", now + rules.RESEND_AFTER
    if due:
        timers.start(notice, PUSH_TIMER, due)
    return notice


def _fitted(template: str, values: dict[str, str], now: datetime) -> dict[str, str]:
    form = FORMS[template]
    fitted = {name: messages.fit(form[name], text) for name, text in values.items()}
    return fitted | ({"time": messages.fit(form["time"], now)} if "time" in form else {})


def inbox(*, caller: Caller, cursor: str | None) -> Page[Notice]:
    """The caller's messages, newest first."""
    return page(Notice, partition(caller.id), Item.sk.startswith(Notice.PREFIX), of=Notice, cursor=cursor)


def unread_count(*, caller: Caller) -> int:
    """How many the caller has not read, counted up to a hundred: nobody needs to know more."""
    # PynamoDB's own count asks on until the end of the list; this is one Query.
    found = Item.by_person.query(unread(caller.id), limit=UNREAD_SHOWN + 1, attributes_to_get=["PK", "SK", "kind"])
    return len(list(found))


def read(*, caller: Caller, notice_id: str, now: datetime) -> None:
    """Mark one message read. Who has read it need not be called."""
    notice = Notice.key(caller.id, notice_id)
    with transaction() as tx:
        people.still_logged_in(tx, caller)
        tx.update(notice, _marked_read(now), or_raise=rules.NoticeUnknown())


def read_all(*, caller: Caller, now: datetime) -> bool:
    """Mark the caller's unread messages read, about a hundred at most. True when there may be more."""
    found = list(Item.by_person.query(unread(caller.id), limit=READ_AT_ONCE))
    with transaction() as tx:
        people.still_logged_in(tx, caller)
        for notice in found:
            tx.update(notice, _marked_read(now), or_raise=Conflict())
    return len(found) == READ_AT_ONCE


def _marked_read(now: datetime) -> list[Any]:
    first = Notice.read_at.set(Notice.read_at | now)
    return [first, *Notice.set(person_key=None, person_sort=None), *OFF_CALL_SHEET]


@personal_data.section("消息")
def export(resident_id: str) -> Iterable[dict[str, Any]]:
    """Every message, for the copy of somebody's data."""
    for notice in Notice.query(partition(resident_id), Item.sk.startswith(Notice.PREFIX), scan_index_forward=False):
        yield {
            "时间": clock.spoken(notice.at),
            "标题": notice.title,
            "内容": notice.text,
            "已读": clock.spoken(notice.read_at) if notice.read_at else "否",
        }


@personal_data.eraser
def erase(resident_id: str, *, now: datetime) -> None:
    """Messages quote people and credits are bound to an openid: both go with the account."""
    with Item.batch_write() as batch:
        for prefix in (Notice.PREFIX, Credit.PREFIX, Counted.PREFIX):
            for item in Item.collection(partition(resident_id), prefix):
                batch.delete(item)
