"""The CloudFormation template as Python sees it: !Ref and the like in their long form, as {"Ref": …}."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
WRITABLE = "/tmp"  # noqa: S108  (the one folder of a container)


class Loader(yaml.SafeLoader):
    """Knows the tags of CloudFormation."""


def _function(loader: Loader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if name == "GetAtt":
            value = value.split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TypeError(f"!{name} takes no mapping")
    return {name if name == "Ref" else f"Fn::{name}": value}


Loader.add_multi_constructor("!", _function)


@cache
def template() -> dict[str, Any]:
    text = (ROOT / "deploy" / "aws" / "warehouse.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.load(text, Loader)  # noqa: S506  (a SafeLoader)
    return document


def properties(name: str) -> dict[str, Any]:
    return dict(template()["Resources"][name]["Properties"])


def of_type(kind: str) -> dict[str, dict[str, Any]]:
    """Return the properties of all resources of a kind, by their names."""
    return {name: each["Properties"] for name, each in template()["Resources"].items() if each["Type"] == kind}


def container(task: str) -> dict[str, Any]:
    (only,) = properties(task)["ContainerDefinitions"]
    return dict(only)


def with_all(values: list[Any]) -> list[Any]:
    """Return a list as it is where each condition holds."""
    return [value["Fn::If"][1] if "Fn::If" in value else value for value in values]


def environment(task: str) -> dict[str, Any]:
    return {each["Name"]: each["Value"] for each in container(task)["Environment"]}


def secrets(task: str) -> dict[str, Any]:
    return {each["Name"]: each["ValueFrom"] for each in with_all(container(task)["Secrets"])}


def schedules() -> dict[str, dict[str, Any]]:
    """Return what each schedule lets the container do otherwise."""
    found = {name: json.loads(each["Target"]["Input"]) for name, each in of_type("AWS::Scheduler::Schedule").items()}
    return {name: overrides for name, each in found.items() for overrides in each["containerOverrides"]}


def statements() -> Iterator[dict[str, Any]]:
    """Give each statement of a policy, wherever it stands."""

    def walk(value: Any) -> Iterator[dict[str, Any]]:
        if isinstance(value, dict):
            if "Effect" in value:
                yield value
            for each in value.values():
                yield from walk(each)
        elif isinstance(value, list):
            for each in value:
                yield from walk(each)

    yield from walk(template()["Resources"])


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
