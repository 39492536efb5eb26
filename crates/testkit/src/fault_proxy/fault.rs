//! What can go wrong with a call. When it does is for `calls`.

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The connection is closed without an answer; the service hears nothing of it.
    NotSent,
    /// The service does its work, and the connection is closed without an answer.
    AnswerLost,
    /// The service does its work, and the answer is 500, with the service's own error.
    FailedAfterSuccess,
    /// The answer is 503; the service hears nothing of it.
    Unavailable,
    /// The answer is 400 and says that there were too many calls; the service hears nothing of it.
    Throttled,
    /// There is no answer until the client hangs up; the service hears nothing of it.
    Stalled,
    /// The service does its work, and there is no answer until the client hangs up.
    StalledAfterSuccess,
    /// The client is killed; the service hears nothing of the call. See [`on_kill`](super::FaultProxy::on_kill).
    KilledBefore,
    /// The service does its work, and the client is killed before it hears of it. See [`on_kill`](super::FaultProxy::on_kill).
    KilledAfter,
}

impl Fault {
    /// All of them, for tests that try each.
    pub const ALL: [Self; 9] = [
        Self::NotSent,
        Self::AnswerLost,
        Self::FailedAfterSuccess,
        Self::Unavailable,
        Self::Throttled,
        Self::Stalled,
        Self::StalledAfterSuccess,
        Self::KilledBefore,
        Self::KilledAfter,
    ];

    /// Whether the service does its work.
    #[must_use]
    pub fn is_done(self) -> bool {
        match self {
            Self::AnswerLost | Self::FailedAfterSuccess | Self::StalledAfterSuccess | Self::KilledAfter => true,
            Self::NotSent | Self::Unavailable | Self::Throttled | Self::Stalled | Self::KilledBefore => false,
        }
    }

    /// Whether the client is killed.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }
}
