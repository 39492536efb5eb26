//! Runs of the model: settings and steps, and their generators.

use std::fmt;

use proptest::prelude::*;

use super::capabilities::Roles;
use super::flow::flow;
use super::step::{Step, deployment, roles, step};

/// The settings and the steps of one run.
#[derive(Clone)]
pub(super) struct Scenario {
    pub(super) roles: Roles,
    /// Whether a sign-up confirms the user immediately.
    pub(super) auto_confirm: bool,
    /// Whether the app client has a list of write attributes.
    pub(super) has_write_attributes: bool,
    /// Whether the API requires a second factor of administrators.
    pub(super) requires_mfa: bool,
    pub(super) steps: Vec<Step>,
}

/// The maximum number of steps and flows of a run.
pub(super) const MAX_STEPS: usize = 40;

pub(super) fn scenario() -> impl Strategy<Value = Scenario> {
    let some = prop_oneof![
        36 => step().prop_map(|step| vec![step]),
        6 => flow(),
        1 => deployment().prop_map(|step| vec![step]),
    ];
    let steps = proptest::collection::vec(some, 1..=MAX_STEPS).prop_map(|steps| steps.concat());
    let settings = (any::<bool>(), any::<bool>(), proptest::bool::weighted(0.3));
    (roles(), settings, steps).prop_map(|(roles, settings, steps)| {
        let (auto_confirm, has_write_attributes, requires_mfa) = settings;
        Scenario { roles, auto_confirm, has_write_attributes, requires_mfa, steps }
    })
}

impl fmt::Debug for Scenario {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { roles, auto_confirm, has_write_attributes, requires_mfa, steps: _ } = self;
        writeln!(
            formatter,
            "ROLES {}, AutoConfirm {auto_confirm}, WriteAttributes {has_write_attributes}, AdminMfa {requires_mfa}",
            roles.json()
        )?;
        self.steps.iter().enumerate().try_for_each(|(number, step)| writeln!(formatter, "{:>2}. {step}", number + 1))
    }
}
