"""The policies of the roles in template.yaml, resolved as in a deployment to AWS."""

import functools
import itertools
import re

from samtranslator.yaml_helper import yaml_parse

PARTITION, REGION, ACCOUNT, STACK = "aws", "us-east-1", "000000000000", "shop"

# The user pool and the SSM parameter of the stack, whose names are known only after their creation.
OWN_POOL = f"{REGION}_OwnPool01"
OWN_USER_POOL_ARN = f"arn:{PARTITION}:cognito-idp:{REGION}:{ACCOUNT}:userpool/{OWN_POOL}"
# The permissions boundary of the stack, whose name CloudFormation chooses.
OWN_BOUNDARY = f"arn:{PARTITION}:iam::{ACCOUNT}:policy/shop-AuthenticatedBoundary-0123456789AB"
# The revocation table of the stack, whose name CloudFormation chooses.
OWN_TABLE = "shop-Revocations-0123456789AB"
# The bucket of jobs, whose name CloudFormation chooses, and their state machine.
OWN_BUCKET = "shop-jobbucket-0123456789ab"
OWN_STATE_MACHINE = f"{STACK}-jobs"

# The user pool from which users move, and the SSM parameter with the secret of the endpoint from which users move.
OLD_POOL = f"{REGION}_OldPool01"
OLD_SECRET = "/old/migration-secret"


def own_parameter(pool):
    return f"/poolkeeper/{pool}/invitation-key/stack/1"


# Parameters that enable statements, with values that enable them. Every condition of a role must be true in one variant and false in
# another; `variants` fails if a new condition needs a row here.
SWITCHES = {
    "AutoConfirm": "invited",
    "OnDelete": "delete",
    "PassableRoleArns": f"arn:{PARTITION}:iam::{ACCOUNT}:role/passable",
    "RevocationTable": OWN_TABLE,
    # The rules permit only one of them. Their statements are independent.
    "MigrationUserPoolId": OLD_POOL,
    "MigrationEndpoint": "https://old.example.com/users",
    "MigrationSecretParameter": OLD_SECRET,
    "Jobs": "true",
    "BackupSchedule": "rate(1 day)",
}
# Parameters that disable statements.
OFF_SWITCHES = {"SessionGate": "false"}
PASSABLE_ROLE = SWITCHES["PassableRoleArns"]

# Parameters without a default.
REQUIRED = {"AutoConfirm": "everyone"}

# Conditions that are constant on AWS.
ALWAYS = {"HasLimitedRights": True}


class Unresolvable(Exception):
    """An unsupported part of the template."""


def actions(statement):
    action = statement.get("Action", [])
    return action if isinstance(action, list) else [action]


@functools.lru_cache(maxsize=1)
def _parsed(text):
    return yaml_parse(text)


class Template:
    """A template with parameters. `text` is that of template.yaml."""

    def __init__(self, text, pool="shop", **parameters):
        self.body = _parsed(text)
        self.pool = pool
        defaults = {name: one.get("Default") for name, one in self.body["Parameters"].items()}
        unknown = [name for name in parameters if name not in defaults]
        if unknown:
            raise Unresolvable(f"template.yaml has no parameter {unknown[0]}")
        self.parameters = {**defaults, **REQUIRED, "PoolName": pool, **parameters}
        self.used_conditions = {}

    def roles(self):
        """The statements of each role: {role: [(policy name, statement)]}."""
        for name, resource in self.body["Resources"].items():
            properties = resource.get("Properties", {})
            # A managed policy without attachment is a permissions boundary.
            is_attached = any(member in properties for member in ("Roles", "Users", "Groups"))
            is_policy = resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::RolePolicy")
            is_policy = is_policy or resource["Type"] == "AWS::IAM::ManagedPolicy" and is_attached
            is_function = resource["Type"] == "AWS::Serverless::Function"
            if is_policy or is_function and "Policies" in properties:
                raise Unresolvable(f"{name}: its policies are not checked: write them in the role")
            if is_function and "Role" not in properties:
                raise Unresolvable(f"{name}: the role that SAM would generate is not checked: give the function a role")
        return {
            name: self._statements(name, resource["Properties"])
            for name, resource in self.body["Resources"].items()
            if resource["Type"] == "AWS::IAM::Role"
            and ("Condition" not in resource or self.condition(resource["Condition"]))
        }

    def _statements(self, role, properties):
        unread = set(properties) - {"AssumeRolePolicyDocument", "Policies", "Description", "Tags"}
        if unread:
            raise Unresolvable(f"{role}: {sorted(unread)} is not checked: use Policies")
        policies = self.resolve(properties["Policies"])
        return [
            (policy["PolicyName"], statement)
            for policy in policies
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def log_groups(self):
        """The log group of each role's function: {role: name}. Lambda writes there, with the role."""
        resources = self.body["Resources"]
        functions = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::Serverless::Function"]
        roles = [self.logical_name(one["Role"]) for one in functions]
        groups = [resources[self.logical_name(one["LoggingConfig"]["LogGroup"])] for one in functions]
        return {
            role: self.resolve(group["Properties"]["LogGroupName"]) for role, group in zip(roles, groups, strict=True)
        }

    def logical_name(self, reference):
        """The value of `!Ref Name` or `!GetAtt Name.Attribute`."""
        ((function, argument),) = reference.items()
        if function == "Fn::If":
            return self.logical_name(argument[1] if self.condition(argument[0]) else argument[2])
        return (argument if isinstance(argument, str) else argument[0]).split(".")[0]

    def resolve(self, value):
        """Resolves intrinsic functions. None represents AWS::NoValue."""
        if isinstance(value, list):
            return [one for one in map(self.resolve, value) if one is not None]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._call(function, argument)
        resolved = {key: self.resolve(member) for key, member in value.items()}
        return {key: member for key, member in resolved.items() if member is not None}

    def _call(self, function, argument):
        match function:
            case "Ref":
                return self._ref(argument)
            case "Fn::GetAtt":
                resource, attribute = argument if isinstance(argument, list) else argument.split(".", 1)
                return self._attribute(resource, attribute)
            case "Fn::Sub":
                text, values = argument if isinstance(argument, list) else (argument, {})
                values = self.resolve(values)
                return re.sub(r"\$\{([^!}]+)\}", lambda name: str(values.get(name[1]) or self._named(name[1])), text)
            case "Fn::If":
                condition, if_true, if_false = argument
                return self.resolve(if_true if self.condition(condition) else if_false)
            case "Fn::Split":
                separator, text = argument
                return self.resolve(text).split(separator)
            case "Fn::Join":
                separator, parts = argument
                return separator.join(self.resolve(parts))
            case "Fn::Select":
                index, parts = argument
                return self.resolve(parts)[int(index)]
        raise Unresolvable(f"{function} is not resolved here")

    def _named(self, name):
        return self._attribute(*name.split(".", 1)) if "." in name else self._ref(name)

    def _ref(self, name):
        pseudo = {
            "AWS::Partition": PARTITION,
            "AWS::Region": REGION,
            "AWS::AccountId": ACCOUNT,
            "AWS::StackName": STACK,
            "AWS::StackId": f"arn:{PARTITION}:cloudformation:{REGION}:{ACCOUNT}:stack/{STACK}/stack",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::NoValue": None,
        }
        if name in pseudo:
            return pseudo[name]
        if name in self.parameters:
            value = self.parameters[name]
            is_list = self.body["Parameters"][name]["Type"] == "CommaDelimitedList"
            return [part.strip() for part in value.split(",")] if is_list else value
        match self.body["Resources"].get(name, {}).get("Type"):
            case "AWS::IAM::ManagedPolicy":
                return OWN_BOUNDARY
            case "AWS::DynamoDB::Table":
                return OWN_TABLE
            case "AWS::S3::Bucket":
                return OWN_BUCKET
            case "AWS::StepFunctions::StateMachine":
                return f"arn:{PARTITION}:states:{REGION}:{ACCOUNT}:stateMachine:{OWN_STATE_MACHINE}"
        raise Unresolvable(f"the value of {name} is not known here")

    def _attribute(self, resource, attribute):
        kind = self.body["Resources"][resource]["Type"]
        match kind, attribute:
            case "AWS::Logs::LogGroup", "Arn":
                name = self.resolve(self.body["Resources"][resource]["Properties"]["LogGroupName"])
                return f"arn:{PARTITION}:logs:{REGION}:{ACCOUNT}:log-group:{name}:*"
            case "AWS::Serverless::Function", "Arn":
                return f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{STACK}-{resource}"
            case "AWS::StepFunctions::StateMachine", "Name":
                return OWN_STATE_MACHINE
            case "Custom::PoolkeeperUserPool", "UserPoolArn":
                return OWN_USER_POOL_ARN
            case "Custom::PoolkeeperInvitationKey", "ParameterName":
                return own_parameter(self.pool)
        raise Unresolvable(f"the attribute {attribute} of {resource} is not known here")

    def condition(self, name):
        if name not in self.used_conditions:
            self.used_conditions[name] = self.holds(self.body["Conditions"][name])
        return self.used_conditions[name]

    def holds(self, condition):
        ((function, argument),) = condition.items()
        match function:
            case "Condition":
                return self.condition(argument)
            case "Fn::Equals":
                first, second = self.resolve(argument)
                return str(first) == str(second)
            case "Fn::Contains":
                values, value = self.resolve(argument)
                return value in values
            case "Fn::Not":
                return not self.holds(argument[0])
            case "Fn::And":
                return all(map(self.holds, argument))
            case "Fn::Or":
                # Not lazily, because a condition that is not evaluated would count as unused.
                return any([self.holds(one) for one in argument])
        raise Unresolvable(f"the condition {function} is not resolved here")


def variants(text):
    """The template with all combinations of the parameters that enable or disable statements."""
    found, seen = [], {}
    switches = {**SWITCHES, **OFF_SWITCHES}
    for switched in itertools.product([False, True], repeat=len(switches)):
        on = {name: value for (name, value), is_on in zip(switches.items(), switched, strict=True) if is_on}
        template = Template(text, **on)
        found.append(template.roles())
        for name, value in template.used_conditions.items():
            seen.setdefault(name, set()).add(value)
    for name, values in seen.items():
        wanted = {ALWAYS[name]} if name in ALWAYS else {True, False}
        if values != wanted:
            raise Unresolvable(
                f"the condition {name} is never {(wanted - values or values - wanted).pop()}: see SWITCHES in template.py"
            )
    return found


def everything(text, pool):
    """The roles with all statements enabled."""
    return Template(text, pool=pool, **SWITCHES).roles()
