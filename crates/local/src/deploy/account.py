"""Reads the account, the Region and the stack before a deployment."""

from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError

from deploy import Refused

HOW_TO_SIGN_IN = "sign in, e.g. with `aws sso login`, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
# States that an update cannot leave, with the next step.
STUCK = {
    "ROLLBACK_COMPLETE": "the first deployment of the stack {name} failed; delete it with `make destroy STACK={name}`, then deploy again",
    "ROLLBACK_FAILED": "the rollback of the first deployment of the stack {name} failed; delete it with `make destroy STACK={name}`, then deploy again",
    "DELETE_FAILED": "the deletion of the stack {name} failed; repeat `make destroy STACK={name}`, then deploy again",
    "UPDATE_ROLLBACK_FAILED": "the rollback of the stack {name} failed; run `aws cloudformation continue-update-rollback --stack-name {name} --region {region}`, then deploy again",
}
# A stack in this state consists of change sets that were not executed.
NEW = "REVIEW_IN_PROGRESS"


def identity(session):
    """Account, ARN and Region of the deployment."""
    if not session.region_name:
        raise Refused("no Region is configured; set AWS_REGION, e.g. AWS_REGION=eu-west-1")
    try:
        caller = session.client("sts").get_caller_identity()
    except ClientError as error:
        raise Refused(f"AWS rejects the credentials ({error.response['Error']['Code']}); {HOW_TO_SIGN_IN}") from error
    except EndpointConnectionError as error:
        raise Refused(f"AWS does not respond: {error}") from error
    except BotoCoreError as error:
        raise Refused(f"no usable AWS credentials ({error}); {HOW_TO_SIGN_IN}") from error
    partition = caller["Arn"].split(":")[1]
    if partition != "aws":
        raise Refused(f"Poolkeeper supports the commercial Regions of AWS (partition aws), found the partition {partition}")
    return caller["Account"], caller["Arn"], session.region_name


def described(cloudformation, name):
    """The stack, or None if there is none."""
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError" and "does not exist" in str(error):
            return None
        raise
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def deployed(cloudformation, name):
    """The stack to update, or None if the deployment creates it."""
    stack = described(cloudformation, name)
    if stack is None or stack["StackStatus"] == NEW:
        return None
    status = stack["StackStatus"]
    if status in STUCK:
        raise Refused(f"{STUCK[status].format(name=name, region=cloudformation.meta.region_name)} (state {status})")
    if status.endswith("_IN_PROGRESS"):
        raise Refused(f"another operation on the stack {name} is running (state {status}); wait until it ends, then deploy again")
    if "PoolName" not in parameters_of(stack):
        raise Refused(f"the stack {name} does not belong to Poolkeeper; use another STACK, because an update would delete its resources")
    return stack


def parameters_of(stack):
    return {parameter["ParameterKey"]: parameter.get("ParameterValue", "") for parameter in stack.get("Parameters", [])}


def outputs_of(stack):
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
