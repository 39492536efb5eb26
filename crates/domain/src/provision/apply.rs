//! `apply`: looks, compares, and then does what the comparison says, step by step. A second run changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::create_once::{NewClient, NewIdentityPool, NewPolicy, NewRole, NewUserPool};
use super::diff::{self, LEFT_BEHIND};
use super::discover::{Found, Names, client_name, ours};
use super::field_difference::in_words;
use super::plan::{Planned, Verdict};
use super::verify::Subject;
use super::{Deployment, Done, Outcome, ProvisionError, Provisioner, Renaming, Resource, Step, StepReport, Work};
use crate::platform::{AppClient, ClientState, IamEntity, IdentityPool, UserPool, UserPoolState};
use crate::policy_document::{access_policy, trust_policy};
use crate::retry::{Classified, ErrorClass, Situation};
use crate::spec::{ClientKind, Spec};

impl Work<'_> {
    pub(super) async fn apply(&mut self, spec: &Spec, renaming: Option<&Renaming>) -> Result<(), ProvisionError> {
        spec.check()?;
        self.provisioner.observer.discovering();
        let found = self.provisioner.discover(spec).await?;
        if let Some(renaming) = renaming {
            refuse_another_pool(spec, renaming, found.user_pool.as_ref())?;
        }
        // Also what is refused: everything of it, before anything is touched.
        let plan = diff::all(spec, &found)?;
        self.provisioner.ensure_passable(spec, &found)?;
        self.provisioner.ensure_adoptable(spec, found.user_pool.as_ref())?;
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
        for (kind, wanted) in apply.spec.clients() {
            let step = diff::step_of(kind);
            let state = ClientState::wanted(kind, wanted, &attributes);
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
        // Before the policy, which may be attached already: a wider one would work on a role that has no boundary yet.
        let role = self.step(Step::Role, apply.role(&trust_policy(&identity_pool.id), found.role)).await?;
        self.receipt.role_arn = Some(role.arn.clone());
        self.step(Step::Policy, apply.policy(&arn, &access, found.policy)).await?;
        self.receipt.policy_arn = Some(arn.clone());
        self.step(Step::PolicyAttachment, apply.attachment(&arn, found.attached.contains(&arn))).await?;
        let current = found.authenticated_role.as_deref();
        self.step(Step::IdentityPoolRole, apply.identity_pool_role(&identity_pool.id, &role.arn, current)).await?;

        // Last, so that nobody is invited into something that is not there yet.
        if let (Some(address), Some(username)) = (&apply.spec.first_admin, apply.spec.first_admin_username()) {
            let first_admin =
                apply.provisioner.ensure_first_admin(apply.spec, &pool, address, username, found.first_admin);
            self.step(Step::FirstAdmin, first_admin).await?;
        }
        // Where IAM was changed a moment ago, what it shows may be what was before.
        let iam = [Step::Policy, Step::Role, Step::PolicyAttachment, Step::IdentityPoolRole];
        let written = |it: &StepReport| iam.contains(&it.step) && it.outcome != Outcome::Unchanged;
        let fresh = self.receipt.steps.iter().any(written);
        let role_name = names.iam.clone();
        Ok(backend.map(|client| Subject::new(&apply.provisioner, pool, client, identity_pool, role_name, fresh)))
    }
}

/// Another name would be another, empty user pool. The way back from a refused renaming stays open: there the pool with the new
/// name is the spec's own.
fn refuse_another_pool(spec: &Spec, renaming: &Renaming, pool: Option<&UserPool>) -> Result<(), ProvisionError> {
    match pool {
        Some(pool) if pool.id == renaming.user_pool_id => Ok(()),
        _ => Err(ProvisionError::Renamed { before: renaming.before.clone(), after: spec.name.to_string() }),
    }
}

/// What the steps share.
struct Apply<'a> {
    provisioner: Provisioner<'a>,
    spec: &'a Spec,
    plan: &'a [Planned],
    names: Names,
}

impl Apply<'_> {
    /// Something that is as it should be.
    fn kept<T>(&self, step: Step, thing: T) -> Done<T> {
        let adopted = self.plan.iter().any(|planned| planned.step == step && planned.verdict == Verdict::Adopt);
        if adopted {
            Done::new(thing, Outcome::Adopted).because(LEFT_BEHIND)
        } else {
            Done::new(thing, Outcome::Unchanged)
        }
    }

    async fn user_pool(&self, found: Option<UserPool>) -> Result<Done<UserPool>, ProvisionError> {
        let (provisioner, spec) = (&self.provisioner, self.spec);
        let wanted = UserPoolState::wanted(spec);
        let is_new = found.is_none();
        let mut done = if let Some(pool) = found {
            self.kept(Step::UserPool, pool)
        } else {
            let custom_attributes = &spec.all_custom_attributes();
            let state = wanted.clone();
            let tags = provisioner.deployment.as_ref().map(Deployment::tags).unwrap_or_default();
            let new = NewUserPool { platform: provisioner.platform, name: &spec.name, state, custom_attributes, tags };
            provisioner.establish(&new).await?
        };
        // Also of one that another run has just made: its spec may have been another one, and its stack another stack.
        provisioner.ensure_adoptable(spec, Some(&done.value))?;
        let change = diff::user_pool(spec, &done.value)?;
        let differences = change.differences();
        if differences.is_empty() {
            return Ok(done);
        }
        let id = done.value.id.clone();
        if !change.new_attributes.is_empty() {
            let add = || provisioner.platform.add_custom_attributes(&id, &change.new_attributes);
            match provisioner.call(Situation::Settled, add).await {
                Ok(_) => {}
                // Adding again what an earlier attempt has added is refused: only what is there now tells.
                Err(error) => self.attributes_are_there(error).await?,
            }
        }
        // First: `UpdateUserPool` can keep a pool's MFA, but not switch it on.
        if change.changes_mfa() {
            let set = || provisioner.platform.set_mfa(&id, wanted.mfa);
            done.attempts = done.attempts.max(provisioner.call(Situation::Settled, set).await?.attempts);
        }
        if change.changes_other_fields() {
            let update = || provisioner.platform.update_user_pool(&id, &wanted);
            done.attempts = done.attempts.max(provisioner.call(Situation::Settled, update).await?.attempts);
        }
        done.value.state = wanted;
        // No create takes MFA with TOTP, so a new pool gets it here.
        let completes_create = is_new && !change.changes_other_fields() && change.new_attributes.is_empty();
        if completes_create { Ok(done) } else { Ok(updated(done, in_words(&differences))) }
    }

    async fn attributes_are_there(&self, error: ProvisionError) -> Result<(), ProvisionError> {
        let Some(pool) = self.provisioner.user_pool(self.spec).await? else { return Err(error) };
        if diff::user_pool(self.spec, &pool)?.new_attributes.is_empty() { Ok(()) } else { Err(error) }
    }

    async fn client(
        &self,
        user_pool_id: &str,
        kind: ClientKind,
        state: ClientState,
        found: Option<AppClient>,
    ) -> Result<Done<AppClient>, ProvisionError> {
        let provisioner = &self.provisioner;
        let mut done = if let Some(client) = found {
            self.kept(diff::step_of(kind), client)
        } else {
            let name = client_name(&self.spec.name, kind);
            let (platform, with_secret) = (provisioner.platform, diff::has_secret(kind));
            provisioner
                .establish(&NewClient { platform, user_pool_id, name, with_secret, state: state.clone() })
                .await?
        };
        let differences = diff::client(kind, &state, &done.value)?;
        if differences.is_empty() {
            return Ok(done);
        }
        let update = || provisioner.platform.update_client(user_pool_id, &done.value.id, &state);
        done.attempts = provisioner.call(Situation::Settled, update).await?.attempts;
        done.value.state = state;
        Ok(updated(done, in_words(&differences)))
    }

    async fn groups(&self, user_pool_id: &str, there: &BTreeSet<String>) -> Result<Done<()>, ProvisionError> {
        let provisioner = &self.provisioner;
        let missing = diff::missing_groups(self.spec, there);
        let mut attempts = 1;
        for group in &missing {
            // Safe to repeat: names are unique.
            match provisioner.call(Situation::Settled, || provisioner.platform.create_group(user_pool_id, group)).await
            {
                Ok(created) => attempts = attempts.max(created.attempts),
                // Another run, or an earlier attempt of ours whose answer was lost.
                Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::AlreadyExists => {
                    attempts = attempts.max(gave_up.attempts);
                }
                Err(error) => return Err(error),
            }
        }
        if missing.is_empty() {
            Ok(Done::new((), Outcome::Unchanged))
        } else {
            Ok(Done::new((), Outcome::Created).after(attempts).because(missing.join(", ")))
        }
    }

    async fn identity_pool(
        &self,
        user_pool_id: &str,
        client_ids: &BTreeMap<ClientKind, String>,
        found: Option<IdentityPool>,
    ) -> Result<Done<IdentityPool>, ProvisionError> {
        let provisioner = &self.provisioner;
        let client_ids = client_ids.values().map(String::as_str);
        let wanted = diff::wanted_identity_pool(self.spec, user_pool_id, client_ids);
        let mut done = if let Some(pool) = found {
            self.kept(Step::IdentityPool, pool)
        } else {
            let (platform, name, state) = (provisioner.platform, &self.spec.name, wanted.clone());
            provisioner.establish(&NewIdentityPool { platform, name, state }).await?
        };
        let differences = diff::identity_pool(&wanted, &done.value);
        if differences.is_empty() {
            return Ok(done);
        }
        let update = || provisioner.platform.update_identity_pool(&done.value.id, &wanted);
        done.attempts = provisioner.call(Situation::Settled, update).await?.attempts;
        done.value.state = wanted;
        Ok(updated(done, in_words(&differences)))
    }

    async fn policy(
        &self,
        arn: &str,
        document: &Value,
        found: Option<IamEntity>,
    ) -> Result<Done<IamEntity>, ProvisionError> {
        let (provisioner, spec) = (&self.provisioner, self.spec);
        let mut done = if let Some(policy) = found {
            self.kept(Step::Policy, policy)
        } else {
            let (platform, name) = (provisioner.platform, self.names.iam.as_str());
            provisioner.establish(&NewPolicy { platform, name, arn, document, pool: &spec.name }).await?
        };
        ours(Resource::Policy, spec, &done.value)?;
        if diff::document("document", &done.value.document, document).is_empty() {
            return Ok(done);
        }
        // Not safe to repeat blindly: each time would make a version.
        let update = || provisioner.platform.update_policy(arn, document);
        match provisioner.call(Situation::Creating, update).await {
            Ok(made) => done.attempts = made.attempts,
            Err(ProvisionError::Call(gave_up)) if gave_up.last.class() == ErrorClass::OutcomeUnknown => {
                let now = provisioner.policy(spec, arn).await?;
                if now.is_none_or(|policy| policy.document != *document) {
                    done.attempts = gave_up.attempts + provisioner.call(Situation::Creating, update).await?.attempts;
                }
            }
            Err(error) => return Err(error),
        }
        done.value.document = document.clone();
        Ok(updated(done, "authenticated_policy".to_owned()))
    }

    async fn role(&self, trust: &Value, found: Option<IamEntity>) -> Result<Done<IamEntity>, ProvisionError> {
        let (provisioner, spec, name) = (&self.provisioner, self.spec, self.names.iam.as_str());
        let mut done = if let Some(role) = found {
            self.kept(Step::Role, role)
        } else {
            let boundary = spec.permissions_boundary.as_deref();
            let new = NewRole { platform: provisioner.platform, name, trust, pool: &spec.name, boundary };
            provisioner.establish(&new).await?
        };
        ours(Resource::Role, spec, &done.value)?;
        let differences = diff::role(spec, trust, &done.value);
        // The boundary first: nothing else of the role is changed while it lacks the boundary.
        if let Some(boundary) =
            spec.permissions_boundary.as_deref().filter(|it| done.value.boundary.as_deref() != Some(it))
        {
            let set = || provisioner.platform.set_boundary(name, boundary);
            done.attempts = provisioner.call(Situation::JustCreated, set).await?.attempts;
            done.value.boundary = Some(boundary.to_owned());
        }
        if done.value.document != *trust {
            let update = || provisioner.platform.update_trust(name, trust);
            done.attempts = provisioner.call(Situation::JustCreated, update).await?.attempts;
            done.value.document = trust.clone();
        }
        let fields: Vec<_> = differences.into_iter().map(|difference| difference.field).collect();
        if fields.is_empty() { Ok(done) } else { Ok(updated(done, fields.join(", "))) }
    }

    async fn attachment(&self, policy_arn: &str, attached: bool) -> Result<Done<()>, ProvisionError> {
        if attached {
            return Ok(self.kept(Step::PolicyAttachment, ()));
        }
        let attach = || self.provisioner.platform.attach_policy(&self.names.iam, policy_arn);
        let attempts = self.provisioner.call(Situation::JustCreated, attach).await?.attempts;
        Ok(Done::new((), Outcome::Created).after(attempts))
    }

    async fn identity_pool_role(
        &self,
        identity_pool_id: &str,
        role_arn: &str,
        current: Option<&str>,
    ) -> Result<Done<()>, ProvisionError> {
        if current == Some(role_arn) {
            return Ok(self.kept(Step::IdentityPoolRole, ()));
        }
        let set = || self.provisioner.platform.set_authenticated_role(identity_pool_id, role_arn);
        let attempts = self.provisioner.call(Situation::JustCreated, set).await?.attempts;
        let outcome = if current.is_some() { Outcome::Updated } else { Outcome::Created };
        Ok(Done::new((), outcome).after(attempts))
    }
}

fn updated<T>(done: Done<T>, detail: String) -> Done<T> {
    Done { outcome: Outcome::Updated, ..done }.because(detail)
}
