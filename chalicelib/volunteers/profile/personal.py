"""What a volunteer's file says about a person: for the copy of their data, and when they leave for ever."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chalicelib.areas import service as areas
from chalicelib.kit import clock
from chalicelib.kit.errors import Changed
from chalicelib.kit.transaction import transaction
from chalicelib.people import personal_data
from chalicelib.people.personal_data import Named
from chalicelib.volunteers import diary, rules
from chalicelib.volunteers.models import VolunteerNumber
from chalicelib.volunteers.profile import files, forgetting
from chalicelib.volunteers.rules import Contact


@personal_data.section("志愿者档案")
def export_file(resident_id: str) -> Iterable[dict[str, Any]]:
    file = files.find(resident_id)
    if file is None:
        return
    personal = files.opened(file)
    yield {
        "状态": rules.STATES[file.state],
        "志愿者编号": file.number or "",
        "区域": areas.full_name(file.area) if file.area else "",
        "姓名": personal.name or "",
        "出生日期": f"{personal.birth or ''}",
        "特长": "、".join(rules.SKILLS[skill] for skill in file.skills),
        "空闲时间": "、".join(rules.FREE_TIMES[time] for time in file.free_times),
        "紧急联系人": _contact(personal.contact),
        "监护人": _contact(personal.guardian),
        "监护人同意时间": clock.spoken(file.guardian_at) if file.guardian_at else "",
        "申请时间": clock.spoken(file.applied_at) if file.applied_at else "",
        "审核时间": clock.spoken(file.decided_at) if file.decided_at else "",
        "未通过原因": file.declined_reason or "",
        "资料删除时间": clock.spoken(forgotten_at) if (forgotten_at := forgetting.at(file)) else "",
        "已占用的时间": len(file.taken),
    }


def _contact(contact: Contact | None) -> str:
    return f"{contact.name}（{contact.relation}）{contact.phone}" if contact else ""


@personal_data.eraser_at_last
def erase(resident_id: str, *, now: datetime) -> None:
    """The file and its number go, after the places on shifts, whose withdrawal still writes to it."""
    files.settled(_delete)(resident_id)


@personal_data.renamer
@files.settled
def rename(named: Named) -> None:
    """Whoever decides on an application reads it."""
    file = files.find(named.id)
    if file is not None and file.nickname and file.nickname != named.nickname:
        with transaction() as tx:
            named.still(tx)
            files.write(tx, file, named.id, {"nickname": named.nickname})


def _delete(resident_id: str) -> None:
    file = files.find(resident_id)
    if file is None:
        return
    with transaction() as tx:
        tx.delete(file, when=diary.as_read(file), or_raise=Changed())
        if file.number:
            tx.delete(VolunteerNumber.key(file.number))
