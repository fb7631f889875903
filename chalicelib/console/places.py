"""Administrators' commands about areas, and who works where."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.areas.rules import AreaCode
from chalicelib.console.command import (
    Call,
    Command,
    CommandInvalid,
    Name,
    ResidentId,
    active_resident,
    area_must_exist,
)
from chalicelib.kit import clock
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Duty


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[a-z0-9-]+\Z")]
    name: Name


class AreaRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: AreaCode
    name: Name
    drop_points: list[Place] = []
    rename: bool = False


class PutAreas(Command, frozen=True, tag="put_areas"):
    """Add areas or change their drop points; larger ones first or already there. A name changes only with `rename`."""

    areas: Annotated[list[AreaRow], Meta(min_length=1, max_length=500)]

    @property
    def about(self) -> dict[str, Any]:
        return {"areas": len(self.areas)}


class GrantDuty(Command, frozen=True, tag="grant_duty"):
    """Give a resident a role over an area. They find their id in the mini-program under 我的."""

    resident_id: ResidentId
    role: people_rules.Role
    area: AreaCode
    until_at: Annotated[datetime, Meta(tz=True)] | None = None

    @property
    def about(self) -> dict[str, Any]:
        return {"resident": self.resident_id, "role": self.role, "area": self.area}


class EndDuty(Command, frozen=True, tag="end_duty"):
    """Take a duty from a resident, from now on."""

    resident_id: ResidentId
    role: people_rules.Role
    area: AreaCode

    @property
    def about(self) -> dict[str, Any]:
        return {"resident": self.resident_id, "role": self.role, "area": self.area}


def put_areas(command: PutAreas, call: Call) -> str:
    given = {row.code for row in command.areas}
    if len(given) < len(command.areas):
        raise CommandInvalid(fields={"areas": "同一个编码出现了两次"})
    for row in command.areas:
        parent = area_rules.parent(row.code) if area_rules.well_formed(row.code) else None
        if parent is None:
            raise area_rules.AreaUnknown(fields={row.code: "编码应为 6、9、12、15 或 18 位数字"})
        if parent and parent not in given:
            area_must_exist(parent, field=row.code, missing=f"没有上级区域 {parent}，请一起保存")
    _refuse_renaming(command.areas)
    for row in sorted(command.areas, key=lambda row: len(row.code)):
        places = [(place.id, place.name) for place in row.drop_points]
        areas.put(row.code, row.name, places, rename=row.rename)
    return f"已保存 {len(command.areas)} 个区域。"


def _refuse_renaming(rows: Sequence[AreaRow]) -> None:
    called = areas.names(row.code for row in rows if not row.rename)
    other = {
        row.code: f'这个编码现在是“{called[row.code]}”，不是“{row.name}”。真要改名，请在这一行加上 "rename": true'
        for row in rows
        if called.get(row.code, row.name) != row.name
    }
    if other:
        raise CommandInvalid(fields=other)


def grant_duty(command: GrantDuty, call: Call) -> str:
    request_id, now = call.request_id, call.now
    area_must_exist(command.area)
    place = areas.full_name(command.area)
    if command.until_at is not None and command.until_at <= now:
        raise CommandInvalid(fields={"until_at": "应晚于现在"})
    resident = active_resident(command.resident_id)
    duty = Duty.new(
        resident.id, command.role, command.area, from_at=now, until_at=command.until_at, granted_by=request_id
    )
    role = people_rules.ROLE_NAMES[command.role]
    held = Duty.find(duty.pk, duty.sk)
    if held is not None and people_rules.in_force(held, now):
        duty.from_at = held.from_at  # only the end changes, if anything
    if held is None or (held.from_at, held.until_at) != (duty.from_at, duty.until_at):
        with transaction() as tx:
            people.grant_duty(tx, duty)
            notices.tell(tx, resident.id, "duty_given", about=resident.id, now=now, role=role, place=place)
    until = f"，到 {clock.spoken(command.until_at)} 为止" if command.until_at else ""
    return f"{resident.nickname} 现在是{place}的{role}{until}。"


def end_duty(command: EndDuty, call: Call) -> str:
    now = call.now
    place, role = areas.full_name(command.area), people_rules.ROLE_NAMES[command.role]
    resident = active_resident(command.resident_id)
    with transaction() as tx:
        people.end_duty(tx, Duty.key(resident.id, command.role, command.area), now=now)
        notices.tell(tx, resident.id, "duty_ended", about=resident.id, now=now, role=role, place=place)
    return f"{resident.nickname} 不再是{place}的{role}。"


HANDLERS: dict[type[Command], Any] = {PutAreas: put_areas, GrantDuty: grant_duty, EndDuty: end_duty}
