"""What administrators do, as commands they send to the `administer` function from the AWS console.

Paste one as a test event, e.g.

    {"command": "grant_duty", "resident_id": "res_…", "role": "grid_worker", "area": "330402010001001"}

Who did it is in CloudTrail; the function's request id joins it with the log line, which names the command and what
it was about. A command is checked as a whole before anything is written. Sending it again changes nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.areas import rules as area_rules
from chalicelib.areas import service as areas
from chalicelib.areas.rules import AreaCode
from chalicelib.kit import clock, log
from chalicelib.kit.errors import Invalid, Problem
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident

Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S")]
ResidentId = Annotated[str, Meta(min_length=1, max_length=64)]


class CommandInvalid(Invalid):
    code, detail = "command_invalid", "命令写得不对，请对照说明改正。"


class _Command(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="command"):
    pass


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    id: Annotated[str, Meta(min_length=1, max_length=40, pattern="^[a-z0-9-]+$")]
    name: Name


class AreaRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: AreaCode
    name: Name
    drop_points: list[Place] = []


class PutAreas(_Command, frozen=True, tag="put_areas"):
    """Add areas or change their names and drop points; larger ones first or already there."""

    areas: Annotated[list[AreaRow], Meta(min_length=1, max_length=500)]


class GrantDuty(_Command, frozen=True, tag="grant_duty"):
    """Give a resident a role over an area. They find their id in the mini-program under 我的."""

    resident_id: ResidentId
    role: people_rules.Role
    area: AreaCode
    until_at: Annotated[datetime, Meta(tz=True)] | None = None


class EndDuty(_Command, frozen=True, tag="end_duty"):
    """Take a duty from a resident, from now on."""

    resident_id: ResidentId
    role: people_rules.Role
    area: AreaCode


Command = PutAreas | GrantDuty | EndDuty


def administer(event: Any, *, request_id: str, now: datetime) -> dict[str, Any]:
    """Carry out one command. The answer says in Chinese what was done, or why not."""
    try:
        command = _understand(event)
        done = _HANDLERS[type(command)](command, request_id, now)
    except Problem as problem:
        log.logger.info("administer", extra={"code": problem.code})
        fields = problem.fields if isinstance(problem, Invalid) else {}
        return {"ok": False, "code": problem.code, "detail": problem.detail, "fields": fields}
    log.logger.info("administer", extra={"code": "ok", "audit": 1, **_about(command)})
    return {"ok": True, "detail": done}


def _about(command: Command) -> dict[str, Any]:
    """What the log keeps of a command: ids, codes and counts."""
    name = _config(type(command)).tag
    if isinstance(command, PutAreas):
        return {"command": name, "areas": len(command.areas)}
    return {"command": name, "resident": command.resident_id, "role": command.role, "area": command.area}


def _understand(event: Any) -> Command:
    try:
        command: Command = msgspec.convert(event, Command)
        return command
    except msgspec.ValidationError as error:
        raise CommandInvalid(fields=_what_is_wrong(event)) from error


def _what_is_wrong(event: Any) -> dict[str, str]:
    if not isinstance(event, dict):
        return {"": "应为一组内容"}
    shapes = {_config(shape).tag: shape for shape in _HANDLERS}
    shape = shapes.get(event.get("command")) if isinstance(event.get("command"), str) else None
    if shape is None:
        return {"command": f"可用的命令：{'、'.join(shapes)}"}
    from chalicelib.kit import explain  # only a wrong command pays for the explanation

    return explain.wrong_fields({name: event[name] for name in event if name != "command"}, shape, strict=True)


def _config(shape: type[Any]) -> Any:
    return shape.__struct_config__


def _put_areas(command: PutAreas, request_id: str, now: datetime) -> str:
    given = {row.code for row in command.areas}
    if len(given) < len(command.areas):
        raise CommandInvalid(fields={"areas": "同一个编码出现了两次"})
    for row in command.areas:
        parent = area_rules.parent(row.code) if area_rules.well_formed(row.code) else None
        if parent is None:
            raise area_rules.AreaUnknown(fields={row.code: "编码应为 6、9、12、15 或 18 位数字"})
        if parent and parent not in given:
            _must_exist(parent, field=row.code, missing=f"没有上级区域 {parent}，请一起保存")
    for row in sorted(command.areas, key=lambda row: len(row.code)):
        areas.put(row.code, row.name, [(place.id, place.name) for place in row.drop_points])
    return f"已保存 {len(command.areas)} 个区域。"


def _grant_duty(command: GrantDuty, request_id: str, now: datetime) -> str:
    _must_exist(command.area, field="area", missing="没有找到")
    place = areas.full_name(command.area)
    if command.until_at is not None and command.until_at <= now:
        raise CommandInvalid(fields={"until_at": "应晚于现在"})
    resident = _resident(command.resident_id)
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


def _end_duty(command: EndDuty, request_id: str, now: datetime) -> str:
    place, role = areas.full_name(command.area), people_rules.ROLE_NAMES[command.role]
    resident = _resident(command.resident_id)
    with transaction() as tx:
        people.end_duty(tx, Duty.key(resident.id, command.role, command.area), now=now)
        notices.tell(tx, resident.id, "duty_ended", about=resident.id, now=now, role=role, place=place)
    return f"{resident.nickname} 不再是{place}的{role}。"


def _must_exist(area: str, *, field: str, missing: str) -> None:
    try:
        areas.get(area)
    except area_rules.AreaUnknown:
        raise area_rules.AreaUnknown(detail="没有这个区域，请核对编码。", fields={field: missing}) from None


def _resident(resident_id: str) -> Resident:
    resident = people.find(resident_id)
    if resident is None or resident.state != "active":
        raise Invalid("resident_unknown", "没有这位居民，或者账号已经注销。", {"resident_id": "没有找到"})
    return resident


_HANDLERS: dict[type[Any], Callable[[Any, str, datetime], str]] = {
    PutAreas: _put_areas,
    GrantDuty: _grant_duty,
    EndDuty: _end_duty,
}
