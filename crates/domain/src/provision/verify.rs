//! `verify`: a test user signs up through the trigger, signs in and receives AWS credentials, and is deleted
//! afterwards.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use super::{Outcome, ProvisionError, Provisioner, Resource, Run, Step, StepOutput, iam_name};
use crate::error_chain::causes;
use crate::platform::{AppClient, IdentityPool, TemporaryCredentials, UserPool};
use crate::retry::{Classified, ErrorClass, GaveUp, GraceClock, Situation};
use crate::secret::Secret;
use crate::spec::{ClientKind, SignInWith, Spec, SpecError};
use crate::user_pool::directory::{Directory, NewUser, WelcomeMessage};
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::sessions::{
    Challenge, ChallengeAnswer, ChallengeName, ChallengeResponse, ClientContext, Credentials, Registration, Sessions,
    SignIn,
};
use crate::user_pool::user::{Attributes, User, UserStatus, Username};

/// The time for deleting the test user after the deadline. [`Provisioner::clock`] must leave this time and the
/// duration of the last calls.
const CLEAN_UP_TIME: Duration = Duration::from_secs(15);

/// The start and end of the address of every test user. Amazon's mailbox simulator accepts every message, so the
/// sender gets no bounces.
const ADDRESS: (&str, &str) = ("success+poolkeeper-", "@simulator.amazonses.com");

/// The reason for a sign-up that is not proved.
const MAIL_QUOTA: &str = "sign-up not proved, because the mail quota is used up (Cognito's default sender sends 50 \
                          messages per day and account); created the test user with AdminCreateUser instead; to send \
                          more, configure Amazon SES for the pool";

/// The age after which a test user belongs to a killed run. No run takes this long.
const STALE_AFTER: time::Duration = time::Duration::hours(1);

/// The time after a role's creation in which IAM may return the previous state.
const FRESH: time::Duration = time::Duration::minutes(2);

/// The resources that `verify` tests.
pub(super) struct Subject {
    pub(super) pool: UserPool,
    pub(super) identity_pool: IdentityPool,
    pub(super) role_name: String,
    /// Whether the role, its policy or the identity pool role changed recently, so that AWS may return the previous
    /// state.
    pub(super) fresh: bool,
    /// The attributes that users can write through the backend client.
    writable: BTreeSet<String>,
    directory: Box<dyn Directory>,
    sessions: Box<dyn Sessions>,
}

/// The user that the verification creates and deletes.
struct TestUser {
    username: Username,
    password: Secret,
    attributes: Attributes,
}

impl Run<'_> {
    pub(super) async fn verify(&mut self, spec: &Spec) -> Result<(), ProvisionError> {
        spec.check()?;
        self.provisioner.observer.discovering();
        let subject = self.provisioner.subject(spec).await?;
        self.receipt.user_pool_id = Some(subject.pool.id.clone());
        self.receipt.identity_pool_id = Some(subject.identity_pool.id.clone());
        let provisioner = self.provisioner.clone();
        provisioner.ensure_adoptable(spec, Some(&subject.pool))?;
        let pool = subject.pool.clone();
        self.prove(spec, subject).await?;
        // The verification is the last resource of a stack, so the deployment has succeeded.
        if let Some(deployment) = &provisioner.deployment {
            self.step(Step::PoolTags, provisioner.record_deployment(spec, &pool, deployment)).await?;
        }
        Ok(())
    }

    /// Verifies the resources of the current `apply`.
    pub(super) async fn verify_applied(&mut self, spec: &Spec, subject: Option<Subject>) -> Result<(), ProvisionError> {
        let missing = || ProvisionError::Missing { resource: Resource::AppClient, name: spec.name.to_string() };
        self.prove(spec, subject.ok_or_else(missing)?).await
    }

    async fn prove(&mut self, spec: &Spec, subject: Subject) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        let user = provisioner.new_test_user(spec)?;
        let mut identity_id = None;
        let verified = self.verify_as(&subject, &user, &mut identity_id).await;
        // After the deadline, only this run's user is deleted.
        let in_time = !provisioner.clock.time_left().is_zero();
        let provisioner =
            Provisioner { clock: Arc::new(GraceClock::new(&provisioner.clock, CLEAN_UP_TIME)), ..provisioner };
        let clean_up = provisioner.clean_up(&subject, &user.username, identity_id, in_time);
        let cleaned_up = self.step(Step::CleanUp, clean_up).await;
        // The receipt contains both failures.
        verified.and(cleaned_up)
    }

    async fn verify_as(
        &mut self,
        subject: &Subject,
        user: &TestUser,
        identity_id: &mut Option<String>,
    ) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        let confirmed = self.step(Step::SignUp, subject.sign_up(&provisioner, user)).await?;
        self.step(Step::Confirm, subject.confirm(&provisioner, &user.username, confirmed)).await?;
        let id_token = self.step(Step::SignIn, subject.sign_in(&provisioner, user)).await?;
        let identity = self.step(Step::Identity, provisioner.identity(subject, &id_token)).await?;
        *identity_id = Some(identity.clone());
        let credentials =
            self.step(Step::Credentials, provisioner.await_credentials(subject, &identity, &id_token)).await?;
        let caller = self.step(Step::CallerIdentity, provisioner.caller_arn(subject, &credentials)).await?;
        self.receipt.caller_arn = Some(caller);
        Ok(())
    }
}

impl Subject {
    pub(super) fn new(
        provisioner: &Provisioner<'_>,
        pool: UserPool,
        client: AppClient,
        identity_pool: IdentityPool,
        role_name: String,
        fresh: bool,
    ) -> Self {
        let directory = provisioner.platform.directory(&pool.id);
        let sessions = provisioner.platform.sessions(&pool.id, &client.id);
        let writable = client.state.write_attributes;
        Self { pool, identity_pool, role_name, fresh, writable, directory, sessions }
    }

    /// Signs the user up, or creates the user as administrator if the policy rejects the sign-up. Returns whether the
    /// user is confirmed.
    async fn sign_up(
        &self,
        provisioner: &Provisioner<'_>,
        user: &TestUser,
    ) -> Result<StepOutput<bool>, ProvisionError> {
        let mut attributes = user.attributes.clone();
        // Cognito rejects other attributes. A client without a list can write all attributes.
        attributes.retain(|name, _| self.writable.is_empty() || self.writable.contains(name));
        let registration = Registration {
            username: user.username.clone(),
            password: user.password.clone(),
            attributes,
            validation_data: Attributes::new(),
            client_metadata: Attributes::new(),
            context: ClientContext::default(),
        };
        let sign_up = || self.sessions.sign_up(&registration);
        let error = match provisioner.user_call(Situation::Creating, sign_up).await {
            Ok(registered) => {
                return Ok(
                    StepOutput::new(registered.value.confirmed, Outcome::Succeeded).with_attempts(registered.attempts)
                );
            }
            Err(error) => error,
        };
        match error.last.class() {
            ErrorClass::SignUpRefused => {
                self.create_as_administrator(provisioner, user).await?;
                Ok(StepOutput::new(true, Outcome::Succeeded).with_detail(
                    "the sign-up policy rejected the sign-up; created the test user with AdminCreateUser instead",
                ))
            }
            // The quota is not a fault of the deployment. The other steps use a user that receives no mail.
            _ if error.last.reason == Reason::MailQuotaExceeded => {
                self.create_as_administrator(provisioner, user).await?;
                Ok(StepOutput::new(true, Outcome::NotProved).with_detail(MAIL_QUOTA))
            }
            // The name is random, so an existing user is the test user.
            ErrorClass::OutcomeUnknown => {
                match provisioner.user_call(Situation::Settled, || self.directory.get(&user.username)).await {
                    Ok(found) => Ok(StepOutput::new(found.value.status == UserStatus::Confirmed, Outcome::Succeeded)
                        .with_attempts(error.attempts)
                        .with_detail("the response to the sign-up was lost")),
                    Err(read) if read.last.reason == Reason::UserNotFound => {
                        let again = provisioner.user_call(Situation::Creating, sign_up).await?;
                        Ok(StepOutput::new(again.value.confirmed, Outcome::Succeeded)
                            .with_attempts(error.attempts + again.attempts))
                    }
                    Err(read) => Err(read.into()),
                }
            }
            _ => Err(error.into()),
        }
    }

    /// Creates the user as administrator. The name is random, so only an attempt with a lost response can have created
    /// an existing user.
    async fn create_as_administrator(
        &self,
        provisioner: &Provisioner<'_>,
        user: &TestUser,
    ) -> Result<(), ProvisionError> {
        let new = NewUser {
            username: user.username.clone(),
            attributes: user.attributes.clone(),
            temporary_password: None,
            welcome_message: WelcomeMessage::Suppress,
        };
        match provisioner.user_call(Situation::Settled, || self.directory.create(&new)).await {
            Ok(_) => {}
            Err(error) if error.last.reason == Reason::UserExists => {}
            Err(error) => return Err(error.into()),
        }
        let set_password = || self.directory.set_password(&user.username, &user.password, true);
        provisioner.user_call(Situation::Settled, set_password).await?;
        Ok(())
    }

    async fn confirm(
        &self,
        provisioner: &Provisioner<'_>,
        username: &Username,
        confirmed: bool,
    ) -> Result<StepOutput<()>, ProvisionError> {
        if confirmed {
            return Ok(StepOutput::new((), Outcome::Unchanged).with_detail("already confirmed"));
        }
        let attempts = match provisioner.user_call(Situation::Settled, || self.directory.confirm(username)).await {
            Ok(confirmed) => confirmed.attempts,
            // An earlier attempt with a lost response confirmed the user.
            Err(error) if error.attempts > 1 && error.last.reason == Reason::WrongState => error.attempts,
            Err(error) => return Err(error.into()),
        };
        Ok(StepOutput::new((), Outcome::Succeeded)
            .with_attempts(attempts)
            .with_detail("confirmed with AdminConfirmSignUp"))
    }

    async fn sign_in(
        &self,
        provisioner: &Provisioner<'_>,
        user: &TestUser,
    ) -> Result<StepOutput<Secret>, ProvisionError> {
        let credentials = Credentials {
            username: user.username.clone(),
            password: user.password.clone(),
            context: ClientContext::default(),
        };
        let signed_in = provisioner.user_call(Situation::Settled, || self.sessions.sign_in(&credentials)).await?;
        let attempts = signed_in.attempts;
        match signed_in.value {
            SignIn::Challenge(challenge) if challenge.name == ChallengeName::MfaSetup => {
                let tokens = tokens(self.enroll(provisioner, &challenge).await?)?;
                Ok(StepOutput::new(tokens, Outcome::Succeeded)
                    .with_attempts(attempts)
                    .with_detail("enrolled a second factor"))
            }
            other => Ok(StepOutput::new(tokens(other)?, Outcome::Succeeded).with_attempts(attempts)),
        }
    }

    /// Enrolls an authenticator app, which a pool with `mfa: required` requires at the first sign-in.
    async fn enroll(&self, provisioner: &Provisioner<'_>, setup: &Challenge) -> Result<SignIn, ProvisionError> {
        let challenged = || ProvisionError::Challenged(ChallengeName::MfaSetup.as_str().to_owned());
        let answer = |challenge: &Challenge, response| {
            let session = challenge.session.clone().ok_or_else(challenged)?;
            let username = challenge.username.clone();
            Ok::<_, ProvisionError>(ChallengeAnswer { username, session, response, context: ClientContext::default() })
        };
        let start = answer(setup, ChallengeResponse::BeginSetup)?;
        // Sent once, because a session is valid for one response.
        let with_secret =
            match provisioner.user_call(Situation::Creating, || self.sessions.answer_challenge(&start)).await?.value {
                SignIn::Challenge(challenge) => challenge,
                other => return Ok(other),
            };
        let secret = with_secret.authenticator_secret.as_ref();
        let code =
            secret.and_then(|secret| provisioner.platform.authenticator_code(secret, provisioner.clock.wall_time()));
        let finish = ChallengeResponse::FinishSetup { code: code.ok_or_else(challenged)?, device_name: None };
        let finish = answer(&with_secret, finish)?;
        Ok(provisioner.user_call(Situation::Creating, || self.sessions.answer_challenge(&finish)).await?.value)
    }
}

fn tokens(signed_in: SignIn) -> Result<Secret, ProvisionError> {
    match signed_in {
        SignIn::Tokens(tokens) => Ok(tokens.id_token),
        SignIn::Challenge(challenge) => Err(ProvisionError::Challenged(challenge.name.as_str().to_owned())),
        SignIn::Unsupported(name) => Err(ProvisionError::Challenged(name)),
    }
}

impl Provisioner<'_> {
    async fn subject(&self, spec: &Spec) -> Result<Subject, ProvisionError> {
        let missing = |resource| ProvisionError::Missing { resource, name: spec.name.to_string() };
        let pool = self.user_pool(spec).await?.ok_or_else(|| missing(Resource::UserPool))?;
        let client = self.client(spec, &pool.id, ClientKind::Backend).await?;
        let client = client.ok_or_else(|| missing(Resource::AppClient))?;
        let identity_pool = self.identity_pool(spec).await?.ok_or_else(|| missing(Resource::IdentityPool))?;
        let role_name = iam_name(&spec.name, self.platform.region());
        // The role may be new, because a stack creates its pool right before the verification.
        let role = self.call(Situation::Settled, || self.platform.role(&role_name)).await?.value;
        let now = self.clock.wall_time();
        let created_at = role.and_then(|role| role.created_at);
        let fresh = created_at.is_some_and(|created_at| now - created_at < FRESH);
        Ok(Subject::new(self, pool, client, identity_pool, role_name, fresh))
    }

    fn new_test_user(&self, spec: &Spec) -> Result<TestUser, ProvisionError> {
        let nonce = self.clock.nonce();
        let address = format!("{}{}{}", ADDRESS.0, nonce.expose(), ADDRESS.1);
        let username = match spec.sign_in {
            SignInWith::Email => address.clone(),
            SignInWith::Username => format!("poolkeeper-verify-{}", nonce.expose()),
        };
        let invalid = |_| SpecError {
            field: "sign_in",
            problem: "cannot generate a valid user name for the test user".to_owned(),
        };
        // One character of each class, then random characters.
        let mut password = "Aa1!".to_owned();
        while password.len() < spec.password_policy.minimum_length as usize || password.len() < 36 {
            password.push_str(self.clock.nonce().expose());
        }
        // Cognito's maximum is 99 characters.
        password.truncate(99);
        let attributes = Attributes::from([("email".to_owned(), address)]);
        Ok(TestUser { username: username.parse().map_err(invalid)?, password: Secret::new(password), attributes })
    }

    async fn identity(&self, subject: &Subject, id_token: &Secret) -> Result<StepOutput<String>, ProvisionError> {
        let identity = || self.platform.identity(&subject.identity_pool.id, &subject.pool.id, id_token);
        let identity = self.call(Situation::Settled, identity).await?;
        Ok(StepOutput::new(identity.value, Outcome::Succeeded).with_attempts(identity.attempts))
    }

    async fn caller_arn(
        &self,
        subject: &Subject,
        credentials: &TemporaryCredentials,
    ) -> Result<StepOutput<String>, ProvisionError> {
        let caller = self.call(Situation::Settled, || self.platform.caller_arn(credentials)).await?;
        let expected = format!(":assumed-role/{}/CognitoIdentityCredentials", subject.role_name);
        if !caller.value.ends_with(&expected) {
            return Err(ProvisionError::WrongCaller { found: caller.value, expected });
        }
        let detail = caller.value.clone();
        Ok(StepOutput::new(caller.value, Outcome::Succeeded).with_attempts(caller.attempts).with_detail(detail))
    }

    async fn clean_up(
        &self,
        subject: &Subject,
        username: &Username,
        identity_id: Option<String>,
        in_time: bool,
    ) -> Result<StepOutput<()>, ProvisionError> {
        match self.user_call(Situation::Settled, || subject.directory.delete(username)).await {
            Ok(_) => {}
            // No user was created.
            Err(error) if error.last.reason == Reason::UserNotFound => {}
            Err(error) => return Err(error.into()),
        }
        let mut details = Vec::new();
        // An identity without its user grants no access, so a failed deletion does not fail the verification.
        if let Some(id) = identity_id
            && let Err(error) = self.call(Situation::Settled, || self.platform.delete_identity(&id)).await
        {
            let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            details.push(format!("identity {id} was not deleted: {why}"));
        }
        let swept = if in_time { self.sweep(&*subject.directory).await } else { Ok(0) };
        match swept {
            Ok(0) => {}
            Ok(swept) => details.push(format!("also deleted test users of interrupted runs: {swept}")),
            Err(error) => details.push(format!("test users of interrupted runs were not deleted: {}", causes(&error))),
        }
        let output = StepOutput::new((), Outcome::Deleted);
        Ok(if details.is_empty() { output } else { output.with_detail(details.join("; ")) })
    }

    /// Deletes the test users of killed runs. Returns their number.
    async fn sweep(&self, directory: &dyn Directory) -> Result<usize, GaveUp<UserPoolError>> {
        let found = self.user_call(Situation::Settled, || directory.with_email_prefix(ADDRESS.0)).await?.value;
        let oldest = self.clock.wall_time() - STALE_AFTER;
        let is_test_user =
            |user: &User| user.attributes.get("email").is_some_and(|address| address.ends_with(ADDRESS.1));
        let mut swept = 0;
        for user in found.iter().filter(|user| user.created_at < oldest && is_test_user(user)) {
            match self.user_call(Situation::Settled, || directory.delete(&user.username)).await {
                Ok(_) => swept += 1,
                // A concurrent run deleted the user.
                Err(error) if error.last.reason == Reason::UserNotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(swept)
    }
}
