"""Tests that the tables match the CloudFormation registry."""

import unittest

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

import tables
from template import REGION


def permissions(source):
    kind, handler = source
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema["handlers"][handler]["permissions"]


class Sources(unittest.TestCase):
    def test_tagging_needs_the_rights_of_its_rows(self):
        for action, row in tables.TAGGING.items():
            if isinstance(row["source"], str):
                continue
            self.assertLessEqual({action, *row["rights"]}, set(permissions(row["source"])), action)

    def test_passing_roles_needs_pass_role(self):
        for action, row in tables.PASS_ROLE.items():
            self.assertLessEqual({action, "iam:PassRole"}, set(permissions(row["source"])), action)


if __name__ == "__main__":
    unittest.main()
