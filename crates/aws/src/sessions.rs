//! Implements [`Sessions`], sign-up and sign-in through one app client, with Cognito's server-side calls.

mod responses;

use std::collections::HashMap;

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::operation::verify_software_token::builders::VerifySoftwareTokenFluentBuilder;
use aws_sdk_cognitoidentityprovider::types::{
    AuthFlowType, ChallengeNameType, ContextDataType, HttpHeader, VerifySoftwareTokenResponseType,
};
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::sessions::{
    Challenge, ChallengeAnswer, ChallengeName, ChallengeResponse, ClientContext, Credentials, Factor, Registered,
    Registration, Sessions, SignIn, Tokens,
};
use domain::user_pool::user::{Attributes, Username};
use domain::user_pool::write_attributes::WriteAttributes;

use crate::CognitoAppClient;
use crate::failure::Failure;
use crate::users::to_attribute_types;
pub(crate) use responses::to_delivery;
use responses::{ATTRIBUTE_PREFIX, Answer, to_sign_in, to_tokens};

#[async_trait]
impl Sessions for CognitoAppClient {
    async fn write_attributes(&self) -> Result<WriteAttributes, UserPoolError> {
        Ok(self.settings().await?.write_attributes.clone())
    }

    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError> {
        const OPERATION: &str = "SignUp";
        let answer = self
            .once
            .sign_up()
            .client_id(&self.client_id)
            .username(registration.username.as_str())
            .password(registration.password.expose())
            .set_secret_hash(self.secret_hash(&registration.username).await?)
            .set_user_attributes(Some(to_attribute_types(&registration.attributes)))
            .set_validation_data(Some(to_attribute_types(&registration.validation_data)))
            .set_client_metadata(Some(to_map(&registration.client_metadata)))
            .set_user_context_data(self.user_context(&registration.context).await?)
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        // The SDK replaces a missing `sub` by an empty one.
        if answer.user_sub.is_empty() {
            return Err(Failure::missing(OPERATION, "UserSub").into());
        }
        let code_sent_to = to_delivery(answer.code_delivery_details);
        Ok(Registered { sub: answer.user_sub, confirmed: answer.user_confirmed, code_sent_to })
    }

    async fn sign_in(&self, credentials: &Credentials) -> Result<SignIn, UserPoolError> {
        const OPERATION: &str = "AdminInitiateAuth";
        let username = &credentials.username;
        let mut request = self
            .once
            .admin_initiate_auth()
            .user_pool_id(&self.user_pool_id)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", username.as_str())
            .auth_parameters("PASSWORD", credentials.password.expose())
            .set_context_data(to_context_data(&credentials.context));
        if let Some(hash) = self.secret_hash(username).await? {
            request = request.auth_parameters("SECRET_HASH", hash);
        }
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        let answer = Answer {
            operation: OPERATION,
            result: answer.authentication_result,
            challenge: answer.challenge_name,
            session: answer.session,
            parameters: answer.challenge_parameters,
        };
        to_sign_in(answer, username)
    }

    async fn answer_challenge(&self, answer: &ChallengeAnswer) -> Result<SignIn, UserPoolError> {
        let one = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        let (challenge, responses) = match &answer.response {
            ChallengeResponse::NewPassword { new_password, attributes } => {
                let mut responses = one("NEW_PASSWORD", new_password.expose());
                let prefixed = |(name, value): (&String, &String)| (format!("{ATTRIBUTE_PREFIX}{name}"), value.clone());
                responses.extend(attributes.iter().map(prefixed));
                (ChallengeNameType::NewPasswordRequired, responses)
            }
            ChallengeResponse::Code { factor, code } => {
                let (challenge, field) = match factor {
                    Factor::SmsMfa => (ChallengeNameType::SmsMfa, "SMS_MFA_CODE"),
                    Factor::SoftwareTokenMfa => (ChallengeNameType::SoftwareTokenMfa, "SOFTWARE_TOKEN_MFA_CODE"),
                    Factor::EmailOtp => (ChallengeNameType::EmailOtp, "EMAIL_OTP_CODE"),
                };
                (challenge, one(field, code.expose()))
            }
            ChallengeResponse::SelectFactor(factor) => {
                (ChallengeNameType::SelectMfaType, one("ANSWER", factor.as_str()))
            }
            ChallengeResponse::BeginSetup => return self.begin_setup(answer).await,
            ChallengeResponse::FinishSetup { code, device_name } => {
                let session = self.verify_authenticator(&answer.session, code, device_name.as_deref()).await?;
                return self.respond(answer, ChallengeNameType::MfaSetup, session, vec![]).await;
            }
        };
        self.respond(answer, challenge, answer.session.clone(), responses).await
    }

    async fn refresh(
        &self,
        username: &Username,
        refresh_token: &Secret,
        context: &ClientContext,
    ) -> Result<Tokens, UserPoolError> {
        const OPERATION: &str = "AdminInitiateAuth";
        if self.settings().await?.rotates_refresh_tokens {
            return self.rotate(refresh_token).await;
        }
        let mut request = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.user_pool_id)
            .client_id(&self.client_id)
            .auth_flow(AuthFlowType::RefreshTokenAuth)
            .auth_parameters("REFRESH_TOKEN", refresh_token.expose())
            .set_context_data(to_context_data(context));
        if let Some(hash) = self.secret_hash(username).await? {
            request = request.auth_parameters("SECRET_HASH", hash);
        }
        let answer = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        to_tokens(OPERATION, answer.authentication_result)
    }

    async fn revoke(&self, refresh_token: &Secret) -> Result<(), UserPoolError> {
        self.client
            .revoke_token()
            .client_id(&self.client_id)
            .set_client_secret(self.client_secret().await?)
            .token(refresh_token.expose())
            .send()
            .await
            .map_err(|error| Failure::of("RevokeToken", &error))?;
        Ok(())
    }

    async fn sign_out_everywhere(&self, access_token: &Secret) -> Result<(), UserPoolError> {
        self.ensure_token_of_pool("GlobalSignOut", access_token)?;
        let request = self.once.global_sign_out().access_token(access_token.expose());
        request.send().await.map_err(|error| Failure::of("GlobalSignOut", &error))?;
        Ok(())
    }
}

impl CognitoAppClient {
    /// Responds to a challenge. `session` must be the latest one, because setting up an authenticator app changes it
    /// twice.
    async fn respond(
        &self,
        answer: &ChallengeAnswer,
        challenge: ChallengeNameType,
        session: Secret,
        responses: Vec<(String, String)>,
    ) -> Result<SignIn, UserPoolError> {
        const OPERATION: &str = "AdminRespondToAuthChallenge";
        let username = &answer.username;
        let mut request = self
            .once
            .admin_respond_to_auth_challenge()
            .user_pool_id(&self.user_pool_id)
            .client_id(&self.client_id)
            .challenge_name(challenge)
            .session(session.expose())
            .set_challenge_responses(Some(responses.into_iter().collect()))
            .challenge_responses("USERNAME", username.as_str())
            .set_context_data(to_context_data(&answer.context));
        if let Some(hash) = self.secret_hash(username).await? {
            request = request.challenge_responses("SECRET_HASH", hash);
        }
        let next = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        let next = Answer {
            operation: OPERATION,
            result: next.authentication_result,
            challenge: next.challenge_name,
            session: next.session,
            parameters: next.challenge_parameters,
        };
        to_sign_in(next, username)
    }

    /// Requests the secret of a new authenticator app.
    async fn begin_setup(&self, answer: &ChallengeAnswer) -> Result<SignIn, UserPoolError> {
        const OPERATION: &str = "AssociateSoftwareToken";
        let request = self.once.associate_software_token().session(answer.session.expose());
        let begun = request.send().await.map_err(|error| Failure::of(OPERATION, &error))?;
        let missing = |field| Failure::missing(OPERATION, field);
        Ok(SignIn::Challenge(Challenge {
            name: ChallengeName::MfaSetup,
            session: Some(Secret::new(begun.session.ok_or_else(|| missing("Session"))?)),
            username: answer.username.clone(),
            missing_attributes: vec![],
            factors: vec![Factor::SoftwareTokenMfa],
            code_sent_to: None,
            authenticator_secret: Some(Secret::new(begun.secret_code.ok_or_else(|| missing("SecretCode"))?)),
        }))
    }

    /// Verifies the authenticator app with a code. Returns the session for the response to the challenge.
    async fn verify_authenticator(
        &self,
        session: &Secret,
        code: &Secret,
        device_name: Option<&str>,
    ) -> Result<Secret, UserPoolError> {
        const OPERATION: &str = "VerifySoftwareToken";
        let request = self.once.verify_software_token().session(session.expose());
        let next = verify_software_token(OPERATION, request, code, device_name).await?;
        Ok(next.ok_or_else(|| Failure::missing(OPERATION, "Session"))?)
    }

    /// Refreshes tokens of an app client with token rotation, for which Cognito rejects `REFRESH_TOKEN_AUTH`.
    async fn rotate(&self, refresh_token: &Secret) -> Result<Tokens, UserPoolError> {
        const OPERATION: &str = "GetTokensFromRefreshToken";
        let answer = self
            .once
            .get_tokens_from_refresh_token()
            .client_id(&self.client_id)
            .set_client_secret(self.client_secret().await?)
            .refresh_token(refresh_token.expose())
            .send()
            .await
            .map_err(|error| Failure::of(OPERATION, &error))?;
        to_tokens(OPERATION, answer.authentication_result)
    }
}

/// Sends a code of an authenticator app. `request` contains an access token or the session of a challenge. Returns the
/// next session of the challenge.
pub(crate) async fn verify_software_token(
    operation: &'static str,
    request: VerifySoftwareTokenFluentBuilder,
    code: &Secret,
    device_name: Option<&str>,
) -> Result<Option<Secret>, UserPoolError> {
    let request = request.user_code(code.expose()).set_friendly_device_name(device_name.map(str::to_owned));
    let answer = request.send().await.map_err(|error| Failure::of(operation, &error))?;
    match answer.status {
        Some(VerifySoftwareTokenResponseType::Success) => Ok(answer.session.map(Secret::new)),
        Some(_) => Err(UserPoolError::new(operation, Reason::CodeMismatch)),
        None => Err(Failure::missing(operation, "Status").into()),
    }
}

fn to_map(attributes: &Attributes) -> HashMap<String, String> {
    attributes.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Returns the context data for calls with IAM authorization, which need an IP address.
fn to_context_data(context: &ClientContext) -> Option<ContextDataType> {
    let header = |(name, value): &(String, String)| HttpHeader::builder().header_name(name).header_value(value).build();
    // The builder fails only if a mandatory field is missing.
    ContextDataType::builder()
        .ip_address(context.ip_address.as_ref()?)
        .server_name(&context.server_name)
        .server_path(&context.server_path)
        .set_http_headers(Some(context.headers.iter().map(header).collect()))
        .set_encoded_data(context.device_data.clone())
        .build()
        .ok()
}
