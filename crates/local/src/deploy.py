"""The checks of `make` for template.yaml, and `make deploy`.

deploy.py parameters ARCHITECTURE                    checks PARAMETERS for a new stack
deploy.py arguments ARCHITECTURE FUNCTION [ARGUMENT…]  checks --parameter and --setting among the arguments
deploy.py samconfig FILE                             checks that all sections of a samconfig.toml name one architecture
deploy.py binaries FOLDER ARCHITECTURE               checks which processor the functions in a folder were built for
deploy.py run OPTION…                                asks, checks, builds, shows the change set, and deploys

PARAMETERS is passed in the environment variable POOLKEEPER_PARAMETERS, because a shell would remove its quotes. It contains NAME=VALUE
pairs separated by whitespace. A value with spaces needs quotes, single or double; JSON needs none: `Groups="a, b" Roles={"a": ["all"]}`.
"""

import argparse
import sys
from pathlib import Path

# Python writes no bytecode beside the modules.
sys.dont_write_bytecode = True

from deploy import Refused, build, checks
from deploy.parameters import check_arguments, expect_none_missing, given_parameters
from deploy.template import defaults, read_template

INTERRUPTED = 130


def check_parameters(architecture):
    """The checks of a new stack that need no account."""
    template = read_template()
    values = {**defaults(template), **given_parameters(template, architecture)}
    expect_none_missing(template, values)
    checks.check_values(template, values, {})
    checks.check_rules(template, values)
    checks.check_names(values)
    checks.check_roles(values)


def run_options(arguments):
    parser = argparse.ArgumentParser(prog="deploy.py run", allow_abbrev=False)
    parser.add_argument("--architecture", required=True)
    parser.add_argument("--template", required=True, help="the built template")
    parser.add_argument("--build", required=True, help="the target of make that builds the functions")
    parser.add_argument("--config", type=Path, required=True, help="samconfig.toml")
    parser.add_argument("--stack", default="")
    parser.add_argument("--yes", action="store_true", help="ask nothing")
    parser.add_argument("--rehearse", action="store_true", help="start an emulator and deploy to it")
    return parser.parse_args(arguments)


def deploy(arguments):
    # The other actions need no AWS SDK, whose import takes long.
    from deploy.run import Stopped, run

    try:
        run(run_options(arguments))
    except Stopped as stopped:
        print(f"\nmake deploy: {stopped}", file=sys.stderr)
        sys.exit(INTERRUPTED)


def main(action, *arguments):
    if action == "parameters":
        check_parameters(*arguments)
    elif action == "arguments":
        check_arguments(arguments[0], arguments[1], arguments[2:])
    elif action == "samconfig":
        build.check_samconfig(*arguments)
    elif action == "binaries":
        build.check_binaries(*arguments)
    elif action == "run":
        deploy(arguments)
    else:
        sys.exit(__doc__)


try:
    main(*sys.argv[1:])
except Refused as refused:
    sys.exit(f"make: {refused}")
