//! The request body: one form for each kind of challenge, and two for the setup of an authenticator app.

use std::borrow::Cow;

use domain::secret::Secret;
use domain::user_pool::sessions::{ChallengeAnswer, ChallengeName, ChallengeResponse, ClientContext, Factor};
use domain::user_pool::user::Username;
use serde::Deserialize;
use serde::de::IgnoredAny;
use thiserror::Error;
use utoipa::openapi::{OneOfBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::fields::attributes::{AttributesBody, attributes};
use crate::fields::text::{AuthenticatorCode, Code, Password, Session};
use crate::http::error::ApiError;
use crate::http::json::JsonText;

/// The answer to a challenge. Its fields depend on the challenge.
pub(crate) enum Body {
    NewPassword(PasswordChange),
    FactorCode(FactorCode),
    FactorChoice(FactorChoice),
    BeginSetup(BeginSetup),
    FinishSetup(FinishSetup),
}

/// The new permanent password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "NewPasswordAnswer", example = json!({
    "challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "new_password": "Correct-Horse-9",
    "attributes": {"birthdate": "1990-01-01"}
}))]
pub(super) struct PasswordChange {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    challenge: IsNewPasswordRequired,
    username: Username,
    session: Session,
    new_password: Password,
    /// Values for the `missing_attributes` of the challenge.
    #[serde(default)]
    attributes: AttributesBody,
}

/// The code of a second factor.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "CodeAnswer", example = json!({
    "challenge": "EMAIL_OTP", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "code": "12345678"
}))]
pub(super) struct FactorCode {
    challenge: Factor,
    username: Username,
    session: Session,
    /// The code from the message or the authenticator app.
    code: Code,
}

/// The second factor to use.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "FactorAnswer", example = json!({
    "challenge": "SELECT_MFA_TYPE", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "factor": "SOFTWARE_TOKEN_MFA"
}))]
pub(super) struct FactorChoice {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    challenge: IsSelectMfaType,
    username: Username,
    session: Session,
    /// One of the `factors` of the challenge.
    factor: ChosenFactor,
}

/// Starts the setup of an authenticator app. The response is a challenge `MFA_SETUP` with the TOTP secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "BeginMfaSetup", example = json!({
    "challenge": "MFA_SETUP", "username": "mia", "session": "AYABeGrXo6Ld2aCq"
}))]
pub(super) struct BeginSetup {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    challenge: IsMfaSetup,
    username: Username,
    session: Session,
}

/// Finishes the setup with a code from the authenticator app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "FinishMfaSetup", example = json!({
    "challenge": "MFA_SETUP", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "code": "123456", "device_name": "Mia's phone"
}))]
pub(super) struct FinishSetup {
    #[expect(dead_code, reason = "only checked by deserialization")]
    #[schema(inline)]
    challenge: IsMfaSetup,
    username: Username,
    /// The session that was returned with the secret.
    session: Session,
    code: AuthenticatorCode,
    /// The user's name for the device.
    device_name: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum IsNewPasswordRequired {
    NewPasswordRequired,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum IsSelectMfaType {
    SelectMfaType,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum IsMfaSetup {
    MfaSetup,
}

/// The fields that determine the form of a body.
#[derive(Deserialize)]
struct Discriminator {
    challenge: KnownChallenge,
    code: Option<IgnoredAny>,
    device_name: Option<IgnoredAny>,
}

/// Accepts only a string; `serde` also accepts an object as the name of a variant.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct KnownChallenge(ChallengeName);

#[derive(Debug, Error)]
#[error("must be one of {}", ChallengeName::ALL.iter().map(|name| format!("`{}`", name.as_str())).collect::<Vec<_>>().join(", "))]
struct InvalidChallengeName;

impl TryFrom<String> for KnownChallenge {
    type Error = InvalidChallengeName;

    fn try_from(text: String) -> Result<Self, InvalidChallengeName> {
        text.parse().map(Self).map_err(|_| InvalidChallengeName)
    }
}

/// Accepts only a string, like [`KnownChallenge`].
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ChosenFactor(Factor);

#[derive(Debug, Error)]
#[error("must be one of {}", Factor::ALL.iter().map(|factor| format!("`{}`", factor.as_str())).collect::<Vec<_>>().join(", "))]
struct InvalidFactor;

impl TryFrom<String> for ChosenFactor {
    type Error = InvalidFactor;

    fn try_from(text: String) -> Result<Self, InvalidFactor> {
        text.parse().map(Self).map_err(|_| InvalidFactor)
    }
}

impl PartialSchema for ChosenFactor {
    fn schema() -> RefOr<Schema> {
        Factor::schema()
    }
}

impl ToSchema for ChosenFactor {
    fn name() -> Cow<'static, str> {
        <Factor as ToSchema>::name()
    }
}

impl Body {
    /// Deserializes twice: first to determine the form, then as that form, so that an error names the field.
    pub(super) fn read(text: &JsonText) -> Result<Self, ApiError> {
        let fields: Discriminator = text.read()?;
        Ok(match fields.challenge.0 {
            ChallengeName::NewPasswordRequired => Self::NewPassword(text.read()?),
            ChallengeName::SmsMfa | ChallengeName::SoftwareTokenMfa | ChallengeName::EmailOtp => {
                Self::FactorCode(text.read()?)
            }
            ChallengeName::SelectMfaType => Self::FactorChoice(text.read()?),
            ChallengeName::MfaSetup if fields.code.is_some() || fields.device_name.is_some() => {
                Self::FinishSetup(text.read()?)
            }
            ChallengeName::MfaSetup => Self::BeginSetup(text.read()?),
        })
    }

    pub(super) fn answer(self, context: ClientContext) -> ChallengeAnswer {
        let answer = |username, session: Session, response| {
            let session = Secret::from(session);
            ChallengeAnswer { username, session, response, context }
        };
        match self {
            Self::NewPassword(PasswordChange { username, session, new_password, attributes: given, .. }) => {
                let (new_password, attributes) = (new_password.into(), attributes(given));
                answer(username, session, ChallengeResponse::NewPassword { new_password, attributes })
            }
            Self::FactorCode(FactorCode { challenge, username, session, code }) => {
                let code = code.into();
                answer(username, session, ChallengeResponse::Code { factor: challenge, code })
            }
            Self::FactorChoice(FactorChoice { username, session, factor, .. }) => {
                answer(username, session, ChallengeResponse::SelectFactor(factor.0))
            }
            Self::BeginSetup(BeginSetup { username, session, .. }) => {
                answer(username, session, ChallengeResponse::BeginSetup)
            }
            Self::FinishSetup(FinishSetup { username, session, code, device_name, .. }) => {
                let code = code.into();
                answer(username, session, ChallengeResponse::FinishSetup { code, device_name })
            }
        }
    }
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .description(Some("The answer to a challenge. Its fields depend on `challenge`."))
            .item(PasswordChange::schema())
            .item(FactorCode::schema())
            .item(FactorChoice::schema())
            .item(BeginSetup::schema())
            .item(FinishSetup::schema())
            .into()
    }
}

impl ToSchema for Body {
    fn name() -> Cow<'static, str> {
        "AnswerChallenge".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        PasswordChange::schemas(schemas);
        FactorCode::schemas(schemas);
        FactorChoice::schemas(schemas);
        BeginSetup::schemas(schemas);
        FinishSetup::schemas(schemas);
    }
}
