"""What is in the mall, how much of it there is, and who redeemed what.

A product's stock lies in buckets with partition keys of their own, because one partition of DynamoDB takes 1,000 write
units a second (docs/ledger.md).
"""

from __future__ import annotations

import msgspec
from pynamodb.attributes import BooleanAttribute, JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.areas import rules as areas
from chalicelib.kit import clock
from chalicelib.kit.attempt import Remembers
from chalicelib.kit.table import Action, InstantAttribute, Item
from chalicelib.mall import rules
from chalicelib.mall.rules import Counts, Desk


class Product(Remembers, discriminator="product"):
    """`MALL#<product id>` / `PRODUCT`: what points are exchanged for; a campaign is one for a time, with its own stock.

    by_area: `MALL#<district>` / `<opening or creation time>#<product id>` while it is open.
    """

    name = UnicodeAttribute()
    text = UnicodeAttribute(default="")
    unit = UnicodeAttribute()
    price = NumberAttribute()  # points a piece
    area = UnicodeAttribute()  # whose residents may redeem it
    desks = JSONAttribute()  # list of rules.Desk
    delivers = BooleanAttribute(default=False)
    collect_days = NumberAttribute()
    cap = NumberAttribute(null=True)  # pieces for one resident, in a month or in the campaign
    campaign_of = UnicodeAttribute(null=True)  # the product whose campaign this is
    opens_at = InstantAttribute(null=True)
    closes_at = InstantAttribute(null=True)
    counts_until = UnicodeAttribute(null=True)  # the day up to which what was taken in a campaign counts; fixed
    quiz = UnicodeAttribute(null=True)  # that must have been passed
    state = UnicodeAttribute(default="open")  # open | closed
    terms = NumberAttribute(default=1)  # version of all of the above; the buckets know which one is in force
    buckets = NumberAttribute()  # fixed for ever
    level = UnicodeAttribute(default="none")  # plenty | few | none: for the catalogue, some seconds old
    level_seen = NumberAttribute(default=-1)  # the sum of the buckets' moves when the level was looked at
    photos = NumberAttribute(default=0)
    picture = UnicodeAttribute(null=True)  # id of the photo that the catalogue shows
    created_at = InstantAttribute()

    @classmethod
    def key(cls, product_id: str) -> Product:
        return cls(f"MALL#{product_id}", "PRODUCT")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("MALL#")

    @property
    def places(self) -> list[Desk]:
        return msgspec.convert(self.desks, list[Desk])

    @property
    def cap_period(self) -> rules.CapPeriod:
        return "campaign" if self.campaign_of else "month"

    @staticmethod
    def listed(district: str) -> str:
        return f"MALL#{district}"

    def list_it(self) -> None:
        self.area_key = self.listed(areas.district(self.area))
        self.area_sort = f"{clock.stamp(self.opens_at or self.created_at)}#{self.id}"

    def unlist(self) -> None:
        self.area_key = self.area_sort = None


class StockBucket(Item, discriminator="stock_bucket"):
    """`STOCK#<product id>#<number>` / `STOCK`: a part of a product's stock. received = left + reserved + handed_out."""

    received = NumberAttribute(default=0)
    left = NumberAttribute(default=0)
    reserved = NumberAttribute(default=0)
    handed_out = NumberAttribute(default=0)
    terms = NumberAttribute()  # no older version of the product's is in force: who read one must read again
    moves = NumberAttribute(default=0)  # how often it has changed

    @classmethod
    def key(cls, product_id: str, number: int) -> StockBucket:
        return cls(f"STOCK#{product_id}#{number}", "STOCK")

    @property
    def product_id(self) -> str:
        return self.pk.split("#")[1]

    @property
    def number(self) -> int:
        return int(self.pk.rpartition("#")[2])

    @property
    def counts(self) -> Counts:
        return Counts(int(self.received), int(self.left), int(self.reserved), int(self.handed_out))


class StockMovement(Item, discriminator="stock_movement"):
    """`MALL#<product id>` / `RECEIPT#<receipt>`: goods that came in or were taken out, once for ever by their receipt."""

    PREFIX = "RECEIPT#"

    change = NumberAttribute()
    reason = UnicodeAttribute()
    by = UnicodeAttribute()  # the AWS request of the administrator's command
    at = InstantAttribute()

    @classmethod
    def key(cls, product_id: str, receipt: str) -> StockMovement:
        return cls(f"MALL#{product_id}", f"{cls.PREFIX}{receipt}")

    @property
    def receipt(self) -> str:
        return self.sk.removeprefix(self.PREFIX)


class TermsChange(Item, discriminator="terms_change"):
    """`MALL#<product id>` / `TERMS#<version>`: what a product's terms were from a time on, and by whose command.

    by_area: `MALL_PRODUCTS` / `<product id>`: the audit's way through all products, only by the very first terms of each.
    """

    LISTED = "MALL_PRODUCTS"

    document = JSONAttribute()
    by = UnicodeAttribute()  # the AWS request of the administrator's command
    at = InstantAttribute()

    @classmethod
    def key(cls, product_id: str, version: int) -> TermsChange:
        made = cls(f"MALL#{product_id}", f"TERMS#{version:06d}")
        if version == 1:
            made.area_key, made.area_sort = cls.LISTED, product_id
        return made

    @property
    def product_id(self) -> str:
        return self.pk.removeprefix("MALL#")


class Redemption(Remembers, discriminator="redemption"):
    """`REDEMPTION#<redemption id>` / `REDEMPTION`: goods that a resident gave points for.

    by_person: `REDEMPTIONS_OF#<resident>` / `<time>#<redemption id>`.
    by_area: `MALL_CODE#<code>` / `<time>` for a desk, `MALL_DELIVER#<grid>` / `<micro-grid>#<time>#<redemption id>` for
        delivery, both while it is reserved; a desk's code stays, so that a used one is told from a wrong one.
    by_due: timers `mall.announce`, `mall.remind` and `mall.expire`.
    """

    state = UnicodeAttribute()
    product_id = UnicodeAttribute()
    name = UnicodeAttribute()  # the product's, as it was
    unit = UnicodeAttribute()
    quantity = NumberAttribute()
    cost = NumberAttribute()  # points, for all of it
    resident = UnicodeAttribute()
    by = UnicodeAttribute(null=True)  # the delegate who redeemed
    desk_area = UnicodeAttribute(null=True)  # None: it is delivered
    desk_name = UnicodeAttribute(null=True)
    home = UnicodeAttribute(null=True)  # where it is delivered
    code = UnicodeAttribute()  # whoever shows it gets the goods
    taken = JSONAttribute()  # {bucket number: pieces}
    counts_until = UnicodeAttribute()  # the day of the cap's period it counts in
    collect_by = InstantAttribute()
    created_at = InstantAttribute()
    ended_at = InstantAttribute(null=True)
    ended_by = UnicodeAttribute(null=True)  # the staff member who handed it over
    without_code = UnicodeAttribute(null=True)  # why it was delivered without the code

    @classmethod
    def key(cls, redemption_id: str) -> Redemption:
        return cls(f"REDEMPTION#{redemption_id}", "REDEMPTION")

    @property
    def id(self) -> str:
        return self.pk.removeprefix("REDEMPTION#")

    @property
    def how(self) -> rules.How:
        return "desk" if self.desk_area else "delivery"

    @property
    def fact(self) -> str:
        """The business fact by which its points move, once for ever."""
        return rules.fact(self.id)

    @property
    def taken_from(self) -> dict[int, int]:
        """How many pieces came from which bucket."""
        return {int(number): pieces for number, pieces in self.taken.items()}

    @taken_from.setter
    def taken_from(self, picked: dict[int, int]) -> None:
        self.taken = {f"{number}": pieces for number, pieces in picked.items()}

    def list_it(self) -> None:
        time = clock.stamp(self.created_at)
        self.person_key, self.person_sort = self.of(self.resident), f"{time}#{self.id}"
        if self.desk_area:
            self.area_key, self.area_sort = self.with_code(self.code), time
        else:
            home = self.home or ""
            self.area_key = self.to_deliver(areas.at_level(home, "grid") or home)
            self.area_sort = f"{home}#{time}#{self.id}"

    def unlist(self) -> list[Action]:
        """Off the list of deliveries. A code stays to be found: it is used, and not wrong."""
        return [] if self.desk_area else Redemption.set(area_key=None, area_sort=None)

    @staticmethod
    def of(resident_id: str) -> str:
        return f"REDEMPTIONS_OF#{resident_id}"

    @staticmethod
    def with_code(code: str) -> str:
        return f"MALL_CODE#{code}"

    @staticmethod
    def to_deliver(grid: str) -> str:
        return f"MALL_DELIVER#{grid}"
