"""Errors and their texts."""

import json
import pickle
import unittest
from pathlib import Path
from typing import Any

import attrs
import httpx
from fake_api import CHALLENGE, URL, FakeApi, challenge, gateway, problem

from poolkeeper_client import ChallengeRequired, Client, GatewayError, PoolkeeperError, ProblemError, SignIn, models

TOKEN = "secret-token"


def error_of(response: httpx.Response) -> PoolkeeperError:
    client = Client(URL, TOKEN, max_retries=0, transport=FakeApi(response).transport)
    try:
        client.create_user(username="mia", password="secret-password")
    except PoolkeeperError as error:
        return error
    raise AssertionError("no error")


class ProblemErrors(unittest.TestCase):
    def test_has_the_fields_of_the_problem(self) -> None:
        error = error_of(
            problem(
                409,
                "user-exists",
                completed=["create"],
                differing=["status"],
                failed="add-to-groups",
                field="username",
                next_actions=["POST /v1/auth/me/totp"],
            )
        )
        assert isinstance(error, ProblemError)
        code: models.ErrorCode = error.code
        self.assertEqual((error.status, code, error.detail), (409, "user-exists", "A detail."))
        self.assertEqual((error.completed, error.failed, error.differing), (["create"], "add-to-groups", ["status"]))
        self.assertEqual((error.field, error.next_actions), ("username", ["POST /v1/auth/me/totp"]))
        self.assertEqual((error.request_id, error.problem.title), ("JKJaXmPLvHcESHA=", "A title."))
        self.assertEqual(str(error), "user-exists (409): A detail. (request JKJaXmPLvHcESHA=)")

    def test_absent_lists_are_empty(self) -> None:
        error = error_of(problem(409, "user-exists"))
        assert isinstance(error, ProblemError)
        self.assertEqual([*error.completed, *error.differing, *error.next_actions], [])
        self.assertIsNone(error.retry_after)

    def test_accepts_a_code_of_a_later_version(self) -> None:
        error = error_of(problem(409, "code-of-a-later-version"))
        assert isinstance(error, ProblemError)
        self.assertEqual(error.code, "code-of-a-later-version")

    def test_can_be_pickled(self) -> None:
        error = error_of(problem(429, "throttled", {"Retry-After": "900"}))
        copy = pickle.loads(pickle.dumps(error))
        self.assertEqual((str(copy), copy.retry_after), (str(error), 900))


class GatewayErrors(unittest.TestCase):
    def test_has_the_message_of_the_gateway(self) -> None:
        error = error_of(gateway(403, "Forbidden"))
        assert isinstance(error, GatewayError)
        self.assertEqual((error.status, error.message, str(error)), (403, "Forbidden", "403: Forbidden"))

    def test_body_without_json_gives_the_reason_phrase(self) -> None:
        for content in (b"<html>secret</html>", b"", b'"secret"', b'{"message": 1', b"\xff"):
            error = error_of(httpx.Response(502, content=content))
            assert isinstance(error, GatewayError)
            self.assertEqual(str(error), "502: Bad Gateway")

    def test_unexpected_success_is_an_error_without_the_body(self) -> None:
        for content in (b"<html>secret</html>", b'{"username": "secret"}', b"[]", b""):
            error = error_of(httpx.Response(200, content=content))
            self.assertEqual(str(error), "200: the response has an unexpected form")
            self.assertIsNone(error.__context__)

    def test_redirection_is_an_error(self) -> None:
        self.assertEqual(str(error_of(httpx.Response(302))), "302: Found")


class Secrets(unittest.TestCase):
    def test_errors_and_sources_show_no_secrets(self) -> None:
        shown: list[object] = [SignIn("mia", "secret-password")]
        shown.append(error_of(gateway(401, "Unauthorized")))
        shown.append(error_of(problem(422, "invalid-password")))
        client = Client(URL, SignIn("mia", "secret-password"), transport=FakeApi(challenge()).transport)
        with self.assertRaises(ChallengeRequired) as raised:
            client.get_pool()
        shown += [raised.exception, client, models.Challenge.from_dict(CHALLENGE)]
        for value in shown:
            self.assertNotIn("secret", f"{value!r} {value}")

    def test_models_show_no_secrets(self) -> None:
        """Properties with the format `password` are excluded from `repr`."""
        schemas = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())["components"]["schemas"]

        def is_secret(schema: dict[str, Any]) -> bool:
            if "$ref" in schema:
                return is_secret(schemas[schema["$ref"].rsplit("/", 1)[1]])
            return schema.get("format") == "password" or any(map(is_secret, schema.get("oneOf", [])))

        count = 0
        for name, schema in schemas.items():
            model = getattr(models, name, None)
            for field, value in schema.get("properties", {}).items():
                if model is not None and attrs.has(model) and is_secret(value):
                    self.assertFalse(attrs.fields_dict(model)[field].repr, f"{name}.{field}")
                    count += 1
        self.assertGreater(count, 15)


if __name__ == "__main__":
    unittest.main()
