//! Sign-up and sign-in through one app client: the port [`Sessions`] on Cognito's server-side calls.

use std::collections::{BTreeMap, HashMap};

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, AuthenticationResultType, ChallengeNameType};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::secret::Secret;
use domain::sessions::{Challenge, NewPassword, Registered, Registration, Sessions, SignIn, Tokens};
use domain::user::{Attributes, Username};
use domain::user_pool_error::UserPoolError;
use tokio::sync::OnceCell;

use crate::classify::user_pool_error;
use crate::directory::{sent_once, to_attribute_types};
use crate::failure::Failure;
use crate::secret_hash::secret_hash;

/// Sessions of one app client in Cognito.
#[derive(Debug)]
pub struct CognitoSessions {
    client: Client,
    user_pool_id: String,
    client_id: String,
    /// Read once, at the first call that needs it; a failure is not kept.
    client_secret: OnceCell<Option<Secret>>,
}

impl CognitoSessions {
    pub(crate) fn new(client: Client, user_pool_id: &str, client_id: &str) -> Self {
        Self {
            client,
            user_pool_id: user_pool_id.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: OnceCell::new(),
        }
    }

    async fn client_secret(&self) -> Result<Option<&Secret>, UserPoolError> {
        const OPERATION: &str = "DescribeUserPoolClient";
        let secret = self.client_secret.get_or_try_init(async || {
            let answer = self
                .client
                .describe_user_pool_client()
                .user_pool_id(&self.user_pool_id)
                .client_id(&self.client_id)
                .send()
                .await
                .map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
            let client = answer.user_pool_client;
            let client = client.ok_or_else(|| user_pool_error(Failure::missing(OPERATION, "UserPoolClient")))?;
            Ok(client.client_secret.map(Secret::new))
        });
        Ok(secret.await?.as_ref())
    }

    async fn secret_hash(&self, username: &Username) -> Result<Option<String>, UserPoolError> {
        let secret = self.client_secret().await?;
        Ok(secret.map(|secret| secret_hash(secret, username.as_str(), &self.client_id)))
    }
}

#[async_trait]
impl Sessions for CognitoSessions {
    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError> {
        let answer = self
            .client
            .sign_up()
            .client_id(&self.client_id)
            .username(registration.username.as_str())
            .password(registration.password.expose())
            .set_secret_hash(self.secret_hash(&registration.username).await?)
            .set_user_attributes(Some(to_attribute_types(&registration.attributes)))
            .set_validation_data(Some(to_attribute_types(&registration.validation_data)))
            .set_client_metadata(Some(to_map(&registration.client_metadata)))
            .customize()
            .config_override(sent_once())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("SignUp", &error)))?;
        let code_sent_to = answer.code_delivery_details.and_then(|details| details.destination);
        Ok(Registered { sub: answer.user_sub, confirmed: answer.user_confirmed, code_sent_to })
    }

    async fn sign_in(&self, username: &Username, password: &Secret) -> Result<SignIn, UserPoolError> {
        const OPERATION: &str = "AdminInitiateAuth";
        let answer = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.user_pool_id)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", username.as_str())
            .auth_parameters("PASSWORD", password.expose());
        let answer = match self.secret_hash(username).await? {
            Some(hash) => answer.auth_parameters("SECRET_HASH", hash),
            None => answer,
        };
        let answer = answer.send().await.map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
        let parameters = answer.challenge_parameters.unwrap_or_default();
        match (answer.authentication_result, answer.challenge_name) {
            (Some(result), _) => Ok(SignIn::Tokens(to_tokens(OPERATION, result)?)),
            (None, Some(name)) => Ok(SignIn::Challenge(to_challenge(&name, answer.session, parameters, username))),
            (None, None) => Err(user_pool_error(Failure::missing(OPERATION, "AuthenticationResult"))),
        }
    }

    async fn set_new_password(&self, answer: &NewPassword) -> Result<SignIn, UserPoolError> {
        const OPERATION: &str = "AdminRespondToAuthChallenge";
        let mut request = self
            .client
            .admin_respond_to_auth_challenge()
            .user_pool_id(&self.user_pool_id)
            .client_id(&self.client_id)
            .challenge_name(ChallengeNameType::NewPasswordRequired)
            .session(answer.session.expose())
            .challenge_responses("USERNAME", answer.username.as_str())
            .challenge_responses("NEW_PASSWORD", answer.new_password.expose());
        if let Some(hash) = self.secret_hash(&answer.username).await? {
            request = request.challenge_responses("SECRET_HASH", hash);
        }
        for (name, value) in &answer.attributes {
            request = request.challenge_responses(format!("{ATTRIBUTE_PREFIX}{name}"), value);
        }
        let next = request.send().await.map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
        let parameters = next.challenge_parameters.unwrap_or_default();
        match (next.authentication_result, next.challenge_name) {
            (Some(result), _) => Ok(SignIn::Tokens(to_tokens(OPERATION, result)?)),
            (None, Some(name)) => {
                Ok(SignIn::Challenge(to_challenge(&name, next.session, parameters, &answer.username)))
            }
            (None, None) => Err(user_pool_error(Failure::missing(OPERATION, "AuthenticationResult"))),
        }
    }

    async fn refresh(&self, username: &Username, refresh_token: &Secret) -> Result<Tokens, UserPoolError> {
        const OPERATION: &str = "AdminInitiateAuth";
        let mut request = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.user_pool_id)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::RefreshTokenAuth)
            .auth_parameters("REFRESH_TOKEN", refresh_token.expose());
        if let Some(hash) = self.secret_hash(username).await? {
            request = request.auth_parameters("SECRET_HASH", hash);
        }
        let answer = request.send().await.map_err(|error| user_pool_error(Failure::of(OPERATION, &error)))?;
        let result = answer.authentication_result;
        to_tokens(
            OPERATION,
            result.ok_or_else(|| user_pool_error(Failure::missing(OPERATION, "AuthenticationResult")))?,
        )
    }

    async fn revoke(&self, refresh_token: &Secret) -> Result<(), UserPoolError> {
        let secret = self.client_secret().await?;
        self.client
            .revoke_token()
            .client_id(&self.client_id)
            .set_client_secret(secret.map(|secret| secret.expose().to_owned()))
            .token(refresh_token.expose())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("RevokeToken", &error)))?;
        Ok(())
    }

    async fn sign_out_everywhere(&self, access_token: &Secret) -> Result<(), UserPoolError> {
        self.client
            .global_sign_out()
            .access_token(access_token.expose())
            .send()
            .await
            .map_err(|error| user_pool_error(Failure::of("GlobalSignOut", &error)))?;
        Ok(())
    }
}

/// What stands before the name of an attribute in challenge parameters and answers.
const ATTRIBUTE_PREFIX: &str = "userAttributes.";

fn to_map(attributes: &Attributes) -> HashMap<String, String> {
    attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn to_tokens(operation: &'static str, result: AuthenticationResultType) -> Result<Tokens, UserPoolError> {
    let missing = |field| user_pool_error(Failure::missing(operation, field));
    let access_token = result.access_token.ok_or_else(|| missing("AccessToken"))?;
    Ok(Tokens {
        username: username_in(&access_token).ok_or_else(|| missing("claim `username` in the access token"))?,
        access_token: Secret::new(access_token),
        id_token: Secret::new(result.id_token.ok_or_else(|| missing("IdToken"))?),
        refresh_token: result.refresh_token.map(Secret::new),
        expires_in_seconds: u32::try_from(result.expires_in).unwrap_or_default(),
    })
}

/// The claim `username` of an access token. Not verified: the token came from Cognito itself a moment ago.
fn username_in(access_token: &str) -> Option<Username> {
    let payload = access_token.split('.').nth(1)?;
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    claims.get("username")?.as_str()?.parse().ok()
}

fn to_challenge(
    name: &ChallengeNameType,
    session: Option<String>,
    mut parameters: HashMap<String, String>,
    typed: &Username,
) -> Challenge {
    let real_name = parameters.remove("USER_ID_FOR_SRP").and_then(|name| name.parse().ok());
    let required = parameters.remove("requiredAttributes").unwrap_or_default();
    // Cognito lists the attributes that the user has; they are personal data that the answer does not need, and sending `email`
    // back with the answer is refused.
    let present = parameters.remove("userAttributes").unwrap_or_default();
    Challenge {
        name: name.as_str().to_owned(),
        session: session.map(Secret::new),
        username: real_name.unwrap_or_else(|| typed.clone()),
        missing_attributes: missing_attributes(&required, &present),
        parameters: parameters.into_iter().collect(),
    }
}

/// The names in `required` (a JSON list, prefixed) that `present` (a JSON object) does not hold.
fn missing_attributes(required: &str, present: &str) -> Vec<String> {
    let required: Vec<String> = serde_json::from_str(required).unwrap_or_default();
    let present: BTreeMap<String, serde_json::Value> = serde_json::from_str(present).unwrap_or_default();
    required
        .iter()
        .map(|name| name.strip_prefix(ATTRIBUTE_PREFIX).unwrap_or(name).to_owned())
        .filter(|name| !present.contains_key(name))
        .collect()
}
