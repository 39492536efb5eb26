"""Checks the input of `make` for template.yaml before anything is built or deployed, and runs `sam deploy`.

deploy.py parameters ARCHITECTURE                    checks PARAMETERS
deploy.py arguments ARCHITECTURE FUNCTION [ARGUMENT…]  checks --parameter and --setting among the arguments
deploy.py samconfig FILE                             checks that all sections of a samconfig.toml name one architecture
deploy.py binaries FOLDER ARCHITECTURE               checks which processor the functions in a folder were built for
deploy.py run ARCHITECTURE TEMPLATE [OPTION…]        checks PARAMETERS and the processor again, and runs `sam deploy` with PARAMETERS and the options

PARAMETERS is passed in the environment variable POOLKEEPER_PARAMETERS, because a shell would remove its quotes. It contains NAME=VALUE
pairs separated by whitespace. A value with spaces needs quotes, single or double; JSON needs none: `Groups="a, b" Roles={"a": ["all"]}`.
"""

import argparse
import difflib
import json
import os
import re
import sys
from pathlib import Path

import yaml

TEMPLATE = Path(__file__).resolve().parents[3] / "template.yaml"
# Values of e_machine in an ELF header.
PROCESSORS = {62: "x86_64", 183: "arm64"}


class Refused(Exception):
    """Wrong input; the message says what is wrong and what is expected."""


class TemplateLoader(yaml.SafeLoader):
    """Reads a template and ignores intrinsic functions, such as !Ref."""


TemplateLoader.add_multi_constructor("!", lambda loader, suffix, node: None)


def read_template():
    return yaml.load(TEMPLATE.read_text(encoding="utf-8"), TemplateLoader)


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
        if "\\" in value:
            raise Refused(f"{named[1]}: sam does not support a backslash in a value")
        pairs.append((named[1], value))
    return pairs


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


def checked_parameters(architecture):
    template = read_template()["Parameters"]
    if architecture not in template["Architecture"]["AllowedValues"]:
        expected = " or ".join(template["Architecture"]["AllowedValues"])
        raise Refused(f"ARCHITECTURE must be {expected}, found `{architecture}` (the default is the value in samconfig.toml)")
    pairs = pairs_of(os.environ.get("POOLKEEPER_PARAMETERS", ""))
    expect_known_once("parameter", [name for name, _ in pairs], list(template))
    expect_architecture(pairs, architecture, "use ARCHITECTURE={} instead of Architecture={}")
    for name, parameter in template.items():
        if "Default" not in parameter and name not in dict(pairs):
            values = ", ".join(f"{name}={value}" for value in parameter["AllowedValues"])
            raise Refused(f"PARAMETERS must set {name}, which has no default; expected one of {values}")
    return {"Architecture": architecture, **dict(pairs)}


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


def check_samconfig(path):
    """`sam deploy` prefers its own section to the one for all commands, which the build reads."""
    environment, named = "", {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if line.lstrip().startswith("#"):
            continue
        if header := re.match(r"\s*\[([^\s.\[\]]+)\.", line):
            environment = header[1]
        if value := re.search(r"""\bArchitecture["']?(?:\s*=\s*|,\s*ParameterValue=)[\\"']*(\w+)""", line):
            named.setdefault(environment, []).append((value[1], number))
    for values in named.values():
        if len({architecture for architecture, _ in values}) > 1:
            found = ", ".join(f"{architecture} in line {number}" for architecture, number in values)
            raise Refused(f"{path}: all sections must name the same Architecture, found {found}")


def check_binaries(folder, architecture):
    binaries = sorted(Path(folder).glob("*/bootstrap"))
    if not binaries:
        raise Refused(f"{folder} contains no built function; run make build")
    for binary in binaries:
        with binary.open("rb") as file:
            header = file.read(20)
        is_elf = header[:4] == b"\x7fELF" and len(header) == 20
        processor = PROCESSORS.get(int.from_bytes(header[18:20], "little")) if is_elf else None
        if processor != architecture:
            built_for = processor or "an unknown processor"
            raise Refused(f"{binary} is built for {built_for}, but Architecture is {architecture}; build it again")


def override(name, value):
    """A parameter in quotes for `sam`. Without quotes, `sam` rejects an empty value, and cuts a value at the first space or quote."""
    escaped = value.replace('"', '\\"')
    return f'{name}="{escaped}"'


def main(action, *arguments):
    if action == "parameters":
        checked_parameters(*arguments)
    elif action == "arguments":
        check_arguments(arguments[0], arguments[1], arguments[2:])
    elif action == "samconfig":
        check_samconfig(*arguments)
    elif action == "binaries":
        check_binaries(*arguments)
    else:
        architecture, template, *options = arguments
        parameters = checked_parameters(architecture)
        check_binaries(Path(template).parent, architecture)
        overrides = [override(name, value) for name, value in parameters.items()]
        os.execvp("sam", ["sam", "deploy", "--template-file", template, *options, "--parameter-overrides", *overrides])


try:
    main(*sys.argv[1:])
except Refused as refused:
    sys.exit(f"make: {refused}")
