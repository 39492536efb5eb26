//! The forms that the answer to a challenge has: one for each kind of challenge, and two for setting up an authenticator app.

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
use crate::fields::password::Password;
use crate::fields::secret_types::{AppCode, Code, Session};
use crate::http::error::ApiError;
use crate::http::json::JsonText;

/// The answer to a challenge: what is in it depends on the challenge.
pub(crate) enum Body {
    NewPassword(PasswordChange),
    FactorCode(FactorCode),
    FactorChoice(FactorChoice),
    AppSetup(AppSetup),
    AppProof(AppProof),
}

/// The password from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "NEW_PASSWORD_REQUIRED", example = json!({
    "challenge": "NEW_PASSWORD_REQUIRED", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "new_password": "Correct-Horse-9",
    "attributes": {"birthdate": "1990-01-01"}
}))]
pub(super) struct PasswordChange {
    #[expect(dead_code, reason = "it is what made the body one of this form")]
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
#[schema(title = "SMS_MFA, SOFTWARE_TOKEN_MFA, EMAIL_OTP", example = json!({
    "challenge": "EMAIL_OTP", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "code": "12345678"
}))]
pub(super) struct FactorCode {
    challenge: Factor,
    username: Username,
    session: Session,
    /// From the message that was sent, or from the authenticator app.
    code: Code,
}

/// Which second factor the code is to come from.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "SELECT_MFA_TYPE", example = json!({
    "challenge": "SELECT_MFA_TYPE", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "factor": "SOFTWARE_TOKEN_MFA"
}))]
pub(super) struct FactorChoice {
    #[expect(dead_code, reason = "it is what made the body one of this form")]
    #[schema(inline)]
    challenge: IsSelectMfaType,
    username: Username,
    session: Session,
    /// One of the `factors` of the challenge.
    factor: ChosenFactor,
}

/// Begins to set an authenticator app up: the answer is a challenge `MFA_SETUP` with the secret for the app.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "MFA_SETUP, the first half", example = json!({
    "challenge": "MFA_SETUP", "username": "mia", "session": "AYABeGrXo6Ld2aCq"
}))]
pub(super) struct AppSetup {
    #[expect(dead_code, reason = "it is what made the body one of this form")]
    #[schema(inline)]
    challenge: IsMfaSetup,
    username: Username,
    session: Session,
}

/// Proves that the authenticator app has the secret.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(title = "MFA_SETUP, the second half", example = json!({
    "challenge": "MFA_SETUP", "username": "mia", "session": "AYABeGrXo6Ld2aCq", "code": "123456", "device_name": "Mia's phone"
}))]
pub(super) struct AppProof {
    #[expect(dead_code, reason = "it is what made the body one of this form")]
    #[schema(inline)]
    challenge: IsMfaSetup,
    username: Username,
    /// The one that came with the secret.
    session: Session,
    code: AppCode,
    /// What the person calls the device.
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

/// What tells which form a body has.
#[derive(Deserialize)]
struct Asked {
    challenge: Answerable,
    code: Option<IgnoredAny>,
    device_name: Option<IgnoredAny>,
}

/// `serde` would take an object for the name of an enum's variant as well.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Answerable(ChallengeName);

#[derive(Debug, Error)]
#[error("the challenge is one of {}", ChallengeName::ALL.map(|name| format!("`{}`", name.as_str())).join(", "))]
struct NotAnswerable;

impl TryFrom<String> for Answerable {
    type Error = NotAnswerable;

    fn try_from(text: String) -> Result<Self, NotAnswerable> {
        ChallengeName::ALL.into_iter().find(|name| name.as_str() == text).map(Self).ok_or(NotAnswerable)
    }
}

/// For the same reason.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct ChosenFactor(Factor);

#[derive(Debug, Error)]
#[error("the factor is one of {}", Factor::ALL.map(|factor| format!("`{}`", factor.as_str())).join(", "))]
struct NotAFactor;

impl TryFrom<String> for ChosenFactor {
    type Error = NotAFactor;

    fn try_from(text: String) -> Result<Self, NotAFactor> {
        Factor::ALL.into_iter().find(|factor| factor.as_str() == text).map(Self).ok_or(NotAFactor)
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
    /// Reads a body twice: first which form it has, then as that form, so that a refusal names the field as everywhere else.
    pub(super) fn read(text: &JsonText) -> Result<Self, ApiError> {
        let asked: Asked = text.read()?;
        Ok(match asked.challenge.0 {
            ChallengeName::NewPasswordRequired => Self::NewPassword(text.read()?),
            ChallengeName::SmsMfa | ChallengeName::SoftwareTokenMfa | ChallengeName::EmailOtp => {
                Self::FactorCode(text.read()?)
            }
            ChallengeName::SelectMfaType => Self::FactorChoice(text.read()?),
            ChallengeName::MfaSetup if asked.code.is_some() || asked.device_name.is_some() => {
                Self::AppProof(text.read()?)
            }
            ChallengeName::MfaSetup => Self::AppSetup(text.read()?),
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
            Self::AppSetup(AppSetup { username, session, .. }) => {
                answer(username, session, ChallengeResponse::BeginSetup)
            }
            Self::AppProof(AppProof { username, session, code, device_name, .. }) => {
                let code = code.into();
                answer(username, session, ChallengeResponse::FinishSetup { code, device_name })
            }
        }
    }
}

impl PartialSchema for Body {
    fn schema() -> RefOr<Schema> {
        OneOfBuilder::new()
            .description(Some("The answer to a challenge: what is in it depends on `challenge`."))
            .item(PasswordChange::schema())
            .item(FactorCode::schema())
            .item(FactorChoice::schema())
            .item(AppSetup::schema())
            .item(AppProof::schema())
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
        AppSetup::schemas(schemas);
        AppProof::schemas(schemas);
    }
}
