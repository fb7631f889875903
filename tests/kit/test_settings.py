"""Settings that an administrator changes without a deployment."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from chalicelib.kit import keys, settings
from chalicelib.kit.errors import Unavailable
from chalicelib.kit.settings import NotConfigured
from tests.engine import local_aws
from tests.engine.budget import budget
from tests.faults.faults import fault


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    hours: int = 8
    note: str = "周一到周五"


@pytest.fixture
def group(monkeypatch):
    """`group("name")` makes a group that only this test knows."""
    monkeypatch.setattr(settings, "_names", set(settings._names))

    def make(name="opening", shape=Opening):
        return settings.group(name, shape)

    yield make
    settings.forget()


def test_what_nobody_set_has_its_defaults(group):
    assert group()() == Opening()


def test_a_change_bites_without_a_deployment(group, configure):
    read = group()
    assert read().hours == 8
    configure("opening", hours=9)
    assert read() == Opening(hours=9)
    configure("opening", hours=10, note="每天")
    assert read() == Opening(10, "每天")


def test_a_removed_document_means_the_defaults_again(group, configure):
    read = group()
    configure("opening", hours=9)
    assert read().hours == 9
    local_aws.remove_setting("opening")
    assert read().hours == 8


@pytest.mark.parametrize(
    "broken", ["{", " ", "[]", '"9"', '{"hours": "nine"}', '{"hours": 9, "typo": 1}', '{"hours": null}', "\\ud800"]
)
def test_a_broken_document_keeps_the_last_good_one_in_force(group, configure, logs, broken):
    read = group()
    configure("opening", hours=9)
    read()
    configure("opening", broken)
    assert read().hours == 9
    assert [line["message"] for line in logs.lines] == ["settings_invalid"]
    assert [metric["administrator_needed"] for metric in logs.metrics] == [1]
    assert logs.lines[0]["group"] == "opening"
    configure("opening", hours=7)
    assert read().hours == 7


def test_a_broken_document_is_reported_once_and_not_at_each_reading(group, configure, logs):
    read = group()
    configure("opening", "{")
    with pytest.raises(NotConfigured):
        read()
    with pytest.raises(NotConfigured):
        read()
    assert len(logs.lines) == 1


def test_when_the_very_first_document_is_broken_it_says_not_set_up(group, configure):
    configure("opening", "{")
    with pytest.raises(NotConfigured) as caught:
        group()()
    assert caught.value.status == 503


def test_a_secret_is_never_logged(configure, logs):
    keys.session_keys()
    configure("session_keys", '{"session_keys": "top-secret"}')
    assert keys.session_keys() == local_aws.SECRETS["session_keys"]["session_keys"]
    assert "settings_invalid" in logs.text
    assert "top-secret" not in logs.text


def test_all_groups_are_one_call(group, monkeypatch):
    monkeypatch.setattr(settings, "_names", {"privacy", "session_keys"})  # with all others it would be more than ten
    reads = [group(f"group{number}") for number in range(4)]
    settings.forget()
    with budget() as spent:
        settings.forget()
        for read in reads:
            read()
    assert spent.calls == ["ssm GetParameters"]


def test_a_function_asks_for_its_own_groups_alone(group, configure, monkeypatch):
    read = group()
    group("of_another_function")
    configure("opening", hours=9)
    monkeypatch.setenv("SETTINGS_GROUPS", "opening points")
    settings.forget()
    with fault(call=1, kind="throttled", attempts=0) as it:
        assert read().hours == 9
    assert json.loads(it.sent[0])["Names"] == [f"{local_aws.SETTINGS_PREFIX}/{name}" for name in ("opening", "points")]


def test_a_group_that_a_function_does_not_name_is_a_crash_and_not_its_defaults(group, configure, monkeypatch):
    monkeypatch.setenv("SETTINGS_GROUPS", "points")
    with pytest.raises(LookupError, match="opening"):
        group()()


def test_a_slice_that_is_loaded_later_reads_its_document_and_not_its_defaults(group, configure, monkeypatch):
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "3600")
    assert group()().hours == 8
    local_aws.put_setting("evening", {"hours": 2})
    try:
        assert group("evening")().hours == 2
    finally:
        local_aws.remove_setting("evening")


def test_more_groups_than_one_call_takes_are_several(group, configure):
    reads = [group(f"group{number}") for number in range(12)]
    configure("group11", hours=3)
    assert [read().hours for read in reads] == [8] * 11 + [3]


def test_within_a_minute_nobody_is_asked_again(group, configure, monkeypatch):
    read = group()
    read()
    monkeypatch.setenv("SETTINGS_TTL_SECONDS", "60")
    configure("opening", hours=8)
    read()
    local_aws.put_setting("opening", {"hours": 9})
    with fault(call=1, kind="error_500") as it:
        assert read().hours == 8
    assert it.calls == []
    settings.forget()
    assert read().hours == 9


def test_when_parameter_store_is_down_the_last_known_stays_in_force(group, configure, logs):
    read = group()
    configure("opening", hours=9)
    read()
    with fault(call=None, kind="error_500"):
        assert read().hours == 9
    assert logs.lines[0]["message"] == "settings_unreachable"


@pytest.mark.parametrize("kind", ["error_500", "throttled", "cut_before"])
def test_when_parameter_store_is_down_at_the_very_start_it_says_try_again(group, kind):
    read = group()
    settings.forget()
    with fault(call=None, kind=kind), pytest.raises(Unavailable) as caught:
        read()
    assert caught.value.status == 503
    assert read().hours == 8


def test_threads_that_read_first_all_get_it(group, configure):
    configure("opening", hours=9)
    read = group()
    settings.forget()
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(lambda _: read().hours, range(64))) == {9}


def test_secrets_that_are_not_set_are_told_as_not_set_up(configure):
    assert keys.openid_pepper() == b"pepper-of-the-tests"
    configure("openid_pepper", openid_pepper="")
    with pytest.raises(NotConfigured):
        keys.openid_pepper()
