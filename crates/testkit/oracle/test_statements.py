"""Tests that the check of statements finds errors, by changing template.yaml in every way."""

import functools
import re
import unittest
from pathlib import Path

import oracle
import template

TEXT = (Path(__file__).parents[3] / "template.yaml").read_text()


def each_action():
    """Each action that a role grants, with its role, the name of its statement, and the statement."""
    for role, statements in template.everything(TEXT, "shop").items():
        for name, statement in statements:
            for action in template.actions(statement):
                yield role, oracle.statement_name(name, statement), statement, action


@functools.cache
def findings(text):
    return oracle.check_statements(text, oracle.installed)


class Statements(unittest.TestCase):
    def assert_found(self, text, *parts):
        found = findings(text)
        self.assertTrue(any(all(part in line for part in parts) for line in found), f"{parts} in {found}")

    def changed(self, before, after):
        self.assertIn(before, TEXT)
        return TEXT.replace(before, after)

    def test_template_is_valid(self):
        self.assertEqual(findings(TEXT), [])

    def test_names_action_that_takes_no_resource_under_tag_condition(self):
        # With this statement, every first deployment to AWS failed.
        text = self.changed(
            "                  - cognito-identity:GetIdentityPoolRoles\n",
            "                  - cognito-identity:GetIdentityPoolRoles\n                  - cognito-identity:SetIdentityPoolRoles\n",
        )
        where = "PoolBootstrapRole, identity-pools/KeepOurs: cognito-identity:SetIdentityPoolRoles"
        self.assert_found(text, f"{where} takes no resource, only *: arn:aws:cognito-identity:")
        self.assert_found(text, f"{where} does not know the condition key aws:ResourceTag/poolkeeper:pool")

    def test_refuses_function_whose_role_sam_would_generate(self):
        text = self.changed("      Role: !GetAtt AuthApiRole.Arn\n", "")
        with self.assertRaisesRegex(template.Unresolvable, "AuthApiFunction: the role that SAM would generate"):
            findings(text)

    def test_names_every_misspelled_action(self):
        for misspell, problem in [(lambda action: f"{action}x", "does not exist"), (str.lower, "is spelled")]:
            iam, tickets = oracle.installed(), []
            for role, name, statement, action in each_action():
                others = [one for one in template.actions(statement) if one != action]
                changed = {**statement, "Action": [*others, misspell(action)]}
                tickets.append((role, name, misspell(action), iam.check([changed])))
            self.assertGreater(len(tickets), 80)
            iam.run()
            for role, name, action, ticket in tickets:
                found = [one["problem"] for one in iam.problems(ticket) if one["action"] == action]
                self.assertTrue(any(problem in line for line in found), f"{role}, {name}: {action}: {found}")

    def test_names_every_misspelled_condition_key(self):
        keys = sorted(
            set(re.findall(r"\b(?:aws|iam|ssm|cognito-identity):\w+(?=/poolkeeper:pool:|: )", TEXT))
            - {"aws:cloudformation"}
            # Only trust policies contain these, and they are not evaluated.
            - {"aws:SourceAccount", "aws:SourceArn"}
        )
        keys = [key for key in keys if re.search(rf"^ +{key}[:/]", TEXT, re.MULTILINE)]
        self.assertGreaterEqual(len(keys), 4, keys)
        for key in keys:
            text = re.sub(rf"^( +){key}(?=[:/])", rf"\1{key}s", TEXT, flags=re.MULTILINE)
            self.assert_found(text, "PoolBootstrapRole", f"does not know the condition key {key}s")

    def test_names_condition_key_that_only_other_actions_know(self):
        text = self.changed("iam:PassedToService:", "iam:PolicyARN:")
        self.assert_found(
            text,
            "PoolBootstrapRole, role-of-signed-in-users/PassOurRoles: iam:PassRole does not know the condition key iam:PolicyARN",
        )
        text = self.changed("aws:ResourceTag/poolkeeper:pool:", "aws:RequestTag/poolkeeper:pool:")
        self.assert_found(
            text,
            "user-pools/KeepOurs: cognito-idp:DeleteUserPool does not know the condition key aws:RequestTag/poolkeeper:pool",
        )

    def test_names_resource_of_another_type(self):
        for before, after, action in [
            (":userpool/*", ":userpools/*", "cognito-idp:DescribeUserPool"),
            (":identitypool/*", ":userpool/*", "cognito-identity:DescribeIdentityPool"),
            (":policy/poolkeeper.", ":role/poolkeeper.", "iam:DeletePolicy"),
            (":parameter/poolkeeper/", ":/poolkeeper/", "ssm:PutParameter"),
        ]:
            self.assert_found(self.changed(before, after), action, "takes resources", "is none of them")

    def test_names_action_on_all_resources_that_takes_one(self):
        text = self.changed("Resource: !GetAtt UserPool.UserPoolArn", 'Resource: "*"')
        self.assert_found(
            text,
            "AuthApiRole, sessions-of-this-pool: cognito-idp:AdminInitiateAuth takes resources (userpool): * is too wide",
        )

    def test_names_wildcard_action_and_unknown_operator(self):
        self.assert_found(
            self.changed("- cognito-idp:AdminInitiateAuth\n", "- cognito-idp:Admin*\n"), "is not the name of one action"
        )
        self.assert_found(
            self.changed("StringEqualsIfExists:", "StringIsIfExists:"), "PassOurRoles", "StringIsIfExists"
        )

    def test_checks_statements_that_parameters_switch_on(self):
        text = self.changed(
            "                  Action: ssm:GetParameter\n", "                  Action: ssm:ReadParameter\n"
        )
        self.assert_found(text, "AdminApiRole, invitation-key", "ssm:ReadParameter does not exist")

    def test_refuses_condition_without_variants(self):
        text = self.changed(
            "          - UsesInvitations\n          - PolicyName: invitation-key",
            "          - HasAliases\n          - PolicyName: invitation-key",
        )
        with self.assertRaisesRegex(template.Unresolvable, "HasAliases is never True: see SWITCHES"):
            findings(text)

    def test_refuses_parts_of_roles_that_it_does_not_read(self):
        text = self.changed(
            "  PreSignUpRole:\n    Type: AWS::IAM::Role\n    Properties:\n",
            "  PreSignUpRole:\n    Type: AWS::IAM::Role\n    Properties:\n      ManagedPolicyArns: []\n",
        )
        with self.assertRaisesRegex(template.Unresolvable, "PreSignUpRole: .*ManagedPolicyArns"):
            findings(text)


if __name__ == "__main__":
    unittest.main()
