"""What earns points: group `points`. A rule that is named here replaces the default of its name whole.

    {"rules": {"help": {"name": "帮助邻居", "points": 10, "a_day": 30, "with_one_person_a_month": 20},
               "login": {"name": "每日登录", "points": 1, "once_per_subject": false, "on": true}}}

A rule that is off, unknown, not yet or no longer in force gives nothing, and what was done is done all the same.
"""

from __future__ import annotations

import msgspec

from chalicelib.kit import settings
from chalicelib.points.rules import Rule, RuleId

DEFAULTS = {
    "help": Rule(name="帮助邻居", points=10, a_day=30, with_one_person_a_month=20),
    # Once per post for ever; the cap keeps it a thank-you and no race through old news.
    "post_read": Rule(name="阅读信息", points=1, a_day=5),
    # As many times as the activity promises for the minutes that were confirmed; each shift once for ever. No cap a day:
    # it would count the day of the confirmation, and an organiser confirms a week at once. The month's is that of somebody
    # who is on a shift nearly every day.
    "volunteer": Rule(name="志愿服务", points=1, a_month=600),
    # Each quiz once for ever; with many quizzes open, two of them a day.
    "quiz": Rule(name="答题及格", points=10, a_day=20),
    # Off, because the national opinion of 2023 is against counting who opens an app.
    "login": Rule(name="每日登录", points=1, on=False, once_per_subject=False),
}


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: dict[RuleId, Rule] = {}

    def rule(self, name: str) -> Rule | None:
        return self.rules.get(name) or DEFAULTS.get(name)


current = settings.group("points", Settings)
