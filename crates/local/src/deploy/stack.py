"""Creates a change set with `sam`, executes or deletes it, and prints the events of the deployment."""

import contextlib
import itertools
import json
import subprocess
import time
import uuid

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, WaiterError

from deploy import Refused, account

AWS_ERRORS = (BotoCoreError, ClientError)
# A deployment lasts minutes, so that it must survive a short loss of the network.
RETRIES = Config(retries={"mode": "standard", "total_max_attempts": 8})
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


def change_sets(cloudformation, name):
    """The states of the stack's change sets by their ids."""
    pages = cloudformation.get_paginator("list_change_sets").paginate(StackName=name)
    try:
        return {one["ChangeSetId"]: one["Status"] for page in pages for one in page["Summaries"]}
    except ClientError as error:
        if "does not exist" in str(error):
            return {}
        raise


def delete_created_since(cloudformation, name, before):
    """Deletes the change sets that a failed or interrupted `sam` created."""
    for change_set in change_sets(cloudformation, name).keys() - before:
        print("\nDeletes the change set that sam created.", flush=True)
        # CloudFormation does not delete a change set that it still creates. It can delete a failed one.
        with contextlib.suppress(WaiterError):
            waiter = cloudformation.get_waiter("change_set_create_complete")
            waiter.wait(ChangeSetName=change_set, WaiterConfig={"Delay": 2, "MaxAttempts": 30})
        cloudformation.delete_change_set(ChangeSetName=change_set)


def discard(cloudformation, name, change_set, before=()):
    """Deletes the change set, or without one those that are not in `before`, and the stack if it has no other change sets.

    Prints errors, because the caller reports why the change set is not executed.
    """
    try:
        if change_set:
            cloudformation.delete_change_set(ChangeSetName=change_set)
        else:
            delete_created_since(cloudformation, name, before)
        stack = account.described(cloudformation, name)
        if not stack or stack["StackStatus"] != account.NEW:
            return
        if all(status in UNUSABLE for status in change_sets(cloudformation, name).values()):
            cloudformation.delete_stack(StackName=stack["StackId"])
    except AWS_ERRORS as error:
        print(f"\nWarning: the change set could not be deleted: {error}", flush=True)


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

    def print_until_end(self, interval):
        """Prints the events of the resources. Returns the final state of the stack."""
        while True:
            for event in self.new():
                if event.get("PhysicalResourceId") == self.stack:
                    if not event["ResourceStatus"].endswith("_IN_PROGRESS"):
                        return event["ResourceStatus"]
                elif line := event_line(event):
                    print(line, flush=True)
            time.sleep(interval)

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


def events_before(cloudformation, change_set):
    return Events(cloudformation, cloudformation.describe_change_set(ChangeSetName=change_set)["StackId"])


def execute(cloudformation, name, change_set):
    """Starts the execution, or discards a change set that CloudFormation rejects."""
    try:
        # With a token, CloudFormation accepts a repeated request.
        cloudformation.execute_change_set(ChangeSetName=change_set, ClientRequestToken=str(uuid.uuid4()))
    except ClientError as error:
        discard(cloudformation, name, change_set)
        raise Refused(f"CloudFormation does not execute the change set; nothing was deployed: {error}") from error


def expect_success(name, region, status, is_new):
    if status in SUCCEEDED:
        return
    if is_new:
        raise Refused(
            f"the deployment failed (state {status}); the lines above name the reasons. Delete the stack with "
            f"`make destroy STACK={name}`, then deploy again"
        )
    if status in account.STUCK:
        next_step = account.STUCK[status].format(name=name, region=region)
        raise Refused(f"{next_step} (state {status}). The lines above name the reasons")
    raise Refused(f"the update failed (state {status}); the lines above name the reasons. A rolled-back stack works as before")
