//! Actions of another actor during a request, before one of its calls.

use std::fmt;

use domain::user_pool::error::Reason;

use super::InMemoryPool;

type Action = Box<dyn FnOnce() -> Option<Reason> + Send>;

/// One planned action.
pub(super) struct Interruption {
    calls_left: usize,
    action: Action,
}

impl fmt::Debug for Interruption {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Interruption").field("calls_left", &self.calls_left).finish_non_exhaustive()
    }
}

impl InMemoryPool {
    /// Runs an action before the `nth` call (from 1, counted from now) of any operation. The action can use the pool.
    /// If it returns a reason, the call fails with this reason and has no effect. A new action replaces a planned one.
    pub fn before_call(&self, nth: usize, action: impl FnOnce() -> Option<Reason> + Send + 'static) {
        self.state().interruption = Some(Interruption { calls_left: nth, action: Box::new(action) });
    }

    /// Cancels the planned action.
    pub fn cancel_before_call(&self) {
        self.state().interruption = None;
    }

    /// Runs the action that is planned for this call, without locking the state.
    pub(super) fn interrupt(&self) -> Option<Reason> {
        let due = self.due()?;
        (due.action)()
    }

    fn due(&self) -> Option<Interruption> {
        let mut state = self.state();
        let planned = state.interruption.as_mut()?;
        planned.calls_left = planned.calls_left.saturating_sub(1);
        if planned.calls_left == 0 { state.interruption.take() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use domain::user_pool::directory::Directory;

    use super::super::testing::{name, pool, reason_of};
    use super::*;

    #[tokio::test]
    async fn an_action_runs_before_the_planned_call_and_can_use_the_pool() {
        let pool = pool();
        let same = pool.clone();
        pool.before_call(2, move || {
            same.remove_user("mia");
            None
        });
        let directory = pool.directory();
        directory.get(&name("mia")).await.unwrap();
        assert_eq!(reason_of(directory.get(&name("mia")).await), Reason::UserNotFound);
    }

    #[tokio::test]
    async fn an_action_can_fail_its_call_and_runs_once() {
        let pool = pool();
        pool.before_call(1, || Some(Reason::Unavailable));
        let directory = pool.directory();
        assert_eq!(reason_of(directory.disable(&name("mia")).await), Reason::Unavailable);
        assert!(pool.user("mia").unwrap().enabled);
        directory.disable(&name("mia")).await.unwrap();
    }

    #[tokio::test]
    async fn a_cancelled_action_does_not_run() {
        let pool = pool();
        pool.before_call(1, || Some(Reason::Unavailable));
        pool.cancel_before_call();
        pool.directory().get(&name("mia")).await.unwrap();
    }
}
