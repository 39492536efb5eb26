//! `apply`: discovers, compares and changes the resources step by step. A second run changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::create_once::{NewClient, NewIdentityPool, NewPolicy, NewRole, NewUserPool};
use super::diff::{self, UNUSED};
use super::discover::{Found, Names, client_name, ensure_owned};
use super::field_difference::summarize;
use super::plan::{Planned, Verdict};
use super::verify::Subject;
use super::{Outcome, ProvisionError, Provisioner, Rename, Resource, Run, Step, StepOutput, StepReport};
use crate::platform::{AppClient, ClientState, IamEntity, IdentityPool, UserPool, UserPoolState};
use crate::policy_document::{access_policy, trust_policy};
use crate::retry::{Classified, ErrorClass, Situation};
use crate::spec::{ClientKind, Spec};

impl Run<'_> {
    pub(super) async fn apply(&mut self, spec: &Spec, rename: Option<&Rename>) -> Result<(), ProvisionError> {
        spec.check()?;
        self.provisioner.observer.discovering();
        let found = self.provisioner.discover(spec).await?;
        if let Some(rename) = rename {
            ensure_same_pool(spec, rename, found.user_pool.as_ref())?;
        }
        // Check everything before the first change.
        let plan = diff::all(spec, &found)?;
        self.provisioner.ensure_passable(spec, &found)?;
        self.provisioner.ensure_adoptable(spec, found.user_pool.as_ref())?;
        self.provisioner.ensure_no_leftovers(&found)?;
        let apply = Apply { provisioner: self.provisioner.clone(), spec, plan: &plan, names: found.names.clone() };
        let subject = self.converge(&apply, found).await?;
        if spec.verify { self.verify_applied(spec, subject).await } else { Ok(()) }
    }

    async fn converge(&mut self, apply: &Apply<'_>, found: Found) -> Result<Option<Subject>, ProvisionError> {
        let names = &apply.names;
        let pool = self.step(Step::UserPool, apply.user_pool(found.user_pool)).await?;
        self.receipt.issuer = Some(pool.issuer.clone());
        self.receipt.user_pool_id = Some(pool.id.clone());
        self.receipt.user_pool_arn = Some(pool.arn.clone());

        let attributes = diff::pool_attributes(apply.spec, Some(&pool), &found.mapped_attributes);
        let mut clients = found.clients;
        let mut client_ids = BTreeMap::new();
        let mut backend = None;
        for (kind, desired) in apply.spec.clients() {
            let step = diff::step_of(kind);
            let state = ClientState::desired(kind, desired, &attributes);
            let client = apply.client(&pool.id, kind, state, clients.remove(&kind));
            let client = self.step(step, client).await?;
            match kind {
                ClientKind::Backend => self.receipt.backend_client_id = Some(client.id.clone()),
                ClientKind::Web => self.receipt.web_client_id = Some(client.id.clone()),
            }
            client_ids.insert(kind, client.id.clone());
            if kind == ClientKind::Backend {
                backend = Some(client);
            }
        }
        self.step(Step::Groups, apply.groups(&pool.id, &found.groups)).await?;

        let identity_pool = apply.identity_pool(&pool.id, &client_ids, found.identity_pool);
        let identity_pool = self.step(Step::IdentityPool, identity_pool).await?;
        self.receipt.identity_pool_id = Some(identity_pool.id.clone());

        let arn = names.policy_arn();
        let access = access_policy(&apply.spec.authenticated_policy, &names.identity_pool_arn(&identity_pool.id));
        // The role is updated before the policy. The policy may already be attached, and a wider policy must not take
        // effect on a role without a boundary.
        let role = self.step(Step::Role, apply.role(&trust_policy(&identity_pool.id), found.role)).await?;
        self.receipt.role_arn = Some(role.arn.clone());
        self.step(Step::Policy, apply.policy(&arn, &access, found.policy)).await?;
        self.receipt.policy_arn = Some(arn.clone());
        self.step(Step::PolicyAttachment, apply.attachment(&arn, found.attached.contains(&arn))).await?;
        let current = found.authenticated_role.as_deref();
        self.step(Step::IdentityPoolRole, apply.identity_pool_role(&identity_pool.id, &role.arn, current)).await?;

        // Invite the first administrator last, when the pool is complete.
        if let (Some(address), Some(username)) = (&apply.spec.first_admin, apply.spec.first_admin_username()) {
            let first_admin =
                apply.provisioner.ensure_first_admin(apply.spec, &pool, address, username, found.first_admin);
            self.step(Step::FirstAdmin, first_admin).await?;
        }
        // After a change, IAM may still return the previous state.
        let iam = [Step::Policy, Step::Role, Step::PolicyAttachment, Step::IdentityPoolRole];
        let written = |it: &StepReport| iam.contains(&it.step) && it.outcome != Outcome::Unchanged;
        let fresh = self.receipt.steps.iter().any(written);
        let role_name = names.iam.clone();
        Ok(backend.map(|client| Subject::new(&apply.provisioner, pool, client, identity_pool, role_name, fresh)))
    }
}

/// Rejects a name that would create another, empty user pool. The rollback of a rejected rename passes, because its
/// pool already has the name.
fn ensure_same_pool(spec: &Spec, rename: &Rename, pool: Option<&UserPool>) -> Result<(), ProvisionError> {
    match pool {
        Some(pool) if pool.id == rename.user_pool_id => Ok(()),
        _ => Err(ProvisionError::Renamed { before: rename.before.clone(), after: spec.name.to_string() }),
    }
}

/// The context of the steps.
struct Apply<'a> {
    provisioner: Provisioner<'a>,
    spec: &'a Spec,
    plan: &'a [Planned],
    names: Names,
}

impl Apply<'_> {
    /// The result for a resource that is up to date.
    fn unchanged<T>(&self, step: Step, resource: T) -> StepOutput<T> {
        let adopted = self.plan.iter().any(|planned| planned.step == step && planned.verdict == Verdict::Adopt);
        if adopted {
            StepOutput::new(resource, Outcome::Adopted).with_detail(UNUSED)
        } else {
            StepOutput::new(resource, Outcome::Unchanged)
        }
    }

    async fn user_pool(&self, found: Option<UserPool>) -> Result<StepOutput<UserPool>, ProvisionError> {
        let (provisioner, spec) = (&self.provisioner, self.spec);
        let is_new = found.is_none();
        let mut output = if let Some(pool) = found {
            self.unchanged(Step::UserPool, pool)
        } else {
            let custom_attributes = &spec.all_custom_attributes();
            let state = UserPoolState::desired(spec);
            let tags = provisioner.new_pool_tags();
            let new = NewUserPool { platform: provisioner.platform, name: &spec.name, state, custom_attributes, tags };
            provisioner.create_once(&new).await?
        };
        // A concurrent run may have created the pool, with another spec or for another stack.
        provisioner.ensure_adoptable(spec, Some(&output.value))?;
        let change = diff::user_pool(spec, &output.value)?;
        let differences = change.differences();
        if differences.is_empty() {
            return Ok(output);
        }
        let desired = output.value.state.desired_after(spec);
        let id = output.value.id.clone();
        if !change.new_attributes.is_empty() {
            let add = || provisioner.platform.add_custom_attributes(&id, &change.new_attributes);
            match provisioner.call(Situation::Settled, add).await {
                Ok(_) => {}
                // Cognito rejects attributes that an earlier attempt added, so only the current state decides.
                Err(error) => self.ensure_attributes_exist(error).await?,
            }
        }
        // Set MFA first, because `UpdateUserPool` can preserve a pool's MFA but cannot enable it.
        if change.changes_mfa() {
            let set = || provisioner.platform.set_mfa(&id, desired.mfa);
            output.attempts = output.attempts.max(provisioner.call(Situation::Settled, set).await?.attempts);
        }
        if change.changes_other_fields() {
            let update = || provisioner.platform.update_user_pool(&id, &desired);
            output.attempts = output.attempts.max(provisioner.call(Situation::Settled, update).await?.attempts);
        }
        output.value.state = desired;
        // `CreateUserPool` cannot set MFA with TOTP, so a new pool receives its MFA settings in this step.
        let completes_create = is_new && !change.changes_other_fields() && change.new_attributes.is_empty();
        if completes_create { Ok(output) } else { Ok(updated(output, summarize(&differences))) }
    }

    async fn ensure_attributes_exist(&self, error: ProvisionError) -> Result<(), ProvisionError> {
        let Some(pool) = self.provisioner.user_pool(self.spec).await? else { return Err(error) };
        if diff::user_pool(self.spec, &pool)?.new_attributes.is_empty() { Ok(()) } else { Err(error) }
    }

    async fn client(
        &self,
        user_pool_id: &str,
        kind: ClientKind,
        state: ClientState,
        found: Option<AppClient>,
    ) -> Result<StepOutput<AppClient>, ProvisionError> {
        let provisioner = &self.provisioner;
        let mut output = if let Some(client) = found {
            self.unchanged(diff::step_of(kind), client)
        } else {
            let name = client_name(&self.spec.name, kind);
            let (platform, with_secret) = (provisioner.platform, diff::has_secret(kind));
            provisioner
                .create_once(&NewClient { platform, user_pool_id, name, with_secret, state: state.clone() })
                .await?
        };
        let differences = diff::client(kind, &state, &output.value)?;
        if differences.is_empty() {
            return Ok(output);
        }
        let update = || provisioner.platform.update_client(user_pool_id, &output.value.id, &state);
        output.attempts = provisioner.call(Situation::Settled, update).await?.attempts;
        output.value.state = state;
        Ok(updated(output, summarize(&differences)))
    }

    async fn groups(&self, user_pool_id: &str, existing: &BTreeSet<String>) -> Result<StepOutput<()>, ProvisionError> {
        let provisioner = &self.provisioner;
        let missing = diff::missing_groups(self.spec, existing);
        let mut attempts = 1;
        for group in &missing {
            // The call is safe to repeat, because group names are unique.
            match provisioner.call(Situation::Settled, || provisioner.platform.create_group(user_pool_id, group)).await
            {
                Ok(created) => attempts = attempts.max(created.attempts),
                // A concurrent run, or an earlier attempt with a lost response, created the group.
                Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::AlreadyExists => {
                    attempts = attempts.max(gave_up.attempts);
                }
                Err(error) => return Err(error),
            }
        }
        if missing.is_empty() {
            Ok(StepOutput::new((), Outcome::Unchanged))
        } else {
            Ok(StepOutput::new((), Outcome::Created).with_attempts(attempts).with_detail(missing.join(", ")))
        }
    }

    async fn identity_pool(
        &self,
        user_pool_id: &str,
        client_ids: &BTreeMap<ClientKind, String>,
        found: Option<IdentityPool>,
    ) -> Result<StepOutput<IdentityPool>, ProvisionError> {
        let provisioner = &self.provisioner;
        let client_ids = client_ids.values().map(String::as_str);
        let desired = diff::desired_identity_pool(self.spec, user_pool_id, client_ids);
        let mut output = if let Some(pool) = found {
            self.unchanged(Step::IdentityPool, pool)
        } else {
            let (platform, name, state) = (provisioner.platform, &self.spec.name, desired.clone());
            provisioner.create_once(&NewIdentityPool { platform, name, state }).await?
        };
        let differences = diff::identity_pool(&desired, &output.value);
        if differences.is_empty() {
            return Ok(output);
        }
        let update = || provisioner.platform.update_identity_pool(&output.value.id, &desired);
        output.attempts = provisioner.call(Situation::Settled, update).await?.attempts;
        output.value.state = desired;
        Ok(updated(output, summarize(&differences)))
    }

    async fn policy(
        &self,
        arn: &str,
        document: &Value,
        found: Option<IamEntity>,
    ) -> Result<StepOutput<IamEntity>, ProvisionError> {
        let (provisioner, spec) = (&self.provisioner, self.spec);
        let mut output = if let Some(policy) = found {
            self.unchanged(Step::Policy, policy)
        } else {
            let (platform, name) = (provisioner.platform, self.names.iam.as_str());
            provisioner.create_once(&NewPolicy { platform, name, arn, document, pool: &spec.name }).await?
        };
        ensure_owned(Resource::Policy, spec, &output.value)?;
        if diff::document("document", &output.value.document, document).is_empty() {
            return Ok(output);
        }
        // The call is not safe to repeat, because each call creates a version.
        let update = || provisioner.platform.update_policy(arn, document);
        match provisioner.call(Situation::Creating, update).await {
            Ok(updated) => output.attempts = updated.attempts,
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::OutcomeUnknown => {
                let now = provisioner.policy(spec, arn).await?;
                if now.is_none_or(|policy| policy.document != *document) {
                    output.attempts = gave_up.attempts + provisioner.call(Situation::Creating, update).await?.attempts;
                }
            }
            Err(error) => return Err(error),
        }
        output.value.document = document.clone();
        Ok(updated(output, "authenticated_policy".to_owned()))
    }

    async fn role(&self, trust: &Value, found: Option<IamEntity>) -> Result<StepOutput<IamEntity>, ProvisionError> {
        let (provisioner, spec, name) = (&self.provisioner, self.spec, self.names.iam.as_str());
        let mut output = if let Some(role) = found {
            self.unchanged(Step::Role, role)
        } else {
            let boundary = spec.permissions_boundary.as_deref();
            let new = NewRole { platform: provisioner.platform, name, trust, pool: &spec.name, boundary };
            provisioner.create_once(&new).await?
        };
        ensure_owned(Resource::Role, spec, &output.value)?;
        let differences = diff::role(spec, trust, &output.value);
        // Set the boundary first, so that no other change applies to a role without the boundary.
        if let Some(boundary) =
            spec.permissions_boundary.as_deref().filter(|it| output.value.boundary.as_deref() != Some(it))
        {
            let set = || provisioner.platform.set_boundary(name, boundary);
            output.attempts = provisioner.call(Situation::JustCreated, set).await?.attempts;
            output.value.boundary = Some(boundary.to_owned());
        }
        if output.value.document != *trust {
            let update = || provisioner.platform.update_trust(name, trust);
            output.attempts = provisioner.call(Situation::JustCreated, update).await?.attempts;
            output.value.document = trust.clone();
        }
        let fields: Vec<_> = differences.into_iter().map(|difference| difference.field).collect();
        if fields.is_empty() { Ok(output) } else { Ok(updated(output, fields.join(", "))) }
    }

    async fn attachment(&self, policy_arn: &str, attached: bool) -> Result<StepOutput<()>, ProvisionError> {
        if attached {
            return Ok(self.unchanged(Step::PolicyAttachment, ()));
        }
        let attach = || self.provisioner.platform.attach_policy(&self.names.iam, policy_arn);
        let attempts = self.provisioner.call(Situation::JustCreated, attach).await?.attempts;
        Ok(StepOutput::new((), Outcome::Created).with_attempts(attempts))
    }

    async fn identity_pool_role(
        &self,
        identity_pool_id: &str,
        role_arn: &str,
        current: Option<&str>,
    ) -> Result<StepOutput<()>, ProvisionError> {
        if current == Some(role_arn) {
            return Ok(self.unchanged(Step::IdentityPoolRole, ()));
        }
        let set = || self.provisioner.platform.set_authenticated_role(identity_pool_id, role_arn);
        let attempts = self.provisioner.call(Situation::JustCreated, set).await?.attempts;
        let outcome = if current.is_some() { Outcome::Updated } else { Outcome::Created };
        Ok(StepOutput::new((), outcome).with_attempts(attempts))
    }
}

fn updated<T>(output: StepOutput<T>, detail: String) -> StepOutput<T> {
    StepOutput { outcome: Outcome::Updated, ..output }.with_detail(detail)
}
