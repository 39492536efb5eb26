//! An emulator for all cases. Each case has its own pool name and its own proxy, so that cases can run concurrently.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws::{Aws, AwsPlatform, SsmInvitationKeys, SystemClock};
use domain::platform::Platform;
use domain::policy_document::trust_policy;
use domain::provision::{Observer, ProvisionFailure, Provisioner, Receipt, StepReport, Verdict};
use domain::retry::Clock;
use domain::secret::Secret;
use domain::spec::Spec;
use domain::user_pool::page::PageRequest;
use futures::StreamExt;
use serde_json::json;
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::local_aws::{LocalAws, Recording};
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// Maximum number of concurrent cases. Cases that wait for a timeout do not use the emulator.
const CONCURRENT_CASES: usize = 8;

/// Timeout of calls through the proxy, which can stall them. An idle emulator responds within tens of milliseconds.
const STALL_TIMEOUT: Duration = Duration::from_secs(4);

/// Timeout of all other calls, sufficient for a busy machine.
const LONG_TIMEOUT: Duration = Duration::from_mins(1);

/// The faults of each call. To provisioning, the other faults of the proxy are the same as one of these, except
/// [`Fault::NoFields`], after which a resource can seem to be absent.
pub(crate) const FAULTS: [Fault; 9] = [
    Fault::NotSent,
    Fault::AnswerLost,
    Fault::FailedAfterSuccess,
    Fault::Unavailable,
    Fault::Throttled,
    Fault::Stalled,
    Fault::StalledAfterSuccess,
    Fault::KilledBefore,
    Fault::KilledAfter,
];

/// A fault in the nth call.
pub(crate) type Planned = (usize, Fault);

/// The emulator and its cases.
pub(crate) struct Harness {
    aws: LocalAws,
    direct: Arc<AwsPlatform>,
    keys: SsmInvitationKeys,
    cases: AtomicU64,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        let aws = LocalAws::start_recorded(Recording::CrashMatrix).await.unwrap();
        let direct = connect(aws.endpoint_url(), LONG_TIMEOUT).await;
        Self { aws, direct: Arc::new(direct.platform()), keys: direct.invitation_keys(), cases: AtomicU64::new(0) }
    }

    /// Returns a case with an unused name and no resources.
    pub(crate) async fn case(&self) -> Case {
        let proxy = FaultProxy::start(self.aws.endpoint_url()).await.unwrap();
        let behind = connect(proxy.endpoint_url(), STALL_TIMEOUT).await;
        let number = self.cases.fetch_add(1, Ordering::Relaxed);
        let spec = spec_of(&format!("case-{number}"));
        Case {
            spec,
            proxy,
            behind: Arc::new(behind.platform()),
            direct: Arc::clone(&self.direct),
            keys_behind: behind.invitation_keys(),
            keys: self.keys.clone(),
        }
    }

    /// Returns a case whose resources exist with another spec, and whose policy has the maximum number of versions.
    pub(crate) async fn changed_case(&self) -> Case {
        let case = self.case().await;
        let other = json!({
            "name": case.spec.name, "sign_in": "username", "deletion_protection": false, "on_delete": "delete", "verify": false,
            "clients": {"backend": {"access_token_minutes": 15}, "web": {"refresh_token_days": 1}},
            "identity_pool": {"server_side_token_check": false},
            "authenticated_policy": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}],
            "permissions_boundary": "arn:aws:iam::aws:policy/ReadOnlyAccess",
        });
        let other = Case { spec: serde_json::from_value(other).unwrap(), ..case };
        other.run(Action::Apply).await.unwrap();
        let account = self.direct.account_id().await.unwrap();
        let policy = format!("arn:aws:iam::{account}:policy/{}", other.iam_name());
        for version in 2..=5 {
            let resource = format!("arn:aws:s3:::shop/{version}");
            let statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": resource});
            let document = json!({"Version": "2012-10-17", "Statement": [statement]});
            self.direct.update_policy(&policy, &document).await.unwrap();
        }
        let role = other.iam_name();
        self.direct.update_trust(&role, &trust_policy("us-east-1:11111111-2222-3333-4444-555555555555")).await.unwrap();
        let spec = spec_of(other.spec.name.as_str());
        Case { spec, ..other }
    }

    /// Runs `work` for all items, some of them concurrently. Returns the number of items.
    pub(crate) async fn for_each<T, Work: Future<Output = ()>>(
        &self,
        all: impl IntoIterator<Item = T>,
        work: impl Fn(T) -> Work,
    ) -> usize {
        let all: Vec<Work> = all.into_iter().map(work).collect();
        let cases = all.len();
        futures::stream::iter(all).buffer_unordered(CONCURRENT_CASES).collect::<Vec<()>>().await;
        cases
    }
}

fn spec_of(name: &str) -> Spec {
    let spec = json!({
        "name": name, "sign_in": "username", "mfa": "optional", "groups": ["support"],
        "first_admin": "ops@example.com", "custom_attributes": ["team"], "self_sign_up": true,
        "deletion_protection": false, "on_delete": "delete", "verify": false,
        "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
    });
    serde_json::from_value(spec).unwrap()
}

async fn connect(endpoint_url: &str, limit: Duration) -> Aws {
    let aws = Aws::local(endpoint_url, LocalAws::REGION, LocalAws::ACCESS_KEY, LocalAws::SECRET_KEY).await;
    aws.with_timeouts(limit, limit)
}

/// Returns all combinations of calls and faults.
pub(crate) fn matrix(calls: usize) -> impl Iterator<Item = Planned> {
    (1..=calls).flat_map(|nth| FAULTS.map(|fault| (nth, fault)))
}

/// An action of the provisioner.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Apply,
    Verify,
    Destroy,
}

/// One pool behind its own proxy.
pub(crate) struct Case {
    pub(crate) spec: Spec,
    pub(crate) proxy: FaultProxy,
    behind: Arc<AwsPlatform>,
    direct: Arc<AwsPlatform>,
    pub(crate) keys_behind: SsmInvitationKeys,
    pub(crate) keys: SsmInvitationKeys,
}

impl Case {
    pub(crate) fn verified(mut self) -> Self {
        self.spec.verify = true;
        self
    }

    pub(crate) async fn run(&self, action: Action) -> Result<Receipt, ProvisionFailure> {
        run(&self.direct, Arc::new(QuickClock::new()), action, &self.spec).await
    }

    pub(crate) async fn run_behind(&self, clock: Arc<dyn Clock>, action: Action) -> Result<Receipt, ProvisionFailure> {
        run(&self.behind, clock, action, &self.spec).await
    }

    /// Runs an action with these faults. Ignores whether it succeeds, fails or is killed.
    pub(crate) async fn run_with(&self, action: Action, faults: &[Planned]) {
        let (platform, spec) = (Arc::clone(&self.behind), self.spec.clone());
        let work = async move { run(&platform, Arc::new(QuickClock::new()), action, &spec).await };
        drop(self.with(faults, work).await);
    }

    /// Runs `work` behind the proxy with these faults. Returns `None` if a fault killed it.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        faults: &[Planned],
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.proxy.reset();
        for (nth, fault) in faults {
            self.proxy.plan_at(*nth, *fault);
        }
        let (start, started) = oneshot::channel();
        let task = tokio::spawn(async move {
            started.await.unwrap();
            work.await
        });
        let process = task.abort_handle();
        self.proxy.on_kill(move || process.abort());
        start.send(()).unwrap();
        match task.await {
            Ok(result) => Some(result),
            Err(ended) => {
                assert!(ended.is_cancelled(), "{ended}");
                None
            }
        }
    }

    /// Returns how many calls an action makes without faults.
    pub(crate) async fn calls_of(&self, action: Action) -> usize {
        self.proxy.reset();
        self.run_behind(Arc::new(QuickClock::new()), action).await.unwrap();
        self.proxy.calls().len()
    }

    /// Asserts that each resource exists exactly once and matches the spec.
    pub(crate) async fn assert_converged(&self, case: &str) {
        let platform = &*self.direct;
        let observer = NoOpObserver;
        let provisioner = Provisioner::new(platform, Arc::new(QuickClock::new()), &observer);
        let plan = provisioner.plan(&self.spec).await.unwrap_or_else(|error| unreachable!("{case}: {error}"));
        assert!(plan.resources.iter().all(|planned| planned.verdict == Verdict::Leave), "{case}: {plan:?}");

        let name = &self.spec.name;
        let pools = platform.user_pools(name).await.unwrap();
        let [pool] = pools.as_slice() else { unreachable!("{case}: {pools:?}") };
        for (client, has_secret) in [("backend", true), ("web", false)] {
            let clients = platform.clients(&pool.id, &format!("{name}-{client}")).await.unwrap();
            assert_eq!(clients.iter().map(|it| it.has_secret).collect::<Vec<_>>(), [has_secret], "{case}: {client}");
        }
        let identity_pools = platform.identity_pools(name).await.unwrap();
        let [identity_pool] = identity_pools.as_slice() else { unreachable!("{case}: {identity_pools:?}") };
        assert_eq!(identity_pool.state.providers.len(), 2, "{case}");
        let iam_name = self.iam_name();
        let role = platform.role(&iam_name).await.unwrap().unwrap();
        assert_eq!(role.document, trust_policy(&identity_pool.id), "{case}");
        assert_eq!(platform.authenticated_role(&identity_pool.id).await.unwrap(), Some(role.arn.clone()), "{case}");
        let policy_arn = role.arn.replacen(":role/", ":policy/", 1);
        assert_eq!(
            platform.attached_policies(&iam_name).await.unwrap(),
            BTreeSet::from([policy_arn.clone()]),
            "{case}"
        );
        let policy = platform.policy(&policy_arn).await.unwrap().unwrap();
        assert_eq!(policy.tagged.as_deref(), Some(name.as_str()), "{case}");
    }

    /// Asserts that the pool contains only the first administrator, and therefore no test user of `verify`.
    pub(crate) async fn assert_no_test_user_left(&self, case: &str) {
        let pools = self.direct.user_pools(&self.spec.name).await.unwrap();
        let page = PageRequest { limit: 60, after: None };
        let users = self.direct.directory(&pools[0].id).list(None, &page).await.unwrap().entries;
        let names: Vec<&str> = users.iter().map(|user| user.username.as_str()).collect();
        assert_eq!(names, ["admin"], "{case}");
    }

    /// Asserts that no resource of the case exists.
    pub(crate) async fn assert_empty(&self, case: &str) {
        let (platform, name) = (&*self.direct, &self.spec.name);
        assert_eq!(platform.user_pools(name).await.unwrap().len(), 0, "{case}: user pools");
        assert_eq!(platform.identity_pools(name).await.unwrap().len(), 0, "{case}: identity pools");
        let iam_name = self.iam_name();
        assert!(platform.role(&iam_name).await.unwrap().is_none(), "{case}: role");
        let account = platform.account_id().await.unwrap();
        let policy = platform.policy(&format!("arn:aws:iam::{account}:policy/{iam_name}")).await.unwrap();
        assert!(policy.is_none(), "{case}: policy");
    }

    pub(crate) fn iam_name(&self) -> String {
        format!("poolkeeper.{}.{}", self.spec.name, LocalAws::REGION)
    }

    /// Returns the operations that the proxy received.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.proxy.calls().into_iter().map(|call| call.operation).collect()
    }
}

async fn run(
    platform: &Arc<AwsPlatform>,
    clock: Arc<dyn Clock>,
    action: Action,
    spec: &Spec,
) -> Result<Receipt, ProvisionFailure> {
    let provisioner = Provisioner::new(&**platform, clock, &NoOpObserver);
    match action {
        Action::Apply => provisioner.apply(spec).await,
        Action::Verify => provisioner.verify(spec).await,
        Action::Destroy => provisioner.destroy(spec).await,
    }
}

struct NoOpObserver;

impl Observer for NoOpObserver {
    fn step_ended(&self, _report: &StepReport) {}
}

/// A clock that sleeps ten times faster than real time.
pub(crate) struct QuickClock {
    clock: SystemClock,
    skipped: Mutex<Duration>,
}

impl QuickClock {
    const FACTOR: u32 = 10;

    pub(crate) fn new() -> Self {
        Self { clock: SystemClock::starting_now(Duration::from_hours(1)), skipped: Mutex::default() }
    }
}

#[async_trait::async_trait]
impl Clock for QuickClock {
    fn now(&self) -> Duration {
        self.clock.now() + *self.skipped.lock().unwrap()
    }

    fn time_left(&self) -> Duration {
        self.clock.time_left()
    }

    async fn sleep(&self, duration: Duration) {
        let shortened = duration / Self::FACTOR;
        *self.skipped.lock().unwrap() += duration.saturating_sub(shortened);
        self.clock.sleep(shortened).await;
    }

    fn wall_time(&self) -> OffsetDateTime {
        self.clock.wall_time()
    }

    fn jitter(&self) -> f64 {
        self.clock.jitter()
    }

    fn nonce(&self) -> Secret {
        self.clock.nonce()
    }
}
