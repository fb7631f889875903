"""Messages on an offer: between its two sides, without phone numbers."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.help import rules
from chalicelib.help.models import Offer
from tests.engine.budget import budget
from tests.help.street import Street, ask, lines, offer, path


@pytest.fixture
def talk(street: Street) -> Any:
    """Requester, helper, the path of their messages, and of the offer."""
    asker, helper = street.resident("李菊"), street.resident("陈彩明")
    request = ask(asker)
    made = offer(helper, request)
    return asker, helper, path(request, made, "messages"), path(request, made)


def test_both_sides_read_all_in_order_and_each_is_told_of_the_other(talk):
    asker, helper, messages, _ = talk
    for who, text in ((helper, "放在居委会"), (asker, "好的，谢谢"), (helper, "不客气")):
        assert who.post(messages, json={"text": text}).status == 201
    for who in (asker, helper):
        assert [line["text"] for line in lines(who.get(messages))] == ["放在居委会", "好的，谢谢", "不客气"]
    assert [line["mine"] for line in lines(asker.get(messages))] == [False, True, False]
    assert (asker.told.count("help_message"), helper.told.count("help_message")) == (2, 1)


def test_a_third_person_neither_reads_nor_writes_nor_learns_that_there_is_an_offer(street, talk):
    asker, helper, messages, _ = talk
    other = street.resident()
    for _ in range(2):
        assert other.get(messages).code == "offer_not_found"
        assert other.post(messages, json={"text": "你好"}).code == "offer_not_found"
        helper.post(messages, json={"text": "放在居委会"})
    assert other.get(messages.replace("offer_", "offer_x")).status == 404


@pytest.mark.parametrize("text", ["13800138000", "加我 一三八零零一三八零零零", "0573-82838483"])
def test_phone_numbers_stay_out(talk, text):
    asker, _, messages, _ = talk
    assert asker.post(messages, json={"text": text}).code == "contact_in_text"
    assert lines(asker.get(messages)) == []


@pytest.mark.parametrize("text", ["", " ", "\u200b", "长" * 201, None, 5, "\x00", ["好"]])
def test_a_message_says_something(talk, text):
    asker, _, messages, _ = talk
    assert asker.post(messages, json={"text": text}).status == 422


def test_markup_stays_text(talk):
    asker, helper, messages, _ = talk
    asker.post(messages, json={"text": "<img src=x onerror=alert(1)>"})
    assert lines(helper.get(messages))[0]["text"] == "<img src=x onerror=alert(1)>"


def test_a_repeat_writes_once_and_other_words_are_refused(talk):
    asker, helper, messages, of = talk
    first = helper.post(messages, json={"text": "放在居委会"}, key="k")
    helper.post(f"{of}/cancel")
    again = helper.post(messages, json={"text": "放在居委会"}, key="k")
    assert (again.status, again.json["id"]) == (201, first.json["id"])
    assert helper.post(messages, json={"text": "别的"}, key="k").code == "idempotency_key_reused"
    assert len(lines(asker.get(messages))) == 1
    assert asker.told.count("help_message") == 1


def test_an_ended_offer_takes_no_more_but_can_be_read(talk):
    asker, helper, messages, of = talk
    helper.post(messages, json={"text": "放在居委会"})
    helper.post(f"{of}/cancel")
    for who in (asker, helper):
        assert who.post(messages, json={"text": "还在吗"}).code == "step_not_possible"
        assert len(lines(who.get(messages))) == 1


def test_after_the_collection_they_may_still_talk(talk):
    asker, helper, messages, of = talk
    helper.post(f"{of}/drop-off")
    asker.post(f"{of}/collect")
    assert asker.post(messages, json={"text": "收到了"}).status == 201


def test_sixty_messages_are_enough(talk):
    asker, _, messages, of = talk
    _, _, request, _, made = of.split("/")
    item = Offer.key(request, made)
    item.refresh()
    item.update([Offer.messages.set(rules.MESSAGES_AN_OFFER - 1)])
    assert asker.post(messages, json={"text": "最后一句"}).status == 201
    assert asker.post(messages, json={"text": "再一句"}).code == "too_many_messages"


def test_so_are_a_few_an_hour(talk, configure):
    configure("help", messages_an_hour=1)
    asker, _, messages, _ = talk
    assert [asker.post(messages, json={"text": "好"}).status for _ in range(2)] == [201, 429]


@pytest.mark.parametrize("text", ["", " ", "长" * 101, "谢谢，打13800138000"])
def test_thanks_are_a_sentence_without_a_phone_number(talk, text):
    asker, helper, _, of = talk
    helper.post(f"{of}/drop-off")
    asker.post(f"{of}/collect")
    assert asker.post(f"{of}/thanks", json={"text": text}).status in (409, 422)


def test_writing_costs_two_calls_and_reading_one(talk):
    asker, helper, messages, _ = talk
    helper.post(messages, json={"text": "放在居委会"})
    with budget() as spent:
        helper.post(messages, json={"text": "放在居委会"})
    assert spent.calls == ["dynamodb BatchGetItem", "dynamodb TransactWriteItems"]
    with budget() as spent:
        asker.get(messages)
    assert spent.calls == ["dynamodb Query"]
