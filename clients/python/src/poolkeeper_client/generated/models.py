"""Generated from docs/openapi.json by `make clients`. Do not edit.

A later version of the API can return values that the `Literal` types do not contain.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

from attrs import define, field

from .._encoding import list_of, optional, parse_timestamp, present

ChallengeName: TypeAlias = Literal[
    "EMAIL_OTP", "MFA_SETUP", "NEW_PASSWORD_REQUIRED", "SELECT_MFA_TYPE", "SMS_MFA", "SOFTWARE_TOKEN_MFA"
]
"""The challenges that can be answered, as Cognito names them."""

CreateUploadType: TypeAlias = Literal["import", "restore"]
"""The types of jobs that read a file."""

ErrorCode: TypeAlias = Literal[
    "alias-exists",
    "body-too-large",
    "code-expired",
    "code-mismatch",
    "deadline-exceeded",
    "device-not-found",
    "forbidden",
    "group-exists",
    "group-not-found",
    "identity-not-found",
    "insufficient-scope",
    "internal",
    "invalid-credentials",
    "invalid-password",
    "invalid-request",
    "job-not-found",
    "jobs-unavailable",
    "mail-quota-exceeded",
    "method-not-allowed",
    "mfa-required",
    "not-found",
    "not-supported-by-endpoint",
    "password-reset-required",
    "revocations-unavailable",
    "role-not-passable",
    "sign-up-refused",
    "throttled",
    "unauthenticated",
    "unsupported-challenge",
    "unsupported-media-type",
    "upstream-unavailable",
    "user-exists",
    "user-not-confirmed",
    "user-not-found",
    "wrong-state",
]
"""The stable code of an error. Later versions can add codes."""

Factor: TypeAlias = Literal["EMAIL_OTP", "SMS_MFA", "SOFTWARE_TOKEN_MFA"]
"""A second factor."""

ImportFormat: TypeAlias = Literal["csv", "json-lines"]
"""The format of a file of users."""

JobError: TypeAlias = Literal[
    "backup-failed",
    "expired",
    "forbidden",
    "incomplete",
    "internal",
    "invalid-file",
    "mail-quota",
    "rejected",
    "timed-out",
    "too-large",
    "unavailable",
]
"""Why an attempt failed. Later versions can add values."""

JobStatus: TypeAlias = Literal["failed", "running", "stopped", "succeeded"]
"""The state of a job."""

JobType: TypeAlias = Literal["backup", "export", "import", "restore"]
"""What a job does."""

ListUsersStatus: TypeAlias = Literal[
    "ARCHIVED",
    "COMPROMISED",
    "CONFIRMED",
    "EXTERNAL_PROVIDER",
    "FORCE_CHANGE_PASSWORD",
    "RESET_REQUIRED",
    "UNCONFIRMED",
    "UNKNOWN",
]

NextAction: TypeAlias = Literal[
    "answer-challenge", "confirm", "enable", "password", "resend-invitation", "reset-password"
]
"""An action that brings a user closer to signing in. Each name is the name of a route of the admin API."""

Permission: TypeAlias = Literal[
    "groups:read",
    "groups:roles",
    "groups:write",
    "invitations:create",
    "jobs:read",
    "jobs:write",
    "pool:read",
    "pool:revoke",
    "users:create",
    "users:delete",
    "users:groups",
    "users:mfa",
    "users:password",
    "users:read",
    "users:sessions",
    "users:state",
    "users:update",
]

SendAttributeCodeName: TypeAlias = Literal["email", "phone_number"]
"""The attribute in the path, to which codes can be sent."""

State: TypeAlias = Literal[
    "active",
    "awaiting-confirmation",
    "disabled",
    "federated",
    "invitation-expired",
    "invited",
    "reset-required",
    "unknown",
]
"""The state of a user."""

VerifyAttributeName: TypeAlias = Literal["email", "phone_number"]
"""The attribute in the path, to which codes can be sent."""

WelcomeMessage: TypeAlias = Literal["send", "suppress"]


@define(kw_only=True)
class AttributeCodeSent:
    """The destination of the code.

    Attributes:
        code_sent_to: Null if the user pool does not report the destination.
    """

    code_sent_to: CodeDelivery | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AttributeCodeSent:
        return cls(code_sent_to=optional(CodeDelivery.from_dict)(data["code_sent_to"]))


@define(kw_only=True)
class AuthenticatorSecret:
    """The secret for an authenticator app.

    Attributes:
        secret: The TOTP secret in base32, for manual entry.
        uri: The secret, issuer and account as an `otpauth` URI, for a QR code.
    """

    secret: str = field(repr=False)
    uri: str = field(repr=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AuthenticatorSecret:
        return cls(secret=data["secret"], uri=data["uri"])


@define(kw_only=True)
class AuthEvent:
    """A sign-in, a sign-up, or a change or reset of a password. The values come from Cognito, and AWS can add
    new values.

    Attributes:
        kind: `SignIn`, `SignUp`, `ForgotPassword`, `PasswordChange` or `ResendCode`.
        outcome: `Pass`, `Fail` or `InProgress`.
        risk_decision: `NoRisk`, `AccountTakeover` or `Block`.
        risk_level: `Low`, `Medium` or `High`.
        device_name: The device, as its browser reports it.
    """

    id: str
    kind: str | None
    at: datetime | None
    outcome: str | None
    risk_decision: str | None
    risk_level: str | None
    ip_address: str | None
    city: str | None
    country: str | None
    device_name: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AuthEvent:
        return cls(
            id=data["id"],
            kind=data["kind"],
            at=optional(parse_timestamp)(data["at"]),
            outcome=data["outcome"],
            risk_decision=data["risk_decision"],
            risk_level=data["risk_level"],
            ip_address=data["ip_address"],
            city=data["city"],
            country=data["country"],
            device_name=data["device_name"],
        )


@define(kw_only=True)
class AuthEvents:
    """A page of events.

    Attributes:
        events: Newest first.
        next_cursor: The cursor of the next page; null on the last page.
    """

    events: list[AuthEvent]
    next_cursor: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> AuthEvents:
        return cls(events=list_of(AuthEvent.from_dict)(data["events"]), next_cursor=data["next_cursor"])


@define(kw_only=True)
class BeginMfaSetup:
    """Starts the setup of an authenticator app. The response is a challenge `MFA_SETUP` with the TOTP secret.

    Attributes:
        username: A user name, or an alias if the pool allows aliases.
        session: The `session` of the challenge. Valid for a few minutes and for one correct answer.
    """

    challenge: Literal["MFA_SETUP"] = "MFA_SETUP"
    username: str
    session: str = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        return present({"challenge": self.challenge, "username": self.username, "session": self.session})


@define(kw_only=True)
class CallerMfa:
    """The second factor of the caller.

    Attributes:
        required: Whether the deployment requires a second factor of the caller.
        missing: Whether the caller lacks the required second factor. Other admin routes then return
            `mfa-required`.
    """

    required: bool
    missing: bool

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CallerMfa:
        return cls(required=data["required"], missing=data["missing"])


@define(kw_only=True)
class Challenge:
    """A challenge that must be answered before tokens are issued. Answer it with `POST /v1/auth/challenge`.

    Attributes:
        name: The challenges that can be answered, as Cognito names them.
        session: Must be sent with the answer. Valid for a few minutes.
        username: The user name, never an alias. Must be sent with the answer.
        missing_attributes: Required attributes that the user lacks.
        factors: The second factors to choose from.
        code_sent_to: The destination of the code; null if no code was sent.
        authenticator_secret: The TOTP secret; null unless an authenticator app is being set up.
    """

    name: ChallengeName
    session: str | None = field(repr=False)
    username: str
    missing_attributes: list[str]
    factors: list[Factor]
    code_sent_to: CodeDelivery | None
    authenticator_secret: str | None = field(repr=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Challenge:
        return cls(
            name=data["name"],
            session=data["session"],
            username=data["username"],
            missing_attributes=data["missing_attributes"],
            factors=data["factors"],
            code_sent_to=optional(CodeDelivery.from_dict)(data["code_sent_to"]),
            authenticator_secret=data["authenticator_secret"],
        )


@define(kw_only=True)
class CodeAnswer:
    """The code of a second factor.

    Attributes:
        challenge: A second factor.
        username: A user name, or an alias if the pool allows aliases.
        session: The `session` of the challenge. Valid for a few minutes and for one correct answer.
        code: The code from the message or the authenticator app.
    """

    challenge: Factor
    username: str
    session: str = field(repr=False)
    code: str = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        return present(
            {"challenge": self.challenge, "username": self.username, "session": self.session, "code": self.code}
        )


@define(kw_only=True)
class CodeDelivery:
    """The destination of a code.

    Attributes:
        medium: `EMAIL` or `SMS`.
        destination: The address or number, masked by Cognito, e.g. `m***@e***`.
        attribute: The attribute that the code verifies, e.g. `email`, if any.
    """

    medium: str
    destination: str
    attribute: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CodeDelivery:
        return cls(medium=data["medium"], destination=data["destination"], attribute=data["attribute"])


@define(kw_only=True)
class CodeSent:
    """The destination of a code. The response for an unknown user has the same form.

    Attributes:
        code_sent_to: The destination is simulated or null if the user does not exist.
    """

    code_sent_to: CodeDelivery | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> CodeSent:
        return cls(code_sent_to=optional(CodeDelivery.from_dict)(data["code_sent_to"]))


@define(kw_only=True)
class Device:
    """A device.

    Attributes:
        attributes: The attributes, e.g. `device_name`, `last_ip_used`.
        created_at: When Cognito first recorded the device.
        last_signed_in_at: When the user last signed in with the device.
    """

    key: str
    attributes: dict[str, str]
    created_at: datetime | None
    last_signed_in_at: datetime | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Device:
        return cls(
            key=data["key"],
            attributes=data["attributes"],
            created_at=optional(parse_timestamp)(data["created_at"]),
            last_signed_in_at=optional(parse_timestamp)(data["last_signed_in_at"]),
        )


@define(kw_only=True)
class Devices:
    """A page of devices.

    Attributes:
        next_cursor: The cursor of the next page; null on the last page.
    """

    devices: list[Device]
    next_cursor: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Devices:
        return cls(devices=list_of(Device.from_dict)(data["devices"]), next_cursor=data["next_cursor"])


@define(kw_only=True)
class ExportProgress:
    """The progress of an export or backup. Memberships are read before the users.

    Attributes:
        rows: The number of exported users.
        estimated_rows: The number of all users, as Cognito estimates it; 0 until the memberships are read.
    """

    rows: int
    estimated_rows: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ExportProgress:
        return cls(rows=data["rows"], estimated_rows=data["estimated_rows"])


@define(kw_only=True)
class FactorAnswer:
    """The second factor to use.

    Attributes:
        username: A user name, or an alias if the pool allows aliases.
        session: The `session` of the challenge. Valid for a few minutes and for one correct answer.
        factor: One of the `factors` of the challenge.
    """

    challenge: Literal["SELECT_MFA_TYPE"] = "SELECT_MFA_TYPE"
    username: str
    session: str = field(repr=False)
    factor: Factor

    def to_dict(self) -> dict[str, Any]:
        return present(
            {"challenge": self.challenge, "username": self.username, "session": self.session, "factor": self.factor}
        )


@define(kw_only=True)
class FinishMfaSetup:
    """Finishes the setup with a code from the authenticator app.

    Attributes:
        username: A user name, or an alias if the pool allows aliases.
        session: The session that was returned with the secret.
        code: The code that an authenticator app shows.
        device_name: The user's name for the device.
    """

    challenge: Literal["MFA_SETUP"] = "MFA_SETUP"
    username: str
    session: str = field(repr=False)
    code: str = field(repr=False)
    device_name: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return present(
            {
                "challenge": self.challenge,
                "username": self.username,
                "session": self.session,
                "code": self.code,
                "device_name": self.device_name,
            }
        )


@define(kw_only=True)
class GatewayMessage:
    """The body of an error response from API Gateway itself. The wording can change."""

    message: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GatewayMessage:
        return cls(message=data["message"])


@define(kw_only=True)
class Group:
    """A group.

    Attributes:
        name: The immutable name.
        description: The purpose of the group.
        precedence: The group with the lowest value determines the preferred IAM role of a user in several
            groups.
        role_arn: The IAM role that members can assume through an identity pool.
    """

    name: str
    description: str | None
    precedence: int | None
    role_arn: str | None
    created_at: datetime
    modified_at: datetime

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Group:
        return cls(
            name=data["name"],
            description=data["description"],
            precedence=data["precedence"],
            role_arn=data["role_arn"],
            created_at=parse_timestamp(data["created_at"]),
            modified_at=parse_timestamp(data["modified_at"]),
        )


@define(kw_only=True)
class GroupMembers:
    """A page of the users in a group.

    Attributes:
        next_cursor: The cursor of the next page; null on the last page. An empty page is not necessarily
            the last page.
    """

    users: list[User]
    next_cursor: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GroupMembers:
        return cls(users=list_of(User.from_dict)(data["users"]), next_cursor=data["next_cursor"])


@define(kw_only=True)
class Groups:
    """A page of groups.

    Attributes:
        next_cursor: The cursor of the next page; null on the last page.
    """

    groups: list[Group]
    next_cursor: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Groups:
        return cls(groups=list_of(Group.from_dict)(data["groups"]), next_cursor=data["next_cursor"])


@define(kw_only=True)
class IamCaller:
    """IamCaller"""

    arn: str
    permissions: list[Permission]
    kind: Literal["iam"] = "iam"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> IamCaller:
        return cls(arn=data["arn"], permissions=data["permissions"], kind=data["kind"])


@define(kw_only=True)
class ImportOptions:
    """What an import can change. By default, an import only creates users."""

    update: bool
    trust_user_names: bool
    create_groups: bool
    dry_run: bool

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ImportOptions:
        return cls(
            update=data["update"],
            trust_user_names=data["trust_user_names"],
            create_groups=data["create_groups"],
            dry_run=data["dry_run"],
        )


@define(kw_only=True)
class Invitation:
    """An invitation to sign up.

    Attributes:
        id: Identifies the invitation in the audit log and in the token (`jti`).
        email: The normalized address of the invited user: A–Z in lower case, the domain in ASCII.
        user_pool_id: The user pool that accepts the invitation.
        expires_at: The time from which the invitation is invalid.
        invitation: The signed token. It is secret and not returned again. Pass it at sign-up as
            `invitation` in `client_metadata` or `validation_data` (Cognito's `ClientMetadata` and
            `ValidationData`).
    """

    id: str
    email: str
    user_pool_id: str
    issued_at: datetime
    expires_at: datetime
    invitation: str = field(repr=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Invitation:
        return cls(
            id=data["id"],
            email=data["email"],
            user_pool_id=data["user_pool_id"],
            issued_at=parse_timestamp(data["issued_at"]),
            expires_at=parse_timestamp(data["expires_at"]),
            invitation=data["invitation"],
        )


@define(kw_only=True)
class Job:
    """A job.

    Attributes:
        id: The id of a job and of its files.
        type_: What a job does.
        status: The status of the latest attempt. It can be a few seconds old.
        format_: The format of the file; null unless the type is `import`.
        options: What the import or restore can change; null for other jobs.
        backup: The backup that is restored; null for other jobs, and for the restore of an uploaded
            archive.
        mfa: Whether the second factors of each user are read; null unless the type is `export` or `backup`.
        requested_by: The user name of the caller who started the job, or `schedule`.
        requested_at: When the job was first started.
        attempts: The number of attempts: 1, and 1 for each restart.
        started_at: When the latest attempt started.
        ended_at: When the latest attempt ended; null while the job runs.
        error: Why the latest attempt failed; null unless the status is `failed`.
    """

    id: str
    type_: JobType
    status: JobStatus
    format_: ImportFormat | None
    options: ImportOptions | None
    backup: str | None
    mfa: bool | None
    requested_by: str
    requested_at: datetime
    attempts: int
    started_at: datetime
    ended_at: datetime | None
    error: JobError | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        return cls(
            id=data["id"],
            type_=data["type"],
            status=data["status"],
            format_=data["format"],
            options=optional(ImportOptions.from_dict)(data["options"]),
            backup=data["backup"],
            mfa=data["mfa"],
            requested_by=data["requested_by"],
            requested_at=parse_timestamp(data["requested_at"]),
            attempts=data["attempts"],
            started_at=parse_timestamp(data["started_at"]),
            ended_at=optional(parse_timestamp)(data["ended_at"]),
            error=data["error"],
        )


@define(kw_only=True)
class JobDetails:
    """A job with its progress and its summary.

    Attributes:
        attempts: The number of attempts: 1, and 1 for each restart.
        ended_at: When the latest attempt ended; null while the job runs.
        id: The id of a job and of its files.
        mfa: Whether the second factors of each user are read; null unless the type is `export` or `backup`.
        requested_at: When the job was first started.
        requested_by: The user name of the caller who started the job, or `schedule`.
        started_at: When the latest attempt started.
        status: The state of a job.
        type_: What a job does.
    """

    attempts: int
    backup: str | None
    ended_at: datetime | None
    error: JobError | None
    format_: ImportFormat | None
    id: str
    mfa: bool | None
    options: ImportOptions | None
    requested_at: datetime
    requested_by: str
    started_at: datetime
    status: JobStatus
    type_: JobType
    exported: ExportProgress | None
    progress: JobProgress | None
    summary: JobSummary | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobDetails:
        return cls(
            attempts=data["attempts"],
            backup=data["backup"],
            ended_at=optional(parse_timestamp)(data["ended_at"]),
            error=data["error"],
            format_=data["format"],
            id=data["id"],
            mfa=data["mfa"],
            options=optional(ImportOptions.from_dict)(data["options"]),
            requested_at=parse_timestamp(data["requested_at"]),
            requested_by=data["requested_by"],
            started_at=parse_timestamp(data["started_at"]),
            status=data["status"],
            type_=data["type"],
            exported=optional(ExportProgress.from_dict)(data["exported"]),
            progress=optional(JobProgress.from_dict)(data["progress"]),
            summary=optional(JobSummary.from_dict)(data["summary"]),
        )


@define(kw_only=True)
class JobProgress:
    """The progress of an import. Several chunks of the file are imported at the same time.

    Attributes:
        rows: The number of rows of the file.
        chunks: The number of chunks.
        done: The number of chunks whose rows all have results.
    """

    rows: int
    chunks: int
    done: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobProgress:
        return cls(rows=data["rows"], chunks=data["chunks"], done=data["done"])


@define(kw_only=True)
class JobResultFile:
    """The results of consecutive rows, consecutive users of an export, or the archive of a backup.

    Attributes:
        first_line: The line of the first row in the uploaded file, or the number of the first user, from 1.
            Null for an archive.
        url: A presigned URL of Amazon S3 for `GET`, without the access token. It is secret, because anyone
            with the URL can read the file. The file of an import or export contains one JSON object per row or
            user. The file of a backup is a tar archive.
    """

    first_line: int | None
    url: str = field(repr=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobResultFile:
        return cls(first_line=data["first_line"], url=data["url"])


@define(kw_only=True)
class JobResults:
    """A page of files with results.

    Attributes:
        results: The files, in the order of the rows.
        expires_at: When the URLs expire.
        next_cursor: The cursor of the next page; null on the last page.
    """

    results: list[JobResultFile]
    expires_at: datetime
    next_cursor: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobResults:
        return cls(
            results=list_of(JobResultFile.from_dict)(data["results"]),
            expires_at=parse_timestamp(data["expires_at"]),
            next_cursor=data["next_cursor"],
        )


@define(kw_only=True)
class Jobs:
    """A page of jobs.

    Attributes:
        next_cursor: The cursor of the next page; null on the last page. It expires after a day.
    """

    jobs: list[Job]
    next_cursor: str | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Jobs:
        return cls(jobs=list_of(Job.from_dict)(data["jobs"]), next_cursor=data["next_cursor"])


@define(kw_only=True)
class JobSummary:
    """The numbers of rows of an imported file, or of exported users.

    Attributes:
        rows: The number of all rows or users.
        outcomes: The number of rows by outcome: `created`, `updated`, `unchanged`, `skipped` or `failed`.
            Empty for an export.
        codes: The number of skipped and failed rows by code. Empty for an export.
        not_moved: The parts of users that the import did not set, or that an import of the exported users
            cannot set, such as `password`.
    """

    rows: int
    outcomes: dict[str, int]
    codes: dict[str, int]
    not_moved: list[str]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobSummary:
        return cls(rows=data["rows"], outcomes=data["outcomes"], codes=data["codes"], not_moved=data["not_moved"])


@define(kw_only=True)
class JobUpload:
    """The request that uploads a file.

    Attributes:
        id: The id for `upload` in `POST /v1/jobs`.
        method: The method of the request.
        url: The URL of the request. It is secret, because anyone with the URL can upload the file.
        headers: The headers that the request must contain.
        expires_at: When the URL expires.
    """

    id: str
    method: str
    url: str = field(repr=False)
    headers: dict[str, str]
    expires_at: datetime

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobUpload:
        return cls(
            id=data["id"],
            method=data["method"],
            url=data["url"],
            headers=data["headers"],
            expires_at=parse_timestamp(data["expires_at"]),
        )


@define(kw_only=True)
class LifeCycle:
    """The state that results from `status` and `enabled`.

    Attributes:
        state: The state.
        can_sign_in: Whether a sign-in with the correct password, or through the provider for a federated
            user, results in tokens or a challenge.
        temporary_password_expires_at: The latest time at which the temporary password expires. Null if the
            user has no temporary password or its validity is unknown. The time is calculated from the last
            change of the user, because Cognito does not report when the password was set.
        next_actions: The actions that allow the user to continue. Empty if no action is required or known.
    """

    state: State
    can_sign_in: bool
    temporary_password_expires_at: datetime | None
    next_actions: list[NextAction]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LifeCycle:
        return cls(
            state=data["state"],
            can_sign_in=data["can_sign_in"],
            temporary_password_expires_at=optional(parse_timestamp)(data["temporary_password_expires_at"]),
            next_actions=data["next_actions"],
        )


@define(kw_only=True)
class LinkedIdentity:
    """An identity that is linked to a user.

    Attributes:
        username: The user name, never an alias.
        provider: The name of an external identity provider of the user pool.
        changed: Whether this request linked the identity.
    """

    username: str
    provider: str
    user_id: str
    changed: bool

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LinkedIdentity:
        return cls(
            username=data["username"], provider=data["provider"], user_id=data["user_id"], changed=data["changed"]
        )


@define(kw_only=True)
class Mfa:
    """The second factors of a user.

    Attributes:
        username: The user name. For `GET`, as in the path.
        enabled: The enabled factors.
        preferred: The preferred factor. Null if the user has no factor or chooses a factor at each sign-in.
    """

    username: str
    enabled: list[Factor]
    preferred: Factor | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Mfa:
        return cls(username=data["username"], enabled=data["enabled"], preferred=data["preferred"])


@define(kw_only=True)
class Myself:
    """The owner of an access token.

    Attributes:
        username: The user name, never an alias.
        sub: The user's id, which is never reused.
        attributes: All attributes except `sub`.
        factors: The enabled second factors.
        preferred_factor: The second factor that is requested at sign-in.
    """

    username: str
    sub: str | None
    attributes: dict[str, str]
    factors: list[Factor]
    preferred_factor: Factor | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Myself:
        return cls(
            username=data["username"],
            sub=data["sub"],
            attributes=data["attributes"],
            factors=data["factors"],
            preferred_factor=data["preferred_factor"],
        )


@define(kw_only=True)
class NewPasswordAnswer:
    """The new permanent password.

    Attributes:
        username: A user name, or an alias if the pool allows aliases.
        session: The `session` of the challenge. Valid for a few minutes and for one correct answer.
        new_password: A password that meets the pool's policy. Never logged or returned.
        attributes: Values for the `missing_attributes` of the challenge.
    """

    challenge: Literal["NEW_PASSWORD_REQUIRED"] = "NEW_PASSWORD_REQUIRED"
    username: str
    session: str = field(repr=False)
    new_password: str = field(repr=False)
    attributes: dict[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        return present(
            {
                "challenge": self.challenge,
                "username": self.username,
                "session": self.session,
                "new_password": self.new_password,
                "attributes": self.attributes,
            }
        )


@define(kw_only=True)
class PasswordPolicy:
    """The password policy.

    Attributes:
        minimum_length: The minimum number of characters.
        temporary_password_validity_days: Validity of temporary passwords in days.
    """

    minimum_length: int
    require_lowercase: bool
    require_uppercase: bool
    require_numbers: bool
    require_symbols: bool
    temporary_password_validity_days: int

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PasswordPolicy:
        return cls(
            minimum_length=data["minimum_length"],
            require_lowercase=data["require_lowercase"],
            require_uppercase=data["require_uppercase"],
            require_numbers=data["require_numbers"],
            require_symbols=data["require_symbols"],
            temporary_password_validity_days=data["temporary_password_validity_days"],
        )


@define(kw_only=True)
class PasswordReset:
    """The user whose password is reset.

    Attributes:
        username: The user name, never an alias.
        status: `RESET_REQUIRED`.
    """

    username: str
    status: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PasswordReset:
        return cls(username=data["username"], status=data["status"])


@define(kw_only=True)
class Pool:
    """The settings of the user pool.

    Attributes:
        estimated_users: The approximate number of users.
        username_attributes: Attributes that users sign in with instead of a user name; empty if they sign
            in with a user name.
        aliases: Attributes that users can sign in with in addition to the user name.
        auto_verified: Attributes that Cognito verifies by sending a code.
        mfa: Whether sign-ins request a second factor: `OFF`, `ON` or `OPTIONAL`.
        self_sign_up: Whether users can sign themselves up.
        case_sensitive: Whether user names are case-sensitive, so that `Mia` and `mia` are two users.
        deletion_protection: Whether Cognito rejects the deletion of the pool.
        password_policy: The password policy.
        attributes: The attributes that users can have.
    """

    id: str
    name: str
    arn: str | None
    estimated_users: int
    username_attributes: list[str]
    aliases: list[str]
    auto_verified: list[str]
    mfa: str
    self_sign_up: bool
    case_sensitive: bool
    deletion_protection: bool
    password_policy: PasswordPolicy
    attributes: list[PoolAttribute]
    created_at: datetime | None
    modified_at: datetime | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pool:
        return cls(
            id=data["id"],
            name=data["name"],
            arn=data["arn"],
            estimated_users=data["estimated_users"],
            username_attributes=data["username_attributes"],
            aliases=data["aliases"],
            auto_verified=data["auto_verified"],
            mfa=data["mfa"],
            self_sign_up=data["self_sign_up"],
            case_sensitive=data["case_sensitive"],
            deletion_protection=data["deletion_protection"],
            password_policy=PasswordPolicy.from_dict(data["password_policy"]),
            attributes=list_of(PoolAttribute.from_dict)(data["attributes"]),
            created_at=optional(parse_timestamp)(data["created_at"]),
            modified_at=optional(parse_timestamp)(data["modified_at"]),
        )


@define(kw_only=True)
class PoolAttribute:
    """An attribute that users can have.

    Attributes:
        name: The name with its prefix, e.g. `email` or `custom:team`.
        kind: `String`, `Number`, `DateTime` or `Boolean`.
        required: Whether every user must have the attribute.
        mutable: Whether the attribute can be changed after it is set.
    """

    name: str
    kind: str
    required: bool
    mutable: bool

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PoolAttribute:
        return cls(name=data["name"], kind=data["kind"], required=data["required"], mutable=data["mutable"])


@define(kw_only=True)
class Problem:
    """Problem details (RFC 9457). `type` and `title` depend on `code` alone.

    Attributes:
        type_: The code as a URI.
        title: The meaning of the code. The wording can change.
        status: The HTTP status.
        code: The stable code, for programs.
        detail: The reason in this case. The wording can change.
        request_id: The request id, as in the logs of API Gateway and of the function.
        completed: The steps of the request that took effect.
        differing: The fields in which the existing user differs from the request.
        failed: The step that failed, or `answer` if all steps took effect and no time was left to read the
            result.
        field: The invalid part of the request: a path into the body, or the name of a parameter.
        next_actions: The requests to send next, in order.
    """

    type_: str
    title: str
    status: int
    code: ErrorCode
    detail: str
    request_id: str
    completed: list[str] | None = None
    differing: list[str] | None = None
    failed: str | None = None
    field: str | None = None
    next_actions: list[str] | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Problem:
        return cls(
            type_=data["type"],
            title=data["title"],
            status=data["status"],
            code=data["code"],
            detail=data["detail"],
            request_id=data["request_id"],
            completed=data.get("completed"),
            differing=data.get("differing"),
            failed=data.get("failed"),
            field=data.get("field"),
            next_actions=data.get("next_actions"),
        )


@define(kw_only=True)
class Refreshed:
    """The new tokens.

    Attributes:
        tokens: Tokens of an authenticated user.
    """

    tokens: Tokens

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Refreshed:
        return cls(tokens=Tokens.from_dict(data["tokens"]))


@define(kw_only=True)
class RestoreArchive:
    """Creates groups and users from an uploaded archive. By default, it changes no existing group or user.

    Attributes:
        archive: The `id` in the response of `POST /v1/jobs/uploads` for a restore. It becomes the id of the
            job.
        dry_run: Whether only reads are made. The results then contain what would happen. An uploaded
            archive is deleted.
        trust_user_names: Whether existing users are changed even if they share no verified e-mail address
            or phone number with the archive.
        update: Whether existing groups and users that differ from the archive are changed.
    """

    type_: Literal["restore"] = "restore"
    archive: str
    dry_run: bool = False
    trust_user_names: bool = False
    update: bool = False

    def to_dict(self) -> dict[str, Any]:
        return present(
            {
                "type": self.type_,
                "archive": self.archive,
                "dry_run": self.dry_run,
                "trust_user_names": self.trust_user_names,
                "update": self.update,
            }
        )


@define(kw_only=True)
class RestoreBackup:
    """Creates groups and users from a backup of this stack. By default, it changes no existing group or user.

    Attributes:
        backup: The id of a backup that succeeded, whose archive still exists.
        dry_run: Whether only reads are made. The results then contain what would happen.
        trust_user_names: Whether existing users are changed even if they share no verified e-mail address
            or phone number with the archive.
        update: Whether existing groups and users that differ from the archive are changed.
    """

    type_: Literal["restore"] = "restore"
    backup: str
    dry_run: bool = False
    trust_user_names: bool = False
    update: bool = False

    def to_dict(self) -> dict[str, Any]:
        return present(
            {
                "type": self.type_,
                "backup": self.backup,
                "dry_run": self.dry_run,
                "trust_user_names": self.trust_user_names,
                "update": self.update,
            }
        )


@define(kw_only=True)
class RevokedCredential:
    """A revoked credential."""

    token: str
    where: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RevokedCredential:
        return cls(token=data["token"], where=data["where"])


@define(kw_only=True)
class SignedOut:
    """The credentials that a sign-out revoked, and those that are still valid."""

    revoked: list[RevokedCredential]
    still_valid: list[ValidCredential]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SignedOut:
        return cls(
            revoked=list_of(RevokedCredential.from_dict)(data["revoked"]),
            still_valid=list_of(ValidCredential.from_dict)(data["still_valid"]),
        )


@define(kw_only=True)
class SignedUp:
    """The result of a sign-up.

    Attributes:
        confirmed: Whether the user can sign in immediately.
        code_sent_to: The destination of the code; null if no code was sent.
    """

    sub: str
    confirmed: bool
    code_sent_to: CodeDelivery | None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SignedUp:
        return cls(
            sub=data["sub"],
            confirmed=data["confirmed"],
            code_sent_to=optional(CodeDelivery.from_dict)(data["code_sent_to"]),
        )


@define(kw_only=True)
class SignInChallenge:
    """SignInChallenge

    Attributes:
        challenge: A challenge that must be answered before tokens are issued. Answer it with `POST
            /v1/auth/challenge`.
    """

    challenge: Challenge

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SignInChallenge:
        return cls(challenge=Challenge.from_dict(data["challenge"]))


@define(kw_only=True)
class SignInTokens:
    """SignInTokens

    Attributes:
        tokens: Tokens of an authenticated user.
    """

    tokens: Tokens

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SignInTokens:
        return cls(tokens=Tokens.from_dict(data["tokens"]))


@define(kw_only=True)
class SignOutByAccessToken:
    """Ends all sessions of the access token's owner.

    Attributes:
        access_token: An access or refresh token, as Cognito issued it.
    """

    access_token: str = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        return present({"access_token": self.access_token})


@define(kw_only=True)
class SignOutByRefreshToken:
    """Ends the session of the refresh token.

    Attributes:
        refresh_token: An access or refresh token, as Cognito issued it.
        access_token: An access token of the session. With the session gate, ends the session's access and
            ID tokens as well, because a refresh token does not show its session.
    """

    refresh_token: str = field(repr=False)
    access_token: str | None = field(default=None, repr=False)

    def to_dict(self) -> dict[str, Any]:
        return present({"refresh_token": self.refresh_token, "access_token": self.access_token})


@define(kw_only=True)
class StartBackup:
    """Writes settings, app clients without their secrets, groups and users to an archive.

    Attributes:
        mfa: Whether the second factors of each user are read. Each read counts towards the monthly active
            users.
    """

    type_: Literal["backup"] = "backup"
    mfa: bool = False

    def to_dict(self) -> dict[str, Any]:
        return present({"type": self.type_, "mfa": self.mfa})


@define(kw_only=True)
class StartExport:
    """Writes all users to files.

    Attributes:
        mfa: Whether the second factors of each user are read. Each read counts towards the monthly active
            users.
    """

    type_: Literal["export"] = "export"
    mfa: bool = False

    def to_dict(self) -> dict[str, Any]:
        return present({"type": self.type_, "mfa": self.mfa})


@define(kw_only=True)
class StartImport:
    """Imports an uploaded file. By default, it only creates users.

    Attributes:
        upload: The `id` in the response of `POST /v1/jobs/uploads` for an import. It becomes the id of the
            job.
        format_: The format of a file of users.
        create_groups: Whether missing groups are created.
        dry_run: Whether only reads are made. The results then contain what would happen. A dry run is a job
            of its own: it deletes the file. Upload the file again for the import.
        trust_user_names: Whether existing users are changed even if they share no verified e-mail address
            or phone number with their row.
        update: Whether existing users that differ from their row are changed. Otherwise they are skipped.
    """

    type_: Literal["import"] = "import"
    upload: str
    format_: ImportFormat
    create_groups: bool = False
    dry_run: bool = False
    trust_user_names: bool = False
    update: bool = False

    def to_dict(self) -> dict[str, Any]:
        return present(
            {
                "type": self.type_,
                "upload": self.upload,
                "format": self.format_,
                "create_groups": self.create_groups,
                "dry_run": self.dry_run,
                "trust_user_names": self.trust_user_names,
                "update": self.update,
            }
        )


@define(kw_only=True)
class Tokens:
    """Tokens of an authenticated user.

    Attributes:
        expires_in_seconds: Validity of the access token.
        username: The user name, never an alias. A refresh requires it.
        refresh_token: Absent after a refresh unless the app client rotates refresh tokens.
    """

    access_token: str = field(repr=False)
    id_token: str = field(repr=False)
    expires_in_seconds: int
    token_type: str
    username: str
    refresh_token: str | None = field(default=None, repr=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Tokens:
        return cls(
            access_token=data["access_token"],
            id_token=data["id_token"],
            expires_in_seconds=data["expires_in_seconds"],
            token_type=data["token_type"],
            username=data["username"],
            refresh_token=data.get("refresh_token"),
        )


@define(kw_only=True)
class User:
    """A user.

    Attributes:
        username: The user name, never an alias.
        sub: The immutable id, which is never reused.
        status: The status, as Cognito spells it. Cognito may add new values.
        enabled: Whether the user is enabled. Disabled users cannot sign in.
        life_cycle: The state that results from `status` and `enabled`.
        attributes: The attributes except `sub`. Empty if the caller lacks the permission `users:read`.
    """

    username: str
    sub: str | None
    status: str
    enabled: bool
    life_cycle: LifeCycle
    attributes: dict[str, str]
    created_at: datetime
    modified_at: datetime

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> User:
        return cls(
            username=data["username"],
            sub=data["sub"],
            status=data["status"],
            enabled=data["enabled"],
            life_cycle=LifeCycle.from_dict(data["life_cycle"]),
            attributes=data["attributes"],
            created_at=parse_timestamp(data["created_at"]),
            modified_at=parse_timestamp(data["modified_at"]),
        )


@define(kw_only=True)
class UserCaller:
    """UserCaller

    Attributes:
        assignable_groups: The groups that the caller can assign with `users:groups`; null if the caller can
            assign any group.
        mfa: The second factor of the caller.
    """

    username: str
    sub: str
    groups: list[str]
    permissions: list[Permission]
    assignable_groups: list[str] | None
    mfa: CallerMfa
    kind: Literal["user"] = "user"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> UserCaller:
        return cls(
            username=data["username"],
            sub=data["sub"],
            groups=data["groups"],
            permissions=data["permissions"],
            assignable_groups=data["assignable_groups"],
            mfa=CallerMfa.from_dict(data["mfa"]),
            kind=data["kind"],
        )


@define(kw_only=True)
class UserChanged:
    """The user, and whether this request changed the user.

    Attributes:
        username: The user name, never an alias.
        changed: Whether this request changed the user.
    """

    username: str
    changed: bool

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> UserChanged:
        return cls(username=data["username"], changed=data["changed"])


@define(kw_only=True)
class UserGroups:
    """The groups of a user.

    Attributes:
        groups: The names of all groups of the user.
    """

    groups: list[str]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> UserGroups:
        return cls(groups=data["groups"])


@define(kw_only=True)
class Users:
    """A page of users.

    Attributes:
        next_cursor: The cursor of the next page, which requires the same parameters; null on the last page.
        ended_early: Whether the request stopped before the page was full, because it had read ten pages of
            Cognito or Cognito throttled a call. More users can follow.
    """

    users: list[User]
    next_cursor: str | None
    ended_early: bool

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Users:
        return cls(
            users=list_of(User.from_dict)(data["users"]),
            next_cursor=data["next_cursor"],
            ended_early=data["ended_early"],
        )


@define(kw_only=True)
class UserWithGroups:
    """A user, with groups if requested.

    Attributes:
        attributes: The attributes except `sub`. Empty if the caller lacks the permission `users:read`.
        enabled: Whether the user is enabled. Disabled users cannot sign in.
        life_cycle: The state that results from `status` and `enabled`.
        status: The status, as Cognito spells it. Cognito may add new values.
        sub: The immutable id, which is never reused.
        username: A user name, or an alias if the pool allows aliases.
        groups: The names of all groups of the user. Present with `include=groups`.
    """

    attributes: dict[str, str]
    created_at: datetime
    enabled: bool
    life_cycle: LifeCycle
    modified_at: datetime
    status: str
    sub: str | None
    username: str
    groups: list[str] | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> UserWithGroups:
        return cls(
            attributes=data["attributes"],
            created_at=parse_timestamp(data["created_at"]),
            enabled=data["enabled"],
            life_cycle=LifeCycle.from_dict(data["life_cycle"]),
            modified_at=parse_timestamp(data["modified_at"]),
            status=data["status"],
            sub=data["sub"],
            username=data["username"],
            groups=data.get("groups"),
        )


@define(kw_only=True)
class ValidCredential:
    """A credential that is still valid."""

    token: str
    where: str
    until: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ValidCredential:
        return cls(token=data["token"], where=data["where"], until=data["until"])
