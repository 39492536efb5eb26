//! `apply`, `verify` and `destroy` on a platform in memory, on a clock that only moves when somebody waits.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;
use std::time::Duration;

use domain::policy_document::trust_policy;
use domain::provision::{
    Action, Observer, Outcome, ProvisionError, ProvisionFailure, Provisioner, Receipt, Step, StepReport,
};
use domain::retry::{Clock, ErrorClass};
use domain::spec::Spec;
use domain::user::UserStatus;
use domain::user_pool_error::Reason;
use serde_json::{Value, json};
use testkit::in_memory::InMemoryPool;
use testkit::in_memory_platform::{Fault, InMemoryPlatform};
use testkit::virtual_clock::VirtualClock;

const ENOUGH: Duration = Duration::from_mins(10);

/// An account, and time.
struct World {
    platform: InMemoryPlatform,
    clock: VirtualClock,
}

impl World {
    fn with_propagation(propagation: Duration) -> Self {
        let clock = VirtualClock::with_time(ENOUGH);
        Self { platform: InMemoryPlatform::new(&clock, propagation), clock }
    }

    fn new() -> Self {
        Self::with_propagation(Duration::ZERO)
    }

    async fn run(&self, action: Action, spec: Value) -> Result<Receipt, ProvisionFailure> {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let seen = Seen::default();
        let provisioner = Provisioner { platform: &self.platform, clock: &self.clock, observer: &seen };
        let result = provisioner.run(action, &spec).await;
        let receipt = result.as_ref().unwrap_or_else(|failure| &*failure.receipt);
        assert_eq!(*seen.0.lock().unwrap(), receipt.steps, "the observer hears what the receipt says");
        result
    }

    async fn apply(&self, spec: Value) -> Result<Receipt, ProvisionFailure> {
        self.run(Action::Apply, spec).await
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<StepReport>>);

impl Observer for Seen {
    fn step_ended(&self, report: &StepReport) {
        self.0.lock().unwrap().push(report.clone());
    }
}

fn shop() -> Value {
    json!({
        "name": "shop", "self_sign_up": true, "groups": ["support"], "first_admin": "ops@example.com",
        "custom_attributes": ["team"], "deletion_protection": false, "on_delete": "delete",
    })
}

fn with(changes: &Value) -> Value {
    let mut spec = shop();
    for (name, value) in changes.as_object().unwrap() {
        spec[name] = value.clone();
    }
    spec
}

fn outcomes(receipt: &Receipt) -> Vec<(Step, Outcome)> {
    receipt.steps.iter().map(|report| (report.step, report.outcome)).collect()
}

fn report(receipt: &Receipt, step: Step) -> &StepReport {
    receipt.steps.iter().find(|report| report.step == step).unwrap()
}

#[tokio::test]
async fn apply_makes_everything_and_proves_it() {
    let world = World::new();
    let receipt = world.apply(shop()).await.unwrap();

    let expected = [
        (Step::UserPool, Outcome::Created),
        (Step::BackendClient, Outcome::Created),
        (Step::WebClient, Outcome::Created),
        (Step::Groups, Outcome::Created),
        (Step::IdentityPool, Outcome::Created),
        (Step::Policy, Outcome::Created),
        (Step::Role, Outcome::Created),
        (Step::PolicyAttachment, Outcome::Created),
        (Step::IdentityPoolRole, Outcome::Created),
        (Step::FirstAdmin, Outcome::Created),
        (Step::SignUp, Outcome::Succeeded),
        (Step::Confirm, Outcome::Succeeded),
        (Step::SignIn, Outcome::Succeeded),
        (Step::Identity, Outcome::Succeeded),
        (Step::Credentials, Outcome::Succeeded),
        (Step::CallerIdentity, Outcome::Succeeded),
        (Step::CleanUp, Outcome::Deleted),
    ];
    assert_eq!(outcomes(&receipt), expected);
    let role = "poolkeeper-shop-eu-west-1";
    let caller = format!("arn:aws:sts::123456789012:assumed-role/{role}/CognitoIdentityCredentials");
    assert_eq!(receipt.caller_arn.as_deref(), Some(caller.as_str()));
    let pool_id = receipt.user_pool_id.unwrap();
    assert_eq!(receipt.issuer.unwrap(), format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool_id}"));

    let state = world.platform.state();
    let secrets: Vec<_> = state.clients.iter().map(|it| (it.name.as_str(), it.client.has_secret)).collect();
    assert_eq!(secrets, [("shop-backend", true), ("shop-web", false)]);
    assert_eq!(state.roles[role].entity.document, trust_policy(&receipt.identity_pool_id.unwrap()));
    let users = &state.users[&pool_id];
    assert!(users.was_invited("ops@example.com"));
    assert_eq!(users.groups_of("ops@example.com"), ["admins"]);
    assert!(state.identities.is_empty(), "the throw-away identity is gone");
}

#[tokio::test]
async fn a_second_apply_changes_nothing() {
    let world = World::new();
    let first = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let writes = world.platform.writes();

    let second = world.apply(with(&json!({"verify": false}))).await.unwrap();
    assert_eq!(world.platform.writes(), writes, "no writing call in the second run");
    assert!(second.steps.iter().all(|report| report.outcome == Outcome::Unchanged), "{second:?}");
    assert_eq!(second.user_pool_id, first.user_pool_id);
    let creates = world.platform.state().users[&first.user_pool_id.unwrap()].calls();
    assert_eq!(creates.iter().filter(|call| **call == "create").count(), 1, "the admin is invited once");
}

#[tokio::test]
async fn a_changed_spec_changes_just_what_differs_and_says_so() {
    let world = World::new();
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    let changes = json!({
        "verify": false, "self_sign_up": false, "custom_attributes": ["team", {"name": "seats", "type": "number"}],
        "clients": {"backend": {"access_token_minutes": 15}, "web": {}}, "groups": ["support", "billing"],
        "identity_pool": {"server_side_token_check": false},
        "authenticated_policy": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}],
    });
    let receipt = world.apply(with(&changes)).await.unwrap();

    let detail = |step| report(&receipt, step).detail.clone().unwrap();
    assert_eq!(detail(Step::UserPool), "self_sign_up: true -> false; custom_attributes: + seats");
    assert_eq!(detail(Step::BackendClient), "access_token_minutes: 60 -> 15");
    assert_eq!(detail(Step::Groups), "billing");
    let updated = [Step::UserPool, Step::BackendClient, Step::IdentityPool, Step::Policy];
    for report in &receipt.steps {
        let expected = match report.step {
            step if updated.contains(&step) => Outcome::Updated,
            Step::Groups => Outcome::Created,
            _ => Outcome::Unchanged,
        };
        assert_eq!(report.outcome, expected, "{report:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_changed_is_refused_before_anything_is_touched() {
    let table = [
        (json!({"case_sensitive": true, "groups": ["new"]}), "case_sensitive: false -> true"),
        (json!({"sign_in": "username"}), "sign_in: \"email\" -> \"username\""),
        (
            json!({"custom_attributes": [{"name": "team", "mutable": false}]}),
            "custom_attributes.team.mutable: true -> false",
        ),
    ];
    for (changes, expected) in table {
        let world = World::new();
        world.apply(with(&json!({"verify": false}))).await.unwrap();
        let writes = world.platform.writes();
        let failure = world.apply(with(&changes)).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::Immutable { .. }), "{changes}: {failure}");
        assert!(failure.to_string().contains(expected), "{changes}: {failure}");
        assert_eq!(world.platform.writes(), writes, "{changes}");
    }
}

#[tokio::test]
async fn a_wrong_spec_is_refused_before_anything_is_touched() {
    let world = World::new();
    let failure = world.apply(with(&json!({"first_admin": "nobody"}))).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::Spec(_)), "{failure}");
    assert_eq!(world.platform.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn things_of_others_are_neither_adopted_nor_deleted() {
    let world = World::new();
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    let role = "poolkeeper-shop-eu-west-1";
    world.platform.state().roles.get_mut(role).unwrap().entity.tagged = None;
    for action in [Action::Apply, Action::Destroy] {
        let failure = world.run(action, shop()).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::NotOurs { .. }), "{action:?}: {failure}");
        assert!(world.platform.state().roles.contains_key(role), "{action:?}");
    }
}

#[tokio::test]
async fn of_two_pools_with_our_tag_none_is_chosen() {
    let world = World::new();
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    {
        let mut state = world.platform.state();
        let mut twin = state.user_pools[0].clone();
        twin.thing.id = "eu-west-1_twin".to_owned();
        state.user_pools.push(twin);
    }
    let writes = world.platform.writes();
    for action in [Action::Apply, Action::Verify, Action::Destroy] {
        let failure = world.run(action, shop()).await.unwrap_err();
        assert!(failure.to_string().contains("eu-west-1_pool1, eu-west-1_twin"), "{action:?}: {failure}");
    }
    assert_eq!(world.platform.writes(), writes);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_found_and_not_made_again() {
    for operation in ["create_user_pool", "create_client", "create_identity_pool", "create_policy", "create_role"] {
        let world = World::new();
        world.platform.fail(operation, 1, Fault::AnswerLost);
        let receipt = world.apply(shop()).await.unwrap();
        let adopted = receipt.steps.iter().filter(|report| report.outcome == Outcome::Adopted).count();
        assert_eq!(adopted, 1, "{operation}");
        let state = world.platform.state();
        let counts = [state.user_pools.len(), state.identity_pools.len(), state.policies.len(), state.roles.len()];
        assert_eq!((counts, state.clients.len()), ([1, 1, 1, 1], 2), "{operation}");
    }
}

#[tokio::test]
async fn a_throttled_create_is_made_again() {
    let world = World::new();
    world.platform.fail("create_user_pool", 1, Fault::NotDone(ErrorClass::Throttled));
    world.platform.fail("create_user_pool", 2, Fault::NotDone(ErrorClass::Throttled));
    let receipt = world.apply(shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::UserPool).attempts, 3);
    assert_eq!(report(&receipt, Step::UserPool).elapsed_ms, 1500);
}

#[tokio::test]
async fn a_failure_says_what_stands_and_a_second_run_goes_on_from_there() {
    let world = World::new();
    world.platform.fail("create_role", 1, Fault::NotDone(ErrorClass::Forbidden));
    let failure = world.apply(shop()).await.unwrap_err();
    assert_eq!(report(&failure.receipt, Step::Role).outcome, Outcome::Failed);
    assert_eq!(report(&failure.receipt, Step::Policy).outcome, Outcome::Created);
    assert!(failure.receipt.user_pool_id.is_some(), "{failure}");
    assert!(failure.to_string().contains("create_role"), "{failure}");

    let receipt = world.apply(shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::Policy).outcome, Outcome::Unchanged);
    assert_eq!(report(&receipt, Step::Role).outcome, Outcome::Created);
    assert_eq!(world.platform.state().user_pools.len(), 1);
}

#[tokio::test]
async fn propagation_is_waited_out_with_little_waste_at_any_delay() {
    for delay in [0, 1500, 4000, 7900, 12_000, 30_000, 60_000] {
        let world = World::with_propagation(Duration::from_millis(delay));
        let receipt = world.apply(shop()).await.unwrap();
        let waited = world.clock.now();
        let waste = waited.saturating_sub(Duration::from_millis(delay));
        assert!(waste <= Duration::from_millis(2700), "delay {delay} ms: wasted {waste:?}");
        let credentials = report(&receipt, Step::Credentials);
        assert_eq!(u128::from(credentials.elapsed_ms), waited.as_millis(), "delay {delay} ms: {credentials:?}");
        assert_eq!(credentials.attempts > 1, delay > 0, "delay {delay} ms: {credentials:?}");
    }
}

#[tokio::test]
async fn waiting_for_propagation_ends_before_the_time_does_and_says_how_long_it_was() {
    let clock = VirtualClock::with_time(Duration::from_secs(30));
    let world = World { platform: InMemoryPlatform::new(&clock, Duration::from_hours(1)), clock };
    let failure = world.apply(shop()).await.unwrap_err();
    let ProvisionError::Call(gave_up) = &failure.error else { unreachable!("{failure}") };
    assert_eq!(gave_up.last.class, ErrorClass::RoleNotAssumable);
    assert!(gave_up.attempts > 10 && gave_up.elapsed > Duration::from_secs(27), "{gave_up}");
    assert!(world.clock.time_left() > Duration::ZERO);
    assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "also after a failure");
}

#[tokio::test]
async fn one_success_is_not_believed_before_a_second_one() {
    let world = World::new();
    world.platform.fail("credentials", 2, Fault::NotDone(ErrorClass::RoleNotAssumable));
    let receipt = world.apply(shop()).await.unwrap();
    assert!(report(&receipt, Step::Credentials).attempts > 1);
    let calls = world.platform.calls();
    assert_eq!(calls.iter().filter(|call| **call == "credentials").count(), 4);
}

#[tokio::test]
async fn a_role_that_can_never_be_taken_is_named_within_two_calls_and_without_waiting() {
    let role = "poolkeeper-shop-eu-west-1";
    let pointers = [
        ("/Statement/0/Principal/Federated", "`Principal.Federated`"),
        ("/Statement/0/Action", "`Action`"),
        ("/Statement/0/Condition/StringEquals/cognito-identity.amazonaws.com:aud", ":aud`"),
        ("/Statement/0/Condition/ForAnyValue:StringLike/cognito-identity.amazonaws.com:amr", ":amr`"),
    ];
    for (pointer, expected) in pointers {
        let world = World::new();
        world.apply(with(&json!({"verify": false}))).await.unwrap();
        *world.platform.state().roles.get_mut(role).unwrap().entity.document.pointer_mut(pointer).unwrap() =
            json!("something-else");
        let failure = world.run(Action::Verify, shop()).await.unwrap_err();
        assert!(failure.to_string().contains(expected), "{pointer}: {failure}");
        assert_eq!(world.clock.now(), Duration::ZERO, "{pointer}: no waiting for what never comes");
        let probes = world.platform.calls().iter().filter(|call| **call == "credentials").count();
        assert_eq!(probes, 1, "{pointer}");
    }
}

#[tokio::test]
async fn a_role_that_the_identity_pool_does_not_hand_out_is_named() {
    let world = World::new();
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    world.platform.state().authenticated_roles.clear();
    let failure = world.run(Action::Verify, shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::RoleNotSet { found: None, .. }), "{failure}");
}

#[tokio::test]
async fn verify_makes_its_user_as_administrator_where_people_cannot_sign_up() {
    let world = World::new();
    let receipt = world.apply(with(&json!({"self_sign_up": false}))).await.unwrap();
    let sign_up = report(&receipt, Step::SignUp);
    assert!(sign_up.detail.as_ref().unwrap().contains("as administrator"), "{sign_up:?}");
    assert_eq!(report(&receipt, Step::CallerIdentity).outcome, Outcome::Succeeded);
}

#[tokio::test]
async fn verify_leaves_nobody_behind_wherever_it_fails() {
    for operation in ["sign_up", "confirm", "sign_in"] {
        let world = World::new();
        let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
        let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
        users.fail(operation, 1, Reason::Unavailable);
        let failure = world.run(Action::Verify, shop()).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::Users(_)), "{operation}: {failure}");
        assert_eq!(report(&failure.receipt, Step::CleanUp).outcome, Outcome::Deleted, "{operation}");
        assert!(users.calls().contains(&"delete"), "{operation}");
    }
}

#[tokio::test]
async fn verify_without_a_pool_says_what_is_missing() {
    let failure = World::new().run(Action::Verify, shop()).await.unwrap_err();
    assert_eq!(failure.to_string(), "there is no user pool shop; run `apply` first");
}

/// A pool with users, before the operator names the first administrator.
async fn pool_with(users: impl FnOnce(&InMemoryPool)) -> (World, InMemoryPool) {
    let world = World::new();
    let applied =
        world.apply(with(&json!({"verify": false, "first_admin": null, "sign_in": "username"}))).await.unwrap();
    let pool = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    users(&pool);
    (world, pool)
}

#[tokio::test]
async fn nobody_becomes_administrator_by_signing_up_under_the_first_ones_name() {
    let strangers: [fn(&InMemoryPool); 5] = [
        |pool| pool.add_user("admin", "Correct-1", &[], &[("email", "eve@example.com"), ("email_verified", "true")]),
        |pool| pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com")]),
        |pool| pool.add_user("eve", "Correct-1", &[], &[("preferred_username", "admin")]),
        |pool| {
            pool.add_user("admin", "Correct-1", &[], &[]);
            pool.set_status("admin", UserStatus::Unconfirmed);
        },
        // Somebody set a temporary password for a person who had signed up.
        |pool| {
            pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com")]);
            pool.set_status("admin", UserStatus::ForceChangePassword);
        },
    ];
    for stranger in strangers {
        let (world, pool) = pool_with(stranger).await;
        let failure = world.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::NotTheFirstAdmin), "{failure}");
        assert!(pool.groups_of("admin").is_empty() && pool.groups_of("eve").is_empty());
    }

    let proved = |pool: &InMemoryPool| {
        pool.add_user("admin", "Correct-1", &[], &[("email", "ops@example.com"), ("email_verified", "true")]);
    };
    let (world, pool) = pool_with(proved).await;
    let receipt = world.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Updated);
    assert_eq!(pool.groups_of("admin"), ["admins"]);
}

#[tokio::test]
async fn a_first_admin_who_is_one_already_stays_one_whatever_became_of_the_address() {
    let administrator =
        |pool: &InMemoryPool| pool.add_user("admin", "Correct-1", &["admins"], &[("email", "new@example.com")]);
    let (world, _) = pool_with(administrator).await;
    let receipt = world.apply(with(&json!({"verify": false, "sign_in": "username"}))).await.unwrap();
    assert_eq!(report(&receipt, Step::FirstAdmin).outcome, Outcome::Unchanged);
}

#[tokio::test]
async fn an_invitation_whose_answer_is_lost_is_not_sent_again() {
    let world = World::new();
    let spec = with(&json!({"verify": false, "first_admin": null}));
    let applied = world.apply(spec).await.unwrap();
    let pool = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    pool.fail("create", 1, Reason::Unavailable);
    // Nothing was created: there is nobody to find.
    let failure = world.apply(with(&json!({"verify": false}))).await.unwrap_err();
    let ProvisionError::Users(gave_up) = &failure.error else { unreachable!("{failure}") };
    assert_eq!((gave_up.last.reason, gave_up.last.operation), (Reason::Unavailable, "create"));
    assert_eq!(pool.calls().iter().filter(|call| **call == "create").count(), 1);

    world.apply(with(&json!({"verify": false}))).await.unwrap();
    assert!(pool.was_invited("ops@example.com"));
}

#[tokio::test]
async fn throttling_does_not_fail_the_proof() {
    let world = World::new();
    let applied = world.apply(with(&json!({"verify": false}))).await.unwrap();
    let users = world.platform.state().users[&applied.user_pool_id.unwrap()].clone();
    for operation in ["sign_up", "confirm", "sign_in", "delete"] {
        users.fail(operation, 1, Reason::Throttled);
    }
    let receipt = world.run(Action::Verify, shop()).await.unwrap();
    for step in [Step::SignUp, Step::Confirm, Step::SignIn] {
        assert_eq!(report(&receipt, step).attempts, 2, "{step}");
    }
}

#[tokio::test]
async fn a_role_that_iam_still_takes_for_attached_is_deleted_a_little_later() {
    let world = World::new();
    world.apply(shop()).await.unwrap();
    world.platform.fail("delete_role", 1, Fault::NotDone(ErrorClass::Conflict));
    world.platform.fail("delete_policy", 1, Fault::NotDone(ErrorClass::Conflict));
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    for step in [Step::Role, Step::Policy] {
        assert_eq!((report(&receipt, step).outcome, report(&receipt, step).attempts), (Outcome::Deleted, 2));
    }
}

#[tokio::test]
async fn a_role_without_its_policy_is_named_where_it_cannot_be_taken() {
    let world = World::with_propagation(Duration::from_secs(5));
    world.apply(with(&json!({"verify": false}))).await.unwrap();
    world.platform.state().roles.get_mut("poolkeeper-shop-eu-west-1").unwrap().policies.clear();
    let failure = world.run(Action::Verify, shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotAttached { .. }), "{failure}");
}

#[tokio::test]
async fn destroy_takes_away_everything_of_ours_and_nothing_else() {
    let world = World::new();
    world.apply(shop()).await.unwrap();
    world.apply(with(&json!({"name": "other"}))).await.unwrap();
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    let steps = [Step::IdentityPool, Step::Role, Step::Policy, Step::UserPool];
    assert_eq!(outcomes(&receipt), steps.map(|step| (step, Outcome::Deleted)));

    let state = world.platform.state();
    let left = |names: Vec<&str>| assert_eq!(names.len(), 1, "{names:?}");
    left(state.user_pools.iter().map(|pool| pool.name.as_str()).collect());
    left(state.identity_pools.iter().map(|pool| pool.name.as_str()).collect());
    left(state.policies.keys().map(String::as_str).collect());
    left(state.roles.keys().map(String::as_str).collect());
    assert_eq!(state.user_pools[0].name, "other");
}

#[tokio::test]
async fn destroy_of_what_is_gone_succeeds() {
    let world = World::new();
    let receipt = world.run(Action::Destroy, shop()).await.unwrap();
    assert!(receipt.steps.iter().all(|report| report.outcome == Outcome::Absent), "{receipt:?}");
    assert_eq!(world.platform.writes(), Vec::<&str>::new());
}

#[tokio::test]
async fn destroy_leaves_what_is_to_be_retained_or_protected_and_says_why() {
    let table =
        [(json!({"on_delete": "retain"}), "`retain`"), (json!({"deletion_protection": true}), "deletion protection")];
    for (changes, reason) in table {
        let world = World::new();
        world.apply(with(&changes)).await.unwrap();
        let writes = world.platform.writes();
        let receipt = world.run(Action::Destroy, with(&changes)).await.unwrap();
        assert_eq!(world.platform.writes(), writes, "{changes}");
        for report in &receipt.steps {
            assert_eq!(report.outcome, Outcome::Retained, "{changes}");
            assert!(report.detail.as_ref().unwrap().contains(reason), "{report:?}");
        }
    }
}
