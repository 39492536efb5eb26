//! Parses Cognito's responses to sign-in calls.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_cognitoidentityprovider::types::{AuthenticationResultType, ChallengeNameType, CodeDeliveryDetailsType};
use domain::secret::Secret;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::sessions::{Challenge, ChallengeName, CodeDelivery, SignIn, Tokens};
use domain::user_pool::user::Username;

use crate::access_token::username_in;
use crate::failure::Failure;
use crate::users::to_factors;

/// Prefix of attribute names in challenge parameters and responses.
pub(super) const ATTRIBUTE_PREFIX: &str = "userAttributes.";

/// The common fields of the responses of two operations.
pub(super) struct Answer {
    pub(super) operation: &'static str,
    pub(super) result: Option<AuthenticationResultType>,
    pub(super) challenge: Option<ChallengeNameType>,
    pub(super) session: Option<String>,
    pub(super) parameters: Option<HashMap<String, String>>,
}

/// Converts a response. `typed` is the user name in the request.
pub(super) fn to_sign_in(answer: Answer, typed: &Username) -> Result<SignIn, UserPoolError> {
    if answer.result.is_some() {
        return Ok(SignIn::Tokens(to_tokens(answer.operation, answer.result)?));
    }
    let name = answer.challenge.ok_or_else(|| Failure::missing(answer.operation, "AuthenticationResult"))?;
    let Ok(known) = name.as_str().parse::<ChallengeName>() else {
        return Ok(SignIn::Unsupported(name.as_str().to_owned()));
    };
    let parameters = answer.parameters.unwrap_or_default();
    let text = |key: &str| parameters.get(key).map(String::as_str).unwrap_or_default();
    let real_name = text("USER_ID_FOR_SRP").parse().ok();
    let mut factors = strings(text("MFAS_CAN_CHOOSE"));
    factors.append(&mut strings(text("MFAS_CAN_SETUP")));
    Ok(SignIn::Challenge(Challenge {
        name: known,
        session: answer.session.map(Secret::new),
        username: real_name.unwrap_or_else(|| typed.clone()),
        // Cognito also lists the attributes that the user has. They are personal data, and Cognito rejects a response
        // with `email`.
        missing_attributes: missing_attributes(text("requiredAttributes"), text("userAttributes")),
        factors: to_factors(&factors),
        code_sent_to: code_sent_to(&parameters),
        authenticator_secret: None,
    }))
}

pub(super) fn to_tokens(
    operation: &'static str,
    result: Option<AuthenticationResultType>,
) -> Result<Tokens, UserPoolError> {
    let missing = |field| Failure::missing(operation, field);
    let result = result.ok_or_else(|| missing("AuthenticationResult"))?;
    let access_token = result.access_token.ok_or_else(|| missing("AccessToken"))?;
    Ok(Tokens {
        username: username_in(&access_token).ok_or_else(|| missing("claim `username` in the access token"))?,
        access_token: Secret::new(access_token),
        id_token: Secret::new(result.id_token.ok_or_else(|| missing("IdToken"))?),
        refresh_token: result.refresh_token.map(Secret::new),
        expires_in_seconds: u32::try_from(result.expires_in).unwrap_or_default(),
    })
}

/// Returns the destination of a code, if Cognito reports it.
pub(crate) fn to_delivery(details: Option<CodeDeliveryDetailsType>) -> Option<CodeDelivery> {
    let details = details?;
    Some(CodeDelivery {
        medium: details.delivery_medium?.as_str().to_owned(),
        destination: details.destination?,
        attribute: details.attribute_name,
    })
}

fn code_sent_to(parameters: &HashMap<String, String>) -> Option<CodeDelivery> {
    Some(CodeDelivery {
        medium: parameters.get("CODE_DELIVERY_DELIVERY_MEDIUM")?.clone(),
        destination: parameters.get("CODE_DELIVERY_DESTINATION")?.clone(),
        attribute: None,
    })
}

/// Returns the names in `required` (a JSON array of prefixed names) that are not in `present` (a JSON object).
fn missing_attributes(required: &str, present: &str) -> Vec<String> {
    let present: BTreeMap<String, serde_json::Value> = serde_json::from_str(present).unwrap_or_default();
    strings(required)
        .iter()
        .map(|name| name.strip_prefix(ATTRIBUTE_PREFIX).unwrap_or(name).to_owned())
        .filter(|name| !present.contains_key(name))
        .collect()
}

/// Parses a JSON array of strings.
fn strings(list: &str) -> Vec<String> {
    serde_json::from_str(list).unwrap_or_default()
}
