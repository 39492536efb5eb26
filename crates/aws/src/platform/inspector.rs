//! Implements [`Inspector`], the reads of `poolkeeper doctor`.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_cognitoidentityprovider::types::{
    AliasAttributeType, EmailSendingAccountType, LambdaConfigType, RecoveryOptionNameType,
    UserAttributeUpdateSettingsType, UserPoolClientType, UserPoolType, UsernameAttributeType,
};
use domain::doctor::{
    Function, Inspector, MailSender, ObservedClient, ObservedIdentityPool, ObservedUserPool, Recovery,
};
use domain::platform::{IdentityPool, UserPool};
use domain::provision::STACK_TAG;
use domain::spec::Verifiable;

use super::functions::Functions;
use super::identity_pools::to_state;
use super::user_pools::{from_verified, to_client, to_user_pool};
use super::{Answer, AwsPlatform, none_if_absent};

#[async_trait]
impl Inspector for AwsPlatform {
    async fn user_pools_of_stacks(&self) -> Answer<Vec<UserPool>> {
        self.user_pools.with_tag(|_| true, STACK_TAG, |_| true).await
    }

    async fn observed_user_pool(&self, id: &str) -> Answer<Option<ObservedUserPool>> {
        let Some(pool) = none_if_absent(self.user_pools.describe(id).await)? else { return Ok(None) };
        let mfa = self.user_pools.mfa(id, &pool).await?;
        let verified = pool.user_attribute_update_settings.iter();
        let verified =
            verified.flat_map(UserAttributeUpdateSettingsType::attributes_require_verification_before_update);
        Ok(Some(ObservedUserPool {
            pool: to_user_pool("DescribeUserPool", &pool, mfa)?,
            sign_in_attributes: sign_in_attributes(&pool),
            verified_before_update: verified.filter_map(from_verified).collect(),
            recovery: recovery(&pool),
            mail_sender: mail_sender(&pool),
            estimated_users: pool.estimated_number_of_users.try_into().unwrap_or_default(),
            triggers: pool.lambda_config.as_ref().map(triggers).unwrap_or_default(),
        }))
    }

    async fn observed_clients(&self, user_pool_id: &str) -> Answer<Vec<ObservedClient>> {
        let clients = self.user_pools.described_clients(user_pool_id, |_| true).await?;
        clients.iter().map(to_observed_client).collect()
    }

    async fn identity_provider_count(&self, user_pool_id: &str) -> Answer<usize> {
        Ok(self.user_pools.identity_providers(user_pool_id).await?.len())
    }

    async fn observed_identity_pools(&self, user_pool_id: &str) -> Answer<Vec<ObservedIdentityPool>> {
        let mut observed = Vec::new();
        for pool in self.identity_pools.described(|_| true).await? {
            let state = to_state(&pool);
            if !state.providers.iter().any(|provider| provider.user_pool_id == user_pool_id) {
                continue;
            }
            let mut roles = self.identity_pools.roles(&pool.identity_pool_id).await?;
            observed.push(ObservedIdentityPool {
                name: pool.identity_pool_name,
                pool: IdentityPool { id: pool.identity_pool_id, state },
                authenticated_role_arn: roles.remove("authenticated"),
                guest_role_arn: roles.remove("unauthenticated"),
                roles: BTreeMap::new(),
            });
        }
        Ok(observed)
    }

    async fn function(&self, arn: &str) -> Answer<Option<Function>> {
        Functions::new(self.aws.functions()).find(arn).await
    }
}

fn sign_in_attributes(pool: &UserPoolType) -> BTreeSet<Verifiable> {
    let usernames = pool.username_attributes().iter().filter_map(|attribute| match attribute {
        UsernameAttributeType::Email => Some(Verifiable::Email),
        UsernameAttributeType::PhoneNumber => Some(Verifiable::PhoneNumber),
        _ => None,
    });
    let aliases = pool.alias_attributes().iter().filter_map(|alias| match alias {
        AliasAttributeType::Email => Some(Verifiable::Email),
        AliasAttributeType::PhoneNumber => Some(Verifiable::PhoneNumber),
        _ => None,
    });
    usernames.chain(aliases).collect()
}

fn recovery(pool: &UserPoolType) -> Option<Recovery> {
    let options = pool.account_recovery_setting.as_ref()?.recovery_mechanisms();
    let first = options.iter().min_by_key(|option| option.priority)?;
    Some(if first.name == RecoveryOptionNameType::VerifiedPhoneNumber { Recovery::Phone } else { Recovery::Other })
}

fn mail_sender(pool: &UserPoolType) -> MailSender {
    let sends_own = pool
        .email_configuration
        .as_ref()
        .is_some_and(|mail| mail.email_sending_account == Some(EmailSendingAccountType::Developer));
    let has_function = pool.lambda_config.as_ref().is_some_and(|config| config.custom_email_sender.is_some());
    if sends_own || has_function { MailSender::Own } else { MailSender::CognitoDefault }
}

fn triggers(config: &LambdaConfigType) -> BTreeMap<&'static str, String> {
    let token_generation = config.pre_token_generation_config.as_ref().map(|config| &config.lambda_arn);
    let triggers = [
        ("PreSignUp", config.pre_sign_up.as_ref()),
        ("CustomMessage", config.custom_message.as_ref()),
        ("PostConfirmation", config.post_confirmation.as_ref()),
        ("PreAuthentication", config.pre_authentication.as_ref()),
        ("PostAuthentication", config.post_authentication.as_ref()),
        ("DefineAuthChallenge", config.define_auth_challenge.as_ref()),
        ("CreateAuthChallenge", config.create_auth_challenge.as_ref()),
        ("VerifyAuthChallengeResponse", config.verify_auth_challenge_response.as_ref()),
        ("PreTokenGeneration", token_generation.or(config.pre_token_generation.as_ref())),
        ("UserMigration", config.user_migration.as_ref()),
        ("CustomSMSSender", config.custom_sms_sender.as_ref().map(|sender| &sender.lambda_arn)),
        ("CustomEmailSender", config.custom_email_sender.as_ref().map(|sender| &sender.lambda_arn)),
        ("InboundFederation", config.inbound_federation.as_ref().map(|trigger| &trigger.lambda_arn)),
    ];
    triggers.into_iter().filter_map(|(name, arn)| Some((name, arn.filter(|arn| !arn.is_empty())?.clone()))).collect()
}

fn to_observed_client(client: &UserPoolClientType) -> Answer<ObservedClient> {
    Ok(ObservedClient {
        name: client.client_name.clone().unwrap_or_default(),
        client: to_client("DescribeUserPoolClient", client)?,
        auth_flows: client.explicit_auth_flows().iter().map(|flow| flow.as_str().to_owned()).collect(),
        uses_oauth: client.allowed_o_auth_flows_user_pool_client.unwrap_or_default(),
        oauth_flows: client.allowed_o_auth_flows().iter().map(|flow| flow.as_str().to_owned()).collect(),
        callback_urls: client.callback_urls().to_vec(),
    })
}
