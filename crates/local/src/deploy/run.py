"""`make deploy` from the questions to the commands for the first token, on AWS or on an emulator."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ProfileNotFound

from deploy import Refused, account, build, changes, checks, emulator, questions, stack
from deploy.next_steps import next_steps
from deploy.parameters import expect_none_missing, given_parameters, override
from deploy.template import defaults, read_template

DEFAULT_STACK = "poolkeeper"


class Stopped(Exception):
    """The operator stopped the deployment. The message says what happened."""


def session_of(config):
    """The profile and Region of samconfig.toml or of the environment. boto3 itself does not read AWS_REGION."""
    region = build.configured(config, "region") or os.environ.get("AWS_REGION")
    try:
        return boto3.Session(profile_name=build.configured(config, "profile"), region_name=region)
    except ProfileNotFound as error:
        raise Refused(f"{error}; {account.HOW_TO_SIGN_IN}") from error


class Plan:
    """A deployment before the build: the stack, and the values of its parameters."""

    def __init__(self, options):
        self.options = options
        self.template = read_template()
        self.given = given_parameters(self.template, options.architecture)
        # sam and this process read the same profile and Region, except that a rehearsal reads no configuration.
        self.config = None if options.rehearse else options.config.resolve()
        self.endpoint = os.environ.get("AWS_ENDPOINT_URL")
        if self.endpoint:
            on_emulator = {"LimitRights": "false", "LocalReplyHost": urlsplit(self.endpoint).hostname}
            self.given = {**on_emulator, **self.given}
        self.name = options.stack
        self.previous = {}
        self.region = None

    @property
    def asks(self):
        return sys.stdin.isatty() and not self.options.yes

    @property
    def values(self):
        return {**defaults(self.template), **self.previous, **self.given}

    def check_given(self):
        """The checks that need no account."""
        checks.check_values(self.template, self.given, {})
        if self.name:
            checks.check_stack_name(self.name)
        if not self.options.yes and not sys.stdin.isatty():
            raise Refused("standard input is not a terminal; set YES=1 to deploy without questions and without a confirmation")

    def choose_stack(self):
        default = build.configured(self.config, "stack_name") or DEFAULT_STACK
        if not self.name:
            self.name = questions.ask("Stack name", default, checks.check_stack_name) if self.asks else default

    def read_stack(self, cloudformation):
        deployed = account.deployed(cloudformation, self.name)
        known = self.template["Parameters"]
        current = account.parameters_of(deployed) if deployed else {}
        self.previous = {name: value for name, value in current.items() if name in known}

    def show_update(self):
        kept = [name for name in self.previous if name not in self.given]
        print(f"\nUpdates the stack {self.name} ({len(kept)} parameters keep their values).")
        for name, value in self.given.items():
            old = self.previous.get(name)
            if old is not None and old != value and not self.template["Parameters"][name].get("NoEcho"):
                print(f"  {name}: {old or 'empty'} -> {value or 'empty'}")

    def complete(self):
        """Asks for what is missing, and refuses what cannot be deployed."""
        if self.previous:
            self.show_update()
            if self.asks:
                missing = [name for name in self.template["Parameters"] if name not in self.values]
                self.given |= questions.ask_for_missing(self.template, {**self.previous, **self.given}, missing, {})
        elif self.asks:
            self.given |= questions.ask_for_new_stack(self.template, self.given, self.name)
        expect_none_missing(self.template, self.values)
        checks.check(self.template, self.values, self.previous, self.region, bool(self.endpoint))
        for warning in checks.warnings(self.values):
            print(f"\nWarning: {warning}")

    def sam_arguments(self):
        arguments = ["--template-file", self.options.template, "--stack-name", self.name, "--region", self.region]
        if self.config is None:
            # This section does not exist, so that sam ignores the user's profile.
            arguments += ["--config-env", "rehearsal", "--resolve-s3", "--capabilities", "CAPABILITY_IAM"]
        else:
            arguments += ["--config-file", str(self.config)]
        # `sam delete` deletes everything below the prefix, so each stack needs its own.
        if self.name != build.configured(self.config, "stack_name"):
            arguments += ["--s3-prefix", self.name]
        return arguments

    def overrides(self):
        return [override(name, value) for name, value in self.given.items()]


def build_functions(options):
    command = ["make", "--no-print-directory", options.build, f"ARCHITECTURE={options.architecture}"]
    if subprocess.run(command, check=False).returncode != 0:
        raise Refused(f"`make {options.build}` failed; nothing was deployed")
    # Local builds are for this machine, which can be a Mac.
    if options.build == "build":
        build.check_binaries(Path(options.template).parent, options.architecture)


def api_url(outputs, endpoint):
    """The URL of the API. An emulator serves it below its own URL."""
    return f"{endpoint}/_aws/execute-api/{outputs['ApiId']}" if endpoint else outputs["ApiUrl"]


def confirmed_change_set(plan, cloudformation):
    """The id of the change set and the stack's events after the confirmation, or None if nothing changes.

    A refusal leaves nothing.
    """
    change_set = None
    before = stack.change_sets(cloudformation, plan.name)
    print("\nUploads the functions and creates the change set (some seconds).", flush=True)
    try:
        change_set = stack.create_change_set(plan.sam_arguments(), plan.overrides())
        if change_set is None:
            return None
        print("\n" + "\n".join(changes.described(plan.name, stack.changes_of(cloudformation, change_set), plan.values)))
        if plan.options.yes or questions.confirm("Deploy?"):
            return change_set, stack.events_before(cloudformation, change_set)
        raise Stopped("stopped; nothing was deployed")
    except BaseException:
        stack.discard(cloudformation, plan.name, change_set, before)
        raise


def execute(plan, cloudformation, change_set, events):
    print(flush=True)
    try:
        stack.execute(cloudformation, plan.name, change_set)
        status = events.print_until_end(0.5 if plan.endpoint else 2)
    except KeyboardInterrupt as interrupt:
        raise Stopped(f"stopped waiting; CloudFormation continues with the stack {plan.name}") from interrupt
    except stack.AWS_ERRORS as error:
        raise Refused(f"lost contact with AWS; CloudFormation continues with the stack {plan.name}: {error}") from error
    stack.expect_success(plan.name, plan.region, status, not plan.previous)


def deploy(options):
    plan = Plan(options)
    plan.check_given()
    build.check_samconfig(options.config)
    session = session_of(plan.config)
    number, arn, plan.region = account.identity(session)
    place = f"the emulator {plan.endpoint}" if plan.endpoint else f"the account {number}"
    print(f"Deploys to {place}, Region {plan.region}, as {arn}.")
    plan.choose_stack()
    cloudformation = session.client("cloudformation", config=stack.RETRIES)
    plan.read_stack(cloudformation)
    plan.complete()
    build_functions(options)
    confirmed = confirmed_change_set(plan, cloudformation)
    if confirmed:
        execute(plan, cloudformation, *confirmed)
    outcome = f"stack {plan.name} is {'deployed' if confirmed else 'up to date'}"
    try:
        print(f"\nThe {outcome}.")
        show_next_steps(plan, account.described(cloudformation, plan.name))
    except KeyboardInterrupt as interrupt:
        raise Stopped(f"stopped; the {outcome}") from interrupt
    return plan


def show_next_steps(plan, deployed):
    url = api_url(account.outputs_of(deployed), plan.endpoint)
    previous, current = plan.previous.get("FirstAdminEmail", ""), plan.values["FirstAdminEmail"]
    # With user names, the first administrator is always `admin`, and receives no second invitation.
    is_new = current != previous and (not previous or plan.values["SignIn"] == "email")
    print("\n".join(next_steps(plan.name, url, plan.values, plan.region, plan.endpoint, is_new)), flush=True)


def keep_running(plan, server):
    """The emulator runs until Ctrl-C, so that the printed commands work."""
    variables = " ".join(f"{name}={os.environ[name]}" for name in ("AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"))
    print("\nThe emulator runs until Ctrl-C. To update the stack, run these commands in another terminal:\n")
    print(f"export {variables}\nmake deploy STACK={plan.name}", flush=True)
    try:
        server.wait()
    except KeyboardInterrupt:
        print("\nThe emulator is stopped.")
        return
    raise Refused("the emulator stopped unexpectedly; start again")


def rehearse(options):
    with emulator.started() as server:
        plan = deploy(options)
        if sys.stdin.isatty():
            keep_running(plan, server)


def run(options):
    try:
        (rehearse if options.rehearse else deploy)(options)
    except (KeyboardInterrupt, EOFError) as interrupt:
        raise Stopped("stopped; nothing was deployed") from interrupt
    except stack.AWS_ERRORS as error:
        raise Refused(f"a call to AWS failed: {error}") from error
