//! `POST /v1/invitations`: signs an invitation, unless the address is the verified address of a user.

mod request;
#[cfg(test)]
mod tests;

use axum::extract::State;
use domain::invitation::{DEFAULT_VALIDITY, Holder, Invitation};
use domain::secret::Secret;
use domain::sign_up::EmailAddress;
use domain::user_pool::error::{Reason, UserPoolError};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use utoipa::ToSchema;

use self::request::{Body, InvitedAddress, Validity};
use crate::app::App;
use crate::audit::record::Audit;
use crate::http::error::ApiError;
use crate::http::json::Json;

// The type contains the token as text, so it does not implement `Debug`.
/// An invitation to sign up.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation, example = Self::example)]
pub(crate) struct Answer {
    /// Identifies the invitation in the audit log and in the token (`jti`).
    #[schema(min_length = 32, max_length = 32, pattern = "^[0-9a-f]+$")]
    id: String,
    /// The normalized address of the invited user: A–Z in lower case, the domain in ASCII.
    email: String,
    /// The user pool that accepts the invitation.
    user_pool_id: String,
    #[serde(with = "time::serde::rfc3339")]
    issued_at: OffsetDateTime,
    /// The time from which the invitation is invalid.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// The signed token. It is secret and not returned again. Pass it at sign-up as `invitation` in `client_metadata`
    /// or `validation_data` (Cognito's `ClientMetadata` and `ValidationData`).
    #[schema(format = Password, max_length = 2048, pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$")]
    invitation: String,
}

impl Answer {
    fn of(invitation: Invitation, token: &Secret) -> Self {
        let Invitation { id, user_pool_id, email, issued_at, expires_at } = invitation;
        let (email, token) = (email.to_string(), token.expose().to_owned());
        Self { id, email, user_pool_id, issued_at, expires_at, invitation: token }
    }

    /// Example for the OpenAPI document.
    fn example() -> Value {
        json!({
            "id": "50d858e0985ecc7f60418aaf0cc5ab58",
            "email": "mia@example.com",
            "user_pool_id": "eu-central-1_Ab12Cd34E",
            "issued_at": "2026-01-07T09:30:00Z",
            "expires_at": "2026-01-14T09:30:00Z",
            "invitation": EXAMPLE_TOKEN,
        })
    }
}

/// A token that is signed with the key of the tests.
const EXAMPLE_TOKEN: &str = concat!(
    "eyJhbGciOiJFZERTQSIsInR5cCI6InBvb2xrZWVwZXItaW52aXRhdGlvbitqd3QifQ.",
    "eyJqdGkiOiI1MGQ4NThlMDk4NWVjYzdmNjA0MThhYWYwY2M1YWI1OCIsImF1ZCI6ImV1LWNlbnRyYWwtMV9BYjEyQ2QzNEUiLCJl",
    "bWFpbCI6Im1pYUBleGFtcGxlLmNvbSIsImlhdCI6MTc2Nzc3ODIwMCwiZXhwIjoxNzY4MzgzMDAwfQ.",
    "YJe5KaxmkucKC-v3fM2PjNZ4soJZxhOcQWgXLYJBWQKtYNfwDbRSnyLPVuTyTwCXUvw_84xhojoEmo8dM7YqBA",
);

/// Create an invitation to sign up
///
/// Signs an invitation for one e-mail address. Poolkeeper does not send it. **Send it only to that address**, because
/// it counts as proof of access to the mailbox. Depending on the sign-up policy, the invited user is confirmed, and the
/// address is verified, without a code. An invitation can be used until it expires. It cannot be revoked individually;
/// a new signing key invalidates all invitations. The request is safe to repeat, and each request creates another
/// invitation.
///
/// Rejects the verified address of an existing user (`alias-exists`), because a sign-up would take the address from
/// that user if addresses are aliases. An unverified address does not prevent the invitation. If users sign in by
/// e-mail, the account with the unverified address must be deleted before the invited user can sign up. The check can
/// miss recent changes, and is not repeated at sign-up. Returns `wrong-state` if the pool does not accept invitations,
/// or if too many users have the address to check them all.
#[utoipa::path(
    post, path = "/v1/invitations", tag = "invitations", operation_id = "create_invitation",
    request_body = Body,
    responses((status = 201, description = "The invitation.", body = Answer)),
    extensions(("x-problems" = json!(["alias-exists", "wrong-state"])))
)]
pub(crate) async fn handle(
    State(app): State<App>,
    audit: Audit,
    Json(body): Json<Body>,
) -> Result<(StatusCode, axum::Json<Answer>), ApiError> {
    let Body { email: InvitedAddress(invitee), valid_for_hours } = body;
    audit.on(&fingerprint(invitee.email()));
    audit.fields(valid_for_hours.is_some().then_some("valid_for_hours"));
    let key = app.invitation_key.as_ref().ok_or(ApiError::NoInvitations)?;
    match invitee.holder(&*app.pool).await? {
        Holder::None => {}
        Holder::User => return Err(ApiError::AddressHeld),
        Holder::Unknown => return Err(ApiError::HolderUnknown),
    }
    let key = key.invitation_key().await.map_err(map_key_error)?;

    // The token's timestamps are in seconds, and the response must match them.
    let issued_at = app.now().truncate_to_second();
    let invitation = Invitation {
        id: app.nonce().expose().to_owned(),
        user_pool_id: app.user_pool_id.clone(),
        email: invitee.email().clone(),
        issued_at,
        expires_at: issued_at + valid_for_hours.map_or(DEFAULT_VALIDITY, |Validity(duration)| duration),
    };
    let token = invitation.sign(&key).map_err(|_| ApiError::Internal("the invitation cannot be serialized"))?;
    audit.fields([format!("invitation:{}", invitation.id)]);
    Ok((StatusCode::CREATED, axum::Json(Answer::of(invitation, &token))))
}

/// The request cannot cause an error of the signing key, so every error that is not transient becomes an internal
/// error.
fn map_key_error(error: UserPoolError) -> UserPoolError {
    match error.reason {
        Reason::Throttled | Reason::LimitReached | Reason::Unavailable | Reason::DeadlineExceeded => error,
        _ => UserPoolError { reason: Reason::Internal, ..error },
    }
}

/// The hash of the address for audit records. Records can be found by the address, but do not contain it.
fn fingerprint(email: &EmailAddress) -> String {
    let hash = Sha256::digest(email.to_string());
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
