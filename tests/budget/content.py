"""What content costs that somebody has to look at: reviews and photos, from the upload to the verdict."""

from __future__ import annotations

from datetime import timedelta

from chalicelib import photo_uploads
from chalicelib.content.models import Photo, Review
from chalicelib.help.models import partition
from chalicelib.kit import clock, ids
from chalicelib.people.models import partition as of_resident
from chalicelib.wechat.callback import MediaChecked
from tests.budget.acts import Act, Town, act, good, handed, until, when_due
from tests.budget.notices import told_by_wechat
from tests.content.conftest import announcement, picture, put_upload
from tests.help.street import MASKS, ask, review_of
from tests.neighbourhood import Neighbour

DOUBTFUL = "可以加我微信，明天要回厂上班。"


def held_back(town: Town) -> Review:
    """A request whose text WeChat leaves to a moderator."""
    li_ju = town.resident("李菊")
    ask(li_ju, text=DOUBTFUL)
    return review_of(li_ju, "help_request")


def invited(li_ju: Neighbour) -> Photo:
    request = ask(li_ju)
    made = good(li_ju.post(f"/help-requests/{request}/photos", json={}))
    return Photo.fetch(partition(request), f"PHOTO#{made['photo_id']}")


def invited_avatar(li_ju: Neighbour) -> Photo:
    made = good(li_ju.post("/me/avatar", json={}))
    return Photo.fetch(of_resident(li_ju.id), f"PHOTO#{made['photo_id']}")


def uploaded(photo: Photo, content: bytes | None = None) -> Act:
    put_upload(photo, content or picture())
    return handed(photo_uploads.process_photos, announcement(photo.upload_key))


def checking(photo: Photo) -> Photo:
    """Uploaded, cleaned, and WeChat has been asked."""
    uploaded(photo)()
    return Photo.fetch(photo.pk, photo.sk)


def verdict(photo: Photo, suggest: str, label: int = 100) -> Act:
    said = {"trace_id": photo.trace_id, "suggest": suggest, "label": label, "errcode": 0}
    return told_by_wechat(MediaChecked(at=clock.now(), fingerprint=ids.new_id("f"), **said))


def shown(photo: Photo) -> Photo:
    verdict(checking(photo), "pass")()
    return photo


@act("POST /help-requests (WeChat is unsure)")
def ask_doubtfully(town: Town) -> Act:
    li_ju = town.resident()
    return lambda: li_ju.post("/help-requests", json={**MASKS, "text": DOUBTFUL})


@act("PUT /me/nickname (WeChat is unsure)")
def doubtful_nickname(town: Town) -> Act:
    li_ju = town.resident()
    return lambda: li_ju.put("/me/nickname", json={"nickname": "盗版小说"})


@act("GET /reviews")
def list_reviews(town: Town) -> Act:
    moderator = town.staff("moderator")
    held_back(town)
    return lambda: moderator.get(f"/reviews?area={town.community}")


@act("GET /reviews/{review_id}")
def show_review(town: Town) -> Act:
    moderator, review = town.staff("moderator"), held_back(town)
    return lambda: moderator.get(f"/reviews/{review.id}")


@act("POST /reviews/{review_id}/decide (a request, approved)")
def approve_a_request(town: Town) -> Act:
    moderator, review = town.staff("moderator"), held_back(town)
    return lambda: moderator.post(f"/reviews/{review.id}/decide", json={"decision": "approve"})


@act("POST /reviews/{review_id}/decide (a request, refused)")
def refuse_a_request(town: Town) -> Act:
    moderator, review = town.staff("moderator"), held_back(town)
    refusal = {"decision": "refuse", "reason": "含有广告推销"}
    return lambda: moderator.post(f"/reviews/{review.id}/decide", json=refusal)


@act("POST /reviews/{review_id}/decide (a photo, approved)")
def approve_a_photo(town: Town) -> Act:
    moderator, photo = town.staff("moderator"), checking(invited(town.account()))
    verdict(photo, "review")()
    review = Photo.fetch(photo.pk, photo.sk).review_id
    return lambda: moderator.post(f"/reviews/{review}/decide", json={"decision": "approve"})


@act("timer recheck_text (WeChat passes it)")
def recheck(town: Town) -> Act:
    li_ju = town.account()
    town.wechat.break_("down", "/wxa/msg_sec_check", count=1)
    ask(li_ju)
    return when_due(review_of(li_ju, "help_request"))


@act("timer remind_moderators (the first one waiting in an area)")
def remind_moderators(town: Town) -> Act:
    town.staff("moderator")
    return when_due(held_back(town))


@act("POST /help-requests/{request_id}/photos")
def add_a_photo(town: Town) -> Act:
    li_ju = town.resident()
    request = ask(li_ju)
    return lambda: li_ju.post(f"/help-requests/{request}/photos", json={})


@act("POST /help-requests/{request_id}/photos/{photo_id}/remove")
def remove_a_photo(town: Town) -> Act:
    li_ju = town.account()
    photo = shown(invited(li_ju))
    address = f"/help-requests/{photo.pk.removeprefix('HELP#')}/photos/{photo.id}/remove"
    return lambda: li_ju.post(address)


@act("POST /me/avatar")
def new_avatar(town: Town) -> Act:
    li_ju = town.resident()
    return lambda: li_ju.post("/me/avatar", json={})


@act("process_photos")
def process(town: Town) -> Act:
    return uploaded(invited(town.account()))


@act("process_photos (it is no picture)")
def process_no_picture(town: Town) -> Act:
    return uploaded(invited(town.account()), b"<script>")


@act("process_photos (told twice)")
def process_again(town: Town) -> Act:
    photo = invited(town.account())
    uploaded(photo)()
    return uploaded(photo)


@act("event MediaChecked (passed)")
def photo_passed(town: Town) -> Act:
    return verdict(checking(invited(town.account())), "pass")


@act("event MediaChecked (refused)")
def photo_refused(town: Town) -> Act:
    return verdict(checking(invited(town.account())), "risky", 20002)


@act("event MediaChecked (left to a moderator)")
def photo_doubted(town: Town) -> Act:
    return verdict(checking(invited(town.account())), "review")


@act("event MediaChecked (an avatar passed, replacing one)")
def avatar_passed(town: Town) -> Act:
    li_ju = town.account()
    shown(invited_avatar(li_ju))
    return verdict(checking(invited_avatar(li_ju)), "pass")


@act("timer await_upload (nothing came)")
def no_upload(town: Town) -> Act:
    return when_due(invited(town.resident()))


@act("timer await_photo_result (WeChat is asked again)")
def ask_again(town: Town) -> Act:
    photo = checking(invited(town.account()))
    town.wechat.pass_time(timedelta(minutes=31).total_seconds())  # WeChat answers once in half an hour about a link
    return when_due(photo)


@act("timer tidy_photo (shown)")
def tidy_shown(town: Town) -> Act:
    return until("tidy_photo", shown(invited(town.account())))
