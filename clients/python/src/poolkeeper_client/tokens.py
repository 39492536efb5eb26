"""Sources of access tokens."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from inspect import isawaitable
from time import monotonic
from typing import TypeAlias

import httpx
from attrs import define, field

from ._encoding import one_of
from .errors import ChallengeRequired, ProblemError, decode_response, error_of
from .generated.models import Refreshed, SignInChallenge, SignInTokens, Tokens

# The seconds before the end of an access token at which it is refreshed; at most half of its validity.
MARGIN = 60.0


@define
class _Session:
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    username: str
    refresh_at: float

    @classmethod
    def of(cls, tokens: Tokens, refresh_token: str | None) -> _Session:
        validity = tokens.expires_in_seconds
        refresh_at = monotonic() + validity - min(MARGIN, validity / 2)
        return cls(tokens.access_token, tokens.refresh_token or refresh_token, tokens.username, refresh_at)


# Makes a request from a path and a body.
Post = Callable[[str, dict[str, str]], httpx.Request]


class SignIn:
    """Signs a user in at the first request, and refreshes the tokens before they expire.

    Requests of several threads or tasks share one sign-in or refresh. If the refresh token is rejected, the user is
    signed in again.
    """

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._session: _Session | None = None
        self._lock = threading.Lock()
        self._async_lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"SignIn({self._username!r})"

    def _requests(self, post: Post, rejected: str | None) -> Generator[httpx.Request, httpx.Response, str]:
        """Yields the requests that lead to an access token, and returns the token.

        `rejected` is the token of a response with status 401. The user is signed in again instead of a refresh,
        because the session can be revoked.
        """
        session = self._session
        if session is not None and session.access_token != rejected:
            if monotonic() < session.refresh_at:
                return session.access_token
            if session.refresh_token is not None:
                body = {"username": session.username, "refresh_token": session.refresh_token}
                response = yield post("/v1/auth/refresh", body)
                if response.is_success or response.status_code == 429 or response.status_code >= 500:
                    tokens = decode_response(response, Refreshed.from_dict).tokens
                    self._session = _Session.of(tokens, session.refresh_token)
                    return tokens.access_token
        body = {"username": self._username, "password": self._password}
        response = yield post("/v1/auth/sign-in", body)
        outcome = decode_response(response, one_of(SignInTokens.from_dict, SignInChallenge.from_dict))
        if isinstance(outcome, SignInChallenge):
            raise ChallengeRequired(outcome.challenge)
        self._session = _Session.of(outcome.tokens, None)
        return outcome.tokens.access_token


TokenSource: TypeAlias = str | Callable[[], str] | SignIn
"""An access token, a function that returns one, or `SignIn`."""

AsyncTokenSource: TypeAlias = TokenSource | Callable[[], Awaitable[str]]
"""A `TokenSource`, or a coroutine function that returns an access token."""


class TokenAuth(httpx.Auth):
    """Adds the access token of a source. After a 401, asks the source once for a fresh token, and repeats the request.

    The transport must read the responses.
    """

    def __init__(self, base: httpx.URL, source: AsyncTokenSource) -> None:
        self._base = base
        self._source = source

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        rejected: str | None = None
        for _ in range(2):
            if isinstance(self._source, SignIn):
                with self._source._lock:
                    token = yield from self._source._requests(self._post_like(request), rejected)
            else:
                result = self._source if isinstance(self._source, str) else self._source()
                if not isinstance(result, str):
                    raise TypeError("the function must return a text; use AsyncClient for coroutine functions")
                token = result
            if token == rejected:
                return
            request.headers["Authorization"] = _authorization(token)
            response = yield request
            if not _rejects_token(request, response):
                return
            rejected = token

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        rejected: str | None = None
        for _ in range(2):
            if isinstance(self._source, SignIn):
                async with self._source._async_lock:
                    # An asynchronous generator cannot use `yield from`.
                    requests = self._source._requests(self._post_like(request), rejected)
                    try:
                        step = next(requests)
                        while True:
                            response = yield step
                            step = requests.send(response)
                    except StopIteration as stop:
                        token = stop.value
            elif isinstance(self._source, str):
                token = self._source
            else:
                result = self._source()
                token = await result if isawaitable(result) else result
            if token == rejected:
                return
            request.headers["Authorization"] = _authorization(token)
            response = yield request
            if not _rejects_token(request, response):
                return
            rejected = token

    def _post_like(self, request: httpx.Request) -> Post:
        """Makes requests with the timeouts of another request."""

        def post(path: str, body: dict[str, str]) -> httpx.Request:
            url = self._base.copy_with(path=self._base.path.rstrip("/") + path)
            return httpx.Request("POST", url, json=body, extensions=request.extensions)

        return post


def _rejects_token(request: httpx.Request, response: httpx.Response) -> bool:
    """Whether the request is repeated with a fresh token. Repeated wrong passwords would lock the user out."""
    if response.status_code != 401:
        return False
    error = error_of(response)
    is_ambiguous = isinstance(error, ProblemError) and error.code == "invalid-credentials"
    return not (is_ambiguous and b'"current_password":' in request.content)


def _authorization(token: str) -> str:
    # The HTTP library's error about an invalid header would contain the token.
    if re.fullmatch(r"[!-~]+", token) is None:
        raise ValueError("an access token must be visible ASCII characters without whitespace")
    return f"Bearer {token}"
