"""What happens to posts by itself: they end, and urgent ones are told by the worker of a queue."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from chalice import Blueprint

from chalicelib.kit import batch, clock, log, timers
from chalicelib.kit.errors import Changed
from chalicelib.kit.transaction import transaction
from chalicelib.posts import rules, spreading
from chalicelib.posts.models import Post

blueprint = Blueprint(__name__)


@blueprint.on_sqs_message(queue_arn="posts_queue_arn", batch_size=1, name="spread_posts")  # type: ignore[untyped-decorator]
def spread_posts(event: Any) -> dict[str, Any]:
    """Tell the next people of an urgent post."""
    log.begin(worker="spread_posts", request_id=event.context.aws_request_id)
    return batch.each(event.to_dict(), lambda body: spreading.step(body, now=clock.now()), worker="spread_posts")


@timers.on("posts.end")
def end(found: Post, *, now: datetime) -> None:
    """Its end date has come: it is listed no more. One still in review ends with the verdict."""
    post = Post.fetch(found.pk, found.sk)
    if post.state == "in_review":
        change = timers.stop()
    elif post.state == "shown" and rules.over(post, now):
        change = [Post.state.set("ended"), *Post.unlist(), *timers.stop()]
    else:
        return
    with suppress(Changed), transaction() as tx:  # withdrawn, or decided, in this moment
        tx.update(post, change, when=Post.state == post.state, or_raise=Changed())
