"""Checks template.yaml, and recorded calls, against data that AWS publishes.

    oracle.py static TEMPLATE
    oracle.py recorded TEMPLATE RECORDINGS

`static` checks the actions, resources and condition keys of every statement of every role, as deployed to AWS.

`recorded` simulates the calls that the tests recorded, and those in uncalled_operations.py, with the policies of the roles that make them. Each
call must be allowed, and the same call on resources outside the deployment must be denied. Each granted action must be needed by at
least one call. Each request must satisfy the model of its service.
"""

import json
import re
import sys
from pathlib import Path

import calls
import model
import tables
import template
import uncalled_operations
from iam import Iam

ADAPTERS = Path(__file__).parents[2] / "aws/src"


def statement_name(policy_name, statement):
    return f"{policy_name}/{statement['Sid']}" if "Sid" in statement else policy_name


def check_statements(text, iam_of):
    """Findings on the statements, one per line."""
    iam, tickets, found = iam_of(), [], {}
    for roles in template.variants(text):
        for role, statements in roles.items():
            tickets.append((role, statements, iam.check([statement for _, statement in statements])))
    iam.run()
    for role, statements, ticket in tickets:
        for one in iam.problems(ticket):
            name, statement = statements[one["statement"]]
            where = f"{role}, {statement_name(name, statement)}"
            found[f"{where}: {one['action'] or 'the statement'} {one['problem']}"] = True
    return list(found)


def read_recordings(folder):
    """All recorded calls. Each kind of recording must exist."""
    found = []
    for kind in tables.RECORDINGS:
        files = sorted(Path(folder).glob(f"{kind}-*.jsonl"))
        if not any(file.stat().st_size for file in files):
            raise SystemExit(
                f"oracle: no recordings of {kind} in {folder}: run `make test`, which records and checks them"
            )
        for line in {line: True for file in files for line in file.read_text().splitlines()}:
            found.append(calls.recorded(line, kind))
    return found


def check_models(recorded):
    """Requests that violate the model of their service."""
    distinct = {(call.service, call.operation, json.dumps(call.parameters, sort_keys=True)): call for call in recorded}
    broken = {}
    for call in distinct.values():
        for violation in model.violations(call.service, call.operation, call.parameters):
            broken[f"{call.service}: {violation}"] = True
    return list(broken)


def check_operations(made, sources):
    """Operations of the adapters that no call uses."""
    called = {call.operation for call in made}
    named = set()
    for file in sorted(Path(sources).rglob("*.rs")):
        if "tests" not in file.parts and file.name != "tests.rs":
            named |= set(re.findall(r'(?:Failure::of\(\s*|const (?:\w+_)?OPERATION: &str = )"(\w+)"', file.read_text()))
    return [
        f"{operation} is in the adapters, but no recorded call has it"
        for operation in sorted(named - called)
    ]


def check_uncalled(recorded, listed):
    """Calls of uncalled_operations.py whose permissions recorded calls need as well."""
    needed = {(call.role, right.action, right.target) for call in recorded for right in call.rights()}
    called = {call.operation for call in recorded}
    rows = [
        call
        for call in listed
        if call.operation in called and all((call.role, one.action, one.target) in needed for one in call.rights())
    ]
    return [f"uncalled_operations.py: {call.operation} of {call.role} is recorded; delete the row" for call in rows]


def distinct_calls(recorded):
    """The distinct calls of roles, as far as IAM is concerned."""
    return list({(call.role, call.pool, repr(rights)): call for call in recorded if (rights := call.rights())}.values())


class Permissions:
    """Compares the permissions of the roles with the calls."""

    def __init__(self, roles, made, iam_of):
        """`roles` contains the roles of each pool's stack."""
        self._roles = roles
        self._calls = made
        self._iam = iam_of()

    def _statements(self, call):
        return [statement for _, statement in self._roles[call.pool][call.role]]

    def _ask(self, rights, statements):
        return [(right, self._iam.request(statements, right)) for right in rights]

    def check(self):
        """Findings on permissions, one per line."""
        allowed = [(call, self._ask(call.rights(), self._statements(call))) for call in self._calls]
        foreign = {}
        for call in self._calls:
            for action, what, rights in call.on_foreign():
                foreign.setdefault((call.role, action, what), []).append(self._ask(rights, self._statements(call)))
        without = list(self._removals())
        self._iam.run()
        return [*self._denied(allowed), *self._too_wide(foreign), *self._unneeded(without)]

    def _denied(self, allowed):
        found = {}
        for call, rights in allowed:
            for right, ticket in rights:
                if not self._iam.allowed(ticket):
                    keys = ", ".join(f"{key} {value}" for key, value in right.context.items())
                    needs = f"needs {right.action} on {right.target}" + (f" ({keys})" if keys else "")
                    found[f"{call.role}: {call.operation} {needs}, which no statement allows"] = True
        return list(found)

    def _too_wide(self, foreign):
        found, used = [], set()
        for (role, action, what), attempts in foreign.items():
            if not any(all(self._iam.allowed(ticket) for _, ticket in rights) for rights in attempts):
                continue
            used.add((role, action, what))
            if (role, action, what) not in tables.NOT_LIMITABLE:
                found.append(f"{role}: {action} is allowed on {what}")
        unused = [", ".join(row) for row in tables.NOT_LIMITABLE if row not in used]
        return found + [f"NOT_LIMITABLE in tables.py: {row} is denied, or not called; delete the row" for row in unused]

    def _removals(self):
        """Each granted action with the requests that must fail without it."""
        by_role = {}
        for call in self._calls:
            for right in call.rights():
                by_role.setdefault((call.pool, call.role, right.action), {})[repr(right)] = right
        for pool, roles in self._roles.items():
            for role, statements in roles.items():
                for number, (name, statement) in enumerate(statements):
                    for action in template.actions(statement):
                        rest = without_action([one for _, one in statements], number, action)
                        rights = by_role.get((pool, role, action), {}).values()
                        where = f"{role}, {statement_name(name, statement)}"
                        yield where, action, [self._iam.request(rest, right) for right in rights]

    def _unneeded(self, without):
        needed, granted = set(), {}
        for where, action, tickets in without:
            granted[where, action] = True
            if not all(self._iam.allowed(ticket) for ticket in tickets):
                needed.add((where, action))
        return [f"{where}: {action} is needed by no call" for where, action in granted if (where, action) not in needed]


def without_action(statements, number, action):
    rest = [one for one in template.actions(statements[number]) if one != action]
    changed = [{**statements[number], "Action": rest}] if rest else []
    return statements[:number] + changed + statements[number + 1 :]


def check_calls(text, recorded, iam_of):
    """All findings about calls."""
    listed = uncalled_operations.calls(text)
    made = [*recorded, *listed]
    roles = {pool: template.everything(text, pool) for pool in sorted({call.pool for call in made if call.role})}
    found = check_operations(made, ADAPTERS) + check_models(made) + check_uncalled(recorded, listed)
    return found + Permissions(roles, distinct_calls(made), iam_of).check()


def installed():
    """A simulator with the packages that `make oracle` installs."""
    return Iam(Path(sys.prefix) / "bin/node", Path(sys.prefix) / "oracle")


def main(arguments):
    try:
        match arguments:
            case ["static", file]:
                found = check_statements(Path(file).read_text(), installed)
                checked = f"{file}: all statements of all roles are valid on AWS"
            case ["recorded", file, folder]:
                recorded = read_recordings(folder)
                found = check_calls(Path(file).read_text(), recorded, installed)
                checked = (
                    f"{len(recorded)} recorded calls are valid, allowed for their roles and denied on foreign resources; "
                    "each granted action is needed"
                )
            case _:
                raise SystemExit(__doc__)
    except template.Unresolvable as error:
        raise SystemExit(f"oracle: {error}") from error
    for line in found:
        print(f"oracle: {line}", file=sys.stderr)
    if found:
        raise SystemExit(1)
    print(f"oracle: {checked}")


if __name__ == "__main__":
    main(sys.argv[1:])
