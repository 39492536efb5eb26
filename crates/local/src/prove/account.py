"""Calls to an AWS account that `sam` does not make. Prints one JSON document. Actions:

whoami                  account and ARN of the credentials
versions ROOT           versions of the project in this directory and of the tools
create STACK            creates a stack from the template on standard input and prints its outputs
delete STACK            deletes a stack in any state and prints whether it existed and which resources failed
artifacts NAME          deletes what `sam` uploaded for the stacks NAME and NAME-… and prints the number of objects
left NAME               lists every resource whose name contains NAME, by each service's own calls
sweep NAME              deletes what `left` finds, except stacks
tags POOL IDENTITY_POOL ROLE     the tags of a pool, its identity pool, its role and its policy
may FUNCTION_ARN TAG    whether the function's role may create pools with this tag, by the IAM policy simulator
tag POOL_ARN IDENTITY_POOL       adds another tag to both
untagged_user_pool POOL          updates a user pool without tags, prints its tags before and after, and restores them
untagged_identity_pool POOL      the same for an identity pool
sms POOL ROLE_ARN NAME  gives a pool an SMS role and prints the pool
pool POOL               prints the settings of a pool
group POOL GROUP ROLE_ARN USER   creates a group, with a role unless that is empty, and adds a user to it
join POOL GROUP "" USER          adds a user to a group
levels LOG_GROUP_PREFIX number of log lines by level
"""

import datetime
import importlib.metadata
import json
import platform
import subprocess
import sys
import time

import boto3
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

def pages(client, operation, key, **arguments):
    for page in client.get_paginator(operation).paginate(**arguments):
        yield from page.get(key, [])


def whoami():
    identity = boto3.client("sts").get_caller_identity()
    return {"account": identity["Account"], "arn": identity["Arn"]}


def versions(root):
    names = ["aws-sam-cli", "boto3", "cargo-lambda"]
    found = {name: importlib.metadata.version(name) for name in names}
    # There is no commit outside a Git clone.
    git = subprocess.run(["git", "-C", root, "describe", "--always", "--dirty"], capture_output=True, text=True)
    today = datetime.datetime.now(datetime.timezone.utc).date().isoformat()
    return {"date": today, "commit": git.stdout.strip() or "unknown", **found, "python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}


def create(name):
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=name, TemplateBody=sys.stdin.read(), Capabilities=["CAPABILITY_IAM"], OnFailure="DO_NOTHING"
    )
    try:
        waiter = cloudformation.get_waiter("stack_create_complete")
        waiter.wait(StackName=name, WaiterConfig={"Delay": 2, "MaxAttempts": 300})
    except WaiterError as error:
        sys.exit("; ".join(failures(events(name), "CREATE_FAILED")) or str(error))
    outputs = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def events(stack):
    return list(pages(boto3.client("cloudformation"), "describe_stack_events", "StackEvents", StackName=stack))


def failures(stack_events, status):
    """The reasons of the events with this status."""
    return [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in stack_events
        if event["ResourceStatus"] == status
    ]


def delete(name):
    cloudformation = boto3.client("cloudformation")
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return {"existed": False, "failed": []}
        raise
    stack_id = stack["StackId"]
    # Ignores the events and the status of an earlier deletion that failed.
    earlier = {event["EventId"] for event in events(stack_id)}
    cloudformation.delete_stack(StackName=stack_id)
    deadline = time.monotonic() + 1800
    while True:
        status = cloudformation.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"]
        if status == "DELETE_COMPLETE":
            return {"existed": True, "failed": delete_boundaries(name)}
        new = [event for event in events(stack_id) if event["EventId"] not in earlier]
        if (status == "DELETE_FAILED" and new) or time.monotonic() > deadline:
            return {"existed": True, "failed": failures(new, "DELETE_FAILED") or [f"the stack is {status}"]}
        time.sleep(1)


def delete_boundaries(name):
    """Deletes the permissions boundary after the role. CloudFormation keeps the boundary."""
    iam = boto3.client("iam")
    failed = []
    for policy in pages(iam, "list_policies", "Policies", Scope="Local"):
        if policy["PolicyName"].startswith(f"{name}-AuthenticatedBoundary-"):
            try:
                iam.delete_policy(PolicyArn=policy["Arn"])
            except ClientError as error:
                failed.append(f"{policy['Arn']}: {error}")
    return failed


def managed_bucket():
    """The bucket that `sam deploy --resolve-s3` uses, if the account has it."""
    try:
        stacks = boto3.client("cloudformation").describe_stacks(StackName="aws-sam-cli-managed-default")["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}
    return outputs.get("SourceBucket")


def uploads(name):
    bucket = managed_bucket()
    if bucket is None:
        return None, []
    versions = []
    for prefix in (f"{name}/", f"{name}-"):
        for page in boto3.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Versions", []) + page.get("DeleteMarkers", []):
                versions.append({"Key": entry["Key"], "VersionId": entry["VersionId"]})
    return bucket, versions


def artifacts(name):
    bucket, versions = uploads(name)
    for version in versions:
        boto3.client("s3").delete_object(Bucket=bucket, **version)
    return {"deleted": len(versions)}


def left(name):
    stacks = pages(boto3.client("cloudformation"), "list_stacks", "StackSummaries")
    pools = pages(boto3.client("cognito-idp"), "list_user_pools", "UserPools", MaxResults=60)
    identity_pools = pages(boto3.client("cognito-identity"), "list_identity_pools", "IdentityPools", MaxResults=60)
    iam = boto3.client("iam")
    parameters = pages(boto3.client("ssm"), "describe_parameters", "Parameters")
    groups = pages(boto3.client("logs"), "describe_log_groups", "logGroups")
    apis = pages(boto3.client("apigatewayv2"), "get_apis", "Items")
    functions = pages(boto3.client("lambda"), "list_functions", "Functions")
    found = {
        "stacks": [stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"],
        "user pools": {pool["Id"]: pool["Name"] for pool in pools},
        "identity pools": {pool["IdentityPoolId"]: pool["IdentityPoolName"] for pool in identity_pools},
        "IAM roles": [role["RoleName"] for role in pages(iam, "list_roles", "Roles")],
        "IAM policies": {policy["Arn"]: policy["PolicyName"] for policy in pages(iam, "list_policies", "Policies", Scope="Local")},
        "SSM parameters": [parameter["Name"] for parameter in parameters],
        "log groups": [group["logGroupName"] for group in groups],
        "DynamoDB tables": list(pages(boto3.client("dynamodb"), "list_tables", "TableNames")),
        "HTTP APIs": {api["ApiId"]: api["Name"] for api in apis},
        "functions": [function["FunctionName"] for function in functions],
    }
    result = {}
    for kind, entries in found.items():
        named = entries.items() if isinstance(entries, dict) else zip(entries, entries)
        result[kind] = sorted(key for key, text in named if name in text)
    result["SAM artifacts"] = sorted({version["Key"] for version in uploads(name)[1]})
    return result


def sweep(name):
    found = left(name)
    iam = boto3.client("iam")

    def delete_role(role):
        for policy in pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role):
            iam.detach_role_policy(RoleName=role, PolicyArn=policy["PolicyArn"])
        for policy in pages(iam, "list_role_policies", "PolicyNames", RoleName=role):
            iam.delete_role_policy(RoleName=role, PolicyName=policy)
        iam.delete_role(RoleName=role)

    deleters = {
        "identity pools": lambda key: boto3.client("cognito-identity").delete_identity_pool(IdentityPoolId=key),
        "IAM roles": delete_role,
        "IAM policies": lambda key: iam.delete_policy(PolicyArn=key),
        "user pools": lambda key: boto3.client("cognito-idp").delete_user_pool(UserPoolId=key),
        "SSM parameters": lambda key: boto3.client("ssm").delete_parameter(Name=key),
        "HTTP APIs": lambda key: boto3.client("apigatewayv2").delete_api(ApiId=key),
        "functions": lambda key: boto3.client("lambda").delete_function(FunctionName=key),
        "log groups": lambda key: boto3.client("logs").delete_log_group(logGroupName=key),
        "DynamoDB tables": lambda key: boto3.client("dynamodb").delete_table(TableName=key),
        "SAM artifacts": lambda _: artifacts(name),
    }
    failed = []
    for kind, deleter in deleters.items():
        for key in found[kind]:
            try:
                deleter(key)
            except (BotoCoreError, ClientError) as error:
                failed.append(f"{key}: {error}")
    return {"failed": failed}


def tags(pool_id, identity_pool_id, role_arn):
    iam = boto3.client("iam")
    role_name = role_arn.rsplit("/", 1)[1]
    policy_arn = next(pages(iam, "list_attached_role_policies", "AttachedPolicies", RoleName=role_name))["PolicyArn"]

    def of_list(entries):
        return {entry["Key"]: entry["Value"] for entry in entries}

    return {
        "user pool": boto3.client("cognito-idp").describe_user_pool(UserPoolId=pool_id)["UserPool"].get("UserPoolTags", {}),
        "identity pool": boto3.client("cognito-identity")
        .describe_identity_pool(IdentityPoolId=identity_pool_id)
        .get("IdentityPoolTags", {}),
        "role": of_list(iam.get_role(RoleName=role_name)["Role"].get("Tags", [])),
        "policy": of_list(iam.get_policy(PolicyArn=policy_arn)["Policy"].get("Tags", [])),
    }


def may(function_arn, tag):
    role = boto3.client("lambda").get_function_configuration(FunctionName=function_arn)["Role"]
    entry = {"ContextKeyName": "aws:RequestTag/poolkeeper:pool", "ContextKeyValues": [tag], "ContextKeyType": "string"}
    actions = ["cognito-idp:CreateUserPool", "cognito-identity:CreateIdentityPool"]
    simulated = boto3.client("iam").simulate_principal_policy(
        PolicySourceArn=role, ActionNames=actions, ContextEntries=[entry]
    )
    return {result["EvalActionName"]: result["EvalDecision"] for result in simulated["EvaluationResults"]}


def tag(pool_arn, identity_pool_id):
    boto3.client("cognito-idp").tag_resource(ResourceArn=pool_arn, Tags={"cost-center": "prove"})
    tag_identity_pool(identity_pool_id, {"cost-center": "prove"})
    return {}


def tag_identity_pool(identity_pool_id, tags):
    account, region = boto3.client("sts").get_caller_identity()["Account"], boto3.session.Session().region_name
    arn = f"arn:aws:cognito-identity:{region}:{account}:identitypool/{identity_pool_id}"
    boto3.client("cognito-identity").tag_resource(ResourceArn=arn, Tags=tags)


def untagged_user_pool(pool_id):
    cognito = boto3.client("cognito-idp")
    before = pool(pool_id)
    cognito.update_user_pool(UserPoolId=pool_id)
    after = pool(pool_id)
    # The bootstrap does not delete a pool without its tag.
    cognito.tag_resource(ResourceArn=before["Arn"], Tags=before["UserPoolTags"])
    return {"before": before["UserPoolTags"], "after": after.get("UserPoolTags", {})}


def untagged_identity_pool(pool_id):
    identity = boto3.client("cognito-identity")
    before = identity.describe_identity_pool(IdentityPoolId=pool_id)
    required = ("IdentityPoolId", "IdentityPoolName", "AllowUnauthenticatedIdentities")
    identity.update_identity_pool(**{name: before[name] for name in required})
    after = identity.describe_identity_pool(IdentityPoolId=pool_id)
    tag_identity_pool(pool_id, before["IdentityPoolTags"])
    return {"before": before["IdentityPoolTags"], "after": after.get("IdentityPoolTags", {})}


def pool(pool_id):
    described = boto3.client("cognito-idp").describe_user_pool(UserPoolId=pool_id)["UserPool"]
    return json.loads(json.dumps(described, default=str))


def sms(pool_id, role_arn, external_id):
    # The update resets the fields that it omits, so the bootstrap's next run has changes.
    region = boto3.session.Session().region_name
    configuration = {"SnsCallerArn": role_arn, "ExternalId": external_id, "SnsRegion": region}
    tags = pool(pool_id).get("UserPoolTags", {})
    boto3.client("cognito-idp").update_user_pool(
        UserPoolId=pool_id, SmsConfiguration=configuration, UserPoolTags=tags
    )
    return pool(pool_id)


def group(pool_id, name, role_arn, username):
    cognito = boto3.client("cognito-idp")
    role = {"RoleArn": role_arn} if role_arn else {}
    cognito.create_group(UserPoolId=pool_id, GroupName=name, **role)
    return join(pool_id, name, role_arn, username)


def join(pool_id, name, _, username):
    if username:
        boto3.client("cognito-idp").admin_add_user_to_group(UserPoolId=pool_id, Username=username, GroupName=name)
    return {}


def levels(prefix):
    logs = boto3.client("logs")
    counts = {}
    for log_group in pages(logs, "describe_log_groups", "logGroups", logGroupNamePrefix=prefix):
        for event in pages(logs, "filter_log_events", "events", logGroupName=log_group["logGroupName"]):
            try:
                line = json.loads(event["message"])
            except ValueError:
                line = None
            is_object = isinstance(line, dict)
            # Lambda's own lines contain a type instead of a level.
            level = line.get("level", "platform" if "type" in line else "none") if is_object else "not JSON"
            counts[level] = counts.get(level, 0) + 1
    return counts


ACTIONS = [
    whoami, versions, create, delete, artifacts, left, sweep, tags, may, tag, untagged_user_pool, untagged_identity_pool,
    sms, pool, group, join, levels,
]  # fmt: skip
action, *arguments = sys.argv[1:]
try:
    print(json.dumps({function.__name__: function for function in ACTIONS}[action](*arguments)))
except (BotoCoreError, ClientError) as error:
    sys.exit(str(error))
