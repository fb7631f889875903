"""Every act on hours: a shift ends, is confirmed, people's hours are recorded, added afterwards, corrected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.kit import clock, timers
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import service as people
from chalicelib.people.models import Duty
from chalicelib.people.models import partition as resident_partition
from chalicelib.shifts.hours import recording
from chalicelib.shifts.hours.recording import Hours
from chalicelib.shifts.models import HoursCorrection, Round, Shift, SignUp
from chalicelib.volunteers.models import Register, ServiceRecord, Statement, partition
from tests.engine.http import Answer
from tests.faults.acts import Act, when_due
from tests.faults.help_acts import posting, send, street
from tests.points import books
from tests.shifts import evening, gate

World = dict[str, Any]
DAY = timedelta(days=1)


class _Place:
    """As much of a hood as a gate needs."""

    def __init__(self, community: str) -> None:
        self.community = community


def ended(*, absent: bool = False, **helper: Any) -> World:
    """A shift that is over: `helper` was on it, `worker` and `other` look after the area, `asker` may have stayed away."""
    world = street()
    world["other"] = world["people"]["other"] = world["people"].pop("listener")
    world["helper"] = world["people"]["helper"]
    since = clock.now() - 9 * DAY
    with transaction() as tx:
        duty = Duty.new(
            world["other"], "community_worker", world["community"], from_at=since, until_at=None, granted_by="t"
        )
        people.grant_duty(tx, duty)
    place: Any = _Place(world["community"])
    world["shift"] = evening.over(place)
    evening.on(world["helper"], world["shift"], **{"came": 0, "left": 120, **helper})
    if absent:
        evening.on(world["people"]["asker"], world["shift"], state="no_show")
    return world


def confirmed(*, absent: bool = False, recorded: bool = True) -> World:
    """By the worker; the helper's two hours are recorded, and have earned four points, or the helper is left out."""
    world = ended(absent=absent, minutes=120 if recorded else None, recorded_at=clock.now() if recorded else None)
    shift = gate.stored(world["shift"])
    shift.state, shift.ended_at, shift.confirmed_at = "ended", clock.now(), clock.now()
    shift.confirmed_by, shift.confirmed_by_name = world["people"]["worker"], "worker"
    shift.due_key = shift.due_at = shift.timer = None
    shift.left_out = [] if recorded else [world["helper"]]
    with transaction() as tx:
        tx.put(shift)
        if recorded:
            hours = Hours(120, "checked", shift.confirmed_by, "worker")
            made = recording.new_record(shift, evening.stand(world["helper"], shift.id), hours, clock.now())
            made.points = 4
            tx.put(made)
    if recorded:
        books.give(world["helper"], "volunteer", shift.id, times=4)
    return world


def unrecorded() -> World:
    """The tap has been made, and nobody's hours are recorded yet."""
    world = ended(left=None)
    assert confirm(world, "confirmed").status == 200
    return world


def left_out() -> World:
    return confirmed(recorded=False)


def unconfirmed() -> World:
    world = ended()
    with transaction() as tx:
        shift = Shift.key(world["shift"])
        tx.update(shift, timers.set_to(shift.pk, "shifts.unconfirmed", clock.now()))
    return world


def asked(minutes: int, who: str = "helper") -> World:
    """For a day of which a statement was issued."""
    world = confirmed(absent=who == "asker")
    shift, resident = gate.stored(world["shift"]), world["people"][who]
    correction = HoursCorrection.key(resident, shift.id)
    correction.state, correction.number, correction.minutes, correction.reason = "open", 1, minutes, "记错了"
    correction.shift, correction.name, correction.title, correction.area = shift.id, who, shift.title, shift.area
    correction.start_at, correction.end_at, correction.asked_at = shift.start_at, shift.end_at, clock.now()
    correction.list_it()
    world["correction"] = correction.id
    day = f"{clock.day(shift.start_at)}"
    statement, register = Statement.key(f"S{resident}"), Register.key(resident)
    statement.resident, statement.state = resident, "valid"
    statement.from_day = statement.to_day = day
    statement.issued_at, statement.person_sealed, statement.content, statement.minutes = clock.now(), b"x", {}, 1
    register.issued, register.version = [{"number": statement.number, "from": day, "to": day}], 1
    with transaction() as tx:
        for item in (correction, statement, register):
            tx.put(item)
    return world


SHIFT = "/shifts/{shift}"
CONFIRM = f"{SHIFT}/confirm"


def confirm(world: World, key: str) -> Answer:
    return send(world, "worker", CONFIRM, key, {})


def end(world: World, key: str) -> None:
    when_due(Shift.key(world["shift"]), clock.now() + DAY)


def remind(world: World, key: str) -> None:
    when_due(Shift.key(world["shift"]), clock.now() + 9 * DAY)


def walk(world: World, key: str) -> None:
    for each in evening.rounds(world["shift"]):
        timers._handlers[Round.TIMER](each, now=each.due_at)


confirm_one = posting("worker", f"{SHIFT}/people/{{helper}}/confirm")
back_fill = posting("worker", f"{SHIFT}/people/{{helper}}/hours", {"minutes": 200, "reason": "签到码坏了"})
ask = posting("helper", f"{SHIFT}/hours/corrections", {"minutes": 200, "reason": "记错了"})
accept = posting("other", "/hours-corrections/{correction}/accept", {})
decline = posting("other", "/hours-corrections/{correction}/decline", {"reason": "没有依据"})


def facts(world: World) -> Any:
    """All that is kept of the shift and its people, their points and their messages, without ids and times."""
    shift = gate.stored(world["shift"])
    about = (shift.state, shift.timer, shift.ended_at is not None, shift.confirmed_at is not None, len(shift.left_out))
    stands = sorted(map(_stand, Item.collection(shift.pk, SignUp.PREFIX)))
    kept = []
    for who in world["people"].values():
        kept.append([_kept(item) for item in Item.collection(partition(who))])
        kept.append(sorted(each.topic for each in Item.collection(resident_partition(who), Notice.PREFIX)))
    moved = sorted((each.rule or "", each.change) for each in books.transfers(world["helper"]))
    statements = [Statement.find(f"STATEMENT#S{each}", "STATEMENT") for each in world["people"].values()]
    rounds = [each.what for each in evening.rounds(world["shift"])]
    return (
        about,
        stands,
        kept,
        moved,
        books.check(world["helper"]),
        [each and each.state for each in statements],
        rounds,
    )


def _stand(mine: SignUp) -> tuple[str, ...]:
    return mine.state, f"{mine.minutes}", f"{mine.out_by}", f"{mine.recorded_at is not None}"


def _kept(item: Any) -> Any:
    if isinstance(item, ServiceRecord):
        return "record", int(item.minutes), item.how, int(item.points), len(item.versions)
    if isinstance(item, HoursCorrection):
        return "correction", item.state, int(item.number), int(item.minutes), item.area_key is not None
    return type(item).__name__


ACCEPT = "POST /hours-corrections/{correction_id}/accept"
BACK_FILL = "POST /shifts/{shift_id}/people/{person_id}/hours"
ACTS = [
    Act("a shift ends by itself", ended, end, facts, "timer shifts.end"),
    Act("those who should have confirmed are reminded", unconfirmed, remind, facts, "timer shifts.unconfirmed"),
    Act("the hours of a shift are confirmed", ended, confirm, facts, "POST /shifts/{shift_id}/confirm"),
    Act("everybody's hours are recorded", unrecorded, walk, facts, "timer shifts.round", one_way_after=0),
    Act("one is confirmed alone", left_out, confirm_one, facts, "POST /shifts/{shift_id}/people/{person_id}/confirm"),
    Act("hours are recorded afterwards", left_out, back_fill, facts, BACK_FILL, one_way_after=0),
    Act("a correction is asked for", confirmed, ask, facts, "POST /shifts/{shift_id}/hours/corrections"),
    Act("more hours are accepted", lambda: asked(200), accept, facts, ACCEPT),
    Act("fewer hours are accepted", lambda: asked(30), accept, facts, ACCEPT, one_way_after=0),
    Act("missing hours are accepted", lambda: asked(60, "asker"), accept, facts, ACCEPT, one_way_after=0),
    Act(
        "a correction is declined",
        lambda: asked(200),
        decline,
        facts,
        "POST /hours-corrections/{correction_id}/decline",
    ),
]
