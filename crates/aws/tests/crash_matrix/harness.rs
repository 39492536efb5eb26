//! A local AWS with many pools in it, and cases: a pool of its own name behind a proxy of its own, so that they can run
//! side by side.

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
use domain::user_pool::directory::PageRequest;
use futures::StreamExt;
use serde_json::json;
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::local_aws::{LocalAws, Recording};
use time::OffsetDateTime;
use tokio::sync::oneshot;

/// How many cases run at a time: those that wait for a time-out leave the local AWS to the others.
const SIDE_BY_SIDE: usize = 8;

/// How long a call may take before it counts as stalled, where calls are to stall. The local AWS answers within tens of
/// milliseconds when it is not busy.
const STALLED_AFTER: Duration = Duration::from_secs(4);

/// How long any other call may take, on a machine as busy as it likes.
const ENDLESS: Duration = Duration::from_mins(1);

/// The nth call goes wrong.
pub(crate) type Planned = (usize, Fault);

/// A local AWS.
pub(crate) struct Harness {
    aws: LocalAws,
    direct: Arc<AwsPlatform>,
    keys: SsmInvitationKeys,
    cases: AtomicU64,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        let aws = LocalAws::start_recorded(Recording::CrashMatrix).await.unwrap();
        let direct = connect(aws.endpoint_url(), ENDLESS).await;
        Self { aws, direct: Arc::new(direct.platform()), keys: direct.invitation_keys(), cases: AtomicU64::new(0) }
    }

    /// An empty case: a name that nobody has used.
    pub(crate) async fn case(&self) -> Case {
        let proxy = FaultProxy::start(self.aws.endpoint_url()).await.unwrap();
        let behind = connect(proxy.endpoint_url(), STALLED_AFTER).await;
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

    /// A case in which everything is there, as another spec had it, and the policy has all the versions that it can
    /// have.
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

    /// Runs all of these, some at a time, and gives their number.
    pub(crate) async fn for_each<T, Work: Future<Output = ()>>(
        &self,
        all: impl IntoIterator<Item = T>,
        work: impl Fn(T) -> Work,
    ) -> usize {
        let all: Vec<Work> = all.into_iter().map(work).collect();
        let cases = all.len();
        futures::stream::iter(all).buffer_unordered(SIDE_BY_SIDE).collect::<Vec<()>>().await;
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

/// All calls of an action, with all faults.
pub(crate) fn matrix(calls: usize) -> impl Iterator<Item = Planned> {
    (1..=calls).flat_map(|nth| Fault::ALL.map(|fault| (nth, fault)))
}

/// What to run.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Action {
    Apply,
    Verify,
    Destroy,
}

/// One pool.
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

    /// Runs an action in which these calls go wrong. Whether it succeeds, fails or is killed in the middle does not
    /// matter.
    pub(crate) async fn run_with(&self, action: Action, faults: &[Planned]) {
        let (platform, spec) = (Arc::clone(&self.behind), self.spec.clone());
        let work = async move { run(&platform, Arc::new(QuickClock::new()), action, &spec).await };
        drop(self.with(faults, work).await);
    }

    /// Work behind the proxy while these calls go wrong. None where it was killed.
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

    /// How many calls an action makes when nothing goes wrong.
    pub(crate) async fn calls_of(&self, action: Action) -> usize {
        self.proxy.reset();
        self.run_behind(Arc::new(QuickClock::new()), action).await.unwrap();
        self.proxy.calls().len()
    }

    /// Everything is there once, and as the spec says.
    pub(crate) async fn assert_converged(&self, case: &str) {
        let platform = &*self.direct;
        let observer = Nobody;
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

    /// Nobody but the first administrator is in the pool.
    pub(crate) async fn assert_nobody_left_behind(&self, case: &str) {
        let pools = self.direct.user_pools(&self.spec.name).await.unwrap();
        let page = PageRequest { limit: 60, after: None };
        let users = self.direct.directory(&pools[0].id).list(None, &page).await.unwrap().entries;
        let names: Vec<&str> = users.iter().map(|user| user.username.as_str()).collect();
        assert_eq!(names, ["admin"], "{case}");
    }

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

    /// The operations that the proxy saw.
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
    let provisioner = Provisioner::new(&**platform, clock, &Nobody);
    match action {
        Action::Apply => provisioner.apply(spec).await,
        Action::Verify => provisioner.verify(spec).await,
        Action::Destroy => provisioner.destroy(spec).await,
    }
}

struct Nobody;

impl Observer for Nobody {
    fn step_ended(&self, _report: &StepReport) {}
}

/// A clock on which a second of waiting takes a tenth of one.
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
        let quick = duration / Self::FACTOR;
        *self.skipped.lock().unwrap() += duration.saturating_sub(quick);
        self.clock.sleep(quick).await;
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
