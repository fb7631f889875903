"""What happens by itself here: the timers of reviews and photos. (The worker is `chalicelib.photo_uploads`.)"""

from __future__ import annotations

from chalicelib.content import photo_checks, photos, reviews
from chalicelib.kit import timers

timers.on("recheck_text")(reviews.recheck)
timers.on("remind_moderators")(reviews.remind)
timers.on("await_upload")(photos.no_upload)
timers.on("await_photo_result")(photo_checks.no_result)
timers.on("tidy_photo")(photos.tidy)
