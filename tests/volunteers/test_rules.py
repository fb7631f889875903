"""Who may volunteer, without AWS."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.kit.errors import Invalid
from chalicelib.volunteers import rules
from chalicelib.volunteers.rules import Contact

TODAY = date(2020, 2, 10)


class TestAge:
    @pytest.mark.parametrize(
        ("born", "on", "years"),
        [
            (date(2004, 2, 10), date(2020, 2, 9), 15),
            (date(2004, 2, 10), date(2020, 2, 10), 15),  # complete on the day after the birthday
            (date(2004, 2, 10), date(2020, 2, 11), 16),
            (date(2004, 2, 29), date(2020, 2, 29), 15),
            (date(2004, 2, 29), date(2020, 3, 1), 16),
            (date(2004, 2, 29), date(2021, 2, 28), 16),
            (date(2004, 2, 29), date(2021, 3, 1), 17),
            (date(2003, 12, 31), date(2019, 12, 31), 15),
            (date(2003, 12, 31), date(2020, 1, 1), 16),
        ],
    )
    def test_a_year_is_full_on_the_day_after_the_birthday(self, born: date, on: date, years: int) -> None:
        assert rules.age(born, on) == years
        assert rules.needs_guardian(born, on) == (years < 16)

    @given(st.dates(max_value=date(2300, 1, 1)), st.integers(0, 60_000))
    def test_nobody_grows_younger(self, born: date, days: int) -> None:
        on = born + timedelta(days=days)
        assert 0 <= rules.age(born, on + timedelta(days=1)) - rules.age(born, on) <= 1

    @pytest.mark.parametrize("born", [TODAY + timedelta(days=1), date(9999, 12, 31), date(1899, 2, 9), date.min])
    def test_who_is_not_born_yet_or_too_old_to_live_is_refused(self, born: date) -> None:
        with pytest.raises(Invalid) as wrong:
            rules.checked_birth(born, TODAY)
        assert wrong.value.fields.keys() == {"birth"}

    @pytest.mark.parametrize("born", [TODAY, date(2012, 2, 10), date(2019, 6, 1)])
    def test_who_is_too_young_to_agree_to_anything_is_refused(self, born: date) -> None:
        with pytest.raises(Invalid) as wrong:
            rules.checked_birth(born, TODAY)
        assert "未满 8 岁" in wrong.value.fields["birth"]

    @pytest.mark.parametrize("born", [date(2012, 2, 9), date(2010, 1, 1), date(1900, 2, 10)])
    def test_from_eight_years_on_whoever_may_live_may_apply(self, born: date) -> None:
        assert rules.checked_birth(born, TODAY) == born


class TestContacts:
    def test_a_phone_is_kept_in_one_form(self) -> None:
        kept = rules.checked_contact(Contact(" 王  秀英", "138 5730-0011", "母亲"))
        assert kept == Contact("王 秀英", "+8613857300011", "母亲")

    def test_what_nobody_can_call_is_no_phone(self) -> None:
        with pytest.raises(Invalid) as wrong:
            rules.checked_contact(Contact("王秀英", "82838483", "母亲"), within="contact")
        assert wrong.value.fields.keys() == {"contact.phone"}

    def test_names_that_nobody_sees_are_none(self) -> None:
        with pytest.raises(Invalid) as wrong:
            rules.checked_contact(Contact("\u200b", "13857300011", "\u3000"), within="contact")
        assert wrong.value.fields.keys() == {"contact.name", "contact.relation"}
        with pytest.raises(Invalid):
            rules.checked_name("\u2060")

    @pytest.mark.parametrize("typed", ["陈\u200b建君", "\u202e君建陈", "——", "12345", "😀", "陈\x00建君"])
    def test_what_no_document_says_is_no_real_name(self, typed: str) -> None:
        with pytest.raises(Invalid) as wrong:
            rules.checked_name(typed)
        assert wrong.value.fields.keys() == {"name"}

    @pytest.mark.parametrize("typed", ["陈建君", "阿卜杜拉·买买提", "John O'Neil", "𱍐\U000323af", "\ue863君"])
    def test_rare_and_foreign_names_are_names(self, typed: str) -> None:
        assert rules.checked_name(f" {typed} ") == typed


def test_nothing_is_chosen_twice() -> None:
    rules.checked_choice(skills=[], free_times=["weekend_day", "weekend_evening"])
    with pytest.raises(Invalid) as wrong:
        rules.checked_choice(skills=["law", "law"], free_times=["weekend_day"])
    assert wrong.value.fields.keys() == {"skills"}


class TestLifeCycle:
    def test_leaving_is_possible_from_wherever_something_is_known_of_somebody(self) -> None:
        assert rules.VOLUNTEER.before("left") == {"applied", "approved", "declined"}

    def test_only_what_waits_is_decided(self) -> None:
        assert rules.VOLUNTEER.before("approved") == rules.VOLUNTEER.before("declined") == {"applied"}

    def test_whoever_is_no_volunteer_may_apply(self) -> None:
        assert rules.VOLUNTEER.before("applied") == {"none", "declined", "left"}

    def test_every_state_and_choice_has_its_words(self) -> None:
        assert rules.STATES.keys() == rules.VOLUNTEER.states
        assert set(rules.SKILLS) == set(rules.Skill.__args__)  # type: ignore[attr-defined]
        assert set(rules.FREE_TIMES) == set(rules.FreeTime.__args__)  # type: ignore[attr-defined]


def test_the_address_on_a_statement_has_tls_but_on_ones_own_machine() -> None:
    for good in ("", "https://wjy.example.cn/api", "http://127.0.0.1:8092/api"):
        assert msgspec.convert({"check_address": good}, rules.VolunteerSettings).check_address == good
    for bad in ("http://wjy.example.cn/api", "wjy.example.cn", "http://127.0.0.1.example.cn/api"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"check_address": bad}, rules.VolunteerSettings)
