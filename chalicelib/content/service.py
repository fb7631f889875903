"""Texts before they are shown: WeChat's verdict while the author waits, and what happens without one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from chalicelib.content import rules
from chalicelib.content.models import Review
from chalicelib.kit import ids, log
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict, Unavailable
from chalicelib.kit.transaction import transaction
from chalicelib.notices import service as notices
from chalicelib.people.in_charge import whom_to_tell
from chalicelib.wechat.content import Scene, Verdict, check_text
from chalicelib.wechat.errors import WeChatRefused


class Screening(msgspec.Struct, frozen=True):
    """What WeChat said about some texts. `unchecked`: nothing yet. Risky ones never get this far."""

    suggest: Literal["pass", "review", "unchecked"]
    scene: int
    texts: dict[str, str]
    writer_id: str

    @property
    def passed(self) -> bool:
        """May be shown at once."""
        return self.suggest == "pass"


def screen(caller: Caller, *, scene: Scene, now: datetime, official: bool = False, **texts: str | None) -> Screening:
    """Refuse what no reader should see, and ask WeChat about the rest under the openid of whoever typed it.

    Costs no AWS call while the token is warm. `official`: staff say it in the community's name.
    `title` and `nickname` have places of their own in WeChat's question, all others are one text there. Raises
    ContentRefused for a risky one. WeChat not answering is no error: the texts come back `unchecked`.
    """
    written = {name: text for name, text in texts.items() if text and not text.isspace()}
    if not written:
        return Screening("pass", scene, {}, caller.id)
    rules.refuse_unfit(written.values(), official=official)
    suggest: Literal["pass", "review", "unchecked"]
    try:
        verdict = ask_wechat(caller.openid, scene, written)
    except Unavailable as trouble:
        suggest = "review" if is_hopeless(trouble) else "unchecked"
        log.count("text_check", outcome=suggest)
    else:
        log.count("text_check", outcome=verdict.suggest)
        if verdict.suggest == "risky":
            raise rules.ContentRefused.because(verdict.reason)
        suggest = verdict.suggest
    return Screening(suggest, scene, written, caller.id)


def hold(
    tx: transaction,
    screening: Screening,
    *,
    subject: str,
    subject_pk: str,
    subject_sk: str,
    author_id: str | None,
    area: str,
    excerpt: str,
    now: datetime,
    as_staff: bool = False,
    about_whom: Iterable[str | None] = (),
) -> Review | None:
    """Put what WeChat did not pass on its way to a verdict, in the transaction of the act that wrote it.

    None when there is nothing to hold. Otherwise the caller keeps the subject hidden until the handler that
    `reviews.on_decision(subject)` registered is called. `excerpt` is what a moderator reads. `as_staff`: it is said for an
    area, and who looks after that is told. `about_whom`: people who do not decide about it, because it is about them.
    """
    if screening.passed:
        return None
    review = Review.of(
        ids.new_id("review"),
        subject=subject,
        subject_pk=subject_pk,
        subject_sk=subject_sk,
        author_id=author_id,
        writer_id=screening.writer_id,
        area=area,
        excerpt=excerpt,
        cause="wechat_doubts" if screening.suggest == "review" else "wechat_silent",
        now=now,
        as_staff=as_staff,
        parties=about_whom,
    )
    next_check = rules.next_check(0, since=now, now=now)
    if screening.suggest == "unchecked" and next_check:
        review.await_wechat(texts=screening.texts, scene=screening.scene, at=next_check)
    else:
        tell_author(tx, review, "content_in_review", now=now)
    tx.create(review, or_raise=Conflict())
    return review


def tell_author(tx: transaction, review: Review, kind: str, *, now: datetime, **facts: str) -> None:
    """A word to the author about what is reviewed, or the verdict on it."""
    writer = review.author_id or review.writer_id
    for who in whom_to_tell(review.area, now=now, first=writer) if review.as_staff else [writer]:
        said = {"about": about(review.subject_pk), "area": review.area, "what": review.what}
        notices.tell(tx, who, kind, now=now, **said, **facts)


def ask_wechat(openid: str, scene: int, texts: dict[str, str]) -> Verdict:
    """One question about all texts of one act."""
    title, nickname = texts.get("title"), texts.get("nickname")
    rest = [text for name, text in texts.items() if name not in ("title", "nickname")]
    content = "\n".join(rest) or title or nickname or ""
    return check_text(openid, content, Scene(scene), title=title, nickname=nickname)


def is_hopeless(trouble: Unavailable) -> bool:
    """True when asking WeChat the same again cannot help, so that a person must look."""
    return isinstance(trouble, WeChatRefused) and trouble.meaning in rules.HOPELESS


def about(subject_pk: str) -> str:
    """The id in a subject's key: what a notice links to."""
    return subject_pk.partition("#")[2]
