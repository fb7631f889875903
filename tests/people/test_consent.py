"""Nothing works before the privacy notice was agreed to, and taking it back is as easy."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.kit import auth, clock
from chalicelib.kit.auth import ConsentNeeded
from chalicelib.kit.http import ROUTES, Route
from chalicelib.people import service as people
from tests.engine.http import Answer, Http
from tests.neighbourhood import Hood, Neighbour
from tests.security.routes import address, of_the_app


def needing(what: str) -> list[str]:
    return sorted(route.name for route in of_the_app(ROUTES) if route.needs == what)


def call(neighbour: Neighbour, route: Route) -> Answer:
    return neighbour.hood.http.call(route.method, address(route), token=neighbour.token, body="{}")


def test_before_consent_every_route_that_needs_it_says_so(hood: Hood) -> None:
    neighbour = hood.somebody()
    answers = {route.name: call(neighbour, route) for route in of_the_app(ROUTES) if route.needs == "consent"}
    assert {name: answer for name, answer in answers.items() if answer.code != "consent_needed"} == {}
    assert {answer.status for answer in answers.values()} == {403}
    assert len(answers) > 40


def test_only_the_way_in_and_the_way_out_need_none(http: Http) -> None:
    assert needing("login") == [
        "DELETE /me/consent",
        "GET /me",
        "GET /me/copy",
        "POST /logout",
        "POST /me/close",
        "POST /me/consent",
        "POST /me/copy",
        "POST /sessions/revoke",
    ]
    assert needing("nobody") == [
        "GET /areas",
        "GET /privacy-notice",
        "GET /statements/{number}",
        "GET /statements/{number}/page",
        "GET /wechat/callback",
        "POST /login",
        "POST /wechat/callback",
    ]


def test_the_notice_is_there_to_be_read_before_logging_in(http: Http) -> None:
    notice = http.get("/privacy-notice").json
    assert notice["version"] == auth.privacy().version
    assert "注销" in notice["text"]


def test_agreeing_opens_the_rest_and_says_since_when(hood: Hood) -> None:
    neighbour = hood.somebody()
    assert neighbour.get("/me").json["consented_at"] is None
    answer = neighbour.consent()
    assert answer.json["consent_needed"] is False
    assert neighbour.get("/inbox").status == 200
    assert neighbour.get("/me").json["consented_at"].endswith("+08:00")


def test_the_token_from_before_still_does_not_open_it(hood: Hood) -> None:
    neighbour = hood.somebody()
    before = neighbour.token
    neighbour.consent()
    assert hood.http.get("/inbox", token=before).code == "consent_needed"


def test_agreeing_twice_changes_nothing_but_the_time(hood: Hood) -> None:
    neighbour = hood.resident()
    assert neighbour.consent().json["consent_needed"] is False


@pytest.mark.parametrize("version", ["1999-01-01", "x", "' OR 1=1"])
def test_agreeing_to_what_is_not_in_force_is_refused(hood: Hood, version: str) -> None:
    answer = hood.somebody().post("/me/consent", json={"version": version})
    assert (answer.status, answer.code) == (409, "consent_outdated")


def test_a_new_notice_asks_everybody_again(hood: Hood, configure: Callable[..., None]) -> None:
    neighbour = hood.resident()
    configure("privacy", version="2027-05-01", notice="新的说明")
    assert neighbour.get("/inbox").code == "consent_needed"
    assert neighbour.get("/me").json["consent_needed"] is True
    assert neighbour.consent().json["consent_needed"] is False
    assert neighbour.get("/inbox").status == 200


class TestTakingItBack:
    def test_it_ends_all_sessions_and_leaves_the_way_out(self, hood: Hood) -> None:
        neighbour = hood.resident()
        before = neighbour.token
        answer = neighbour.delete("/me/consent")
        neighbour.token = answer.json["token"]
        assert answer.json["consent_needed"] is True
        assert hood.http.get("/me", token=before).code == "session_ended"
        assert neighbour.get("/inbox").code == "consent_needed"
        me = neighbour.get("/me").json
        assert (me["consent_needed"], me["consented_at"]) == (True, None)
        assert neighbour.post("/me/copy").status == 202
        assert neighbour.post("/me/close", json={"word": "注销"}).status == 204

    def test_it_can_be_given_again(self, hood: Hood) -> None:
        neighbour = hood.resident()
        neighbour.token = neighbour.delete("/me/consent").json["token"]
        neighbour.consent()
        assert neighbour.get("/inbox").status == 200

    def test_it_bites_at_once_for_acts_even_with_an_older_token(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        neighbour = hood.resident()
        neighbour.get("/inbox")
        monkeypatch.setattr(auth, "forget_revocations", lambda: None)  # another container, within its minute
        assert neighbour.delete("/me/consent").status == 200
        answer = neighbour.put("/me/residence", json={"area": hood.grid})
        assert answer.code in ("session_ended", "consent_needed")

    def test_it_bites_in_the_middle_of_an_act(self, hood: Hood) -> None:
        neighbour = hood.resident()
        caller = neighbour.caller
        neighbour.delete("/me/consent")
        with pytest.raises((ConsentNeeded, people.rules.SessionEnded)):
            people.present(caller, now=clock.now())
