"""Creates a change set with `sam`, executes or deletes it, and prints the events of the deployment."""

import itertools
import json
import subprocess
import time

from botocore.exceptions import BotoCoreError, ClientError

from deploy import Refused, account

AWS_ERRORS = (BotoCoreError, ClientError)
FINISHED = {"CREATE_COMPLETE": "created", "UPDATE_COMPLETE": "updated", "DELETE_COMPLETE": "deleted"}
SUCCEEDED = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
# States of change sets that nobody can execute.
UNUSABLE = ("FAILED", "DELETE_PENDING", "DELETE_IN_PROGRESS", "DELETE_COMPLETE")
CUSTOM_RESOURCE = "Message returned: "
SHOWN_LINES = 15


def results(output):
    """The lines that `sam deploy --output json` prints."""
    for line in output.splitlines():
        try:
            yield json.loads(line)
        except json.JSONDecodeError:
            continue


def create_change_set(arguments, overrides):
    """Uploads the functions and returns the id of the change set, or None if nothing changes."""
    command = ["sam", "deploy", *arguments, "--output", "json", "--no-progressbar", "--no-confirm-changeset"]
    command += ["--no-execute-changeset", "--no-fail-on-empty-changeset", "--parameter-overrides", *overrides]
    ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    last = next((one for one in reversed(list(results(ran.stdout))) if one.get("type") == "result"), {})
    if ran.returncode == 0 and last.get("status") == "changeset_created":
        return last["changeset_id"]
    if ran.returncode == 0 and last.get("status") == "no_changes":
        return None
    output = "\n".join(f"{ran.stdout}\n{ran.stderr}".strip().splitlines()[-SHOWN_LINES:])
    raise Refused(f"sam cannot create the change set: {last.get('error', {}).get('message', output)}")


def changes_of(cloudformation, change_set):
    pages = cloudformation.get_paginator("describe_change_set").paginate(ChangeSetName=change_set)
    return [change["ResourceChange"] for page in pages for change in page["Changes"] if "ResourceChange" in change]


def discard(cloudformation, name, change_set):
    """Deletes the change set, and the stack if it consists of this change set only."""
    if change_set:
        cloudformation.delete_change_set(ChangeSetName=change_set)
    stack = account.described(cloudformation, name)
    if not stack or stack["StackStatus"] != account.NEW:
        return
    others = cloudformation.list_change_sets(StackName=stack["StackId"])["Summaries"]
    if all(other["Status"] in UNUSABLE for other in others):
        cloudformation.delete_stack(StackName=stack["StackId"])


class Events:
    """The events of a stack after this object was created."""

    def __init__(self, cloudformation, stack):
        self.pages = cloudformation.get_paginator("describe_stack_events")
        self.stack = stack
        self.last = next(self.newest_first(), {}).get("EventId")

    def new(self):
        """The events since the last call, oldest first."""
        found = list(itertools.takewhile(lambda event: event["EventId"] != self.last, self.newest_first()))
        self.last = found[0]["EventId"] if found else self.last
        return found[::-1]

    def newest_first(self):
        for page in self.pages.paginate(StackName=self.stack):
            yield from page["StackEvents"]


def reason(event):
    """The reason of a failure without CloudFormation's frame around the message of a custom resource."""
    text = event.get("ResourceStatusReason", "no reason given")
    return text.partition(CUSTOM_RESOURCE)[2].rpartition(" (RequestId:")[0] or text if CUSTOM_RESOURCE in text else text


def event_line(event):
    """A line for a finished or failed resource, otherwise None."""
    status, resource = event["ResourceStatus"], event["LogicalResourceId"]
    if status in FINISHED:
        return f"  {FINISHED[status]:8}  {resource}"
    # CloudFormation cancels other resources after a failure.
    if status.endswith("_FAILED") and "cancelled" not in event.get("ResourceStatusReason", ""):
        return f"  failed    {resource} ({event['ResourceType']}): {reason(event)}"
    return None


def execute(cloudformation, change_set, interval):
    """Executes the change set and prints its events. Returns the final state of the stack."""
    stack = cloudformation.describe_change_set(ChangeSetName=change_set)["StackId"]
    events = Events(cloudformation, stack)
    cloudformation.execute_change_set(ChangeSetName=change_set)
    while True:
        for event in events.new():
            if event.get("PhysicalResourceId") == stack:
                if not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                    return event["ResourceStatus"]
            elif line := event_line(event):
                print(line, flush=True)
        time.sleep(interval)


def expect_success(name, status, is_new):
    if status in SUCCEEDED:
        return
    if is_new:
        raise Refused(
            f"the deployment failed (state {status}); the lines above name the reasons. Delete the stack with "
            f"`make destroy STACK={name}`, then deploy again"
        )
    raise Refused(f"the update failed (state {status}); the lines above name the reasons. A rolled-back stack works as before")
