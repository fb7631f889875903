"""A daughter acts for her father: with his word, in his name, as long as he wants."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from chalicelib.account import delegates, rules
from chalicelib.account.models import Invitation
from chalicelib.kit import clock, limits
from chalicelib.kit.auth import NotADelegate
from chalicelib.kit.http import ROUTES
from chalicelib.kit.transaction import transaction
from chalicelib.people import service as people
from chalicelib.people.models import Resident
from tests.engine.budget import budget
from tests.engine.http import Answer
from tests.engine.meanwhile import meanwhile
from tests.neighbourhood import Hood, Neighbour
from tests.security.routes import address, of_the_app

ERRAND = {"what": "errand", "title": "帮忙取药", "text": "腿脚不便，请帮忙到药店取一次药。"}


def invite(principal: Neighbour, key: str | None = None) -> str:
    answer = principal.post("/me/delegates", key=key)
    assert answer.status == 201, answer
    return str(answer.json["code"])


def accept(delegate: Neighbour, code: str) -> Answer:
    return delegate.post("/delegations", json={"code": code})


def make_delegate(principal: Neighbour, delegate: Neighbour) -> None:
    assert accept(delegate, invite(principal)).status == 201


@pytest.fixture
def father(hood: Hood) -> Neighbour:
    return hood.resident("老李")


@pytest.fixture
def daughter(hood: Hood) -> Neighbour:
    return hood.resident("李菊")


class TestAccepting:
    def test_both_see_it_and_the_father_is_told(self, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        assert [each["id"] for each in father.get("/me/delegates").json["items"]] == [daughter.id]
        assert [each["id"] for each in daughter.get("/delegations").json["items"]] == [father.id]
        assert father.told == ["delegate_accepted"]

    def test_the_code_may_be_typed_as_people_type(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father)
        assert accept(daughter, f"{code[:4].lower()} {code[4:].lower()}").status == 201

    def test_the_same_code_again_changes_and_tells_nothing(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father)
        first, again = accept(daughter, code), accept(daughter, code)
        assert (first.status, first.json) == (again.status, again.json)
        assert father.told == ["delegate_accepted"]

    def test_tapping_twice_at_once_accepts_once(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father)
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _: accept(daughter, code), range(4)))
        assert [answer.status for answer in answers] == [201] * 4
        assert father.told == ["delegate_accepted"]

    def test_a_code_used_by_somebody_else_is_refused(self, hood: Hood, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father)
        accept(daughter, code)
        answer = accept(hood.resident(), code)
        assert (answer.status, answer.code) == (409, "invitation_used")

    def test_of_two_at_once_one_becomes_the_delegate(self, hood: Hood, father: Neighbour) -> None:
        code, four = invite(father), [hood.resident() for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda neighbour: accept(neighbour, code), four))
        assert sorted(answer.status for answer in answers) == [201, 409, 409, 409]
        assert len(father.get("/me/delegates").json["items"]) == 1

    def test_ones_own_code_is_refused(self, father: Neighbour) -> None:
        answer = accept(father, invite(father))
        assert (answer.status, answer.code) == (409, "own_invitation")

    def test_an_old_code_is_refused(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father)
        late = clock.now() + rules.INVITATION_LIFE
        with pytest.raises(rules.InvitationUnknown):
            delegates.accept(caller=daughter.caller, code=code, now=late)

    @pytest.mark.parametrize("code", ["00000000", "ABCDEFGH", "口罩口罩口罩口罩", "../../..", "#" * 16])
    def test_a_guessed_code_is_refused(self, daughter: Neighbour, code: str) -> None:
        answer = accept(daughter, code)
        assert (answer.status, answer.code) == (404, "invitation_not_found")

    def test_nobody_guesses_for_long(self, father: Neighbour, daughter: Neighbour) -> None:
        most = rules.CODES_TRIED_A_DAY
        with transaction() as tx:
            day = timedelta(days=1)
            limits.spend(tx, daughter.id, "accept", at_most=most, per=day, now=clock.now(), cost=most - 1)
        assert accept(daughter, "00000000").code == "invitation_not_found"
        assert accept(daughter, invite(father)).code == "too_many_requests"

    def test_a_father_who_has_gone_meanwhile_has_no_delegate(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father)
        father.post("/me/close", json={"word": "注销"})
        assert accept(daughter, code).code == "invitation_not_found"

    def test_the_same_request_for_a_code_gets_the_same_code(self, father: Neighbour) -> None:
        assert invite(father, key="k") == invite(father, key="k")
        assert invite(father, key="l") != invite(father, key="k")
        assert invite(father) != invite(father)

    def test_nobody_works_out_a_code_from_the_request(self, hood: Hood, father: Neighbour) -> None:
        assert invite(father, key="k") != invite(hood.resident(), key="k")

    def test_ten_codes_a_day_are_enough(self, father: Neighbour) -> None:
        most = rules.INVITATIONS_A_DAY
        with transaction() as tx:
            limits.spend(tx, father.id, "invite", at_most=most, per=timedelta(days=1), now=clock.now(), cost=most)
        assert father.post("/me/delegates").code == "too_many_requests"


class TestActing:
    def test_what_the_daughter_does_is_the_fathers_and_says_who_did_it(
        self, father: Neighbour, daughter: Neighbour
    ) -> None:
        make_delegate(father, daughter)
        asked = daughter.post("/help-requests", json=ERRAND, acting_for=father.id)
        assert asked.status == 201, asked
        name = daughter.get("/me").json["nickname"]
        assert asked.json["asked_by_delegate"] == name
        assert asked.json["requester_name"] == father.get("/me").json["nickname"]
        assert [line["id"] for line in father.get("/help-requests/mine").json["items"]] == [asked.json["id"]]
        assert daughter.get("/help-requests/mine").json["items"] == []
        mine = daughter.get("/help-requests/mine", acting_for=father.id).json["items"]
        assert [line["id"] for line in mine] == [asked.json["id"]]

    def test_nobody_acts_or_reads_without_being_the_delegate(self, hood: Hood, father: Neighbour) -> None:
        asked = father.post("/help-requests", json=ERRAND).json["id"]
        stranger = hood.resident()
        for route in of_the_app(ROUTES):
            if route.delegable:
                path = address(route, request_id=asked)
                body = '{"text": "x", "reason": "x"}' if route.body else "{}"
                answer = hood.http.call(route.method, path, token=stranger.token, acting_for=father.id, body=body)
                assert answer.code in ("not_a_delegate", "invalid", "help_offer_not_found", "offer_not_found"), (
                    route.name,
                    answer,
                )
                assert answer.status >= 400
        assert stranger.post("/help-requests", json=ERRAND, acting_for=father.id).code == "not_a_delegate"
        assert stranger.get("/help-requests/mine", acting_for=father.id).code == "not_a_delegate"
        assert stranger.get(f"/help-requests/{asked}", acting_for=father.id).code == "not_a_delegate"

    def test_the_father_is_no_delegate_of_his_daughter(self, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        assert father.get("/help-requests/mine", acting_for=daughter.id).code == "not_a_delegate"

    def test_what_is_not_for_delegates_says_so(self, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        for route in of_the_app(ROUTES):
            if route.needs != "nobody" and not route.delegable:
                answer = daughter.hood.http.call(
                    route.method, address(route), token=daughter.token, acting_for=father.id, body="{}"
                )
                assert (answer.status, answer.code) == (403, "own_affair_only"), route.name

    def test_the_fathers_duties_are_not_hers_to_use(self, hood: Hood, daughter: Neighbour) -> None:
        worker = hood.staff("grid_worker")
        make_delegate(worker, daughter)
        neighbour = hood.resident()
        request = neighbour.post("/help-requests", json=ERRAND).json["id"]
        neighbour.post(f"/help-requests/{request}/withdraw")
        assert worker.get(f"/help-requests/{request}").status == 200
        assert daughter.get(f"/help-requests/{request}", acting_for=worker.id).status == 404
        assert (
            people.present(
                people.Caller(daughter.id, "o", "s", 0, "", acting_for=worker.id), now=clock.now(), needs_consent=False
            ).duties
            == []
        )

    @pytest.mark.parametrize("whom", ["res_nobody", "#", "ME", "x" * 300, "%23", "口罩"])
    def test_acting_for_nobody_is_refused(self, daughter: Neighbour, whom: str) -> None:
        answer = daughter.get("/help-requests/mine", acting_for=whom)
        assert (answer.status, answer.code) == (403, "not_a_delegate")

    def test_acting_for_oneself_is_no_delegation(self, daughter: Neighbour) -> None:
        assert daughter.get("/help-requests/mine", acting_for=daughter.id).code == "not_a_delegate"

    def test_a_father_who_withdrew_his_consent_is_not_acted_for(self, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        father.delete("/me/consent")
        assert daughter.post("/help-requests", json=ERRAND, acting_for=father.id).status == 403


class TestEnding:
    def test_a_revoked_delegate_is_told_and_acts_no_more(self, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        assert father.delete(f"/me/delegates/{daughter.id}").status == 204
        assert daughter.told == ["delegate_revoked"]
        assert daughter.post("/help-requests", json=ERRAND, acting_for=father.id).code == "not_a_delegate"
        assert daughter.get("/help-requests/mine", acting_for=father.id).code == "not_a_delegate"
        assert father.get("/me/delegates").json["items"] == daughter.get("/delegations").json["items"] == []

    def test_one_who_resigns_acts_no_more_and_the_father_is_told(self, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        assert daughter.delete(f"/delegations/{father.id}").status == 204
        assert father.told == ["delegate_accepted", "delegate_resigned"]
        assert daughter.post("/help-requests", json=ERRAND, acting_for=father.id).code == "not_a_delegate"

    def test_what_is_over_or_never_was_cannot_be_ended(self, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        father.delete(f"/me/delegates/{daughter.id}")
        for answer in (
            father.delete(f"/me/delegates/{daughter.id}"),
            daughter.delete(f"/delegations/{father.id}"),
            father.delete("/me/delegates/res_nobody"),
            father.delete(f"/me/delegates/{father.id}"),
        ):
            assert (answer.status, answer.code) == (404, "delegation_not_found")
        assert daughter.told == ["delegate_revoked"]

    def test_nobody_ends_the_delegation_of_others(self, hood: Hood, father: Neighbour, daughter: Neighbour) -> None:
        make_delegate(father, daughter)
        stranger = hood.resident()
        assert stranger.delete(f"/me/delegates/{daughter.id}").status == 404
        assert stranger.delete(f"/delegations/{father.id}").status == 404
        assert len(father.get("/me/delegates").json["items"]) == 1

    def test_the_old_code_does_not_bring_it_back(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father)
        accept(daughter, code)
        father.delete(f"/me/delegates/{daughter.id}")
        assert accept(daughter, code).code == "delegation_not_found"
        assert father.get("/me/delegates").json["items"] == []

    def test_one_revoked_in_the_middle_of_an_act_does_not_finish_it(
        self, father: Neighbour, daughter: Neighbour
    ) -> None:
        make_delegate(father, daughter)
        self.act_during(daughter, father, lambda: father.delete(f"/me/delegates/{daughter.id}"), NotADelegate)

    @pytest.mark.parametrize("path", ["/me/consent", "/sessions/revoke", "/me/close"])
    def test_one_who_leaves_in_the_middle_of_an_act_does_not_finish_it(
        self, father: Neighbour, daughter: Neighbour, path: str
    ) -> None:
        make_delegate(father, daughter)

        def leave() -> None:
            method = "DELETE" if path == "/me/consent" else "POST"
            daughter.hood.http.call(
                method, path, token=daughter.token, json={"word": "注销"} if "close" in path else {}
            )

        self.act_during(daughter, father, leave, (people.rules.SessionEnded, NotADelegate))

    @staticmethod
    def act_during(daughter: Neighbour, father: Neighbour, happens: object, error: object) -> None:
        caller = people.msgspec.structs.replace(daughter.caller, acting_for=father.id)
        person = people.present(caller, now=clock.now())
        assert (person.id, person.by, person.by_name) == (father.id, daughter.id, daughter.get("/me").json["nickname"])
        happens()  # type: ignore[operator]
        with pytest.raises(error), transaction() as tx:  # type: ignore[call-overload]
            tx.put(Resident("THINGS", father.id, nickname="x", created_at=clock.now()))
            person.still(tx)
        assert Resident.find("THINGS", father.id) is None


class TestPausing:
    """While the principal does not consent, nobody acts or reads for them; what they allowed comes back with it."""

    @pytest.fixture
    def readable(self, hood: Hood, father: Neighbour, daughter: Neighbour) -> dict[str, str]:
        """The daughter is his delegate; something of his lies at the desk, with a code and messages."""
        make_delegate(father, daughter)
        masks = {**ERRAND, "what": "goods", "quantity": 5, "unit": "只", "drop_point": "office"}
        ids = {"request_id": daughter.post("/help-requests", json=masks, acting_for=father.id).json["id"]}
        helper, path = hood.resident(), f"/help-requests/{ids['request_id']}/offers"
        ids["offer_id"] = helper.post(path, json={"quantity": 2}).json["id"]
        helper.post(f"{path}/{ids['offer_id']}/messages", json={"text": "放在门口了"})
        assert helper.post(f"{path}/{ids['offer_id']}/drop-off").status == 200
        return ids

    def answers(self, ids: dict[str, str], reader: Neighbour, father: Neighbour) -> dict[str, str | None]:
        """What each GET that a delegate may ask for answers."""
        found = {}
        for route in of_the_app(ROUTES):
            if route.delegable and route.method == "GET" and "redemption_id" not in route.path:
                answer = reader.get(address(route, **ids), acting_for=father.id)
                found[route.name] = answer.code
        assert len(found) == 6
        return found

    @staticmethod
    def withdraw(father: Neighbour) -> None:
        answer = father.delete("/me/consent")
        assert answer.status == 200
        father.token = answer.json["token"]

    def test_nothing_is_read_for_who_withdrew_the_consent_until_it_is_given_again(
        self, father: Neighbour, daughter: Neighbour, readable: dict[str, str]
    ) -> None:
        assert set(self.answers(readable, daughter, father).values()) == {None}
        self.withdraw(father)
        assert set(self.answers(readable, daughter, father).values()) == {"delegation_paused"}
        assert daughter.post("/help-requests", json=ERRAND, acting_for=father.id).code == "delegation_paused"
        father.consent()
        assert set(self.answers(readable, daughter, father).values()) == {None}

    def test_nothing_is_read_while_a_new_notice_waits_for_the_principal(
        self, father: Neighbour, daughter: Neighbour, readable: dict[str, str], configure: Callable[..., None]
    ) -> None:
        configure("privacy", version="2027-01-01")
        daughter.consent()
        assert set(self.answers(readable, daughter, father).values()) == {"delegation_paused"}

    def test_nothing_is_read_for_who_closed_the_account_even_before_it_is_erased(
        self, father: Neighbour, daughter: Neighbour, readable: dict[str, str]
    ) -> None:
        with transaction() as tx:
            tx.update(Resident.key(father.id), [Resident.state.set("closed")])
        assert set(self.answers(readable, daughter, father).values()) == {"not_a_delegate"}

    @pytest.mark.parametrize("how", ["/logout", "/sessions/revoke", "/me/consent"])
    def test_nothing_is_read_by_a_delegate_whose_own_session_has_ended(
        self,
        father: Neighbour,
        daughter: Neighbour,
        readable: dict[str, str],
        another_container: None,
        how: str,
    ) -> None:
        token = daughter.token
        daughter.delete(how) if how == "/me/consent" else daughter.post(how)
        daughter.token = token
        assert set(self.answers(readable, daughter, father).values()) == {"session_ended"}

    def test_it_is_one_call_and_no_second(
        self, father: Neighbour, daughter: Neighbour, readable: dict[str, str]
    ) -> None:
        with budget() as spent:
            assert daughter.get("/help-requests/mine", acting_for=father.id).status == 200
        assert spent.calls == ["dynamodb BatchGetItem", "dynamodb Query"]

    def test_one_whose_father_withdraws_in_the_middle_of_an_act_does_not_finish_it(
        self, father: Neighbour, daughter: Neighbour
    ) -> None:
        make_delegate(father, daughter)
        TestEnding.act_during(daughter, father, lambda: self.withdraw(father), people.rules.DelegationPaused)

    def test_who_ends_all_sessions_keeps_the_delegate(
        self, father: Neighbour, daughter: Neighbour, readable: dict[str, str]
    ) -> None:
        father.post("/sessions/revoke")
        assert set(self.answers(readable, daughter, father).values()) == {None}


class TestInvitations:
    def test_those_that_nobody_has_used_are_listed(self, hood: Hood, father: Neighbour, daughter: Neighbour) -> None:
        codes = [invite(father) for _ in range(3)]
        accept(daughter, codes[1])
        assert [each["code"] for each in father.get("/me/invitations").json["items"]] == [codes[2], codes[0]]
        assert daughter.get("/me/invitations").json["items"] == []
        late = clock.now() + rules.INVITATION_LIFE
        assert delegates.open_invitations(caller=father.caller, now=late) == []

    def test_one_taken_back_is_good_for_nobody(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father, key="k")
        for _ in range(2):
            assert father.delete(f"/me/invitations/{code}").status == 204
        assert accept(daughter, code).code == "invitation_not_found"
        assert father.get("/me/invitations").json["items"] == []

    def test_a_late_repeat_of_the_request_does_not_bring_it_back(self, father: Neighbour, daughter: Neighbour) -> None:
        code = invite(father, key="k")
        father.delete(f"/me/invitations/{code}")
        assert invite(father, key="k") == code
        assert accept(daughter, code).code == "invitation_not_found"

    def test_one_that_somebody_has_used_is_not_taken_back_without_a_word(
        self, father: Neighbour, daughter: Neighbour
    ) -> None:
        code = invite(father)
        accept(daughter, code)
        answer = father.delete(f"/me/invitations/{code}")
        assert (answer.status, answer.code) == (409, "invitation_accepted")
        assert len(father.get("/me/delegates").json["items"]) == 1

    @pytest.mark.parametrize("code", ["00000000", "x", "%23", "口罩", "x" * 300])
    def test_what_is_no_code_of_mine_is_not_found(self, hood: Hood, father: Neighbour, code: str) -> None:
        mine = invite(father)
        for answer in (father.delete(f"/me/invitations/{code}"), hood.resident().delete(f"/me/invitations/{mine}")):
            assert (answer.status, answer.code) == (404, "invitation_not_found")
        assert [each["code"] for each in father.get("/me/invitations").json["items"]] == [mine]

    @pytest.mark.parametrize("first", ["accepted", "taken back"])
    def test_accepted_and_taken_back_at_once_it_is_one_of_them(
        self, father: Neighbour, daughter: Neighbour, first: str
    ) -> None:
        code = invite(father)
        answers = []
        if first == "accepted":
            with meanwhile(f"INVITE#{code}", lambda: answers.append(accept(daughter, code))):
                answers.append(father.delete(f"/me/invitations/{code}"))
            assert [(answer.status, answer.code) for answer in answers] == [(201, None), (409, "invitation_accepted")]
        else:
            with meanwhile(f"INVITE#{code}", lambda: answers.append(father.delete(f"/me/invitations/{code}"))):
                answers.append(accept(daughter, code))
            assert [(answer.status, answer.code) for answer in answers] == [(204, None), (404, "invitation_not_found")]
        assert len(father.get("/me/delegates").json["items"]) == (1 if first == "accepted" else 0)

    @pytest.mark.parametrize("how", ["/sessions/revoke", "/me/consent"])
    def test_they_end_with_all_sessions_and_with_the_consent(
        self, father: Neighbour, daughter: Neighbour, how: str
    ) -> None:
        code = invite(father)
        father.delete(how) if how == "/me/consent" else father.post(how)
        assert accept(daughter, code).code == "invitation_not_found"
        father.log_in()
        father.consent()
        assert father.get("/me/invitations").json["items"] == []
        assert accept(daughter, code).code == "invitation_not_found"
        assert accept(daughter, invite(father)).status == 201

    def test_one_ended_in_the_middle_of_its_acceptance_is_not_accepted(
        self, father: Neighbour, daughter: Neighbour
    ) -> None:
        code = invite(father)
        with meanwhile(f"INVITE#{code}", lambda: father.post("/sessions/revoke")):
            assert accept(daughter, code).code == "invitation_not_found"

    def test_one_from_before_they_ended_with_the_sessions_is_asked_for_anew(
        self, father: Neighbour, daughter: Neighbour
    ) -> None:
        code = invite(father)
        Invitation.key(code).update([Invitation.session_version.remove()])
        assert accept(daughter, code).code == "invitation_not_found"


def test_an_invitation_goes_by_itself(father: Neighbour) -> None:
    code = invite(father)
    stored = Invitation.find(f"INVITE#{code}", "DELEGATE")
    assert stored.expires_at == int(stored.ends_at.timestamp())
