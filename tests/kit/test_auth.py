"""Our own session: forged, expired, rotated and revoked tokens, and consent."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from itsdangerous import URLSafeSerializer, URLSafeTimedSerializer

from chalicelib.kit import auth, clock
from chalicelib.kit.auth import ConsentNeeded, Revocation, TokenExpired, TokenInvalid
from chalicelib.kit.errors import Unauthorized, Unavailable
from chalicelib.kit.settings import NotConfigured
from chalicelib.kit.transaction import transaction
from tests.engine import local_aws
from tests.engine.budget import budget, warm
from tests.engine.http import token_of
from tests.faults.faults import fault
from tests.kit.things import Named

NOW = clock.now()
CONSENT = auth.PrivacySettings().version
(KEY,) = local_aws.SECRETS["session_keys"]["session_keys"]

pytestmark = pytest.mark.usefixtures("empty_table")


def check(token: str, now=NOW) -> auth.Caller:
    return auth.check(f"Bearer {token}", now=now)


def token(**more) -> str:
    return token_of("resident_1", **{"now": NOW, **more})


def test_a_token_says_whose_it_is_and_when_it_ends():
    made, ends = auth.issue(resident_id="resident_1", openid="o1", session_version=3, consent=CONSENT, now=NOW)
    caller = check(made)
    assert (caller.id, caller.openid, caller.session_version, caller.consent) == ("resident_1", "o1", 3, CONSENT)
    assert caller.session.startswith("session_")
    assert caller.principal == "resident_1"
    assert ends == NOW + timedelta(hours=2)


def test_each_login_is_a_session_of_its_own_unless_it_goes_on():
    assert check(token()).session != check(token()).session
    session = check(token()).session
    assert check(token(session=session)).session == session


def test_a_token_lives_two_hours_and_no_second_longer():
    made = token()
    check(made, now=NOW + timedelta(hours=2, seconds=-2))
    with pytest.raises(TokenExpired) as caught:
        check(made, now=NOW + timedelta(hours=2))
    assert (caught.value.status, caught.value.code) == (401, "token_expired")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", "abc", "bearer"])
def test_who_says_nothing_has_to_log_in(header):
    with pytest.raises(Unauthorized) as caught:
        auth.check(header, now=NOW)
    assert caught.value.code == "login_needed"


@pytest.mark.parametrize(
    "nonsense",
    ["x", "a.b", "..", "é", "\ud800", "null", "W10.", "1" * 20_000, "W251bGwsIG51bGxd.abc", "\x00", "a b"],
)
def test_nonsense_is_no_token(nonsense):
    with pytest.raises(TokenInvalid):
        check(nonsense)


def test_bearer_may_be_written_as_one_likes():
    assert auth.check(f"bearer  {token()} ", now=NOW).id == "resident_1"


def test_a_token_with_any_character_changed_is_refused():
    made = token()
    for at in range(len(made) - 1):  # the last character of base64 may carry no bits at all
        with pytest.raises(TokenInvalid):
            check(made[:at] + ("A" if made[at] != "A" else "B") + made[at + 1 :])


@pytest.mark.parametrize(
    "claims",
    [
        ["resident_2"],
        ["resident_2", "o", "s", 1, CONSENT, "never"],
        ["resident_2", "o", "s", 1, CONSENT],
        {"id": "resident_2"},
        None,
        [],
        "resident_2",
    ],
)
def test_claims_of_another_shape_are_refused_though_well_signed(claims):
    with pytest.raises(TokenInvalid):
        check(URLSafeSerializer(KEY, salt="session").dumps(claims))


def test_a_token_signed_by_somebody_else_is_refused():
    claims = ["resident_2", "o", "s", 1, CONSENT, int(NOW.timestamp()) + 999]
    assert check(URLSafeSerializer(KEY, salt="session").dumps(claims)).id == "resident_2"
    for forger in (
        URLSafeSerializer("guessed", salt="session"),
        URLSafeSerializer("", salt="session"),
        URLSafeSerializer(KEY, salt="cursor"),
        URLSafeTimedSerializer(KEY, salt="session"),
    ):
        with pytest.raises(TokenInvalid):
            check(forger.dumps(claims))


def test_an_unsigned_token_is_refused():
    payload = base64.urlsafe_b64encode(f'["resident_2","o","s",1,"{CONSENT}",9999999999]'.encode()).decode()
    for forged in (payload, f"{payload}.", f"{payload}.none"):
        with pytest.raises(TokenInvalid):
            check(forged)


class TestKeys:
    def test_a_new_key_signs_and_the_old_one_still_opens(self, configure):
        old = token()
        configure("session_keys", session_keys=[KEY, "new key"])
        assert check(old).id == "resident_1"
        new = token()
        configure("session_keys", session_keys=["new key"])
        assert check(new).id == "resident_1"
        with pytest.raises(TokenInvalid):
            check(old)

    def test_without_a_key_nobody_gets_in_and_it_says_that_it_is_not_set_up(self, configure):
        made = token()
        configure("session_keys", session_keys=[])
        with pytest.raises(NotConfigured) as caught:
            check(made)
        assert caught.value.status == 503


class TestRevoking:
    def revoke(self, revocation: Revocation) -> None:
        with transaction() as tx:
            tx.put(revocation)

    def test_logging_out_ends_this_session_and_no_other(self):
        one, other = token(), token()
        self.revoke(Revocation.of_session(check(one), now=NOW))
        with pytest.raises(TokenExpired) as caught:
            check(one)
        assert caught.value.code == "session_ended"
        assert check(other).id == "resident_1"

    def test_logging_out_ends_what_continued_the_session(self):
        first = token()
        later = token(session=check(first).session)
        self.revoke(Revocation.of_session(check(first), now=NOW))
        with pytest.raises(TokenExpired):
            check(later)

    def test_all_sessions_of_a_resident_below_a_version_end(self):
        old, new, neighbour = token(session_version=1), token(session_version=2), token_of("resident_2")
        self.revoke(Revocation.of_resident("resident_1", below_version=2, now=NOW))
        with pytest.raises(TokenExpired):
            check(old)
        assert check(new).id == "resident_1"
        assert check(neighbour).id == "resident_2"

    def test_a_revocation_is_kept_longer_than_any_token_it_could_meet(self):
        caller = check(token())
        gone = Revocation.of_session(caller, now=NOW).expires_at
        assert gone >= (NOW + auth.TOKEN_LIFE).timestamp()

    def test_the_list_is_read_once_a_minute(self, monkeypatch):
        made = token()
        with warm(), budget() as spent:
            for _ in range(5):
                check(made)
        assert spent.calls == []

    def test_within_that_minute_a_container_may_not_know_and_then_it_does(self):
        made = token()
        with warm():
            self.revoke(Revocation.of_session(check(made), now=NOW))
            assert check(made).id == "resident_1"
            auth.forget_revocations()
            with pytest.raises(TokenExpired):
                check(made)

    def test_when_the_list_cannot_be_read_nobody_gets_in(self):
        made = token()
        with fault(call=None, kind="throttled"), pytest.raises(Exception, match="query|Failed"):
            check(made)


class TestConsent:
    def test_who_has_agreed_may_go_on(self):
        check(token()).require_consent()

    def test_who_has_not_may_not(self):
        with pytest.raises(ConsentNeeded) as caught:
            check(token(consent=False)).require_consent()
        assert (caught.value.status, caught.value.code) == (403, "consent_needed")

    def test_a_new_version_asks_everybody_again(self, configure):
        made = token()
        configure("privacy", version="2027-01-01")
        with pytest.raises(ConsentNeeded):
            check(made).require_consent()
        check(token()).require_consent()


def test_a_delegate_acts_in_the_affairs_of_another():
    caller = auth.Caller("resident_1", "o", "s", 1, CONSENT, acting_for="resident_2")
    assert (caller.id, caller.principal) == ("resident_1", "resident_2")


def test_errors_of_logging_in_are_problems():
    assert issubclass(TokenInvalid, Unauthorized)
    assert issubclass(NotConfigured, Unavailable)
    assert Named.status == 409
