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
    "AWS::S3::Bucket": "bucket of jobs",
    "AWS::S3::BucketPolicy": "bucket policy",
    "AWS::Scheduler::Schedule": "schedule of backups",
    "AWS::Scheduler::ScheduleGroup": "group of the schedule of backups",
    "AWS::StepFunctions::StateMachine": "state machine of jobs",
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
INVITATION_KEY = "Custom::PoolkeeperInvitationKey"
TABLE = "AWS::DynamoDB::Table"
REVOKED_ARE_VALID = "so that revoked tokens are valid until they expire"
UNCONFIRMED = "alarms are not delivered until the subscription is confirmed again"
# What the loss of a resource means.
LOSSES = {
    TABLE: f"deletes all revocations, {REVOKED_ARE_VALID}",
    "AWS::Logs::LogGroup": "deletes its log records",
    "AWS::ApiGatewayV2::Api": "the API gets another URL",
    INVITATION_KEY: "invalidates all invitations",
    "AWS::SNS::Topic": UNCONFIRMED,
    "AWS::SNS::Subscription": UNCONFIRMED,
}
# The effects in the order of the description.
VERBS = {
    "delete": "DELETES",
    "replace": "REPLACES",
    "may replace": "may replace",
    "keep": "removes",
    "change": "changes",
    "import": "imports",
    "sync": "syncs",
    "dynamic": "undecided",
    "add": "adds",
    "depend": "may change",
}
ACTIONS = {"Add": "add", "Import": "import", "SyncWithActual": "sync", "Dynamic": "dynamic"}


def kind(change):
    return KINDS.get(change["ResourceType"], change["ResourceType"])


def static_properties(change):
    """The properties that certainly change. CloudFormation evaluates other details when the values that they refer to have changed."""
    return {detail["Target"].get("Name") for detail in change.get("Details", []) if detail.get("Evaluation") == "Static"}


def is_replaced(change):
    # The bootstrap returns another physical id for another version of the key, which CloudFormation cannot predict.
    is_new_key = change["ResourceType"] == INVITATION_KEY and "Version" in static_properties(change)
    return change.get("Replacement") == "True" or is_new_key


def may_be_replaced(change):
    """Whether a replacement depends on values. Only the bootstrap decides on the replacement of a custom resource."""
    if change.get("Replacement") != "Conditional" or change["ResourceType"].startswith("Custom::"):
        return False
    return any(detail["Target"].get("RequiresRecreation") in ("Always", "Conditionally") for detail in change.get("Details", []))


def effect(change):
    """What a change does to a resource, as a key of VERBS."""
    if change["Action"] == "Remove":
        return "keep" if change.get("PolicyAction") == "Retain" else "delete"
    if change["Action"] != "Modify":
        return ACTIONS.get(change["Action"], "dynamic")
    if is_replaced(change):
        return "replace"
    if may_be_replaced(change):
        return "may replace"
    return "change" if static_properties(change) else "depend"


def consequence(change, values):
    """What a change means for data, or an empty text."""
    kept = change.get("PolicyAction", "") in ("Retain", "ReplaceAndRetain")
    doing = effect(change)
    if change["ResourceType"] == POOL and doing in ("change", "depend"):
        return "the bootstrap updates the pool and keeps its users"
    if doing not in ("delete", "replace", "may replace", "keep"):
        return ""
    if change["ResourceType"] == POOL:
        is_deletable = values.get("OnDelete") == "delete" and values.get("DeletionProtection") == "false"
        return "deletes the user pool with all its users" if is_deletable else "keeps the user pool, its users and its clients"
    is_unread = values.get("RevocationTable", "") != change.get("PhysicalResourceId")
    if kept and change["ResourceType"] == TABLE and is_unread:
        return f"the table remains, but the stack no longer reads it, {REVOKED_ARE_VALID}"
    if doing == "keep":
        return "only from the stack; the resource and its data remain"
    if kept and change["ResourceType"] != "AWS::ApiGatewayV2::Api":
        return "the old resource and its data remain outside of the stack"
    return LOSSES.get(change["ResourceType"], "")


def line(change, values):
    text = f"{change['LogicalResourceId']} ({kind(change)})"
    names = static_properties(change) if effect(change) in ("change", "may replace") else ()
    changed = ", ".join(sorted(filter(None, names)))
    meaning = consequence(change, values)
    return f"  {VERBS[effect(change)]:11} {text}" + (f": {changed}" if changed else "") + (f" - {meaning}" if meaning else "")


def listed(verb, text, names):
    return textwrap.wrap(f"{text}: {', '.join(names)}", WIDTH, initial_indent=f"  {verb:11} ", subsequent_indent=" " * 14)


def listed_by_kind(verb, changes):
    """One line for each kind, for effects on many resources."""
    by_kind = {}
    for change in changes:
        by_kind.setdefault(kind(change), []).append(change["LogicalResourceId"])
    return [text for name, ids in by_kind.items() for text in listed(verb, name, ids)]


def permissions(changes):
    """The roles and policies that a change set creates or changes."""
    for verb, effects in (("New", ("add",)), ("Changed", ("change", "replace", "may replace")), ("Possibly changed", ("depend",))):
        names = [change["LogicalResourceId"] for change in changes if change["ResourceType"] in IAM and effect(change) in effects]
        if names:
            yield from textwrap.wrap(f"{verb} IAM permissions: {', '.join(names)}", WIDTH, subsequent_indent="  ")


def summary(groups):
    counts = [f"{len(groups[one])} to {one}" for one in ("add", "change", "replace", "delete")]
    others = {
        "may replace": "that may be replaced",
        "keep": "to remove from the stack only",
        "import": "to import",
        "sync": "to sync",
        "dynamic": "undecided",
    }
    return ", ".join(counts + [f"{len(groups[one])} {text}" for one, text in others.items() if groups[one]])


def lines_of(name, changes, values):
    """The lines for the changes with this effect."""
    if name == "add":
        return listed_by_kind(VERBS[name], changes)
    if name == "depend":
        names = [change["LogicalResourceId"] for change in changes]
        return listed(VERBS[name], "only if a value that they refer to changes", names) if names else []
    # Many resources only refer to another one that changes.
    plain = [change for change in changes if name == "may replace" and not (static_properties(change) or consequence(change, values))]
    return [line(change, values) for change in changes if change not in plain] + listed_by_kind(VERBS[name], plain)


def described(stack, changes, values):
    """The lines that describe the changes of a change set."""
    groups = {name: [change for change in changes if effect(change) == name] for name in VERBS}
    lines = [f"Changes to the stack {stack}: {summary(groups)}", ""]
    for name in VERBS:
        lines += lines_of(name, groups[name], values)
    notes = list(permissions(changes))
    return lines + ([""] + notes if notes else [])
