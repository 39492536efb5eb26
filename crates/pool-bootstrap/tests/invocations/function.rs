//! A deployed function with its own account and recorded replies.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use domain::passable_roles::PassableRoles;
use lambda_runtime::{Context, Diagnostic, LambdaEvent};
use pool_bootstrap::{Handler, PublicKeys, Replies, Reply, ReplyError};
use serde_json::{Value, json};
use testkit::in_memory_platform::InMemoryPlatform;
use testkit::virtual_clock::VirtualClock;

/// Records the replies instead of delivering them.
#[derive(Default)]
pub(crate) struct RecordedReplies(pub(crate) Mutex<Vec<(String, Value)>>);

impl Replies for RecordedReplies {
    fn check(&self, _: &str) -> Result<(), ReplyError> {
        Ok(())
    }

    fn deliver<'a>(
        &'a self,
        url: &'a str,
        reply: &'a Reply,
    ) -> Pin<Box<dyn Future<Output = Result<(), ReplyError>> + Send + 'a>> {
        self.0.lock().unwrap().push((url.to_owned(), serde_json::from_str(&reply.body()).unwrap()));
        Box::pin(async { Ok(()) })
    }
}

/// Returns a document that contains the issuer.
struct IssuerKeys;

#[async_trait]
impl PublicKeys for IssuerKeys {
    async fn jwks(&self, issuer: &str) -> Result<Vec<u8>, String> {
        Ok(json!({"keys": [{"kid": issuer}]}).to_string().into_bytes())
    }
}

/// The permissions boundary that the template sets.
pub(crate) const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/shop-AuthenticatedBoundary-1";

/// A deployed function with its own account.
pub(crate) struct Function {
    pub(crate) platform: InMemoryPlatform,
    pub(crate) replies: Arc<RecordedReplies>,
    pub(crate) handler: Handler,
    pub(crate) time_left: Duration,
}

impl Function {
    pub(crate) fn new() -> Self {
        let clock = VirtualClock::with_time(Duration::from_mins(10));
        Self::on(InMemoryPlatform::new(&clock, Duration::ZERO), PassableRoles::default())
    }

    /// A function with the resources of a successful request.
    pub(crate) async fn after(case: &str) -> Self {
        let function = Self::new();
        let reply = function.reply_to(event(case)).await;
        assert_eq!(reply["Status"], "SUCCESS", "{case}: {reply}");
        function
    }

    /// The function in the same account, with permission to pass a role.
    pub(crate) fn may_pass(&self, role_arn: &str) -> Self {
        Self::on(self.platform.clone(), role_arn.parse().unwrap())
    }

    fn on(platform: InMemoryPlatform, passable_roles: PassableRoles) -> Self {
        let replies = Arc::new(RecordedReplies::default());
        let (port, keys) = (Arc::new(platform.clone()), Arc::new(platform.clone()));
        let handler = Handler::new(port, keys, replies.clone(), passable_roles)
            .with_boundary(Some(BOUNDARY.to_owned()))
            .with_public_keys(Arc::new(IssuerKeys));
        Self { platform, replies, handler, time_left: Duration::from_mins(10) }
    }

    pub(crate) async fn invoke(&self, payload: Value) -> Result<Value, Diagnostic> {
        let mut context = Context::default();
        let deadline = SystemTime::now() + self.time_left;
        let deadline_ms = deadline.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        context.deadline = u64::try_from(deadline_ms).unwrap();
        self.handler.handle(LambdaEvent::new(payload, context)).await.map_err(Diagnostic::from)
    }

    /// Sends a custom-resource request and returns its only reply.
    pub(crate) async fn reply_to(&self, payload: Value) -> Value {
        let before = self.replies.0.lock().unwrap().len();
        let answer = self.invoke(payload.clone()).await.unwrap();
        assert_eq!(answer, Value::Null);
        let replies = self.replies.0.lock().unwrap();
        assert_eq!(replies.len(), before + 1, "exactly one reply");
        let (url, reply) = replies.last().unwrap().clone();
        assert_eq!(url, payload["ResponseURL"]);
        for field in ["StackId", "RequestId", "LogicalResourceId"] {
            assert_eq!(reply[field], payload[field], "{field}");
        }
        reply
    }
}

pub(crate) fn event(case: &str) -> Value {
    let all = testkit::events::all("pool-bootstrap");
    let (_, text) = all.iter().find(|(name, _)| name == case).unwrap();
    serde_json::from_str(text).unwrap()
}
