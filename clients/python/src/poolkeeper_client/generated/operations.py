"""Generated from docs/openapi.json by `make clients`. Do not edit."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from .._encoding import no_content, one_of, segment
from .models import (
    AttributeCodeSent,
    AuthenticatorSecret,
    AuthEvent,
    AuthEvents,
    BeginMfaSetup,
    CodeAnswer,
    CodeSent,
    CreateUploadType,
    Device,
    Devices,
    Factor,
    FactorAnswer,
    FinishMfaSetup,
    Group,
    GroupMembers,
    Groups,
    IamCaller,
    Invitation,
    Job,
    JobDetails,
    JobResultFile,
    JobResults,
    Jobs,
    JobUpload,
    LinkedIdentity,
    ListUsersStatus,
    Mfa,
    Myself,
    NewPasswordAnswer,
    PasswordReset,
    Pool,
    Refreshed,
    RestoreArchive,
    RestoreBackup,
    SendAttributeCodeName,
    SignedOut,
    SignedUp,
    SignInChallenge,
    SignInTokens,
    SignOutByAccessToken,
    SignOutByRefreshToken,
    StartBackup,
    StartExport,
    StartImport,
    User,
    UserCaller,
    UserChanged,
    UserGroups,
    Users,
    UserWithGroups,
    VerifyAttributeName,
    WelcomeMessage,
)

T = TypeVar("T")


class Operations(ABC):
    """The operations of the admin API."""

    @abstractmethod
    def _call(
        self,
        method: str,
        path: str,
        decode: Callable[[Any], T],
        *,
        public: bool = False,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """Sends a request. Entries that are `None` are omitted."""

    def send_attribute_code(self, name: SendAttributeCodeName) -> AttributeCodeSent:
        """Send a verification code.

        Sends the code to verify the e-mail address or phone number of the access token's owner. Returns
        `wrong-state` if the user lacks the attribute.

        Args:
            name: The attribute in the path, to which codes can be sent.
        """
        return self._call("POST", f"/v1/auth/attributes/{segment(name)}/code", AttributeCodeSent.from_dict)

    def verify_attribute(self, name: VerifyAttributeName, *, code: str) -> None:
        """Verify an e-mail address or phone number.

        Verifies the attribute of the access token's owner with the code that was sent to it. If the attribute is
        an alias in this pool, the user can then sign in with it.

        Args:
            name: The attribute in the path, to which codes can be sent.
            code: A code that was sent to the user.
        """
        return self._call("POST", f"/v1/auth/attributes/{segment(name)}/verify", no_content, body={"code": code})

    def answer_challenge(
        self,
        body: NewPasswordAnswer | CodeAnswer | FactorAnswer | BeginMfaSetup | FinishMfaSetup,
        *,
        x_device_data: str | None = None,
    ) -> SignInTokens | SignInChallenge:
        """Answer a challenge.

        Returns tokens, or the next challenge. `attributes` can contain only write attributes of the app client. A
        session is valid for one correct answer; after a wrong code, the same session accepts another code.
        """
        return self._call(
            "POST",
            "/v1/auth/challenge",
            one_of(SignInTokens.from_dict, SignInChallenge.from_dict),
            public=True,
            headers={"X-Device-Data": x_device_data},
            body=body.to_dict(),
        )

    def confirm_sign_up(self, *, username: str, code: str, x_device_data: str | None = None) -> None:
        """Confirm a sign-up.

        Verifies the address that received the code. For an unknown user, every code is wrong.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            code: A code that was sent to the user.
        """
        return self._call(
            "POST",
            "/v1/auth/confirm-sign-up",
            no_content,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "code": code},
        )

    def forgot_password(self, *, username: str, x_device_data: str | None = None) -> CodeSent:
        """Send a code to reset the password.

        The response for an unknown user looks like the response for a user who receives a code. Returns
        `wrong-state`, which reveals that the user exists, if the user has a temporary password or no verified
        address. These users need the help of an administrator.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call(
            "POST",
            "/v1/auth/forgot-password",
            CodeSent.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username},
        )

    def get_myself(self) -> Myself:
        """Get the owner of an access token.

        The user pool verifies the token, so a revoked token is rejected before it expires.
        """
        return self._call("GET", "/v1/auth/me", Myself.from_dict)

    def delete_myself(self) -> None:
        """Delete the own account.

        Deletes the user permanently. With the session gate, the user's tokens end immediately at services that
        check revocations.
        """
        return self._call("DELETE", "/v1/auth/me", no_content)

    def change_own_password(self, *, current_password: str, new_password: str) -> None:
        """Change the own password.

        With the session gate, all sessions of the user end, the current one included, and the response arrives up
        to 1.2 seconds later, so that the next sign-in is valid. Without the gate, all sessions remain. If a later
        step fails, the password is changed; follow the `detail`.

        Args:
            current_password: A password that meets the pool's policy. Never logged or returned.
            new_password: A password that meets the pool's policy. Never logged or returned.
        """
        return self._call(
            "PUT",
            "/v1/auth/me/password",
            no_content,
            body={"current_password": current_password, "new_password": new_password},
        )

    def start_totp(self) -> AuthenticatorSecret:
        """Enroll an authenticator app.

        Generates a TOTP secret. Sign-ins do not request a code until `POST /v1/auth/me/totp/verify` succeeds.
        Returns `wrong-state` if the user already has an authenticator app (remove it first), or if the pool does
        not offer authenticator apps.
        """
        return self._call("POST", "/v1/auth/me/totp", AuthenticatorSecret.from_dict)

    def remove_totp(self) -> None:
        """Remove the authenticator app.

        Disables the authenticator app as a second factor and keeps other factors. Safe to repeat. If the pool
        requires a second factor, Cognito either rejects the request (`wrong-state`) or requests a factor at the
        next sign-in.
        """
        return self._call("DELETE", "/v1/auth/me/totp", no_content)

    def verify_totp(self, *, code: str, device_name: str | None = None) -> None:
        """Finish the enrollment of an authenticator app.

        Verifies the code, enables the authenticator app and makes it the preferred second factor. Then ends all
        sessions of the user, including the current one, because they started without the code. The next sign-in
        returns the challenge `SOFTWARE_TOKEN_MFA`. With the session gate, the response arrives up to 1.2 seconds
        later, so that the next sign-in is valid. If the sessions cannot be ended, `failed` is `sign-out`, or
        `revoke-tokens` with the session gate; end them with `POST /v1/auth/sign-out`. Returns `code-mismatch`
        also if no enrollment was started.

        Args:
            code: The code that an authenticator app shows.
            device_name: The user's name for the device.
        """
        return self._call(
            "POST", "/v1/auth/me/totp/verify", no_content, body={"code": code, "device_name": device_name}
        )

    def refresh(self, *, username: str, refresh_token: str, x_device_data: str | None = None) -> Refreshed:
        """Refresh tokens.

        Exchanges a refresh token for new access and ID tokens. If the app client rotates refresh tokens, the
        response contains a new refresh token, and the old one is revoked after the client's grace period (if
        any).

        Args:
            username: The `username` that was returned with the tokens. An alias is not accepted.
            refresh_token: An access or refresh token, as Cognito issued it.
        """
        return self._call(
            "POST",
            "/v1/auth/refresh",
            Refreshed.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "refresh_token": refresh_token},
        )

    def resend_code(self, *, username: str, x_device_data: str | None = None) -> CodeSent:
        """Resend the confirmation code.

        The response for an unknown user looks like the response for a user who receives a code. Returns
        `wrong-state`, which reveals that the user exists, if the user is already confirmed.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call(
            "POST",
            "/v1/auth/resend-code",
            CodeSent.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username},
        )

    def reset_password(self, *, username: str, code: str, new_password: str, x_device_data: str | None = None) -> None:
        """Set a new password with a code.

        The code comes from `POST /v1/auth/forgot-password` or an administrator. For an unknown user, every code
        is wrong. With the session gate, all earlier sessions of the user end, and the response arrives up to 1.2
        seconds later, so that the next sign-in is valid. If a later step fails, the password is set; follow the
        `detail`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            code: A code that was sent to the user.
            new_password: A password that meets the pool's policy. Never logged or returned.
        """
        return self._call(
            "POST",
            "/v1/auth/reset-password",
            no_content,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "code": code, "new_password": new_password},
        )

    def sign_in(
        self, *, username: str, password: str, x_device_data: str | None = None
    ) -> SignInTokens | SignInChallenge:
        """Sign in.

        Returns tokens, or a challenge. Wrong passwords, unknown users and disabled users result in the same
        error.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            password: The current password of the user. Never logged or returned.
        """
        return self._call(
            "POST",
            "/v1/auth/sign-in",
            one_of(SignInTokens.from_dict, SignInChallenge.from_dict),
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "password": password},
        )

    def sign_out(self, body: SignOutByRefreshToken | SignOutByAccessToken) -> SignedOut:
        """Sign out.

        Ends one session by its refresh token, or all sessions by an access token. The access token can be in the
        header `Authorization: Bearer` or `X-Access-Token` instead of a body. With the session gate, the tokens
        end immediately at services that check revocations. To end one session there, send an access token of the
        session beside its refresh token; if the access token has expired, refresh it first. If an access token
        alone ends all sessions, a sign-in in the same second ends as well. Refresh tokens must be of the backend
        client. Access tokens can be of any client, with the scope `aws.cognito.signin.user.admin`. Returns the
        revoked credentials and those that are still valid.
        """
        return self._call("POST", "/v1/auth/sign-out", SignedOut.from_dict, public=True, body=body.to_dict())

    def sign_up(
        self,
        *,
        username: str,
        password: str,
        attributes: dict[str, str] | None = None,
        client_metadata: dict[str, str] | None = None,
        validation_data: dict[str, str] | None = None,
        x_device_data: str | None = None,
    ) -> SignedUp:
        """Sign up.

        Creates a user. The pre-sign-up policy decides whether the user is confirmed immediately or by a code. An
        invitation (`POST /v1/invitations`) is passed as `invitation` in `client_metadata` or `validation_data`.
        `attributes` can contain only write attributes of the app client.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            password: A password that meets the pool's policy. Never logged or returned.
            client_metadata: Data for all triggers; not stored.
            validation_data: Data for the pre-sign-up trigger; not stored. Pass an invitation as `invitation`
                here or in `client_metadata`.
        """
        return self._call(
            "POST",
            "/v1/auth/sign-up",
            SignedUp.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={
                "username": username,
                "password": password,
                "attributes": attributes,
                "client_metadata": client_metadata,
                "validation_data": validation_data,
            },
        )

    def list_groups(self, *, limit: int | None = None, cursor: str | None = None) -> Groups:
        """List groups.

        Permission: `groups:read`.
        """
        return self._call("GET", "/v1/groups", Groups.from_dict, parameters={"limit": limit, "cursor": cursor})

    def iter_groups(self, *, limit: int | None = None) -> Iterator[Group]:
        """List groups of all pages."""
        cursor: str | None = None
        while True:
            page = self.list_groups(limit=limit, cursor=cursor)
            for item in page.groups:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def create_group(self, *, name: str, description: str | None = None, precedence: int | None = None) -> Group:
        """Create a group.

        The setting `ROLES` defines the permissions of the members. A group that is not listed there has no
        permissions.

        Permission: `groups:write`.

        Args:
            name: The name of a group.
            description: The purpose of the group.
            precedence: The group with the lowest value determines the preferred IAM role of a user in several
                groups.
        """
        return self._call(
            "POST",
            "/v1/groups",
            Group.from_dict,
            body={"name": name, "description": description, "precedence": precedence},
        )

    def get_group(self, group: str) -> Group:
        """Get a group.

        Permission: `groups:read`.

        Args:
            group: The name of a group.
        """
        return self._call("GET", f"/v1/groups/{segment(group)}", Group.from_dict)

    def delete_group(self, group: str) -> None:
        """Delete a group.

        Deletes the group permanently. Its members stay in the pool and lose the permissions of the group. Callers
        cannot delete a group that they are in, or a group that is listed in the setting `ROLES` (`wrong-state`).
        A group with an IAM role requires `groups:roles`.

        Permission: `groups:write`.

        Args:
            group: The name of a group.
        """
        return self._call("DELETE", f"/v1/groups/{segment(group)}", no_content)

    def update_group(self, group: str, *, description: str | None = None, precedence: int | None = None) -> Group:
        """Change a group.

        Absent fields stay unchanged. Values cannot be removed. A group with an IAM role requires `groups:roles`.

        Permission: `groups:write`.

        Args:
            group: The name of a group.
            description: The purpose of the group.
            precedence: The group with the lowest value determines the preferred IAM role of a user in several
                groups.
        """
        return self._call(
            "PATCH",
            f"/v1/groups/{segment(group)}",
            Group.from_dict,
            body={"description": description, "precedence": precedence},
        )

    def list_group_users(self, group: str, *, limit: int | None = None, cursor: str | None = None) -> GroupMembers:
        """List the users in a group.

        Returns attributes only with the permission `users:read`. Recent changes can be missing.

        Permission: `groups:read`.

        Args:
            group: The name of a group.
        """
        return self._call(
            "GET",
            f"/v1/groups/{segment(group)}/users",
            GroupMembers.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    def iter_group_users(self, group: str, *, limit: int | None = None) -> Iterator[User]:
        """List the users in a group of all pages.

        Args:
            group: The name of a group.
        """
        cursor: str | None = None
        while True:
            page = self.list_group_users(group, limit=limit, cursor=cursor)
            for item in page.users:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def create_invitation(self, *, email: str, valid_for_hours: int | None = 168) -> Invitation:
        """Create an invitation to sign up.

        Signs an invitation for one e-mail address. Poolkeeper does not send it. **Send it only to that address**,
        because it counts as proof of access to the mailbox. Depending on the sign-up policy, the invited user is
        confirmed, and the address is verified, without a code. An invitation can be used until it expires. It
        cannot be revoked individually; a new signing key invalidates all invitations. The request is safe to
        repeat, and each request creates another invitation.

        Rejects the verified address of an existing user (`alias-exists`), because a sign-up would take the
        address from that user if addresses are aliases. An unverified address does not prevent the invitation. If
        users sign in by e-mail, the account with the unverified address must be deleted before the invited user
        can sign up. The check can miss recent changes, and is not repeated at sign-up. Returns `wrong-state` if
        the pool does not accept invitations, or if too many users have the address to check them all.

        Permission: `invitations:create`.

        Args:
            email: The address of the invited user. The case of A–Z is ignored, and an international domain can
                be in Unicode or in its xn--… form. The pattern matches plain ASCII addresses; other unambiguous
                addresses are also accepted.
            valid_for_hours: Validity of the invitation in hours, by default 7 days and at most 30 days.
        """
        return self._call(
            "POST", "/v1/invitations", Invitation.from_dict, body={"email": email, "valid_for_hours": valid_for_hours}
        )

    def list_jobs(self, *, limit: int | None = None, cursor: str | None = None) -> Jobs:
        """List jobs.

        Returns the jobs of the last 90 days: running jobs by start, then ended jobs by end, the latest first.
        Earlier attempts of a restarted job are left out, so a page can contain fewer jobs than the limit. `GET
        /v1/jobs/{id}` also returns progress and summary, until 90 days after the end of the first attempt.

        Permission: `jobs:read`.
        """
        return self._call("GET", "/v1/jobs", Jobs.from_dict, parameters={"limit": limit, "cursor": cursor})

    def iter_jobs(self, *, limit: int | None = None) -> Iterator[Job]:
        """List jobs of all pages."""
        cursor: str | None = None
        while True:
            page = self.list_jobs(limit=limit, cursor=cursor)
            for item in page.jobs:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def start_job(
        self,
        body: StartImport | StartExport | StartBackup | RestoreArchive | RestoreBackup,
        *,
        idempotency_key: str | None = None,
    ) -> Job:
        """Start a job.

        Starts the import of an uploaded file, an export of all users, a backup of the pool, or a restore of
        groups and users. The caller needs all permissions, not only `jobs:write`, because an import or restore
        can set the groups of any user, and an export contains all attributes of all users.

        The same request restarts an import or restore that failed or was stopped, and rows with a result are
        skipped. An export or backup that failed is not restarted; start another one. The request changes nothing
        while the job runs, or after the job succeeded. Jobs without an upload are recognized by the header
        `Idempotency-Key`, for 90 days and for the same caller. Without the header, each request starts such a
        job. Two requests that start or restart a job at the same time can both return 202. Returns `wrong-state`
        if the file does not exist, if the job was started with other options, or after 50 attempts.

        Permission: `jobs:write`.
        """
        return self._call(
            "POST", "/v1/jobs", Job.from_dict, headers={"Idempotency-Key": idempotency_key}, body=body.to_dict()
        )

    def create_job_upload(self, *, type_: CreateUploadType) -> JobUpload:
        """Upload a file of a job.

        Returns a presigned URL of Amazon S3 that accepts one file within 15 minutes. Send the file as the body of
        the returned request, without the access token. S3 rejects a second upload with 412, so the file cannot be
        replaced. If your first request receives 412, another client used the URL. Discard the id and prepare
        another upload. The file is encrypted, and deleted when the job succeeds. An import or restore can set
        passwords and groups of any user, so the caller needs all permissions, not only `jobs:write`.

        Permission: `jobs:write`.

        Args:
            type_: The types of jobs that read a file.
        """
        return self._call("POST", "/v1/jobs/uploads", JobUpload.from_dict, body={"type": type_})

    def get_job(self, id: str) -> JobDetails:
        """Get a job.

        Returns the job with its progress and, after it succeeded, its summary.

        Permission: `jobs:read`.

        Args:
            id: The id of a job and of its files.
        """
        return self._call("GET", f"/v1/jobs/{segment(id)}", JobDetails.from_dict)

    def stop_job(self, id: str) -> None:
        """Stop a job.

        Rows in progress end within seconds, exports within a minute. Users that were created stay in the pool,
        and the results stay readable. `POST /v1/jobs` continues an import. Does nothing if the job ended, so the
        request is safe to repeat.

        Permission: `jobs:write`.

        Args:
            id: The id of a job and of its files.
        """
        return self._call("DELETE", f"/v1/jobs/{segment(id)}", no_content)

    def list_job_results(self, id: str, *, limit: int | None = None, cursor: str | None = None) -> JobResults:
        """List the results of a job.

        Returns presigned URLs of Amazon S3 for the files with the results so far, which are valid for five
        minutes. The list is complete if the job succeeded. Until then, files can appear before and after those of
        earlier pages, so read the list from the first page again.

        Results of an import or restore contain user names, outcomes and codes, and the names of fields in which
        an existing user differs from its row. They contain no passwords and no other values. An export and a
        backup contain all attributes of all users, and the results of a restore the names of all users. These
        require all permissions, not only `jobs:read`.

        Permission: `jobs:read`.

        Args:
            id: The id of a job and of its files.
        """
        return self._call(
            "GET",
            f"/v1/jobs/{segment(id)}/results",
            JobResults.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    def iter_job_results(self, id: str, *, limit: int | None = None) -> Iterator[JobResultFile]:
        """List the results of a job of all pages.

        Args:
            id: The id of a job and of its files.
        """
        cursor: str | None = None
        while True:
            page = self.list_job_results(id, limit=limit, cursor=cursor)
            for item in page.results:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def get_caller(self) -> UserCaller | IamCaller:
        """Get the caller.

        Returns the caller's groups and permissions. If the deployment requires a second factor of the caller,
        reads from the user pool whether the caller has one.
        """
        return self._call("GET", "/v1/me", one_of(UserCaller.from_dict, IamCaller.from_dict))

    def get_pool(self) -> Pool:
        """Get the pool's settings.

        Returns sign-in options, password policy and attributes. The response contains no secrets.

        Permission: `pool:read`.
        """
        return self._call("GET", "/v1/pool", Pool.from_dict)

    def revoke_all(self, *, client_id: str | None = None) -> None:
        """Revoke all tokens.

        Ends all sessions of the user pool, or of one app client, at services that check revocations. Their users
        must sign in again, the caller included if the caller's token is revoked. Tokens of the client credentials
        grant that were issued until now are revoked as well. Cognito accepts the access and refresh tokens at its
        own API until they expire. After `revocations-unavailable`, some tokens can be revoked already; sign in
        again, then repeat the request. Requires the session gate.

        Permission: `pool:revoke`.

        Args:
            client_id: The app client whose sessions end. If absent, all sessions of the user pool end.
        """
        return self._call("POST", "/v1/pool/revoke-all", no_content, body={"client_id": client_id})

    def list_users(
        self,
        *,
        username: str | None = None,
        email: str | None = None,
        email_prefix: str | None = None,
        phone_number: str | None = None,
        name: str | None = None,
        status: ListUsersStatus | None = None,
        enabled: bool | None = None,
        group: str | None = None,
        custom_attribute: list[str] | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Users:
        """List or search users.

        Returns the users that match all parameters. `email`, `email_prefix` and `name` are case-insensitive.
        Cognito filters by one parameter only. The API applies the other parameters, and reads at most ten pages
        of Cognito for each request. Therefore a page can be short or empty and still have a `next_cursor`
        (`ended_early`). Recent changes can be missing.

        Permission: `users:read`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            email: A search term.
            email_prefix: A search term.
            phone_number: A search term.
            name: A search term.
            group: The name of a group.
        """
        return self._call(
            "GET",
            "/v1/users",
            Users.from_dict,
            parameters={
                "username": username,
                "email": email,
                "email_prefix": email_prefix,
                "phone_number": phone_number,
                "name": name,
                "status": status,
                "enabled": enabled,
                "group": group,
                "custom_attribute": custom_attribute,
                "created_after": created_after,
                "created_before": created_before,
                "limit": limit,
                "cursor": cursor,
            },
        )

    def iter_users(
        self,
        *,
        username: str | None = None,
        email: str | None = None,
        email_prefix: str | None = None,
        phone_number: str | None = None,
        name: str | None = None,
        status: ListUsersStatus | None = None,
        enabled: bool | None = None,
        group: str | None = None,
        custom_attribute: list[str] | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> Iterator[User]:
        """List or search users of all pages.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            email: A search term.
            email_prefix: A search term.
            phone_number: A search term.
            name: A search term.
            group: The name of a group.
        """
        cursor: str | None = None
        while True:
            page = self.list_users(
                username=username,
                email=email,
                email_prefix=email_prefix,
                phone_number=phone_number,
                name=name,
                status=status,
                enabled=enabled,
                group=group,
                custom_attribute=custom_attribute,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
            for item in page.users:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def create_user(
        self,
        *,
        username: str,
        attributes: dict[str, str] | None = None,
        groups: list[str] | None = None,
        password: str | None = None,
        permanent: bool = False,
        welcome_message: WelcomeMessage | None = None,
        idempotency_key: str | None = None,
    ) -> User:
        """Create a user.

        Also sets a permanent password and adds the user to groups, if the request contains them. If one of these
        steps fails, the response lists the completed steps. The response contains attributes only with the
        permission `users:read`.

        With an `Idempotency-Key`, the same caller can repeat the same request within 24 hours. A repeat completes
        the user that the first request created, and returns 200. The repeat sends no welcome message. Before it
        adds groups, it sets the requested password again, which requires the permission `users:password`, and
        ends all sessions of the user. If no step remains, the repeat changes nothing. Requests cannot be repeated
        if the app client has no secret.

        Any other existing user is a conflict. With `users:read`, the response lists the fields that differ,
        including `creation` if another request created the user.

        Permission: `users:create`.

        Args:
            username: The user name. If users sign in with e-mail addresses or phone numbers, the address or
                number.
            groups: Requires the permission `users:groups`.
            password: The password. If absent, Cognito generates a temporary password.
            permanent: Whether the password is permanent. The user must change a temporary password at the first
                sign-in.
            welcome_message: Whether Cognito sends the welcome message with the temporary password. The default
                is `suppress` if `password` is present, and `send` otherwise.
        """
        return self._call(
            "POST",
            "/v1/users",
            User.from_dict,
            headers={"Idempotency-Key": idempotency_key},
            body={
                "username": username,
                "attributes": attributes,
                "groups": groups,
                "password": password,
                "permanent": permanent,
                "welcome_message": welcome_message,
            },
        )

    def get_user(self, username: str, *, include: Literal["groups"] | None = None) -> UserWithGroups:
        """Get a user.

        The path takes the user name, the `sub`, or an alias if the pool allows aliases.

        Permission: `users:read`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call(
            "GET", f"/v1/users/{segment(username)}", UserWithGroups.from_dict, parameters={"include": include}
        )

    def delete_user(self, username: str) -> None:
        """Delete a user.

        Deletes the user permanently. With the session gate, the user's tokens end immediately at services that
        check revocations. Callers cannot delete themselves.

        Permission: `users:delete`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("DELETE", f"/v1/users/{segment(username)}", no_content)

    def update_user(self, username: str, *, attributes: dict[str, str | None]) -> None:
        """Change a user's attributes.

        Sets the attributes that have a value, then removes those that are null. Absent attributes stay unchanged.
        Callers cannot change their own account with this route.

        Permission: `users:update`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            attributes: The new values. Null removes an attribute. Absent attributes stay unchanged.
        """
        return self._call("PATCH", f"/v1/users/{segment(username)}", no_content, body={"attributes": attributes})

    def list_user_auth_events(
        self, username: str, *, limit: int | None = None, cursor: str | None = None
    ) -> AuthEvents:
        """List a user's authentication events.

        Returns the newest events first, or `wrong-state` if threat protection is not enabled on this pool.

        Permission: `users:read`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call(
            "GET",
            f"/v1/users/{segment(username)}/auth-events",
            AuthEvents.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    def iter_user_auth_events(self, username: str, *, limit: int | None = None) -> Iterator[AuthEvent]:
        """List a user's authentication events of all pages.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        cursor: str | None = None
        while True:
            page = self.list_user_auth_events(username, limit=limit, cursor=cursor)
            for item in page.events:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def confirm_user(self, username: str) -> UserChanged:
        """Confirm a user.

        Confirms a user who signed up. No code is required. Confirming a confirmed user changes nothing.

        Permission: `users:state`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("POST", f"/v1/users/{segment(username)}/confirm", UserChanged.from_dict)

    def list_user_devices(self, username: str, *, limit: int | None = None, cursor: str | None = None) -> Devices:
        """List a user's devices.

        Returns the devices that Cognito remembers, or `wrong-state` if the pool does not remember devices.

        Permission: `users:sessions`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call(
            "GET",
            f"/v1/users/{segment(username)}/devices",
            Devices.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    def iter_user_devices(self, username: str, *, limit: int | None = None) -> Iterator[Device]:
        """List a user's devices of all pages.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        cursor: str | None = None
        while True:
            page = self.list_user_devices(username, limit=limit, cursor=cursor)
            for item in page.devices:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def forget_user_device(self, username: str, key: str) -> None:
        """Forget a user's device.

        Cognito treats the next sign-in with the device as the first one. Returns `wrong-state` if the pool does
        not remember devices.

        Permission: `users:sessions`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            key: The key of a device.
        """
        return self._call("DELETE", f"/v1/users/{segment(username)}/devices/{segment(key)}", no_content)

    def disable_user(self, username: str) -> UserChanged:
        """Disable a user.

        Prevents the user from signing in and revokes all tokens of the user at the user pool and, with the
        session gate, at services that check revocations. The status stays unchanged. Disabling a disabled user
        changes nothing in the user pool. Callers cannot disable themselves.

        Permission: `users:state`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("POST", f"/v1/users/{segment(username)}/disable", UserChanged.from_dict)

    def enable_user(self, username: str) -> UserChanged:
        """Enable a user.

        Allows a disabled user to sign in again. The status stays unchanged. Enabling an enabled user changes
        nothing.

        Permission: `users:state`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("POST", f"/v1/users/{segment(username)}/enable", UserChanged.from_dict)

    def list_user_groups(self, username: str) -> UserGroups:
        """List a user's groups.

        Returns the names of all groups of the user.

        Permission: `users:groups`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("GET", f"/v1/users/{segment(username)}/groups", UserGroups.from_dict)

    def add_user_to_group(self, username: str, group: str) -> None:
        """Add a user to a group.

        The path takes the user name or the `sub`, not an alias. Callers cannot add themselves. The caller must be
        allowed to assign the group and must have all permissions that it grants. A group with an IAM role also
        requires `groups:roles`. Repeating the request changes nothing.

        Permission: `users:groups`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            group: The name of a group.
        """
        return self._call("PUT", f"/v1/users/{segment(username)}/groups/{segment(group)}", no_content)

    def remove_user_from_group(self, username: str, group: str) -> None:
        """Remove a user from a group.

        The path takes the user name or the `sub`, not an alias. Callers cannot remove themselves. The caller must
        be allowed to assign the group. The user's tokens contain the group until they expire, but this API reads
        the groups from the user pool before every write. With the session gate, services that check revocations
        deny these tokens. A refresh, from the next second on, returns valid tokens without the group. Repeating
        the request changes nothing else.

        Permission: `users:groups`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            group: The name of a group.
        """
        return self._call("DELETE", f"/v1/users/{segment(username)}/groups/{segment(group)}", no_content)

    def link_user_identity(self, username: str, provider: str, *, user_id: str) -> LinkedIdentity:
        """Link an identity to a user.

        The owner of the identity signs in as this user from now on. Returns `forbidden` if the user has
        permissions that the caller lacks, and `wrong-state` if the user has another identity at the provider or
        is a federated user. Linking a linked identity changes nothing. Callers cannot change their own account
        with this route.

        Permission: `users:update`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            provider: The name of an external identity provider of the user pool.
            user_id: The subject of the provider's tokens (OIDC), or the `NameID` of its assertions (SAML).
        """
        return self._call(
            "PUT",
            f"/v1/users/{segment(username)}/identities/{segment(provider)}",
            LinkedIdentity.from_dict,
            body={"user_id": user_id},
        )

    def unlink_user_identity(self, username: str, provider: str) -> None:
        """Unlink a user's identity.

        The next sign-in with the identity creates a separate user. If several identities at the provider are
        linked, which this API does not allow, all of them are unlinked.

        Permission: `users:update`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            provider: The name of an external identity provider of the user pool.
        """
        return self._call("DELETE", f"/v1/users/{segment(username)}/identities/{segment(provider)}", no_content)

    def get_user_mfa(self, username: str) -> Mfa:
        """Get a user's second factors.

        Returns the enabled factors. Factors that are set up but not enabled are not included.

        Permission: `users:mfa`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("GET", f"/v1/users/{segment(username)}/mfa", Mfa.from_dict)

    def set_user_mfa(self, username: str, *, enabled: list[Factor], preferred: Factor | None = None) -> Mfa:
        """Set a user's second factors.

        Enables exactly these factors. Returns `wrong-state` if the user has not set up a factor (no verified
        phone number, no authenticator app) or the pool does not offer it. Callers cannot change their own account
        with this route.

        Permission: `users:mfa`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            enabled: The factors to enable, without duplicates. All other factors are disabled.
            preferred: The preferred factor, one of `enabled`. If absent, a user with several factors chooses a
                factor at each sign-in.
        """
        return self._call(
            "PUT",
            f"/v1/users/{segment(username)}/mfa",
            Mfa.from_dict,
            body={"enabled": enabled, "preferred": preferred},
        )

    def set_user_password(self, username: str, *, password: str, permanent: bool = False) -> None:
        """Set a user's password.

        A permanent password sets the status to `CONFIRMED`, a temporary password to `FORCE_CHANGE_PASSWORD`. With
        the session gate, all sessions of the user end, even if Cognito rejects the password. A sign-in in the
        same second ends as well. Callers cannot change their own account with this route.

        Permission: `users:password`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            password: A password that meets the pool's policy. Never logged or returned.
            permanent: Whether the password is permanent. The user must change a temporary password at the next
                sign-in.
        """
        return self._call(
            "PUT",
            f"/v1/users/{segment(username)}/password",
            no_content,
            body={"password": password, "permanent": permanent},
        )

    def resend_user_invitation(self, username: str) -> User:
        """Resend a user's welcome message.

        Sends the welcome message (AWS: the invitation message of `AdminCreateUser`) again, with a new temporary
        password that is valid for as long as the first password. This also helps users whose temporary password
        has expired. Returns `wrong-state` if the status is not `FORCE_CHANGE_PASSWORD`. Each request sends
        another message. Callers cannot resend their own message, because it would replace their password.

        Permission: `users:create`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("POST", f"/v1/users/{segment(username)}/resend-invitation", User.from_dict)

    def reset_user_password(self, username: str) -> PasswordReset:
        """Reset a user's password.

        Invalidates the password and sends a code to the user's verified e-mail address or phone number. The user
        sets a new password with this code (`POST /v1/auth/reset-password`). Each request sends another code. With
        the session gate, all sessions of the user end, even if Cognito rejects the reset. Returns `wrong-state`
        if the user has no verified e-mail address or phone number, or if the status does not allow a reset.

        Permission: `users:password`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("POST", f"/v1/users/{segment(username)}/reset-password", PasswordReset.from_dict)

    def sign_out_user(self, username: str) -> SignedOut:
        """Sign a user out.

        Ends all sign-ins of the user. With the session gate, the tokens end immediately at services that check
        revocations, and a sign-in in the same second ends as well. The response lists the revoked credentials,
        and those that are still valid.

        Permission: `users:sessions`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return self._call("POST", f"/v1/users/{segment(username)}/sign-out", SignedOut.from_dict)


class AsyncOperations(ABC):
    """The operations of the admin API, as coroutines."""

    @abstractmethod
    async def _call(
        self,
        method: str,
        path: str,
        decode: Callable[[Any], T],
        *,
        public: bool = False,
        parameters: Mapping[str, Any] | None = None,
        headers: Mapping[str, str | None] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        """Sends a request. Entries that are `None` are omitted."""

    async def send_attribute_code(self, name: SendAttributeCodeName) -> AttributeCodeSent:
        """Send a verification code.

        Sends the code to verify the e-mail address or phone number of the access token's owner. Returns
        `wrong-state` if the user lacks the attribute.

        Args:
            name: The attribute in the path, to which codes can be sent.
        """
        return await self._call("POST", f"/v1/auth/attributes/{segment(name)}/code", AttributeCodeSent.from_dict)

    async def verify_attribute(self, name: VerifyAttributeName, *, code: str) -> None:
        """Verify an e-mail address or phone number.

        Verifies the attribute of the access token's owner with the code that was sent to it. If the attribute is
        an alias in this pool, the user can then sign in with it.

        Args:
            name: The attribute in the path, to which codes can be sent.
            code: A code that was sent to the user.
        """
        return await self._call("POST", f"/v1/auth/attributes/{segment(name)}/verify", no_content, body={"code": code})

    async def answer_challenge(
        self,
        body: NewPasswordAnswer | CodeAnswer | FactorAnswer | BeginMfaSetup | FinishMfaSetup,
        *,
        x_device_data: str | None = None,
    ) -> SignInTokens | SignInChallenge:
        """Answer a challenge.

        Returns tokens, or the next challenge. `attributes` can contain only write attributes of the app client. A
        session is valid for one correct answer; after a wrong code, the same session accepts another code.
        """
        return await self._call(
            "POST",
            "/v1/auth/challenge",
            one_of(SignInTokens.from_dict, SignInChallenge.from_dict),
            public=True,
            headers={"X-Device-Data": x_device_data},
            body=body.to_dict(),
        )

    async def confirm_sign_up(self, *, username: str, code: str, x_device_data: str | None = None) -> None:
        """Confirm a sign-up.

        Verifies the address that received the code. For an unknown user, every code is wrong.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            code: A code that was sent to the user.
        """
        return await self._call(
            "POST",
            "/v1/auth/confirm-sign-up",
            no_content,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "code": code},
        )

    async def forgot_password(self, *, username: str, x_device_data: str | None = None) -> CodeSent:
        """Send a code to reset the password.

        The response for an unknown user looks like the response for a user who receives a code. Returns
        `wrong-state`, which reveals that the user exists, if the user has a temporary password or no verified
        address. These users need the help of an administrator.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call(
            "POST",
            "/v1/auth/forgot-password",
            CodeSent.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username},
        )

    async def get_myself(self) -> Myself:
        """Get the owner of an access token.

        The user pool verifies the token, so a revoked token is rejected before it expires.
        """
        return await self._call("GET", "/v1/auth/me", Myself.from_dict)

    async def delete_myself(self) -> None:
        """Delete the own account.

        Deletes the user permanently. With the session gate, the user's tokens end immediately at services that
        check revocations.
        """
        return await self._call("DELETE", "/v1/auth/me", no_content)

    async def change_own_password(self, *, current_password: str, new_password: str) -> None:
        """Change the own password.

        With the session gate, all sessions of the user end, the current one included, and the response arrives up
        to 1.2 seconds later, so that the next sign-in is valid. Without the gate, all sessions remain. If a later
        step fails, the password is changed; follow the `detail`.

        Args:
            current_password: A password that meets the pool's policy. Never logged or returned.
            new_password: A password that meets the pool's policy. Never logged or returned.
        """
        return await self._call(
            "PUT",
            "/v1/auth/me/password",
            no_content,
            body={"current_password": current_password, "new_password": new_password},
        )

    async def start_totp(self) -> AuthenticatorSecret:
        """Enroll an authenticator app.

        Generates a TOTP secret. Sign-ins do not request a code until `POST /v1/auth/me/totp/verify` succeeds.
        Returns `wrong-state` if the user already has an authenticator app (remove it first), or if the pool does
        not offer authenticator apps.
        """
        return await self._call("POST", "/v1/auth/me/totp", AuthenticatorSecret.from_dict)

    async def remove_totp(self) -> None:
        """Remove the authenticator app.

        Disables the authenticator app as a second factor and keeps other factors. Safe to repeat. If the pool
        requires a second factor, Cognito either rejects the request (`wrong-state`) or requests a factor at the
        next sign-in.
        """
        return await self._call("DELETE", "/v1/auth/me/totp", no_content)

    async def verify_totp(self, *, code: str, device_name: str | None = None) -> None:
        """Finish the enrollment of an authenticator app.

        Verifies the code, enables the authenticator app and makes it the preferred second factor. Then ends all
        sessions of the user, including the current one, because they started without the code. The next sign-in
        returns the challenge `SOFTWARE_TOKEN_MFA`. With the session gate, the response arrives up to 1.2 seconds
        later, so that the next sign-in is valid. If the sessions cannot be ended, `failed` is `sign-out`, or
        `revoke-tokens` with the session gate; end them with `POST /v1/auth/sign-out`. Returns `code-mismatch`
        also if no enrollment was started.

        Args:
            code: The code that an authenticator app shows.
            device_name: The user's name for the device.
        """
        return await self._call(
            "POST", "/v1/auth/me/totp/verify", no_content, body={"code": code, "device_name": device_name}
        )

    async def refresh(self, *, username: str, refresh_token: str, x_device_data: str | None = None) -> Refreshed:
        """Refresh tokens.

        Exchanges a refresh token for new access and ID tokens. If the app client rotates refresh tokens, the
        response contains a new refresh token, and the old one is revoked after the client's grace period (if
        any).

        Args:
            username: The `username` that was returned with the tokens. An alias is not accepted.
            refresh_token: An access or refresh token, as Cognito issued it.
        """
        return await self._call(
            "POST",
            "/v1/auth/refresh",
            Refreshed.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "refresh_token": refresh_token},
        )

    async def resend_code(self, *, username: str, x_device_data: str | None = None) -> CodeSent:
        """Resend the confirmation code.

        The response for an unknown user looks like the response for a user who receives a code. Returns
        `wrong-state`, which reveals that the user exists, if the user is already confirmed.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call(
            "POST",
            "/v1/auth/resend-code",
            CodeSent.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username},
        )

    async def reset_password(
        self, *, username: str, code: str, new_password: str, x_device_data: str | None = None
    ) -> None:
        """Set a new password with a code.

        The code comes from `POST /v1/auth/forgot-password` or an administrator. For an unknown user, every code
        is wrong. With the session gate, all earlier sessions of the user end, and the response arrives up to 1.2
        seconds later, so that the next sign-in is valid. If a later step fails, the password is set; follow the
        `detail`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            code: A code that was sent to the user.
            new_password: A password that meets the pool's policy. Never logged or returned.
        """
        return await self._call(
            "POST",
            "/v1/auth/reset-password",
            no_content,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "code": code, "new_password": new_password},
        )

    async def sign_in(
        self, *, username: str, password: str, x_device_data: str | None = None
    ) -> SignInTokens | SignInChallenge:
        """Sign in.

        Returns tokens, or a challenge. Wrong passwords, unknown users and disabled users result in the same
        error.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            password: The current password of the user. Never logged or returned.
        """
        return await self._call(
            "POST",
            "/v1/auth/sign-in",
            one_of(SignInTokens.from_dict, SignInChallenge.from_dict),
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={"username": username, "password": password},
        )

    async def sign_out(self, body: SignOutByRefreshToken | SignOutByAccessToken) -> SignedOut:
        """Sign out.

        Ends one session by its refresh token, or all sessions by an access token. The access token can be in the
        header `Authorization: Bearer` or `X-Access-Token` instead of a body. With the session gate, the tokens
        end immediately at services that check revocations. To end one session there, send an access token of the
        session beside its refresh token; if the access token has expired, refresh it first. If an access token
        alone ends all sessions, a sign-in in the same second ends as well. Refresh tokens must be of the backend
        client. Access tokens can be of any client, with the scope `aws.cognito.signin.user.admin`. Returns the
        revoked credentials and those that are still valid.
        """
        return await self._call("POST", "/v1/auth/sign-out", SignedOut.from_dict, public=True, body=body.to_dict())

    async def sign_up(
        self,
        *,
        username: str,
        password: str,
        attributes: dict[str, str] | None = None,
        client_metadata: dict[str, str] | None = None,
        validation_data: dict[str, str] | None = None,
        x_device_data: str | None = None,
    ) -> SignedUp:
        """Sign up.

        Creates a user. The pre-sign-up policy decides whether the user is confirmed immediately or by a code. An
        invitation (`POST /v1/invitations`) is passed as `invitation` in `client_metadata` or `validation_data`.
        `attributes` can contain only write attributes of the app client.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            password: A password that meets the pool's policy. Never logged or returned.
            client_metadata: Data for all triggers; not stored.
            validation_data: Data for the pre-sign-up trigger; not stored. Pass an invitation as `invitation`
                here or in `client_metadata`.
        """
        return await self._call(
            "POST",
            "/v1/auth/sign-up",
            SignedUp.from_dict,
            public=True,
            headers={"X-Device-Data": x_device_data},
            body={
                "username": username,
                "password": password,
                "attributes": attributes,
                "client_metadata": client_metadata,
                "validation_data": validation_data,
            },
        )

    async def list_groups(self, *, limit: int | None = None, cursor: str | None = None) -> Groups:
        """List groups.

        Permission: `groups:read`.
        """
        return await self._call("GET", "/v1/groups", Groups.from_dict, parameters={"limit": limit, "cursor": cursor})

    async def iter_groups(self, *, limit: int | None = None) -> AsyncIterator[Group]:
        """List groups of all pages."""
        cursor: str | None = None
        while True:
            page = await self.list_groups(limit=limit, cursor=cursor)
            for item in page.groups:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def create_group(self, *, name: str, description: str | None = None, precedence: int | None = None) -> Group:
        """Create a group.

        The setting `ROLES` defines the permissions of the members. A group that is not listed there has no
        permissions.

        Permission: `groups:write`.

        Args:
            name: The name of a group.
            description: The purpose of the group.
            precedence: The group with the lowest value determines the preferred IAM role of a user in several
                groups.
        """
        return await self._call(
            "POST",
            "/v1/groups",
            Group.from_dict,
            body={"name": name, "description": description, "precedence": precedence},
        )

    async def get_group(self, group: str) -> Group:
        """Get a group.

        Permission: `groups:read`.

        Args:
            group: The name of a group.
        """
        return await self._call("GET", f"/v1/groups/{segment(group)}", Group.from_dict)

    async def delete_group(self, group: str) -> None:
        """Delete a group.

        Deletes the group permanently. Its members stay in the pool and lose the permissions of the group. Callers
        cannot delete a group that they are in, or a group that is listed in the setting `ROLES` (`wrong-state`).
        A group with an IAM role requires `groups:roles`.

        Permission: `groups:write`.

        Args:
            group: The name of a group.
        """
        return await self._call("DELETE", f"/v1/groups/{segment(group)}", no_content)

    async def update_group(self, group: str, *, description: str | None = None, precedence: int | None = None) -> Group:
        """Change a group.

        Absent fields stay unchanged. Values cannot be removed. A group with an IAM role requires `groups:roles`.

        Permission: `groups:write`.

        Args:
            group: The name of a group.
            description: The purpose of the group.
            precedence: The group with the lowest value determines the preferred IAM role of a user in several
                groups.
        """
        return await self._call(
            "PATCH",
            f"/v1/groups/{segment(group)}",
            Group.from_dict,
            body={"description": description, "precedence": precedence},
        )

    async def list_group_users(
        self, group: str, *, limit: int | None = None, cursor: str | None = None
    ) -> GroupMembers:
        """List the users in a group.

        Returns attributes only with the permission `users:read`. Recent changes can be missing.

        Permission: `groups:read`.

        Args:
            group: The name of a group.
        """
        return await self._call(
            "GET",
            f"/v1/groups/{segment(group)}/users",
            GroupMembers.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    async def iter_group_users(self, group: str, *, limit: int | None = None) -> AsyncIterator[User]:
        """List the users in a group of all pages.

        Args:
            group: The name of a group.
        """
        cursor: str | None = None
        while True:
            page = await self.list_group_users(group, limit=limit, cursor=cursor)
            for item in page.users:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def create_invitation(self, *, email: str, valid_for_hours: int | None = 168) -> Invitation:
        """Create an invitation to sign up.

        Signs an invitation for one e-mail address. Poolkeeper does not send it. **Send it only to that address**,
        because it counts as proof of access to the mailbox. Depending on the sign-up policy, the invited user is
        confirmed, and the address is verified, without a code. An invitation can be used until it expires. It
        cannot be revoked individually; a new signing key invalidates all invitations. The request is safe to
        repeat, and each request creates another invitation.

        Rejects the verified address of an existing user (`alias-exists`), because a sign-up would take the
        address from that user if addresses are aliases. An unverified address does not prevent the invitation. If
        users sign in by e-mail, the account with the unverified address must be deleted before the invited user
        can sign up. The check can miss recent changes, and is not repeated at sign-up. Returns `wrong-state` if
        the pool does not accept invitations, or if too many users have the address to check them all.

        Permission: `invitations:create`.

        Args:
            email: The address of the invited user. The case of A–Z is ignored, and an international domain can
                be in Unicode or in its xn--… form. The pattern matches plain ASCII addresses; other unambiguous
                addresses are also accepted.
            valid_for_hours: Validity of the invitation in hours, by default 7 days and at most 30 days.
        """
        return await self._call(
            "POST", "/v1/invitations", Invitation.from_dict, body={"email": email, "valid_for_hours": valid_for_hours}
        )

    async def list_jobs(self, *, limit: int | None = None, cursor: str | None = None) -> Jobs:
        """List jobs.

        Returns the jobs of the last 90 days: running jobs by start, then ended jobs by end, the latest first.
        Earlier attempts of a restarted job are left out, so a page can contain fewer jobs than the limit. `GET
        /v1/jobs/{id}` also returns progress and summary, until 90 days after the end of the first attempt.

        Permission: `jobs:read`.
        """
        return await self._call("GET", "/v1/jobs", Jobs.from_dict, parameters={"limit": limit, "cursor": cursor})

    async def iter_jobs(self, *, limit: int | None = None) -> AsyncIterator[Job]:
        """List jobs of all pages."""
        cursor: str | None = None
        while True:
            page = await self.list_jobs(limit=limit, cursor=cursor)
            for item in page.jobs:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def start_job(
        self,
        body: StartImport | StartExport | StartBackup | RestoreArchive | RestoreBackup,
        *,
        idempotency_key: str | None = None,
    ) -> Job:
        """Start a job.

        Starts the import of an uploaded file, an export of all users, a backup of the pool, or a restore of
        groups and users. The caller needs all permissions, not only `jobs:write`, because an import or restore
        can set the groups of any user, and an export contains all attributes of all users.

        The same request restarts an import or restore that failed or was stopped, and rows with a result are
        skipped. An export or backup that failed is not restarted; start another one. The request changes nothing
        while the job runs, or after the job succeeded. Jobs without an upload are recognized by the header
        `Idempotency-Key`, for 90 days and for the same caller. Without the header, each request starts such a
        job. Two requests that start or restart a job at the same time can both return 202. Returns `wrong-state`
        if the file does not exist, if the job was started with other options, or after 50 attempts.

        Permission: `jobs:write`.
        """
        return await self._call(
            "POST", "/v1/jobs", Job.from_dict, headers={"Idempotency-Key": idempotency_key}, body=body.to_dict()
        )

    async def create_job_upload(self, *, type_: CreateUploadType) -> JobUpload:
        """Upload a file of a job.

        Returns a presigned URL of Amazon S3 that accepts one file within 15 minutes. Send the file as the body of
        the returned request, without the access token. S3 rejects a second upload with 412, so the file cannot be
        replaced. If your first request receives 412, another client used the URL. Discard the id and prepare
        another upload. The file is encrypted, and deleted when the job succeeds. An import or restore can set
        passwords and groups of any user, so the caller needs all permissions, not only `jobs:write`.

        Permission: `jobs:write`.

        Args:
            type_: The types of jobs that read a file.
        """
        return await self._call("POST", "/v1/jobs/uploads", JobUpload.from_dict, body={"type": type_})

    async def get_job(self, id: str) -> JobDetails:
        """Get a job.

        Returns the job with its progress and, after it succeeded, its summary.

        Permission: `jobs:read`.

        Args:
            id: The id of a job and of its files.
        """
        return await self._call("GET", f"/v1/jobs/{segment(id)}", JobDetails.from_dict)

    async def stop_job(self, id: str) -> None:
        """Stop a job.

        Rows in progress end within seconds, exports within a minute. Users that were created stay in the pool,
        and the results stay readable. `POST /v1/jobs` continues an import. Does nothing if the job ended, so the
        request is safe to repeat.

        Permission: `jobs:write`.

        Args:
            id: The id of a job and of its files.
        """
        return await self._call("DELETE", f"/v1/jobs/{segment(id)}", no_content)

    async def list_job_results(self, id: str, *, limit: int | None = None, cursor: str | None = None) -> JobResults:
        """List the results of a job.

        Returns presigned URLs of Amazon S3 for the files with the results so far, which are valid for five
        minutes. The list is complete if the job succeeded. Until then, files can appear before and after those of
        earlier pages, so read the list from the first page again.

        Results of an import or restore contain user names, outcomes and codes, and the names of fields in which
        an existing user differs from its row. They contain no passwords and no other values. An export and a
        backup contain all attributes of all users, and the results of a restore the names of all users. These
        require all permissions, not only `jobs:read`.

        Permission: `jobs:read`.

        Args:
            id: The id of a job and of its files.
        """
        return await self._call(
            "GET",
            f"/v1/jobs/{segment(id)}/results",
            JobResults.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    async def iter_job_results(self, id: str, *, limit: int | None = None) -> AsyncIterator[JobResultFile]:
        """List the results of a job of all pages.

        Args:
            id: The id of a job and of its files.
        """
        cursor: str | None = None
        while True:
            page = await self.list_job_results(id, limit=limit, cursor=cursor)
            for item in page.results:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def get_caller(self) -> UserCaller | IamCaller:
        """Get the caller.

        Returns the caller's groups and permissions. If the deployment requires a second factor of the caller,
        reads from the user pool whether the caller has one.
        """
        return await self._call("GET", "/v1/me", one_of(UserCaller.from_dict, IamCaller.from_dict))

    async def get_pool(self) -> Pool:
        """Get the pool's settings.

        Returns sign-in options, password policy and attributes. The response contains no secrets.

        Permission: `pool:read`.
        """
        return await self._call("GET", "/v1/pool", Pool.from_dict)

    async def revoke_all(self, *, client_id: str | None = None) -> None:
        """Revoke all tokens.

        Ends all sessions of the user pool, or of one app client, at services that check revocations. Their users
        must sign in again, the caller included if the caller's token is revoked. Tokens of the client credentials
        grant that were issued until now are revoked as well. Cognito accepts the access and refresh tokens at its
        own API until they expire. After `revocations-unavailable`, some tokens can be revoked already; sign in
        again, then repeat the request. Requires the session gate.

        Permission: `pool:revoke`.

        Args:
            client_id: The app client whose sessions end. If absent, all sessions of the user pool end.
        """
        return await self._call("POST", "/v1/pool/revoke-all", no_content, body={"client_id": client_id})

    async def list_users(
        self,
        *,
        username: str | None = None,
        email: str | None = None,
        email_prefix: str | None = None,
        phone_number: str | None = None,
        name: str | None = None,
        status: ListUsersStatus | None = None,
        enabled: bool | None = None,
        group: str | None = None,
        custom_attribute: list[str] | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Users:
        """List or search users.

        Returns the users that match all parameters. `email`, `email_prefix` and `name` are case-insensitive.
        Cognito filters by one parameter only. The API applies the other parameters, and reads at most ten pages
        of Cognito for each request. Therefore a page can be short or empty and still have a `next_cursor`
        (`ended_early`). Recent changes can be missing.

        Permission: `users:read`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            email: A search term.
            email_prefix: A search term.
            phone_number: A search term.
            name: A search term.
            group: The name of a group.
        """
        return await self._call(
            "GET",
            "/v1/users",
            Users.from_dict,
            parameters={
                "username": username,
                "email": email,
                "email_prefix": email_prefix,
                "phone_number": phone_number,
                "name": name,
                "status": status,
                "enabled": enabled,
                "group": group,
                "custom_attribute": custom_attribute,
                "created_after": created_after,
                "created_before": created_before,
                "limit": limit,
                "cursor": cursor,
            },
        )

    async def iter_users(
        self,
        *,
        username: str | None = None,
        email: str | None = None,
        email_prefix: str | None = None,
        phone_number: str | None = None,
        name: str | None = None,
        status: ListUsersStatus | None = None,
        enabled: bool | None = None,
        group: str | None = None,
        custom_attribute: list[str] | None = None,
        created_after: datetime | None = None,
        created_before: datetime | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[User]:
        """List or search users of all pages.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            email: A search term.
            email_prefix: A search term.
            phone_number: A search term.
            name: A search term.
            group: The name of a group.
        """
        cursor: str | None = None
        while True:
            page = await self.list_users(
                username=username,
                email=email,
                email_prefix=email_prefix,
                phone_number=phone_number,
                name=name,
                status=status,
                enabled=enabled,
                group=group,
                custom_attribute=custom_attribute,
                created_after=created_after,
                created_before=created_before,
                limit=limit,
                cursor=cursor,
            )
            for item in page.users:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def create_user(
        self,
        *,
        username: str,
        attributes: dict[str, str] | None = None,
        groups: list[str] | None = None,
        password: str | None = None,
        permanent: bool = False,
        welcome_message: WelcomeMessage | None = None,
        idempotency_key: str | None = None,
    ) -> User:
        """Create a user.

        Also sets a permanent password and adds the user to groups, if the request contains them. If one of these
        steps fails, the response lists the completed steps. The response contains attributes only with the
        permission `users:read`.

        With an `Idempotency-Key`, the same caller can repeat the same request within 24 hours. A repeat completes
        the user that the first request created, and returns 200. The repeat sends no welcome message. Before it
        adds groups, it sets the requested password again, which requires the permission `users:password`, and
        ends all sessions of the user. If no step remains, the repeat changes nothing. Requests cannot be repeated
        if the app client has no secret.

        Any other existing user is a conflict. With `users:read`, the response lists the fields that differ,
        including `creation` if another request created the user.

        Permission: `users:create`.

        Args:
            username: The user name. If users sign in with e-mail addresses or phone numbers, the address or
                number.
            groups: Requires the permission `users:groups`.
            password: The password. If absent, Cognito generates a temporary password.
            permanent: Whether the password is permanent. The user must change a temporary password at the first
                sign-in.
            welcome_message: Whether Cognito sends the welcome message with the temporary password. The default
                is `suppress` if `password` is present, and `send` otherwise.
        """
        return await self._call(
            "POST",
            "/v1/users",
            User.from_dict,
            headers={"Idempotency-Key": idempotency_key},
            body={
                "username": username,
                "attributes": attributes,
                "groups": groups,
                "password": password,
                "permanent": permanent,
                "welcome_message": welcome_message,
            },
        )

    async def get_user(self, username: str, *, include: Literal["groups"] | None = None) -> UserWithGroups:
        """Get a user.

        The path takes the user name, the `sub`, or an alias if the pool allows aliases.

        Permission: `users:read`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call(
            "GET", f"/v1/users/{segment(username)}", UserWithGroups.from_dict, parameters={"include": include}
        )

    async def delete_user(self, username: str) -> None:
        """Delete a user.

        Deletes the user permanently. With the session gate, the user's tokens end immediately at services that
        check revocations. Callers cannot delete themselves.

        Permission: `users:delete`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("DELETE", f"/v1/users/{segment(username)}", no_content)

    async def update_user(self, username: str, *, attributes: dict[str, str | None]) -> None:
        """Change a user's attributes.

        Sets the attributes that have a value, then removes those that are null. Absent attributes stay unchanged.
        Callers cannot change their own account with this route.

        Permission: `users:update`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            attributes: The new values. Null removes an attribute. Absent attributes stay unchanged.
        """
        return await self._call("PATCH", f"/v1/users/{segment(username)}", no_content, body={"attributes": attributes})

    async def list_user_auth_events(
        self, username: str, *, limit: int | None = None, cursor: str | None = None
    ) -> AuthEvents:
        """List a user's authentication events.

        Returns the newest events first, or `wrong-state` if threat protection is not enabled on this pool.

        Permission: `users:read`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call(
            "GET",
            f"/v1/users/{segment(username)}/auth-events",
            AuthEvents.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    async def iter_user_auth_events(self, username: str, *, limit: int | None = None) -> AsyncIterator[AuthEvent]:
        """List a user's authentication events of all pages.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        cursor: str | None = None
        while True:
            page = await self.list_user_auth_events(username, limit=limit, cursor=cursor)
            for item in page.events:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def confirm_user(self, username: str) -> UserChanged:
        """Confirm a user.

        Confirms a user who signed up. No code is required. Confirming a confirmed user changes nothing.

        Permission: `users:state`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("POST", f"/v1/users/{segment(username)}/confirm", UserChanged.from_dict)

    async def list_user_devices(self, username: str, *, limit: int | None = None, cursor: str | None = None) -> Devices:
        """List a user's devices.

        Returns the devices that Cognito remembers, or `wrong-state` if the pool does not remember devices.

        Permission: `users:sessions`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call(
            "GET",
            f"/v1/users/{segment(username)}/devices",
            Devices.from_dict,
            parameters={"limit": limit, "cursor": cursor},
        )

    async def iter_user_devices(self, username: str, *, limit: int | None = None) -> AsyncIterator[Device]:
        """List a user's devices of all pages.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        cursor: str | None = None
        while True:
            page = await self.list_user_devices(username, limit=limit, cursor=cursor)
            for item in page.devices:
                yield item
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    async def forget_user_device(self, username: str, key: str) -> None:
        """Forget a user's device.

        Cognito treats the next sign-in with the device as the first one. Returns `wrong-state` if the pool does
        not remember devices.

        Permission: `users:sessions`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            key: The key of a device.
        """
        return await self._call("DELETE", f"/v1/users/{segment(username)}/devices/{segment(key)}", no_content)

    async def disable_user(self, username: str) -> UserChanged:
        """Disable a user.

        Prevents the user from signing in and revokes all tokens of the user at the user pool and, with the
        session gate, at services that check revocations. The status stays unchanged. Disabling a disabled user
        changes nothing in the user pool. Callers cannot disable themselves.

        Permission: `users:state`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("POST", f"/v1/users/{segment(username)}/disable", UserChanged.from_dict)

    async def enable_user(self, username: str) -> UserChanged:
        """Enable a user.

        Allows a disabled user to sign in again. The status stays unchanged. Enabling an enabled user changes
        nothing.

        Permission: `users:state`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("POST", f"/v1/users/{segment(username)}/enable", UserChanged.from_dict)

    async def list_user_groups(self, username: str) -> UserGroups:
        """List a user's groups.

        Returns the names of all groups of the user.

        Permission: `users:groups`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("GET", f"/v1/users/{segment(username)}/groups", UserGroups.from_dict)

    async def add_user_to_group(self, username: str, group: str) -> None:
        """Add a user to a group.

        The path takes the user name or the `sub`, not an alias. Callers cannot add themselves. The caller must be
        allowed to assign the group and must have all permissions that it grants. A group with an IAM role also
        requires `groups:roles`. Repeating the request changes nothing.

        Permission: `users:groups`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            group: The name of a group.
        """
        return await self._call("PUT", f"/v1/users/{segment(username)}/groups/{segment(group)}", no_content)

    async def remove_user_from_group(self, username: str, group: str) -> None:
        """Remove a user from a group.

        The path takes the user name or the `sub`, not an alias. Callers cannot remove themselves. The caller must
        be allowed to assign the group. The user's tokens contain the group until they expire, but this API reads
        the groups from the user pool before every write. With the session gate, services that check revocations
        deny these tokens. A refresh, from the next second on, returns valid tokens without the group. Repeating
        the request changes nothing else.

        Permission: `users:groups`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            group: The name of a group.
        """
        return await self._call("DELETE", f"/v1/users/{segment(username)}/groups/{segment(group)}", no_content)

    async def link_user_identity(self, username: str, provider: str, *, user_id: str) -> LinkedIdentity:
        """Link an identity to a user.

        The owner of the identity signs in as this user from now on. Returns `forbidden` if the user has
        permissions that the caller lacks, and `wrong-state` if the user has another identity at the provider or
        is a federated user. Linking a linked identity changes nothing. Callers cannot change their own account
        with this route.

        Permission: `users:update`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            provider: The name of an external identity provider of the user pool.
            user_id: The subject of the provider's tokens (OIDC), or the `NameID` of its assertions (SAML).
        """
        return await self._call(
            "PUT",
            f"/v1/users/{segment(username)}/identities/{segment(provider)}",
            LinkedIdentity.from_dict,
            body={"user_id": user_id},
        )

    async def unlink_user_identity(self, username: str, provider: str) -> None:
        """Unlink a user's identity.

        The next sign-in with the identity creates a separate user. If several identities at the provider are
        linked, which this API does not allow, all of them are unlinked.

        Permission: `users:update`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            provider: The name of an external identity provider of the user pool.
        """
        return await self._call("DELETE", f"/v1/users/{segment(username)}/identities/{segment(provider)}", no_content)

    async def get_user_mfa(self, username: str) -> Mfa:
        """Get a user's second factors.

        Returns the enabled factors. Factors that are set up but not enabled are not included.

        Permission: `users:mfa`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("GET", f"/v1/users/{segment(username)}/mfa", Mfa.from_dict)

    async def set_user_mfa(self, username: str, *, enabled: list[Factor], preferred: Factor | None = None) -> Mfa:
        """Set a user's second factors.

        Enables exactly these factors. Returns `wrong-state` if the user has not set up a factor (no verified
        phone number, no authenticator app) or the pool does not offer it. Callers cannot change their own account
        with this route.

        Permission: `users:mfa`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            enabled: The factors to enable, without duplicates. All other factors are disabled.
            preferred: The preferred factor, one of `enabled`. If absent, a user with several factors chooses a
                factor at each sign-in.
        """
        return await self._call(
            "PUT",
            f"/v1/users/{segment(username)}/mfa",
            Mfa.from_dict,
            body={"enabled": enabled, "preferred": preferred},
        )

    async def set_user_password(self, username: str, *, password: str, permanent: bool = False) -> None:
        """Set a user's password.

        A permanent password sets the status to `CONFIRMED`, a temporary password to `FORCE_CHANGE_PASSWORD`. With
        the session gate, all sessions of the user end, even if Cognito rejects the password. A sign-in in the
        same second ends as well. Callers cannot change their own account with this route.

        Permission: `users:password`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
            password: A password that meets the pool's policy. Never logged or returned.
            permanent: Whether the password is permanent. The user must change a temporary password at the next
                sign-in.
        """
        return await self._call(
            "PUT",
            f"/v1/users/{segment(username)}/password",
            no_content,
            body={"password": password, "permanent": permanent},
        )

    async def resend_user_invitation(self, username: str) -> User:
        """Resend a user's welcome message.

        Sends the welcome message (AWS: the invitation message of `AdminCreateUser`) again, with a new temporary
        password that is valid for as long as the first password. This also helps users whose temporary password
        has expired. Returns `wrong-state` if the status is not `FORCE_CHANGE_PASSWORD`. Each request sends
        another message. Callers cannot resend their own message, because it would replace their password.

        Permission: `users:create`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("POST", f"/v1/users/{segment(username)}/resend-invitation", User.from_dict)

    async def reset_user_password(self, username: str) -> PasswordReset:
        """Reset a user's password.

        Invalidates the password and sends a code to the user's verified e-mail address or phone number. The user
        sets a new password with this code (`POST /v1/auth/reset-password`). Each request sends another code. With
        the session gate, all sessions of the user end, even if Cognito rejects the reset. Returns `wrong-state`
        if the user has no verified e-mail address or phone number, or if the status does not allow a reset.

        Permission: `users:password`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("POST", f"/v1/users/{segment(username)}/reset-password", PasswordReset.from_dict)

    async def sign_out_user(self, username: str) -> SignedOut:
        """Sign a user out.

        Ends all sign-ins of the user. With the session gate, the tokens end immediately at services that check
        revocations, and a sign-in in the same second ends as well. The response lists the revoked credentials,
        and those that are still valid.

        Permission: `users:sessions`.

        Args:
            username: A user name, or an alias if the pool allows aliases.
        """
        return await self._call("POST", f"/v1/users/{segment(username)}/sign-out", SignedOut.from_dict)
