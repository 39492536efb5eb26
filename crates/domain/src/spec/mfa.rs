//! The multi-factor authentication of a pool.

use serde::{Deserialize, Serialize};

/// Whether users sign in with a second factor, a TOTP authenticator app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MfaMode {
    /// Users sign in with their first factor alone.
    #[default]
    Off,
    /// Users who enrolled a second factor sign in with it.
    Optional,
    /// Every user signs in with a second factor, and enrolls one at the first sign-in.
    Required,
    /// The pool has MFA without TOTP. A spec cannot declare it.
    #[serde(skip_deserializing)]
    WithoutTotp,
}
