"""The rules of posts alone, without AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.people import rules as people_rules
from chalicelib.posts import rules
from chalicelib.posts.models import Post, area_of, partition

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
HERE = "330402001001"


def post(**change: Any) -> Any:
    return SimpleNamespace(**{"state": "shown", "area": HERE, "author": "res_a", "ends_at": None, **change})


class TestTheLifeOfAPost:
    def test_what_is_over_is_never_shown_again(self):
        assert {state for state in rules.STATES if not rules.POST.moves.get(state)} == {"ended", "withdrawn", "removed"}
        assert rules.POST.states == rules.STATES.keys()

    def test_why_it_cannot_be_taken_back_is_said_of_every_end(self):
        ends = rules.POST.states - rules.POST.moves.keys()
        assert len({rules.why_not(state) for state in ends}) == len(ends)

    @pytest.mark.parametrize(
        ("given_", "is_over"),
        [
            ({}, False),
            ({"state": "ended"}, True),
            ({"ends_at": NOW + timedelta(seconds=1)}, False),
            ({"ends_at": NOW}, True),
        ],
    )
    def test_it_is_over_at_the_moment_it_ends(self, given_, is_over):
        assert rules.over(post(**given_), NOW) is is_over


class TestTheEnd:
    @pytest.mark.parametrize("after", [timedelta(minutes=30), timedelta(days=7), timedelta(days=366)])
    def test_half_an_hour_to_a_year_ahead(self, after):
        rules.check_end(NOW + after, NOW)
        rules.check_end(None, NOW)

    @pytest.mark.parametrize("after", [timedelta(0), -timedelta(days=1), timedelta(minutes=29), timedelta(days=367)])
    def test_no_sooner_and_no_later(self, after):
        with pytest.raises(rules.EndInvalid) as wrong:
            rules.check_end(NOW + after, NOW)
        assert wrong.value.fields.keys() == {"ends_at"}


class TestWhoLivesThere:
    @pytest.mark.parametrize(
        ("home", "state", "lives"),
        [
            (HERE, "waiting", True),
            (f"{HERE}001002", "confirmed", True),
            (f"{HERE}001002", "declined", False),
            (HERE[:9], "confirmed", False),
            ("330402001002", "confirmed", False),
            (None, "none", False),
        ],
    )
    def test_an_area_means_every_home_in_it(self, home, state, lives):
        assert people_rules.lives_in(home, state, HERE) is lives


class TestWhatEarnsNothing:
    def test_in_the_order_in_which_it_is_said(self):
        ended, own = post(state="ended"), post(author="res_me")
        at_home = {"reader": "res_me", "home": HERE, "home_state": "confirmed", "now": NOW}
        assert rules.no_points(ended, **at_home) == "ended"
        assert rules.no_points(own, **at_home) == "own_post"
        assert rules.no_points(post(), **{**at_home, "home": None}) == "not_here"
        assert rules.no_points(post(), **at_home) is None

    def test_every_reason_is_told_in_chinese(self):
        assert all(not text.isascii() for text in rules.NO_POINTS.values())


class TestIds:
    def test_a_post_is_known_by_its_name_and_its_area(self):
        made = Post("POST#post_abc", "POST", area=HERE)
        assert made.id == f"post_abc.{HERE}"
        assert (partition(made.id), area_of(made.id)) == ("POST#post_abc", HERE)

    @pytest.mark.parametrize(
        "wrong", ["", "post_abc", "post_abc.", ".", "post_abc.33", "post_abc.330402x", "a.b.330402"]
    )
    def test_an_id_without_an_area_names_none(self, wrong):
        assert area_of(wrong) is None
