"""Describes a change set in plain words, above all replacements and deletions."""

import textwrap

WIDTH = 100
KINDS = {
    "Custom::PoolkeeperUserPool": "user pool with app clients, identity pool, role and policy",
    "Custom::PoolkeeperVerification": "verification of the user pool",
    "Custom::PoolkeeperInvitationKey": "invitation signing key",
    "AWS::Lambda::Function": "Lambda function",
    "AWS::Lambda::Permission": "permission to invoke a function",
    "AWS::IAM::Role": "IAM role",
    "AWS::IAM::ManagedPolicy": "IAM policy",
    "AWS::DynamoDB::Table": "revocation table",
    "AWS::Logs::LogGroup": "log group",
    "AWS::ApiGatewayV2::Api": "HTTP API",
    "AWS::ApiGatewayV2::Stage": "API stage",
    "AWS::ApiGatewayV2::Route": "API route",
    "AWS::ApiGatewayV2::Integration": "API integration",
    "AWS::ApiGatewayV2::Authorizer": "API authorizer",
    "AWS::CloudWatch::Alarm": "alarm",
    "AWS::CloudWatch::Dashboard": "dashboard",
    "AWS::SNS::Topic": "SNS topic",
    "AWS::SNS::Subscription": "SNS subscription",
}
IAM = ("AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy")
POOL = "Custom::PoolkeeperUserPool"
# What the loss of a resource means.
LOSSES = {
    "AWS::DynamoDB::Table": "deletes all revocations, so that revoked tokens are valid until they expire",
    "AWS::Logs::LogGroup": "deletes its log records",
    "AWS::ApiGatewayV2::Api": "the API gets another URL",
    "Custom::PoolkeeperInvitationKey": "invalidates all invitations",
}
VERBS = {"add": "adds", "change": "changes", "depend": "may change", "replace": "REPLACES", "delete": "DELETES", "keep": "removes"}


def kind(change):
    return KINDS.get(change["ResourceType"], change["ResourceType"])


def effect(change):
    """Whether a change adds, changes, replaces, deletes or keeps a resource, or only depends on another change."""
    policy = change.get("PolicyAction", "")
    if change["Action"] == "Remove":
        return "keep" if policy == "Retain" else "delete"
    if change["Action"] == "Modify":
        if change.get("Replacement") == "True":
            return "replace"
        # CloudFormation evaluates these details only when the resources that they refer to have changed.
        is_certain = any(detail.get("Evaluation") == "Static" for detail in change.get("Details", []))
        return "change" if is_certain else "depend"
    return "add"


def consequence(change, values):
    """What a change means for data, or an empty text."""
    kept = change.get("PolicyAction", "") in ("Retain", "ReplaceAndRetain")
    doing = effect(change)
    if change["ResourceType"] == POOL and doing in ("change", "depend"):
        return "the bootstrap updates the pool and keeps its users"
    if doing == "keep":
        return "only from the stack; the resource and its data remain"
    if doing not in ("replace", "delete"):
        return ""
    if change["ResourceType"] == POOL:
        is_deletable = values.get("OnDelete") == "delete" and values.get("DeletionProtection") == "false"
        return "deletes the user pool with all its users" if is_deletable else "keeps the user pool, its users and its clients"
    if kept and change["ResourceType"] != "AWS::ApiGatewayV2::Api":
        return "the old resource and its data remain outside of the stack"
    return LOSSES.get(change["ResourceType"], "")


def properties(change):
    names = {detail["Target"].get("Name") for detail in change.get("Details", []) if detail.get("Evaluation") == "Static"}
    return ", ".join(sorted(filter(None, names)))


def line(change, values):
    text = f"{change['LogicalResourceId']} ({kind(change)})"
    changed = properties(change) if effect(change) == "change" else ""
    meaning = consequence(change, values)
    return f"  {VERBS[effect(change)]:10}  {text}" + (f": {changed}" if changed else "") + (f" - {meaning}" if meaning else "")


def listed(verb, text, names):
    return textwrap.wrap(f"{text}: {', '.join(names)}", WIDTH, initial_indent=f"  {verb:10}  ", subsequent_indent=" " * 14)


def additions(changes):
    """One line for each kind, because a first deployment adds many resources."""
    by_kind = {}
    for change in changes:
        by_kind.setdefault(kind(change), []).append(change["LogicalResourceId"])
    return [text for name, ids in by_kind.items() for text in listed(VERBS["add"], name, ids)]


def permissions(changes):
    """The roles and policies that a change set creates or changes."""
    for verb, effects in (("New", ("add",)), ("Changed", ("change", "replace")), ("Possibly changed", ("depend",))):
        names = [change["LogicalResourceId"] for change in changes if change["ResourceType"] in IAM and effect(change) in effects]
        if names:
            yield from textwrap.wrap(f"{verb} IAM permissions: {', '.join(names)}", WIDTH, subsequent_indent="  ")


def summary(groups):
    counts = [f"{len(groups[one])} to {one}" for one in ("add", "change", "replace", "delete")]
    if groups["keep"]:
        counts.append(f"{len(groups['keep'])} to remove from the stack only")
    return ", ".join(counts)


def described(stack, changes, values):
    """The lines that describe the changes of a change set."""
    groups = {name: [change for change in changes if effect(change) == name] for name in VERBS}
    lines = [f"Changes to the stack {stack}: {summary(groups)}", ""]
    for name in ("delete", "replace", "keep", "change"):
        lines += [line(change, values) for change in groups[name]]
    if groups["add"]:
        lines += additions(groups["add"])
    if groups["depend"]:
        text = "only if a resource that they refer to is replaced"
        lines += listed(VERBS["depend"], text, [change["LogicalResourceId"] for change in groups["depend"]])
    notes = list(permissions(changes))
    return lines + ([""] + notes if notes else [])
