"""Reads samconfig.toml, and checks that the functions are built for the processor of the deployment."""

import re
from pathlib import Path

import tomlkit

from deploy import Refused

# Values of e_machine in an ELF header.
PROCESSORS = {62: "x86_64", 183: "arm64"}
# Sections of samconfig.toml in the order in which `sam deploy` reads them.
SECTIONS = ("deploy", "global")


def configured(path, name):
    """A value of samconfig.toml for `sam deploy`, or None. A rehearsal has no samconfig.toml."""
    if path is None or not Path(path).exists():
        return None
    default = tomlkit.parse(Path(path).read_text(encoding="utf-8")).get("default", {})
    found = (default.get(section, {}).get("parameters", {}).get(name) for section in SECTIONS)
    return next((str(value) for value in found if value), None)


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
