"""Retries of both clients."""

import asyncio
import unittest
from collections.abc import AsyncIterator, Iterator
from unittest.mock import patch

import httpx
from fake_api import URL, FakeApi, gateway, problem, user

from poolkeeper_client import AsyncClient, Client, GatewayError, ProblemError

TOKEN = "token"
THROTTLED = problem(429, "throttled", {"Retry-After": "1"})


class BrokenBody(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that ends before its end."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"username":'
        raise httpx.ReadError("closed")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b'{"username":'
        raise httpx.ReadError("closed")


def broken(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, stream=BrokenBody())


def client(api: FakeApi, **options: int) -> Client:
    return Client(URL, TOKEN, transport=api.transport, sleep=api.sleep, **options)


class Retried(unittest.TestCase):
    def test_throttled_requests_of_every_method(self) -> None:
        for response in (
            THROTTLED,
            problem(503, "revocations-unavailable", {"Retry-After": "1"}),
            gateway(429, "Too Many Requests", {"Retry-After": "1"}),
        ):
            api = FakeApi(response, httpx.Response(204))
            client(api).delete_user("mia")
            self.assertEqual((api.calls, api.delays), (["DELETE /v1/users/mia"] * 2, [1]))

    def test_get_after_every_ambiguous_result(self) -> None:
        for result in (
            httpx.ConnectError("refused"),
            httpx.ReadTimeout("timeout"),
            httpx.RemoteProtocolError("closed"),
            problem(502, "upstream-unavailable"),
            problem(504, "deadline-exceeded"),
            gateway(500, "Internal Server Error"),
            gateway(503, "Service Unavailable"),
            broken,
        ):
            api = FakeApi(result, user())
            self.assertEqual(client(api).get_user("mia").username, "mia")
            self.assertEqual((len(api.requests), len(api.delays)), (2, 1))

    def test_creation_keeps_its_random_key(self) -> None:
        api = FakeApi(httpx.ReadError("closed"), problem(504, "deadline-exceeded"), user(status=201), user())
        created = client(api)
        created.create_user(username="mia", attributes={"name": "Mia"})
        keys = {request.headers["Idempotency-Key"] for request in api.requests}
        self.assertEqual((len(api.requests), len(keys), len(keys.pop())), (3, 1, 36))
        created.create_user(username="lou")
        self.assertNotEqual(api.requests[3].headers["Idempotency-Key"], api.requests[2].headers["Idempotency-Key"])

    def test_creation_uses_the_given_key(self) -> None:
        api = FakeApi(user(status=201))
        client(api).create_user(username="mia", idempotency_key="ticket-17")
        self.assertEqual(api.requests[0].headers["Idempotency-Key"], "ticket-17")

    def test_backs_off_with_jitter_without_retry_after(self) -> None:
        api = FakeApi(gateway(429, "Too Many Requests"))
        with patch("random.uniform", side_effect=lambda low, high: (low, high)), self.assertRaises(GatewayError):
            client(api, max_delay=3).get_pool()
        self.assertEqual(api.delays, [(0, 0.5), (0, 1), (0, 2), (0, 3)])

    def test_date_in_retry_after_is_ignored(self) -> None:
        api = FakeApi(gateway(503, "Unavailable", {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}), user())
        client(api).get_user("mia")
        self.assertLessEqual(api.delays[0], 0.5)


class NotRetried(unittest.TestCase):
    def assert_not_retried(self, result: httpx.Response | Exception) -> None:
        api = FakeApi(result)
        with self.assertRaises((ProblemError, GatewayError, httpx.HTTPError)):
            client(api).disable_user("mia")
        self.assertEqual((len(api.requests), api.delays), (1, []))

    def test_other_methods_after_ambiguous_results(self) -> None:
        self.assert_not_retried(httpx.ReadTimeout("timeout"))
        self.assert_not_retried(problem(502, "upstream-unavailable"))
        self.assert_not_retried(problem(504, "deadline-exceeded"))
        self.assert_not_retried(gateway(500, "Internal Server Error"))
        self.assert_not_retried(gateway(503, "Service Unavailable"))

    def test_requests_with_completed_steps(self) -> None:
        self.assert_not_retried(problem(429, "throttled", {"Retry-After": "1"}, completed=["revoke-tokens"]))
        self.assert_not_retried(problem(503, "revocations-unavailable", {"Retry-After": "1"}, completed=["disable"]))
        self.assert_not_retried(problem(429, "throttled", {"Retry-After": "1"}, completed=[]))

    def test_other_errors(self) -> None:
        for status, code in ((400, "invalid-request"), (500, "internal"), (501, "not-supported-by-endpoint")):
            api = FakeApi(problem(status, code))
            with self.assertRaises(ProblemError):
                client(api).get_pool()
            self.assertEqual(len(api.requests), 1)

    def test_retry_after_above_the_maximum_delay(self) -> None:
        for seconds, delays in ((30, [30.0]), (31, [])):
            api = FakeApi(problem(429, "throttled", {"Retry-After": f"{seconds}"}), user())
            if delays:
                client(api).get_user("mia")
            else:
                with self.assertRaises(ProblemError) as raised:
                    client(api).get_user("mia")
                self.assertEqual(raised.exception.retry_after, 31)
            self.assertEqual(api.delays, delays)

    def test_maximum_delay_is_an_option(self) -> None:
        api = FakeApi(problem(429, "throttled", {"Retry-After": "900"}), user())
        client(api, max_delay=900).get_user("mia")
        self.assertEqual(api.delays, [900])

    def test_more_than_the_maximum_number(self) -> None:
        for options, count in (({}, 5), ({"max_retries": 0}, 1), ({"max_retries": 1}, 2)):
            api = FakeApi(THROTTLED)
            with self.assertRaises(ProblemError) as raised:
                client(api, **options).get_pool()
            self.assertEqual((raised.exception.code, len(api.requests)), ("throttled", count))


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    def client(self, api: FakeApi) -> AsyncClient:
        return AsyncClient(URL, TOKEN, transport=api.transport, sleep=api.sleep_async)

    async def test_retries_with_the_same_rules(self) -> None:
        api = FakeApi(httpx.ReadTimeout("timeout"), broken, THROTTLED, user())
        self.assertEqual((await self.client(api).get_user("mia")).username, "mia")
        self.assertEqual((len(api.requests), api.delays[2]), (4, 1))

    async def test_refuses_with_the_same_rules(self) -> None:
        api = FakeApi(httpx.ReadTimeout("timeout"))
        with self.assertRaises(httpx.ReadTimeout):
            await self.client(api).disable_user("mia")
        self.assertEqual((len(api.requests), api.delays), (1, []))

    async def test_cancellation_is_not_retried(self) -> None:
        def cancel(_: httpx.Request) -> httpx.Response:
            raise asyncio.CancelledError

        api = FakeApi(cancel)
        with self.assertRaises(asyncio.CancelledError):
            await self.client(api).get_pool()
        self.assertEqual(len(api.requests), 1)


if __name__ == "__main__":
    unittest.main()
