//! `apply`: find, describe, compare; then create, update or leave. A second run changes nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::difference::{Difference, differences, in_words};
use super::{Done, Outcome, ProvisionError, Provisioner, Renaming, Resource, Step, Work, iam_name, only, policy_arn};
use crate::directory::{Invitation, NewUser};
use crate::platform::{
    AppClient, ClientState, IamEntity, IdentityPool, IdentityPoolState, Provider, UserPool, UserPoolState,
};
use crate::policy_document::{access_policy, trust_policy};
use crate::retry::{Classified, ErrorClass, Situation};
use crate::spec::{ADMINS, ClientKind, ClientSpec, CustomAttribute, SignInWith, Spec, SpecError};
use crate::user::{Attributes, User, Username};
use crate::user_pool_error::Reason;

impl Work<'_> {
    pub(super) async fn apply(&mut self, spec: &Spec, renaming: Option<&Renaming>) -> Result<(), ProvisionError> {
        spec.check()?;
        let hands = self.hands;
        if let Some(renaming) = renaming {
            hands.refuse_another_pool(spec, renaming).await?;
        }
        let region = hands.platform.region().to_owned();

        let pool = self.step(Step::UserPool, hands.ensure_user_pool(spec)).await?;
        self.receipt.issuer = Some(format!("https://cognito-idp.{region}.amazonaws.com/{}", pool.id));
        self.receipt.user_pool_id = Some(pool.id.clone());
        self.receipt.user_pool_arn = Some(pool.arn.clone());

        let mut providers = BTreeSet::new();
        for (kind, client) in spec.clients() {
            let step = match kind {
                ClientKind::Backend => Step::BackendClient,
                ClientKind::Web => Step::WebClient,
            };
            let client = self.step(step, hands.ensure_client(spec, &pool.id, kind, client)).await?;
            match kind {
                ClientKind::Backend => self.receipt.backend_client_id = Some(client.id.clone()),
                ClientKind::Web => self.receipt.web_client_id = Some(client.id.clone()),
            }
            providers.insert(Provider {
                user_pool_id: pool.id.clone(),
                client_id: client.id,
                server_side_token_check: spec.identity_pool.server_side_token_check,
            });
        }
        self.step(Step::Groups, hands.ensure_groups(spec, &pool.id)).await?;

        let identity_pool = self.step(Step::IdentityPool, hands.ensure_identity_pool(spec, providers)).await?;
        self.receipt.identity_pool_id = Some(identity_pool.id.clone());

        let account_id = hands.call(Situation::Settled, || hands.platform.account_id()).await?.value;
        let identity_pool_arn =
            format!("arn:aws:cognito-identity:{region}:{account_id}:identitypool/{}", identity_pool.id);
        let name = iam_name(&spec.name, &region);
        let access = access_policy(&spec.authenticated_policy, &identity_pool_arn);
        let policy =
            self.step(Step::Policy, hands.ensure_policy(spec, &name, &policy_arn(&account_id, &name), &access)).await?;
        self.receipt.policy_arn = Some(policy.arn.clone());
        let role = self.step(Step::Role, hands.ensure_role(spec, &name, &trust_policy(&identity_pool.id))).await?;
        self.receipt.role_arn = Some(role.arn.clone());
        self.step(Step::PolicyAttachment, hands.ensure_attachment(&name, &policy.arn)).await?;
        self.step(Step::IdentityPoolRole, hands.ensure_identity_pool_role(&identity_pool.id, &role.arn)).await?;

        // Last, so that nobody is invited into something that is not there yet.
        if let (Some(address), Some(username)) = (&spec.first_admin, spec.first_admin_username()) {
            self.step(Step::FirstAdmin, hands.ensure_first_admin(spec, &pool.id, address, username)).await?;
        }
        if spec.verify { self.verify(spec).await } else { Ok(()) }
    }
}

impl Provisioner<'_> {
    /// Another name would be another, empty user pool. The way back from a refused renaming stays open: there the pool with the new
    /// name is the spec's own.
    async fn refuse_another_pool(&self, spec: &Spec, renaming: &Renaming) -> Result<(), ProvisionError> {
        match self.user_pool(spec).await? {
            Some(pool) if pool.id == renaming.user_pool_id => Ok(()),
            _ => Err(ProvisionError::Renamed { before: renaming.before.clone(), after: spec.name.to_string() }),
        }
    }

    async fn ensure_user_pool(&self, spec: &Spec) -> Result<Done<UserPool>, ProvisionError> {
        let wanted = UserPoolState::wanted(spec);
        let Some(mut pool) = self.user_pool(spec).await? else {
            let created = self
                .call(Situation::Settled, || {
                    self.platform.create_user_pool(&spec.name, &wanted, &spec.custom_attributes)
                })
                .await;
            return match created {
                Ok(created) => Ok(Done::new(created.value, Outcome::Created).after(created.attempts)),
                Err(error) => adopted(error, self.user_pool(spec)).await,
            };
        };
        let differences = differences(&pool.state, &wanted);
        if let Some(fixed) = differences.iter().find(|one| UserPoolState::IMMUTABLE.contains(&one.field.as_str())) {
            return Err(immutable(Resource::UserPool, &pool.id, fixed));
        }
        let new_attributes = new_attributes(&pool, &spec.custom_attributes)?;
        if differences.is_empty() && new_attributes.is_empty() {
            return Ok(Done::new(pool, Outcome::Unchanged));
        }
        if !new_attributes.is_empty() {
            self.call(Situation::Settled, || self.platform.add_custom_attributes(&pool.id, &new_attributes)).await?;
        }
        let mut attempts = 1;
        if !differences.is_empty() {
            attempts =
                self.call(Situation::Settled, || self.platform.update_user_pool(&pool.id, &wanted)).await?.attempts;
        }
        let added = new_attributes.iter().map(|attribute| format!("custom_attributes: + {}", attribute.name));
        let detail: Vec<String> = differences.iter().map(Difference::to_string).chain(added).collect();
        pool.state = wanted;
        Ok(Done::new(pool, Outcome::Updated).after(attempts).because(detail.join("; ")))
    }

    /// The user pool of the spec, where there is one.
    pub(super) async fn user_pool(&self, spec: &Spec) -> Result<Option<UserPool>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.user_pools(&spec.name)).await?.value;
        only(Resource::UserPool, found, |pool| &pool.id)
    }

    async fn ensure_client(
        &self,
        spec: &Spec,
        user_pool_id: &str,
        kind: ClientKind,
        client: &ClientSpec,
    ) -> Result<Done<AppClient>, ProvisionError> {
        let wanted = ClientState::wanted(kind, client);
        let with_secret = kind == ClientKind::Backend;
        let Some(mut found) = self.client(spec, user_pool_id, kind).await? else {
            let name = client_name(spec, kind);
            let created = self
                .call(Situation::Settled, || self.platform.create_client(user_pool_id, &name, with_secret, &wanted))
                .await;
            return match created {
                Ok(created) => Ok(Done::new(created.value, Outcome::Created).after(created.attempts)),
                Err(error) => adopted(error, self.client(spec, user_pool_id, kind)).await,
            };
        };
        if found.has_secret != with_secret {
            let difference =
                Difference { field: "secret".to_owned(), current: found.has_secret.into(), wanted: with_secret.into() };
            return Err(immutable(Resource::AppClient, &found.id, &difference));
        }
        let differences = differences(&found.state, &wanted);
        if differences.is_empty() {
            return Ok(Done::new(found, Outcome::Unchanged));
        }
        let update = || self.platform.update_client(user_pool_id, &found.id, &wanted);
        let attempts = self.call(Situation::Settled, update).await?.attempts;
        found.state = wanted;
        Ok(Done::new(found, Outcome::Updated).after(attempts).because(in_words(&differences)))
    }

    /// The app client of this kind, where there is one.
    pub(super) async fn client(
        &self,
        spec: &Spec,
        user_pool_id: &str,
        kind: ClientKind,
    ) -> Result<Option<AppClient>, ProvisionError> {
        let name = client_name(spec, kind);
        let found = self.call(Situation::Settled, || self.platform.clients(user_pool_id, &name)).await?.value;
        only(Resource::AppClient, found, |client| &client.id)
    }

    async fn ensure_groups(&self, spec: &Spec, user_pool_id: &str) -> Result<Done<()>, ProvisionError> {
        let there = self.call(Situation::Settled, || self.platform.groups(user_pool_id)).await?.value;
        let wanted = spec.all_groups();
        let missing: Vec<&str> = wanted.into_iter().filter(|group| !there.contains(*group)).collect();
        for group in &missing {
            match self.call(Situation::Settled, || self.platform.create_group(user_pool_id, group)).await {
                Ok(_) => {}
                // Somebody else, or an earlier attempt of ours whose answer was lost.
                Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        if missing.is_empty() {
            Ok(Done::new((), Outcome::Unchanged))
        } else {
            Ok(Done::new((), Outcome::Created).because(missing.join(", ")))
        }
    }

    async fn ensure_identity_pool(
        &self,
        spec: &Spec,
        providers: BTreeSet<Provider>,
    ) -> Result<Done<IdentityPool>, ProvisionError> {
        let wanted = IdentityPoolState {
            guests: spec.identity_pool.guests,
            classic_flow: spec.identity_pool.classic_flow,
            providers,
        };
        let Some(mut found) = self.identity_pool(spec).await? else {
            let created =
                self.call(Situation::Settled, || self.platform.create_identity_pool(&spec.name, &wanted)).await;
            return match created {
                Ok(created) => Ok(Done::new(created.value, Outcome::Created).after(created.attempts)),
                Err(error) => adopted(error, self.identity_pool(spec)).await,
            };
        };
        let differences = differences(&found.state, &wanted);
        if differences.is_empty() {
            return Ok(Done::new(found, Outcome::Unchanged));
        }
        let update = || self.platform.update_identity_pool(&found.id, &wanted);
        let attempts = self.call(Situation::Settled, update).await?.attempts;
        found.state = wanted;
        Ok(Done::new(found, Outcome::Updated).after(attempts).because(in_words(&differences)))
    }

    /// The identity pool of the spec, where there is one.
    pub(super) async fn identity_pool(&self, spec: &Spec) -> Result<Option<IdentityPool>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.identity_pools(&spec.name)).await?.value;
        only(Resource::IdentityPool, found, |pool| &pool.id)
    }

    async fn ensure_policy(
        &self,
        spec: &Spec,
        name: &str,
        arn: &str,
        document: &Value,
    ) -> Result<Done<IamEntity>, ProvisionError> {
        let Some(found) = self.policy(spec, arn).await? else {
            let create = || self.platform.create_policy(name, document, &spec.name);
            return match self.call(Situation::Settled, create).await {
                Ok(created) => Ok(Done::new(created.value, Outcome::Created).after(created.attempts)),
                Err(error) => adopted(error, self.policy(spec, arn)).await,
            };
        };
        if found.document == *document {
            return Ok(Done::new(found, Outcome::Unchanged));
        }
        let attempts = self.call(Situation::Settled, || self.platform.update_policy(arn, document)).await?.attempts;
        Ok(Done::new(found, Outcome::Updated).after(attempts).because("authenticated_policy"))
    }

    /// The policy of the spec, where there is one, and only if it is ours.
    pub(super) async fn policy(&self, spec: &Spec, arn: &str) -> Result<Option<IamEntity>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.policy(arn)).await?.value;
        ours(Resource::Policy, spec, found)
    }

    async fn ensure_role(&self, spec: &Spec, name: &str, trust: &Value) -> Result<Done<IamEntity>, ProvisionError> {
        let Some(found) = self.role(spec, name).await? else {
            let create = || self.platform.create_role(name, trust, &spec.name);
            return match self.call(Situation::JustCreated, create).await {
                Ok(created) => Ok(Done::new(created.value, Outcome::Created).after(created.attempts)),
                Err(error) => adopted(error, self.role(spec, name)).await,
            };
        };
        if found.document == *trust {
            return Ok(Done::new(found, Outcome::Unchanged));
        }
        let attempts = self.call(Situation::Settled, || self.platform.update_trust(name, trust)).await?.attempts;
        Ok(Done::new(found, Outcome::Updated).after(attempts).because("trust policy"))
    }

    /// The role of the spec, where there is one, and only if it is ours.
    pub(super) async fn role(&self, spec: &Spec, name: &str) -> Result<Option<IamEntity>, ProvisionError> {
        let found = self.call(Situation::Settled, || self.platform.role(name)).await?.value;
        ours(Resource::Role, spec, found)
    }

    async fn ensure_attachment(&self, role_name: &str, policy_arn: &str) -> Result<Done<()>, ProvisionError> {
        let attached = self.call(Situation::JustCreated, || self.platform.attached_policies(role_name)).await?;
        if attached.value.contains(policy_arn) {
            return Ok(Done::new((), Outcome::Unchanged).after(attached.attempts));
        }
        let attach = || self.platform.attach_policy(role_name, policy_arn);
        let attempts = self.call(Situation::JustCreated, attach).await?.attempts;
        Ok(Done::new((), Outcome::Created).after(attempts))
    }

    async fn ensure_identity_pool_role(
        &self,
        identity_pool_id: &str,
        role_arn: &str,
    ) -> Result<Done<()>, ProvisionError> {
        let current = self.call(Situation::Settled, || self.platform.authenticated_role(identity_pool_id)).await?.value;
        if current.as_deref() == Some(role_arn) {
            return Ok(Done::new((), Outcome::Unchanged));
        }
        let set = || self.platform.set_authenticated_role(identity_pool_id, role_arn);
        let attempts = self.call(Situation::JustCreated, set).await?.attempts;
        let outcome = if current.is_some() { Outcome::Updated } else { Outcome::Created };
        Ok(Done::new((), outcome).after(attempts))
    }

    async fn ensure_first_admin(
        &self,
        spec: &Spec,
        user_pool_id: &str,
        address: &str,
        username: &str,
    ) -> Result<Done<()>, ProvisionError> {
        let no_username = |_| SpecError { field: "first_admin", problem: "expected an e-mail address".to_owned() };
        let username: Username = username.parse().map_err(no_username)?;
        let directory = self.platform.directory(user_pool_id);
        let (user, outcome) = match self.users(|| directory.get(&username)).await {
            Ok(found) => (found.value, Outcome::Updated),
            Err(error) if error.last.reason == Reason::UserNotFound => {
                let new = invitation(&username, address);
                match self.users(|| directory.create(&new)).await {
                    Ok(created) => (created.value, Outcome::Created),
                    // Somebody was faster, or the answer was lost: whoever is there now must pass the same check.
                    Err(error)
                        if matches!(error.last.class(), ErrorClass::AlreadyExists | ErrorClass::OutcomeUnknown) =>
                    {
                        match self.users(|| directory.get(&username)).await {
                            Ok(found) => (found.value, Outcome::Adopted),
                            // Nobody is there: what the create said is the reason.
                            Err(_) => return Err(error.into()),
                        }
                    }
                    Err(error) => return Err(error.into()),
                }
            }
            Err(error) => return Err(error.into()),
        };
        if spec.sign_in == SignInWith::Username && user.username != username {
            // The name is somebody else's alias.
            return Err(ProvisionError::NotTheFirstAdmin);
        }
        let groups = self.users(|| directory.groups(&username)).await?.value;
        if groups.iter().any(|group| group == ADMINS) {
            return Ok(Done::new((), Outcome::Unchanged));
        }
        if !is_the_first_admin(&user, address) {
            return Err(ProvisionError::NotTheFirstAdmin);
        }
        self.users(|| directory.add_to_group(&username, ADMINS)).await?;
        let detail = if outcome == Outcome::Updated { "put into" } else { "invited into" };
        Ok(Done::new((), outcome).because(format!("{detail} {ADMINS}")))
    }
}

fn invitation(username: &Username, address: &str) -> NewUser {
    // The operator named the address: it counts as verified, so that a forgotten password can be reset.
    let attributes = [("email", address), ("email_verified", "true")];
    NewUser {
        username: username.clone(),
        attributes: Attributes::from(attributes.map(|(name, value)| (name.to_owned(), value.to_owned()))),
        temporary_password: None,
        invitation: Invitation::Send,
    }
}

/// Anybody can sign up under the first administrator's name, but only who has proved to hold the address, or was given it by an
/// administrator (an invitation of ours that was interrupted, for instance), has it verified. The status proves nothing: a temporary
/// password can be set for anybody.
fn is_the_first_admin(user: &User, address: &str) -> bool {
    let attribute = |name: &str| user.attributes.get(name).map(String::as_str);
    attribute("email") == Some(address) && attribute("email_verified") == Some("true")
}

/// A create whose answer was lost may have worked: what is found now is ours. A blind second create could make a second one.
async fn adopted<T>(
    error: ProvisionError,
    look: impl Future<Output = Result<Option<T>, ProvisionError>>,
) -> Result<Done<T>, ProvisionError> {
    let ProvisionError::Call(gave_up) = &error else { return Err(error) };
    if !matches!(gave_up.last.class(), ErrorClass::OutcomeUnknown | ErrorClass::AlreadyExists) {
        return Err(error);
    }
    let attempts = gave_up.attempts;
    match look.await? {
        Some(found) => {
            Ok(Done::new(found, Outcome::Adopted).after(attempts).because("the answer to the create was lost"))
        }
        None => Err(error),
    }
}

fn ours(resource: Resource, spec: &Spec, found: Option<IamEntity>) -> Result<Option<IamEntity>, ProvisionError> {
    match found {
        Some(entity) if entity.tagged.as_deref() != Some(spec.name.as_str()) => {
            Err(ProvisionError::NotOurs { resource, id: entity.arn })
        }
        found => Ok(found),
    }
}

fn client_name(spec: &Spec, kind: ClientKind) -> String {
    format!("{}-{}", spec.name, kind.as_str())
}

fn immutable(resource: Resource, id: &str, difference: &Difference) -> ProvisionError {
    ProvisionError::Immutable { resource, id: id.to_owned(), difference: Box::new(difference.clone()) }
}

/// The attributes of the spec that the pool does not have. One that the pool has otherwise cannot be changed.
fn new_attributes(pool: &UserPool, wanted: &[CustomAttribute]) -> Result<Vec<CustomAttribute>, ProvisionError> {
    let mut missing = Vec::new();
    for attribute in wanted {
        match pool.custom_attributes.iter().find(|current| current.name == attribute.name) {
            None => missing.push(attribute.clone()),
            Some(current) if current == attribute => {}
            Some(current) => {
                let found = differences(current, attribute);
                let Some(first) = found.first() else { continue };
                let field = format!("custom_attributes.{}.{}", attribute.name, first.field);
                let difference = Difference { field, ..first.clone() };
                return Err(immutable(Resource::UserPool, &pool.id, &difference));
            }
        }
    }
    Ok(missing)
}
