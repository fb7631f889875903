"""微嘉园 (weijiayuan): the backend a neighbourhood runs on, on one page.

Each slice brings its routes, and the workers that something else starts. To find out what the product does,
pick a capability and open its `routes.py`; `service.py` and its neighbours tell each act as a story, `rules.py` says
what is allowed, `models.py` what is stored.
"""

from __future__ import annotations

from typing import Any

from chalice import Chalice, Rate

from chalicelib import (
    jobs,  # noqa: F401 - what happens by itself: slices register it
    personal,  # noqa: F401 - what is held about people: slices register it
    photo_uploads,
    wechat_events,
)
from chalicelib.account import routes as account
from chalicelib.areas import routes as areas
from chalicelib.content import routes as content
from chalicelib.help import routes as help_requests
from chalicelib.kit import clock, log, timers
from chalicelib.mall import levels as mall_levels
from chalicelib.mall import routes as mall
from chalicelib.notices import jobs as notice_jobs
from chalicelib.notices import routes as notices
from chalicelib.people import routes as people
from chalicelib.points import routes as points
from chalicelib.posts import jobs as post_jobs
from chalicelib.posts import routes as posts
from chalicelib.profile import routes as profile
from chalicelib.quiz import routes as quizzes
from chalicelib.shifts.hours import routes as hours_routes
from chalicelib.shifts.places import list_routes
from chalicelib.shifts.places import routes as shifts
from chalicelib.shifts.places import team_routes as shift_team_routes
from chalicelib.shifts.planning import alert_routes
from chalicelib.shifts.planning import routes as activity_routes
from chalicelib.shifts.presence import roster_routes
from chalicelib.shifts.presence import routes as presence_routes
from chalicelib.volunteers.profile import routes as volunteers
from chalicelib.volunteers.records import routes as record_routes
from chalicelib.volunteers.statements import routes as statement_routes
from chalicelib.volunteers.teams import routes as team_routes

app = Chalice(app_name="weijiayuan", configure_logs=False)

ROUTES = (
    *(areas, people, account, profile, notices, points, content, help_requests, posts, quizzes, mall),
    *(volunteers, team_routes, record_routes, statement_routes),
    *(activity_routes, list_routes, shifts, shift_team_routes),
    *(presence_routes, roster_routes, hours_routes, alert_routes),
)
WORKERS = (notice_jobs, mall_levels, photo_uploads, post_jobs, wechat_events)

for part in ROUTES:
    app.register_blueprint(part.routes.blueprint)
for worker in WORKERS:
    app.register_blueprint(worker.blueprint)


@app.schedule(Rate(1, unit=Rate.MINUTES))
def sweep(event: Any) -> dict[str, int]:
    """Once a minute: run every timer that is due at the schedule's own time."""
    context = event.context
    log.begin(worker="sweep", request_id=context.aws_request_id)
    now = clock.from_event(event.to_dict()["time"])
    return {"ran": timers.sweep(now=now, time_left=lambda: context.get_remaining_time_in_millis() / 1000)}


@app.lambda_function()
def administer(event: Any, context: Any) -> dict[str, Any]:
    """An administrator's command, sent from the AWS console (see chalicelib/console/commands.py)."""
    from chalicelib.console import commands as console  # the other functions, the API above all, start without it

    log.begin(worker="administer", request_id=context.aws_request_id)
    return console.administer(
        event,
        request_id=context.aws_request_id,
        now=clock.now(),
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000,
    )
