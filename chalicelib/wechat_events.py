"""The worker for what WeChat tells us. It stands above the slices, which register for their events.

Lambda loads this module and not `app.py`, so every slice that holds something about people is named here too: an
account that WeChat closes must be erased everywhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalice import Blueprint

from chalicelib.account import closing  # noqa: F401 - registers for withdrawn authorizations
from chalicelib.content import personal as content_personal  # noqa: F401
from chalicelib.content import photo_checks
from chalicelib.entitlements import personal as entitlements_personal  # noqa: F401
from chalicelib.help import personal as help_personal  # noqa: F401
from chalicelib.help import pictures  # noqa: F401 - registers for photos of requests
from chalicelib.kit import batch, clock, log
from chalicelib.mall import personal as mall_personal  # noqa: F401
from chalicelib.mall import pictures as mall_pictures  # noqa: F401 - registers for pictures of products
from chalicelib.notices import events
from chalicelib.points import personal as points_personal  # noqa: F401
from chalicelib.posts import personal as posts_personal  # noqa: F401
from chalicelib.posts import pictures as post_pictures  # noqa: F401 - registers for pictures of posts
from chalicelib.profile import service as profile  # noqa: F401
from chalicelib.quiz import personal as quiz_personal  # noqa: F401
from chalicelib.shifts import announcing as shift_announcing  # noqa: F401
from chalicelib.shifts import organiser_personal  # noqa: F401
from chalicelib.shifts import personal as shifts_personal  # noqa: F401
from chalicelib.volunteers import personal as volunteers_personal  # noqa: F401
from chalicelib.volunteers import statement_personal as volunteer_statement_personal  # noqa: F401
from chalicelib.volunteers import team_personal  # noqa: F401
from chalicelib.wechat.callback import MediaChecked

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue_arn="wechat_events_queue_arn", batch_size=10, name="wechat_events")  # type: ignore[untyped-decorator]
def wechat_events(event: Any) -> dict[str, Any]:
    """Act on events that the callback has queued."""
    log.begin(worker="wechat_events", request_id=event.context.aws_request_id)
    return batch.each(event.to_dict(), lambda body: events.handle(body, now=clock.now()), worker="wechat_events")


@events.on(MediaChecked)
def _(event: MediaChecked, *, resident_id: str | None, now: datetime) -> None:
    photo_checks.result_arrived(event, now=now)
