"""Checks that every crate that Cargo.lock brings to our targets has a license that deny.toml allows.

Reads the same list as `cargo deny check licenses`, but needs nothing that `make setup` does not install.
"""

import json
import re
import subprocess
import sys

import tomlkit


def allowed(expression: str, allow: set[str]) -> bool:
    """Whether an SPDX expression can be met with licenses of `allow`."""
    tokens = re.findall(r"[()]|[^\s()]+(?:\s+WITH\s+[^\s()]+)?", expression.replace("/", " OR "))

    def either() -> bool:
        met = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            met = both() or met
        return met

    def both() -> bool:
        met = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            met = one() and met
        return met

    def one() -> bool:
        token = tokens.pop(0)
        if token == "(":
            met = either()
            tokens.pop(0)
            return met
        return token in allow

    return either()


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        deny = tomlkit.load(file)
    settings = deny["licenses"]
    allow = set(settings["allow"])
    exceptions = {entry.get("crate", entry.get("name")): set(entry["allow"]) for entry in settings.get("exceptions", [])}
    command = ["cargo", "metadata", "--format-version=1", "--locked"]
    command += [f"--filter-platform={target}" for target in deny["graph"]["targets"]]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    refused = [f"{package['name']} {package['version']}: {package['license']}" for package in metadata["packages"]
               if not allowed(package["license"] or "none", allow | exceptions.get(package["name"], set()))]
    if refused:
        sys.exit("Licenses that deny.toml does not allow:\n  " + "\n  ".join(refused))
    print(f"{len(metadata['packages'])} packages, all with an allowed license")


if __name__ == "__main__":
    main()
