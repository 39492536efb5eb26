"""Tests that the check of calls finds missing, overly broad and unused permissions, by changing the statements of a small role."""

import copy
import tempfile
import unittest
from pathlib import Path

import oracle
import tables
from calls import TAG, Call, Right
from template import ACCOUNT, OWN_BOUNDARY, OWN_POOL, REGION

POOL = "shop"
ROLE = "PoolBootstrapRole"
OWN = {TAG: POOL}
IDENTITY_POOL = f"{REGION}:11111111-1111-4111-8111-111111111111"
IAM = f"arn:aws:iam::{ACCOUNT}"
NAME = f"poolkeeper.{POOL}.{REGION}"


def own_tag(key):
    return {"StringLike": {f"aws:{key}/{TAG}": [POOL, f"{POOL}.*"]}}


OWN_POLICIES = {"ArnLike": {"iam:PolicyARN": f"{IAM}:policy/poolkeeper.{POOL}.*"}}
STATEMENTS = [
    {
        "Sid": "Create",
        "Effect": "Allow",
        "Action": "cognito-idp:CreateUserPool",
        "Resource": "*",
        "Condition": own_tag("RequestTag"),
    },
    {
        "Sid": "Tag",
        "Effect": "Allow",
        "Action": ["cognito-idp:TagResource"],
        "Resource": f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/*",
        "Condition": {**own_tag("RequestTag"), "StringLikeIfExists": own_tag("ResourceTag")["StringLike"]},
    },
    {
        "Sid": "Keep",
        "Effect": "Allow",
        "Action": ["cognito-idp:DeleteUserPool", "cognito-idp:ListGroups"],
        "Resource": f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/*",
        "Condition": own_tag("ResourceTag"),
    },
    {"Sid": "SetRoles", "Effect": "Allow", "Action": "cognito-identity:SetIdentityPoolRoles", "Resource": "*"},
    {
        "Sid": "Pass",
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": f"{IAM}:role/poolkeeper.{POOL}.*",
        "Condition": {"StringEqualsIfExists": {"iam:PassedToService": "cognito-identity.amazonaws.com"}},
    },
    {
        "Sid": "Attach",
        "Effect": "Allow",
        "Action": "iam:AttachRolePolicy",
        "Resource": f"{IAM}:role/poolkeeper.{POOL}.*",
        "Condition": {"ArnEquals": {"iam:PermissionsBoundary": OWN_BOUNDARY}, **OWN_POLICIES},
    },
    {
        "Sid": "Keys",
        "Effect": "Allow",
        "Action": ["ssm:PutParameter", "ssm:AddTagsToResource"],
        "Resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/poolkeeper/{POOL}/*",
    },
]

CALLS = [
    Call(ROLE, "cognito-idp", "CreateUserPool", {"PoolName": POOL, "UserPoolTags": OWN}),
    Call(ROLE, "cognito-idp", "DeleteUserPool", {"UserPoolId": OWN_POOL}, OWN),
    Call(ROLE, "cognito-idp", "ListGroups", {"UserPoolId": OWN_POOL}, OWN),
    Call(
        ROLE,
        "cognito-identity",
        "SetIdentityPoolRoles",
        {"IdentityPoolId": IDENTITY_POOL, "Roles": {"authenticated": f"{IAM}:role/{NAME}"}},
        OWN,
    ),
    Call(ROLE, "iam", "AttachRolePolicy", {"RoleName": NAME, "PolicyArn": f"{IAM}:policy/{NAME}"}),
    Call(
        ROLE,
        "ssm",
        "PutParameter",
        {"Name": f"/poolkeeper/{POOL}/key", "Value": "x", "Tags": [{"Key": TAG, "Value": POOL}]},
    ),
    Call(ROLE, "sts", "GetCallerIdentity", {}),
]

# Rows of the table for calls that the small role does not make.
OTHER_ROWS = ("List", "Describe", "DeleteIdentities", "cognito-identity:TagResource", "JobsWorkerRole", "JobsExporterRole")


class Calls(unittest.TestCase):
    def findings(self, change=lambda statements: None, calls=None):
        statements = {one["Sid"]: one for one in copy.deepcopy(STATEMENTS)}
        change(statements)
        roles = {POOL: {ROLE: [("rights", one) for one in statements.values()]}}
        found = oracle.Permissions(roles, oracle.distinct_calls(calls or CALLS), oracle.installed).check()
        return [
            line for line in found if not (line.startswith("NOT_LIMITABLE") and any(row in line for row in OTHER_ROWS))
        ]

    def assert_found(self, found, *parts):
        self.assertTrue(any(all(part in line for part in parts) for line in found), f"{parts} in {found}")

    def test_role_with_exactly_the_rights_passes(self):
        self.assertEqual(self.findings(), [])

    def test_names_every_removed_action(self):
        for sid, action in [(one["Sid"], action) for one in STATEMENTS for action in oracle.template.actions(one)]:

            def remove(statements, sid=sid, action=action):
                rest = [one for one in oracle.template.actions(statements[sid]) if one != action]
                statements[sid]["Action"] = rest
                if not rest:
                    del statements[sid]

            self.assert_found(self.findings(remove), ROLE, f"needs {action} on", "which no statement allows")

    def test_names_action_without_call(self):
        found = self.findings(lambda statements: statements["Keep"]["Action"].append("cognito-idp:GetGroup"))
        self.assertEqual(found, [f"{ROLE}, rights/Keep: cognito-idp:GetGroup is needed by no call"])

    def test_names_action_that_another_statement_allows_as_well(self):
        found = self.findings(lambda statements: statements.update(Again={**statements["Attach"], "Sid": "Again"}))
        self.assert_found(found, "rights/Again: iam:AttachRolePolicy is needed by no call")

    def test_names_call_under_condition_that_its_request_never_meets(self):
        found = self.findings(lambda statements: statements["SetRoles"].update(Condition=own_tag("ResourceTag")))
        self.assert_found(found, f"{ROLE}: SetIdentityPoolRoles needs cognito-identity:SetIdentityPoolRoles on")
        found = self.findings(lambda statements: statements["Keep"].update(Condition=own_tag("RequestTag")))
        self.assert_found(
            found, f"{ROLE}: DeleteUserPool needs cognito-idp:DeleteUserPool on", f"(aws:ResourceTag/{TAG} {POOL})"
        )

    def test_names_everything_that_is_allowed_on_foreign_resources(self):
        for sid, change, action, what in [
            ("Create", {"Condition": {}}, "cognito-idp:CreateUserPool", "no tag"),
            ("Keep", {"Condition": {}}, "cognito-idp:DeleteUserPool", "a foreign resource"),
            (
                "Keep",
                {"Condition": {"StringNotEquals": {f"aws:ResourceTag/{TAG}": "foreign"}}},
                "cognito-idp:ListGroups",
                "an untagged pool",
            ),
            ("Pass", {"Resource": f"{IAM}:role/*"}, "cognito-identity:SetIdentityPoolRoles", "a foreign role"),
            ("Pass", {"Condition": {}}, "cognito-identity:SetIdentityPoolRoles", "a role passed to another service"),
            ("Attach", {"Condition": {}}, "iam:AttachRolePolicy", "a foreign policy"),
            ("Attach", {"Condition": OWN_POLICIES}, "iam:AttachRolePolicy", "a role without a boundary"),
            ("Attach", {"Resource": f"{IAM}:role/*"}, "iam:AttachRolePolicy", "a foreign resource"),
            ("Attach", {"Resource": f"{IAM}:role/poolkeeper.*"}, "iam:AttachRolePolicy", "a foreign resource"),
            ("Attach", {"Resource": f"{IAM}:role/poolkeeper.{POOL}*"}, "iam:AttachRolePolicy", "a foreign resource"),
            ("Pass", {"Resource": f"{IAM}:role/poolkeeper.*"}, "cognito-identity:SetIdentityPoolRoles", "a foreign role"),
            (
                "Keys",
                {"Resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/poolkeeper/*"},
                "ssm:PutParameter",
                "a foreign resource",
            ),
            (
                "Keep",
                {"Condition": {"StringLike": {f"aws:ResourceTag/{TAG}": f"{POOL}*"}}},
                "cognito-idp:DeleteUserPool",
                "a foreign resource",
            ),
            (
                "Keep",
                {"Condition": {"StringLike": {f"aws:ResourceTag/{TAG}": [POOL, f"{POOL}-*"]}}},
                "cognito-idp:DeleteUserPool",
                "a foreign resource",
            ),
            (
                "Keys",
                {"Resource": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/*"},
                "ssm:AddTagsToResource",
                "a foreign resource",
            ),
        ]:
            found = self.findings(lambda statements, sid=sid, change=change: statements[sid].update(change))
            self.assert_found(found, f"{ROLE}: {action} is allowed on {what}")

    def test_stack_has_no_right_on_pools_of_stack_with_longer_name(self):
        text = (Path(__file__).parents[3] / "template.yaml").read_text()
        pool_arn = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{REGION}_Pool00001"
        identity_pool_arn = f"arn:aws:cognito-identity:{REGION}:{ACCOUNT}:identitypool/{IDENTITY_POOL}"
        for name, is_own in [("shop-prod", False), ("shop-prod.x", False), ("shop", True), ("shop.staging", True)]:
            role = f"{IAM}:role/poolkeeper.{name}.{REGION}"
            tagged, tag = {f"aws:ResourceTag/{TAG}": name}, {f"aws:RequestTag/{TAG}": name}
            retag = {**tagged, f"aws:RequestTag/{TAG}": POOL}
            rights = [
                Right("cognito-idp:DeleteUserPool", pool_arn, tagged),
                Right("cognito-idp:TagResource", pool_arn, tag),
                Right("cognito-idp:TagResource", pool_arn, retag),
                Right("cognito-idp:CreateUserPool", "*", tag),
                Right("cognito-identity:DeleteIdentityPool", identity_pool_arn, tagged),
                Right("cognito-identity:TagResource", identity_pool_arn, tag),
                Right("cognito-identity:TagResource", identity_pool_arn, retag),
                Right("cognito-identity:CreateIdentityPool", "*", tag),
                Right("iam:DeleteRole", role),
                Right("iam:DeletePolicy", role.replace(":role/", ":policy/")),
                Right("iam:PassRole", role, {"iam:PassedToService": "cognito-identity.amazonaws.com"}),
            ]
            statements = [one for _, one in oracle.template.everything(text, "shop")[ROLE]]
            iam = oracle.installed()
            tickets = [(right, iam.request(statements, right)) for right in rights]
            iam.run()
            for right, ticket in tickets:
                self.assertEqual(iam.allowed(ticket), is_own, f"{right.action} on {name}: {right.context}")

    def test_names_row_of_table_that_nothing_needs(self):
        strict = {f"aws:ResourceTag/{TAG}": POOL, f"aws:RequestTag/{TAG}": POOL}
        found = self.findings(lambda statements: statements["Tag"].update(Condition={"StringEquals": strict}))
        self.assert_found(
            found,
            "NOT_LIMITABLE in tables.py: PoolBootstrapRole, cognito-idp:TagResource, an untagged pool is denied",
        )

    def test_tags_and_roles_need_rights_of_their_own(self):
        def needs(operation, parameters, service="cognito-idp"):
            return {right.action for right in Call(ROLE, service, operation, parameters, OWN).rights()}

        tags, tagging = {"UserPoolTags": OWN}, {"cognito-idp:TagResource", "cognito-idp:UntagResource"}
        self.assertEqual(needs("UpdateUserPool", {"UserPoolId": OWN_POOL}), {"cognito-idp:UpdateUserPool"})
        self.assertEqual(
            needs("UpdateUserPool", {"UserPoolId": OWN_POOL, **tags}), {"cognito-idp:UpdateUserPool", *tagging}
        )
        sms = {"SmsConfiguration": {"SnsCallerArn": f"{IAM}:role/sms"}}
        self.assertEqual(
            needs("UpdateUserPool", {"UserPoolId": OWN_POOL, **sms}), {"cognito-idp:UpdateUserPool", "iam:PassRole"}
        )
        self.assertEqual(
            needs("UpdateGroup", {"UserPoolId": OWN_POOL, "RoleArn": f"{IAM}:role/g"}),
            {"cognito-idp:UpdateGroup", "iam:PassRole"},
        )
        rules = {"RoleMappings": {"provider": {"RulesConfiguration": {"Rules": [{"RoleARN": f"{IAM}:role/mapped"}]}}}}
        mapped = Call(
            ROLE,
            "cognito-identity",
            "SetIdentityPoolRoles",
            {"IdentityPoolId": IDENTITY_POOL, "Roles": {}, **rules},
            OWN,
        )
        self.assertIn(Right("iam:PassRole", f"{IAM}:role/mapped"), mapped.rights())

    def test_names_operation_that_no_call_shows(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "users.rs").write_text(
                'Failure::of("ListGroups", &error)\nconst OPERATION: &str = "GetGroup";'
            )
            Path(folder, "tests.rs").write_text('Failure::of("DeleteGroup", &error)')
            found = oracle.check_operations(CALLS, folder)
        self.assertEqual(found, ["GetGroup is in the adapters, but no recorded call has it"])

    def test_names_uncalled_operation_that_is_recorded(self):
        found = oracle.check_uncalled(
            CALLS, [CALLS[2], Call(ROLE, "cognito-idp", "GetGroup", {"UserPoolId": OWN_POOL}, OWN)]
        )
        self.assertEqual(found, [f"uncalled_operations.py: ListGroups of {ROLE} is recorded; delete the row"])

    def test_refuses_call_whose_resource_it_does_not_know(self):
        with self.assertRaisesRegex(KeyError, "cognito-idp:GetCSVHeader: unknown resource"):
            Call(ROLE, "cognito-idp", "GetCSVHeader", {}).rights()

    def test_refuses_missing_and_empty_recordings(self):
        with tempfile.TemporaryDirectory() as folder:
            for kind in tables.RECORDINGS:
                with self.assertRaisesRegex(SystemExit, f"no recordings of {kind} in"):
                    oracle.read_recordings(folder)
                file = Path(folder, f"{kind}-1.jsonl")
                file.touch()
                with self.assertRaisesRegex(SystemExit, f"no recordings of {kind} in"):
                    oracle.read_recordings(folder)
                file.write_text(
                    '{"service": "sts", "operation": "GetCallerIdentity", "parameters": {}, "principal": null, "tags": null}\n'
                )
            self.assertEqual([call.operation for call in oracle.read_recordings(folder)], ["GetCallerIdentity"] * 2)


if __name__ == "__main__":
    unittest.main()
