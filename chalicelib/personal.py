"""What all slices hold about people: once these are imported, `people.personal_data` can show, erase and rename all of it.

Whoever may close an account imports this: the API, and the worker that hears of accounts WeChat has closed.
"""

# ruff: noqa: F401 - imported for what they register

import chalicelib.account.closing
import chalicelib.account.delegates
import chalicelib.account.own_data
import chalicelib.content.personal
import chalicelib.entitlements.personal
import chalicelib.help.personal
import chalicelib.mall.personal
import chalicelib.notices.service
import chalicelib.people.followers
import chalicelib.people.lookups
import chalicelib.people.renaming
import chalicelib.points.personal
import chalicelib.posts.personal
import chalicelib.profile.service
import chalicelib.quiz.personal
import chalicelib.shifts.hours.personal
import chalicelib.shifts.places.personal
import chalicelib.shifts.planning.announcing
import chalicelib.shifts.planning.personal
import chalicelib.volunteers.profile.personal
import chalicelib.volunteers.statements.personal
import chalicelib.volunteers.teams.personal
