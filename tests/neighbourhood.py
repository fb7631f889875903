"""A small neighbourhood of its own for each test: areas nobody else uses, people with phones, staff with duties.

def test_something(hood):
    li_ju = hood.resident("李菊")
    li_ju.post("/help-requests", json={...}, key="k1")
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from chalicelib.areas.models import Area
from chalicelib.kit import auth, clock, ids, timers, vault
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices.models import Notice
from chalicelib.people import delegations
from chalicelib.people import service as people
from chalicelib.people.models import Delegation, Duty, OpenidLink, Resident, partition
from local.wechat.control import StandIn
from tests.engine.http import Answer, Http

SETTLED = timedelta(days=30)  # since when everybody lives where they say


class Neighbour:
    """Somebody with a phone, logged in. `phone` is their id in the WeChat stand-in."""

    def __init__(self, hood: Hood, name: str, phone: str) -> None:
        self.hood, self.name, self.phone = hood, name, phone
        self.token = self.id = ""

    def log_in(self) -> Answer:
        answer = self.hood.http.post("/login", json={"code": self.hood.wechat.login_code(self.phone)})
        if answer.status == 200:
            self.token, self.id = answer.json["token"], answer.json["resident_id"]
        return answer

    def consent(self) -> Answer:
        answer = self.post("/me/consent", json={"version": auth.privacy().version})
        self.token = answer.json["token"]
        return answer

    @property
    def caller(self) -> Caller:
        return auth.check(f"Bearer {self.token}", now=clock.now())

    def get(self, path: str, **more: Any) -> Answer:
        return self.hood.http.get(path, token=self.token, **more)

    def post(self, path: str, **more: Any) -> Answer:
        return self.hood.http.post(path, token=self.token, **more)

    def put(self, path: str, **more: Any) -> Answer:
        return self.hood.http.put(path, token=self.token, **more)

    def delete(self, path: str, **more: Any) -> Answer:
        return self.hood.http.delete(path, token=self.token, **more)

    @property
    def told(self) -> list[str]:
        """The kinds of messages in the inbox, the oldest first."""
        found = Notice.query(partition(self.id), Item.sk.startswith(Notice.PREFIX))
        return [notice.topic for notice in found]


class Hood:
    """One community with a grid and a micro-grid, in a district of its own."""

    def __init__(self, http: Http, wechat: StandIn) -> None:
        self.http, self.wechat = http, wechat
        self.district = f"{random.randrange(100_000, 1_000_000)}"
        self.street = f"{self.district}001"
        self.community = f"{self.street}001"
        self.grid = f"{self.community}001"
        self.micro_grid = f"{self.grid}001"
        names = ("南湖区", "南湖街道", "桂苑社区", "第一网格", "1幢")
        codes = (self.district, self.street, self.community, self.grid, self.micro_grid)
        with transaction() as tx:
            for code, name in zip(codes, names, strict=True):
                tx.put(Area.new(code, name, [("office", "社区居委会")] if code == self.community else []))

    def somebody(self, name: str = "居民") -> Neighbour:
        """Somebody who has logged in, and nothing more."""
        phone = f"{name}{random.randrange(10**9)}"
        self.wechat.add_person(phone, name, phone=f"138{random.randrange(10**8):08d}")
        neighbour = Neighbour(self, name, phone)
        assert neighbour.log_in().status == 200
        return neighbour

    def resident(self, name: str = "居民") -> Neighbour:
        """Somebody who has logged in, consented and says that they live in the micro-grid: as `somebody`, but written at
        once and told to nobody. Most of what a test does is making its people."""
        phone = f"{name}{random.randrange(10**9)}"
        known = self.wechat.add_person(phone, name, phone=f"138{random.randrange(10**8):08d}")
        self.wechat.open(phone)
        neighbour = Neighbour(self, name, phone)
        neighbour.id, now, version = ids.new_id("res"), clock.now(), auth.privacy().version
        vault.open_for(neighbour.id)
        resident, link = Resident.key(neighbour.id), OpenidLink.key(known["openid"])
        resident.nickname, resident.created_at = f"邻居{neighbour.id[-4:].upper()}", now
        resident.openid_sealed = vault.seal(neighbour.id, "openid", known["openid"])
        resident.consent_version, resident.consent_at = version, now
        resident.home, resident.home_state, resident.home_since = self.micro_grid, "waiting", now - SETTLED
        resident.area_key, resident.area_sort = f"RESIDENCE#{self.district}", f"{self.micro_grid}#{clock.stamp(now)}"
        link.resident_id = neighbour.id
        with transaction() as tx:
            tx.put(resident)
            tx.put(link)
        neighbour.token, _ = auth.issue(
            resident_id=neighbour.id, openid=known["openid"], session_version=0, consent=version, now=now
        )
        return neighbour

    def logged_in(self, name: str = "居民") -> Neighbour:
        """As `resident`, but by way of a login, for tests of what a login leaves behind."""
        neighbour = self.somebody(name)
        now, version = clock.now(), auth.privacy().version
        waiting = [Resident.home.set(self.micro_grid), Resident.home_state.set("waiting")]
        listed = [
            Resident.area_key.set(f"RESIDENCE#{self.district}"),
            Resident.area_sort.set(f"{self.micro_grid}#{clock.stamp(now)}"),
        ]
        with transaction() as tx:
            consented = [Resident.consent_version.set(version), Resident.consent_at.set(now)]
            tx.update(Resident.key(neighbour.id), [*consented, *waiting, *listed])
        known = neighbour.caller
        neighbour.token, _ = auth.issue(
            resident_id=known.id,
            openid=known.openid,
            session_version=0,
            consent=version,
            now=now,
            session=known.session,
        )
        return neighbour

    def staff(self, role: str, area: str | None = None, name: str = "工作人员") -> Neighbour:
        """A resident with a duty over the community, or another area."""
        neighbour = self.resident(name)
        duty = Duty.new(
            neighbour.id, role, area or self.community, from_at=clock.now(), until_at=None, granted_by="test"
        )
        with transaction() as tx:
            people.grant_duty(tx, duty)
        return neighbour

    @staticmethod
    def let_act(delegate: Neighbour, principal: Neighbour) -> None:
        """As after an invitation and its acceptance, but told to nobody."""
        delegation = Delegation.key(principal.id, delegate.id)
        delegation.since, delegation.delegate_name, delegation.principal_name = (
            clock.now(),
            delegate.name,
            principal.name,
        )
        delegation.person_key, delegation.person_sort = f"DELEGATE_OF#{delegate.id}", principal.id
        with transaction() as tx:
            active, person = Resident.state == "active", people.present(delegate.caller, now=clock.now())
            delegations.begin(tx, delegation, by=person, when=active, or_raise=Conflict())

    @staticmethod
    def end_duty(who: Neighbour, role: str, area: str) -> None:
        """As an administrator does; what follows by itself has not happened yet."""
        with transaction() as tx:
            people.end_duty(tx, Duty.key(who.id, role, area), now=clock.now())

    @staticmethod
    def pass_time(item: Item, now: datetime) -> None:
        """Run the timer of one item as the sweeper would at this time, if it is due then."""
        current = type(item).fetch(item.pk, item.sk)
        if current.due_at is not None and current.due_at <= now:
            timers._run(current, now)
