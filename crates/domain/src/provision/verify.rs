//! `verify`: a throw-away user signs up through the trigger, signs in, and gets AWS credentials. Leaves nothing behind.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use super::{Done, Outcome, ProvisionError, Provisioner, Resource, Step, Work, iam_name};
use crate::error_chain::causes;
use crate::platform::{AppClient, IdentityPool, PersonCredentials, UserPool};
use crate::retry::{Classified, ErrorClass, GaveUp, Overtime, Situation};
use crate::secret::Secret;
use crate::spec::{ClientKind, SignInWith, Spec, SpecError};
use crate::user_pool::directory::{Directory, Invitation, NewUser};
use crate::user_pool::error::{Reason, UserPoolError};
use crate::user_pool::sessions::{
    Challenge, ChallengeAnswer, ChallengeName, ChallengeResponse, ClientContext, Credentials, Registration, Sessions,
    SignIn,
};
use crate::user_pool::user::{Attributes, User, UserStatus, Username};

/// How long it is tried to delete the throw-away user when the time is up. [`Provisioner::clock`] must leave as much, and what the last
/// calls may take.
const FOR_CLEANING_UP: Duration = Duration::from_secs(15);

/// What the address of every throw-away user begins and ends with: Amazon's mailbox simulator, which takes every message, and does not
/// count against the sender as a bounce would.
const ADDRESS: (&str, &str) = ("success+poolkeeper-", "@simulator.amazonses.com");

/// Why a sign-up is not proved.
const MAIL_QUOTA: &str = "sign-up not proved: mail quota (Cognito's default sender sends 50 messages a day for an account); to send more, \
                          give the pool an Amazon SES configuration; created the user as administrator instead";

/// A throw-away user who is older was left behind by a run that was killed: none lasts so long.
const LEFT_BEHIND: time::Duration = time::Duration::hours(1);

/// How long after its creation IAM may show a role as it was before.
const FRESH: time::Duration = time::Duration::minutes(2);

/// What `verify` works with.
pub(super) struct Subject {
    pub(super) pool: UserPool,
    pub(super) identity_pool: IdentityPool,
    pub(super) role_name: String,
    /// Whether role, policy or wiring were written moments ago, so that AWS may still show what was before.
    pub(super) fresh: bool,
    /// The attributes that users can write through the backend client.
    writable: BTreeSet<String>,
    directory: Box<dyn Directory>,
    sessions: Box<dyn Sessions>,
}

/// The throw-away user.
struct Person {
    username: Username,
    password: Secret,
    attributes: Attributes,
}

impl Work<'_> {
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
        // The verification is the last resource of a stack: now the deployment has succeeded, and its sign-up policy is in force.
        if let Some(deployment) = &provisioner.deployment {
            self.step(Step::PoolTags, provisioner.record_deployment(spec, &pool, deployment)).await?;
        }
        Ok(())
    }

    /// `verify` of what `apply` has just brought into its state.
    pub(super) async fn verify_applied(&mut self, spec: &Spec, subject: Option<Subject>) -> Result<(), ProvisionError> {
        let missing = || ProvisionError::Missing { resource: Resource::AppClient, name: spec.name.to_string() };
        self.prove(spec, subject.ok_or_else(missing)?).await
    }

    async fn prove(&mut self, spec: &Spec, subject: Subject) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        let person = provisioner.throw_away_person(spec)?;
        let mut identity_id = None;
        let verified = self.verify_as(&subject, &person, &mut identity_id).await;
        // Also when the time is up; then the rest of what can be tidied has to wait.
        let in_time = !provisioner.clock.time_left().is_zero();
        let provisioner =
            Provisioner { clock: Arc::new(Overtime::on(&provisioner.clock, FOR_CLEANING_UP)), ..provisioner };
        let clean_up = provisioner.clean_up(&subject, &person.username, identity_id, in_time);
        let cleaned_up = self.step(Step::CleanUp, clean_up).await;
        // The first failure is the one that matters; the receipt holds both.
        verified.and(cleaned_up)
    }

    async fn verify_as(
        &mut self,
        subject: &Subject,
        person: &Person,
        identity_id: &mut Option<String>,
    ) -> Result<(), ProvisionError> {
        let provisioner = self.provisioner.clone();
        let confirmed = self.step(Step::SignUp, subject.sign_up(&provisioner, person)).await?;
        self.step(Step::Confirm, subject.confirm(&provisioner, &person.username, confirmed)).await?;
        let id_token = self.step(Step::SignIn, subject.sign_in(&provisioner, person)).await?;
        let identity = self.step(Step::Identity, provisioner.identity_of(subject, &id_token)).await?;
        *identity_id = Some(identity.clone());
        let credentials =
            self.step(Step::Credentials, provisioner.credentials_of(subject, &identity, &id_token)).await?;
        let caller = self.step(Step::CallerIdentity, provisioner.caller_of(subject, &credentials)).await?;
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

    /// Signs the person up, or, where the policy refuses people, makes the user as administrator. Says whether the user is
    /// confirmed.
    async fn sign_up(&self, provisioner: &Provisioner<'_>, person: &Person) -> Result<Done<bool>, ProvisionError> {
        let mut attributes = person.attributes.clone();
        // Cognito rejects a sign-up with any other. A client without a list can write all.
        attributes.retain(|name, _| self.writable.is_empty() || self.writable.contains(name));
        let registration = Registration {
            username: person.username.clone(),
            password: person.password.clone(),
            attributes,
            validation_data: Attributes::new(),
            client_metadata: Attributes::new(),
            context: ClientContext::default(),
        };
        let sign_up = || self.sessions.sign_up(&registration);
        let error = match provisioner.users(Situation::Creating, sign_up).await {
            Ok(registered) => {
                return Ok(Done::new(registered.value.confirmed, Outcome::Succeeded).after(registered.attempts));
            }
            Err(error) => error,
        };
        match error.last.class() {
            ErrorClass::SignUpRefused => {
                self.create(provisioner, person).await?;
                Ok(Done::new(true, Outcome::Succeeded)
                    .because("the sign-up policy refuses people; made the user as administrator"))
            }
            // The mail, not the deployment, is at fault. Everything after the sign-up is proved with a user whom no mail is sent to.
            _ if error.last.reason == Reason::MailQuotaExceeded => {
                self.create(provisioner, person).await?;
                Ok(Done::new(true, Outcome::NotProved).because(MAIL_QUOTA))
            }
            // Nobody else has this name: whoever is there now is the person.
            ErrorClass::OutcomeUnknown => {
                match provisioner.users(Situation::Settled, || self.directory.get(&person.username)).await {
                    Ok(found) => Ok(Done::new(found.value.status == UserStatus::Confirmed, Outcome::Succeeded)
                        .after(error.attempts)
                        .because("the answer to the sign-up was lost")),
                    Err(look) if look.last.reason == Reason::UserNotFound => {
                        let again = provisioner.users(Situation::Creating, sign_up).await?;
                        Ok(Done::new(again.value.confirmed, Outcome::Succeeded).after(error.attempts + again.attempts))
                    }
                    Err(look) => Err(look.into()),
                }
            }
            _ => Err(error.into()),
        }
    }

    /// Makes the user as administrator. Nobody else has this name: one that exists is ours, from an answer that was lost.
    async fn create(&self, provisioner: &Provisioner<'_>, person: &Person) -> Result<(), ProvisionError> {
        let user = NewUser {
            username: person.username.clone(),
            attributes: person.attributes.clone(),
            temporary_password: None,
            invitation: Invitation::Suppress,
        };
        match provisioner.users(Situation::Settled, || self.directory.create(&user)).await {
            Ok(_) => {}
            Err(error) if error.last.reason == Reason::UserExists => {}
            Err(error) => return Err(error.into()),
        }
        let set_password = || self.directory.set_password(&person.username, &person.password, true);
        provisioner.users(Situation::Settled, set_password).await?;
        Ok(())
    }

    async fn confirm(
        &self,
        provisioner: &Provisioner<'_>,
        username: &Username,
        confirmed: bool,
    ) -> Result<Done<()>, ProvisionError> {
        if confirmed {
            return Ok(Done::new((), Outcome::Unchanged).because("confirmed already"));
        }
        let attempts = match provisioner.users(Situation::Settled, || self.directory.confirm(username)).await {
            Ok(confirmed) => confirmed.attempts,
            // An earlier attempt did it, and its answer was lost.
            Err(error) if error.attempts > 1 && error.last.reason == Reason::WrongState => error.attempts,
            Err(error) => return Err(error.into()),
        };
        Ok(Done::new((), Outcome::Succeeded).after(attempts).because("confirmed as administrator"))
    }

    async fn sign_in(&self, provisioner: &Provisioner<'_>, person: &Person) -> Result<Done<Secret>, ProvisionError> {
        let credentials = Credentials {
            username: person.username.clone(),
            password: person.password.clone(),
            context: ClientContext::default(),
        };
        let signed_in = provisioner.users(Situation::Settled, || self.sessions.sign_in(&credentials)).await?;
        let attempts = signed_in.attempts;
        match signed_in.value {
            SignIn::Challenge(challenge) if challenge.name == ChallengeName::MfaSetup => {
                let tokens = tokens(self.enroll(provisioner, &challenge).await?)?;
                Ok(Done::new(tokens, Outcome::Succeeded).after(attempts).because("enrolled a second factor"))
            }
            other => Ok(Done::new(tokens(other)?, Outcome::Succeeded).after(attempts)),
        }
    }

    /// Enrolls an authenticator app for the person, which a pool with `mfa` `required` demands at the first sign-in.
    async fn enroll(&self, provisioner: &Provisioner<'_>, setup: &Challenge) -> Result<SignIn, ProvisionError> {
        let challenged = || ProvisionError::Challenged(ChallengeName::MfaSetup.as_str().to_owned());
        let answer = |challenge: &Challenge, response| {
            let session = challenge.session.clone().ok_or_else(challenged)?;
            let username = challenge.username.clone();
            Ok::<_, ProvisionError>(ChallengeAnswer { username, session, response, context: ClientContext::default() })
        };
        let start = answer(setup, ChallengeResponse::BeginSetup)?;
        // Sent once: an answer uses its session up.
        let with_secret =
            match provisioner.users(Situation::Creating, || self.sessions.answer_challenge(&start)).await?.value {
                SignIn::Challenge(challenge) => challenge,
                other => return Ok(other),
            };
        let secret = with_secret.authenticator_secret.as_ref();
        let code =
            secret.and_then(|secret| provisioner.platform.authenticator_code(secret, provisioner.clock.wall_time()));
        let finish = ChallengeResponse::FinishSetup { code: code.ok_or_else(challenged)?, device_name: None };
        let finish = answer(&with_secret, finish)?;
        Ok(provisioner.users(Situation::Creating, || self.sessions.answer_challenge(&finish)).await?.value)
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
        // Another run may have made it moments ago: the stack's own verification follows its pool.
        let role = self.call(Situation::Settled, || self.platform.role(&role_name)).await?.value;
        let now = self.clock.wall_time();
        let created_at = role.and_then(|role| role.created_at);
        let fresh = created_at.is_some_and(|created_at| now - created_at < FRESH);
        Ok(Subject::new(self, pool, client, identity_pool, role_name, fresh))
    }

    fn throw_away_person(&self, spec: &Spec) -> Result<Person, ProvisionError> {
        let nonce = self.clock.nonce();
        let address = format!("{}{}{}", ADDRESS.0, nonce.expose(), ADDRESS.1);
        let username = match spec.sign_in {
            SignInWith::Email => address.clone(),
            SignInWith::Username => format!("poolkeeper-verify-{}", nonce.expose()),
        };
        let unfit = |_| SpecError { field: "sign_in", problem: "no user name for the verification".to_owned() };
        // One of each class of characters, then random ones up to the length that the pool asks for.
        let mut password = "Aa1!".to_owned();
        while password.len() < spec.password_policy.minimum_length as usize || password.len() < 36 {
            password.push_str(self.clock.nonce().expose());
        }
        // Cognito takes 99 characters at the most.
        password.truncate(99);
        let attributes = Attributes::from([("email".to_owned(), address)]);
        Ok(Person { username: username.parse().map_err(unfit)?, password: Secret::new(password), attributes })
    }

    async fn identity_of(&self, subject: &Subject, id_token: &Secret) -> Result<Done<String>, ProvisionError> {
        let identity = || self.platform.identity(&subject.identity_pool.id, &subject.pool.id, id_token);
        let identity = self.call(Situation::Settled, identity).await?;
        Ok(Done::new(identity.value, Outcome::Succeeded).after(identity.attempts))
    }

    async fn caller_of(
        &self,
        subject: &Subject,
        credentials: &PersonCredentials,
    ) -> Result<Done<String>, ProvisionError> {
        let caller = self.call(Situation::Settled, || self.platform.caller_arn(credentials)).await?;
        let wanted = format!(":assumed-role/{}/CognitoIdentityCredentials", subject.role_name);
        if !caller.value.ends_with(&wanted) {
            return Err(ProvisionError::WrongCaller { found: caller.value, wanted });
        }
        let detail = caller.value.clone();
        Ok(Done::new(caller.value, Outcome::Succeeded).after(caller.attempts).because(detail))
    }

    async fn clean_up(
        &self,
        subject: &Subject,
        username: &Username,
        identity_id: Option<String>,
        in_time: bool,
    ) -> Result<Done<()>, ProvisionError> {
        match self.users(Situation::Settled, || subject.directory.delete(username)).await {
            Ok(_) => {}
            // Nobody was created.
            Err(error) if error.last.reason == Reason::UserNotFound => {}
            Err(error) => return Err(error.into()),
        }
        let mut details = Vec::new();
        // Without its user an identity opens nothing. That it stays is worth telling, and not worth failing what has been proved.
        if let Some(id) = identity_id
            && let Err(error) = self.call(Situation::Settled, || self.platform.delete_identity(&id)).await
        {
            let why = error.source().map_or_else(|| error.to_string(), ToString::to_string);
            details.push(format!("the identity {id} stays: {why}"));
        }
        let swept = if in_time { self.sweep(&*subject.directory).await } else { Ok(0) };
        match swept {
            Ok(0) => {}
            Ok(swept) => details.push(format!("and {swept} that killed runs had left behind")),
            Err(error) => details.push(format!("what killed runs have left behind stays: {}", causes(&error))),
        }
        let done = Done::new((), Outcome::Deleted);
        Ok(if details.is_empty() { done } else { done.because(details.join("; ")) })
    }

    /// Deletes the throw-away users of runs that were killed before they could. Gives their number.
    async fn sweep(&self, directory: &dyn Directory) -> Result<usize, GaveUp<UserPoolError>> {
        let found = self.users(Situation::Settled, || directory.with_email_prefix(ADDRESS.0)).await?.value;
        let oldest = self.clock.wall_time() - LEFT_BEHIND;
        let of_ours = |user: &User| user.attributes.get("email").is_some_and(|address| address.ends_with(ADDRESS.1));
        let mut swept = 0;
        for user in found.iter().filter(|user| user.created_at < oldest && of_ours(user)) {
            match self.users(Situation::Settled, || directory.delete(&user.username)).await {
                Ok(_) => swept += 1,
                // Another run was faster.
                Err(error) if error.last.reason == Reason::UserNotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(swept)
    }
}
