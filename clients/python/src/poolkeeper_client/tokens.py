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

    Requests of several threads or tasks share one sign-in or refresh, also if it fails. If the API rejects the refresh
    token, the user is signed in again. A `SignIn` belongs to the first API URL that it is used with.
    """

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._url: httpx.URL | None = None
        self._session: _Session | None = None
        # The number of sign-ins and refreshes that have ended, and the error of the last one.
        self._ended = 0
        self._failure: Exception | None = None
        self._lock = threading.Lock()
        self._async_lock = asyncio.Lock()

    def __repr__(self) -> str:
        return f"SignIn({self._username!r})"

    def _requests(
        self, url: httpx.URL, post: Post, rejected: str | None, ended: int
    ) -> Generator[httpx.Request, httpx.Response, str]:
        """Yields the requests that lead to an access token, and returns the token.

        `rejected` is the token of a response with status 401. The user is signed in again instead of a refresh,
        because the session can be revoked. `ended` is the value of `_ended` before the caller waited for the lock.

        Raises:
            ValueError: Another URL uses the source.
        """
        if self._url is None:
            self._url = url
        elif self._url != url:
            raise ValueError("this SignIn belongs to another URL")
        if self._failure is not None and self._ended != ended:
            raise self._failure
        session = None if self._session is None or self._session.access_token == rejected else self._session
        if session is not None and monotonic() < session.refresh_at:
            return session.access_token
        try:
            self._session = yield from self._renew(post, session)
        # A cancellation is not an `Exception`, so other tasks do not receive it.
        except Exception as error:
            self._failure = error
            self._ended += 1
            raise
        self._failure = None
        self._ended += 1
        return self._session.access_token

    def _renew(self, post: Post, session: _Session | None) -> Generator[httpx.Request, httpx.Response, _Session]:
        if session is not None and session.refresh_token is not None:
            body = {"username": session.username, "refresh_token": session.refresh_token}
            response = yield post("/v1/auth/refresh", body)
            if not _rejects_refresh_token(response):
                return _Session.of(decode_response(response, Refreshed.from_dict).tokens, session.refresh_token)
        body = {"username": self._username, "password": self._password}
        response = yield post("/v1/auth/sign-in", body)
        outcome = decode_response(response, one_of(SignInTokens.from_dict, SignInChallenge.from_dict))
        if isinstance(outcome, SignInChallenge):
            raise ChallengeRequired(outcome.challenge)
        return _Session.of(outcome.tokens, None)


TokenSource: TypeAlias = str | Callable[[], str] | SignIn
"""An access token, a function that returns one, or `SignIn`."""

AsyncTokenSource: TypeAlias = TokenSource | Callable[[], Awaitable[str]]
"""A `TokenSource`, or a coroutine function that returns an access token."""


class TokenAuth(httpx.Auth):
    """Adds the access token of a source. After a 401, requests a fresh token once, and repeats the request.

    The transport must read the responses.
    """

    def __init__(self, http: httpx.Client, source: TokenSource) -> None:
        self._http = http
        self._source = source

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        rejected: str | None = None
        for _ in range(2):
            token = self._token(request, rejected)
            if token == rejected:
                return
            request.headers["Authorization"] = _authorization(token)
            response = yield request
            if not _rejects_token(request, response):
                return
            rejected = token

    def _token(self, request: httpx.Request, rejected: str | None) -> str:
        if isinstance(self._source, SignIn):
            return self._sign_in(self._source, request, rejected)
        token = self._source if isinstance(self._source, str) else self._source()
        if not isinstance(token, str):
            raise TypeError("the function must return a text; use AsyncClient for coroutine functions")
        return token

    def _sign_in(self, source: SignIn, request: httpx.Request, rejected: str | None) -> str:
        ended = source._ended
        with source._lock:
            base = self._http.base_url
            requests = source._requests(base, _post_like(request, base), rejected, ended)
            try:
                step = next(requests)
                while True:
                    try:
                        response = self._http.send(step, auth=None)
                    except httpx.HTTPError as error:
                        step = requests.throw(error)
                    else:
                        step = requests.send(response)
            except StopIteration as stop:
                token: str = stop.value
                return token


class AsyncTokenAuth(httpx.Auth):
    """The asynchronous `TokenAuth`."""

    def __init__(self, http: httpx.AsyncClient, source: AsyncTokenSource) -> None:
        self._http = http
        self._source = source

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        rejected: str | None = None
        for _ in range(2):
            token = await self._token(request, rejected)
            if token == rejected:
                return
            request.headers["Authorization"] = _authorization(token)
            response = yield request
            if not _rejects_token(request, response):
                return
            rejected = token

    async def _token(self, request: httpx.Request, rejected: str | None) -> str:
        if isinstance(self._source, SignIn):
            return await self._sign_in(self._source, request, rejected)
        if isinstance(self._source, str):
            return self._source
        result = self._source()
        return await result if isawaitable(result) else result

    async def _sign_in(self, source: SignIn, request: httpx.Request, rejected: str | None) -> str:
        ended = source._ended
        async with source._async_lock:
            base = self._http.base_url
            requests = source._requests(base, _post_like(request, base), rejected, ended)
            try:
                step = next(requests)
                while True:
                    try:
                        response = await self._http.send(step, auth=None)
                    except httpx.HTTPError as error:
                        step = requests.throw(error)
                    else:
                        step = requests.send(response)
            except StopIteration as stop:
                token: str = stop.value
                return token


def _post_like(request: httpx.Request, base: httpx.URL) -> Post:
    """Makes requests with the timeouts of another request."""

    def post(path: str, body: dict[str, str]) -> httpx.Request:
        url = base.copy_with(path=base.path.rstrip("/") + path)
        return httpx.Request("POST", url, json=body, extensions=request.extensions)

    return post


def _rejects_refresh_token(response: httpx.Response) -> bool:
    """Whether the API itself rejects the refresh token. After other errors, the token may still be valid."""
    if response.is_success or response.status_code == 429 or response.status_code >= 500:
        return False
    return isinstance(error_of(response), ProblemError)


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
