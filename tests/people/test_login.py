"""Logging in with WeChat's code, staying logged in, and logging out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.kit import auth, clock, limits, vault
from chalicelib.kit.errors import Conflict
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import OpenidLink, Resident
from tests.engine import local_aws
from tests.engine.budget import budget
from tests.engine.http import Answer, Http, token_of
from tests.neighbourhood import Hood, Neighbour
from tests.people.looking import everything, items


def refused(answer: Answer, status: int, code: str) -> str:
    """The Chinese reason of a refusal."""
    assert (answer.status, answer.code) == (status, code), answer
    assert any("\u4e00" <= character <= "\u9fff" for character in answer.json["detail"])
    return str(answer.json["detail"])


class TestTheFirstTime:
    def test_somebody_new_becomes_a_resident_who_has_not_consented(self, hood: Hood) -> None:
        answer = hood.somebody("李菊").log_in()
        assert answer.json["resident_id"].startswith("res_")
        assert answer.json["nickname"].startswith("邻居")
        assert answer.json["consent_needed"] is True
        assert answer.json["ends_at"].endswith("+08:00")

    @pytest.mark.usefixtures("empty_table")
    def test_the_openid_stands_nowhere_in_the_table(self, hood: Hood) -> None:
        neighbour = hood.somebody()
        openid = neighbour.caller.openid
        assert people.openid_of(people.find(neighbour.id)) == openid
        assert openid not in everything()

    def test_the_same_person_is_the_same_resident_in_another_session(self, hood: Hood) -> None:
        neighbour = hood.somebody()
        first_id, first = neighbour.id, neighbour.caller
        neighbour.log_in()
        assert neighbour.id == first_id
        assert neighbour.caller.session != first.session

    def test_two_people_are_two_residents(self, hood: Hood) -> None:
        assert hood.somebody().id != hood.somebody().id

    def test_two_first_logins_at_once_make_one_resident(self, hood: Hood) -> None:
        phone = f"twice{hood.district}"
        hood.wechat.add_person(phone, "两部手机")
        neighbours = [Neighbour(hood, "两部手机", phone) for _ in range(6)]
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda neighbour: neighbour.log_in(), neighbours))
        assert [answer.status for answer in answers] == [200] * 6
        assert len({neighbour.id for neighbour in neighbours}) == 1
        assert all(neighbour.get("/me").status == 200 for neighbour in neighbours)

    def test_a_login_just_after_the_account_was_closed_is_told_to_try_again(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        neighbour = hood.somebody()
        resident = people.find(neighbour.id)
        openid = neighbour.caller.openid
        assert neighbour.post("/me/close", json={"word": "注销"}).status == 204
        link = OpenidLink.key(openid)
        link.resident_id = resident.id  # as it was read a moment before
        monkeypatch.setattr(OpenidLink, "find", lambda *_: link)
        refused(neighbour.log_in(), 401, "account_closed")


class TestWeChatSaysNo:
    def test_a_code_works_only_once(self, hood: Hood, http: Http) -> None:
        code = hood.wechat.login_code(hood.somebody().phone)
        assert http.post("/login", json={"code": code}).status == 200
        assert "再登录一次" in refused(http.post("/login", json={"code": code}), 401, "login_code_invalid")

    @pytest.mark.parametrize("code", ["made-up", "口罩", " ", "x" * 256])
    def test_a_code_that_is_none_is_refused(self, hood: Hood, http: Http, code: str) -> None:
        refused(http.post("/login", json={"code": code}), 401, "login_code_invalid")

    @pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": None}, {"code": 1}, {"code": "x" * 257}])
    def test_a_request_without_a_code_is_wrong(self, http: Http, body: dict[str, object]) -> None:
        assert http.post("/login", json=body).wrong.keys() == {"code"}

    def test_a_code_too_old_is_refused(self, hood: Hood, http: Http) -> None:
        code = hood.wechat.login_code(hood.somebody().phone)
        hood.wechat.pass_time(301)
        refused(http.post("/login", json={"code": code}), 401, "login_code_invalid")

    @pytest.mark.parametrize(
        ("errcode", "status", "code"),
        [
            (40029, 401, "login_code_invalid"),
            (40163, 401, "login_code_invalid"),
            (40226, 403, "account_blocked_by_wechat"),
            (45011, 429, "login_too_often"),
            (40125, 503, "wechat_refused"),
        ],
    )
    def test_the_reason_is_told_in_chinese(self, hood: Hood, errcode: int, status: int, code: str) -> None:
        neighbour = hood.somebody()
        hood.wechat.break_("errcode", "/sns/jscode2session", errcode=errcode)
        refused(neighbour.log_in(), status, code)

    @pytest.mark.parametrize("trouble", ["down", "html", "bad_gateway", "drop_answer"])
    def test_while_wechat_is_out_of_order_one_is_asked_to_try_later(self, hood: Hood, trouble: str) -> None:
        neighbour = hood.somebody()
        hood.wechat.break_(trouble, "/sns/jscode2session")
        answer = neighbour.log_in()
        refused(answer, 503, "wechat_unavailable")
        assert int(answer.headers["retry-after"]) > 0
        hood.wechat.mend()
        assert neighbour.log_in().status == 200

    @pytest.mark.parametrize("body", ["{}", "[]", '{"openid": 5}', '{"openid": ""}', '{"openid": "a b"}', "null"])
    def test_an_answer_without_an_openid_logs_nobody_in(self, hood: Hood, body: str) -> None:
        neighbour = hood.somebody()
        hood.wechat.break_("body", "/sns/jscode2session", body=body)
        assert neighbour.log_in().status == 503


def test_thirty_logins_an_hour_are_enough_and_the_next_is_told_when(hood: Hood) -> None:
    neighbour = hood.somebody()
    most = people.LOGINS_AN_HOUR
    with transaction() as tx:
        limits.spend(tx, neighbour.id, "login", at_most=most, per=timedelta(hours=1), now=clock.now(), cost=most - 1)
    answer = neighbour.log_in()
    refused(answer, 429, "too_many_requests")
    assert 0 < int(answer.headers["retry-after"]) <= 3600


class TestGuessing:
    """A wrong code costs us a call to WeChat, and nobody has to be logged in to send one."""

    def test_who_sends_wrong_codes_is_stopped_before_wechat_is_asked(self, hood: Hood, http: Http, few: None) -> None:
        for _ in range(3):
            refused(http.post("/login", json={"code": "made-up"}), 401, "login_code_invalid")
        with budget() as spent:
            answer = http.post("/login", json={"code": "made-up"})
        refused(answer, 429, "too_many_requests")
        assert 0 < int(answer.headers["retry-after"]) <= 3600
        assert spent.calls == ["dynamodb GetItem"]

    def test_of_many_at_the_same_moment_each_counts(self, hood: Hood, http: Http, few: None) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: http.post("/login", json={"code": "made-up"}), range(8)))
        assert [answer.status for answer in answers].count(401) <= 3
        refused(http.post("/login", json={"code": "made-up"}), 429, "too_many_requests")

    def test_people_elsewhere_log_in_as_ever(self, hood: Hood, few: None) -> None:
        hood.http.address = "203.0.113.7"
        for _ in range(4):
            hood.http.post("/login", json={"code": "made-up"})
        hood.http.address = "203.0.113.8"
        assert hood.somebody().log_in().status == 200

    def test_right_codes_are_not_counted(self, hood: Hood, few: None) -> None:
        for _ in range(5):
            hood.somebody()  # logs in

    def test_no_address_is_kept(self, hood: Hood, empty_table: str) -> None:
        hood.http.address = "203.0.113.7"
        hood.http.post("/login", json={"code": "made-up"})
        assert "203.0.113.7" not in str(items())

    @pytest.fixture
    def few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "WRONG_CODES_AN_HOUR", 3)


class TestTheToken:
    @pytest.mark.parametrize("forged", ["x", "a.b", "W10.", "null"])
    def test_a_forged_one_is_refused(self, hood: Hood, http: Http, forged: str) -> None:
        refused(http.get("/me", token=forged), 401, "token_invalid")

    def test_one_of_somebody_who_never_was_leads_nowhere(self, hood: Hood, http: Http) -> None:
        refused(http.get("/me", token=token_of("res_nobody")), 401, "account_closed")

    def test_an_old_one_asks_to_log_in_again(self, hood: Hood, http: Http) -> None:
        neighbour = hood.somebody()
        old = token_of(neighbour.id, session_version=0, now=clock.now() - timedelta(hours=2))
        assert "重新登录" in refused(http.get("/me", token=old), 401, "token_expired")

    def test_a_new_key_of_ours_takes_over_without_a_logout(self, hood: Hood, configure: Callable[..., None]) -> None:
        neighbour = hood.somebody()
        (key,) = local_aws.SECRETS["session_keys"]["session_keys"]
        configure("session_keys", session_keys=[key, "a new key"])
        assert neighbour.get("/me").status == 200
        configure("session_keys", session_keys=["a new key"])
        refused(neighbour.get("/me"), 401, "token_invalid")


class TestLoggingOut:
    def test_it_ends_this_session_and_no_other(self, hood: Hood) -> None:
        neighbour = hood.somebody()
        here = neighbour.token
        neighbour.log_in()
        there = neighbour.token
        assert hood.http.post("/logout", token=here).status == 204
        refused(hood.http.get("/me", token=here), 401, "session_ended")
        assert hood.http.get("/me", token=there).status == 200

    def test_it_ends_what_continued_the_session_too(self, hood: Hood) -> None:
        neighbour = hood.somebody()
        before = neighbour.token
        neighbour.consent()
        assert hood.http.post("/logout", token=before).status == 204
        refused(neighbour.get("/me"), 401, "session_ended")

    def test_everywhere_means_every_phone_and_this_one(self, hood: Hood) -> None:
        neighbour = hood.somebody()
        here = neighbour.token
        neighbour.log_in()
        other = hood.somebody()
        assert neighbour.post("/sessions/revoke").status == 204
        for token in (here, neighbour.token):
            refused(hood.http.get("/me", token=token), 401, "session_ended")
        assert other.get("/me").status == 200
        assert neighbour.log_in().status == 200
        assert neighbour.get("/me").status == 200

    def test_another_container_may_read_on_for_a_minute_but_not_act(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        neighbour = hood.resident()
        monkeypatch.setattr(auth, "forget_revocations", lambda: None)  # the other container does not hear of it
        neighbour.get("/inbox")
        assert neighbour.post("/sessions/revoke").status == 204
        assert neighbour.get("/inbox").status == 200
        refused(neighbour.put("/me/residence", json={"area": hood.grid}), 401, "session_ended")
        auth._revocations.forget()
        refused(neighbour.get("/inbox"), 401, "session_ended")

    def test_an_act_under_way_when_all_sessions_end_is_not_done(
        self, hood: Hood, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        neighbour = hood.resident()
        person = people.present(neighbour.caller, now=clock.now())
        assert neighbour.post("/sessions/revoke").status == 204
        with pytest.raises(people.rules.SessionEnded), transaction() as tx:
            tx.put(Resident("THINGS", "X", nickname="x", created_at=clock.now()))
            person.still(tx)
        assert Resident.find("THINGS", "X") is None

    def test_two_at_once_end_them_all_and_one_may_have_to_look_again(self, hood: Hood) -> None:
        neighbour = hood.somebody()
        resident = people.find(neighbour.id)
        with transaction() as tx:
            people.end_sessions(tx, resident, now=clock.now())
        with pytest.raises(Conflict), transaction() as tx:
            people.end_sessions(tx, resident, now=clock.now())


def test_a_key_made_for_nobody_is_taken_back(hood: Hood, monkeypatch: pytest.MonkeyPatch) -> None:
    neighbour = hood.somebody()
    openid = neighbour.caller.openid
    opened: list[str] = []
    monkeypatch.setattr(vault, "open_for", lambda subject, real=vault.open_for: (opened.append(subject), real(subject)))
    assert people._register(openid, clock.now()).id == neighbour.id
    with pytest.raises(vault.KeyDestroyed):
        vault.seal(opened[0], "x", "x")
