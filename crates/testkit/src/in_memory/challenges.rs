//! Steps between the right password and the tokens: which ones come, and how they are answered.

use domain::secret::Secret;
use domain::sessions::{Challenge, ChallengeAnswer, ChallengeName, ChallengeResponse, Factor, SignIn};
use domain::user::{Attributes, UserStatus};
use domain::user_pool_error::Reason;

use super::record::Record;
use super::state::{State, Switch};
use super::{InMemoryPool, password_policy, sign_in_security};

/// The right code of every second factor: text message, e-mail and authenticator app.
pub const FACTOR_CODE: &str = "123456";

/// The secret of every new authenticator app.
pub const AUTHENTICATOR_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// What a session stands for.
#[derive(Debug, Clone)]
pub(super) struct OpenChallenge {
    username: String,
    name: ChallengeName,
    /// Whether the secret of a new authenticator app was handed out.
    setup_begun: bool,
}

impl InMemoryPool {
    /// Opens the challenge `NEW_PASSWORD_REQUIRED` for a user, with a session of the test's choice.
    pub fn challenge(&self, username: &str, session: &str) {
        self.open_challenge(username, session, ChallengeName::NewPasswordRequired);
    }

    /// Opens a challenge for a user past all rules, with a session of the test's choice.
    pub fn open_challenge(&self, username: &str, session: &str, name: ChallengeName) {
        let open = OpenChallenge { username: username.to_owned(), name, setup_begun: false };
        self.state().challenges.insert(session.to_owned(), open);
    }

    /// Lets nobody sign in without a second factor: who has none is asked to set up an authenticator app.
    pub fn require_mfa(&self) {
        self.state().switch(Switch::RequireMfa, true);
    }

    /// Lets every sign-in come to a step that cannot be answered, by Cognito's name for it, e.g. `CUSTOM_CHALLENGE`.
    pub fn ask_for(&self, challenge: &str) {
        self.state().asks_for = Some(challenge.to_owned());
    }
}

impl State {
    /// What comes after a temporary password.
    pub(super) fn first_step(&mut self, record: &Record) -> SignIn {
        match &self.asks_for {
            Some(name) => SignIn::Unsupported(name.clone()),
            None => SignIn::Challenge(self.open(record, ChallengeName::NewPasswordRequired)),
        }
    }

    /// What comes after an own password.
    pub(super) fn second_step(&mut self, record: &Record) -> SignIn {
        if let Some(name) = &self.asks_for {
            return SignIn::Unsupported(name.clone());
        }
        let name = match (record.mfa.preferred, record.mfa.enabled.as_slice()) {
            (Some(factor), _) | (None, &[factor]) => challenge_of(factor),
            (None, []) if self.is(Switch::RequireMfa) => ChallengeName::MfaSetup,
            (None, []) => return SignIn::Tokens(self.issue(record)),
            (None, _) => ChallengeName::SelectMfaType,
        };
        SignIn::Challenge(self.open(record, name))
    }

    fn open(&mut self, record: &Record, name: ChallengeName) -> Challenge {
        let session = format!("session-{}", self.tick());
        let open = OpenChallenge { username: record.username.as_str().to_owned(), name, setup_begun: false };
        self.challenges.insert(session.clone(), open);
        let missing = || self.missing_attributes(record);
        Challenge {
            name,
            session: Some(Secret::new(session)),
            username: record.username.clone(),
            missing_attributes: if name == ChallengeName::NewPasswordRequired { missing() } else { vec![] },
            factors: match name {
                ChallengeName::SelectMfaType => record.mfa.enabled.clone(),
                ChallengeName::MfaSetup => vec![Factor::SoftwareTokenMfa],
                _ => vec![],
            },
            code_sent_to: factor_of(name).and_then(|factor| record.delivery_for(factor)),
            authenticator_secret: None,
        }
    }

    /// Answers a challenge. Its session is used up where that goes well.
    pub(super) fn answer(&mut self, answer: &ChallengeAnswer) -> Result<SignIn, Reason> {
        let session = answer.session.expose();
        let open = self.challenges.get(session).filter(|open| open.takes(answer)).cloned();
        let open = open.ok_or(Reason::InvalidCredentials)?;
        let record = self.users.get(&open.username).filter(|record| record.enabled).cloned();
        let record = record.ok_or(Reason::InvalidCredentials)?;
        let signed_in = match &answer.response {
            ChallengeResponse::NewPassword { new_password, attributes } => {
                self.take_new_password(record, new_password, attributes)?
            }
            ChallengeResponse::Code { factor: _, code } => {
                check(code)?;
                SignIn::Tokens(self.issue(&record))
            }
            ChallengeResponse::SelectFactor(factor) if record.mfa.enabled.contains(factor) => {
                SignIn::Challenge(self.open(&record, challenge_of(*factor)))
            }
            ChallengeResponse::SelectFactor(_) => return Err(Reason::InvalidRequest),
            ChallengeResponse::BeginSetup => SignIn::Challenge(self.begin_setup(&record)),
            ChallengeResponse::FinishSetup { .. } if !open.setup_begun => return Err(Reason::InvalidCredentials),
            ChallengeResponse::FinishSetup { code, device_name: _ } => {
                check(code)?;
                self.change(&open.username, Record::switch_authenticator_on);
                SignIn::Tokens(self.issue(&record))
            }
        };
        self.challenges.remove(session);
        Ok(signed_in)
    }

    fn take_new_password(
        &mut self,
        mut record: Record,
        new_password: &Secret,
        attributes: &Attributes,
    ) -> Result<SignIn, Reason> {
        if !password_policy::accepts(new_password) {
            return Err(Reason::InvalidPassword);
        }
        record.attributes.extend(attributes.clone());
        if !self.missing_attributes(&record).is_empty() {
            return Err(Reason::InvalidRequest);
        }
        record.password = Some(new_password.expose().to_owned());
        record.status = UserStatus::Confirmed;
        record.modified_at = self.moment();
        self.users.insert(record.username.as_str().to_owned(), record.clone());
        Ok(self.second_step(&record))
    }

    fn begin_setup(&mut self, record: &Record) -> Challenge {
        let challenge = self.open(record, ChallengeName::MfaSetup);
        let session = challenge.session.as_ref().map(Secret::expose);
        if let Some(open) = session.and_then(|session| self.challenges.get_mut(session)) {
            open.setup_begun = true;
        }
        Challenge { authenticator_secret: Some(Secret::new(AUTHENTICATOR_SECRET)), ..challenge }
    }

    fn missing_attributes(&self, record: &Record) -> Vec<String> {
        self.required_attributes.iter().filter(|name| !record.has(name)).cloned().collect()
    }
}

impl OpenChallenge {
    fn takes(&self, answer: &ChallengeAnswer) -> bool {
        let answered = match &answer.response {
            ChallengeResponse::NewPassword { .. } => ChallengeName::NewPasswordRequired,
            ChallengeResponse::Code { factor, .. } => challenge_of(*factor),
            ChallengeResponse::SelectFactor(_) => ChallengeName::SelectMfaType,
            ChallengeResponse::BeginSetup | ChallengeResponse::FinishSetup { .. } => ChallengeName::MfaSetup,
        };
        self.name == answered && self.username == answer.username.as_str()
    }
}

impl Record {
    fn switch_authenticator_on(&mut self) {
        self.has_authenticator = true;
        self.mfa.enabled.push(Factor::SoftwareTokenMfa);
        self.mfa.enabled = sign_in_security::in_order(&self.mfa.enabled);
    }
}

fn check(code: &Secret) -> Result<(), Reason> {
    if code.expose() == FACTOR_CODE { Ok(()) } else { Err(Reason::CodeMismatch) }
}

fn challenge_of(factor: Factor) -> ChallengeName {
    match factor {
        Factor::SmsMfa => ChallengeName::SmsMfa,
        Factor::SoftwareTokenMfa => ChallengeName::SoftwareTokenMfa,
        Factor::EmailOtp => ChallengeName::EmailOtp,
    }
}

fn factor_of(challenge: ChallengeName) -> Option<Factor> {
    Factor::ALL.into_iter().find(|factor| challenge_of(*factor) == challenge)
}
