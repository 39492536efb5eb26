//! One user pool: its users, groups, sessions and settings, and the ports to them.

pub mod creation_name;
pub mod cursor_key;
pub mod directory;
pub mod error;
pub mod groups;
pub mod identities;
pub mod import_jobs;
pub mod name;
pub mod page;
pub mod quota;
pub mod self_service;
pub mod sessions;
pub mod settings;
pub mod sign_in_security;
pub mod user;
pub mod write_attributes;

use self::directory::Directory;
use self::groups::Groups;
use self::identities::Identities;
use self::settings::PoolSettings;
use self::sign_in_security::SignInSecurity;

/// All administrative ports of one pool.
pub trait UserPool: Directory + Groups + SignInSecurity + Identities + PoolSettings {}

impl<Pool: Directory + Groups + SignInSecurity + Identities + PoolSettings> UserPool for Pool {}
