//! Everything that an administrator does with one pool: all its ports in one.

use crate::directory::Directory;
use crate::group::Groups;
use crate::identities::Identities;
use crate::pool_settings::PoolSettings;
use crate::sign_in_security::SignInSecurity;

/// One pool, as its administrator handles it.
pub trait UserPool: Directory + Groups + SignInSecurity + Identities + PoolSettings {}

impl<Pool: Directory + Groups + SignInSecurity + Identities + PoolSettings> UserPool for Pool {}
