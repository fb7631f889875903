"""Logs and metrics."""

from __future__ import annotations

import pytest
from pynamodb.exceptions import PutError

from chalicelib.kit import aws, log
from tests.faults.faults import fault
from tests.kit.things import shelf


def test_a_metric_is_what_cloudwatch_extracts(logs):
    log.count("push", outcome="sent", channel="one_time")
    (metric,) = logs.metrics
    assert (metric["push"], metric["outcome"], metric["channel"]) == (1, "sent", "one_time")
    assert metric["_aws"]["CloudWatchMetrics"] == [
        {"Namespace": "Weijiayuan", "Dimensions": [["channel", "outcome"]], "Metrics": [{"Name": "push"}]}
    ]
    assert 1_600_000_000_000 < metric["_aws"]["Timestamp"] < 9_999_999_999_999


def test_a_metric_without_dimensions_is_one_too(logs):
    log.count("crash", by=3)
    (metric,) = logs.metrics
    assert metric["crash"] == 3
    assert metric["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_a_line_is_json_with_the_facts_given_and_where_it_was_written(logs):
    log.begin(route="GET /inbox")
    log.logger.warning("wechat_unavailable", extra={"reason": "超时", "answer_lost": True})
    (line,) = logs.lines
    assert line.pop("timestamp").endswith("+0000")
    assert line.pop("location").startswith("test_a_line_is_json")
    facts = {"reason": "超时", "answer_lost": True}
    said = {"level": "WARNING", "message": "wechat_unavailable", "service": "weijiayuan"}
    assert line == {**said, "route": "GET /inbox", **facts}


def test_a_crash_says_where_and_not_what(logs):
    try:
        raise KeyError("李菊")
    except KeyError as error:
        log.crash(error, timer="expire")
    (line,) = logs.lines
    assert (line["error"], line["timer"]) == ("KeyError", "expire")
    assert line["at"][0].startswith("test_log.py:")
    assert "李菊" not in logs.text
    assert [metric["crash"] for metric in logs.metrics] == [1]


def test_an_error_that_was_never_raised_can_be_reported(logs):
    log.crash(RuntimeError())
    assert logs.lines[0]["at"] == []


def test_keys_of_one_invocation_do_not_leak_into_the_next(logs):
    log.begin(route="one", person="resident_1")
    log.logger.info("a")
    log.begin(route="two")
    log.logger.info("b")
    assert logs.lines[0]["person"] == "resident_1"
    assert "person" not in logs.lines[1]


def test_a_refusal_of_aws_is_told_by_its_code_and_a_cut_line_has_none():
    there = shelf()
    codes = {}
    for kind in ("throttled", "cut_before"):
        with fault(call=None, kind=kind), pytest.raises(PutError) as caught:
            there.save()
        codes[kind] = aws.error_code(caught.value)
    assert codes == {"throttled": "ProvisionedThroughputExceededException", "cut_before": None}
    assert aws.error_code(KeyError()) is None
