"""Calls every operation of a deployment on the emulator, and checks the results.

The environment variables POOLKEEPER_URL, POOLKEEPER_ADMIN and POOLKEEPER_PASSWORD contain the API's URL and the
credentials of an administrator. The script fails if a user or group with the prefix `py-` exists. It ends all sessions
of the user pool.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from functools import partial

from poolkeeper_client import (
    AsyncClient,
    ChallengeRequired,
    Client,
    GatewayError,
    ProblemError,
    SignIn,
    TokenSource,
    models,
)

URL = os.environ["POOLKEEPER_URL"]
ADMIN = os.environ["POOLKEEPER_ADMIN"]
ADMIN_PASSWORD = os.environ["POOLKEEPER_PASSWORD"]

USER = "py-mia"
GROUP = "py-support"
UNKNOWN = "py-unknown"
PASSWORD = "Correct-Horse-1"
OTHER_PASSWORD = "Correct-Horse-2"
WRONG_PASSWORD = "Wrong-Horse-1!"
JOB = "import-50d858e0985ecc7f60418aaf0cc5ab58"
DEVICE = "us-east-1_11111111-1111-4111-8111-111111111111"

# The fixed codes of the emulator.
SIGN_UP_CODE = "123456"
RESET_CODE = "654321"


clients = ExitStack()


def connect(source: TokenSource | None = None) -> Client:
    return clients.enter_context(Client(URL, source))


def expect_problem(status: int, code: models.ErrorCode, call: Callable[[], object]) -> ProblemError:
    try:
        result = call()
    except ProblemError as error:
        assert (error.status, error.code) == (status, code), error
        assert error.request_id and error.problem.type_ == f"urn:poolkeeper:problem:{code}", error
        return error
    raise AssertionError(f"expected {code}, got {result!r}")


def expect_unsupported(call: Callable[[], object]) -> None:
    """The emulator lacks the operation."""
    expect_problem(501, "not-supported-by-endpoint", call)


def sign_in(client: Client, username: str, password: str) -> models.Tokens:
    outcome = client.sign_in(username=username, password=password)
    assert isinstance(outcome, models.SignInTokens), outcome
    assert outcome.tokens.username == username, outcome
    return outcome.tokens


def main() -> None:
    with clients:
        admin, public = connect(SignIn(ADMIN, ADMIN_PASSWORD)), connect()
        refusals_without_a_token(public)
        pool(admin)
        groups(admin)
        users(admin)
        states(admin, public)
        invitations(admin)
        jobs(admin)
        sign_up(public)
        own_account(admin, public)
        second_factor(admin, public)
        asyncio.run(asynchronous())
        deletions(admin)
        end_of_all_sessions(admin)


def refusals_without_a_token(public: Client) -> None:
    for client in (public, connect("not-a-token"), connect(lambda: "not-a-token")):
        try:
            client.list_users()
        except GatewayError as error:
            assert (error.status, error.message) == (401, "Unauthorized"), error
        else:
            raise AssertionError("expected a refusal")
    wrong = connect(SignIn(ADMIN, WRONG_PASSWORD))
    expect_problem(401, "invalid-credentials", wrong.list_users)
    expect_problem(401, "invalid-credentials", lambda: public.sign_in(username=UNKNOWN, password=PASSWORD))


def pool(admin: Client) -> None:
    caller = admin.get_caller()
    assert isinstance(caller, models.UserCaller), caller
    assert (caller.kind, caller.username, "users:create" in caller.permissions) == ("user", ADMIN, True), caller
    settings = admin.get_pool()
    assert settings.password_policy.minimum_length >= 6, settings
    assert any(attribute.name == "email" for attribute in settings.attributes), settings
    assert settings.created_at is None or settings.created_at.tzinfo is not None, settings


def groups(admin: Client) -> None:
    group = admin.create_group(name=GROUP, description="Helps", precedence=3)
    assert (group.name, group.description, group.precedence, group.role_arn) == (GROUP, "Helps", 3, None), group
    assert abs(datetime.now(timezone.utc) - group.created_at) < timedelta(minutes=5), group
    expect_problem(409, "group-exists", lambda: admin.create_group(name=GROUP))
    assert admin.get_group(GROUP).description == "Helps"
    expect_problem(404, "group-not-found", lambda: admin.get_group(UNKNOWN))
    assert len(admin.list_groups(limit=1).groups) == 1
    assert GROUP in [group.name for group in admin.iter_groups(limit=1)]
    expect_unsupported(lambda: admin.update_group(GROUP, description="Answers questions"))
    error = expect_problem(400, "invalid-request", lambda: admin.update_group(GROUP))
    assert error.detail, error


def users(admin: Client) -> None:
    def create(key: str | None = None) -> models.User:
        return admin.create_user(
            username=USER,
            attributes={"email": "py-mia@example.com", "email_verified": "true", "name": "Mia O'Neil"},
            password=PASSWORD,
            permanent=True,
            idempotency_key=key,
        )

    user = create("py-1")
    assert (user.username, user.status, user.enabled, user.life_cycle.state) == (USER, "CONFIRMED", True, "active")
    assert user.life_cycle.can_sign_in and user.life_cycle.next_actions == [], user
    assert create("py-1").sub == user.sub, "the same key completes the creation"
    error = expect_problem(409, "user-exists", create)
    assert "creation" in error.differing, error
    assert expect_problem(400, "invalid-request", lambda: admin.create_user(username="a b")).field == "username"

    assert admin.get_user(USER).attributes["name"] == "Mia O'Neil"
    assert admin.get_user(USER).groups is None
    expect_problem(404, "user-not-found", lambda: admin.get_user(UNKNOWN))
    admin.update_user(USER, attributes={"name": "Mia"})
    assert admin.get_user(USER).attributes["name"] == "Mia"
    expect_unsupported(lambda: admin.update_user(USER, attributes={"nickname": None}))

    admin.add_user_to_group(USER, GROUP)
    expect_problem(404, "group-not-found", lambda: admin.add_user_to_group(USER, UNKNOWN))
    assert admin.list_user_groups(USER).groups == [GROUP]
    assert admin.get_user(USER, include="groups").groups == [GROUP]
    assert [user.username for user in admin.list_group_users(GROUP).users] == [USER]
    assert [user.username for user in admin.iter_group_users(GROUP, limit=1)] == [USER]
    admin.remove_user_from_group(USER, GROUP)
    assert admin.list_user_groups(USER).groups == []

    page = admin.list_users(email_prefix="py-mia@", status="CONFIRMED", enabled=True)
    assert ([user.username for user in page.users], page.next_cursor) == ([USER], None), page
    found = admin.list_users(username=USER, created_after=datetime.now(timezone.utc) - timedelta(hours=1))
    assert [user.username for user in found.users] == [USER], found
    assert admin.list_users(limit=1).next_cursor is not None
    assert {USER, ADMIN} <= {user.username for user in admin.iter_users(limit=1)}
    assert expect_problem(400, "invalid-request", lambda: admin.list_users(limit=61)).field == "limit"

    identity = admin.link_user_identity(USER, "Google", user_id="113489712349817234987")
    assert (identity.username, identity.provider, identity.changed) == (USER, "Google", True), identity
    admin.unlink_user_identity(USER, "Google")
    expect_unsupported(lambda: admin.list_user_devices(USER))
    expect_unsupported(lambda: list(admin.iter_user_devices(USER)))
    expect_unsupported(lambda: admin.forget_user_device(USER, DEVICE))
    expect_problem(409, "wrong-state", lambda: admin.list_user_auth_events(USER, limit=1))
    expect_problem(409, "wrong-state", lambda: list(admin.iter_user_auth_events(USER)))


def states(admin: Client, public: Client) -> None:
    assert [admin.disable_user(USER).changed for _ in range(2)] == [True, False]
    assert admin.get_user(USER).life_cycle.state == "disabled"
    expect_problem(401, "invalid-credentials", lambda: sign_in(public, USER, PASSWORD))
    assert [admin.enable_user(USER).changed for _ in range(2)] == [True, False]
    # The emulator also confirms confirmed users.
    confirmed = admin.confirm_user(USER)
    assert (confirmed.username, confirmed.changed) == (USER, True), confirmed

    admin.set_user_password(USER, password=OTHER_PASSWORD, permanent=True)
    sign_in(public, USER, OTHER_PASSWORD)
    expect_problem(422, "invalid-password", lambda: admin.set_user_password(USER, password="weak", permanent=True))
    revoked = admin.sign_out_user(USER).revoked
    assert "refresh_token" in [credential.token for credential in revoked], revoked

    reset = admin.reset_user_password(USER)
    assert (reset.username, reset.status) == (USER, "RESET_REQUIRED"), reset
    assert admin.get_user(USER).life_cycle.state == "reset-required"
    public.reset_password(username=USER, code=RESET_CODE, new_password=PASSWORD)
    sign_in(public, USER, PASSWORD)
    sent = public.forgot_password(username=USER).code_sent_to
    assert sent is not None and sent.medium == "EMAIL", sent
    expect_problem(
        422, "code-mismatch", lambda: public.reset_password(username=USER, code="000000", new_password=PASSWORD)
    )

    # An invited user must set a password at the first sign-in.
    invited = admin.create_user(
        username="py-ida", attributes={"email": "py-ida@example.com"}, welcome_message="suppress"
    )
    assert (invited.status, invited.life_cycle.state) == ("FORCE_CHANGE_PASSWORD", "invited"), invited
    assert admin.resend_user_invitation("py-ida").username == "py-ida"
    expect_problem(404, "user-not-found", lambda: admin.resend_user_invitation(UNKNOWN))
    admin.set_user_password("py-ida", password=PASSWORD)
    try:
        connect(SignIn("py-ida", PASSWORD)).get_myself()
    except ChallengeRequired as required:
        challenge = required.challenge
    else:
        raise AssertionError("expected a challenge")
    assert (challenge.name, challenge.username) == ("NEW_PASSWORD_REQUIRED", "py-ida"), challenge
    assert challenge.session is not None
    outcome = public.answer_challenge(
        models.NewPasswordAnswer(username="py-ida", session=challenge.session, new_password=OTHER_PASSWORD)
    )
    assert isinstance(outcome, models.SignInTokens), outcome
    assert admin.get_user("py-ida").status == "CONFIRMED"


def invitations(admin: Client) -> None:
    invitation = admin.create_invitation(email="Py-New@example.com", valid_for_hours=24)
    assert invitation.email == "py-new@example.com", invitation
    assert invitation.expires_at - invitation.issued_at == timedelta(hours=24), invitation
    assert invitation.invitation not in repr(invitation)
    error = expect_problem(400, "invalid-request", lambda: admin.create_invitation(email="no address"))
    assert error.field == "email", error


def jobs(admin: Client) -> None:
    """The deployment has no jobs."""
    requests: list[Callable[[], object]] = [
        lambda: admin.create_job_upload(type_="import"),
        lambda: admin.start_job(models.StartImport(upload=JOB, format_="json-lines")),
        lambda: admin.list_jobs(limit=1),
        lambda: list(admin.iter_jobs()),
        lambda: admin.get_job(JOB),
        lambda: admin.list_job_results(JOB),
        lambda: list(admin.iter_job_results(JOB)),
        lambda: admin.stop_job(JOB),
    ]
    for request in requests:
        expect_problem(404, "not-found", request)


def sign_up(public: Client) -> None:
    def register(password: str) -> models.SignedUp:
        return public.sign_up(username="py-ann", password=password, attributes={"email": "py-ann@example.com"})

    expect_problem(422, "invalid-password", lambda: register("weak"))
    signed_up = register(PASSWORD)
    expect_problem(409, "user-exists", lambda: register(PASSWORD))
    sent = public.resend_code(username="py-ann").code_sent_to
    assert sent is not None and sent.medium == "EMAIL", sent

    def confirm() -> None:
        public.confirm_sign_up(username="py-ann", code=SIGN_UP_CODE)

    # The parameter `AutoConfirm` decides whether the trigger confirms users.
    if signed_up.confirmed:
        expect_problem(409, "wrong-state", confirm)
    else:
        confirm()
    tokens = sign_in(public, "py-ann", PASSWORD)
    ann = connect(tokens.access_token)
    assert ann.get_myself().username == "py-ann"
    expect_problem(403, "forbidden", ann.list_users)


def own_account(admin: Client, public: Client) -> None:
    tokens = sign_in(public, USER, PASSWORD)
    assert tokens.refresh_token is not None
    refreshed = public.refresh(username=USER, refresh_token=tokens.refresh_token).tokens
    assert refreshed.access_token != tokens.access_token
    expect_problem(401, "invalid-credentials", lambda: public.refresh(username="py-ann", refresh_token="wrong"))

    mia = connect(SignIn(USER, PASSWORD))
    myself = mia.get_myself()
    assert (myself.username, myself.attributes["name"], myself.factors) == (USER, "Mia", []), myself
    expect_unsupported(lambda: mia.send_attribute_code("email"))
    expect_unsupported(lambda: mia.verify_attribute("email", code="123456"))
    expect_problem(
        401,
        "invalid-credentials",
        lambda: mia.change_own_password(current_password=WRONG_PASSWORD, new_password=OTHER_PASSWORD),
    )
    mia.change_own_password(current_password=PASSWORD, new_password=OTHER_PASSWORD)
    # The change ended the session, and the source knows the old password.
    expect_problem(401, "invalid-credentials", mia.get_myself)

    tokens = sign_in(public, USER, OTHER_PASSWORD)
    assert tokens.refresh_token is not None
    signed_out = public.sign_out(
        models.SignOutByRefreshToken(refresh_token=tokens.refresh_token, access_token=tokens.access_token)
    )
    assert "refresh_token" in [credential.token for credential in signed_out.revoked], signed_out
    assert "aws_credentials" in [credential.token for credential in signed_out.still_valid], signed_out
    tokens = sign_in(public, USER, OTHER_PASSWORD)
    public.sign_out(models.SignOutByAccessToken(access_token=tokens.access_token))

    connect(SignIn("py-ann", PASSWORD)).delete_myself()
    expect_problem(404, "user-not-found", lambda: admin.get_user("py-ann"))


def second_factor(admin: Client, public: Client) -> None:
    mia = connect(SignIn(USER, OTHER_PASSWORD))
    app = mia.start_totp()
    assert app.uri.startswith("otpauth://totp/") and app.secret not in repr(app)
    expect_problem(422, "code-mismatch", lambda: mia.verify_totp(code=wrong_code(app.secret)))
    # Each code is accepted once, so the code of the earlier time step is used first.
    mia.verify_totp(code=totp(app.secret, -1), device_name="phone")
    mfa = admin.get_user_mfa(USER)
    assert (mfa.username, mfa.enabled, mfa.preferred) == (USER, ["SOFTWARE_TOKEN_MFA"], "SOFTWARE_TOKEN_MFA"), mfa

    outcome = public.sign_in(username=USER, password=OTHER_PASSWORD)
    assert isinstance(outcome, models.SignInChallenge), outcome
    challenge = outcome.challenge
    assert challenge.name == "SOFTWARE_TOKEN_MFA" and challenge.session is not None, challenge

    def answer(code: str) -> models.SignInTokens | models.SignInChallenge:
        assert challenge.session is not None
        return public.answer_challenge(
            models.CodeAnswer(
                challenge="SOFTWARE_TOKEN_MFA", username=challenge.username, session=challenge.session, code=code
            )
        )

    expect_problem(422, "code-mismatch", lambda: answer(wrong_code(app.secret)))
    signed_in = answer(totp(app.secret, 0))
    assert isinstance(signed_in, models.SignInTokens), signed_in
    mia = connect(signed_in.tokens.access_token)
    assert mia.get_myself().preferred_factor == "SOFTWARE_TOKEN_MFA"
    expect_problem(409, "wrong-state", mia.start_totp)
    mia.remove_totp()
    sign_in(public, USER, OTHER_PASSWORD)

    mfa = admin.set_user_mfa(USER, enabled=["SOFTWARE_TOKEN_MFA"])
    assert mfa.enabled == ["SOFTWARE_TOKEN_MFA"], mfa
    assert admin.set_user_mfa(USER, enabled=[]).enabled == []


async def asynchronous() -> None:
    """One request of each kind with the asynchronous client."""

    async def expect(status: int, code: models.ErrorCode, call: Awaitable[object]) -> None:
        try:
            result = await call
        except ProblemError as error:
            assert (error.status, error.code) == (status, code), error
        else:
            raise AssertionError(f"expected {code}, got {result!r}")

    async with AsyncClient(URL, SignIn(ADMIN, ADMIN_PASSWORD)) as admin, AsyncClient(URL) as public:
        callers = await asyncio.gather(*(admin.get_caller() for _ in range(4)))
        assert all(isinstance(caller, models.UserCaller) for caller in callers), callers
        created = await admin.create_user(username="py-kim", password=PASSWORD, permanent=True, groups=[GROUP])
        assert created.username == "py-kim", created
        await expect(409, "user-exists", admin.create_user(username="py-kim"))
        await expect(404, "user-not-found", admin.get_user(UNKNOWN))
        assert [user.username async for user in admin.iter_group_users(GROUP)] == ["py-kim"]
        assert USER in [user.username async for user in admin.iter_users(limit=1)]
        assert (await admin.disable_user("py-kim")).changed
        await admin.delete_user("py-kim")
        await expect(404, "user-not-found", admin.delete_user("py-kim"))
        await expect(401, "invalid-credentials", public.sign_in(username="py-kim", password=PASSWORD))
        try:
            await public.list_users()
        except GatewayError as error:
            assert error.status == 401, error
        else:
            raise AssertionError("expected a refusal")


def deletions(admin: Client) -> None:
    for username in (USER, "py-ida"):
        admin.delete_user(username)
        expect_problem(404, "user-not-found", partial(admin.delete_user, username))
    admin.delete_group(GROUP)
    expect_problem(404, "group-not-found", lambda: admin.delete_group(GROUP))


def end_of_all_sessions(admin: Client) -> None:
    admin.revoke_all()
    # A sign-in in the second of the revocation is denied.
    time.sleep(1.2)
    caller = admin.get_caller()
    assert isinstance(caller, models.UserCaller) and caller.username == ADMIN, caller


def totp(secret: str, steps: int) -> str:
    """The code of an authenticator app (RFC 6238), a number of time steps after the current one."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // 30 + steps), hashlib.sha1).digest()
    number = struct.unpack(">I", digest[digest[-1] % 16 :][:4])[0] & 0x7FFF_FFFF
    return f"{number % 1_000_000:06}"


def wrong_code(secret: str) -> str:
    """A code that stays wrong during the test."""
    valid = {totp(secret, steps) for steps in range(-2, 5)}
    return next(code for code in (digit * 6 for digit in "0123456789") if code not in valid)


if __name__ == "__main__":
    main()
    print("every route: ok")
