"""Token sources of both clients."""

import asyncio
import itertools
import threading
import unittest
from collections.abc import Callable
from unittest.mock import patch

import httpx
from fake_api import URL, FakeApi, challenge, gateway, problem, tokens, user

from poolkeeper_client import AsyncClient, ChallengeRequired, Client, GatewayError, ProblemError, SignIn

SIGN_IN = "POST /v1/auth/sign-in"
REFRESH = "POST /v1/auth/refresh"
GET_USER = "GET /v1/users/mia"
UNAUTHORIZED = gateway(401, "Unauthorized")
REJECTED = problem(401, "invalid-credentials")


class Clock:
    """Replaces the clock of the token source."""

    def __init__(self, case: unittest.TestCase) -> None:
        self.now = 0.0
        clock = patch("poolkeeper_client.tokens.monotonic", side_effect=lambda: self.now)
        clock.start()
        case.addCleanup(clock.stop)


class CountingLock:
    """A lock that reports when a number of threads hold it or wait for it."""

    def __init__(self, count: int) -> None:
        self.all_entered = threading.Event()
        self._lock = threading.Lock()
        self._entered = itertools.count(1)
        self._count = count

    def __enter__(self) -> None:
        if next(self._entered) == self._count:
            self.all_entered.set()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def client(api: FakeApi, source: str | SignIn | Callable[[], str] | None = None) -> Client:
    return Client(URL, source or SignIn("Mia", "password"), transport=api.transport, sleep=api.sleep)


def async_client(api: FakeApi, source: SignIn | None = None) -> AsyncClient:
    return AsyncClient(URL, source or SignIn("Mia", "password"), transport=api.transport, sleep=api.sleep_async)


class SignInSource(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock(self)

    def test_signs_in_at_the_first_request_and_caches(self) -> None:
        api = FakeApi(tokens("a1", "r1"), user())
        caller = client(api)
        self.assertEqual(api.calls, [])
        caller.get_user("mia")
        caller.get_user("mia")
        self.assertEqual(api.calls, [SIGN_IN, GET_USER, GET_USER])
        self.assertEqual(api.body(0), {"username": "Mia", "password": "password"})
        self.assertEqual(api.tokens, [None, "Bearer a1", "Bearer a1"])

    def test_refreshes_shortly_before_the_end(self) -> None:
        api = FakeApi(tokens("a1", "r1"), user(), user(), tokens("a2"), user())
        caller = client(api)
        for self.clock.now in (0, 3539, 3540):
            caller.get_user("mia")
        self.assertEqual(api.calls, [SIGN_IN, GET_USER, GET_USER, REFRESH, GET_USER])
        self.assertEqual(api.body(3), {"username": "mia", "refresh_token": "r1"})
        self.assertEqual((api.tokens[3], api.tokens[4]), (None, "Bearer a2"))

    def test_short_validity_is_used_by_half(self) -> None:
        api = FakeApi(tokens("a1", "r1", 10), user(), user(), tokens("a2"), user())
        caller = client(api)
        for self.clock.now in (0, 4, 5):
            caller.get_user("mia")
        self.assertEqual(api.calls, [SIGN_IN, GET_USER, GET_USER, REFRESH, GET_USER])

    def test_keeps_or_replaces_the_refresh_token(self) -> None:
        api = FakeApi(
            tokens("a1", "r1"), user(), tokens("a2"), user(), tokens("a3", "r2"), user(), tokens("a4"), user()
        )
        caller = client(api)
        for self.clock.now in (0, 4000, 8000, 12000):
            caller.get_user("mia")
        self.assertEqual([api.body(index)["refresh_token"] for index in (2, 4, 6)], ["r1", "r1", "r2"])

    def test_signs_in_again_if_the_refresh_is_rejected(self) -> None:
        api = FakeApi(tokens("a1", "r1"), user(), REJECTED, tokens("a2", "r2"), user())
        caller = client(api)
        for self.clock.now in (0, 4000):
            caller.get_user("mia")
        self.assertEqual(api.calls, [SIGN_IN, GET_USER, REFRESH, SIGN_IN, GET_USER])
        self.assertEqual(api.tokens[4], "Bearer a2")

    def test_refresh_rejected_by_another_server_is_an_error(self) -> None:
        for response in (gateway(403, "Forbidden"), httpx.Response(404, content=b"<html></html>")):
            api = FakeApi(tokens("a1", "r1"), user(), response)
            caller = client(api)
            self.clock.now = 0
            caller.get_user("mia")
            self.clock.now = 4000
            with self.assertRaises(GatewayError):
                caller.get_user("mia")
            self.assertEqual(api.calls, [SIGN_IN, GET_USER, REFRESH])

    def test_sends_no_tokens_to_another_url(self) -> None:
        source = SignIn("mia", "password")
        first, second = FakeApi(tokens("a1"), user()), FakeApi(user())
        client(first, source).get_user("mia")
        other = Client("https://other.example.com", source, transport=second.transport)
        with self.assertRaisesRegex(ValueError, "this SignIn belongs to another URL"):
            other.get_user("mia")
        self.assertEqual(second.calls, [])
        Client(f"{URL}/", source, transport=first.transport).get_user("mia")
        self.assertEqual(first.calls, [SIGN_IN, GET_USER, GET_USER])

    def test_signs_in_again_without_a_refresh_token(self) -> None:
        api = FakeApi(tokens("a1"), user(), tokens("a2"), user())
        caller = client(api)
        for self.clock.now in (0, 4000):
            caller.get_user("mia")
        self.assertEqual(api.calls, [SIGN_IN, GET_USER, SIGN_IN, GET_USER])

    def test_failed_refresh_is_an_error_and_keeps_the_session(self) -> None:
        api = FakeApi(tokens("a1", "r1"), user(), problem(502, "upstream-unavailable"), tokens("a2"), user())
        caller = client(api)
        caller.get_user("mia")
        self.clock.now = 4000
        with self.assertRaises(ProblemError):
            caller.get_user("mia")
        caller.get_user("mia")
        self.assertEqual(api.calls, [SIGN_IN, GET_USER, REFRESH, REFRESH, GET_USER])

    def test_signs_in_again_once_after_401(self) -> None:
        for rejection in (UNAUTHORIZED, problem(401, "unauthenticated"), REJECTED):
            api = FakeApi(tokens("a1", "r1"), rejection, tokens("a2", "r2"), user())
            client(api).get_user("mia")
            self.assertEqual(api.calls, [SIGN_IN, GET_USER, SIGN_IN, GET_USER])
            self.assertEqual(api.tokens[3], "Bearer a2")

    def test_second_401_is_the_error(self) -> None:
        api = FakeApi(tokens("a1", "r1"), UNAUTHORIZED, tokens("a2", "r2"), UNAUTHORIZED)
        with self.assertRaises(GatewayError):
            client(api).get_user("mia")
        self.assertEqual(api.calls, [SIGN_IN, GET_USER, SIGN_IN, GET_USER])

    def test_wrong_current_password_is_sent_once(self) -> None:
        api = FakeApi(tokens("a1", "r1"), REJECTED)
        with self.assertRaises(ProblemError):
            client(api).change_own_password(current_password="wrong", new_password="new")
        self.assertEqual(api.calls, [SIGN_IN, "PUT /v1/auth/me/password"])

    def test_expired_token_of_a_password_change_is_replaced(self) -> None:
        api = FakeApi(tokens("a1", "r1"), UNAUTHORIZED, tokens("a2", "r2"), httpx.Response(204))
        client(api).change_own_password(current_password="old", new_password="new")
        self.assertEqual(len(api.calls), 4)

    def test_repeats_the_body_after_401(self) -> None:
        api = FakeApi(tokens("a1"), UNAUTHORIZED, tokens("a2"), user(status=201))
        client(api).create_user(username="mia")
        self.assertEqual(api.body(1), api.body(3))
        keys = [api.requests[index].headers["Idempotency-Key"] for index in (1, 3)]
        self.assertEqual(keys[0], keys[1])

    def test_wrong_password_is_the_error_of_the_sign_in(self) -> None:
        api = FakeApi(REJECTED)
        with self.assertRaises(ProblemError) as raised:
            client(api).get_user("mia")
        self.assertEqual((raised.exception.code, api.calls), ("invalid-credentials", [SIGN_IN]))

    def test_challenge_is_an_error_with_the_challenge(self) -> None:
        api = FakeApi(challenge())
        with self.assertRaises(ChallengeRequired) as raised:
            client(api).get_user("mia")
        self.assertEqual(raised.exception.challenge.session, "secret-session")
        self.assertEqual(str(raised.exception), "the sign-in requires the challenge EMAIL_OTP")

    def test_throttled_sign_in_is_retried(self) -> None:
        api = FakeApi(problem(429, "throttled", {"Retry-After": "2"}), tokens("a1"), user())
        client(api).get_user("mia")
        self.assertEqual((api.calls, api.delays), ([SIGN_IN, SIGN_IN, GET_USER], [2]))

    def test_token_requests_have_a_timeout(self) -> None:
        api = FakeApi(tokens("a1"), user())
        client(api).get_user("mia")
        self.assertEqual(api.requests[0].extensions["timeout"], api.requests[1].extensions["timeout"])

    def test_public_operations_send_no_token(self) -> None:
        api = FakeApi(httpx.Response(204))
        client(api).confirm_sign_up(username="mia", code="1")
        self.assertEqual((api.calls, api.tokens), (["POST /v1/auth/confirm-sign-up"], [None]))

    def test_threads_share_one_sign_in(self) -> None:
        count = 8
        lock = CountingLock(count)
        handled: list[str] = []

        def handle(request: httpx.Request) -> httpx.Response:
            handled.append(request.url.path)
            if request.url.path.endswith("/sign-in"):
                lock.all_entered.wait(5)
                return tokens(f"a{len(handled)}")
            return user()

        source = SignIn("mia", "password")
        caller = client(FakeApi(handle), source)
        with patch.object(source, "_lock", lock):
            threads = [threading.Thread(target=caller.get_user, args=["mia"]) for _ in range(count)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual((len(handled), handled.count("/stage/v1/auth/sign-in")), (count + 1, 1))

    def test_threads_share_a_failed_sign_in(self) -> None:
        for failure in (REJECTED, httpx.ReadTimeout("timeout")):
            count = 10
            lock = CountingLock(count)
            errors: list[Exception] = []

            def handle(
                _: httpx.Request, lock: CountingLock = lock, failure: httpx.Response | Exception = failure
            ) -> httpx.Response:
                lock.all_entered.wait(5)
                if isinstance(failure, Exception):
                    raise failure
                return failure

            source = SignIn("mia", "password")
            api = FakeApi(handle)
            caller = client(api, source)

            def get_user(caller: Client = caller, errors: list[Exception] = errors) -> None:
                try:
                    caller.get_user("mia")
                except (ProblemError, httpx.ReadTimeout) as error:
                    errors.append(error)

            with patch.object(source, "_lock", lock):
                threads = [threading.Thread(target=get_user) for _ in range(count)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
            self.assertEqual((api.calls, len(errors)), ([SIGN_IN], count))
            api.responses = [tokens("a1"), user()]
            caller.get_user("mia")
            self.assertEqual(api.calls, [SIGN_IN, SIGN_IN, GET_USER])


class OtherSources(unittest.TestCase):
    def test_string_is_sent_and_not_repeated(self) -> None:
        api = FakeApi(UNAUTHORIZED)
        with self.assertRaises(GatewayError):
            client(api, "token").get_user("mia")
        self.assertEqual(api.tokens, ["Bearer token"])

    def test_calls_function_once_more_after_401(self) -> None:
        issued = iter(["t1", "t2", "t3"])
        api = FakeApi(UNAUTHORIZED)
        with self.assertRaises(GatewayError):
            client(api, lambda: next(issued)).get_user("mia")
        self.assertEqual(api.tokens, ["Bearer t1", "Bearer t2"])

    def test_same_token_is_not_sent_again(self) -> None:
        api = FakeApi(UNAUTHORIZED)
        with self.assertRaises(GatewayError):
            client(api, lambda: "t1").get_user("mia")
        self.assertEqual(api.tokens, ["Bearer t1"])

    def test_invalid_token_is_not_in_the_error(self) -> None:
        for token in ("secret\n", "secret token", "sécret", ""):
            with self.assertRaises(ValueError) as raised:
                client(FakeApi(user()), lambda token=token: token).get_user("mia")  # type: ignore[misc]
            self.assertEqual(
                str(raised.exception), "an access token must be visible ASCII characters without whitespace"
            )

    def test_coroutine_function_requires_the_asynchronous_client(self) -> None:
        async def source() -> str:
            return "token"

        token = source()
        with self.assertRaises(TypeError):
            client(FakeApi(user()), lambda: token).get_user("mia")  # type: ignore[arg-type, return-value]
        token.close()

    def test_no_source_sends_no_token(self) -> None:
        api = FakeApi(UNAUTHORIZED)
        with self.assertRaises(GatewayError):
            Client(URL, transport=api.transport).get_user("mia")
        self.assertEqual(api.tokens, [None])


class Asynchronous(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.clock = Clock(self)

    async def test_signs_in_refreshes_and_signs_in_again(self) -> None:
        api = FakeApi(
            tokens("a1", "r1"), user(), tokens("a2", "r2"), user(), REJECTED, tokens("a3", "r3"), UNAUTHORIZED,
            tokens("a4", "r4"), user(),
        )  # fmt: skip
        caller = async_client(api)
        for self.clock.now in (0, 4000, 8000):
            await caller.get_user("mia")
        self.assertEqual(
            api.calls, [SIGN_IN, GET_USER, REFRESH, GET_USER, REFRESH, SIGN_IN, GET_USER, SIGN_IN, GET_USER]
        )
        self.assertEqual(api.tokens[1::2], ["Bearer a1", "Bearer a2", None, None])
        self.assertEqual((api.body(4)["refresh_token"], api.tokens[8]), ("r2", "Bearer a4"))

    async def test_challenge_is_an_error(self) -> None:
        with self.assertRaises(ChallengeRequired):
            await async_client(FakeApi(challenge())).get_user("mia")

    async def test_tasks_share_one_sign_in(self) -> None:
        calls: list[str] = []

        async def handle(request: httpx.Request) -> httpx.Response:
            calls.append(request.url.path)
            # Lets all other tasks continue.
            for _ in range(20):
                await asyncio.sleep(0)
            return tokens(f"a{len(calls)}") if request.url.path.endswith("/sign-in") else user()

        caller = AsyncClient(URL, SignIn("mia", "password"), transport=httpx.MockTransport(handle))
        await asyncio.gather(*(caller.get_user("mia") for _ in range(8)))
        self.assertEqual((len(calls), calls.count("/stage/v1/auth/sign-in")), (9, 1))

    async def test_tasks_share_a_failed_sign_in(self) -> None:
        for failure in (REJECTED, httpx.ReadTimeout("timeout")):
            api = FakeApi(failure, tokens("a1"), user())

            async def handle(request: httpx.Request, api: FakeApi = api) -> httpx.Response:
                for _ in range(40):
                    await asyncio.sleep(0)
                return await api.transport.handle_async_request(request)

            caller = AsyncClient(URL, SignIn("mia", "password"), transport=httpx.MockTransport(handle))
            errors = await asyncio.gather(*(caller.get_user("mia") for _ in range(10)), return_exceptions=True)
            self.assertEqual((api.calls, len(set(map(id, errors)))), ([SIGN_IN], 1))
            self.assertIsInstance(errors[0], (ProblemError, httpx.ReadTimeout))
            await caller.get_user("mia")
            self.assertEqual(api.calls, [SIGN_IN, SIGN_IN, GET_USER])

    async def test_sends_no_tokens_to_another_url(self) -> None:
        source = SignIn("mia", "password")
        await async_client(FakeApi(tokens("a1"), user()), source).get_user("mia")
        api = FakeApi(user())
        with self.assertRaisesRegex(ValueError, "this SignIn belongs to another URL"):
            await AsyncClient("https://other.example.com", source, transport=api.transport).get_user("mia")
        self.assertEqual(api.calls, [])

    async def test_tasks_share_one_sign_in_after_401(self) -> None:
        calls: list[str] = []

        async def handle(request: httpx.Request) -> httpx.Response:
            calls.append(request.url.path)
            for _ in range(20):
                await asyncio.sleep(0)
            if request.url.path.endswith("/sign-in"):
                return tokens("old" if calls.count(request.url.path) == 1 else "new")
            return user() if request.headers["Authorization"] == "Bearer new" else UNAUTHORIZED

        caller = AsyncClient(URL, SignIn("mia", "password"), transport=httpx.MockTransport(handle))
        await asyncio.gather(*(caller.get_user("mia") for _ in range(8)))
        self.assertEqual((len(calls), calls.count("/stage/v1/auth/sign-in")), (18, 2))

    async def test_cancelled_sign_in_blocks_no_other_task(self) -> None:
        started = asyncio.Event()

        async def handle(request: httpx.Request) -> httpx.Response:
            if not started.is_set():
                started.set()
                await asyncio.Event().wait()
            return tokens("a1") if request.url.path.endswith("/sign-in") else user()

        caller = AsyncClient(URL, SignIn("mia", "password"), transport=httpx.MockTransport(handle))
        first = asyncio.create_task(caller.get_user("mia"))
        await started.wait()
        first.cancel()
        self.assertEqual((await caller.get_user("mia")).username, "mia")

    async def test_calls_coroutine_function_once_more_after_401(self) -> None:
        issued = iter(["t1", "t2", "t3"])

        async def source() -> str:
            return next(issued)

        api = FakeApi(UNAUTHORIZED)
        with self.assertRaises(GatewayError):
            await AsyncClient(URL, source, transport=api.transport).get_user("mia")
        self.assertEqual(api.tokens, ["Bearer t1", "Bearer t2"])


if __name__ == "__main__":
    unittest.main()
