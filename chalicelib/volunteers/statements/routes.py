"""Statements of hours, which anybody may verify and print, over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
from chalice import Response

from chalicelib.kit import clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import TooMany
from chalicelib.kit.http import Body, Listing, Paged, Routes, View, listing
from chalicelib.volunteers import rules
from chalicelib.volunteers.models import Statement
from chalicelib.volunteers.records import rules as record_rules
from chalicelib.volunteers.records.routes import TotalsView, totals_view
from chalicelib.volunteers.records.rules import Period
from chalicelib.volunteers.statements import issuing as statements
from chalicelib.volunteers.statements import paper
from chalicelib.volunteers.statements import rules as papers

routes = Routes(__name__)


class AskForStatement(Body, frozen=True):
    """Days in Shanghai, both included: at most three years, not later than today."""

    from_day: date = msgspec.field(name="from")
    to_day: date = msgspec.field(name="to")


class StatementView(View, frozen=True):
    """One of my statements. `state`: valid, superseded (by the one of that number) or revoked (with the reason)."""

    number: str
    state: str
    state_text: str
    from_day: date = msgspec.field(name="from")
    to_day: date = msgspec.field(name="to")
    issued_at: datetime
    minutes: int
    text: str
    ended_at: datetime | None
    reason: str | None
    superseded_by: str | None
    page: str


class VerifiedView(View, frozen=True):
    """What the paper shows, and whether it counts: `told` says it in a sentence.

    `state`: valid, superseded, revoked (with the reason) or destroyed: whose statement it is has closed their account.
    Then `shown` and `totals` are null, nobody can read them any more. Only what is valid counts.
    """

    number: str
    state: papers.State
    state_text: str
    told: str
    ended_at: datetime | None
    reason: str | None
    from_day: date = msgspec.field(name="from")
    to_day: date = msgspec.field(name="to")
    issued_at: datetime
    issuer: str
    check_address: str
    shown: papers.Paper | None
    totals: TotalsView | None


def statement_view(statement: Statement, base: str) -> StatementView:
    return StatementView.of(
        statement,
        state_text=papers.STATES[statement.state],
        from_day=date.fromisoformat(statement.from_day),
        to_day=date.fromisoformat(statement.to_day),
        text=record_rules.spoken(int(statement.minutes)),
        ended_at=clock.local(statement.ended_at) if statement.ended_at else None,
        page=_page_of(statement.number, base),
    )


def _page_of(number: str, base: str) -> str:
    return f"{base}/statements/{number}/page"


def _base(request: Any) -> str:
    """Where this is served: as the settings say, else as the gateway was called."""
    named = rules.settings_in_force().check_address
    if named:
        return named.rstrip("/")
    context = request.context
    # AWS names the domain that was called. A gateway on one machine does not; there nobody else chooses the Host.
    domain = context.get("domainName")
    origin = f"https://{domain}" if domain else f"http://{request.headers.get('host', 'localhost')}"
    # `/api/statements/…/page` without the resource is `/api`, the stage; under a domain of one's own, what that maps.
    below = "/".join(context.get("path", "").split("/")[: -context["resourcePath"].count("/")])
    return f"{origin}{below}"


@routes.post("/me/statements", status=201)
def ask_for_statement(
    caller: Caller, body: AskForStatement, attempt: Attempt, now: datetime, request: Any
) -> StatementView:
    """A statement of my hours of a period. It takes the place of those whose period lies within."""
    period = Period(body.from_day, body.to_day)
    issued = statements.issue(caller=caller, period=period, attempt=attempt, now=now)
    return statement_view(issued, _base(request))


@routes.get("/me/statements")
def my_statements(caller: Caller, query: Paged, request: Any) -> Listing[StatementView]:
    """My statements, the newest first."""
    found, base = statements.mine(caller=caller, cursor=query.cursor), _base(request)
    return listing(found, lambda each: statement_view(each, base))


@routes.get("/statements/{number}")
def verify(number: str, request: Any, now: datetime) -> VerifiedView:
    """Whether a statement counts, and what it shows: for anybody who holds it, by its number as typed."""
    verified = statements.verify(number, now=now)
    statement, shown = verified.statement, verified.paper
    return VerifiedView.of(
        statement,
        state=verified.state,
        state_text=papers.STATES[verified.state],
        told=verified.told,
        ended_at=clock.local(statement.ended_at) if statement.ended_at else None,
        from_day=date.fromisoformat(statement.from_day),
        to_day=date.fromisoformat(statement.to_day),
        issuer=statement.content["issuer"],
        check_address=_page_of(statement.number, _base(request)),
        shown=shown,
        totals=totals_view(shown.totals) if shown else None,
    )


@routes.get("/statements/{number}/page")
def to_print(number: str, request: Any, now: datetime) -> Response:
    """A statement as a page to print (HTML, A4), for anybody who holds its number. Refusals are pages, too."""
    try:
        verified = statements.verify(number, now=now)
    except (papers.StatementUnknown, TooMany) as refusal:
        page, headers = paper.refusal(refusal)
        return Response(page, status_code=refusal.status, headers=headers)
    page, headers = paper.page(verified, _page_of(verified.statement.number, _base(request)))
    return Response(page, status_code=200, headers=headers)
