"""What the template of deploy/aws promises, beside what make lint-aws checks."""

import re
from typing import Any

import pytest
import yaml
from django.core.management import get_commands, load_command_class

from tests.deploy.template import (
    ROOT,
    WRITABLE,
    as_list,
    container,
    environment,
    of_type,
    properties,
    schedules,
    secrets,
    statements,
    template,
)

TASKS = list(of_type("AWS::ECS::TaskDefinition"))
EXAMPLE = set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
# What the tasks are given beside: what entrypoint.sh sets in Docker, and what is of the image, gunicorn and Django.
BESIDE = {"PIPELINE_ROLE", "AUTHORITIES", "GUNICORN_CMD_ARGS", "DJANGO_SUPERUSER_PASSWORD"}
SETTINGS = (ROOT / "pipeline_project" / "settings.py").read_text(encoding="utf-8")
SECRETS = set(re.findall(r'(?:env\.secret|addresses\.secret_\w+)\("(\w+)"', SETTINGS))


def wired() -> set[str]:
    return {name for task in TASKS for name in (*environment(task), *secrets(task))}


def test_it_wires_each_variable_of_the_example_or_says_why_not() -> None:
    not_set = template()["Metadata"]["NotSet"]
    assert all(not_set.values())
    assert wired() & not_set.keys() == set()
    assert (wired() | not_set.keys()) - BESIDE == EXAMPLE - BESIDE


def test_it_hands_a_secret_over_from_the_manager_alone() -> None:
    assert len(SECRETS) > 8
    assert SECRETS & {name for task in TASKS for name in environment(task)} == set()
    held = {name for name, each in template()["Resources"].items() if each["Type"] == "AWS::SecretsManager::Secret"}
    given = {name for name in template()["Parameters"] if name.endswith("SecretArn")}
    for task in TASKS:
        for name, origin in secrets(task).items():
            if name == "AUTHORITIES":  # certificates, which are for all to see
                assert origin == {"Ref": "AuthoritiesParameter"}
            elif name == "POSTGRES_PASSWORD":
                assert origin == {"Fn::Sub": "${Database.MasterUserSecret.SecretArn}:password::"}
            else:
                assert origin["Ref"] in held | given


@pytest.mark.parametrize(
    ("task", "known"),
    [
        ("Migrate", {"POSTGRES_PASSWORD", "LOADER_PASSWORD", "WEB_PASSWORD", "DJANGO_SUPERUSER_PASSWORD"}),
        ("Loader", {"LOADER_PASSWORD", "MSK_SOURCE_PASSWORD", "PSEUDONYM_KEY", "ALERT_WEBHOOK_URL", "PING_URL"}),
        ("Web", {"WEB_PASSWORD", "SECRET_KEY", "OIDC_CLIENT_SECRET", "METRICS_TOKEN"}),
    ],
)
def test_a_task_knows_its_own_secrets_and_can_read_no_other(task: str, known: set[str]) -> None:
    origins = secrets(task)
    del origins["AUTHORITIES"]
    assert origins.keys() == known
    role = properties(task)["ExecutionRoleArn"]["Fn::GetAtt"][0]
    (policy,) = properties(role)["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    readable = [each["Fn::If"][1] if "Fn::If" in each else each for each in statement["Resource"]]
    assert sorted(map(arn_of, origins.values())) == sorted(map(arn_of, readable))


def arn_of(value: dict[str, Any]) -> str:
    """Return the name of what holds a secret, without what is picked out of it."""
    if "Ref" in value:
        return str(value["Ref"])
    if "Fn::GetAtt" in value:
        return ".".join(value["Fn::GetAtt"])
    return str(re.findall(r"^\$\{([\w.]+)\}", value["Fn::Sub"])[0])


def test_no_task_may_do_anything_in_aws() -> None:
    assert not [task for task in TASKS if "TaskRoleArn" in properties(task)]


def test_it_allows_no_action_by_a_star_and_a_star_as_resource_only_where_aws_knows_no_other_word() -> None:
    starred = []
    for statement in statements():
        assert not [action for action in as_list(statement["Action"]) if "*" in action]
        if "*" in as_list(statement.get("Resource", [])):
            starred.append(statement)
    keys = properties("Key")["KeyPolicy"]["Statement"]
    assert len(keys) == 3
    assert [each["Action"] for each in starred if each not in keys] == ["ecr:GetAuthorizationToken"]


@pytest.mark.parametrize("task", TASKS)
def test_a_container_is_nobody_special_and_writes_to_tmp_alone(task: str) -> None:
    described = container(task)
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", described["User"])
    assert described["ReadonlyRootFilesystem"] is True
    assert described["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}
    assert [mount["ContainerPath"] for mount in described["MountPoints"]] == [WRITABLE]
    assert not described.get("Privileged")


def commands() -> dict[str, list[str]]:
    own = {task: container(task)["Command"] for task in TASKS if "Command" in container(task)}
    return own | {name: overrides["command"] for name, overrides in schedules().items()}


@pytest.mark.parametrize("who", commands())
def test_a_command_is_one_of_manage_py_with_options_that_it_takes(who: str) -> None:
    python, manage, command, *options = commands()[who]
    assert (python, manage) == ("python", "manage.py")
    load_command_class(get_commands()[command], command).create_parser("manage.py", command).parse_args(options)


def test_a_schedule_changes_the_container_that_its_task_has() -> None:
    assert {overrides["name"] for overrides in schedules().values()} == {container("Loader")["Name"]}


@pytest.mark.parametrize("source", ["MSK", "COVID"])
def test_a_schedule_says_in_six_fields_when_cron_would_run_a_source(source: str) -> None:
    (cron,) = re.findall(rf"^#{source}_CRON=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    minute, hour, day, month, weekday = cron.split()
    assert (day, month, weekday) == ("*", "*", "*")
    schedule = properties(f"Run{source.capitalize()}")
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    expression = template()["Parameters"][schedule["ScheduleExpression"]["Ref"]]["Default"]
    # Minutes, hours, day of the month, month, day of the week, year; of the two days one has to be a question mark.
    assert expression == f"cron({minute} {hour} * * ? *)"


@pytest.mark.parametrize("source", ["Msk", "Covid"])
def test_silence_is_what_the_settings_call_stale(source: str) -> None:
    alarm = properties(f"{source}Silence")
    hours = environment("Loader")[f"{source.upper()}_MAX_AGE_HOURS"]
    assert (alarm["Period"], alarm["EvaluationPeriods"]) == (3600, hours)
    assert alarm["TreatMissingData"] == {"Fn::If": ["IsServing", "breaching", "notBreaching"]}
    (metric,) = properties(f"{source}Succeeded")["MetricTransformations"]
    assert metric["DefaultValue"] == 0  # without a point in each hour the last good one would count for long
    assert environment("Web")[f"{source.upper()}_MAX_AGE_HOURS"] == hours


def test_each_alarm_calls_people() -> None:
    alarms = of_type("AWS::CloudWatch::Alarm")
    assert len(alarms) > 7
    assert all(alarm["AlarmActions"] == [{"Ref": "People"}] for alarm in alarms.values())


def test_the_database_logs_no_row_as_in_docker() -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    options = [word.split("=") for word in compose["services"]["db"]["command"] if "=" in word]
    assert len(options) == 3
    assert dict(options).items() <= properties("DatabaseParameters")["Parameters"].items()


# --- The rule for failed tasks


def matches(pattern: Any, value: Any) -> bool:
    """Tell whether an event matches a pattern of EventBridge; of its operators this knows those that we use."""
    if isinstance(pattern, dict):
        if isinstance(value, list):  # of several containers one is enough
            return any(matches(pattern, each) for each in value)
        return all(
            any(matches(each, value) for each in wanted) if key == "$or" else matches(wanted, (value or {}).get(key))
            for key, wanted in pattern.items()
        )
    return any(_is_one_of(wanted, value) for wanted in pattern)


def _is_one_of(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, dict) and "anything-but" in wanted:
        return value is not None and value not in wanted["anything-but"]
    return bool(wanted == value)


def ended(code: int | None, **changes: Any) -> dict[str, Any]:
    """Return what ECS tells of a task of ours that has ended, as far as we look at it."""
    exit_code = {} if code is None else {"exitCode": code}
    task = {
        "clusterArn": {"Fn::GetAtt": ["Cluster", "Arn"]},
        "lastStatus": "STOPPED",
        "stopCode": "EssentialContainerExited",
        "containers": [{"name": "loader", "lastStatus": "STOPPED", **exit_code}],
    }
    return {"source": "aws.ecs", "detail-type": "ECS Task State Change", "detail": task | changes}


@pytest.mark.parametrize(
    ("event", "is_told"),
    [
        pytest.param(ended(0), False, id="succeeded"),
        pytest.param(ended(75), False, id="skipped"),
        pytest.param(ended(1), True, id="failed"),
        pytest.param(ended(130), True, id="interrupted"),
        pytest.param(ended(137), True, id="killed, as where memory ran out"),
        pytest.param(ended(None, stopCode="TaskFailedToStart"), True, id="never started"),
        pytest.param(ended(None, lastStatus="RUNNING", stopCode=None), False, id="at work"),
        pytest.param(ended(1, clusterArn="another"), False, id="another's"),
    ],
)
def test_people_are_told_of_a_task_that_failed(event: dict[str, Any], is_told: bool) -> None:
    assert matches(properties("FailedTask")["EventPattern"], event) is is_told
