//! `plan`, `apply`, `verify` and `destroy` on an in-memory platform with a virtual clock.

#![expect(clippy::unwrap_used, reason = "tests")]

mod apply;
mod concurrent_runs;
mod crashes;
mod destroy;
mod first_admin;
mod plan;
mod verify;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use domain::policy_document::trust_policy;
use domain::provision::{
    Action, Observer, Outcome, ProvisionError, ProvisionFailure, Provisioner, Receipt, Step, StepReport,
};
use domain::retry::{Clock, ErrorClass};
use domain::spec::Spec;
use domain::user_pool::error::Reason;
use domain::user_pool::user::UserStatus;
use serde_json::{Value, json};
use testkit::in_memory::InMemoryPool;
use testkit::in_memory_platform::{Fault, InMemoryPlatform};
use testkit::virtual_clock::VirtualClock;

const TIME: Duration = Duration::from_mins(10);

/// An account and a clock.
struct Harness {
    platform: InMemoryPlatform,
    clock: VirtualClock,
}

impl Harness {
    fn with_propagation(propagation: Duration) -> Self {
        let clock = VirtualClock::with_time(TIME);
        Self { platform: InMemoryPlatform::new(&clock, propagation), clock }
    }

    fn with_clock(clock: &VirtualClock) -> Self {
        Self { platform: InMemoryPlatform::new(clock, Duration::ZERO), clock: clock.clone() }
    }

    fn new() -> Self {
        Self::with_propagation(Duration::ZERO)
    }

    async fn run(&self, action: Action, spec: Value) -> Result<Receipt, ProvisionFailure> {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let recorded = RecordedSteps::default();
        let provisioner = Provisioner::new(&self.platform, Arc::new(self.clock.clone()), &recorded);
        let result = match action {
            Action::Plan => unreachable!("a plan has no receipt"),
            Action::Apply => provisioner.apply(&spec).await,
            Action::Verify => provisioner.verify(&spec).await,
            Action::Destroy => provisioner.destroy(&spec).await,
        };
        let receipt = result.as_ref().unwrap_or_else(|failure| &*failure.receipt);
        assert_eq!(*recorded.0.lock().unwrap(), receipt.steps, "the observer receives the steps of the receipt");
        result
    }

    /// A harness with all resources of [`shop`].
    async fn provisioned() -> Self {
        let harness = Self::new();
        harness.apply(unverified()).await.unwrap();
        harness
    }

    /// The users of the only pool.
    fn users(&self) -> InMemoryPool {
        self.platform.state().users.values().next().unwrap().clone()
    }

    async fn apply(&self, spec: Value) -> Result<Receipt, ProvisionFailure> {
        self.run(Action::Apply, spec).await
    }
}

#[derive(Default)]
struct RecordedSteps(Mutex<Vec<StepReport>>);

impl Observer for RecordedSteps {
    fn step_ended(&self, report: &StepReport) {
        self.0.lock().unwrap().push(report.clone());
    }
}

fn shop() -> Value {
    json!({
        "name": "shop", "mfa": "optional", "self_sign_up": true, "groups": ["support"], "first_admin": "ops@example.com",
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

/// [`shop`] without the verification.
fn unverified() -> Value {
    with(&json!({"verify": false}))
}

fn outcomes(receipt: &Receipt) -> Vec<(Step, Outcome)> {
    receipt.steps.iter().map(|report| (report.step, report.outcome)).collect()
}

fn report(receipt: &Receipt, step: Step) -> &StepReport {
    receipt.steps.iter().find(|report| report.step == step).unwrap()
}
