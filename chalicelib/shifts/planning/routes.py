"""Activities over HTTP: drafted, published, changed and cancelled by those who organise them."""

from __future__ import annotations

from datetime import datetime

from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.http import Listing, Paged, Routes, listing
from chalicelib.shifts.places import shapes as shift_shapes
from chalicelib.shifts.planning import cancelling, changing, extending, publishing, shapes
from chalicelib.shifts.planning import drafting as planning

routes = Routes(__name__)


@routes.post("/activities", status=201)
def draft(caller: Caller, body: shapes.DraftActivity, attempt: Attempt, now: datetime) -> shapes.ActivityView:
    """Plan an activity with all its shifts in one act. The answer lists every shift; nobody else sees it yet."""
    made = planning.draft(caller=caller, draft=shapes.draft(body), attempt=attempt, now=now)
    return shapes.activity_view(made, [])


@routes.get("/activities/mine")
def mine(caller: Caller, query: Paged, now: datetime) -> Listing[shapes.ActivityLine]:
    """What I organise, drafts too, newest first, as far as I look after its area."""
    found = planning.mine(caller=caller, cursor=query.cursor, now=now)
    return listing(found, shapes.activity_line)


@routes.get("/activities/{activity_id}")
def look_at(caller: Caller, activity_id: str, now: datetime) -> shapes.ActivityView:
    """One activity with its shifts. Before its publication only those who look after its area see it."""
    return shapes.activity_view(*planning.look_at(activity_id, caller=caller, now=now))


@routes.put("/activities/{activity_id}")
def edit(
    caller: Caller, activity_id: str, body: shapes.EditDraft, attempt: Attempt, now: datetime
) -> shapes.ActivityView:
    """Put something else in the place of a draft."""
    made = planning.edit(
        caller=caller,
        activity_id=activity_id,
        version=body.version,
        draft=shapes.draft(body),
        attempt=attempt,
        now=now,
    )
    return shapes.activity_view(made, [])


@routes.post("/activities/{activity_id}/publish")
def publish(
    caller: Caller, activity_id: str, body: shapes.Publish, attempt: Attempt, now: datetime
) -> shapes.ActivityView:
    """Let people sign up, once the texts have been passed (else it is `in_review`)."""
    activity, shifts = publishing.publish(
        caller=caller, activity_id=activity_id, version=body.version, attempt=attempt, now=now
    )
    return shapes.activity_view(activity, planning.shifts_of(activity) if shifts is None else shifts)


@routes.post("/activities/{activity_id}/shifts", status=201)
def extend(
    caller: Caller, activity_id: str, body: shapes.AddShifts, attempt: Attempt, now: datetime
) -> shapes.AddedShifts:
    """Add shifts to an activity that is published. The answer lists those it has made; the willing are told of them."""
    done = extending.extend(
        caller=caller, activity_id=activity_id, further=shapes.further(body), attempt=attempt, now=now
    )
    return shapes.added_shifts(done)


@routes.post("/activities/{activity_id}/cancel")
def cancel(
    caller: Caller, activity_id: str, body: shapes.Cancel, attempt: Attempt, now: datetime
) -> shapes.ActivityLine:
    """Cancel all shifts that are not over; everybody on them is told. A draft is thrown away."""
    cancelled = cancelling.cancel_activity(
        caller=caller, activity_id=activity_id, reason=body.reason, attempt=attempt, now=now
    )
    return shapes.activity_line(cancelled)


@routes.post("/shifts/{shift_id}/change")
def change(
    caller: Caller, shift_id: str, body: shapes.ChangeShift, attempt: Attempt, now: datetime
) -> shift_shapes.ShiftLine:
    """Change times, place or numbers of a published shift. Everybody on it is told what is new, and may leave."""
    wanted = shapes.change(body)
    return shift_shapes.shift_line(
        changing.change(caller=caller, shift_id=shift_id, wanted=wanted, attempt=attempt, now=now)
    )


@routes.post("/shifts/{shift_id}/cancel")
def cancel_shift(
    caller: Caller, shift_id: str, body: shapes.Cancel, attempt: Attempt, now: datetime
) -> shift_shapes.ShiftLine:
    """Cancel one shift. Everybody on it is told, and nobody's record suffers."""
    cancelled = cancelling.cancel_shift(caller=caller, shift_id=shift_id, reason=body.reason, attempt=attempt, now=now)
    return shift_shapes.shift_line(cancelled)
