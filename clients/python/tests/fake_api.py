"""A transport without a network that returns prepared responses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

URL = "https://api.example.com/stage"

Handler = Callable[[httpx.Request], httpx.Response]

USER = {
    "username": "mia",
    "sub": "8a3c1f0e-5b6d-4e7f-8091-a2b3c4d5e6f7",
    "status": "CONFIRMED",
    "enabled": True,
    "life_cycle": {"state": "active", "can_sign_in": True, "temporary_password_expires_at": None, "next_actions": []},
    "attributes": {},
    "created_at": "2026-01-07T09:30:00.1Z",
    "modified_at": "2026-01-08T14:05:31Z",
}

CHALLENGE: dict[str, object] = {
    "name": "EMAIL_OTP",
    "session": "secret-session",
    "username": "mia",
    "missing_attributes": [],
    "factors": [],
    "code_sent_to": None,
    "authenticator_secret": None,
}


class FakeApi:
    """Returns the responses in order, and records the requests. The last response is repeated."""

    def __init__(self, *responses: httpx.Response | Exception | Handler) -> None:
        self.responses = list(responses)
        self.requests: list[httpx.Request] = []
        self.tokens: list[str | None] = []
        self.delays: list[float] = []
        self.transport = httpx.MockTransport(self._handle)

    def sleep(self, seconds: float) -> None:
        self.delays.append(seconds)

    async def sleep_async(self, seconds: float) -> None:
        self.delays.append(seconds)

    @property
    def calls(self) -> list[str]:
        return [f"{request.method} {request.url.path.removeprefix('/stage')}" for request in self.requests]

    def body(self, index: int) -> Any:
        return json.loads(self.requests[index].content)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        # The header is changed before the request is repeated.
        self.tokens.append(request.headers.get("Authorization"))
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        if isinstance(response, Exception):
            raise response
        if isinstance(response, httpx.Response):
            # A copy, because a response can be read once.
            return httpx.Response(response.status_code, headers=response.headers, content=response.content)
        return response(request)


def problem(status: int, code: str, headers: dict[str, str] | None = None, **fields: object) -> httpx.Response:
    body = {
        "type": f"urn:poolkeeper:problem:{code}",
        "title": "A title.",
        "status": status,
        "code": code,
        "detail": "A detail.",
        "request_id": "JKJaXmPLvHcESHA=",
        **fields,
    }
    content = json.dumps(body)
    return httpx.Response(
        status, headers={"Content-Type": "application/problem+json", **(headers or {})}, content=content
    )


def gateway(status: int, message: str, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"message": message})


def user(username: str = "mia", status: int = 200) -> httpx.Response:
    return httpx.Response(status, json={**USER, "username": username})


def users(*usernames: str, next_cursor: str | None) -> httpx.Response:
    page = [{**USER, "username": username} for username in usernames]
    return httpx.Response(200, json={"users": page, "next_cursor": next_cursor, "ended_early": False})


def tokens(access: str, refresh: str | None = None, expires_in_seconds: int = 3600) -> httpx.Response:
    body: dict[str, object] = {
        "access_token": access,
        "id_token": "secret-id",
        "expires_in_seconds": expires_in_seconds,
        "token_type": "Bearer",
        "username": "mia",
    }
    if refresh is not None:
        body["refresh_token"] = refresh
    return httpx.Response(200, json={"tokens": body})


def challenge() -> httpx.Response:
    return httpx.Response(200, json={"challenge": CHALLENGE})
