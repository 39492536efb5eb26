"""Calls that the tests do not record, with reasons. Everything else that a role allows must be needed by a recorded call."""

from calls import TAG, Call
from template import OWN_POOL, PASSABLE_ROLE, REGION, SWITCHES, Template

POOL = "shop"
TAGS = {TAG: POOL}
IDENTITY_POOL = f"{REGION}:11111111-1111-4111-8111-111111111111"


def calls(text):
    return [*_logging(text), *_tag_changes(), *_passed_roles()]


def _logging(text):
    """Lambda itself writes the logs, with the role of the function. The emulator does so without a request."""
    for role, group in Template(text, pool=POOL, **SWITCHES).log_groups().items():
        stream = {"logGroupName": group, "logStreamName": "2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef"}
        yield Call(role, "logs", "CreateLogStream", stream, pool=POOL)
        yield Call(role, "logs", "PutLogEvents", {**stream, "logEvents": [{"timestamp": 0, "message": "{}"}]}, pool=POOL)


def _tag_changes():
    """Tags that are not Poolkeeper's, changed between its runs: an update that sends the tags back is authorized as tagging and untagging."""
    yield Call("PoolBootstrapRole", "cognito-idp", "UpdateUserPool", {"UserPoolId": OWN_POOL, "UserPoolTags": TAGS}, TAGS, POOL)
    yield Call(
        "PoolBootstrapRole",
        "cognito-identity",
        "UpdateIdentityPool",
        {
            "IdentityPoolId": IDENTITY_POOL,
            "IdentityPoolName": POOL,
            "AllowUnauthenticatedIdentities": False,
            "IdentityPoolTags": TAGS,
        },
        TAGS,
        POOL,
    )


def _passed_roles():
    """A user pool that sends text messages, and a group that has a role: set up without Poolkeeper, and updated by it."""
    sms = {"SnsCallerArn": PASSABLE_ROLE, "ExternalId": "shop"}
    yield Call("PoolBootstrapRole", "cognito-idp", "UpdateUserPool", {"UserPoolId": OWN_POOL, "SmsConfiguration": sms}, TAGS, POOL)
    group = {"UserPoolId": OWN_POOL, "GroupName": "admins", "Description": "Helps", "RoleArn": PASSABLE_ROLE}
    yield Call("AdminApiRole", "cognito-idp", "UpdateGroup", group, TAGS, POOL)
