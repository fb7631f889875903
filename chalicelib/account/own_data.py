"""The copy of all my data: JSON for programs, a page for people, fetched by a link that soon ends."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.account import rules
from chalicelib.account.models import DataCopy
from chalicelib.areas import service as areas
from chalicelib.kit import aws, clock, ids, limits, timers
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people import followers, lookups, personal_data
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people
from chalicelib.people.models import Delegation, Duty, Resident, partition

_STYLE = "body{font:18px/1.7 sans-serif;max-width:44em;margin:2em auto;padding:0 1em}td{padding:.2em 1em .2em 0;vertical-align:top}"
_VIEWPORT = '<meta name=viewport content="width=device-width">'  # or a phone shows it a third as large
_JSON, _PAGE = "data.json", "data.html"


class Superseded(Conflict):
    """The copy being prepared is not wanted any more."""


def ask(*, caller: Caller, attempt: Attempt, now: datetime) -> DataCopy:
    """Have a copy of my data prepared; a message says when it is ready, usually within two minutes."""
    person = people.present(caller, now=now, needs_consent=False)
    current = DataCopy.find(partition(person.id), "COPY")
    if current and (attempt.made(current) or current.state == "preparing"):
        return current
    copy = DataCopy.key(person.id)
    copy.state, copy.folder, copy.asked_at, copy.marks = "preparing", ids.new_id("copy"), now, attempt.marks()
    timers.start(copy, "account.copy", now)
    with person.acting() as tx:
        tx.put(copy)
        limits.spend(tx, person.id, "copy", at_most=rules.COPIES_A_DAY, per=timedelta(days=1), now=now)
    return copy


@timers.on("account.copy")
def prepare(copy: DataCopy, *, now: datetime) -> None:
    """Timer: write both forms to S3 and tell the resident."""
    current = DataCopy.find(copy.pk, copy.sk)
    if current is None or current.state != "preparing" or current.folder != copy.folder:
        return
    data = collect(copy.resident_id)
    _store(copy.folder, _JSON, json.dumps(data, ensure_ascii=False, indent=2), "application/json")
    _store(copy.folder, _PAGE, as_page(data), "text/html; charset=utf-8")
    try:
        with transaction() as tx:
            tx.update(
                current,
                [
                    *DataCopy.set(state="ready", ready_at=now, expires_at=int((now + rules.COPY_LIFE).timestamp())),
                    *timers.stop(),
                ],
                when=(DataCopy.state == "preparing") & (DataCopy.folder == copy.folder),
                or_raise=Superseded(),
            )
            notices.tell(tx, copy.resident_id, "copy_ready", about=copy.resident_id, now=now)
    except Superseded:
        _delete_files(copy.folder)  # the account was closed meanwhile


def destroy(resident_id: str) -> None:
    """Delete the latest copy with its files. Earlier ones have no links left, and S3 removes them within a day."""
    copy = DataCopy.find(partition(resident_id), "COPY")
    if copy is not None:
        _delete_files(copy.folder)
        with transaction() as tx:
            tx.delete(copy)


def collect(resident_id: str) -> dict[str, list[dict[str, Any]]]:
    """Everything kept about somebody, by Chinese section titles: of every slice that holds something."""
    return {title: list(export(resident_id)) for title, export in personal_data.sections.items()}


class Links(msgspec.Struct, frozen=True):
    json: str | None = None
    page: str | None = None


def links(*, caller: Caller, now: datetime) -> tuple[DataCopy, Links]:
    """My latest copy, and links to it that end after ten minutes. Only for the one whose data it is."""
    person = people.present(caller, now=now, needs_consent=False)
    copy = DataCopy.find(partition(person.id), "COPY")
    if copy is None or (copy.expires_at is not None and copy.expires_at <= now.timestamp()):
        raise rules.NoCopy()
    return copy, Links(_link(copy.folder, _JSON), _link(copy.folder, _PAGE)) if copy.ready_at else Links()


def as_page(data: dict[str, list[dict[str, Any]]]) -> str:
    """The data as a plain page. Every text is escaped: residents wrote it."""
    parts = [
        f"<!doctype html><html lang=zh-CN><meta charset=utf-8>{_VIEWPORT}<title>我的资料</title><style>{_STYLE}</style>"
    ]
    parts.append("<h1>微嘉园：我的资料</h1>")
    for title, entries in data.items():
        parts.append(f"<h2>{html.escape(title)}（{len(entries)}）</h2>")
        for entry in entries:
            rows = "".join(
                f"<tr><td>{html.escape(str(name))}</td><td>{html.escape(str(value))}</td></tr>"
                for name, value in entry.items()
            )
            parts.append(f"<table>{rows}</table><hr>")
    return "\n".join(parts) + "</html>"


def _store(folder: str, name: str, text: str, content_type: str) -> None:
    aws.client("s3").put_object(
        Bucket=os.environ["MEDIA_BUCKET"],
        Key=f"copies/{folder}/{name}",
        Body=text.encode(),
        ContentType=content_type,
        ContentDisposition=f'attachment; filename="{name}"',
    )


def _delete_files(folder: str) -> None:
    for name in (_JSON, _PAGE):
        aws.client("s3").delete_object(Bucket=os.environ["MEDIA_BUCKET"], Key=f"copies/{folder}/{name}")


def _link(folder: str, name: str) -> str:
    link: str = aws.client("s3").generate_presigned_url(
        "get_object",
        Params={"Bucket": os.environ["MEDIA_BUCKET"], "Key": f"copies/{folder}/{name}"},
        ExpiresIn=int(rules.COPY_LINK_LIFE.total_seconds()),
    )
    return link


@personal_data.section("账号")
def export_account(resident_id: str) -> Iterable[dict[str, Any]]:
    for item in Item.collection(partition(resident_id), "ME"):
        if isinstance(item, Resident):
            yield {
                "昵称": item.nickname,
                "注册时间": clock.spoken(item.created_at),
                "同意的隐私保护指引": item.consent_version or "未同意",
                "同意或撤回的时间": clock.spoken(item.consent_at) if item.consent_at else "",
                "住址": areas.full_name(item.home) if item.home else "未填写",
                "住址状态": rules.HOME_STATES[item.home_state],
                "手机号": people.phone_of(item) if item.phone_sealed else "未登记",
                "微信标识": people.openid_of(item),
                "服务号标识": followers.openid_of(item) if item.service_openid_sealed else "未关联",
            }
        elif isinstance(item, Duty):
            yield {
                "职务": people_rules.ROLE_NAMES.get(item.role, item.role),
                "区域": areas.full_name(item.area),
                "开始": clock.spoken(item.from_at),
                "结束": clock.spoken(item.until_at) if item.until_at else "在任",
            }
        elif isinstance(item, Delegation):
            yield {"代办人": item.delegate_name, "开始": clock.spoken(item.since)}
    for delegation in Item.by_person.query(f"DELEGATE_OF#{resident_id}"):
        yield {"替谁代办": delegation.principal_name, "开始": clock.spoken(delegation.since)}


@personal_data.section("谁查看过我的信息")
def export_lookups(resident_id: str) -> Iterable[dict[str, Any]]:
    for look in lookups.all_about(resident_id):
        yield {
            "时间": clock.spoken(look.looked_at),
            "谁": f"{look.role}{look.by_name}",
            "看了": look.what,
            "理由": look.reason,
        }
