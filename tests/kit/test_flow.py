"""Life cycles as data."""

import pytest

from chalicelib.kit.errors import Refused
from chalicelib.kit.flow import Flow

flow = Flow({"open": {"covered", "withdrawn"}, "covered": {"open", "done"}})


class NotNow(Refused):
    code, detail = "not_now", "现在不行。"


def test_only_what_is_drawn_is_allowed():
    assert flow.allows("open", "covered")
    assert not flow.allows("open", "done")
    assert not flow.allows("open", "open")


def test_an_end_leads_nowhere():
    assert not any(flow.allows("done", state) for state in flow.states)
    assert not any(flow.allows("withdrawn", state) for state in flow.states)


def test_an_unknown_state_leads_nowhere():
    assert not flow.allows("forgotten", "open")


def test_a_refused_move_raises_the_error_it_was_given():
    flow.check("open", "covered", or_raise=NotNow())
    with pytest.raises(NotNow):
        flow.check("done", "open", or_raise=NotNow())


def test_a_flow_knows_its_states_and_how_each_is_reached():
    assert flow.states == {"open", "covered", "withdrawn", "done"}
    assert flow.before("open") == {"covered"}
    assert flow.before("done") == {"covered"}
    assert flow.before("nowhere") == set()
