//! Injects every fault into every call of the port, repeats the action, and expects each resource exactly once.
//!
//! `crates/aws/tests/crash_matrix/` does the same with the calls of the SDK, through a proxy in front of an emulator.

use domain::provision::Verdict;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::time::timeout;

use super::*;

/// A fault in the nth call of an action.
type Planned = (usize, Fault);

/// The state before the action.
#[derive(Debug, Clone, Copy)]
enum Before {
    /// No resources.
    Nothing,
    /// All resources, with another spec.
    OtherSpec,
    /// All resources.
    Everything,
}

impl Before {
    async fn harness(self) -> Harness {
        let harness = Harness::new();
        match self {
            Self::Nothing => {}
            Self::OtherSpec => drop(harness.apply(with(&other_spec())).await.unwrap()),
            Self::Everything => drop(harness.apply(shop()).await.unwrap()),
        }
        harness
    }
}

/// Differs from [`shop`] in all mutable fields.
fn other_spec() -> Value {
    json!({
        "verify": false, "mfa": "off", "self_sign_up": false, "custom_attributes": [], "groups": [], "first_admin": null,
        "clients": {"backend": {"access_token_minutes": 15}, "web": {"refresh_token_days": 1}},
        "identity_pool": {"server_side_token_check": false},
        "authenticated_policy": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}],
    })
}

impl Harness {
    /// Runs an action with these faults. A hanging action is dropped, as if its process had been killed.
    async fn run_with(&self, action: Action, faults: &[Planned]) {
        for (nth, fault) in faults {
            self.platform.fail_at(*nth, *fault);
        }
        // Time is paused, so the timeout ends immediately when no task can run.
        drop(timeout(Duration::from_secs(1), self.run(action, shop())).await);
        self.platform.heal();
    }

    /// The number of calls of the action without faults.
    async fn calls_of(&self, action: Action) -> usize {
        let before = self.platform.calls().len();
        self.run(action, shop()).await.unwrap();
        self.platform.calls().len() - before
    }

    /// Asserts that each resource exists once and is up to date.
    pub(crate) async fn assert_converged(&self, case: &str) {
        let spec: Spec = serde_json::from_value(shop()).unwrap();
        let provisioner = Provisioner::new(&self.platform, Arc::new(self.clock.clone()), &NoOpObserver);
        let plan = provisioner.plan(&spec).await.unwrap_or_else(|error| unreachable!("{case}: {error}"));
        assert!(plan.resources.iter().all(|planned| planned.verdict == Verdict::Leave), "{case}: {plan:?}");
        let state = self.platform.state();
        let counts = [state.user_pools.len(), state.identity_pools.len(), state.policies.len(), state.roles.len()];
        assert_eq!(counts, [1, 1, 1, 1], "{case}: user pools, identity pools, policies, roles");
        let clients: Vec<&str> = state.clients.iter().map(|client| client.name.as_str()).collect();
        assert_eq!(clients, ["shop-backend", "shop-web"], "{case}");
        assert_eq!(state.authenticated_roles.len(), 1, "{case}");
        let users = &state.users[&state.user_pools[0].thing.id];
        assert_eq!(users.groups_of("ops@example.com"), ["admins"], "{case}");
    }

    pub(crate) fn assert_empty(&self, case: &str) {
        let state = self.platform.state();
        let counts = [
            state.user_pools.len(),
            state.identity_pools.len(),
            state.policies.len(),
            state.roles.len(),
            state.clients.len(),
        ];
        assert_eq!(counts, [0; 5], "{case}: user pools, identity pools, policies, roles, clients");
    }
}

struct NoOpObserver;

impl Observer for NoOpObserver {
    fn step_ended(&self, _report: &StepReport) {}
}

/// Every call of the action, with every fault.
async fn matrix(before: Before, action: Action) -> Vec<Planned> {
    let calls = before.harness().await.calls_of(action).await;
    (1..=calls).flat_map(|nth| Fault::ALL.map(|fault| (nth, fault))).collect()
}

async fn apply_converges(before: Before, faults: &[Planned]) {
    let harness = before.harness().await;
    harness.run_with(Action::Apply, faults).await;
    let case = format!("{before:?}, {faults:?}, calls: {:?}", harness.platform.calls());
    harness.apply(shop()).await.unwrap_or_else(|failure| unreachable!("{case}: {failure}"));
    harness.assert_converged(&case).await;
}

async fn destroy_leaves_nothing(faults: &[Planned]) {
    let harness = Before::Everything.harness().await;
    harness.run_with(Action::Destroy, faults).await;
    let case = format!("{faults:?}, calls: {:?}", harness.platform.calls());
    harness.run(Action::Destroy, shop()).await.unwrap_or_else(|failure| unreachable!("{case}: {failure}"));
    harness.assert_empty(&case);
}

#[tokio::test(start_paused = true)]
async fn a_second_apply_converges_after_any_fault() {
    let mut cases = 0;
    for before in [Before::Nothing, Before::OtherSpec, Before::Everything] {
        for planned in matrix(before, Action::Apply).await {
            apply_converges(before, &[planned]).await;
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert!(cases > 400, "only {cases} cases");
}

#[tokio::test(start_paused = true)]
async fn a_second_destroy_deletes_everything_after_any_fault() {
    let matrix = matrix(Before::Everything, Action::Destroy).await;
    assert!(matrix.len() > 50, "only {} cases", matrix.len());
    for planned in matrix {
        destroy_leaves_nothing(&[planned]).await;
    }
}

#[test]
fn a_third_run_converges_after_any_two_faults() {
    let fault = || (1..60_usize, proptest::sample::select(&Fault::ALL[..]));
    let before = proptest::sample::select(&[Before::Nothing, Before::OtherSpec, Before::Everything][..]);
    let config = Config { cases: 1000, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // The two faults occur in one run, or one in each of two runs.
    TestRunner::new(config)
        .run(&(before, fault(), fault(), any::<bool>()), |(before, first, second, together)| {
            runtime.block_on(async {
                if together {
                    apply_converges(before, &[first, second]).await;
                    destroy_leaves_nothing(&[first, second]).await;
                } else {
                    let harness = before.harness().await;
                    harness.run_with(Action::Apply, &[first]).await;
                    harness.run_with(Action::Apply, &[second]).await;
                    let case = format!("{before:?}, {first:?} then {second:?}");
                    harness.apply(shop()).await.unwrap_or_else(|failure| unreachable!("{case}: {failure}"));
                    harness.assert_converged(&case).await;
                }
            });
            Ok(())
        })
        .unwrap();
}
