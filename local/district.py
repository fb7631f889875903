"""The demo district: 南湖区 of 嘉兴 with its thirteen streets, and a few sample communities, grids and people.

Streets and their codes are those of the national statistical code (统计用区划代码). Communities, grids,
micro-grids and their codes are made up, as are the persons; the two women and the volunteer are those of the newspaper story.
"""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from local.wechat import catalogue

DISTRICT = ("330402", "南湖区")
STREETS = (
    ("330402007", "建设街道"),
    ("330402008", "解放街道"),
    ("330402009", "新嘉街道"),
    ("330402010", "南湖街道"),
    ("330402011", "新兴街道"),
    ("330402012", "城南街道"),
    ("330402013", "东栅街道"),
    ("330402014", "长水街道"),
    ("330402015", "七星街道"),
    ("330402100", "凤桥镇"),
    ("330402101", "余新镇"),
    ("330402103", "新丰镇"),
    ("330402105", "大桥镇"),
)
COMMUNITY = "330402010001"
GRID = "330402010001001"
HOME = "330402010001001001"
_COMMUNITIES = (
    (COMMUNITY, "示范一社区", "示范一社区居委会"),
    ("330402010002", "示范二社区", "示范二社区居委会"),
    ("330402007001", "示范三社区", "示范三社区居委会"),
)

# (id in the WeChat stand-in, name, phone number, home, duties as (role, area))
Demo = tuple[str, str, str, str, tuple[tuple[str, str], ...]]
PEOPLE: tuple[Demo, ...] = (
    ("li-ju", "李菊", "13800000001", HOME, ()),
    ("chen-caiming", "陈彩明", "13800000002", HOME[:15] + "002", ()),
    ("chen-jianjun", "陈建君", "13800000003", HOME, ()),
    ("grid-worker", "网格员", "13800000004", HOME, (("grid_worker", GRID),)),
    ("desk-clerk", "兑换点", "13800000006", HOME, (("desk_clerk", COMMUNITY),)),
    # Workers of three firms: 工人护企队.
    ("worker-wu", "吴师傅", "13800000007", HOME[:15] + "003", ()),
    ("worker-shen", "沈师傅", "13800000008", HOME[:15] + "003", ()),
    ("worker-lu", "陆师傅", "13800000009", HOME[:15] + "003", ()),
    ("moderator", "审核员", "13800000005", HOME, (("moderator", DISTRICT[0]),)),
)


def areas() -> list[dict[str, Any]]:
    """All areas as rows of the administrator's command `put_areas`."""
    rows: list[dict[str, Any]] = [{"code": code, "name": name} for code, name in (DISTRICT, *STREETS)]
    for code, name, office in _COMMUNITIES:
        rows.append({"code": code, "name": name, "drop_points": [{"id": "office", "name": office}]})
        for grid in (1, 2):
            grid_code = f"{code}{grid:03d}"
            rows.append({"code": grid_code, "name": f"第{'一二'[grid - 1]}网格"})
            rows += [{"code": f"{grid_code}{building:03d}", "name": f"{building}幢"} for building in (1, 2, 3)]
    return rows


PRODUCTS = MASK, CAMPAIGN = "mask", "masks-for-points"
QUIZ = "masks"
MASK_PRICE = 5  # points for one


def goods() -> list[dict[str, Any]]:
    """Masks in the mall and a campaign for those who know how to wear them, as administrators' commands."""
    now = datetime.now(UTC)
    return [
        {
            "command": "put_product",
            "product": MASK,
            "name": "医用口罩",
            "text": "一次性医用口罩，独立包装。",
            "unit": "只",
            "price": 2 * MASK_PRICE,
            "area": DISTRICT[0],
            "desks": [{"area": COMMUNITY, "place": "office"}],
            "delivers": True,
            "cap": 5,
        },
        {"command": "restock", "product": MASK, "quantity": 500, "receipt": "demo-1"},
        {
            "command": "put_campaign",
            "campaign": CAMPAIGN,
            "product": MASK,
            "price": MASK_PRICE,
            "cap": 2,
            "quiz": QUIZ,
            "opens_at": (now - timedelta(hours=1)).isoformat(timespec="seconds"),
            "closes_at": (now + timedelta(days=365)).isoformat(timespec="seconds"),
        },
        {"command": "restock", "product": CAMPAIGN, "quantity": 9000, "receipt": "demo-2"},
    ]


def application(person: str) -> dict[str, Any]:
    """What a demo person fills in to become a volunteer."""
    name = next(name for phone_id, name, *_ in PEOPLE if phone_id == person)
    return {
        "name": name,
        "birth": "1985-03-12",
        "skills": ["driving"],
        "free_times": ["workday_evening", "weekend_day"],
        "contact": {"name": "家里人", "phone": "13900000000", "relation": "配偶"},
    }


def gate(*, title: str, **plan: Any) -> dict[str, Any]:
    """An activity at the gate of the demo grid, with its shifts."""
    return {
        "title": title,
        "text": "请佩戴红袖章，登记外来车辆，提醒居民戴好口罩。",
        "service": "gate",
        "area": GRID,
        "points_an_hour": 5,
    } | plan


def two_weeks(begins: date, **terms: Any) -> dict[str, Any]:
    """The gate of the demo community, every day 8–12 and 14–18, from this day on."""
    return {
        "from_day": f"{begins}",
        "to_day": f"{begins + timedelta(days=13)}",
        "times": [{"from": "08:00", "to": "12:00"}, {"from": "14:00", "to": "18:00"}],
        "place": "示范一社区东门",
        "capacity": 4,
    } | terms


MASK_QUIZ = Path(__file__).with_name("mask_quiz.csv")


def mask_quiz() -> dict[str, Any]:
    """A small quiz about masks for the whole district, as the administrator's command `put_quiz`."""
    now = datetime.now(UTC)
    return {
        "command": "put_quiz",
        "id": QUIZ,
        "title": "口罩和卫生小知识",
        "bank": "masks",
        "questions": 4,
        "pass_mark": 3,
        "attempts_a_day": 3,
        "minutes": 20,
        "opens": (now - timedelta(hours=1)).isoformat(),
        "closes": (now + timedelta(days=365)).isoformat(),
        "area": DISTRICT[0],
        "entitles": True,
    }


def notice_settings() -> dict[str, Any]:
    """The stand-in's templates for our messages, and no quiet hours: a developer at night wants to see pushes too."""
    titles = {
        "求助进展提醒": "help_progress",
        "社区通知": "community",
        "审核结果通知": "review_result",
        "待办提醒": "to_do",
    }
    templates: dict[str, dict[str, Any]] = {
        titles[template.title]: {"one_time": {"id": template.id}}
        for template in catalogue.TEMPLATES.values()
        if template.kind == "one_time"
    }
    # The service account has one template, for whatever happens at a time.
    (reminder,) = (template.id for template in catalogue.TEMPLATES.values() if template.kind == "service")
    for name in ("help_progress", "community", "to_do"):
        fields = {"subject": "thing1", "hint": "thing2", "time": "time3"}
        templates[name]["service_account"] = {"id": reminder, "fields": fields}
    return {"quiet_from": "00:00", "quiet_until": "00:00", "templates": templates}


def who_knows_answers(attempt: dict[str, Any], *, mistakes: int = 0) -> dict[str, Any]:
    """What somebody hands in who knows the mask quiz but for so many questions. By texts: a sheet shuffles its options."""
    with MASK_QUIZ.open(encoding="utf-8", newline="") as file:
        right = {row["题目"]: {row[f"选项{letter}"] for letter in row["答案"]} for row in csv.DictReader(file)}
    given = []
    for place, question in enumerate(attempt["questions"]):
        known = [option["id"] for option in question["options"] if option["text"] in right[question["text"]]]
        wrong = [next(option["id"] for option in question["options"] if [option["id"]] != known)]
        given.append({"question": question["question"], "options": wrong if place < mistakes else known})
    return {"answers": given}
