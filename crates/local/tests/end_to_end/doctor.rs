//! The checks of `poolkeeper doctor` on deployed stacks.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aws::SystemClock;
use domain::doctor::{Check, Doctor, Severity, Target, findings};
use domain::provision::{Observer, StepReport};
use local::deployment::Deployment;

use crate::deploy;

struct NoOpObserver;

impl Observer for NoOpObserver {
    fn step_ended(&self, _: &StepReport) {}
}

/// Returns the errors and warnings, and the notes.
async fn examine(deployment: &Deployment) -> (BTreeSet<Check>, BTreeSet<Check>) {
    let platform = deployment.cognito.platform();
    let clock = Arc::new(SystemClock::starting_now(Duration::from_mins(1)));
    let doctor = Doctor { inspector: &platform, clock, observer: &NoOpObserver };
    let observed = doctor.observe(&Target::Stack(deployment.pool().to_owned())).await.unwrap();
    assert_eq!(observed.triggers.len(), 1, "the pre sign-up trigger");
    assert_eq!((observed.clients.len(), observed.identity_pools.len()), (2, 1));
    let (notes, others): (Vec<_>, Vec<_>) =
        findings(&observed).into_iter().partition(|finding| finding.severity == Severity::Info);
    let checks = |findings: Vec<domain::doctor::Finding>| findings.into_iter().map(|finding| finding.check).collect();
    (checks(others), checks(notes))
}

/// The demo can be deleted, and has MFA.
pub(crate) async fn finds_only_the_settings_of_the_demo(deployment: &Deployment) {
    let expected = ([Check::DeletionProtection].into(), [Check::MailSender].into());
    assert_eq!(examine(deployment).await, expected);
}

#[tokio::test]
async fn fresh_deployment_with_default_parameters_has_no_findings() {
    let defaults = [
        ("AutoConfirm", "nobody"),
        ("SignIn", "email"),
        ("CustomAttributes", ""),
        ("DeniedEmailDomains", ""),
        ("DeletionProtection", "true"),
        ("OnDelete", "retain"),
        ("FirstAdminEmail", ""),
        ("Mfa", "off"),
    ];
    let deployment = deploy(&defaults).await;
    assert_eq!(examine(&deployment).await, (BTreeSet::new(), [Check::MailSender, Check::MfaOff].into()));
}
