"""Validates requests against the service models in botocore."""

import functools
import re

import botocore.loaders
import botocore.model
import botocore.validate
import regex


@functools.cache
def operation(service, name):
    # botocore names some services differently than IAM.
    service = {"states": "stepfunctions"}.get(service, service)
    model = botocore.loaders.Loader().load_service_model(service, "service-2")
    return botocore.model.ServiceModel(model, service).operation_model(name)


def violations(service, name, parameters):
    """Violations in the request. They name operation and member, but no value."""
    shape = operation(service, name).input_shape
    if shape is None:
        return [f"{name}: takes no parameters"] if parameters else []
    report = botocore.validate.ParamValidator().validate(parameters, shape).generate_report()
    # The values may be passwords.
    found = [
        f"{name}: {line}"
        for line in re.sub(r", value: .*?(?=, (?:type|valid))", "", report, flags=re.DOTALL).splitlines()
    ]
    return found + [f"{name}: {path.lstrip('.')} {problem}" for path, problem in _constraints(parameters, shape, "")]


def _constraints(value, shape, path):
    """Constraints that botocore does not check: enums, patterns, and upper limits."""
    limits = shape.metadata
    match shape.type_name:
        case "structure" if isinstance(value, dict):
            for member, inner in value.items():
                if member in shape.members:
                    yield from _constraints(inner, shape.members[member], f"{path}.{member}")
        case "list" if isinstance(value, list):
            for index, inner in enumerate(value):
                yield from _constraints(inner, shape.member, f"{path}[{index}]")
        case "map" if isinstance(value, dict):
            for key, inner in value.items():
                yield from _constraints(key, shape.key, f"{path}[key]")
                yield from _constraints(inner, shape.value, f"{path}[{key}]")
        case "string" if isinstance(value, str):
            if shape.enum and value not in shape.enum:
                yield path, f"must be one of {', '.join(shape.enum)}"
            if (pattern := limits.get("pattern")) and not regex.fullmatch(pattern, value):
                yield path, f"must match {pattern}"
    size = (
        value
        if shape.type_name in ("integer", "long", "float", "double")
        else len(value)
        if hasattr(value, "__len__")
        else None
    )
    if isinstance(size, int | float) and size > limits.get("max", size):
        yield path, f"must be at most {limits['max']}" + ("" if size is value else " long")


def from_query(service, name, flat):
    """The parameters of a request in the query protocol: `Tags.member.1.Key=…` becomes {"Tags": [{"Key": …}]}."""
    shape = operation(service, name).input_shape
    return _from_query(flat, shape, "") if shape else flat


def _from_query(flat, shape, prefix):
    match shape.type_name:
        case "structure":
            names = {key[len(prefix) :].split(".")[0] for key in flat if key.startswith(prefix)}
            return {
                one: _from_query(flat, shape.members[one], _inside(flat, prefix + one)) if one in shape.members else ""
                for one in sorted(names)
            }
        case "list":
            numbers = {
                int(number[1]) for key in flat if (number := re.match(rf"{re.escape(prefix)}member\.(\d+)", key))
            }
            return [
                _from_query(flat, shape.member, _inside(flat, f"{prefix}member.{number}")) for number in sorted(numbers)
            ]
        case "integer" | "long":
            return int(flat[prefix])
        case "boolean":
            return flat[prefix] == "true"
    return flat[prefix]


def _inside(flat, key):
    return key if key in flat else f"{key}."
