"""Stack operations that `sam` lacks, or performs slowly or without machine-readable output. Actions:

failures STACK        prints why resources of the stack failed
errors STACK          prints the errors that functions of the stack logged
log STACK FUNCTION    prints the complete log of a function
id STACK              prints the id of the stack
delete STACK          deletes the stack and waits until it is deleted
invoke ARN            sends the event on standard input to a function and prints a JSON object: response, whether it is an error, log
set ARN NAME=VALUE…   changes settings of a function and keeps the others
"""

import base64
import json
import sys

import boto3
from botocore.config import Config

action, name, *more = sys.argv[1:]


def log_events(group):
    for page in boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group):
        for event in page["events"]:
            yield event["message"].strip()


if action == "failures":
    events = boto3.client("cloudformation").describe_stack_events(StackName=name)["StackEvents"]
    for event in reversed(events):
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack":
            print(f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason given')}")
elif action == "errors":
    for group in boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-")["logGroups"]:
        for message in log_events(group["logGroupName"]):
            if '"ERROR"' in message:
                print(f"  {group['logGroupName'].removeprefix('/aws/lambda/')}: {message}")
elif action == "log":
    # The names of log groups that outlive a stack end with the stack's id.
    groups = boto3.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-{more[0]}")["logGroups"]
    if not groups:
        sys.exit(f"no log group of {more[0]}")
    for group in groups:
        for message in log_events(group["logGroupName"]):
            print(message)
elif action == "id":
    print(boto3.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["StackId"])
elif action == "delete":
    cloudformation = boto3.client("cloudformation")
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack_id)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=stack_id, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
elif action == "invoke":
    # Retries are disabled, because a retry would send a second event.
    once = Config(read_timeout=900, retries={"total_max_attempts": 1})
    invoked = boto3.client("lambda", config=once).invoke(FunctionName=name, Payload=sys.stdin.buffer.read(), LogType="Tail")
    answer = json.dumps(json.load(invoked["Payload"]), indent=2, ensure_ascii=False)
    log = base64.b64decode(invoked.get("LogResult", "")).decode(errors="replace")
    print(json.dumps({"answer": answer, "is_error": "FunctionError" in invoked, "log": log.strip()}))
elif action == "set":
    functions = boto3.client("lambda")
    variables = functions.get_function_configuration(FunctionName=name).get("Environment", {}).get("Variables", {})
    variables.update(setting.split("=", 1) for setting in more)
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
else:
    sys.exit(__doc__)
