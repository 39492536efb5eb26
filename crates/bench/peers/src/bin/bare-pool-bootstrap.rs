//! Peer of pool-bootstrap on the SDK: the clients that pool-bootstrap has, and the requests of its plan of an existing
//! pool in their order, without a comparison.

use aws_config::SdkConfig;
use aws_sdk_cognitoidentityprovider::types::UserPoolMfaType;
use aws_sdk_iam::types::Role;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

/// The page size of Cognito's lists.
const PAGE: i32 = 60;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let clients = Clients::new(&peers::sdk_config().await?);
    lambda_runtime::run(service_fn(|event| clients.plan(event))).await
}

struct Clients {
    user_pools: aws_sdk_cognitoidentityprovider::Client,
    identity_pools: aws_sdk_cognitoidentity::Client,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    /// For invitation signing keys, which a plan does not read.
    _parameters: aws_sdk_ssm::Client,
    region: String,
}

impl Clients {
    fn new(config: &SdkConfig) -> Self {
        Self {
            user_pools: aws_sdk_cognitoidentityprovider::Client::new(config),
            identity_pools: aws_sdk_cognitoidentity::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            sts: aws_sdk_sts::Client::new(config),
            _parameters: aws_sdk_ssm::Client::new(config),
            region: config.region().map(ToString::to_string).unwrap_or_default(),
        }
    }

    async fn plan(&self, event: LambdaEvent<Value>) -> Result<Value, Error> {
        let name = event.payload["spec"]["name"].as_str().ok_or("expected spec.name")?;
        let caller = self.sts.get_caller_identity().send().await?;
        let account_id = caller.account().ok_or("no account id")?;
        let user_pool = self.user_pool(name).await?;
        let identity_pool = self.identity_pool(name).await?;
        let iam = self.role_and_policy(account_id, &format!("poolkeeper.{name}.{}", self.region)).await?;
        Ok(json!({"user_pool": user_pool, "identity_pool": identity_pool, "iam": iam}))
    }

    async fn user_pool(&self, name: &str) -> Result<Value, Error> {
        let pools = self.user_pools.list_user_pools().max_results(PAGE).into_paginator().items().send();
        let pools = pools.collect::<Result<Vec<_>, _>>().await?;
        let id =
            pools.iter().find(|pool| pool.name() == Some(name)).and_then(|pool| pool.id()).ok_or("no user pool")?;
        let described = self.user_pools.describe_user_pool().user_pool_id(id).send().await?;
        let mfa = described.user_pool().and_then(|pool| pool.mfa_configuration());
        if mfa.is_some_and(|mfa| *mfa != UserPoolMfaType::Off) {
            self.user_pools.get_user_pool_mfa_config().user_pool_id(id).send().await?;
        }
        // pool-bootstrap lists the clients once for each kind.
        for kind in ["backend", "web"] {
            self.app_client(id, &format!("{name}-{kind}")).await?;
        }
        let providers = self.user_pools.list_identity_providers().user_pool_id(id).max_results(PAGE);
        for provider in providers.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await? {
            let call = self.user_pools.describe_identity_provider().user_pool_id(id);
            call.set_provider_name(provider.provider_name).send().await?;
        }
        let groups = self.user_pools.list_groups().user_pool_id(id).limit(PAGE).into_paginator().items().send();
        let groups = groups.collect::<Result<Vec<_>, _>>().await?;
        let groups: Vec<_> = groups.iter().filter_map(|group| group.group_name()).collect();
        Ok(json!({"id": id, "groups": groups}))
    }

    async fn app_client(&self, user_pool_id: &str, name: &str) -> Result<(), Error> {
        let clients = self.user_pools.list_user_pool_clients().user_pool_id(user_pool_id).max_results(PAGE);
        let clients = clients.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await?;
        let client = clients.into_iter().find(|client| client.client_name() == Some(name)).ok_or("no app client")?;
        let call = self.user_pools.describe_user_pool_client().user_pool_id(user_pool_id);
        call.set_client_id(client.client_id).send().await?;
        Ok(())
    }

    async fn identity_pool(&self, name: &str) -> Result<Value, Error> {
        let pools = self.identity_pools.list_identity_pools().max_results(PAGE).into_paginator().items().send();
        let pools = pools.collect::<Result<Vec<_>, _>>().await?;
        let pool = pools.iter().find(|pool| pool.identity_pool_name() == Some(name));
        let id = pool.and_then(|pool| pool.identity_pool_id()).ok_or("no identity pool")?;
        self.identity_pools.describe_identity_pool().identity_pool_id(id).send().await?;
        let roles = self.identity_pools.get_identity_pool_roles().identity_pool_id(id).send().await?;
        Ok(json!({"id": id, "roles": roles.roles()}))
    }

    async fn role_and_policy(&self, account_id: &str, name: &str) -> Result<Value, Error> {
        let policy_arn = format!("arn:aws:iam::{account_id}:policy/{name}");
        let policy = self.iam.get_policy().policy_arn(&policy_arn).send().await?;
        let version = policy.policy().and_then(|policy| policy.default_version_id()).ok_or("no default version")?;
        self.iam.get_policy_version().policy_arn(&policy_arn).version_id(version).send().await?;
        let role = self.iam.get_role().role_name(name).send().await?;
        let attached = self.iam.list_attached_role_policies().role_name(name).into_paginator().items().send();
        let attached = attached.collect::<Result<Vec<_>, _>>().await?;
        Ok(json!({"role": role.role().map(Role::arn), "attached": attached.len()}))
    }
}
