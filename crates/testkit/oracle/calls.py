"""Calls with their roles, the permissions that they need, and the same calls on resources outside the deployment."""

import json
import re
from dataclasses import dataclass, field, replace

import model
import tables
from template import (
    ACCOUNT,
    OLD_POOL,
    OWN_BOUNDARY,
    OWN_BUCKET,
    OWN_POOL,
    OWN_STATE_MACHINE,
    OWN_TABLE,
    PARTITION,
    PASSABLE_ROLE,
    REGION,
    STACK,
    own_parameter,
)

TAG = "poolkeeper:pool"
FOREIGN_NAME = "foreign"
# Role and policy of another project.
FOREIGN_ENTITY = f"poolkeeper.{FOREIGN_NAME}.{REGION}"
FOREIGN_PARAMETER = f"/poolkeeper/{FOREIGN_NAME}/invitation-key/stack/1"
FOREIGN_RESOURCES = {"parameter": FOREIGN_PARAMETER.lstrip("/")}


def foreign_tag(own):
    """The tag of a neighbour, which is the pool of another stack whose name begins with this stack's name."""
    return re.sub(r"^[^.]+", r"\g<0>-prod", own)


def foreign_entity(own):
    """The role or policy of a neighbour, or of another project if this one is not named after a pool."""
    neighbour, named = re.subn(r"^poolkeeper\.[^.]+", r"\g<0>-prod", own)
    return neighbour if named else FOREIGN_ENTITY


def _foreign_resource_of(kind, own):
    return foreign_entity(own) if kind in ("role", "policy") else FOREIGN_RESOURCES.get(kind, FOREIGN_NAME)


@dataclass(frozen=True)
class Right:
    """A permission that a call needs. The target is `*` without a resource."""

    action: str
    target: str
    context: dict = field(default_factory=dict)

    def on_foreign(self):
        """The permission on a resource outside the deployment, with the request's own context."""
        context = {
            key: foreign_tag(value) if key.startswith("aws:ResourceTag/") else value
            for key, value in self.context.items()
        }
        target = re.sub(
            r":([a-z-]+)/(.*)", lambda found: f":{found[1]}/{_foreign_resource_of(found[1], found[2])}", self.target
        )
        return replace(self, target=target, context=context)

    def is_about_untagged_pool(self):
        has_tags = any(key.startswith("aws:ResourceTag/") for key in self.context)
        return self.action.endswith(":TagResource") and not has_tags


@dataclass(frozen=True)
class Call:
    # None for a call without the role of a function.
    role: str | None
    service: str
    operation: str
    parameters: dict
    # Tags of the call's pool; None without a pool.
    tags: dict | None = None
    # The name of the stack's pool; None if it is unknown.
    pool: str | None = "shop"
    # The service that receives roles, if it is not in the table.
    passed_to: str | None = None
    # The permissions boundary of the role that a policy is attached to; None for a role without one.
    boundary: str | None = OWN_BOUNDARY

    @property
    def action(self):
        call = f"{self.service}:{self.operation}"
        return tables.ACTIONS.get(call, call)

    def rights(self):
        """The permissions that the call needs: its own action, and those for its tags and roles."""
        if self.role is None or self.action in tables.NO_RIGHT:
            return []
        request_tags = _tags_in(self.parameters)
        context = {f"aws:RequestTag/{key}": value for key, value in request_tags.items()}
        if request_tags:
            context["aws:TagKeys"] = list(request_tags)
        context |= {f"aws:ResourceTag/{key}": value for key, value in (self.tags or {}).items()}
        target = self._target()
        own = Right(self.action, target, context | self._keys_of_service())
        return [own, *self._tagging(target, context, request_tags), *self._passing()]

    def _target(self):
        if self.action in tables.ACCOUNT_WIDE:
            return "*"
        if self.service == "s3":
            key = f"/{self.parameters['Key']}" if "Key" in self.parameters else ""
            return f"arn:{PARTITION}:s3:::{self.parameters['Bucket']}{key}"
        for member, (kind, resource) in tables.RESOURCES[self.service].items():
            if member in self.parameters:
                value = self.parameters[member]
                if isinstance(value, list):
                    return "*"
                if isinstance(value, dict):
                    # The keys of a map are names of resources. No call names several.
                    (value,) = value
                if value.startswith("arn:"):
                    return value
                region = "" if kind == "iam" else REGION
                return (
                    f"arn:{PARTITION}:{kind}:{region}:{ACCOUNT}:{resource.format(value.lstrip('/'), **self.parameters)}"
                )
        raise KeyError(f"{self.action}: unknown resource; add a row to RESOURCES in tables.py")

    def _keys_of_service(self):
        keys = {}
        if self.action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy"):
            keys["iam:PolicyARN"] = self.parameters["PolicyArn"]
        if self.service == "iam" and "RoleName" in self.parameters:
            creates = self.operation in ("CreateRole", "PutRolePermissionsBoundary")
            boundary = self.parameters.get("PermissionsBoundary") if creates else self.boundary
            keys |= {"iam:PermissionsBoundary": boundary} if boundary else {}
        if identities := self.parameters.get("IdentityIdsToDelete"):
            pool = FOREIGN_NAME if identities == FOREIGN_NAMES["IdentityIdsToDelete"] else "own"
            keys["cognito-identity:IdentityPoolArn"] = (
                f"arn:{PARTITION}:cognito-identity:{REGION}:{ACCOUNT}:identitypool/{REGION}:{pool}"
            )
        return keys

    def _tagging(self, target, context, request_tags):
        if not request_tags:
            return
        for action in tables.TAGGING.get(self.action, {}).get("rights", []):
            # A pool that does not exist yet has no id.
            created = tables.CREATED.get(self.action, "").format(partition=PARTITION, region=REGION, account=ACCOUNT)
            yield Right(action, created or target, context)

    def _passing(self):
        for arn in _passed_roles(self):
            services = [self.passed_to] if self.passed_to else [None, *tables.PASS_ROLE[self.action]["services"]]
            for service in services:
                yield Right("iam:PassRole", arn, {"iam:PassedToService": service} if service else {})

    def on_foreign(self):
        """[(action, what is outside the deployment, permissions)]: one permission must be denied, or NOT_LIMITABLE must have a reason."""
        changed = [(self.action, name, call.rights()) for name, change in FOREIGN.items() if (call := change(self))]
        changed = changed or [(self.action, "anything", self.rights())]
        beside = [right for right in self.rights() if right.action not in (self.action, "iam:PassRole")]
        return changed + [
            (
                right.action,
                "an untagged pool" if right.is_about_untagged_pool() else "a foreign resource",
                [right.on_foreign()],
            )
            for right in beside
        ]


def _tags_in(parameters):
    for member in ("UserPoolTags", "IdentityPoolTags", "Tags"):
        if tags := parameters.get(member):
            return tags if isinstance(tags, dict) else {tag["Key"]: tag["Value"] for tag in tags}
    return {}


def _roles_in(parameters, members):
    """The ARNs at a path such as `SmsConfiguration.SnsCallerArn`; `*` is every member of a map or list."""
    for path in members:
        found = [parameters]
        for name in path.split("."):
            every = [one.values() if isinstance(one, dict) else one for one in found] if name == "*" else []
            found = (
                [inner for one in every for inner in one] if every else [one[name] for one in found if one.get(name)]
            )
        yield from found


def _with(call, **parameters):
    return replace(call, parameters={**call.parameters, **parameters})


FOREIGN_NAMES = {
    "UserPoolId": f"{REGION}_Foreign01",
    "IdentityPoolId": f"{REGION}:ffffffff-ffff-4fff-8fff-ffffffffffff",
    "Name": FOREIGN_PARAMETER,
    "ResourceId": FOREIGN_PARAMETER,
    "logGroupName": f"/aws/lambda/{FOREIGN_NAME}",
    "IdentityIdsToDelete": [f"{REGION}:ffffffff-ffff-4fff-8fff-ffffffffffff"],
    "RequestItems": {FOREIGN_NAME: {"Keys": []}},
    "TableName": FOREIGN_NAME,
    "Bucket": FOREIGN_NAME,
    "FunctionName": f"arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{FOREIGN_NAME}",
}
# A neighbour, whose name begins with that of this state machine.
FOREIGN_STATE_MACHINE = f"{OWN_STATE_MACHINE}-jobs"
FOREIGN_POLICY = f"arn:{PARTITION}:iam::aws:policy/AdministratorAccess"


def _foreign_resource(call, tags):
    if call.action in tables.ACCOUNT_WIDE:
        return None
    named = next(member for member in tables.RESOURCES[call.service] if member in call.parameters)
    if named == "ResourceArn":
        foreign = re.sub(r"/.*", f"/{FOREIGN_NAMES['UserPoolId']}", call.parameters[named])
    elif named in ("RoleName", "PolicyName", "PolicyArn"):
        path, slash, name = call.parameters[named].rpartition("/")
        foreign = path + slash + foreign_entity(name)
    elif call.service == "states":
        foreign = call.parameters[named].replace(f":{OWN_STATE_MACHINE}", f":{FOREIGN_STATE_MACHINE}")
    else:
        foreign = FOREIGN_NAMES[named]
    return replace(_with(call, **{named: foreign}), tags=tags if call.tags is not None else None)


def _foreign_tag(call):
    for member in ("UserPoolTags", "IdentityPoolTags", "Tags"):
        if isinstance(tags := call.parameters.get(member), dict) and TAG in tags:
            return _with(call, **{member: {**tags, TAG: foreign_tag(call.pool)}})
        if isinstance(tags, list):
            return _with(call, **{member: [{"Key": TAG, "Value": foreign_tag(call.pool)}]})
    return None


def _without_tags(call):
    if not call.operation.startswith("Create") or not _tags_in(call.parameters):
        return None
    return replace(
        call, parameters={name: value for name, value in call.parameters.items() if not name.endswith("Tags")}
    )


def _foreign_policy(call):
    attaches = call.action in ("iam:AttachRolePolicy", "iam:DetachRolePolicy")
    return _with(call, PolicyArn=FOREIGN_POLICY) if attaches else None


def _foreign_role(call):
    passed = _passed_roles(call)
    if not passed:
        return None
    path, slash, name = passed[0].rpartition("/")
    foreign = path + slash + foreign_entity(name)
    return replace(call, parameters=json.loads(json.dumps(call.parameters).replace(passed[0], foreign)))


def _passed_roles(call):
    row = tables.PASS_ROLE.get(call.action)
    return [*_roles_in(call.parameters, row["members"])] if row else []


def _foreign_boundary(call):
    return _with(call, PermissionsBoundary=FOREIGN_POLICY) if "PermissionsBoundary" in call.parameters else None


def _without_boundary(call):
    if call.action == "iam:CreateRole":
        rest = {name: value for name, value in call.parameters.items() if name != "PermissionsBoundary"}
        return replace(call, parameters=rest)
    return replace(call, boundary=None) if call.action == "iam:AttachRolePolicy" else None


FOREIGN = {
    "a foreign resource": lambda call: _foreign_resource(call, {TAG: foreign_tag(call.pool)}),
    "an untagged pool": lambda call: _foreign_resource(call, {}) if call.tags is not None else None,
    "a foreign tag": _foreign_tag,
    "no tag": _without_tags,
    "a foreign policy": _foreign_policy,
    "a foreign role": _foreign_role,
    "a foreign boundary": _foreign_boundary,
    "a role without a boundary": _without_boundary,
    "a role passed to another service": lambda call: (
        _passed_roles(call) and replace(call, passed_to="ec2.amazonaws.com")
    ),
}


def recorded(line, kind):
    """Parses one line of a recording. `kind` is the prefix of the file name."""
    one = json.loads(line)
    parameters = one["parameters"]
    if one["service"] in ("iam", "sts"):
        parameters = model.from_query(one["service"], one["operation"], parameters)
    pool, role = tables.RECORDINGS[kind]["pool"], None
    if pool:
        # Each case has its own stack.
        parameters, one["tags"] = json.loads(re.sub(rf"\b{pool}-\d+", pool, json.dumps([parameters, one["tags"]])))
    if assumed := re.search(r":assumed-role/([\w-]+?)-(\w+Role)-\w+/", one["principal"] or ""):
        pool, role = assumed.groups()
    elif (one["principal"] or "").endswith(":root"):
        role = tables.RECORDINGS[kind]["root"]
    call = Call(role, one["service"], one["operation"], parameters, one["tags"], pool)
    return _with_own_names(call)


def _with_own_names(call):
    """Replaces values of the emulator and of tests by those of template.py: the pools' ids, the names of SSM parameter and table, passable
    roles, and the client secret.
    """
    parameters = dict(call.parameters)
    if call.service == "cognito-idp" and (passed := _passed_roles(call)):
        parameters = json.loads(json.dumps(parameters).replace(passed[0], PASSABLE_ROLE))
    if "PermissionsBoundary" in parameters:
        parameters["PermissionsBoundary"] = OWN_BOUNDARY
    if "ClientSecret" in parameters:
        parameters["ClientSecret"] = tables.CLIENT_SECRET
    if call.tags and call.tags.get(TAG) == call.pool and "UserPoolId" in parameters:
        parameters["UserPoolId"] = OWN_POOL
    if call.role == "UserMigrationRole" and "UserPoolId" in parameters:
        parameters["UserPoolId"] = OLD_POOL
    for member in ("Name", "ResourceId") if call.service == "ssm" else ():
        if re.fullmatch(rf"/poolkeeper/{call.pool}/invitation-key/[^/]+/\d+", parameters.get(member, "")):
            parameters[member] = own_parameter(call.pool)
    if call.service == "dynamodb":
        own = rf'"{call.pool}-(Retained)?Revocations-\w+"'
        parameters = json.loads(re.sub(own, f'"{OWN_TABLE}"', json.dumps(parameters)))
    if call.service == "s3" and call.role:
        parameters["Bucket"] = OWN_BUCKET
    if call.service == "states":
        own = f":{OWN_STATE_MACHINE}"
        parameters = {
            name: value.replace(f":{call.pool}-jobs", own) if name.endswith("Arn") else value
            for name, value in parameters.items()
        }
    return replace(call, parameters=parameters)
