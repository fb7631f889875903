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
from chalicelib.console import mall
from chalicelib.console.command import Call, CommandInvalid, Report
from chalicelib.console.command import Command as _Command
from chalicelib.kit import clock, log
from chalicelib.kit.errors import Invalid, Problem
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Duty, Resident
from chalicelib.points import audit, reversal
from chalicelib.points import service as points
from chalicelib.points.rules import RuleId
from chalicelib.points.service import Correction

Name = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"\S")]
ResidentId = Annotated[str, Meta(min_length=1, max_length=64)]


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


class Audit(_Command, frozen=True, tag="audit"):
    """Compare every balance with the transfers now, as every night. Send it again while it is not finished."""


class CorrectPoints(_Command, frozen=True, tag="correct_points"):
    """Take back what one transfer gave, e.g. `help:offer_…`. The resident reads the reason in statement and inbox."""

    resident_id: ResidentId
    transfer: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    reason: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S")]


class ReversePoints(_Command, frozen=True, tag="reverse_points"):
    """Take back what a rule gave in a period. First with `dry_run`, and the rule switched off before."""

    rule: RuleId
    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)]
    dry_run: bool = True


Command = PutAreas | GrantDuty | EndDuty | Audit | CorrectPoints | ReversePoints | mall.Commands


def administer(
    event: Any, *, request_id: str, now: datetime, seconds_left: Callable[[], float] = lambda: 30.0
) -> dict[str, Any]:
    """Carry out one command. The answer says in Chinese what was done, or why not."""
    try:
        command = _understand(event)
        done = _HANDLERS[type(command)](command, Call(request_id, now, seconds_left))
    except Problem as problem:
        log.logger.info("administer", extra={"code": problem.code})
        fields = problem.fields if isinstance(problem, Invalid) else {}
        return {"ok": False, "code": problem.code, "detail": problem.detail, "fields": fields}
    log.logger.info("administer", extra={"code": "ok", "audit": 1, **_about(command)})
    if isinstance(done, Report):
        return {"ok": True, "detail": done.detail, "report": done.figures}
    return {"ok": True, "detail": done}


def _about(command: Command) -> dict[str, Any]:
    """What the log keeps of a command: ids, codes and counts."""
    name = _config(type(command)).tag
    if isinstance(command, PutAreas):
        return {"command": name, "areas": len(command.areas)}
    if isinstance(command, Audit):
        return {"command": name}
    if isinstance(command, mall.Commands):
        return {"command": name, **mall.about(command)}
    if isinstance(command, CorrectPoints):
        return {"command": name, "resident": command.resident_id, "transfer": command.transfer}
    if isinstance(command, ReversePoints):
        return {"command": name, "rule": command.rule, "dry_run": command.dry_run}
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


def _put_areas(command: PutAreas, call: Call) -> str:
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


def _grant_duty(command: GrantDuty, call: Call) -> str:
    request_id, now = call.request_id, call.now
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


def _end_duty(command: EndDuty, call: Call) -> str:
    now = call.now
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


def _audit(command: Audit, call: Call) -> Report | str:
    report = audit.run(now=call.now, seconds_left=call.seconds_left)
    if report is None:
        return "对账还没有做完，请再发一次同样的命令。"
    names = ("residents", "issued", "spent", "lapsed", "held", "wrong")
    figures: dict[str, Any] = {name: int(getattr(report, name)) for name in names}
    figures["mismatches"] = audit.mismatches(report.sk.removeprefix(report.PREFIX)) if report.wrong else {}
    adds_up = figures["issued"] == figures["held"] + figures["spent"] + figures["lapsed"]
    if adds_up and not figures["wrong"]:
        return Report(f"已核对 {figures['residents']} 位居民的积分，账目全部相符。", figures)
    return Report(f"已核对 {figures['residents']} 位居民的积分，{figures['wrong']} 位账目不符，请逐一查看。", figures)


def _correct_points(command: CorrectPoints, call: Call) -> str:
    resident = _resident(command.resident_id)
    why = command.reason.strip().rstrip("。")

    def correct() -> Correction:
        with transaction() as tx:
            done = points.correct(tx, resident.id, transfer_id=command.transfer, reason=f"更正：{why}", now=call.now)
            if done.taken:
                facts = {"what": done.what, "points": f"{done.taken}", "why": why}
                notices.tell(tx, resident.id, "points_corrected", about=resident.id, now=call.now, **facts)
        return done

    done = points.settled(correct)
    short = f"另有 {done.missing} 分已被花掉，没有收回，已记下来。" if done.missing else ""
    return f"已收回 {resident.nickname} 因“{done.what}”得到的 {done.taken} 分。{short}"


def _reverse_points(command: ReversePoints, call: Call) -> Report:
    if command.until <= command.since:
        raise CommandInvalid(fields={"until": "应晚于 since"})
    if command.until - command.since > reversal.LONGEST:
        raise CommandInvalid(fields={"until": f"与 since 最多相差 {reversal.LONGEST.days} 天"})
    done = reversal.reverse(
        rule=command.rule,
        since=command.since,
        until=command.until,
        dry_run=command.dry_run,
        now=call.now,
        seconds_left=call.seconds_left,
    )
    said = "试算：将更正" if command.dry_run else "已更正"
    rest = "" if done.finished else "还没有做完，请再发一次同样的命令。"
    short = f"另有 {done.missing} 分已被花掉，没有收回，见名单。" if done.missing else ""
    detail = f"{said} {done.residents} 位居民的 {done.transfers} 笔、共 {done.points} 分。{short}{rest}"
    return Report(detail, msgspec.to_builtins(done))


def _resident(resident_id: str) -> Resident:
    resident = people.find(resident_id)
    if resident is None or resident.state != "active":
        raise Invalid("resident_unknown", "没有这位居民，或者账号已经注销。", {"resident_id": "没有找到"})
    return resident


_HANDLERS: dict[type[Any], Callable[[Any, Call], str | Report]] = {
    PutAreas: _put_areas,
    GrantDuty: _grant_duty,
    EndDuty: _end_duty,
    Audit: _audit,
    CorrectPoints: _correct_points,
    ReversePoints: _reverse_points,
    **mall.HANDLERS,
}
