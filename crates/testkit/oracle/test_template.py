"""What the emulator cannot show of the template: preflight requests, and what a deletion leaves."""

import json
import unittest
from pathlib import Path

from template import Template

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "template.yaml").read_text()
API = json.loads((ROOT / "docs/openapi.json").read_text())
ORIGINS = "https://admin.example.com, https://shop.example.com"


def resources(kind, **parameters):
    """The resources of a kind that a deployment with these parameters creates."""
    template = Template(TEXT, **parameters)
    return {
        name: resource
        for name, resource in template.body["Resources"].items()
        if resource["Type"] == kind and ("Condition" not in resource or template.condition(resource["Condition"]))
    }


def routes(**parameters):
    """The authorization of each route."""
    template = Template(TEXT, **parameters)
    found = resources("AWS::ApiGatewayV2::Route", **parameters).values()
    properties = [route["Properties"] for route in found]
    return {one["RouteKey"]: template.resolve(one["AuthorizationType"]) for one in properties}


def cors(**parameters):
    (api,) = resources("AWS::ApiGatewayV2::Api", **parameters).values()
    return Template(TEXT, **parameters).resolve(api["Properties"]["CorsConfiguration"])


class Preflight(unittest.TestCase):
    def test_every_route_has_a_preflight_route_without_authorization(self):
        # API Gateway answers a preflight request from CorsConfiguration only if no route with an authorizer catches it.
        for authorization in ["NONE", "AWS_IAM"]:
            found = routes(AllowedOrigins=ORIGINS, AuthAuthorization=authorization)
            paths = {key.removeprefix("ANY ") for key in found if key.startswith("ANY ")}
            self.assertEqual(len(paths), 2)
            preflight = {path: found.get(f"OPTIONS {path}") for path in paths}
            self.assertEqual(preflight, dict.fromkeys(paths, "NONE"))

    def test_without_origins_no_route_is_open_for_preflight(self):
        self.assertEqual([key for key in routes() if key.startswith("OPTIONS")], [])
        self.assertIsNone(cors())

    def test_origins_methods_and_headers_are_those_of_the_api(self):
        found = cors(AllowedOrigins=ORIGINS)
        self.assertEqual(found["AllowOrigins"], ["https://admin.example.com", "https://shop.example.com"])
        operations = [
            (method.upper(), operation) for path in API["paths"].values() for method, operation in path.items()
        ]
        self.assertEqual(set(found["AllowMethods"]), {method for method, _ in operations})
        parameters = [one for _, operation in operations for one in operation.get("parameters", [])]
        documented = {one["name"].lower() for one in parameters if one["in"] == "header"}
        self.assertEqual(set(found["AllowHeaders"]), documented | {"authorization", "content-type", "x-access-token"})
        self.assertNotIn("AllowCredentials", found)


class Logs(unittest.TestCase):
    AUDITED = ["AdminApiFunction", "AuthApiFunction"]

    def groups(self, on_delete):
        """The log group of each function that writes audit records: its resource."""
        template = Template(TEXT, OnDelete=on_delete)
        groups = resources("AWS::Logs::LogGroup", OnDelete=on_delete)
        functions = template.body["Resources"]
        references = [functions[one]["Properties"]["LoggingConfig"]["LogGroup"] for one in self.AUDITED]
        return template, [groups[template.logical_name(reference)] for reference in references]

    def test_audit_records_outlive_the_stack_like_the_pool(self):
        for on_delete, policy in [("retain", "RetainExceptOnCreate"), ("delete", None)]:
            _, groups = self.groups(on_delete)
            self.assertEqual([group.get("DeletionPolicy") for group in groups], [policy, policy])

    def test_names_of_their_logs_end_in_the_id_of_the_stack(self):
        for on_delete in ["retain", "delete"]:
            template, groups = self.groups(on_delete)
            names = [template.resolve(group["Properties"]["LogGroupName"]) for group in groups]
            # The last segment of the stack's id, as template.py has it.
            self.assertTrue(all(name.endswith("-stack") for name in names), names)
            self.assertEqual(len(set(names)), 2)


class Rules(unittest.TestCase):
    def rejections(self, **parameters):
        """The descriptions of the assertions that these parameters break."""
        template = Template(TEXT, **parameters)
        return [
            assertion["AssertDescription"]
            for rule in template.body["Rules"].values()
            if template.holds(rule["RuleCondition"])
            for assertion in rule["Assertions"]
            if not template.holds(assertion["Assert"])
        ]

    def test_rejects_verification_that_can_never_happen(self):
        impossible = [("AutoVerifyEmail", "invited"), ("AutoVerifyEmail", "everyone"), ("AutoVerifyPhone", "everyone")]
        for name, value in impossible:
            for confirm in ["everyone", "trusted-domains", "invited"]:
                verify = {"TrustedEmailDomains": "example.com", name: value}
                self.assertEqual(self.rejections(AutoConfirm=confirm, **verify), [], f"{confirm}, {name}")
            (rejection,) = self.rejections(AutoConfirm="nobody", **{name: value})
            self.assertIn("AutoConfirm=nobody", rejection)
            self.assertIn(f"{name}=nobody", rejection)
        self.assertEqual(self.rejections(AutoConfirm="nobody"), [])


if __name__ == "__main__":
    unittest.main()
