"""Four things about a stack: `failures NAME` prints why its resources failed, `errors NAME` what its functions have logged as errors,
`id NAME` its id, `delete NAME` deletes it and waits until it is gone.
"""

import sys

import boto3

action, name = sys.argv[1:]
cloudformation = boto3.client("cloudformation")

if action == "failures":
    for event in reversed(cloudformation.describe_stack_events(StackName=name)["StackEvents"]):
        if event["ResourceStatus"].endswith("_FAILED") and event["ResourceType"] != "AWS::CloudFormation::Stack":
            print(f"  {event['LogicalResourceId']} ({event['ResourceType']}): {event.get('ResourceStatusReason', 'no reason given')}")
elif action == "errors":
    logs = boto3.client("logs")
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-")["logGroups"]:
        for event in logs.filter_log_events(logGroupName=group["logGroupName"])["events"]:
            if '"ERROR"' in event["message"]:
                print(f"  {group['logGroupName'].removeprefix('/aws/lambda/')}: {event['message'].strip()}")
elif action == "id":
    print(cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"])
else:
    stack_id = cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackId"]
    cloudformation.delete_stack(StackName=stack_id)
    waiter = cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=stack_id, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
