"""Calls that the tests do not record, with reasons. Every other permission of a role must be needed by a recorded call."""

import json
from pathlib import Path

from calls import TAG, Call
from tables import CLIENT_SECRET
from template import (
    ACCOUNT,
    OWN_BUCKET,
    OWN_POOL,
    OWN_STATE_MACHINE,
    PARTITION,
    PASSABLE_ROLE,
    REGION,
    STACK,
    SWITCHES,
    Template,
)

IMPORT_JOBS = Path(__file__).parent / "import_jobs.json"
POOL = "shop"
TAGS = {TAG: POOL}


def calls(text):
    return [
        *_logging(text),
        *_passed_roles(),
        *_second_factors(),
        *_mapped_attributes(),
        _proof_without_sign_up(),
        _rotation(),
        *_functions_of_triggers(),
        *_steps_of_jobs(),
        *_restored_groups(),
        *_import_jobs(),
    ]


def _logging(text):
    """Lambda writes the logs with the role of the function. The emulator writes them without a request."""
    for role, group in Template(text, pool=POOL, **SWITCHES).log_groups().items():
        stream = {"logGroupName": group, "logStreamName": "2026/11/28/[$LATEST]0123456789abcdef0123456789abcdef"}
        yield Call(role, "logs", "CreateLogStream", stream, pool=POOL)
        yield Call(
            role, "logs", "PutLogEvents", {**stream, "logEvents": [{"timestamp": 0, "message": "{}"}]}, pool=POOL
        )


def _passed_roles():
    """A user pool with text messages and a group with a role, both set up outside Poolkeeper and updated by it."""
    sms = {"SnsCallerArn": PASSABLE_ROLE, "ExternalId": "shop"}
    yield Call(
        "PoolBootstrapRole",
        "cognito-idp",
        "UpdateUserPool",
        {"UserPoolId": OWN_POOL, "SmsConfiguration": sms},
        TAGS,
        POOL,
    )
    group = {"UserPoolId": OWN_POOL, "GroupName": "admins", "Description": "Helps", "RoleArn": PASSABLE_ROLE}
    yield Call("AdminApiRole", "cognito-idp", "UpdateGroup", group, TAGS, POOL)


def _second_factors():
    """A pool with MFA and text messages. The emulator signs users in without `MFA_SETUP`."""
    sms = {"SmsConfiguration": {"SnsCallerArn": PASSABLE_ROLE, "ExternalId": "shop"}}
    config = {
        "UserPoolId": OWN_POOL,
        "MfaConfiguration": "ON",
        "SoftwareTokenMfaConfiguration": {"Enabled": True},
        "SmsMfaConfiguration": sms,
    }
    answer = {
        "UserPoolId": OWN_POOL,
        "ClientId": "abc",
        "ChallengeName": "MFA_SETUP",
        "Session": "session-of-twenty-characters",
        "ChallengeResponses": {"USERNAME": "poolkeeper-verify-1"},
    }
    for operation, parameters in [("SetUserPoolMfaConfig", config), ("AdminRespondToAuthChallenge", answer)]:
        yield Call("PoolBootstrapRole", "cognito-idp", operation, parameters, TAGS, POOL)


def _mapped_attributes():
    """A pool with an identity provider, which no test sets up."""
    provider = {"UserPoolId": OWN_POOL, "ProviderName": "Google"}
    for role in ("PoolBootstrapRole", "JobsExporterRole"):
        yield Call(role, "cognito-idp", "DescribeIdentityProvider", provider, TAGS, POOL)


def _proof_without_sign_up():
    """A pool without self sign-up, whose test user the verification creates as an administrator. The emulator allows sign-up anyway."""
    password = {
        "UserPoolId": OWN_POOL,
        "Username": "poolkeeper-verify-1",
        "Password": "Correct-Horse-1",
        "Permanent": True,
    }
    return Call("PoolBootstrapRole", "cognito-idp", "AdminSetUserPassword", password, TAGS, POOL)


def _functions_of_triggers():
    """The reads of `poolkeeper doctor` with the operator's credentials. The recorder ignores requests to Lambda."""
    for operation in ("GetFunctionConcurrency", "GetFunctionConfiguration"):
        yield Call(None, "lambda", operation, {"FunctionName": "shop-PreSignUp"})


def _import_jobs():
    """The calls of `poolkeeper users import` with the operator's credentials. The emulator does not support import jobs. A
    test of the adapters compares its requests with this file."""
    for operation, request in json.loads(IMPORT_JOBS.read_text()):
        service = "logs" if operation == "GetLogEvents" else "cognito-idp"
        yield Call(None, service, operation, request)


def _rotation():
    """A client with refresh token rotation, which specs do not support. The call is not signed."""
    return Call(
        None,
        "cognito-idp",
        "GetTokensFromRefreshToken",
        {"RefreshToken": "eyJj.x", "ClientId": "abc", "ClientSecret": CLIENT_SECRET},
    )


def _restored_groups():
    """A restore reads a group that another run created at the same time, and changes existing groups. The emulator does not
    support `UpdateGroup`."""
    group = {"UserPoolId": OWN_POOL, "GroupName": "editors"}
    yield Call("JobsWorkerRole", "cognito-idp", "GetGroup", group, TAGS, POOL)
    changed = {**group, "Description": "Edit", "Precedence": 7}
    yield Call("JobsWorkerRole", "cognito-idp", "UpdateGroup", changed, TAGS, POOL)


def _steps_of_jobs():
    """Step Functions runs jobs with the role of the state machine. The emulator runs them without a request."""
    resource = f"arn:{PARTITION}:states:{REGION}:{ACCOUNT}"
    # A child execution of the distributed map.
    child = {"executionArn": f"{resource}:execution:{OWN_STATE_MACHINE}/chunks:0123456789abcdef"}
    function = f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{STACK}-Jobs"
    start = {"stateMachineArn": f"{resource}:stateMachine:{OWN_STATE_MACHINE}"}
    chunks = {"Bucket": OWN_BUCKET, "Key": "jobs/import-0123456789abcdef0123456789abcdef/chunks-0123456789abcdef.json"}
    for service, operation, parameters in [
        ("lambda", "Invoke", {"FunctionName": f"{function}WorkerFunction"}),
        ("lambda", "Invoke", {"FunctionName": f"{function}ExporterFunction"}),
        ("s3", "GetObject", chunks),
        ("states", "StartExecution", start),
        ("states", "DescribeExecution", child),
        ("states", "StopExecution", child),
        ("states", "RedriveExecution", child),
    ]:
        yield Call("JobStateMachineRole", service, operation, parameters, pool=POOL)
    # EventBridge Scheduler starts backups with the role of the schedule.
    yield Call("BackupSchedulerRole", "states", "StartExecution", start, pool=POOL)
