"""Acts made of the kit alone, in the ways slices make theirs: they prove the kit, and the harness itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.kit import aws, clock, ids, limits, timers, vault
from chalicelib.kit.attempt import Attempt
from chalicelib.kit.table import Item
from chalicelib.kit.transaction import transaction
from tests.engine import local_aws
from tests.faults.acts import Act
from tests.kit.things import Named, Note, Shelf, shelf


def stocked() -> dict[str, Any]:
    return {"person": ids.new_id("resident"), "shelf": shelf(5)}


def attempt(world: dict[str, Any], key: str) -> Attempt:
    return Attempt(world["person"], "POST /take", b"{}", key)


def ask(world: dict[str, Any], key: str) -> str:
    """Something new: its id comes from the key, so a repeat finds it."""
    note_id = attempt(world, key).id("note")
    if Note.find(world["person"], note_id) is None:
        with transaction() as tx:
            limits.spend(tx, world["person"], "ask", at_most=9, per=timedelta(days=999), now=clock.now())
            tx.create(Note(world["person"], note_id, text="口罩"), or_raise=Named("exists"))
    return note_id


def take(world: dict[str, Any], key: str) -> str:
    """A change: the item remembers which request changed it."""
    there = Shelf.fetch(world["shelf"].pk, "SHELF")
    this = attempt(world, key)
    if this.made(there):
        return "taken"
    with transaction() as tx:
        tx.update(
            there,
            [Shelf.left.add(-1), *this.remember(), *timers.set_to(there.pk, "expire", clock.now())],
            when=Shelf.left >= 1,
            or_raise=Named("sold_out"),
        )
    return "taken"


def keep_a_secret(world: dict[str, Any], key: str) -> str:
    """Personal data: the key first, then what it seals. Several calls, two tables, KMS."""
    vault.open_for(world["person"])
    sealed = vault.seal(world["person"], "phone", "18767315555")
    with transaction() as tx:
        tx.put(Note(world["person"], "PHONE", text=sealed.hex()))
    return "kept"


def with_a_queue() -> dict[str, Any]:
    name = f"{ids.new_id('queue')}.fifo"
    made = local_aws.client("sqs").create_queue(QueueName=name, Attributes={"FifoQueue": "true"})
    return {"person": ids.new_id("resident"), "queue": made["QueueUrl"]}


def announce(world: dict[str, Any], key: str) -> str:
    """A message to a FIFO queue, which drops the repeat of one it has."""
    aws.client("sqs").send_message(
        QueueUrl=world["queue"],
        MessageBody="x",
        MessageGroupId=world["person"],
        MessageDeduplicationId=attempt(world, key).id("push"),
    )
    return "announced"


def notes_and_counter(world: dict[str, Any]) -> Any:
    (counter,) = Item.collection(f"LIMIT#{world['person']}")
    return [note.text for note in Item.collection(world["person"])], counter.used


def what_is_left(world: dict[str, Any]) -> Any:
    there = Shelf.fetch(world["shelf"].pk, "SHELF")
    return there.left, len(there.marks or ()), there.timer


def the_secret(world: dict[str, Any]) -> Any:
    return vault.read(world["person"], "phone", bytes.fromhex(Note.fetch(world["person"], "PHONE").text))


def messages(world: dict[str, Any]) -> str:
    asked = {"QueueUrl": world["queue"], "AttributeNames": ["ApproximateNumberOfMessages"]}
    count: str = local_aws.client("sqs").get_queue_attributes(**asked)["Attributes"]["ApproximateNumberOfMessages"]
    return count


ACTS = [
    Act("something new is made within a limit", stocked, ask, notes_and_counter),
    Act("something is changed and its timer set", stocked, take, what_is_left),
    Act("personal data is sealed", stocked, keep_a_secret, the_secret),
    Act("a message is queued", with_a_queue, announce, messages),
]
