"""What the template promises in every stage and Region. cfn-lint runs in `make check`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.kit import settings
from local.packaging import ROOT
from tests.packaging.reach import Reach, code_of

STATEFUL = ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::KMS::Key")
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def of_type(template: dict[str, Any], *types: str) -> dict[str, dict[str, Any]]:
    return {name: resource for name, resource in template["Resources"].items() if resource["Type"] in types}


def test_the_template_belongs_to_no_partition_region_account_or_stage(package: Path) -> None:
    text = (package / "template.yaml").read_text(encoding="utf-8")
    assert "arn:aws" not in text
    assert not re.search(r"\b(us|eu|ap|cn)-[a-z]+-\d\b", text)
    assert not re.search(r"\b\d{12}\b", text)
    assert "stage=any" not in text
    # Service principals are spelled like this in every partition.
    assert set(re.findall(r"[a-z0-9.]*amazonaws\.com", text)) == {
        "apigateway.amazonaws.com",
        "lambda.amazonaws.com",
        "s3.amazonaws.com",
    }


def test_no_placeholder_of_app_py_is_left(package: Path) -> None:
    text = (package / "template.yaml").read_text(encoding="utf-8")
    assert not re.search(r"stream_arn|queue_arn|given-by|&id|\*id", text)


def test_the_api_is_regional_because_china_has_no_edge(template: dict[str, Any]) -> None:
    assert template["Resources"]["RestAPI"]["Properties"]["EndpointConfiguration"] == "REGIONAL"


def test_what_holds_data_survives_the_stack(template: dict[str, Any]) -> None:
    for name, resource in of_type(template, *STATEFUL).items():
        assert resource["DeletionPolicy"] == resource["UpdateReplacePolicy"] == "Retain", name
    for name, table in of_type(template, "AWS::DynamoDB::Table").items():
        assert table["Properties"]["DeletionProtectionEnabled"], name
        assert table["Properties"]["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name


def test_a_destroyed_key_can_be_restored_for_one_day_only(template: dict[str, Any]) -> None:
    recovery = template["Resources"]["VaultTable"]["Properties"]["PointInTimeRecoverySpecification"]
    assert recovery["RecoveryPeriodInDays"] == 1


def test_the_account_may_administer_the_vaults_key_and_its_alias_but_not_use_it(template: dict[str, Any]) -> None:
    administer, *use = template["Resources"]["VaultKey"]["Properties"]["KeyPolicy"]["Statement"]
    # KMS looks for the rights to an alias in the key's own policy too: without them the stack fails.
    assert {"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias", "kms:PutKeyPolicy"} <= set(administer["Action"])
    wraps = {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:CreateGrant", "kms:*"}
    assert wraps & set(administer["Action"]) == set()
    roles = of_type(template, "AWS::IAM::Role").values()
    for statement in use:
        needing = {
            role["Properties"]["RoleName"]["Fn::Sub"]
            for role in roles
            if statement["Action"] in json.dumps(role["Properties"]["Policies"])
        }
        named = statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]
        assert {role["Fn::Sub"].partition(":role/")[2] for role in named} == needing, "by their whole names"
    assert [statement["Action"] for statement in use] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_every_function_has_a_role_and_a_log_of_its_own(
    template: dict[str, Any], functions: dict[str, dict[str, Any]]
) -> None:
    roles = [json.dumps(properties["Role"]) for properties in functions.values()]
    assert len(set(roles)) == len(functions)
    logs = {
        json.dumps(group["Properties"]["LogGroupName"]) for group in of_type(template, "AWS::Logs::LogGroup").values()
    }
    for name, properties in functions.items():
        group = json.dumps(properties["FunctionName"]).replace("weijiayuan-", "/aws/lambda/weijiayuan-")
        assert group in logs, name
    for name, group in of_type(template, "AWS::Logs::LogGroup").items():
        assert group["Properties"]["RetentionInDays"] >= 180, name


def test_nobody_but_lambda_may_take_a_role(template: dict[str, Any]) -> None:
    for name, role in of_type(template, "AWS::IAM::Role").items():
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}, name


def statements(template: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (name, statement)
        for name, role in of_type(template, "AWS::IAM::Role").items()
        for policy in role["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]


def test_no_role_has_a_wildcard_for_an_action_or_for_everything(template: dict[str, Any]) -> None:
    for role, statement in statements(template):
        assert not [action for action in statement["Action"] if "*" in action], role
        resources = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        assert "*" not in resources, role


def test_no_role_may_read_a_whole_table_or_change_what_is_deployed(template: dict[str, Any]) -> None:
    services = {"dynamodb", "kms", "logs", "s3", "sqs", "ssm"}
    for role, statement in statements(template):
        assert "dynamodb:Scan" not in statement["Action"], role
        assert {action.partition(":")[0] for action in statement["Action"]} <= services, role


SETTING = re.compile(r"arn:.+:parameter/weijiayuan/\$\{Stage\}/([a-z_]+)")


@pytest.fixture(scope="module")
def reach() -> Reach:
    return Reach(code_of(ROOT))


def settings_of(role: dict[str, Any]) -> set[str]:
    """The groups of settings that a role may read, each by its name."""
    (policy,) = role["Properties"]["Policies"]
    groups: set[str] = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        if any(action.startswith("ssm:") for action in statement["Action"]):
            assert statement["Action"] == ["ssm:GetParameters"]
            named = [SETTING.fullmatch(resource["Fn::Sub"]) for resource in statement["Resource"]]
            assert None not in named, "a group of the stage's own, by its name"
            groups |= {name[1] for name in named if name}
    return groups


def test_a_function_asks_for_the_settings_its_code_can_come_to_read_and_its_role_allows_these_and_no_others(
    template: dict[str, Any], functions: dict[str, dict[str, Any]], reach: Reach
) -> None:
    for name, properties in functions.items():
        needed = reach.groups(properties["Handler"])
        listed = properties["Environment"]["Variables"].get("SETTINGS_GROUPS", "").split()
        assert listed == sorted(needed), f"SETTINGS_GROUPS of {name} in .chalice/resources.yaml"
        role = template["Resources"][properties["Role"]["Fn::GetAtt"][0]]
        assert settings_of(role) == needed, f"ssm:GetParameters of {name}'s role in .chalice/resources.yaml"


def test_every_group_that_is_registered_is_found_in_the_code_and_read_by_a_function(
    functions: dict[str, dict[str, Any]], reach: Reach
) -> None:
    __import__("app")
    assert settings._names <= set(reach.group_of.values())
    assert set(reach.group_of.values()) == set().union(*(reach.groups(each["Handler"]) for each in functions.values()))


def test_a_queue_waits_six_times_as_long_as_its_worker_may_take_and_keeps_what_fails(
    template: dict[str, Any], functions: dict[str, dict[str, Any]]
) -> None:
    fed = 0
    for name, properties in functions.items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "SQS":
                queue = template["Resources"][event["Properties"]["Queue"]["Fn::GetAtt"][0]]["Properties"]
                assert queue["VisibilityTimeout"] >= 6 * properties["Timeout"], name
                assert queue["RedrivePolicy"]["maxReceiveCount"] == 5, name
                assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
                fed += 1
    assert fed == 4


def alarmed_queues(template: dict[str, Any], metric: str) -> set[str]:
    return {
        alarm["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == metric
    }


def test_an_alarm_rings_for_a_dead_letter_and_for_a_queue_that_nobody_empties(template: dict[str, Any]) -> None:
    queues = set(of_type(template, "AWS::SQS::Queue"))
    dead_letters = {name for name in queues if name.endswith("DeadLetters")}
    assert alarmed_queues(template, "ApproximateNumberOfMessagesVisible") == dead_letters
    assert alarmed_queues(template, "ApproximateAgeOfOldestMessage") == queues - dead_letters


def test_an_alarm_rings_for_what_the_code_reports_in_the_stages_own_namespace(
    template: dict[str, Any], functions: dict[str, dict[str, Any]]
) -> None:
    reported = {
        alarm["Properties"]["MetricName"]: alarm["Properties"]["Namespace"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["Namespace"] not in ("AWS/ApiGateway", "AWS/Lambda", "AWS/SQS")
    }
    assert set(reported) == {"crash", "administrator_needed", "points_mismatches", "points_total_wrong"}
    for function, properties in functions.items():
        for namespace in reported.values():
            assert properties["Environment"]["Variables"]["METRICS_NAMESPACE"] == namespace, function


def test_an_alarm_rings_when_the_minute_timer_stands_still(template: dict[str, Any]) -> None:
    alarm = template["Resources"]["SweepStandsStillAlarm"]["Properties"]
    assert alarm["Dimensions"] == [{"Name": "FunctionName", "Value": {"Ref": "Sweep"}}]
    assert (alarm["MetricName"], alarm["TreatMissingData"]) == ("Invocations", "breaching")


def test_every_alarm_is_heard(template: dict[str, Any]) -> None:
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "Alarms"}], name


def test_every_function_has_an_alarm_for_its_errors(
    template: dict[str, Any], functions: dict[str, dict[str, Any]]
) -> None:
    watched = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Ref"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "Errors"
    }
    assert watched == set(functions)


def test_the_stream_starts_the_dispatcher_for_waiting_notices_only(functions: dict[str, dict[str, Any]]) -> None:
    (event,) = functions["DispatchNotices"]["Events"].values()
    (pattern,) = event["Properties"]["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"kind": {"S": ["notice"]}, "push_state": {"S": ["waiting"]}}},
    }
    assert event["Properties"]["BisectBatchOnFunctionError"]
    assert event["Properties"]["DestinationConfig"]["OnFailure"]["Type"] == "SQS"


def test_the_stream_starts_a_look_at_stock_for_what_moved_in_two_seconds(functions: dict[str, dict[str, Any]]) -> None:
    (event,) = functions["LookAtStock"]["Events"].values()
    (pattern,) = event["Properties"]["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT", "MODIFY"],
        "dynamodb": {"NewImage": {"kind": {"S": ["stock_bucket"]}}},
    }
    assert event["Properties"]["MaximumBatchingWindowInSeconds"] == 2
    assert event["Properties"]["BatchSize"] == 1000
    assert event["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_an_alarm_rings_when_the_stream_is_not_read_in_time(template: dict[str, Any]) -> None:
    late = {
        alarm["Properties"]["Dimensions"][0]["Value"]["Ref"]
        for alarm in of_type(template, "AWS::CloudWatch::Alarm").values()
        if alarm["Properties"]["MetricName"] == "IteratorAge"
    }
    assert late == {"DispatchNotices", "LookAtStock"}


GATEWAY_ANSWERS = (
    "BAD_REQUEST_BODY",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "INTEGRATION_TIMEOUT",
    "MISSING_AUTHENTICATION_TOKEN",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNSUPPORTED_MEDIA_TYPE",
)


@pytest.mark.parametrize("kind", GATEWAY_ANSWERS)
def test_what_the_gateway_answers_by_itself_is_a_problem_in_chinese(template: dict[str, Any], kind: str) -> None:
    body = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    answers = body["x-amazon-apigateway-gateway-responses"]
    assert sorted(answers) == sorted(GATEWAY_ANSWERS)
    answer = answers[kind]
    problem = json.loads(answer["responseTemplates"]["application/json"])
    assert CHINESE.search(problem["title"])
    assert CHINESE.search(problem["detail"])
    assert re.fullmatch(r"[a-z_]+", problem["code"])
    assert answer.get("statusCode") == (str(problem["status"]) if "status" in problem else None)
    header = answer["responseParameters"]["gatewayresponse.header.Content-Type"]
    assert header == "'application/problem+json; charset=utf-8'"
