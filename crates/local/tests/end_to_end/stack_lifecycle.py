"""CloudFormation queries of the tests in stack_lifecycle.rs. Actions:

events STACK              prints the resources and states of its events, oldest first
settings STACK            prints the settings of its functions
change STACK NAME=VALUE…  changes parameters of the stack, and prints the resources that use them
delete STACK              deletes the stack (`sam delete` polls only twice a minute)
"""

import json
import sys

import boto3

action, stack, *more = sys.argv[1:]
cloudformation = boto3.client("cloudformation")
EVERY_SECOND = {"Delay": 1, "MaxAttempts": 120}


def pages(operation, key):
    return [entry for page in cloudformation.get_paginator(operation).paginate(StackName=stack) for entry in page[key]]


if action == "events":
    events = pages("describe_stack_events", "StackEvents")
    print(json.dumps([[event["LogicalResourceId"], event["ResourceStatus"]] for event in reversed(events)]))
elif action == "settings":
    resources = pages("list_stack_resources", "StackResourceSummaries")
    functions = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in resources if it["ResourceType"] == "AWS::Lambda::Function"}
    read = boto3.client("lambda").get_function_configuration
    configurations = {name: read(FunctionName=function) for name, function in functions.items()}
    print(json.dumps({name: it.get("Environment", {}).get("Variables") for name, it in configurations.items()}))
elif action == "change":
    changed = dict(pair.split("=", 1) for pair in more)
    names = [it["ParameterKey"] for it in cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Parameters"]]
    parameters = [
        {"ParameterKey": name, "ParameterValue": changed[name]} if name in changed else {"ParameterKey": name, "UsePreviousValue": True}
        for name in names
    ]
    change_set = cloudformation.create_change_set(
        StackName=stack,
        ChangeSetName="-".join(changed),
        UsePreviousTemplate=True,
        Parameters=parameters,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )["Id"]
    cloudformation.get_waiter("change_set_create_complete").wait(ChangeSetName=change_set, WaiterConfig=EVERY_SECOND)
    changes = [change["ResourceChange"] for change in cloudformation.describe_change_set(ChangeSetName=change_set)["Changes"]]
    cloudformation.execute_change_set(ChangeSetName=change_set)
    cloudformation.get_waiter("stack_update_complete").wait(StackName=stack, WaiterConfig=EVERY_SECOND)
    # The change set also contains resources that depend on a changed resource. CloudFormation changes those whose input
    # differs.
    print(json.dumps([it["LogicalResourceId"] for it in changes if any(detail["Evaluation"] == "Static" for detail in it["Details"])]))
elif action == "delete":
    cloudformation.delete_stack(StackName=stack)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=EVERY_SECOND)
else:
    sys.exit(__doc__)
