"""Publishing an activity: its texts are checked, then all its shifts are there at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.content import reviews
from chalicelib.content import service as content
from chalicelib.content.models import Review
from chalicelib.content.rules import SubjectGone
from chalicelib.kit import ids, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Changed, Problem
from chalicelib.kit.table import Action
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people.in_charge import whom_to_tell
from chalicelib.people.service import Person
from chalicelib.shifts import rules
from chalicelib.shifts.models import Activity, Shift, settled
from chalicelib.shifts.planning import drafting as planning
from chalicelib.shifts.planning import plans
from chalicelib.shifts.planning.plans import Planned
from chalicelib.wechat.content import Scene

ANNOUNCE = "shifts.announce"
END = "shifts.end"
_TOO_LATE = "审核通过时，班次的时间都已经过去"


@settled
def publish(
    *, caller: Caller, activity_id: str, version: int, attempt: Attempt, now: datetime
) -> tuple[Activity, list[Shift] | None]:
    """Let people sign up for what the organiser has seen: Stale when it was edited since. Hidden (`in_review`) while its
    texts have not been passed. With the shifts it has made, None when this request made them before."""
    person, activity = planning.in_charge(caller, activity_id, now)
    if attempt.made(activity):
        return activity, None
    if activity.state != "draft":
        raise rules.NotADraft()
    if int(activity.version) != version:
        raise rules.Stale()
    planned = plans.from_stored(activity.plan)
    if planned[0].start <= now:
        raise rules.DraftOutdated()
    return _write(activity, planned, person, attempt, now)


def _write(
    activity: Activity, planned: Sequence[Planned], person: Person, attempt: Attempt, now: datetime
) -> tuple[Activity, list[Shift]]:
    places = "、".join(dict.fromkeys(each.place for each in planned))
    screening = content.screen(
        person.caller,
        scene=Scene.FORUM,
        now=now,
        official=True,
        title=activity.title,
        text=activity.text,
        places=places,
    )
    made = shifts(activity, planned, of=activity.id) if screening.passed else []
    as_read = (Activity.state == "draft") & (Activity.version == int(activity.version))
    with person.acting() as tx:
        if screening.passed:
            change = _published(activity, made, now)
        else:
            change = Activity.set(state="in_review", version=int(activity.version) + 1)
        tx.update(activity, [*change, *attempt.remember()], when=as_read, or_raise=Changed())
        _create(tx, made, or_raise=Changed())
        content.hold(
            tx,
            screening,
            subject="activity",
            subject_pk=activity.pk,
            subject_sk=activity.sk,
            author_id=person.id,
            as_staff=True,
            area=activity.area,
            excerpt=f"{activity.title}\n{activity.text}\n{places}",
            now=now,
        )
    activity.state, activity.version = "published" if screening.passed else "in_review", int(activity.version) + 1
    activity.shifts, activity.published_at = [each.id for each in made], now if screening.passed else None
    return activity, made


def _published(activity: Activity, made: Sequence[Shift], now: datetime) -> list[Action]:
    return [
        *Activity.set(
            state="published",
            published_at=now,
            plan=[],
            shifts=[each.id for each in made],
            version=int(activity.version) + 1,
        ),
        *timers.set_to(activity.pk, ANNOUNCE, now),
    ]


def _create(tx: transaction, made: Sequence[Shift], *, or_raise: Problem) -> None:
    for each in made:
        tx.create(each, or_raise=or_raise)


def shifts(activity: Activity, planned: Sequence[Planned], *, of: str) -> list[Shift]:
    """The shifts of a plan, not yet written, with ids that are the same whenever they are made. `of`: the id of what
    makes them."""
    return [_shift(key, activity, each) for key, each in zip(keys(of, len(planned)), planned, strict=True)]


def keys(of: str, number: int) -> list[Shift]:
    return [Shift.key(ids.repeatable_id("shift", of, str(position))) for position in range(number)]


def _shift(made: Shift, activity: Activity, planned: Planned) -> Shift:
    made.state, made.activity = "published", activity.id
    made.title, made.service, made.area, made.audience = (
        activity.title,
        activity.service,
        activity.area,
        activity.audience,
    )
    made.organiser, made.organiser_name = activity.organiser, activity.organiser_name
    made.needs_approval, made.points_an_hour = activity.needs_approval, int(activity.points_an_hour)
    made.start_at, made.end_at, made.place = planned.start, planned.end, planned.place
    made.capacity, made.quorum = planned.capacity, planned.quorum
    made.list_it()
    timers.start(made, END, made.end_at + rules.CLOSES_AFTER)
    return made


@reviews.on_decision("activity")
def judged(tx: transaction, review: Review, *, approved: bool, reason: str, now: datetime) -> None:
    """Publish those of its shifts that are still to come, and say how many are not; or refuse it with the moderator's
    reason."""
    activity = Activity.find(review.subject_pk, review.subject_sk)
    if activity is None or activity.state != "in_review":
        raise SubjectGone()
    planned = shifts(activity, plans.from_stored(activity.plan), of=activity.id)
    to_come = [each for each in planned if each.start_at > now]
    if approved and len(to_come) < len(planned):
        facts = {"title": activity.title, "missed": f"{len(planned) - len(to_come)}"}
        for carer in whom_to_tell(activity.area, now=now, first=activity.organiser):
            notices.tell(tx, carer, "activity_approved_late", about=activity.id, now=now, **facts)
    if approved and to_come:
        change = _published(activity, to_come, now)
        _create(tx, to_come, or_raise=SubjectGone())
    else:
        change = Activity.set(
            state="cancelled" if approved else "refused",
            reason=_TOO_LATE if approved else reason,
            cancelled_at=now,
            version=int(activity.version) + 1,
        )
    tx.update(activity, change, when=Activity.state == "in_review", or_raise=SubjectGone())
