"""What happens by itself, in all slices: once these are imported, the sweep knows their timers and the nightly audit
what to check. (Acts that set a timer for themselves register it beside the act.)"""

# ruff: noqa: F401 - imported for what they register

import chalicelib.content.jobs
import chalicelib.help.jobs
import chalicelib.mall.audit
import chalicelib.mall.jobs
import chalicelib.notices.jobs
import chalicelib.points.jobs
import chalicelib.posts.jobs
import chalicelib.shifts.planning.announcing
