"""Pictures of a product: taken by staff of its area, checked as all photos are; the catalogue shows the latest one."""

from __future__ import annotations

from datetime import datetime

from chalicelib.content import photos
from chalicelib.content.models import Photo
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.auth import Caller
from chalicelib.kit.errors import Conflict
from chalicelib.kit.table import Action, Item, read_together
from chalicelib.kit.transaction import transaction
from chalicelib.mall import rules
from chalicelib.mall.models import Product
from chalicelib.people import rules as people_rules
from chalicelib.people import service as people


def add(*, caller: Caller, product_id: str, attempt: Attempt, now: datetime) -> Photo:
    """Make room for one more picture; the phone then uploads it with the form."""
    person = people.present(caller, now=now)
    key = Product.key(product_id)
    product, invited = read_together(key, Photo.key(key.pk, attempt.id("photo")))
    if product is None:
        raise rules.ProductGone()
    person.must_hold(people_rules.COUNTER, product.area)
    if invited and attempt.made(invited):
        return invited  # type: ignore[no-any-return]
    return photos.add(
        product, counter=Product.photos, person=person, author_id=person.id, area=product.area, attempt=attempt, now=now
    )


def remove(*, caller: Caller, product_id: str, photo_id: str, now: datetime) -> None:
    """Take a picture away."""
    person = people.present(caller, now=now)
    key = Product.key(product_id)
    product, photo = read_together(key, Photo.key(key.pk, photo_id))
    if product is None or photo is None:
        raise rules.ProductGone()
    person.must_hold(people_rules.COUNTER, product.area)
    if photo.state == "removed":
        return
    with person.acting() as tx:
        photos.remove(tx, photo, now=now)
        fewer = [Product.photos.add(-1)] if photo.state != "refused" else []
        shown = [_next_best(product, photo_id)] if product.picture == photo_id else []
        if fewer or shown:
            when = Product.picture == photo_id if shown else Product.photos > 0
            tx.update(product, [*fewer, *shown], when=when, or_raise=Conflict())


def _next_best(product: Product, removed: str) -> Action:
    """The picture that the catalogue shows instead of one that is taken away: the latest of the others, if any."""
    others = [
        photo for photo in Item.collection(product.pk, "PHOTO#") if photo.state == "shown" and photo.id != removed
    ]
    if not others:
        return Product.picture.remove()
    return Product.picture.set(max(others, key=lambda photo: photo.uploaded_at or photo.invited_at).id)


@photos.on_settled("MALL")
def settled(tx: transaction, photo: Photo, *, shown: bool, now: datetime) -> None:
    """The latest picture is what the catalogue shows; one that ended without being shown gives its place back."""
    change = Product.picture.set(photo.id) if shown else Product.photos.add(-1)
    tx.update(Product(photo.pk, "PRODUCT"), [change])
