//! Every call goes wrong in every way, once; then the action runs again, and there is exactly one of everything.
//!
//! Here on the platform in memory, where a call is one of the port. `crates/aws/tests/crash_matrix/` does the same with the SDK's own
//! calls, through a proxy in front of a local AWS.

use domain::provision::Verdict;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tokio::time::timeout;

use super::*;

/// What happens to an action: its nth call goes wrong.
type Planned = (usize, Fault);

/// A world before the action.
#[derive(Debug, Clone, Copy)]
enum Before {
    /// There is nothing.
    Nothing,
    /// Everything is there and as another spec had it.
    Otherwise,
    /// Everything is there.
    Everything,
}

impl Before {
    async fn world(self) -> World {
        let world = World::new();
        match self {
            Self::Nothing => {}
            Self::Otherwise => drop(world.apply(with(&otherwise())).await.unwrap()),
            Self::Everything => drop(world.apply(shop()).await.unwrap()),
        }
        world
    }
}

/// Differs from [`shop`] in whatever can be changed.
fn otherwise() -> Value {
    json!({
        "verify": false, "mfa": "off", "self_sign_up": false, "custom_attributes": [], "groups": [], "first_admin": null,
        "clients": {"backend": {"access_token_minutes": 15}, "web": {"refresh_token_days": 1}},
        "identity_pool": {"server_side_token_check": false},
        "authenticated_policy": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}],
    })
}

impl World {
    /// Runs an action in which these calls go wrong. One that never ends is dropped, as if its process had been killed.
    async fn run_with(&self, action: Action, faults: &[Planned]) {
        for (nth, fault) in faults {
            self.platform.fail_at(*nth, *fault);
        }
        // On paused time: it is over at once when nothing moves any more.
        drop(timeout(Duration::from_secs(1), self.run(action, shop())).await);
        self.platform.heal();
    }

    /// How many calls the action makes when nothing goes wrong.
    async fn calls_of(&self, action: Action) -> usize {
        let before = self.platform.calls().len();
        self.run(action, shop()).await.unwrap();
        self.platform.calls().len() - before
    }

    /// Everything is there once, and as the spec says.
    pub(crate) async fn assert_converged(&self, case: &str) {
        let spec: Spec = serde_json::from_value(shop()).unwrap();
        let provisioner = Provisioner::new(&self.platform, Arc::new(self.clock.clone()), &Nobody);
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

struct Nobody;

impl Observer for Nobody {
    fn step_ended(&self, _report: &StepReport) {}
}

/// Every call of the action, with every fault.
async fn matrix(before: Before, action: Action) -> Vec<Planned> {
    let calls = before.world().await.calls_of(action).await;
    (1..=calls).flat_map(|nth| Fault::ALL.map(|fault| (nth, fault))).collect()
}

async fn apply_converges(before: Before, faults: &[Planned]) {
    let world = before.world().await;
    world.run_with(Action::Apply, faults).await;
    let case = format!("{before:?}, {faults:?}, calls: {:?}", world.platform.calls());
    world.apply(shop()).await.unwrap_or_else(|failure| unreachable!("{case}: {failure}"));
    world.assert_converged(&case).await;
}

async fn destroy_leaves_nothing(faults: &[Planned]) {
    let world = Before::Everything.world().await;
    world.run_with(Action::Destroy, faults).await;
    let case = format!("{faults:?}, calls: {:?}", world.platform.calls());
    world.run(Action::Destroy, shop()).await.unwrap_or_else(|failure| unreachable!("{case}: {failure}"));
    world.assert_empty(&case);
}

#[tokio::test(start_paused = true)]
async fn after_any_fault_in_apply_a_second_one_ends_with_one_of_everything() {
    let mut cases = 0;
    for before in [Before::Nothing, Before::Otherwise, Before::Everything] {
        for planned in matrix(before, Action::Apply).await {
            apply_converges(before, &[planned]).await;
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert!(cases > 400, "only {cases} cases");
}

#[tokio::test(start_paused = true)]
async fn after_any_fault_in_destroy_a_second_one_leaves_nothing() {
    let matrix = matrix(Before::Everything, Action::Destroy).await;
    assert!(matrix.len() > 50, "only {} cases", matrix.len());
    for planned in matrix {
        destroy_leaves_nothing(&[planned]).await;
    }
}

#[test]
fn after_any_two_faults_in_a_row_a_third_run_sets_it_right() {
    let fault = || (1..60_usize, proptest::sample::select(&Fault::ALL[..]));
    let before = proptest::sample::select(&[Before::Nothing, Before::Otherwise, Before::Everything][..]);
    let config = Config { cases: 1000, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    // Both in one run, or one each in two runs; proptest prints the seed and the case of a failure.
    TestRunner::new(config)
        .run(&(before, fault(), fault(), any::<bool>()), |(before, first, second, together)| {
            runtime.block_on(async {
                if together {
                    apply_converges(before, &[first, second]).await;
                    destroy_leaves_nothing(&[first, second]).await;
                } else {
                    let world = before.world().await;
                    world.run_with(Action::Apply, &[first]).await;
                    world.run_with(Action::Apply, &[second]).await;
                    let case = format!("{before:?}, {first:?} then {second:?}");
                    world.apply(shop()).await.unwrap_or_else(|failure| unreachable!("{case}: {failure}"));
                    world.assert_converged(&case).await;
                }
            });
            Ok(())
        })
        .unwrap();
}
