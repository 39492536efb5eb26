//! Revocations: the check of callers, and the writes that precede a change of a user.

use std::time::Duration;

use domain::revocation::{
    CLOCK_TOLERANCE, CheckError, Revocation, RevocationsUnavailable, Scope, Token, TokenUser, check,
};
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::self_service::Myself;
use domain::user_pool::user::{Attributes, User};
use startup::metrics;
use time::OffsetDateTime;

use crate::app::App;
use crate::audit::steps::Progress;
use crate::authz::caller::{Caller, Issue};
use crate::http::error::{Advice, ApiError, Unauthenticated};

/// The step that writes a revocation, in errors.
const STEP: &str = "revoke-tokens";

impl App {
    /// Rejects a caller whose token is revoked. Does nothing without the session gate.
    pub(super) async fn ensure_not_revoked(&self, caller: &Caller) -> Result<(), ApiError> {
        let (Some(revocations), Caller::User { sub, issue, .. }) = (&self.revocations, caller) else { return Ok(()) };
        let Issue { session: Some(session), signed_in_at: Some(signed_in_at), issued_at: Some(issued_at) } = issue
        else {
            return Err(ApiError::Unauthenticated(Unauthenticated::NoSession));
        };
        let user = TokenUser { sub, session: Some(session) };
        let (signed_in_at, issued_at) = (*signed_in_at, *issued_at);
        let token = Token { client_id: &self.trust.client_id, user: Some(user), signed_in_at, issued_at };
        check(&**revocations, &token).await.map_err(|error| match error {
            CheckError::Denied(_) => ApiError::Unauthenticated(Unauthenticated::Revoked),
            CheckError::Unavailable(error) => unavailable(error).into(),
        })
    }

    /// Makes a change in Cognito as a step, and ends all sessions of the user at services that check revocations.
    ///
    /// The revocation is written before the change, because tokens could otherwise remain valid after a failure, and
    /// again after it, for sign-ins in between. Without the session gate, only makes the change.
    pub(crate) async fn end_sessions<T>(
        &self,
        progress: &Progress,
        user: &Attributes,
        step: &str,
        change: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        self.revoke_around(progress, user, Revocation::of_sign_ins_until, step, change).await
    }

    /// Like [`Self::end_sessions`], for a change of the password, which ends no session in Cognito. With the session
    /// gate, therefore also signs the user out.
    pub(crate) async fn end_sessions_with_password<T>(
        &self,
        progress: &Progress,
        user: &User,
        step: &str,
        change: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        if self.revocations.is_none() {
            return progress.then(step, change).await;
        }
        self.revoke(progress, &user_scope(&user.attributes)?, Revocation::of_sign_ins_until).await?;
        let outcome = progress.then(step, change).await?;
        self.sign_out(progress, user).await?;
        Ok(outcome)
    }

    /// Ends all sessions of the user, in Cognito and at services that check revocations.
    pub(crate) async fn sign_out(&self, progress: &Progress, user: &User) -> Result<(), ApiError> {
        self.end_sessions(progress, &user.attributes, "sign-out", self.pool.sign_out(&user.id())).await
    }

    /// Ends all sessions of the owner of an access token, in Cognito and at services that check revocations.
    pub(crate) async fn sign_out_owner(
        &self,
        progress: &Progress,
        owner: &Myself,
        access_token: &Secret,
    ) -> Result<(), ApiError> {
        let sign_out = async {
            self.sessions.sign_out_everywhere(access_token).await?;
            // The token has ended as well.
            progress.advise(Advice::AwaitExpiry);
            Ok(())
        };
        self.end_sessions(progress, &owner.attributes, "sign-out", sign_out).await
    }

    /// Like [`Self::end_sessions`], but only ends the validity of tokens. A refresh returns tokens with the user's
    /// current groups.
    pub(crate) async fn expire_tokens<T>(
        &self,
        progress: &Progress,
        user: &Attributes,
        step: &str,
        change: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        self.revoke_around(progress, user, Revocation::of_tokens_until, step, change).await
    }

    /// Waits until the second of the last revocation is over, because a sign-in in this second would be denied. Does
    /// nothing without the session gate.
    pub(crate) async fn wait_for_valid_sign_ins(&self) {
        if self.revocations.is_none() {
            return;
        }
        let in_revoked_second = u64::from((self.now() + CLOCK_TOLERANCE).millisecond());
        // The clock of Cognito can also be behind.
        self.sleep(Duration::from_millis(1000 - in_revoked_second) + 2 * CLOCK_TOLERANCE).await;
    }

    /// Ends all sessions in the scope at services that check revocations. Fails without the session gate.
    pub(crate) async fn revoke_all(&self, progress: &Progress, scope: &Scope) -> Result<(), ApiError> {
        if self.revocations.is_none() {
            return Err(ApiError::NoSessionGate);
        }
        self.revoke(progress, scope, Revocation::of_sign_ins_until).await
    }

    /// Revokes all tokens of a session, by its `origin_jti`. Does nothing without the session gate.
    pub(crate) async fn revoke_session(&self, progress: &Progress, session: String) -> Result<(), ApiError> {
        self.revoke(progress, &Scope::Session(session), |_| Revocation::ALL).await
    }

    async fn revoke_around<T>(
        &self,
        progress: &Progress,
        user: &Attributes,
        until: fn(u64) -> Revocation,
        step: &str,
        change: impl Future<Output = Result<T, UserPoolError>>,
    ) -> Result<T, ApiError> {
        if self.revocations.is_none() {
            return progress.then(step, change).await;
        }
        let user = user_scope(user)?;
        self.revoke(progress, &user, until).await?;
        let outcome = progress.then(step, change).await?;
        self.revoke(progress, &user, until).await?;
        Ok(outcome)
    }

    /// Revokes tokens of the scope until now.
    async fn revoke(&self, progress: &Progress, scope: &Scope, until: fn(u64) -> Revocation) -> Result<(), ApiError> {
        let Some(revocations) = &self.revocations else { return Ok(()) };
        let second = |time: OffsetDateTime| u64::try_from(time.unix_timestamp()).unwrap_or_default();
        let now = self.now();
        let revocation = until(second(now + CLOCK_TOLERANCE));
        let write = async {
            let written = revocations.revoke(scope, revocation, second(now)).await;
            metrics::revocation(if written.is_ok() { "success" } else { "failure" });
            written.map_err(unavailable)
        };
        progress.then(STEP, write).await
    }
}

fn user_scope(user: &Attributes) -> Result<Scope, ApiError> {
    user.get("sub").cloned().map(Scope::User).ok_or(ApiError::Internal("the user has no `sub`"))
}

fn unavailable(error: RevocationsUnavailable) -> UserPoolError {
    let reason = Reason::RevocationsUnavailable;
    UserPoolError { source: Some(error.source), ..UserPoolError::new(error.operation, reason) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::retry::Clock;
    use domain::revocation::Revocations;
    use serde_json::{Value, json};
    use testkit::in_memory_revocations::{Fault, InMemoryRevocations};

    use super::*;
    use crate::testing::{Api, Call, app_with, token_with};

    /// The changes that end all sessions of `mia`, with their calls to the user pool.
    fn changes() -> [(Call, &'static str); 5] {
        [
            (Call::post("/v1/users/mia/sign-out", None), "sign_out"),
            (Call::post("/v1/users/mia/disable", None), "disable"),
            (Call::put("/v1/users/mia/password", &json!({"password": "Correct-1", "permanent": true})), "set_password"),
            (Call::post("/v1/users/mia/reset-password", None), "reset_password"),
            (Call::delete("/v1/users/mia"), "delete"),
        ]
    }

    struct Gate {
        api: Api,
        revocations: Arc<InMemoryRevocations>,
    }

    impl Gate {
        fn new() -> Self {
            let revocations = Arc::default();
            Self { api: Api::with_revocations(&revocations), revocations }
        }

        async fn stored(&self, scope: Scope) -> Option<Revocation> {
            self.revocations.revocations(std::slice::from_ref(&scope)).await.unwrap().get(&scope).copied()
        }

        async fn revoke(&self, scope: Scope, revocation: Revocation) {
            self.revocations.revoke(&scope, revocation, 0).await.unwrap();
        }
    }

    #[tokio::test]
    async fn rejects_revoked_callers_of_reads_and_writes() {
        for scope in [
            Scope::Pool,
            Scope::Client(crate::testing::CLIENT_ID.to_owned()),
            Scope::User(Api::new().sub_of("root")),
            Scope::Session("session-of-root".to_owned()),
        ] {
            for call in [
                Call::get("/v1/me"),
                Call::get("/v1/users/mia"),
                Call::get("/v1/users"),
                Call::post("/v1/users/mia/disable", None),
            ] {
                for (until, expected) in [(None, 200), (Some(999), 200), (Some(1000), 401)] {
                    let gate = Gate::new();
                    if let Some(second) = until {
                        gate.revoke(scope.clone(), Revocation::of_sign_ins_until(second)).await;
                    }
                    let status = gate.api.call(call.clone()).await.status;
                    assert_eq!(status, expected, "{call} {scope:?} {until:?}");
                    let changed = !gate.api.pool.user("mia").unwrap().enabled;
                    assert_eq!(changed, status == 200 && call.to_string().ends_with("disable"), "{call} {scope:?}");
                }
            }
        }
    }

    #[tokio::test]
    async fn rejects_callers_whose_session_is_unknown() {
        for claim in ["origin_jti", "auth_time", "iat"] {
            for value in [Value::Null, json!("Sun Nov 29 22:00:00 UTC 2026")] {
                if claim == "origin_jti" && !value.is_null() {
                    continue;
                }
                let by = token_with("root", &json!({"cognito:groups": "[admins]", claim: value}));
                let call = Call::get("/v1/users/mia").by(by);
                assert_eq!(Gate::new().api.call(call.clone()).await.status, 401, "{claim} {value}");
                assert_eq!(Api::new().call(call).await.status, 200, "without the session gate");
            }
        }
    }

    #[tokio::test]
    async fn changes_nothing_without_revocations() {
        let reads = [Call::get("/v1/me"), Call::get("/v1/users/mia"), Call::get("/v1/users")];
        let changes = || changes().into_iter().map(|(call, _)| call);
        let cannot_read = changes().chain(reads).map(|call| (Fault::Unavailable, call));
        let cannot_write = changes().map(|call| (Fault::Write(1), call));
        for (fault, call) in cannot_read.chain(cannot_write) {
            let gate = Gate::new();
            gate.api.token_of("root");
            let before = gate.api.pool.contents();
            gate.revocations.set_fault(Some(fault));
            let answer = gate.api.call(call.clone()).await;
            assert_eq!((answer.status, answer.code()), (503, "revocations-unavailable"), "{fault:?} {call}");
            assert_eq!(answer.header("retry-after"), Some("1"), "{call}");
            assert_eq!(gate.api.pool.contents(), before, "{fault:?} {call}");
        }
    }

    #[tokio::test]
    async fn revokes_before_the_change_and_again_after_it() {
        for (call, operation) in changes() {
            let step = operation.replace('_', "-");
            let gate = Gate::new();
            let user = Scope::User(gate.api.sub_of("mia"));
            gate.api.pool.fail(operation, 1, Reason::Unavailable);
            let failed = gate.api.call(call.clone()).await.body;
            assert_eq!((&failed["completed"], &failed["failed"]), (&json!(["revoke-tokens"]), &json!(step)), "{call}");
            assert_eq!(gate.stored(user).await, Some(Revocation::of_sign_ins_until(0)), "{call}");
            gate.revocations.set_fault(Some(Fault::Write(3)));
            let answer = gate.api.call(call.clone()).await;
            let steps = (&answer.body["completed"], &answer.body["failed"]);
            assert_eq!(
                (answer.status, steps),
                (503, (&json!(["revoke-tokens", step]), &json!("revoke-tokens"))),
                "{call}"
            );
        }
    }

    #[tokio::test]
    async fn includes_sign_ins_during_the_change() {
        let revocations = Arc::default();
        let (app, clock) = app_with(&revocations);
        let mia = Api::new().pool.user("mia").unwrap();
        let change = async {
            clock.sleep(Duration::from_secs(5)).await;
            Ok(())
        };
        app.end_sessions(&Progress::default(), &mia.attributes, "change", change).await.unwrap();
        let scope = Scope::User(mia.attributes["sub"].clone());
        let stored = revocations.revocations(std::slice::from_ref(&scope)).await.unwrap();
        assert_eq!(stored[&scope], Revocation::of_sign_ins_until(5));
    }

    #[tokio::test]
    async fn new_password_ends_sessions_in_the_user_pool_only_with_gate() {
        for (call, operation) in changes().into_iter().filter(|(_, operation)| operation.ends_with("password")) {
            for has_gate in [true, false] {
                let api = if has_gate { Gate::new().api } else { Api::new() };
                let session = api.sign_in("mia").await;
                assert!(api.call(call.clone()).await.status < 300, "{call}");
                assert_eq!(api.pool.takes_token(&session.refresh), !has_gate, "{call}");
            }
            let gate = Gate::new();
            gate.api.pool.fail("sign_out", 1, Reason::Unavailable);
            let failed = gate.api.call(call.clone()).await.body;
            let completed = json!(["revoke-tokens", operation.replace('_', "-"), "revoke-tokens"]);
            assert_eq!((&failed["completed"], &failed["failed"]), (&completed, &json!("sign-out")), "{call}");
        }
    }

    #[test]
    fn unavailable_revocations_keep_their_cause_for_the_log() {
        let error = unavailable(RevocationsUnavailable { operation: "BatchGetItem", source: "out of order".into() });
        assert_eq!(error.source.map(|source| source.to_string()).as_deref(), Some("out of order"));
    }

    #[tokio::test]
    async fn removal_from_group_leaves_sessions_for_a_refresh() {
        let gate = Gate::new();
        gate.api.pool.add_user("ann", "Password-of-ann-1", &["visitors"], &[]);
        assert_eq!(gate.api.call(Call::delete("/v1/users/ann/groups/visitors")).await.status, 204);
        let user = Scope::User(gate.api.sub_of("ann"));
        assert_eq!(gate.stored(user).await, Some(Revocation::of_tokens_until(0)));
    }

    #[tokio::test]
    async fn includes_the_second_that_begins_within_the_tolerance() {
        for (milliseconds, expected) in [(10_000, 10), (10_899, 10), (10_900, 11), (10_999, 11)] {
            let gate = Gate::new();
            gate.api.time_passes(Duration::from_millis(milliseconds)).await;
            assert_eq!(gate.api.call(Call::post("/v1/users/mia/sign-out", None)).await.status, 200);
            let user = Scope::User(gate.api.sub_of("mia"));
            assert_eq!(gate.stored(user).await, Some(Revocation::of_sign_ins_until(expected)));
        }
    }

    #[tokio::test]
    async fn sign_out_lists_tokens_as_revoked_and_as_valid_elsewhere() {
        let answer = Gate::new().api.call(Call::post("/v1/users/mia/sign-out", None)).await;
        let places = |list: &str, token: &str| -> Vec<Value> {
            let credentials = answer.body[list].as_array().unwrap().iter();
            credentials.filter(|credential| credential["token"] == token).map(|it| it["where"].clone()).collect()
        };
        let here: Vec<Value> = vec![json!("at services that check revocations, such as the admin routes of this API")];
        assert_eq!(places("revoked", "id_token"), here);
        assert!(places("revoked", "access_token").contains(&here[0]));
        let elsewhere: Vec<Value> = vec![json!("at services that check neither revocations nor the user pool")];
        assert_eq!(
            [places("still_valid", "id_token"), places("still_valid", "access_token")],
            [elsewhere.clone(), elsewhere]
        );
    }
}
