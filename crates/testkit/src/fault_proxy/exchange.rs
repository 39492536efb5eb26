//! Handles one request: counts it, forwards it, hides resources, or injects a fault.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::answers::{self, Answer};
use super::calls::{CallId, Calls, Outcome};
use super::fault::Fault;
use super::request::Request;
use super::upstream::Upstream;
use super::visibility::{Hidden, Visibility};

/// The reply to the client.
pub(super) enum Reply {
    Answer(Answer),
    /// The head and this part of the body, and then nothing until the client disconnects.
    Part(Answer),
    /// The connection is closed.
    Closed,
    /// No reply until the client disconnects.
    Never,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) calls: Calls,
    pub(super) visibility: Visibility,
}

impl State {
    pub(super) fn forget(&mut self) {
        self.calls.forget();
        self.visibility = Visibility::default();
    }
}

type Kill = Arc<dyn Fn() + Send + Sync>;

pub(super) struct Exchange {
    upstream: Upstream,
    state: Mutex<State>,
    kill: Mutex<Option<Kill>>,
}

impl Exchange {
    pub(super) fn new(upstream: Upstream) -> Self {
        Self { upstream, state: Mutex::default(), kill: Mutex::default() }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn on_kill(&self, kill: Kill) {
        *self.kill.lock().unwrap_or_else(PoisonError::into_inner) = Some(kill);
    }

    pub(super) async fn reply(&self, request: Request) -> Reply {
        let Some((operation, protocol)) = request.operation() else {
            return self.upstream.ask(request).await.map_or(Reply::Closed, Reply::Answer);
        };
        let (call, fault) = self.state().calls.count(&operation);
        let Some(fault) = fault else {
            let (outcome, reply) = match self.ask(call, &operation, request).await {
                Ok((outcome, answer)) => (outcome, Reply::Answer(answer)),
                Err(reason) => (Outcome::Unreachable(reason), Reply::Closed),
            };
            self.record(call, outcome);
            return reply;
        };
        if fault.is_done()
            && let Err(reason) = self.ask(call, &operation, request).await
        {
            self.record(call, Outcome::Unreachable(reason));
            return Reply::Closed;
        }
        self.record(call, Outcome::Fault(fault));
        match fault {
            Fault::NotSent | Fault::AnswerLost => Reply::Closed,
            Fault::Failed | Fault::FailedAfterSuccess => Reply::Answer(answers::failed(protocol)),
            Fault::Unavailable => Reply::Answer(answers::unavailable(protocol)),
            Fault::Throttled => Reply::Answer(answers::throttled(protocol)),
            Fault::Stalled | Fault::StalledAfterSuccess => Reply::Never,
            Fault::StalledBody => Reply::Part(answers::start(protocol)),
            Fault::Malformed => Reply::Answer(answers::malformed(protocol)),
            Fault::NoFields => Reply::Answer(answers::no_fields(protocol, &operation)),
            Fault::KilledBefore | Fault::KilledAfter => {
                self.kill();
                Reply::Never
            }
        }
    }

    /// Forwards the request and hides resources in the response. Returns the reason if the service is unreachable.
    async fn ask(&self, call: Option<CallId>, operation: &str, request: Request) -> Result<(Outcome, Answer), String> {
        // This separate statement releases the lock.
        let instead = self.state().visibility.answer_instead(operation, &request);
        if let Some((what, answer)) = instead {
            return Ok((Outcome::Hidden(what), answer));
        }
        let mut answer = self.upstream.ask(request.clone()).await?;
        let outcome = self.take_note(call, operation, &request, &mut answer);
        Ok((outcome, answer))
    }

    fn take_note(&self, call: Option<CallId>, operation: &str, request: &Request, answer: &mut Answer) -> Outcome {
        let State { calls, visibility } = &mut *self.state();
        // Calls that started before a reset are not recorded.
        let Some(call) = calls.get_mut(call) else { return Outcome::Forwarded };
        call.status = Some(answer.status().as_u16());
        if answer.status().is_success() {
            visibility.note(operation, request);
            if visibility.take_out(operation, request, answer) {
                return Outcome::Hidden(Hidden::Attachment);
            }
        }
        Outcome::Forwarded
    }

    fn record(&self, call: Option<CallId>, outcome: Outcome) {
        if let Some(call) = self.state().calls.get_mut(call) {
            call.outcome = outcome;
        }
    }

    fn kill(&self) {
        // The callback runs without the lock, because it may use the proxy.
        let kill = self.kill.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kill) = kill {
            kill();
        }
    }
}
