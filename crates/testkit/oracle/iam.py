"""Collects policies and requests and checks them in one run of iam.mjs, because starting Node.js takes longer than the checks."""

import json
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


class Iam:
    """Add policies and requests, call `run`, then read the results."""

    def __init__(self, node, packages):
        self._command = [str(node), str(HERE / "iam.mjs"), str(packages)]
        self._policies, self._checks, self._requests = {}, {}, {}
        self._problems, self._allowed = [], []

    def _policy(self, statements):
        document = json.dumps({"Version": "2012-10-17", "Statement": statements}, sort_keys=True)
        return self._policies.setdefault(document, len(self._policies))

    def check(self, statements):
        """A ticket for `problems`."""
        return self._checks.setdefault(self._policy(statements), len(self._checks))

    def request(self, statements, right):
        """A ticket for `allowed`."""
        key = (self._policy(statements), right.action, right.target, json.dumps(right.context, sort_keys=True))
        return self._requests.setdefault(key, len(self._requests))

    def run(self):
        requests = [
            {"policy": policy, "action": action, "target": target, "context": json.loads(context)}
            for policy, action, target, context in self._requests
        ]
        payload = {
            "policies": [json.loads(one) for one in self._policies],
            "checks": list(self._checks),
            "requests": requests,
        }
        done = subprocess.run(self._command, input=json.dumps(payload), capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"iam.mjs failed: {done.stderr}")
        answer = json.loads(done.stdout)
        self._problems, self._allowed = answer["checks"], answer["requests"]
        return self

    def problems(self, ticket):
        """[{statement, action, problem}]"""
        return self._problems[ticket]

    def allowed(self, ticket):
        answer = self._allowed[ticket]
        if not isinstance(answer, bool):
            action, target = list(self._requests)[ticket][1:3]
            raise RuntimeError(f"{action} on {target} {answer}")
        return answer
