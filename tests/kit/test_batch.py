"""Batches from a queue: each message by itself."""

from __future__ import annotations

from chalicelib.kit import batch


def message(number: int, group: str | None = None) -> dict:
    attributes = {"MessageGroupId": group} if group else {}
    return {"messageId": f"m{number}", "body": str(number), "attributes": attributes}


def run(messages: list[dict], *failing: str) -> tuple[list[str], list[str]]:
    """The bodies that were handled to the end, and the messages that come again."""
    done: list[str] = []

    def handle(body: str) -> None:
        if body in failing:
            raise RuntimeError("李菊")
        done.append(body)

    answer = batch.each({"Records": messages}, handle, worker="tests")
    return done, [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_when_all_goes_well_none_comes_again():
    assert run([message(1), message(2)]) == (["1", "2"], [])


def test_only_the_one_that_failed_comes_again():
    assert run([message(1), message(2), message(3)], "2") == (["1", "3"], ["m2"])


def test_what_waits_behind_a_failed_one_of_its_group_stays_in_order():
    messages = [message(1, "a"), message(2, "b"), message(3, "a"), message(4, "b"), message(5, "a")]
    assert run(messages, "1") == (["2", "4"], ["m1", "m3", "m5"])
    assert run(messages, "3", "2") == (["1"], ["m2", "m3", "m4", "m5"])


def test_an_empty_batch_is_nothing():
    assert run([]) == ([], [])


def test_a_worker_says_how_many_came_and_how_many_failed(logs):
    run([message(1), message(2), message(3)], "2")
    (batch_,) = [metric for metric in logs.metrics if "messages" in metric]
    assert (batch_["worker"], batch_["messages"], batch_["messages_failed"]) == ("tests", 3, 1)


def test_what_a_message_said_is_not_logged(logs):
    run([message(1)], "1")
    assert logs.lines[0]["message"] == "crash"
    assert "李菊" not in logs.text
