"""Refuses parameters that CloudFormation or the bootstrap would reject after the upload."""

import json
import re

from deploy import Refused
from deploy.template import expect_value, violations

# The bootstrap rejects other values for an existing pool.
FIXED = ("PoolName", "SignIn", "Aliases")
# The bootstrap creates this group for the first administrator.
ADMINS = "admins"
ONE_GROUP = "users:groups:"


def check_stack_name(name):
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,127}", name):
        raise Refused(f"STACK must be at most 128 letters, digits and hyphens, beginning with a letter, found `{name}`")


def check_values(template, values, previous):
    for name, value in values.items():
        source = ", the current value of the stack" if previous.get(name) == value else ""
        expect_value(template, name, value, source)


def check_rules(template, values, unsettled=frozenset()):
    """Checks the rules of the template, except for rules about parameters that are still to be asked for."""
    found = [description for names, description in violations(template, values) if not names & unsettled]
    if found:
        raise Refused("; ".join(found))


def check_fixed(previous, values):
    for name in FIXED:
        old, new = previous.get(name), values.get(name)
        if old is not None and set(old.split(",")) != set(new.split(",")):
            raise Refused(f"{name} cannot be changed: the stack has `{old}`, found `{new}`; deploy another stack for another pool")


def check_limits(values, on_emulator):
    """Refuses settings that are only for emulators."""
    if on_emulator:
        return
    if values.get("LimitRights") == "false":
        raise Refused("LimitRights must be true on AWS, because the bootstrap could otherwise change other pools and policies")
    if values.get("LocalReplyHost"):
        raise Refused("LocalReplyHost must be empty on AWS, because the bootstrap would send its replies to this host")


def check_topic(values, region):
    """An alarm can send only to a topic in its own Region."""
    topic = values.get("AlarmTopicArn", "")
    if topic and topic.split(":")[3] != region:
        raise Refused(f"AlarmTopicArn must be a topic in the Region {region}, found `{topic}`")


def check_names(values):
    """The checks of the bootstrap for the first administrator and the aliases."""
    address = values.get("FirstAdminEmail", "")
    if address and not re.fullmatch(r"\S+@[^\s@]+", address):
        raise Refused(f"FirstAdminEmail must be an e-mail address or empty, found `{address}`")
    if values.get("SignIn") == "email" and values.get("Aliases"):
        raise Refused(f"Aliases must be empty with SignIn=email, found `{values['Aliases']}`")


def check_roles(values):
    """For a new stack. Later, groups can also be created through the API."""
    groups = {group.strip() for group in values["Groups"].split(",")} | ({ADMINS} if values.get("FirstAdminEmail") else set())
    for group in sorted(groups_of(values["Roles"]) - groups):
        raise Refused(f"Roles names the group `{group}`, which Groups does not list; add it to Groups, found `{values['Groups']}`")


def groups_of(roles):
    """The groups with permissions and the groups that can be assigned. The bootstrap checks the permissions."""
    if roles.strip().startswith("{"):
        try:
            entries = json.loads(roles)
        except json.JSONDecodeError as error:
            raise Refused(f"Roles must be a JSON object or groups with permissions, such as admins=all: {error}") from error
        # The bootstrap rejects other types.
        permissions = [str(name) for names in entries.values() if isinstance(names, list) for name in names]
    else:
        pairs = [pair.partition("=") for pair in roles.split(",") if pair.strip()]
        entries = [group.strip() for group, _, _ in pairs]
        permissions = [name.strip() for _, _, names in pairs for name in names.split("+")]
    return {*entries, *(name[len(ONE_GROUP) :] for name in permissions if name.startswith(ONE_GROUP))}


def check(template, values, previous, region, on_emulator):
    check_fixed(previous, values)
    check_values(template, values, previous)
    check_rules(template, values)
    check_limits(values, on_emulator)
    check_names(values)
    check_topic(values, region)
    if not previous:
        check_roles(values)


def warnings(values):
    if values.get("OnDelete") == "delete" and values.get("DeletionProtection") == "true":
        yield "With DeletionProtection=true, deleting the stack keeps the user pool despite OnDelete=delete (docs/operations/delete.md)."
