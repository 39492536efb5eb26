//! The faults that the proxy can inject.

/// A fault of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// The connection is closed without a response; the service does not receive the call.
    NotSent,
    /// The service performs the call, and the connection is closed without a response.
    AnswerLost,
    /// The service performs the call, and the response is 500 with an error of the service.
    FailedAfterSuccess,
    /// The response is 503; the service does not receive the call.
    Unavailable,
    /// The response is 400 with a throttling error; the service does not receive the call.
    Throttled,
    /// There is no response until the client disconnects; the service does not receive the call.
    Stalled,
    /// The service performs the call, and there is no response until the client disconnects.
    StalledAfterSuccess,
    /// The client is killed; the service does not receive the call. See [`on_kill`](super::FaultProxy::on_kill).
    KilledBefore,
    /// The service performs the call, and the client is killed before the response. See
    /// [`on_kill`](super::FaultProxy::on_kill).
    KilledAfter,
}

impl Fault {
    /// All faults.
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

    /// Whether the service performs the call.
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
