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
    /// The response is 500 with an error of the service; the service does not receive the call.
    Failed,
    /// The response is 503; the service does not receive the call.
    Unavailable,
    /// The response is 400 with a throttling error; the service does not receive the call.
    Throttled,
    /// There is no response until the client disconnects; the service does not receive the call.
    Stalled,
    /// The service performs the call, and there is no response until the client disconnects.
    StalledAfterSuccess,
    /// The response is 200 with the start of a body, and no more until the client disconnects; the service does not
    /// receive the call.
    StalledBody,
    /// The response is 200 with a body that is neither JSON nor XML; the service does not receive the call.
    Malformed,
    /// The response is 200 without fields; the service does not receive the call.
    NoFields,
    /// The client is killed; the service does not receive the call. See [`on_kill`](super::FaultProxy::on_kill).
    KilledBefore,
    /// The service performs the call, and the client is killed before the response. See
    /// [`on_kill`](super::FaultProxy::on_kill).
    KilledAfter,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 13] = [
        Self::NotSent,
        Self::AnswerLost,
        Self::FailedAfterSuccess,
        Self::Failed,
        Self::Unavailable,
        Self::Throttled,
        Self::Stalled,
        Self::StalledAfterSuccess,
        Self::StalledBody,
        Self::Malformed,
        Self::NoFields,
        Self::KilledBefore,
        Self::KilledAfter,
    ];

    /// Whether the service performs the call.
    #[must_use]
    pub fn is_done(self) -> bool {
        match self {
            Self::AnswerLost | Self::FailedAfterSuccess | Self::StalledAfterSuccess | Self::KilledAfter => true,
            Self::NotSent
            | Self::Failed
            | Self::Unavailable
            | Self::Throttled
            | Self::Stalled
            | Self::StalledBody
            | Self::Malformed
            | Self::NoFields
            | Self::KilledBefore => false,
        }
    }

    /// Whether the client is killed.
    #[must_use]
    pub fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }
}
