//! Shared code of the in-memory pool's tests.

use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::sessions::{
    Challenge, ChallengeAnswer, ChallengeResponse, ClientContext, Credentials, Sessions, SignIn,
};
use domain::user_pool::sessions::{Factor, Tokens};
use domain::user_pool::sign_in_security::{Mfa, SignInSecurity};
use domain::user_pool::user::Username;

use super::InMemoryPool;

pub(super) const PASSWORD: &str = "Correct-1";

pub(super) fn name(text: &str) -> Username {
    text.parse().unwrap()
}

/// A pool with `mia`, a reader with a verified address and a number.
pub(super) fn pool() -> InMemoryPool {
    let pool = InMemoryPool::new();
    let attributes = [("email", "mia@example.com"), ("email_verified", "true"), ("phone_number", "+15550100")];
    pool.add_user("mia", PASSWORD, &["readers"], &attributes);
    pool
}

pub(super) fn at_most(limit: u8) -> PageRequest {
    PageRequest { limit, after: None }
}

pub(super) fn reason_of<T: std::fmt::Debug>(answer: Result<T, UserPoolError>) -> Reason {
    answer.unwrap_err().reason
}

/// Reads all pages of a list by a function that reads one.
pub(super) async fn walk<T>(
    limit: u8,
    get: impl AsyncFn(PageRequest) -> Result<Page<T>, UserPoolError>,
) -> Vec<Vec<T>> {
    let mut pages = vec![];
    let mut after = None;
    loop {
        let page = get(PageRequest { limit, after }).await.unwrap();
        pages.push(page.entries);
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

pub(super) async fn enter(pool: &InMemoryPool, username: &str, password: &str) -> Result<SignIn, UserPoolError> {
    let password = Secret::new(password);
    let credentials = Credentials { username: name(username), password, context: ClientContext::default() };
    pool.sessions().sign_in(&credentials).await
}

/// Signs `mia` in.
pub(super) async fn sign_in(pool: &InMemoryPool) -> SignIn {
    enter(pool, "mia", PASSWORD).await.unwrap()
}

pub(super) fn tokens(signed_in: SignIn) -> Tokens {
    match signed_in {
        SignIn::Tokens(tokens) => tokens,
        other => panic!("{other:?}"),
    }
}

pub(super) fn challenge(signed_in: SignIn) -> Challenge {
    match signed_in {
        SignIn::Challenge(challenge) => challenge,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn respond(
    pool: &InMemoryPool,
    challenge: &Challenge,
    response: ChallengeResponse,
) -> Result<SignIn, UserPoolError> {
    let session = challenge.session.clone().unwrap();
    let context = ClientContext::default();
    let answer = ChallengeAnswer { username: challenge.username.clone(), session, response, context };
    pool.sessions().answer_challenge(&answer).await
}

/// Enables factors of `mia`.
pub(super) async fn switch_on(pool: &InMemoryPool, enabled: &[Factor], preferred: Option<Factor>) {
    pool.set_up_authenticator("mia");
    let mfa = Mfa { enabled: enabled.to_vec(), preferred };
    pool.directory().set_mfa(&name("mia"), &mfa).await.unwrap();
}
