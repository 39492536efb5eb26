"""Reads template.yaml, and checks parameter values as CloudFormation does."""

import re
from pathlib import Path

import yaml

from deploy import Refused

TEMPLATE = Path(__file__).resolve().parents[4] / "template.yaml"


class TemplateLoader(yaml.SafeLoader):
    """Reads short forms of intrinsic functions: `!Equals [a, b]` becomes `{"Fn::Equals": [a, b]}`."""


def intrinsic(loader, suffix, node):
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


TemplateLoader.add_multi_constructor("!", intrinsic)


def read_template(path=TEMPLATE):
    return yaml.load(Path(path).read_text(encoding="utf-8"), TemplateLoader)


def allowed_values(parameter):
    return [str(value) for value in parameter.get("AllowedValues", [])]


def joined(values):
    """The values in backticks, with a word for the empty value."""
    shown = [f"`{value}`" if value else "empty" for value in values]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} or {shown[-1]}"


def is_number(text):
    return re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", text) is not None


def in_range(parameter, size, lowest, highest):
    return parameter.get(lowest, size) <= size <= parameter.get(highest, size)


def expected_range(parameter, lowest, highest):
    low, high = parameter.get(lowest), parameter.get(highest)
    if low is None:
        return "" if high is None else f" of at most {high}"
    return f" from {low} to {high}" if high is not None else f" of at least {low}"


def expectation(parameter, value):
    """What a parameter expects if the value is wrong, otherwise None."""
    # CloudFormation removes the whitespace around the items of a list.
    values = [one.strip() for one in value.split(",")] if parameter["Type"] == "CommaDelimitedList" else [value]
    if "AllowedValues" in parameter and any(one not in allowed_values(parameter) for one in values):
        return joined(allowed_values(parameter))
    if parameter["Type"] == "Number" and not (is_number(value) and in_range(parameter, float(value), "MinValue", "MaxValue")):
        return "a number" + expected_range(parameter, "MinValue", "MaxValue")
    if parameter["Type"] == "String" and not in_range(parameter, len(value), "MinLength", "MaxLength"):
        return "a text with a number of characters" + expected_range(parameter, "MinLength", "MaxLength")
    pattern = parameter.get("AllowedPattern")
    # Patterns of CloudFormation are those of Java, where \s and \w match ASCII characters only.
    if pattern and not all(re.fullmatch(pattern, one, re.ASCII) for one in values):
        return parameter.get("ConstraintDescription", f"a text that matches {pattern}")
    return None


def expect_value(template, name, value, source=""):
    parameter = template["Parameters"][name]
    expected = expectation(parameter, value)
    if expected:
        found = "" if parameter.get("NoEcho") else f", found `{value}`{source}"
        raise Refused(f"{name} must be {expected}{found}")


def defaults(template):
    return {name: str(parameter["Default"]) for name, parameter in template["Parameters"].items() if "Default" in parameter}


def choices(name, parameter):
    """The values of a parameter for a command line, or a placeholder."""
    return [f"{name}={value}" for value in allowed_values(parameter)] or [f"{name}=VALUE"]


def evaluate(expression, values):
    """The value of a rule's function. CloudFormation permits these and three more functions in rules."""
    if not isinstance(expression, dict):
        return expression if isinstance(expression, bool) else str(expression)
    ((name, argument),) = expression.items()
    if name == "Ref":
        return values[argument]
    evaluated = [evaluate(one, values) for one in argument if not isinstance(one, list)]
    if name == "Fn::Equals":
        return evaluated[0] == evaluated[1]
    if name == "Fn::Not":
        return not evaluated[0]
    if name == "Fn::And":
        return all(evaluated)
    if name == "Fn::Or":
        return any(evaluated)
    if name == "Fn::Contains":
        return evaluated[0] in [str(one) for one in argument[0]]
    raise NotImplementedError(f"{name} in the rules of the template")


def references(expression):
    """The parameters that a rule names."""
    if isinstance(expression, dict):
        if "Ref" in expression:
            return {expression["Ref"]}
        return set().union(*map(references, expression.values()))
    return set().union(*map(references, expression)) if isinstance(expression, list) else set()


def violations(template, values):
    """The parameters and the description of each violated assertion, as (names, description)."""
    found = []
    for rule in template.get("Rules", {}).values():
        if not references(rule) <= values.keys() or not evaluate(rule.get("RuleCondition", True), values):
            continue
        for assertion in rule["Assertions"]:
            if not evaluate(assertion["Assert"], values):
                names = references(rule.get("RuleCondition")) | references(assertion["Assert"])
                found.append((names, assertion["AssertDescription"]))
    return found
