"""Reads PARAMETERS and the arguments of `make dev` and `make invoke`, and writes parameters for `sam`."""

import argparse
import difflib
import json
import os
import re

from deploy import Refused
from deploy.template import choices, read_template

def expect_known(kind, name, known):
    if name in known:
        return
    lowercase = {one.lower(): one for one in known}
    nearest = difflib.get_close_matches(name.lower(), lowercase, n=1)
    hint = f"did you mean `{lowercase[nearest[0]]}`?" if nearest else f"expected one of {', '.join(known) or 'none'}"
    raise Refused(f"unknown {kind} `{name}`; {hint}")


def expect_known_once(kind, names, known):
    for index, name in enumerate(names):
        expect_known(kind, name, known)
        if name in names[:index]:
            raise Refused(f"duplicate {kind} `{name}`")


def pairs_of(text):
    """The NAME=VALUE pairs of PARAMETERS."""
    pairs, position = [], 0
    while match := re.compile(r"\s*(\S+)").match(text, position):
        named = re.compile(r"\s*([A-Za-z0-9]+)=").match(text, position)
        if not named:
            raise Refused(f"expected NAME=VALUE, found `{match[1]}`{quoting_hint(pairs, match[1])}")
        value, position = value_at(text, named.end(), named[1])
        if position < len(text) and not text[position].isspace():
            raise Refused(f"{named[1]}: expected whitespace after the value, found `{text[position:].split()[0]}`")
        expect_no_backslash(named[1], value)
        pairs.append((named[1], value))
    return pairs


def expect_no_backslash(name, value):
    if "\\" in value:
        raise Refused(f"{name}: sam does not support a backslash in a value")


def quoting_hint(pairs, word):
    return f'; a value with spaces needs quotes: {pairs[-1][0]}="{pairs[-1][1]} {word}"' if pairs else ""


def value_at(text, start, name):
    """The value that begins at a position, without quotes around it, and the position after it."""
    first = text[start : start + 1]
    if first == "{":
        try:
            _, end = json.JSONDecoder().raw_decode(text, start)
        except json.JSONDecodeError as error:
            raise Refused(
                f"{name}: expected JSON ({error.msg} at {text[start : start + 20]!r}); put PARAMETERS into single quotes, "
                "which keep the double quotes of JSON, or write Roles=admins=all"
            ) from error
        return text[start:end], end
    if first in ("'", '"'):
        quoted = re.compile(r"'([^']*)'" if first == "'" else r'"((?:\\"|[^"])*)"').match(text, start)
        if not quoted:
            raise Refused(f"{name}: expected a closing {first}")
        return quoted[1].replace('\\"', '"') if first == '"' else quoted[1], quoted.end()
    end = re.compile(r"\S*").match(text, start).end()
    return text[start:end], end


def given_parameters(template, architecture):
    """The parameters in PARAMETERS, with known names, and the architecture."""
    known = template["Parameters"]
    allowed = known["Architecture"]["AllowedValues"]
    if architecture not in allowed:
        raise Refused(f"ARCHITECTURE must be {' or '.join(allowed)}, found `{architecture}` (the default is the value in samconfig.toml)")
    pairs = pairs_of(os.environ.get("POOLKEEPER_PARAMETERS", ""))
    expect_known_once("parameter", [name for name, _ in pairs], list(known))
    expect_architecture(pairs, architecture, "use ARCHITECTURE={} instead of Architecture={}")
    return {"Architecture": architecture, **dict(pairs)}


def expect_none_missing(template, values):
    for name, parameter in template["Parameters"].items():
        if name not in values:
            expected = ", ".join(choices(name, parameter))
            raise Refused(f"PARAMETERS must set {name}, which has no default; expected one of {expected}")


def expect_architecture(pairs, architecture, hint):
    requested = dict(pairs).get("Architecture", architecture)
    if requested != architecture:
        raise Refused(f"the functions are built for {architecture}; {hint.format(requested, requested)}")


def check_arguments(architecture, function, arguments):
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--parameter", action="append", default=[])
    parser.add_argument("--setting", action="append", default=[])
    known, _ = parser.parse_known_args(arguments)
    template = read_template()
    parameters = [pair_of(text) for text in known.parameter]
    expect_known_once("parameter", [name for name, _ in parameters], list(template["Parameters"]))
    expect_architecture(parameters, architecture, "omit Architecture={}")
    if not function:
        return
    functions = {
        re.sub(r"(?<=.)(?=[A-Z])", "-", name.removesuffix("Function")).lower(): resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    expect_known("function", function, list(functions))
    settings = functions[function].get("Environment", {}).get("Variables", {})
    expect_known_once(f"setting of {function}", [pair_of(text)[0] for text in known.setting], list(settings))


def pair_of(text):
    name, separator, value = text.partition("=")
    if not separator:
        raise Refused(f"expected NAME=VALUE, found `{text}`")
    return name, value


def override(name, value):
    """A parameter in quotes for `sam`. Without quotes, `sam` rejects an empty value, and cuts a value at the first space or quote."""
    escaped = value.replace('"', '\\"')
    return f'{name}="{escaped}"'
