"""Deletes a stack and prints what is left. `sam delete` prints "Deleted successfully" even if the user pool was kept.

destroy.py [--stack-name NAME] [--region REGION] [--yes] [-- COMMAND…]

Name, region and profile default to those of samconfig.toml. COMMAND deletes the stack in place of `sam delete`. The exit status is 1 if
something is left that the stack's parameters do not keep.
"""

import argparse
import os
import re
import subprocess
import sys

import boto3
import tomlkit
from botocore.exceptions import BotoCoreError, ClientError

MISSING = {"NoSuchEntity", "ResourceNotFoundException"}
# Sections of samconfig.toml in the order in which `sam delete` reads them. It has none of its own.
SECTIONS = ("deploy", "global")
TAG = "poolkeeper:pool"
STACK_TAG = "poolkeeper:stack"
# A failed creation has another physical id: `poolkeeper-failed-create`, or an id of CloudFormation if no response arrived.
USER_POOL_ID = re.compile(r"[\w-]+_[0-9A-Za-z]+")
REPEAT = "To delete them, deploy the stack again with {}, then repeat make destroy."
RETAINED = "OnDelete=retain keeps them."
# The commands that delete resources that no stack adopts by itself.
COMMANDS = {"table": "dynamodb delete-table --table-name", "log group": "logs delete-log-group --log-group-name"}


def configured(name):
    if not os.path.exists("samconfig.toml"):
        return None
    with open("samconfig.toml", encoding="utf-8") as file:
        default = tomlkit.load(file).get("default", {})
    found = (default.get(section, {}).get("parameters", {}).get(name) for section in SECTIONS)
    return next((str(value) for value in found if value), None)


def described(stack):
    """The stack, or None if there is none."""
    try:
        stack = client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def client(service):
    return session.client(service)


def user_pool(pool_id):
    return client("cognito-idp").describe_user_pool(UserPoolId=pool_id)["UserPool"]


def identity_pool(pool_id):
    return client("cognito-identity").describe_identity_pool(IdentityPoolId=pool_id)


def role(arn):
    return client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]


def policy(arn):
    return client("iam").get_policy(PolicyArn=arn)["Policy"]


def log_group(name):
    groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def table(name):
    return client("dynamodb").describe_table(TableName=name)["Table"]


def entries(service, operation, key, **arguments):
    return [entry for page in client(service).get_paginator(operation).paginate(**arguments) for entry in page[key]]


def physical_ids(resources, kind):
    return [it["PhysicalResourceId"] for it in resources if it["ResourceType"] == kind and it.get("PhysicalResourceId")]


def resources_of(stack, resources, outputs, pool):
    """What the stack created that can be left: kind, name, and the call that finds it."""
    created = [
        ("user pool", outputs.get("UserPoolId"), user_pool),
        ("identity pool", outputs.get("IdentityPoolId"), identity_pool),
        ("IAM role", outputs.get("RoleArn"), role),
        ("IAM policy", outputs.get("PolicyArn"), policy),
    ]
    if not all(name for _, name, _ in created):
        created = resources_without_outputs(stack, physical_ids(resources, "Custom::PoolkeeperUserPool"), pool)
    return created + [
        *(("table", name, table) for name in physical_ids(resources, "AWS::DynamoDB::Table")),
        *(("log group", name, log_group) for name in physical_ids(resources, "AWS::Logs::LogGroup")),
    ]


def resources_without_outputs(stack, pool_ids, pool):
    """A stack has no outputs if its first deployment failed. Name and tag then identify the resources that it created."""
    _, partition, _, region, account, _ = stack.split(":", 5)
    iam_name = f"poolkeeper.{pool}.{region}"
    pools = entries("cognito-idp", "list_user_pools", "UserPools", MaxResults=60)
    identity_pools = entries("cognito-identity", "list_identity_pools", "IdentityPools", MaxResults=60)
    named = [
        *(("user pool", it["Id"], user_pool) for it in pools if it["Name"] == pool),
        *(("identity pool", it["IdentityPoolId"], identity_pool) for it in identity_pools if it["IdentityPoolName"] == pool),
        ("IAM role", f"arn:{partition}:iam::{account}:role/{iam_name}", role),
        ("IAM policy", f"arn:{partition}:iam::{account}:policy/{iam_name}", policy),
    ]
    created = [("user pool", it, user_pool) for it in pool_ids if USER_POOL_ID.fullmatch(it)]
    return created + [it for it in named if it not in created and is_owned(it, pool)]


def is_owned(resource, pool):
    """Whether the resource exists and has the tag of this pool."""
    _, name, find = resource
    try:
        found = find(name)
    except ClientError as error:
        if error.response["Error"]["Code"] in MISSING:
            return False
        raise
    # IAM returns a list, Cognito an object.
    listed = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    return {**listed, **found.get("UserPoolTags", {}), **found.get("IdentityPoolTags", {})}.get(TAG) == pool


def state_of(name, find):
    """None if the resource is missing."""
    try:
        return "exists" if find(name) else None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return None if code in MISSING else f"unknown: {code}"


def delete_boundaries(arns):
    """Deletes permissions boundaries of the stack that no role uses any more. CloudFormation keeps them because a retained role keeps its
    boundary.
    """
    iam = client("iam")
    for arn in arns:
        try:
            if iam.get_policy(PolicyArn=arn)["Policy"].get("PermissionsBoundaryUsageCount", 0):
                continue
            for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
                if not version["IsDefaultVersion"]:
                    iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
            iam.delete_policy(PolicyArn=arn)
        except ClientError as error:
            if error.response["Error"]["Code"] not in MISSING | {"DeleteConflict"}:
                raise


def reason(retains, pool, is_created, stack):
    """The reasons why resources other than log groups and tables are left, and how to delete them."""
    owner = pool and user_pool(pool).get("UserPoolTags", {}).get(STACK_TAG)
    if retains:
        return f"{RETAINED}\n{REPEAT.format('OnDelete=delete DeletionProtection=false')}"
    if pool and user_pool(pool).get("DeletionProtection") == "ACTIVE":
        return f"The user pool has deletion protection, which keeps them.\n{REPEAT.format('DeletionProtection=false')}"
    if is_created and owner != stack:
        return (
            f"The user pool belongs to {owner or 'no stack'}, because no deployment of this stack has adopted it successfully.\n"
            f"{REPEAT.format('OnDelete=delete')}"
        )
    if not is_created:
        return f"The first deployment failed. The next deployment adopts these resources.\n{REPEAT.format('OnDelete=delete')}"
    return "OnDelete=delete did not delete these resources."


def print_commands(resources, retains):
    """The names end with the stack's id or a random suffix, so that a repeated deployment does not find them."""
    kinds = " and ".join(f"the {kind}s" for kind in COMMANDS if any(found == kind for found, _ in resources))
    print("\n" + (f"{RETAINED} " if retains else "") + f"To delete {kinds}:\n")
    for kind, name in resources:
        region = f" --region {options.region}" if options.region else ""
        print(f"  aws {COMMANDS[kind]} {name}{region}")
    for name in [name for kind, name in resources if kind == "table" and retains]:
        print(f"\nTo keep its revocations in the next stack for this pool, deploy with RevocationTable={name}.")


def main():
    name = options.stack_name or configured("stack_name")
    stack = described(name) if name else None
    if not stack:
        return f"make destroy: no stack {name or ''} in {client('cloudformation').meta.region_name}"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    parameters = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}
    resources = entries("cloudformation", "list_stack_resources", "StackResourceSummaries", StackName=stack["StackId"])
    made = resources_of(stack["StackId"], resources, outputs, parameters.get("PoolName"))

    command = options.command
    if not command:
        command = ["sam", "delete", "--stack-name", name]
        command += ["--region", options.region] if options.region else []
        # The prefix in samconfig.toml belongs to another stack.
        command += ["--s3-prefix", name] if options.stack_name else []
        command += ["--no-prompts"] if options.yes else []
    status = subprocess.run(command, check=False).returncode
    remaining = described(stack["StackId"])
    if remaining:
        return f"make destroy: the stack {name} is not deleted ({remaining['StackStatus']})"

    boundaries = physical_ids(resources, "AWS::IAM::ManagedPolicy")
    delete_boundaries(boundaries)
    made += [("IAM boundary", arn, policy) for arn in boundaries]
    states = [(kind, resource, state_of(resource, find)) for kind, resource, find in made]
    left = [resource for resource in states if resource[2]]
    if not left:
        print(f"\nThe stack {name} is deleted. No resources remain.")
        return status
    print(f"\nThe stack {name} is deleted. These resources remain:\n")
    for kind, resource, state in left:
        print(f"  {kind:13}  {resource}" + ("" if state == "exists" else f"  ({state})"))
    retains = parameters.get("OnDelete") != "delete"
    deletable = [(kind, resource) for kind, resource, _ in left if kind in COMMANDS]
    if len(deletable) < len(left):
        pool = next((resource for kind, resource, state in left if (kind, state) == ("user pool", "exists")), None)
        is_created = any(map(USER_POOL_ID.fullmatch, physical_ids(resources, "Custom::PoolkeeperUserPool")))
        print(f"\n{reason(retains, pool, is_created, stack['StackId'])}")
    if deletable:
        print_commands(deletable, retains)
    return status if retains else status or 1


parser = argparse.ArgumentParser(prog="make destroy", add_help=False)
parser.add_argument("--stack-name")
# As `make deploy`. botocore does not read AWS_REGION.
parser.add_argument("--region", default=configured("region") or os.environ.get("AWS_REGION"))
parser.add_argument("--yes", action="store_true")
parser.add_argument("command", nargs="*")
options = parser.parse_args()
try:
    session = boto3.Session(profile_name=configured("profile"), region_name=options.region)
    sys.exit(main())
except (BotoCoreError, ClientError) as error:
    sys.exit(f"make destroy: {error}")
