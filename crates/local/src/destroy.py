"""Deletes a stack and prints what is left. `sam delete` prints "Deleted successfully" also if the user pool was kept.

destroy.py [--stack-name NAME] [--region REGION] [--yes] [-- COMMAND…]

Name and region default to those of samconfig.toml. COMMAND deletes the stack in place of `sam delete`. The exit status is 1 if
something is left that the stack's parameters do not keep.
"""

import argparse
import os
import subprocess
import sys

import boto3
import tomlkit
from botocore.exceptions import BotoCoreError, ClientError

MISSING = {"NoSuchEntity", "ResourceNotFoundException"}
# Sections of samconfig.toml in the order in which `sam delete` reads them.
SECTIONS = ("delete", "deploy", "global")
REPEAT = "To delete them, deploy the stack again with {}, then repeat make destroy."


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
    return boto3.client(service, region_name=options.region)


def user_pool(pool_id):
    return client("cognito-idp").describe_user_pool(UserPoolId=pool_id)["UserPool"]


def identity_pool(pool_id):
    return client("cognito-identity").describe_identity_pool(IdentityPoolId=pool_id)


def role(arn):
    return client("iam").get_role(RoleName=arn.rpartition("/")[2])


def policy(arn):
    return client("iam").get_policy(PolicyArn=arn)


def log_group(name):
    groups = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def resources_of(stack, outputs):
    """What the stack made that can be left: kind, name, and the call that finds it."""
    made = [
        ("user pool", outputs.get("UserPoolId"), user_pool),
        ("identity pool", outputs.get("IdentityPoolId"), identity_pool),
        ("IAM role", outputs.get("RoleArn"), role),
        ("IAM policy", outputs.get("PolicyArn"), policy),
    ]
    for page in client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Logs::LogGroup":
                made.append(("log group", resource.get("PhysicalResourceId"), log_group))
    return [resource for resource in made if resource[1]]


def state_of(name, find):
    """None if the resource is missing."""
    try:
        return "exists" if find(name) else None
    except ClientError as error:
        code = error.response["Error"]["Code"]
        return None if code in MISSING else f"unknown: {code}"


def reason(parameters, pool):
    """Why resources are left, and whether the parameters say so."""
    if parameters.get("OnDelete") != "delete":
        return f"OnDelete=retain keeps them.\n{REPEAT.format('OnDelete=delete DeletionProtection=false')}", True
    if pool and user_pool(pool).get("DeletionProtection") == "ACTIVE":
        return f"The user pool has deletion protection, which keeps them.\n{REPEAT.format('DeletionProtection=false')}", False
    return "OnDelete=delete did not delete them. The log of the function pool-bootstrap says why.", False


def main():
    name = options.stack_name
    stack = described(name) if name else None
    if not stack:
        return f"make destroy: there is no stack {name or ''} in {client('cloudformation').meta.region_name}"
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    parameters = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}
    made = resources_of(stack["StackId"], outputs)

    command = options.command
    if not command:
        command = ["sam", "delete", "--stack-name", name]
        command += ["--region", options.region] if options.region else []
        command += ["--no-prompts"] if options.yes else []
    status = subprocess.run(command, check=False).returncode
    remaining = described(stack["StackId"])
    if remaining:
        return f"make destroy: the stack {name} is not deleted ({remaining['StackStatus']})"

    states = [(kind, resource, state_of(resource, find)) for kind, resource, find in made]
    left = [resource for resource in states if resource[2]]
    if not left:
        print(f"\nThe stack {name} is deleted. Nothing is left of it.")
        return status
    print(f"\nThe stack {name} is deleted. These resources are left:\n")
    for kind, resource, state in left:
        print(f"  {kind:13}  {resource}" + ("" if state == "exists" else f"  ({state})"))
    pool = next((resource for kind, resource, state in left if (kind, state) == ("user pool", "exists")), None)
    text, as_wanted = reason(parameters, pool)
    print(f"\n{text}")
    return status if as_wanted else status or 1


parser = argparse.ArgumentParser(prog="make destroy", add_help=False)
parser.add_argument("--stack-name", default=configured("stack_name"))
parser.add_argument("--region", default=configured("region"))
parser.add_argument("--yes", action="store_true")
parser.add_argument("command", nargs="*")
options = parser.parse_args()
try:
    sys.exit(main())
except (BotoCoreError, ClientError) as error:
    sys.exit(f"make destroy: {error}")
