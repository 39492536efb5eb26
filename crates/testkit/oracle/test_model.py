"""Tests that the check of requests finds violations of a service model and shows no values."""

import unittest

import model

POOL = {"UserPoolId": "us-east-1_OwnPool01"}
USER = {**POOL, "Username": "mia"}


class Model(unittest.TestCase):
    def assert_found(self, operation, parameters, *parts, service="cognito-idp"):
        found = model.violations(service, operation, parameters)
        self.assertTrue(any(all(part in line for part in [operation, *parts]) for line in found), f"{parts} in {found}")

    def test_valid_requests_pass(self):
        for service, operation, parameters in [
            ("cognito-idp", "AdminGetUser", USER),
            ("cognito-idp", "ListUsers", {**POOL, "Limit": 60, "Filter": 'email ^= "mia@"'}),
            ("cognito-idp", "AdminSetUserPassword", {**USER, "Password": "Correct-Horse-1", "Permanent": True}),
            (
                "iam",
                "CreateRole",
                {"RoleName": "poolkeeper.shop", "AssumeRolePolicyDocument": "{}", "Tags": [{"Key": "a", "Value": "b"}]},
            ),
            ("ssm", "GetParameter", {"Name": "/poolkeeper/shop/key", "WithDecryption": True}),
            ("sts", "GetCallerIdentity", {}),
        ]:
            self.assertEqual(model.violations(service, operation, parameters), [], operation)

    def test_names_missing_and_unknown_members(self):
        self.assert_found("AdminGetUser", POOL, "Username")
        self.assert_found("AdminGetUser", {**USER, "Limit": 1}, "Limit")

    def test_names_member_that_breaks_its_constraint(self):
        for operation, parameters, *parts in [
            ("AdminGetUser", {**USER, "UserPoolId": "pool"}, "UserPoolId", "must match"),
            ("AdminGetUser", {**USER, "Username": ""}, "Username", "min length: 1"),
            ("AdminGetUser", {**USER, "Username": "m" * 129}, "Username", "at most 128 long"),
            ("AdminGetUser", {**USER, "Username": "mia mia"}, "Username", "must match"),
            ("ListUsers", {**POOL, "Limit": 61}, "Limit", "at most 60"),
            ("ListUsers", {**POOL, "Limit": "60"}, "Limit", "Invalid type"),
            ("AdminInitiateAuth", {**POOL, "ClientId": "abc", "AuthFlow": "PASSWORD"}, "AuthFlow", "must be one of"),
            (
                "AdminCreateUser",
                {**USER, "UserAttributes": [{"Name": "a" * 33, "Value": "x"}]},
                "UserAttributes[0].Name",
                "at most 32",
            ),
            (
                "SignUp",
                {"ClientId": "abc", "Username": "mia", "ClientMetadata": {"a": 1}},
                "ClientMetadata",
                "Invalid type",
            ),
        ]:
            self.assert_found(operation, parameters, *parts)

    def test_shows_no_value(self):
        secret = "geheim\nstill secret"
        for parameters in [
            {**USER, "Password": [secret]},
            {**USER, "Password": secret * 99},
            {**USER, "Password": {"a": secret}, "Permanent": secret},
        ]:
            found = model.violations("cognito-idp", "AdminSetUserPassword", parameters)
            self.assertTrue(found)
            self.assertNotIn("secret", "".join(found))
            self.assertNotIn("geheim", "".join(found))

    def test_reads_query_protocol(self):
        flat = {
            "RoleName": "r",
            "Tags.member.1.Key": "a",
            "Tags.member.1.Value": "b",
            "Tags.member.2.Key": "c",
            "Tags.member.2.Value": "",
            "MaxSessionDuration": "3600",
            "Unknown": "x",
        }
        self.assertEqual(
            model.from_query("iam", "CreateRole", flat),
            {
                "RoleName": "r",
                "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": ""}],
                "MaxSessionDuration": 3600,
                "Unknown": "",
            },
        )


if __name__ == "__main__":
    unittest.main()
