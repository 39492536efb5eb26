"""Two things about a stack: `failures NAME` prints why its resources failed, `delete NAME` deletes it and waits until it is gone."""

import sys

import boto3

action, name = sys.argv[1:]
cloudformation = boto3.client("cloudformation")

if action == "failures":
    for event in reversed(cloudformation.describe_stack_events(StackName=name)["StackEvents"]):
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack":
            print(f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason given')}")
else:
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack_id)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=stack_id, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
