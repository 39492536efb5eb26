//! What the handlers share.

use std::sync::Arc;

use domain::invitation::InvitationKey;
use domain::passable_roles::PassableRoles;
use domain::retry::Clock;
use domain::secret::Secret;
use domain::user_pool::UserPool;
use domain::user_pool::cursor_key::CursorKey;
use domain::user_pool::error::UserPoolError;
use domain::user_pool::self_service::SelfService;
use domain::user_pool::sessions::Sessions;
use time::OffsetDateTime;
use tokio::sync::OnceCell;

use crate::authz::caller::Trust;
use crate::http::cursor::Cursors;
use crate::settings::Settings;

/// The outside world of the API.
#[derive(Clone)]
pub struct Ports {
    /// The pool, as an administrator handles it.
    pub pool: Arc<dyn UserPool>,
    /// Signing up and in.
    pub sessions: Arc<dyn Sessions>,
    /// What people do with their own account.
    pub self_service: Arc<dyn SelfService>,
    /// Where the keys of cursors and of creation proofs come from.
    pub cursor_key: Arc<dyn CursorKey>,
    /// Where the key comes from that signs invitations; none where the pool takes none.
    pub invitation_key: Option<Arc<dyn InvitationKey>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The user pool, and who may do what with it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) pool: Arc<dyn UserPool>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) self_service: Arc<dyn SelfService>,
    pub(crate) cursors: Cursors,
    keys: Arc<dyn CursorKey>,
    pub(crate) invitation_key: Option<Arc<dyn InvitationKey>>,
    pub(crate) user_pool_id: String,
    pub(crate) trust: Arc<Trust>,
    pub(crate) passable_roles: PassableRoles,
    /// The name under which authenticator apps list an account.
    pub(crate) totp_issuer: Arc<str>,
    clock: Arc<dyn Clock>,
    /// Read once, at the first user who has a temporary password; a failure is not kept.
    temporary_password_validity_days: Arc<OnceCell<u32>>,
}

impl App {
    /// An app on these ports.
    #[must_use]
    pub fn new(ports: Ports, settings: Settings) -> Self {
        let Ports { pool, sessions, self_service, cursor_key, invitation_key, clock } = ports;
        let Settings { user_pool_id, client_id, issuer, roles, passable_roles, totp_issuer, admin_mfa, .. } = settings;
        Self {
            pool,
            sessions,
            self_service,
            cursors: Cursors::new(Arc::clone(&cursor_key)),
            keys: cursor_key,
            invitation_key,
            user_pool_id,
            trust: Arc::new(Trust { issuer, client_id, roles, admin_mfa }),
            passable_roles,
            totp_issuer: totp_issuer.into(),
            clock,
            temporary_password_validity_days: Arc::default(),
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.clock.wall_time()
    }

    /// 32 random hexadecimal digits.
    pub(crate) fn nonce(&self) -> Secret {
        self.clock.nonce()
    }

    /// The key of creation proofs; `None` if there is no key that callers cannot derive.
    pub(crate) async fn creation_key(&self) -> Result<Option<Secret>, UserPoolError> {
        self.keys.creation_key().await
    }

    /// How many days a temporary password lives; none where the pool cannot be asked, which the log says.
    pub(crate) async fn temporary_password_validity_days(&self) -> Option<u32> {
        let ask = async || self.pool.describe().await.map(|pool| pool.password_policy.temporary_password_validity_days);
        match self.temporary_password_validity_days.get_or_try_init(ask).await {
            Ok(days) => Some(*days),
            // Nobody asked for it: what was asked for is not to fail because of it.
            Err(error) => {
                tracing::warn!(error = startup::causes(&error), "how long temporary passwords live is not known");
                None
            }
        }
    }
}
