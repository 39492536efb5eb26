"""Requests and results of the generated operations."""

import unittest
from datetime import datetime, timedelta, timezone

import httpx
from fake_api import CHALLENGE, URL, USER, FakeApi, challenge, tokens, user, users

from poolkeeper_client import AsyncClient, Client, models


def client(api: FakeApi) -> Client:
    return Client(URL, "token", transport=api.transport)


class Requests(unittest.TestCase):
    def test_names_in_paths_are_encoded(self) -> None:
        for name, path in (
            ("mia", b"mia"),
            ("a/b?c#d%", b"a%2Fb%3Fc%23d%25"),
            ("é@x", b"%C3%A9%40x"),
            ("a..b", b"a..b"),
        ):
            api = FakeApi(user())
            client(api).get_user(name)
            self.assertEqual(api.requests[0].url.raw_path, b"/stage/v1/users/" + path)

    def test_names_that_change_the_path_are_rejected(self) -> None:
        api = FakeApi(user())
        for name in ("", ".", ".."):
            with self.assertRaises(ValueError):
                client(api).remove_user_from_group("mia", name)
        self.assertEqual(api.requests, [])

    def test_absent_arguments_are_omitted(self) -> None:
        api = FakeApi(user())
        client(api).create_user(username="mia")
        self.assertEqual(api.body(0), {"username": "mia", "permanent": False})
        self.assertNotIn("X-Device-Data", api.requests[0].headers)

    def test_null_removes_an_attribute(self) -> None:
        api = FakeApi(httpx.Response(204))
        client(api).update_user("mia", attributes={"name": "Mia", "nickname": None})
        self.assertEqual(api.body(0), {"attributes": {"name": "Mia", "nickname": None}})

    def test_search_parameters_are_encoded(self) -> None:
        api = FakeApi(users(next_cursor=None))
        created_after = datetime(2026, 1, 7, 9, 30, tzinfo=timezone(timedelta(hours=2)))
        client(api).list_users(
            enabled=True, custom_attribute=["team=blue", "a=b&c"], created_after=created_after, limit=1
        )
        self.assertEqual(
            api.requests[0].url.query,
            b"enabled=true&custom_attribute=team%3Dblue&custom_attribute=a%3Db%26c"
            b"&created_after=2026-01-07T09%3A30%3A00%2B02%3A00&limit=1",
        )

    def test_body_with_variants_is_a_model(self) -> None:
        api = FakeApi(tokens("a1"))
        client(api).answer_challenge(models.NewPasswordAnswer(username="mia", session="s", new_password="p"))
        self.assertEqual(
            api.body(0), {"challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": "s", "new_password": "p"}
        )


class Results(unittest.TestCase):
    def test_timestamps_have_a_time_zone(self) -> None:
        result = client(FakeApi(user())).get_user("mia")
        self.assertEqual(result.created_at, datetime(2026, 1, 7, 9, 30, 0, 100_000, tzinfo=timezone.utc))
        self.assertEqual(result.modified_at, datetime(2026, 1, 8, 14, 5, 31, tzinfo=timezone.utc))
        self.assertIsNone(result.life_cycle.temporary_password_expires_at)

    def test_variants_are_distinguished(self) -> None:
        outcome = client(FakeApi(tokens("a1"))).sign_in(username="mia", password="p")
        assert isinstance(outcome, models.SignInTokens)
        self.assertEqual((outcome.tokens.access_token, outcome.tokens.refresh_token), ("a1", None))
        outcome = client(FakeApi(challenge())).sign_in(username="mia", password="p")
        assert isinstance(outcome, models.SignInChallenge)
        self.assertEqual(outcome.challenge, models.Challenge.from_dict(CHALLENGE))

    def test_accepts_values_and_fields_of_a_later_version(self) -> None:
        life_cycle = {
            "state": "later-state",
            "can_sign_in": False,
            "temporary_password_expires_at": None,
            "next_actions": ["later-action"],
        }
        response = httpx.Response(200, json={**USER, "life_cycle": life_cycle, "later_field": 1})
        result = client(FakeApi(response)).get_user("mia")
        self.assertEqual((result.life_cycle.state, result.life_cycle.next_actions), ("later-state", ["later-action"]))
        later = {**CHALLENGE, "name": "LATER_CHALLENGE", "factors": ["LATER_MFA"]}
        self.assertEqual(models.Challenge.from_dict(later).name, "LATER_CHALLENGE")


class Pages(unittest.TestCase):
    pages = (users("ann", next_cursor="c1"), users(next_cursor="c2"), users("kim", "lou", next_cursor=None))

    def test_iterates_over_pages_after_an_empty_page(self) -> None:
        api = FakeApi(*self.pages)
        names = [user.username for user in client(api).iter_users(group="support", limit=2)]
        self.assertEqual(names, ["ann", "kim", "lou"])
        self.assertEqual(
            [dict(request.url.params) for request in api.requests],
            [
                {"group": "support", "limit": "2"},
                {"group": "support", "limit": "2", "cursor": "c1"},
                {"group": "support", "limit": "2", "cursor": "c2"},
            ],
        )

    def test_requests_a_page_when_it_is_needed(self) -> None:
        api = FakeApi(*self.pages)
        members = client(api).iter_group_users("support")
        self.assertEqual((api.calls, next(members).username, len(api.requests)), ([], "ann", 1))


class AsynchronousPages(unittest.IsolatedAsyncioTestCase):
    async def test_iterates_over_pages_after_an_empty_page(self) -> None:
        api = FakeApi(*Pages.pages)
        async with AsyncClient(URL, "token", transport=api.transport) as caller:
            self.assertEqual([user.username async for user in caller.iter_users()], ["ann", "kim", "lou"])


if __name__ == "__main__":
    unittest.main()
