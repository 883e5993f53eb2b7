"""What docs/deploy-aws.md says of the template is in the template."""

import json
import re

import pytest

from tests.deploy.template import ROOT, container, of_type, template

GUIDE = (ROOT / "docs" / "deploy-aws.md").read_text(encoding="utf-8")
COMMANDS = "".join(re.findall(r"```console\n(.*?)```", GUIDE, re.DOTALL))
OVERRIDES = re.findall(r"--overrides '(.*?)'", COMMANDS)


def test_it_sets_parameters_that_there_are() -> None:
    deployed = re.findall(r"\bdeploy ((?:\"?\w+=[^\s`]+ ?)+)", GUIDE)
    named = {name for words in deployed for name in re.findall(r"(\w+)=", words)}
    listed = set(re.findall(r"^(\w+)=", GUIDE, re.MULTILINE))
    assert len(named) > 4
    assert len(listed) > 10
    assert named | listed <= template()["Parameters"].keys()


def test_its_first_deployment_names_each_parameter_without_a_default() -> None:
    needed = {name for name, each in template()["Parameters"].items() if "Default" not in each}
    assert needed <= set(re.findall(r"^(\w+)=", GUIDE, re.MULTILINE)) | {"Image", "MigrateImage"}


def test_it_asks_for_outputs_that_there_are_and_for_each() -> None:
    asked = set(re.findall(r"(?:\$\(|`)output (\w+)", GUIDE))
    of_a_kind = {"LoaderPassword", "SecretKey"}  # which are used as WebPassword is
    assert asked | of_a_kind == template()["Outputs"].keys()
    assert all(f"`{name}`" in GUIDE for name in of_a_kind)


def test_it_explains_each_alarm() -> None:
    (table,) = re.findall(r"^\| alarm \|.*\n\|[-|]+\n((?:\|.*\n)+)", GUIDE, re.MULTILINE)
    assert set(re.findall(r"`([A-Z]\w+)`", "".join(row.split("|")[1] for row in table.splitlines()))) == set(
        of_type("AWS::CloudWatch::Alarm")
    )


def test_it_uses_words_that_it_has_made() -> None:
    assert COMMANDS.count("deploy() {") == COMMANDS.count("output() {") == 1
    assert all(line.startswith("$ ") for line in COMMANDS.splitlines())


@pytest.mark.parametrize("override", OVERRIDES)
def test_it_gives_a_task_another_command_by_the_name_of_its_container(override: str) -> None:
    (changed,) = json.loads(override)["containerOverrides"]
    assert changed["name"] in {container(task)["Name"] for task in of_type("AWS::ECS::TaskDefinition")}
    assert changed["command"][:2] == ["python", "manage.py"]
