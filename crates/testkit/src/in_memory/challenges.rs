//! Challenges between the password and the tokens.

use domain::secret::Secret;
use domain::user_pool::error::Reason;
use domain::user_pool::sessions::{Challenge, ChallengeAnswer, ChallengeName, ChallengeResponse, Factor, SignIn};
use domain::user_pool::user::{Attributes, UserStatus};

use super::record::Record;
use super::state::{State, Switch};
use super::{InMemoryPool, password_policy, sign_in_security};

/// The correct code of every second factor.
pub const FACTOR_CODE: &str = "123456";

/// The secret of every new authenticator app.
pub const AUTHENTICATOR_SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

/// The challenge of a session.
#[derive(Debug, Clone)]
pub(super) struct OpenChallenge {
    username: String,
    name: ChallengeName,
    /// Whether the secret of a new authenticator app was returned.
    setup_begun: bool,
}

impl InMemoryPool {
    /// Opens the challenge `NEW_PASSWORD_REQUIRED` for a user, with this session.
    pub fn challenge(&self, username: &str, session: &str) {
        self.open_challenge(username, session, ChallengeName::NewPasswordRequired);
    }

    /// Opens a challenge for a user with this session, without checking rules.
    pub fn open_challenge(&self, username: &str, session: &str, name: ChallengeName) {
        let open = OpenChallenge { username: username.to_owned(), name, setup_begun: false };
        self.state().challenges.insert(session.to_owned(), open);
    }

    /// Requires a second factor at sign-in. Users without one must set up an authenticator app.
    pub fn require_mfa(&self) {
        self.mfa_is_required(true);
    }

    /// Sets whether users need a second factor.
    pub fn mfa_is_required(&self, required: bool) {
        self.state().switch(Switch::RequireMfa, required);
    }

    /// Makes every sign-in return a challenge that the pool does not support, e.g. `CUSTOM_CHALLENGE`.
    pub fn ask_for(&self, challenge: &str) {
        self.state().asks_for = Some(challenge.to_owned());
    }
}

impl State {
    /// The challenge after a temporary password.
    pub(super) fn first_step(&mut self, record: &Record) -> SignIn {
        match &self.asks_for {
            Some(name) => SignIn::Unsupported(name.clone()),
            None => SignIn::Challenge(self.open(record, ChallengeName::NewPasswordRequired)),
        }
    }

    /// The challenge or the tokens after a permanent password.
    pub(super) fn second_step(&mut self, record: &Record) -> SignIn {
        if let Some(name) = &self.asks_for {
            return SignIn::Unsupported(name.clone());
        }
        let mfa = record.usable_mfa();
        let name = match (mfa.preferred, mfa.enabled.as_slice()) {
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

    /// Deletes the open challenges of a user.
    pub(super) fn drop_challenges(&mut self, username: &str) {
        self.challenges.retain(|_, open| open.username != username);
    }

    /// Answers a challenge. A correct answer invalidates the session.
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
            ChallengeResponse::BeginSetup => {
                SignIn::Challenge(Challenge { username: answer.username.clone(), ..self.begin_setup(&record) })
            }
            ChallengeResponse::FinishSetup { .. } if !open.setup_begun => return Err(Reason::InvalidCredentials),
            ChallengeResponse::FinishSetup { code, device_name: _ } => {
                check(code)?;
                self.change(&open.username, Record::enable_authenticator);
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
        if !self.may_write(attributes) {
            return Err(Reason::InvalidCredentials);
        }
        record.attributes.extend(attributes.clone());
        if !self.missing_attributes(&record).is_empty() {
            return Err(Reason::InvalidRequest);
        }
        record.password = Some(new_password.expose().to_owned());
        record.status = UserStatus::Confirmed;
        record.modified_at = self.next_time();
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
        // `AssociateSoftwareToken` requires only the session, so any user name is accepted.
        let takes_any_name = matches!(answer.response, ChallengeResponse::BeginSetup);
        self.name == answered && (takes_any_name || self.username == answer.username.as_str())
    }
}

impl Record {
    fn enable_authenticator(&mut self) {
        self.has_authenticator = true;
        self.mfa.enabled.push(Factor::SoftwareTokenMfa);
        self.mfa.enabled = sign_in_security::in_order(&self.mfa.enabled);
    }
}

pub(super) fn check(code: &Secret) -> Result<(), Reason> {
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
    Factor::ALL.iter().copied().find(|factor| challenge_of(*factor) == challenge)
}

#[cfg(test)]
mod tests {
    use domain::user_pool::directory::Directory;
    use domain::user_pool::sessions::CodeDelivery;

    use super::super::testing::{
        PASSWORD, challenge, enter, name, pool, reason_of, respond, sign_in, switch_on, tokens,
    };
    use super::*;

    fn code(factor: Factor, code: &str) -> ChallengeResponse {
        ChallengeResponse::Code { factor, code: Secret::new(code) }
    }

    fn finish(code: &str) -> ChallengeResponse {
        ChallengeResponse::FinishSetup { code: Secret::new(code), device_name: None }
    }

    #[tokio::test]
    async fn code_of_the_only_factor_returns_tokens_once() {
        let sms = ("SMS", "+*******0100");
        let email = ("EMAIL", "m***@e***");
        let table = [(Factor::SmsMfa, Some(sms)), (Factor::SoftwareTokenMfa, None), (Factor::EmailOtp, Some(email))];
        for (factor, sent) in table {
            let pool = pool();
            switch_on(&pool, &[factor], None).await;
            let received = challenge(sign_in(&pool).await);
            assert_eq!(received.name.as_str(), factor.as_str());
            let sent_to = sent.map(|(medium, destination)| CodeDelivery {
                medium: medium.to_owned(),
                destination: destination.to_owned(),
                attribute: None,
            });
            assert_eq!(received.code_sent_to, sent_to);
            assert_eq!(reason_of(respond(&pool, &received, code(factor, "123457")).await), Reason::CodeMismatch);
            tokens(respond(&pool, &received, code(factor, FACTOR_CODE)).await.unwrap());
            let again = respond(&pool, &received, code(factor, FACTOR_CODE)).await;
            assert_eq!(reason_of(again), Reason::InvalidCredentials);
        }
    }

    #[tokio::test]
    async fn preferred_factor_is_required_or_the_user_selects_one() {
        let pool = pool();
        let both = [Factor::EmailOtp, Factor::SmsMfa];
        switch_on(&pool, &both, Some(Factor::EmailOtp)).await;
        assert_eq!(challenge(sign_in(&pool).await).name, ChallengeName::EmailOtp);
        switch_on(&pool, &both, None).await;
        let choice = challenge(sign_in(&pool).await);
        assert_eq!(
            (choice.name, &*choice.factors),
            (ChallengeName::SelectMfaType, &[Factor::SmsMfa, Factor::EmailOtp][..])
        );
        let not_offered = ChallengeResponse::SelectFactor(Factor::SoftwareTokenMfa);
        assert_eq!(reason_of(respond(&pool, &choice, not_offered).await), Reason::InvalidRequest);
        let chosen = ChallengeResponse::SelectFactor(Factor::SmsMfa);
        let received = challenge(respond(&pool, &choice, chosen.clone()).await.unwrap());
        assert_eq!(received.name, ChallengeName::SmsMfa);
        assert_eq!(reason_of(respond(&pool, &choice, chosen).await), Reason::InvalidCredentials);
        tokens(respond(&pool, &received, code(Factor::SmsMfa, FACTOR_CODE)).await.unwrap());
    }

    #[tokio::test]
    async fn required_authenticator_is_set_up_in_two_steps() {
        let pool = pool();
        pool.require_mfa();
        let first = challenge(sign_in(&pool).await);
        assert_eq!((first.name, &*first.factors), (ChallengeName::MfaSetup, &[Factor::SoftwareTokenMfa][..]));
        assert_eq!(reason_of(respond(&pool, &first, finish(FACTOR_CODE)).await), Reason::InvalidCredentials);
        let second = challenge(respond(&pool, &first, ChallengeResponse::BeginSetup).await.unwrap());
        assert_eq!(second.name, ChallengeName::MfaSetup);
        assert_eq!(second.authenticator_secret.as_ref().unwrap().expose(), AUTHENTICATOR_SECRET);
        let used_up = respond(&pool, &first, ChallengeResponse::BeginSetup).await;
        assert_eq!(reason_of(used_up), Reason::InvalidCredentials);
        assert_eq!(reason_of(respond(&pool, &second, finish("000000")).await), Reason::CodeMismatch);
        tokens(respond(&pool, &second, finish(FACTOR_CODE)).await.unwrap());
        assert_eq!(challenge(sign_in(&pool).await).name, ChallengeName::SoftwareTokenMfa);
    }

    #[tokio::test]
    async fn new_password_precedes_the_second_factor() {
        let pool = pool();
        switch_on(&pool, &[Factor::SmsMfa], None).await;
        pool.require_attribute("name");
        pool.directory().set_password(&name("mia"), &Secret::new(PASSWORD), false).await.unwrap();
        let first = challenge(sign_in(&pool).await);
        assert_eq!(
            (first.name, &*first.missing_attributes),
            (ChallengeName::NewPasswordRequired, &["name".to_owned()][..])
        );
        let set = |password: &str, attributes: &[(&str, &str)]| ChallengeResponse::NewPassword {
            new_password: Secret::new(password),
            attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        assert_eq!(reason_of(respond(&pool, &first, set("weak", &[])).await), Reason::InvalidPassword);
        assert_eq!(reason_of(respond(&pool, &first, set("Correct-2", &[])).await), Reason::InvalidRequest);
        assert!(pool.has_password("mia", PASSWORD));
        let second = challenge(respond(&pool, &first, set("Correct-2", &[("name", "Mia")])).await.unwrap());
        assert_eq!(second.name, ChallengeName::SmsMfa);
        tokens(respond(&pool, &second, code(Factor::SmsMfa, FACTOR_CODE)).await.unwrap());
        assert!(pool.has_password("mia", "Correct-2"));
    }

    #[tokio::test]
    async fn new_password_sets_only_write_attributes() {
        let pool = pool();
        pool.limit_write_attributes(&["name"]);
        pool.directory().set_password(&name("mia"), &Secret::new(PASSWORD), false).await.unwrap();
        let received = challenge(sign_in(&pool).await);
        let set = |attribute: &str| ChallengeResponse::NewPassword {
            new_password: Secret::new("Correct-2"),
            attributes: [(attribute.to_owned(), "x".to_owned())].into(),
        };
        assert_eq!(reason_of(respond(&pool, &received, set("custom:role")).await), Reason::InvalidCredentials);
        assert!(!pool.attributes_of("mia").contains_key("custom:role"));
        tokens(respond(&pool, &received, set("name")).await.unwrap());
    }

    #[tokio::test]
    async fn session_is_valid_only_for_its_user_and_challenge() {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &[], &[]);
        pool.open_challenge("mia", "session-of-mia", ChallengeName::SmsMfa);
        let of_mia = |username: &str| Challenge {
            name: ChallengeName::SmsMfa,
            session: Some(Secret::new("session-of-mia")),
            username: name(username),
            missing_attributes: vec![],
            factors: vec![],
            code_sent_to: None,
            authenticator_secret: None,
        };
        let answers = [
            ("abe", code(Factor::SmsMfa, FACTOR_CODE)),
            ("mia", code(Factor::EmailOtp, FACTOR_CODE)),
            ("mia", ChallengeResponse::BeginSetup),
        ];
        for (username, response) in answers {
            let refused = respond(&pool, &of_mia(username), response.clone()).await;
            assert_eq!(reason_of(refused), Reason::InvalidCredentials, "{username}: {response:?}");
        }
        pool.disable("mia");
        let disabled = respond(&pool, &of_mia("mia"), code(Factor::SmsMfa, FACTOR_CODE)).await;
        assert_eq!(reason_of(disabled), Reason::InvalidCredentials);
    }

    #[tokio::test]
    async fn unsupported_challenge_needs_the_right_password() {
        let pool = pool();
        pool.ask_for("CUSTOM_CHALLENGE");
        assert_eq!(reason_of(enter(&pool, "mia", "Correct-2").await), Reason::InvalidCredentials);
        assert!(matches!(sign_in(&pool).await, SignIn::Unsupported(name) if name == "CUSTOM_CHALLENGE"));
    }
}
