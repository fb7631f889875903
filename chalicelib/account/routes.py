"""My account, and the staff's acts on residents' accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta

from chalicelib.account import closing, delegates, identity, own_data, residence
from chalicelib.account.models import Invitation
from chalicelib.areas import service as areas
from chalicelib.areas.rules import AreaCode
from chalicelib.content import photos
from chalicelib.kit import auth, clock
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Body, Listing, Paged, Routes, View, listing
from chalicelib.people import lookups
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Delegation, Resident

routes = Routes(__name__)

Reason = Annotated[str, Meta(min_length=4, max_length=100, pattern=r"\S")]


class ChooseHome(Body, frozen=True):
    area: AreaCode


class Confirm(Body, frozen=True):
    """`area` is the home as the list showed it."""

    area: AreaCode


class Decline(Confirm, frozen=True):
    reason: Reason


class LookUp(Body, frozen=True):
    reason: Reason


class Accept(Body, frozen=True):
    code: Annotated[str, Meta(min_length=8, max_length=16)]


class CloseAccount(Body, frozen=True):
    word: Annotated[str, Meta(max_length=10)]


class HomesOf(Paged, frozen=True, kw_only=True):
    area: AreaCode


class DutyView(View, frozen=True):
    role: str
    role_name: str
    area: str
    until_at: datetime | None


class HomeView(View, frozen=True):
    """`state`: none, waiting, confirmed or declined (then with the reason)."""

    area: str | None
    name: str | None
    state: str
    reason: str | None


class MeView(View, frozen=True):
    id: str
    nickname: str
    avatar: str | None
    phone: str | None
    consent_needed: bool
    consented_at: datetime | None
    home: HomeView
    duties: list[DutyView]


class WaitingHome(View, frozen=True):
    resident_id: str
    nickname: str
    area: str
    state: str


class IdentityView(View, frozen=True):
    nickname: str
    phone: str | None
    home: str


class LookupView(View, frozen=True):
    """`what` was seen, in words."""

    by: str
    role: str
    what: str
    reason: str
    at: datetime


class InvitationView(View, frozen=True):
    code: str
    good_until: datetime


class InvitationList(View, frozen=True):
    items: list[InvitationView]


class DelegateView(View, frozen=True):
    id: str
    name: str
    since: datetime


class DelegateList(View, frozen=True):
    items: list[DelegateView]


class CopyView(View, frozen=True):
    """`state`: preparing or ready. The links end after ten minutes; ask again for new ones."""

    state: str
    asked_at: datetime
    json_url: str | None = None
    page_url: str | None = None


def home_view(resident: Resident) -> HomeView:
    name = areas.full_name(resident.home) if resident.home else None
    return HomeView(area=resident.home, name=name, state=resident.home_state, reason=resident.home_reason)


@routes.get("/me", needs="login")
def me(caller: Caller, now: datetime) -> MeView:
    """Who I am here. The phone number is masked; `GET /me/phone` shows it in full, to its owner only."""
    person = people.present(caller, now=now, needs_consent=False)
    resident = person.resident
    held = [duty for duty in person.duties if people_rules.in_force(duty, now)]
    return MeView(
        id=resident.id,
        nickname=resident.nickname,
        avatar=photos.links(resident.avatar)[1] if resident.avatar else None,
        phone=resident.phone_masked,
        consent_needed=resident.consent_version != auth.privacy().version,
        consented_at=clock.local(resident.consent_at) if resident.consent_version and resident.consent_at else None,
        home=home_view(resident),
        duties=[
            DutyView(
                role=duty.role,
                role_name=people_rules.ROLE_NAMES[duty.role],
                area=duty.area,
                until_at=clock.local(duty.until_at) if duty.until_at else None,
            )
            for duty in held
        ],
    )


@routes.put("/me/residence")
def choose_home(caller: Caller, body: ChooseHome, now: datetime) -> HomeView:
    """Say in which community, grid or micro-grid I live. The grid worker confirms it."""
    return home_view(residence.choose(caller=caller, area=body.area, now=now))


@routes.get("/residences")
def waiting_homes(caller: Caller, query: HomesOf, now: datetime) -> Listing[WaitingHome]:
    """Homes that wait to be confirmed, for the staff of the area."""
    found = residence.waiting(caller=caller, area=query.area, cursor=query.cursor, now=now)
    return listing(found, _waiting_home)


@routes.post("/residences/{resident_id}/confirm")
def confirm_home(caller: Caller, resident_id: str, body: Confirm, attempt: Attempt, now: datetime) -> WaitingHome:
    """This resident lives where they say."""
    return _waiting_home(
        residence.decide(caller=caller, resident_id=resident_id, area=body.area, reason=None, attempt=attempt, now=now)
    )


@routes.post("/residences/{resident_id}/decline")
def decline_home(caller: Caller, resident_id: str, body: Decline, attempt: Attempt, now: datetime) -> WaitingHome:
    """This resident does not live there; the reason is told to them."""
    return _waiting_home(
        residence.decide(
            caller=caller, resident_id=resident_id, area=body.area, reason=body.reason, attempt=attempt, now=now
        )
    )


def _waiting_home(resident: Resident) -> WaitingHome:
    return WaitingHome(
        resident_id=resident.id, nickname=resident.nickname, area=resident.home or "", state=resident.home_state
    )


@routes.post("/residents/{resident_id}/identity")
def show_identity(caller: Caller, resident_id: str, body: LookUp, attempt: Attempt, now: datetime) -> IdentityView:
    """Show a resident's phone number to staff of their area. The look is written down and the resident told."""
    shown = identity.show(caller=caller, resident_id=resident_id, reason=body.reason, attempt=attempt, now=now)
    return IdentityView(nickname=shown.nickname, phone=shown.phone, home=shown.home)


@routes.get("/me/lookups")
def who_looked_me_up(caller: Caller, query: Paged) -> Listing[LookupView]:
    """Who looked at my phone number, my contact or my real name, why and when, the latest first."""
    found = lookups.about(caller.id, cursor=query.cursor)
    items = [LookupView.of(look, by=look.by_name, at=clock.local(look.looked_at)) for look in found]
    return Listing(items=items, next=found.next)


@routes.post("/me/delegates", status=201)
def invite(caller: Caller, attempt: Attempt, now: datetime) -> InvitationView:
    """A code to give to the one who shall act for me.

    Ending all sessions ends it as well, and so does withdrawing the consent."""
    return _invitation(delegates.invite(caller=caller, attempt=attempt, now=now))


@routes.get("/me/invitations")
def my_invitations(caller: Caller, now: datetime) -> InvitationList:
    """My codes for delegates that nobody has used yet, the latest first."""
    return InvitationList(items=[_invitation(each) for each in delegates.open_invitations(caller=caller, now=now)])


@routes.delete("/me/invitations/{code}")
def take_back_invitation(caller: Caller, code: str, now: datetime) -> None:
    """Nobody may become my delegate by this code any more. Doing it again changes nothing."""
    delegates.take_back(caller=caller, code=code, now=now)


def _invitation(invitation: Invitation) -> InvitationView:
    return InvitationView(code=invitation.code, good_until=clock.local(invitation.ends_at))


@routes.get("/me/delegates")
def my_delegates(caller: Caller) -> DelegateList:
    """Who may act for me."""
    return DelegateList(items=[_delegate(delegation) for delegation in delegates.mine(caller=caller)])


@routes.delete("/me/delegates/{delegate_id}")
def revoke(caller: Caller, delegate_id: str, now: datetime) -> None:
    """They may not act for me any more."""
    delegates.revoke(caller=caller, delegate=delegate_id, now=now)


@routes.post("/delegations", status=201)
def accept(caller: Caller, body: Accept, attempt: Attempt, now: datetime) -> DelegateView:
    """Agree to act for the one who gave me this code. Then send `Acting-For: <their id>` with a request."""
    delegation = delegates.accept(caller=caller, code=body.code, now=now)
    return _principal(delegation)


@routes.get("/delegations")
def for_whom(caller: Caller, query: Paged) -> Listing[DelegateView]:
    """For whom I may act."""
    found = delegates.for_whom(caller=caller, cursor=query.cursor)
    return listing(found, _principal)


@routes.delete("/delegations/{principal_id}")
def resign(caller: Caller, principal_id: str, now: datetime) -> None:
    """I do not act for them any more."""
    delegates.resign(caller=caller, principal=principal_id, now=now)


def _delegate(delegation: Delegation) -> DelegateView:
    return DelegateView(id=delegation.delegate, name=delegation.delegate_name, since=clock.local(delegation.since))


def _principal(delegation: Delegation) -> DelegateView:
    return DelegateView(id=delegation.principal, name=delegation.principal_name, since=clock.local(delegation.since))


@routes.post("/me/copy", status=202, needs="login")
def ask_for_copy(caller: Caller, attempt: Attempt, now: datetime) -> CopyView:
    """Have a copy of all my data prepared; a message says when it is ready."""
    copy = own_data.ask(caller=caller, attempt=attempt, now=now)
    return CopyView(state=copy.state, asked_at=clock.local(copy.asked_at))


@routes.get("/me/copy", needs="login")
def my_copy(caller: Caller, now: datetime) -> CopyView:
    """My latest copy with links to fetch it."""
    copy, links = own_data.links(caller=caller, now=now)
    return CopyView(
        state=copy.state,
        asked_at=clock.local(copy.asked_at),
        json_url=links.json,
        page_url=links.page,
    )


@routes.post("/me/close", needs="login")
def close(caller: Caller, body: CloseAccount, attempt: Attempt, now: datetime) -> None:
    """Close my account for ever: my personal data becomes unreadable at once."""
    closing.close_my_account(caller=caller, word=body.word, now=now)
