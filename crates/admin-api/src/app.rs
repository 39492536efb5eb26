//! What the handlers share.

use std::sync::Arc;

use domain::directory::Directory;
use domain::sessions::Sessions;

use crate::permission::Roles;
use crate::settings::Settings;

/// The user pool, and who may do what with it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) sessions: Arc<dyn Sessions>,
    pub(crate) trust: Arc<Trust>,
}

/// Whose tokens are taken, and what groups may do.
pub(crate) struct Trust {
    pub(crate) user_pool_id: String,
    pub(crate) client_id: String,
    pub(crate) roles: Roles,
}

impl App {
    /// An app on these ports.
    #[must_use]
    pub fn new(directory: Arc<dyn Directory>, sessions: Arc<dyn Sessions>, settings: Settings) -> Self {
        let Settings { user_pool_id, client_id, roles, .. } = settings;
        Self { directory, sessions, trust: Arc::new(Trust { user_pool_id, client_id, roles }) }
    }
}
