"""A back end that signs its users up and in, protects a route, and creates accounts for staff."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
from attrs import asdict
from fastapi import Depends, FastAPI, Header, Response
from fastapi.exceptions import RequestValidationError
from poolkeeper_client import Client, PoolkeeperError, SignIn, models
from pydantic import BaseModel

from authentication import CurrentUser, require_group
from errors import Refusal, admin_errors, answer_with_error
from settings import ADMIN_PASSWORD, ADMIN_USERNAME, API

# The routes under /v1/auth need no token of an administrator. Threads share the clients.
auth = Client(API)
admin = Client(API, SignIn(ADMIN_USERNAME, ADMIN_PASSWORD))


def no_store(response: Response) -> None:
    """Responses contain tokens."""
    response.headers["Cache-Control"] = "no-store"


app = FastAPI(title="Poolkeeper example", dependencies=[Depends(no_store)])
for error in (Refusal, PoolkeeperError, RequestValidationError, httpx.HTTPError):
    app.add_exception_handler(error, answer_with_error)

# What Cognito's threat protection evaluates about the user's device.
DeviceData = Annotated[str | None, Header(alias="X-Device-Data")]


def body_of(result: Any) -> dict:
    """The body of a response of the API, without absent fields."""
    return asdict(result, filter=lambda _, value: value is not None)


class SignUp(BaseModel):
    username: str
    password: str
    email: str


class Confirmation(BaseModel):
    username: str
    code: str


class Credentials(BaseModel):
    username: str
    password: str


class NewPassword(BaseModel):
    username: str
    session: str
    new_password: str


class Refresh(BaseModel):
    username: str
    refresh_token: str


class SignOut(BaseModel):
    refresh_token: str | None = None


class NewMember(BaseModel):
    username: str
    email: str


@app.post("/sign-up", status_code=201)
def sign_up(body: SignUp, device: DeviceData = None) -> dict:
    attributes = {"email": body.email}
    result = auth.sign_up(username=body.username, password=body.password, attributes=attributes, x_device_data=device)
    return {"confirmed": result.confirmed}


@app.post("/confirm", status_code=204)
def confirm(body: Confirmation, device: DeviceData = None) -> None:
    auth.confirm_sign_up(username=body.username, code=body.code, x_device_data=device)


@app.post("/sign-in")
def sign_in(body: Credentials, device: DeviceData = None) -> dict:
    """The response contains either `tokens` or a `challenge`."""
    return body_of(auth.sign_in(username=body.username, password=body.password, x_device_data=device))


@app.post("/new-password")
def new_password(body: NewPassword, device: DeviceData = None) -> dict:
    """Answers the challenge of users who sign in with a temporary password."""
    answer = models.NewPasswordAnswer(username=body.username, session=body.session, new_password=body.new_password)
    return body_of(auth.answer_challenge(answer, x_device_data=device))


@app.post("/refresh")
def refresh(body: Refresh, device: DeviceData = None) -> dict:
    return body_of(auth.refresh(username=body.username, refresh_token=body.refresh_token, x_device_data=device))


@app.post("/sign-out", status_code=204)
def sign_out(user: CurrentUser, body: SignOut | None = None) -> None:
    """Ends the session of the refresh token, or without a refresh token all sessions of the user."""
    if body is None or body.refresh_token is None:
        auth.sign_out(models.SignOutByAccessToken(access_token=user.token))
    else:
        auth.sign_out(models.SignOutByRefreshToken(refresh_token=body.refresh_token, access_token=user.token))


@app.get("/profile")
def profile(user: CurrentUser) -> dict:
    return {"sub": user.sub, "username": user.username, "groups": user.groups}


@app.post("/staff", status_code=201, dependencies=[Depends(require_group("admins"))])
def add_member(body: NewMember) -> dict:
    """Cognito mails a temporary password to the new member of staff."""
    with admin_errors():
        user = admin.create_user(username=body.username, attributes={"email": body.email})
    return {"username": user.username, "status": user.status}
