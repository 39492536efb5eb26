//! The bootstrap under test, on an in-memory platform.

use std::cell::RefCell;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use domain::passable_roles::PassableRoles;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use pool_bootstrap::{Handler, Replies, Reply, ReplyError};
use serde_json::{Value, json};
use testkit::in_memory_platform::InMemoryPlatform;
use testkit::virtual_clock::VirtualClock;
use tokio::runtime::{Builder, Runtime};

/// The name and tag of a pool that no event names.
pub(super) const FOREIGN: &str = "foreign-pool";

const CREATE: &str = include_str!("../../../../events/pool-bootstrap/user-pool-create.json");

/// Records the replies.
#[derive(Default)]
struct RecordedReplies(Mutex<Vec<(String, String)>>);

impl RecordedReplies {
    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Replies for RecordedReplies {
    /// Accepts any URL, because the invariants are about the steps after the check.
    fn check(&self, _: &str) -> Result<(), ReplyError> {
        Ok(())
    }

    fn deliver<'a>(
        &'a self,
        url: &'a str,
        reply: &'a Reply,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReplyError>> + Send + 'a>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((url.to_owned(), reply.body()));
        Box::pin(async { Ok(()) })
    }
}

/// The bootstrap in its own account.
pub(super) struct Function {
    platform: InMemoryPlatform,
    replies: Arc<RecordedReplies>,
    handler: Handler,
}

/// The result and the changes of an invocation.
pub(super) struct Outcome {
    answer: Result<Value, Diagnostic>,
    pub(super) urls: Vec<String>,
    pub(super) reply: Value,
    pub(super) reply_bytes: usize,
    /// The write calls, except the deletion of the identity of the test user.
    pub(super) writes: Vec<&'static str>,
}

impl Outcome {
    pub(super) fn error_type(&self) -> Option<&str> {
        self.answer.as_ref().err().map(|error| error.error_type.as_str())
    }

    pub(super) fn error_text(&self) -> String {
        self.answer.as_ref().err().map(|error| error.error_message.clone()).unwrap_or_default()
    }

    /// Whether the invocation brought a pool into its desired state.
    pub(super) fn has_applied(&self, payload: &Value) -> bool {
        if payload.get("ResponseURL").is_some() {
            let applies = payload["ResourceType"] == "Custom::PoolkeeperUserPool" && payload["RequestType"] != "Delete";
            applies && self.reply["Status"] == "SUCCESS"
        } else {
            payload["action"] == "apply" && self.answer.is_ok()
        }
    }
}

impl Function {
    /// An account with a pool of another name and owner, and with or without the pool that the events name.
    pub(super) fn with_foreign_pool(is_deployed: bool) -> Self {
        let platform = InMemoryPlatform::new(&VirtualClock::with_time(Duration::from_mins(10)), Duration::ZERO);
        let replies = Arc::new(RecordedReplies::default());
        let (port, keys) = (Arc::new(platform.clone()), Arc::new(platform.clone()));
        let handler = Handler::new(port, keys, replies.clone(), PassableRoles::default());
        let function = Self { platform, replies, handler };
        function.invoke(&json!({"action": "apply", "spec": {"name": FOREIGN, "groups": ["admins"]}}));
        if is_deployed {
            function.invoke(&serde_json::from_str(CREATE).unwrap_or_default());
        }
        function
    }

    pub(super) fn invoke(&self, payload: &Value) -> Outcome {
        let before = self.platform.writes().len();
        let mut context = Context::default();
        let deadline = SystemTime::now() + Duration::from_mins(10);
        let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        context.deadline = u64::try_from(deadline.as_millis()).unwrap_or_default();
        let answer = block_on(self.handler.handle(LambdaEvent::new(payload.clone(), context)));
        let mut replies = self.replies.take();
        let body = replies.last_mut().map(|(_, body)| std::mem::take(body)).unwrap_or_default();
        Outcome {
            answer: answer.map_err(Diagnostic::from),
            urls: replies.into_iter().map(|(url, _)| url).collect(),
            reply: serde_json::from_str(&body).unwrap_or_default(),
            reply_bytes: body.len(),
            writes: self
                .platform
                .writes()
                .split_off(before)
                .into_iter()
                .filter(|it| *it != "delete_identity")
                .collect(),
        }
    }

    /// All resources of the pool [`FOREIGN`], as text.
    pub(super) fn foreign_resources(&self) -> String {
        let state = self.platform.state();
        let pools: Vec<_> = state.user_pools.iter().filter(|pool| pool.name == FOREIGN).collect();
        let is_foreign = |id: &str| pools.iter().any(|pool| pool.thing.id == id);
        let clients: Vec<_> = state.clients.iter().filter(|client| is_foreign(&client.user_pool_id)).collect();
        let groups: Vec<_> = state.groups.iter().filter(|(pool, _)| is_foreign(pool)).collect();
        let users: Vec<_> =
            state.users.iter().filter(|(id, _)| is_foreign(id)).map(|(_, pool)| pool.contents()).collect();
        let identity_pools: Vec<_> = state.identity_pools.iter().filter(|pool| pool.name == FOREIGN).collect();
        let policies: Vec<_> = state.policies.iter().filter(|(arn, _)| arn.contains(FOREIGN)).collect();
        let roles: Vec<_> = state.roles.iter().filter(|(name, _)| name.contains(FOREIGN)).collect();
        format!("{pools:?} {clients:?} {groups:?} {users:?} {identity_pools:?} {policies:?} {roles:?}")
    }
}

thread_local! {
    static RUNTIME: RefCell<Option<Runtime>> = const { RefCell::new(None) };
}

/// Runs a future on the runtime of this thread, with paused time.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let paused = || Builder::new_current_thread().enable_time().start_paused(true).build().ok();
    let runtime = RUNTIME.take().or_else(paused).unwrap_or_else(|| unreachable!("there is no runtime"));
    let output = runtime.block_on(future);
    RUNTIME.set(Some(runtime));
    output
}
