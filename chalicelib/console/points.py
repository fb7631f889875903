"""Administrators' commands about points: proof, and taking back what should not have been given."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chalicelib.console.command import Call, Command, CommandInvalid, Report, ResidentId, active_resident
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.points import audit as books_audit
from chalicelib.points import reversal
from chalicelib.points import service as points
from chalicelib.points.rules import RuleId
from chalicelib.points.service import Correction


class Audit(Command, frozen=True, tag="audit"):
    """Compare every balance with the transfers now, as every night. Send it again while it is not finished."""


class CorrectPoints(Command, frozen=True, tag="correct_points"):
    """Take back what one transfer gave, e.g. `help:offer_…`. The resident reads the reason in statement and inbox."""

    resident_id: ResidentId
    transfer: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
    reason: Annotated[str, Meta(min_length=1, max_length=60, pattern=r"\S")]

    @property
    def about(self) -> dict[str, Any]:
        return {"resident": self.resident_id, "transfer": self.transfer}


class ReversePoints(Command, frozen=True, tag="reverse_points"):
    """Take back what a rule gave in a period. First with `dry_run`, and the rule switched off before."""

    rule: RuleId
    since: Annotated[datetime, Meta(tz=True)]
    until: Annotated[datetime, Meta(tz=True)]
    dry_run: bool = True

    @property
    def about(self) -> dict[str, Any]:
        return {"rule": self.rule, "dry_run": self.dry_run}


def audit(command: Audit, call: Call) -> Report | str:
    report = books_audit.run(now=call.now, seconds_left=call.seconds_left)
    if report is None:
        return "对账还没有做完，请再发一次同样的命令。"
    names = ("residents", "issued", "spent", "lapsed", "held", "wrong")
    figures: dict[str, Any] = {name: int(getattr(report, name)) for name in names}
    figures["mismatches"] = books_audit.mismatches(report.sk.removeprefix(report.PREFIX)) if report.wrong else {}
    adds_up = figures["issued"] == figures["held"] + figures["spent"] + figures["lapsed"]
    if adds_up and not figures["wrong"]:
        return Report(f"已核对 {figures['residents']} 位居民的积分，账目全部相符。", figures)
    return Report(f"已核对 {figures['residents']} 位居民的积分，{figures['wrong']} 处账目不符，请逐一查看。", figures)


def correct_points(command: CorrectPoints, call: Call) -> str:
    resident = active_resident(command.resident_id)
    why = command.reason.strip().rstrip("。")

    @points.settled
    def correct() -> Correction:
        with transaction() as tx:
            done = points.correct(tx, resident.id, transfer_id=command.transfer, reason=f"更正：{why}", now=call.now)
            if done.taken:
                facts = {"what": done.what, "points": f"{done.taken}", "why": why}
                notices.tell(tx, resident.id, "points_corrected", about=resident.id, now=call.now, **facts)
        return done

    done = correct()
    short = f"另有 {done.missing} 分已被花掉，没有收回，已记下来。" if done.missing else ""
    return f"已收回 {resident.nickname} 因“{done.what}”得到的 {done.taken} 分。{short}"


def reverse_points(command: ReversePoints, call: Call) -> Report:
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


HANDLERS: dict[type[Command], Any] = {Audit: audit, CorrectPoints: correct_points, ReversePoints: reverse_points}
