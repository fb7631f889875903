"""Choosing a nickname and an avatar on a bad day of AWS: asked again, it has been done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.content.models import Photo
from chalicelib.kit import clock
from chalicelib.kit.table import Item
from chalicelib.people.models import Duty, Resident, partition
from chalicelib.profile.models import ProfileDraft
from tests.content.test_texts import DOUBTFUL
from tests.engine.http import Answer
from tests.faults.acts import Act, ActInHood, in_hood, when_due
from tests.faults.trying import fail_every_call
from tests.help.street import ask, offer
from tests.neighbourhood import Hood, Neighbour
from tests.shifts import gate
from tests.volunteers import crew


@in_hood("PUT /me/nickname")
def naming(hood: Hood) -> Act:
    def name(li_ju: Neighbour, key: str) -> Answer:
        return li_ju.put("/me/nickname", json={"nickname": DOUBTFUL})

    def facts(li_ju: Neighbour) -> Any:
        """One wish, and one review of it that is still open."""
        draft = ProfileDraft.of(li_ju.id)
        undecided = [each.id for each in Item.by_person.query(f"REVIEWS#{li_ju.id}")]
        return draft.nickname, undecided == [draft.nickname_review]

    name(hood.resident(), "warm")  # WeChat's token is there from now on
    return Act("a nickname is held", hood.resident, name, facts)


@in_hood("POST /me/avatar")
def choosing(hood: Hood) -> Act:
    def choose(li_ju: Neighbour, key: str) -> Answer:
        return li_ju.post("/me/avatar", json={}, key=key)

    def facts(li_ju: Neighbour) -> Any:
        photos = [item for item in Item.collection(partition(li_ju.id), "PHOTO#") if isinstance(item, Photo)]
        return [photo.state for photo in photos], [photo.id for photo in photos] == [ProfileDraft.of(li_ju.id).avatar]

    return Act("an avatar is invited", hood.resident, choose, facts)


@in_hood("timer people.duty_over")
def leaving_office(hood: Hood) -> Act:
    """Two names of the office go: the one that is shown, and one in review. So does the place on a shift."""

    def prepare() -> Any:
        worker = hood.staff("grid_worker")
        worker.put("/me/nickname", json={"nickname": "网格员小王"})
        worker.put("/me/nickname", json={"nickname": f"网格员{DOUBTFUL}"})
        shift = gate.shift(hood, quorum={"grid_worker": 1})
        gate.signed_up(worker, shift, role="grid_worker")
        hood.end_duty(worker, "grid_worker", hood.community)
        return worker, shift

    def run(world: Any, key: str) -> None:
        when_due(Duty.key(world[0].id, "grid_worker", hood.community), clock.now() + timedelta(minutes=1))

    def facts(world: Any) -> Any:
        worker, shift = world
        resident = Resident.fetch(partition(worker.id), "ME")
        undecided = list(Item.by_person.query(f"REVIEWS#{worker.id}"))
        called = (resident.nickname[:2], ProfileDraft.of(worker.id).nickname, undecided)
        duty = Duty.fetch(partition(worker.id), f"ME#DUTY#grid_worker#{hood.community}")
        return called, gate.stored(shift).missing, sorted(worker.told), duty.timer

    prepare()  # WeChat's token is there from now on
    return Act("a duty is over", prepare, run, facts)


@in_hood("timer people.renamed")
def renaming(hood: Hood) -> Act:
    def prepare() -> tuple[Neighbour, str, str]:
        li_ju, chen = hood.resident("李菊"), hood.resident("陈彩明")
        request, team = ask(li_ju), crew.found(li_ju).json
        offer(chen, request)
        crew.join(chen, team["code"])
        chen.put("/me/nickname", json={"nickname": "老陈"})
        return chen, request, team["id"]

    def run(world: tuple[Neighbour, str, str], key: str) -> None:
        when_due(Resident.key(world[0].id), clock.now())

    def facts(world: tuple[Neighbour, str, str]) -> Any:
        chen, request, team = world
        offers = chen.get(f"/help-requests/{request}").json["offers"]
        members = chen.get(f"/teams/{team}").json["members"]
        return (
            [each["helper_name"] for each in offers],
            [each["name"] for each in members if each["id"] == chen.id],
            Resident.fetch(partition(chen.id), "ME").timer,
        )

    return Act("another nickname is shown everywhere", prepare, run, facts)


ACTS: list[ActInHood] = [naming, choosing, leaving_office, renaming]


@pytest.mark.parametrize("make", ACTS, ids=str)
def test_the_repeat_of_a_failed_act_ends_as_if_nothing_had_failed(make: ActInHood, hood: Hood) -> None:
    fail_every_call(make(hood))
