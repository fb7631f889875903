"""Where a story of the proof is played: a district of its own with three residents, four staff and three products.

Everything that acts is the code itself against the engine, with the story's own time.
"""

from __future__ import annotations

import json
import random
import secrets
from datetime import datetime, timedelta
from typing import Any

from chalicelib.areas.models import Area
from chalicelib.entitlements import rules as entitlements
from chalicelib.entitlements import service as entitlements_service
from chalicelib.kit import auth, clock, ids, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.transaction import transaction
from chalicelib.mall import products
from chalicelib.mall.products import Terms
from chalicelib.mall.rules import COUNTS_AFTER_CLOSING, Desk
from chalicelib.people import service as people
from chalicelib.people.models import Duty, OpenidLink, Resident
from tests.mall import model
from tests.mall.model import Goods

QUIZ = "masks"


class Street:
    """Chen and Wang live in the first community's micro-grid, Li somewhere in the second. Wang is also on its staff."""

    def __init__(self, now: datetime) -> None:
        self.district = f"{random.randrange(100_000, 1_000_000)}"
        self.here, self.there = f"{self.district}001001", f"{self.district}001002"
        self.grid = f"{self.here}001"
        self._areas()
        version = auth.privacy().version
        self.callers: dict[str, Caller] = {}
        self.homes = {self._resident(home, version, now): home for home in (f"{self.grid}001",) * 2 + (self.there,)}
        self.residents = list(self.homes)
        self.duties: dict[str, set[str]] = {}
        self.clerks = [self._staff("desk_clerk", area, version, now) for area in (self.here, self.there)]
        self.workers = [self._staff("grid_worker", area, version, now) for area in (self.grid, f"{self.there}001")]
        wang = self.residents[1]
        self._grant(wang, "desk_clerk", self.here, now)
        self._grant(wang, "grid_worker", self.grid, now)
        self.clerks.append(wang)
        self.workers.append(wang)

    def _areas(self) -> None:
        first = f"{self.grid}001"
        with transaction() as tx:
            for length in (6, 9, 12, 15, 18):
                tx.put(Area.new(first[:length], "桂苑"))
            tx.put(Area.new(self.there, "梅苑"))

    def _resident(self, home: str, version: str, now: datetime) -> str:
        openid = secrets.token_hex(12)
        resident = Resident.key(ids.new_id("res"))
        vault.open_for(resident.id)
        resident.nickname, resident.created_at, resident.consent_at = "居民", now, now
        resident.openid_sealed = vault.seal(resident.id, "openid", openid)
        resident.consent_version, resident.home, resident.home_state = version, home, "confirmed"
        link = OpenidLink.key(openid)
        link.resident_id = resident.id
        with transaction() as tx:
            tx.create(resident, or_raise=Conflict())
            tx.create(link, or_raise=Conflict())
        self._call(resident.id, openid, version)
        return resident.id

    def _staff(self, role: str, area: str, version: str, now: datetime) -> str:
        worker = Resident.key(ids.new_id("res"))
        worker.nickname, worker.created_at, worker.consent_version = "工作人员", now, version
        with transaction() as tx:
            tx.create(worker, or_raise=Conflict())
        self._call(worker.id, "nobody", version)
        self._grant(worker.id, role, area, now)
        return worker.id

    def _grant(self, who: str, role: str, area: str, now: datetime) -> None:
        with transaction() as tx:
            people.grant_duty(tx, Duty.new(who, role, area, from_at=now, until_at=None, granted_by="proof"))
        self.duties.setdefault(who, set()).add(area)

    def _call(self, who: str, openid: str, version: str) -> None:
        self.callers[who] = Caller(who, openid, "session", 0, version)

    def mall(self, now: datetime) -> dict[str, Goods]:
        """Rice in one bucket with a cap a month; oil in four, also delivered; masks in a campaign after a quiz."""
        here, there = f"{self.here}-office", f"{self.there}-office"
        opens, closes = now + timedelta(hours=2), now + timedelta(days=3)
        counts_until = clock.day(closes + COUNTS_AFTER_CLOSING)
        both = {here: self.here, there: self.there}
        rice = Goods(model.Terms(3, 4), self.district, {here: self.here}, collect_days=2)
        oil = Goods(model.Terms(2), self.district, both, delivers=True, collect_days=1)
        masks = Goods(model.Terms(1, 5, closes_at=closes), self.here, {here: self.here}, opens_at=opens)
        masks.counts_until, masks.quiz = counts_until, QUIZ
        made: dict[str, Goods] = {}
        for name, goods in (("rice", rice), ("oil", oil), ("masks", masks)):
            product_id = f"{name}-{secrets.token_hex(6)}"
            made[product_id] = goods
            buckets = 1 if name == "rice" else 4
            products.save(product_id, self.terms(goods, made), buckets=buckets, by="proof", now=now)
        return made

    def terms(self, goods: Goods, made: dict[str, Goods]) -> Terms:
        """As the administrator's command gives them to the mall."""
        return Terms(
            name="货",
            text="",
            unit="件",
            price=goods.terms.price,
            area=goods.area,
            desks=[Desk(area, "office", "社区居委会") for area in goods.desks.values()],
            delivers=goods.delivers,
            collect_days=goods.collect_days,
            cap=goods.terms.cap,
            state=goods.terms.state,
            campaign_of=next(iter(made)) if goods.quiz else None,
            opens_at=goods.opens_at,
            closes_at=goods.terms.closes_at,
            quiz=goods.quiz,
        )

    def attempt(self, who: str, act: str, content: Any, key: str) -> Attempt:
        return Attempt(who, act, json.dumps(content).encode(), key)

    @staticmethod
    def pass_quiz(who: str, now: datetime) -> None:
        with transaction() as tx:
            entitlements_service.grant(tx, who, entitlements.of_quiz(QUIZ), why="通过了答题", now=now)
