"""Many at the same moment, with real threads against the engine: what is promised never exceeds what is needed."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.help.models import HelpRequest
from chalicelib.kit import clock
from tests.help.street import (
    MASKS,
    Street,
    ask,
    at_once,
    bring,
    check_books,
    code_of,
    notices,
    offer,
    path,
    review_of,
    run_offer,
    run_request,
    states,
    stored,
)


def posting(who: Any, where: str, body: Any = None, key: str | None = None) -> Any:
    return lambda: who.post(where, json=body, key=key) if body is not None else who.post(where, key=key)


def lapsing(request: str, made: str) -> Any:
    return lambda: run_offer(request, made, clock.now() + timedelta(hours=49))


def test_thirty_two_neighbours_offer_on_a_need_of_five(street: Street) -> None:
    request, helpers = ask(street.resident()), street.residents(32)
    answers = at_once(*(posting(who, f"/help-requests/{request}/offers", {"quantity": 1}) for who in helpers))
    assert [answer.status for answer in answers].count(201) == 5
    assert {answer.code for answer in answers if answer.status != 201} <= {"more_than_needed", "request_not_open"}
    whole = check_books(request)
    assert (whole.request.state, len(whole.offers)) == ("covered", 5)
    assert street.open_list(helpers[0]) == []


def test_offers_of_different_sizes_never_exceed_the_need(street: Street) -> None:
    request, helpers = ask(street.resident(), quantity=20), street.residents(16)
    wanted = [random.randint(1, 7) for _ in helpers]
    answers = at_once(
        *(
            posting(who, f"/help-requests/{request}/offers", {"quantity": quantity})
            for who, quantity in zip(helpers, wanted, strict=True)
        )
    )
    assert {answer.code for answer in answers if answer.status != 201} <= {"more_than_needed", "request_not_open"}
    whole = check_books(request)
    taken = sum(quantity for quantity, answer in zip(wanted, answers, strict=True) if answer.status == 201)
    assert taken == whole.request.offered
    left = whole.request.left
    assert all(quantity > left for quantity, answer in zip(wanted, answers, strict=True) if answer.status != 201)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_at_once_the_books_are_right(street: Street, seed: int) -> None:
    """Offers, cancellations, lapses, flags and a withdrawal, all in one moment."""
    owner, helpers, strangers = street.resident(), street.residents(6), street.residents(3)
    request = ask(owner, quantity=12)
    made = [offer(who, request, 2) for who in helpers[:4]]
    acts = [
        *(posting(who, f"/help-requests/{request}/offers", {"quantity": 2}) for who in helpers[4:]),
        *(posting(who, path(request, each, "cancel")) for who, each in zip(helpers[:2], made[:2], strict=True)),
        *(lapsing(request, each) for each in made[:3]),
        posting(helpers[3], path(request, made[3], "drop-off")),
        *(posting(who, f"/help-requests/{request}/flags", {"reason": "other"}) for who in strangers),
        lambda: run_request(request, clock.now()),
    ]
    if seed:
        acts.append(posting(owner, f"/help-requests/{request}/withdraw"))
    random.Random(seed).shuffle(acts)
    answers = [answer for answer in at_once(*acts) if hasattr(answer, "status")]
    assert {answer.status for answer in answers} <= {200, 201, 204, 404, 409}, answers
    check_books(request)
    for each in helpers:
        assert len(notices(each, "help_your_offer_lapsed")) <= 1


def test_an_offer_is_either_brought_or_lapsed(street: Street) -> None:
    for _ in range(4):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = offer(helper, request)
        brought, _ = at_once(posting(helper, path(request, made, "drop-off")), lapsing(request, made))
        ended = "dropped_off" if brought.status == 200 else "lapsed"
        assert states(request) == [ended]
        assert (len(notices(asker, "help_dropped_off")), len(notices(helper, "help_your_offer_lapsed"))) == (
            (1, 0) if ended == "dropped_off" else (0, 1)
        )
        check_books(request)


def test_a_request_is_not_withdrawn_over_goods_just_brought(street: Street) -> None:
    for _ in range(4):
        asker, helper = street.residents(2)
        request = ask(asker)
        made = offer(helper, request)
        brought, withdrawn = at_once(
            posting(helper, path(request, made, "drop-off")), posting(asker, f"/help-requests/{request}/withdraw")
        )
        assert sorted((brought.status, withdrawn.status)) == [200, 409], (brought, withdrawn)
        assert (stored(request).state, states(request)) in [
            ("covered", ["dropped_off"]),
            ("withdrawn", ["cancelled"]),
        ]
        check_books(request)


def test_two_staff_with_the_same_code_hand_over_once(street: Street) -> None:
    request, helper = ask(street.resident()), street.resident()
    made = bring(helper, request)
    clerks = [street.staff("desk_clerk") for _ in range(4)]
    answers = at_once(*(posting(clerk, "/pick-ups", {"code": code_of(request, made)}) for clerk in clerks))
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert {answer.code for answer in answers if answer.status != 200} == {"pick_up_code_used"}
    assert helper.told == ["help_collected"]
    check_books(request)


def test_staff_hand_over_the_offers_of_one_request_at_once(street: Street) -> None:
    """Each changes the request under the others, who then read it again; their duty still counts once."""
    request, helpers = ask(street.resident(), quantity=6), street.residents(6)
    codes = [code_of(request, bring(helper, request, 1)) for helper in helpers]
    clerks = [street.staff("desk_clerk") for _ in codes]
    answers = at_once(*(posting(clerk, "/pick-ups", {"code": code}) for clerk, code in zip(clerks, codes, strict=True)))
    assert [answer.status for answer in answers] == [200] * 6, answers
    assert check_books(request).request.collected == 6


def test_the_third_flag_twice_at_once_hides_once(street: Street) -> None:
    asker, flaggers = street.resident(), street.residents(6)
    request = ask(asker)
    flags = f"/help-requests/{request}/flags"
    for each in flaggers[:2]:
        each.post(flags, json={"reason": "fraud"})
    answers = at_once(*(posting(each, flags, {"reason": "other"}) for each in flaggers[2:]))
    assert sorted(answer.status for answer in answers) == [204, 404, 404, 404]
    assert stored(request).state == "in_review"
    assert asker.told == ["content_hidden_by_flags"]
    assert review_of(asker, "help_request").flags == ["可能是骗人的", "可能是骗人的", "其他"]


@pytest.mark.parametrize(
    "act", ["ask", "offer", "drop-off", "collect", "cancel", "thanks", "message", "withdraw", "object"]
)
def test_a_double_tap_gives_the_same_answer_twice(street: Street, act: str) -> None:
    asker, helper = street.residents(2)
    if act == "ask":
        taps = at_once(*[posting(asker, "/help-requests", MASKS, "k")] * 3)
    else:
        request = ask(asker)
        made = "" if act in ("offer", "withdraw") else offer(helper, request)
        if act in ("collect", "thanks", "object"):
            helper.post(path(request, made, "drop-off"))
        if act in ("thanks", "object"):
            asker.post(path(request, made, "collect"))
        who, where, body = {
            "offer": (helper, f"/help-requests/{request}/offers", {"quantity": 5}),
            "drop-off": (helper, path(request, made, "drop-off"), None),
            "collect": (asker, path(request, made, "collect"), None),
            "cancel": (helper, path(request, made, "cancel"), None),
            "thanks": (asker, path(request, made, "thanks"), {"text": "谢谢"}),
            "message": (helper, path(request, made, "messages"), {"text": "放在门口了"}),
            "withdraw": (asker, f"/help-requests/{request}/withdraw", None),
            "object": (asker, f"/help-requests/{request}/object", {"reason": "不好"}),
        }[act]
        taps = at_once(*[posting(who, where, body, "k")] * 3)
        check_books(request)
    assert {tap.status for tap in taps} <= {200, 201}, taps
    assert len({tap.json["id"] for tap in taps}) == 1


def test_a_timer_that_ran_meanwhile_is_not_set_again_by_an_offer(street: Street) -> None:
    """The grid worker's list forgets a request that is answered in the moment it is escalated."""
    for _ in range(3):
        request, helper = ask(street.resident()), street.resident()
        run_request(request, clock.now())
        at_once(
            posting(helper, f"/help-requests/{request}/offers", {"quantity": 1}),
            lambda request=request: run_request(request, clock.now() + timedelta(days=1)),
        )
        whole = check_books(request)
        assert whole.request.timer == "help.close"
        unanswered = HelpRequest.collection(whole.request.pk, "UNANSWERED")
        assert unanswered == []
