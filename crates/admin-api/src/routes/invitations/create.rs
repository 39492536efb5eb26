//! `POST /v1/invitations`: signs an invitation, unless a user of the pool holds the address. The only secret that this API makes itself.

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

// Holds the text of a secret, so it has no `Debug`.
/// An invitation to sign up.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation, example = Self::example)]
pub(crate) struct Answer {
    /// Tells this invitation from others: in the audit, and in the invitation itself (`jti`).
    #[schema(min_length = 32, max_length = 32, pattern = "^[0-9a-f]+$")]
    id: String,
    /// The address that may sign up, in its normal form: A to Z in lower case, the domain in ASCII.
    email: String,
    /// The pool that it is for.
    user_pool_id: String,
    #[serde(with = "time::serde::rfc3339")]
    issued_at: OffsetDateTime,
    /// From then on it counts no more.
    #[serde(with = "time::serde::rfc3339")]
    expires_at: OffsetDateTime,
    /// A secret, never shown again. Whoever signs up with this address shows it as `invitation` in `client_metadata` or `validation_data`
    /// (Cognito's `ClientMetadata` and `ValidationData`).
    #[schema(max_length = 2048, pattern = r"^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$")]
    invitation: String,
}

impl Answer {
    fn of(invitation: Invitation, token: &Secret) -> Self {
        let Invitation { id, user_pool_id, email, issued_at, expires_at } = invitation;
        let (email, token) = (email.to_string(), token.expose().to_owned());
        Self { id, email, user_pool_id, issued_at, expires_at, invitation: token }
    }

    /// As the OpenAPI document shows one.
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

/// Signed with a key that everybody knows.
const EXAMPLE_TOKEN: &str = concat!(
    "eyJhbGciOiJFZERTQSIsInR5cCI6InBvb2xrZWVwZXItaW52aXRhdGlvbitqd3QifQ.",
    "eyJqdGkiOiI1MGQ4NThlMDk4NWVjYzdmNjA0MThhYWYwY2M1YWI1OCIsImF1ZCI6ImV1LWNlbnRyYWwtMV9BYjEyQ2QzNEUiLCJl",
    "bWFpbCI6Im1pYUBleGFtcGxlLmNvbSIsImlhdCI6MTc2Nzc3ODIwMCwiZXhwIjoxNzY4MzgzMDAwfQ.",
    "YJe5KaxmkucKC-v3fM2PjNZ4soJZxhOcQWgXLYJBWQKtYNfwDbRSnyLPVuTyTwCXUvw_84xhojoEmo8dM7YqBA",
);

/// Invite somebody to sign up
///
/// Signs an invitation for one e-mail address and sends nothing: **mail it to that address, and give it to nobody else.** Whoever shows it
/// counts as the one who reads that mail: where the sign-up policy says so, they are confirmed, and the address is verified, without
/// a code. It can be shown again until it expires, and cannot be taken back but by another key, which ends all of them. A repeat is safe, and
/// makes another invitation.
///
/// An address that a user of the pool holds, verified, is refused (`alias-exists`): where addresses are aliases, it would be taken from
/// that user. A user who has it unverified does not stop the invitation; where people sign in by e-mail, that account has to go before the invited
/// person can sign up. The check may miss a change made moments ago, and is not repeated at sign-up. Every request is refused if the pool takes
/// no invitations; a single address is refused if too many users share it to check them all (`wrong-state`).
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
        Holder::Nobody => {}
        Holder::User => return Err(ApiError::AddressHeld),
        Holder::Unknown => return Err(ApiError::HolderUnknown),
    }
    let key = key.invitation_key().await.map_err(of_the_key)?;

    // What is signed counts in seconds, and the answer says the same.
    let issued_at = app.now().truncate_to_second();
    let invitation = Invitation {
        id: app.nonce().expose().to_owned(),
        user_pool_id: app.user_pool_id.clone(),
        email: invitee.email().clone(),
        issued_at,
        expires_at: issued_at + valid_for_hours.map_or(DEFAULT_VALIDITY, |Validity(duration)| duration),
    };
    let token = invitation.sign(&key).map_err(|_| ApiError::Internal("an invitation cannot be written down"))?;
    audit.fields([format!("invitation:{}", invitation.id)]);
    Ok((StatusCode::CREATED, axum::Json(Answer::of(invitation, &token))))
}

/// What it means to the caller that the key cannot be read. Nothing that they have sent is at fault, nor is anybody in the pool.
fn of_the_key(error: UserPoolError) -> UserPoolError {
    match error.reason {
        Reason::Throttled | Reason::LimitReached | Reason::Unavailable | Reason::DeadlineExceeded => error,
        _ => UserPoolError { reason: Reason::Internal, ..error },
    }
}

/// Whom an invitation is for, as the audit has it: whoever knows the address finds its records, and they name nobody.
fn fingerprint(email: &EmailAddress) -> String {
    let hash = Sha256::digest(email.to_string());
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}
