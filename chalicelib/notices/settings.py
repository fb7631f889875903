"""What administrators decide about messages: group `notices`.

    {"templates": {"help_progress": {
        "long_term": {"id": "…"}, "one_time": {"id": "…"},
        "service_account": {"id": "…", "fields": {"subject": "thing1", "hint": "thing2", "time": "time3"}}}}}

A template or channel that is not set up does not exist: its messages use the next one, or stay in the inbox.
"""

from __future__ import annotations

from datetime import time
from typing import Annotated

import msgspec

from chalicelib.kit import settings
from chalicelib.notices.catalogue import FORMS

Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d\Z")]


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`id` is WeChat's template id. `fields` names the template's field for each value it shows, where that
    differs from catalogue.FORMS; with it, values not named are left out."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    fields: dict[str, Annotated[str, msgspec.Meta(pattern=r"^[a-z_]+\d+\Z")]] = {}


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    long_term: Channel | None = None
    one_time: Channel | None = None
    service_account: Channel | None = None

    @property
    def subscribed(self) -> list[str]:
        """The ids of the mini-program's own templates: those for which WeChat asks people."""
        return [channel.id for channel in (self.long_term, self.one_time) if channel]


class Settings(msgspec.Struct, frozen=True):
    templates: dict[str, Template] = {}
    quiet_from: Clock = "22:00"
    quiet_until: Clock = "07:00"
    # Held messages go out over this time, not all at the stroke of seven.
    quiet_spread_minutes: Annotated[int, msgspec.Meta(ge=0, le=180)] = 20
    push_within_hours: Annotated[int, msgspec.Meta(ge=1)] = 24
    push_urgent_within_hours: Annotated[int, msgspec.Meta(ge=1)] = 72
    # What the sweep hands to the queue in a minute, so that an hour without WeChat is not made up in one.
    push_per_minute: Annotated[int, msgspec.Meta(ge=1)] = 600
    # With this many messages in hand for a template, a person is not asked for more.
    credits_enough: Annotated[int, msgspec.Meta(ge=1)] = 5
    keep_days: Annotated[int, msgspec.Meta(ge=1)] = 365

    def __post_init__(self) -> None:
        """A wrong document is refused whole, so the last good one stays in force (see kit.settings)."""
        for name, template in self.templates.items():
            if name not in FORMS:
                raise ValueError(f"there is no template {name}")
            for channel in (template.long_term, template.one_time, template.service_account):
                if channel and not channel.fields.keys() <= FORMS[name].keys():
                    raise ValueError(f"{name} has no such value")

    @property
    def quiet(self) -> tuple[time, time]:
        return time.fromisoformat(self.quiet_from), time.fromisoformat(self.quiet_until)

    def template_with(self, template_id: str) -> tuple[str, bool] | None:
        """The template with this id of WeChat's, and whether it is long-term; None when it is none of ours."""
        for name, template in self.templates.items():
            if template.long_term and template.long_term.id == template_id:
                return name, True
            if template.one_time and template.one_time.id == template_id:
                return name, False
        return None


current = settings.group("notices", Settings)
