//! The state that all handlers share.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use domain::invitation::InvitationKey;
use domain::jobs::{Control, Executions, Files};
use domain::passable_roles::PassableRoles;
use domain::retry::Clock;
use domain::revocation::Revocations;
use domain::secret::Secret;
use domain::user_pool::UserPool;
use domain::user_pool::cursor_key::CursorKey;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::self_service::SelfService;
use domain::user_pool::sessions::Sessions;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use crate::authz::caller::Trust;
use crate::http::cursor::Cursors;
use crate::http::error::{ApiError, JobConflict};
use crate::settings::Settings;

/// The adapters of the API.
#[derive(Clone)]
pub struct Ports {
    /// Administration of users, groups and the pool.
    pub pool: Arc<dyn UserPool>,
    /// Sign-up and sign-in.
    pub sessions: Arc<dyn Sessions>,
    /// Operations of users on their own account.
    pub self_service: Arc<dyn SelfService>,
    /// Access to the keys for list cursors and creation proofs.
    pub cursor_key: Arc<dyn CursorKey>,
    /// The invitation signing key; `None` if invitations are not configured.
    pub invitation_key: Option<Arc<dyn InvitationKey>>,
    /// The revocations; `None` without the session gate.
    pub revocations: Option<Arc<dyn Revocations>>,
    /// The storage and the state machine of jobs; `None` in functions that serve no routes of jobs.
    pub jobs: Option<JobPorts>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// The adapters of jobs.
#[derive(Clone)]
pub struct JobPorts {
    /// The files of jobs.
    pub files: Arc<dyn Files>,
    /// The executions of jobs.
    pub executions: Arc<dyn Executions>,
}

/// The user pool and the access rules. Clones share both, because the router clones the app for each method of a route.
#[derive(Clone)]
pub struct App(Arc<Shared>);

/// What clones of an [`App`] share.
pub struct Shared {
    pub(crate) pool: Arc<dyn UserPool>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) self_service: Arc<dyn SelfService>,
    pub(crate) cursors: Cursors,
    keys: Arc<dyn CursorKey>,
    pub(crate) invitation_key: Option<Arc<dyn InvitationKey>>,
    pub(crate) revocations: Option<Arc<dyn Revocations>>,
    jobs: Option<JobPorts>,
    pub(crate) user_pool_id: String,
    pub(crate) trust: Trust,
    pub(crate) passable_roles: PassableRoles,
    /// The issuer that authenticator apps show.
    pub(crate) totp_issuer: String,
    clock: Arc<dyn Clock>,
    /// Read when the first user with a temporary password is returned. Failures are not cached.
    temporary_password_validity_days: OnceCell<u32>,
    /// Whether the user pool was unavailable at the last read of a caller.
    is_unavailable: AtomicBool,
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl App {
    /// Creates an app with these ports.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let Ports { pool, sessions, self_service, cursor_key, invitation_key, revocations, jobs, clock } = ports;
        let Settings { user_pool_id, client_id, issuer, roles, passable_roles, totp_issuer, admin_mfa, .. } = settings;
        Self(Arc::new(Shared {
            pool,
            sessions,
            self_service,
            cursors: Cursors::new(Arc::clone(&cursor_key)),
            keys: cursor_key,
            invitation_key,
            revocations,
            jobs,
            user_pool_id,
            trust: Trust { issuer, client_id, roles, admin_mfa },
            passable_roles,
            totp_issuer,
            clock,
            temporary_password_validity_days: OnceCell::new(),
            is_unavailable: AtomicBool::new(false),
        }))
    }

    /// Whether the user pool was unavailable at the last read of a caller.
    pub(crate) fn is_unavailable(&self) -> bool {
        self.is_unavailable.load(Ordering::Relaxed)
    }

    /// Records whether the user pool was available to read a caller. Other errors can come without a call.
    pub(crate) fn record_availability<T>(&self, read: &Result<T, UserPoolError>) {
        match read.as_ref().map_err(|error| error.reason) {
            Ok(_) => self.is_unavailable.store(false, Ordering::Relaxed),
            Err(Reason::Unavailable | Reason::DeadlineExceeded) => self.is_unavailable.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
    }

    /// The jobs.
    pub(crate) fn jobs(&self) -> Result<Control<'_>, ApiError> {
        let JobPorts { files, executions } = self.jobs.as_ref().ok_or(ApiError::Job(JobConflict::NotDeployed))?;
        Ok(Control { files: &**files, executions: &**executions, clock: &*self.clock })
    }

    /// The current time.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.wall_time()
    }

    /// Waits.
    pub(crate) async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }

    /// 32 random hexadecimal digits.
    pub(crate) fn nonce(&self) -> Secret {
        self.clock.nonce()
    }

    /// The key for creation proofs; `None` if the app client has no secret, because callers could derive any other key.
    pub(crate) async fn creation_key(&self) -> Result<Option<Secret>, UserPoolError> {
        self.keys.creation_key().await
    }

    /// The validity of temporary passwords in days. Logs a warning and returns `None` if the pool cannot be read.
    pub(crate) async fn temporary_password_validity_days(&self) -> Option<u32> {
        let read =
            async || self.pool.describe().await.map(|pool| pool.password_policy.temporary_password_validity_days);
        match self.temporary_password_validity_days.get_or_try_init(read).await {
            Ok(days) => Some(*days),
            // The request must succeed without the validity.
            Err(error) => {
                tracing::warn!(error = startup::causes(&error), "cannot read the validity of temporary passwords");
                None
            }
        }
    }
}
