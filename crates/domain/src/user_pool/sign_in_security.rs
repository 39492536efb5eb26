//! What secures the sign-ins of a user beside the password, and what is known about past ones: second factors, devices, events.
//! The port for them.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::user_pool::directory::{Page, PageRequest};
use crate::user_pool::error::UserPoolError;
use crate::user_pool::sessions::Factor;
use crate::user_pool::user::Username;

/// The second factors of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mfa {
    /// Those that are switched on.
    pub enabled: Vec<Factor>,
    /// The one that is asked for; none where the user has several and chooses at each sign-in, or has none.
    pub preferred: Option<Factor>,
}

/// A device that Cognito remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub key: String,
    /// What is known about it, e.g. `device_name`, `last_ip_used`.
    pub attributes: crate::user_pool::user::Attributes,
    /// When it was first seen.
    pub created_at: Option<OffsetDateTime>,
    /// When somebody last signed in with it.
    pub last_signed_in_at: Option<OffsetDateTime>,
}

/// A sign-in, sign-up or password reset that threat protection has recorded. The words are Cognito's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthEvent {
    /// Its id.
    pub id: String,
    /// `SignIn`, `SignUp`, `ForgotPassword`, `PasswordChange` or `ResendCode`.
    pub kind: Option<String>,
    /// When.
    pub at: Option<OffsetDateTime>,
    /// `Pass`, `Fail` or `InProgress`.
    pub outcome: Option<String>,
    /// `NoRisk`, `AccountTakeover` or `Block`.
    pub risk_decision: Option<String>,
    /// `Low`, `Medium` or `High`.
    pub risk_level: Option<String>,
    /// Where the request came from.
    pub ip_address: Option<String>,
    /// The city of that address.
    pub city: Option<String>,
    /// The country of that address.
    pub country: Option<String>,
    /// The device, as its browser calls it.
    pub device_name: Option<String>,
}

/// Second factors, devices and events of the users of one pool. Every method answers
/// [`Reason::UserNotFound`](crate::user_pool::error::Reason) for an unknown name.
#[async_trait]
pub trait SignInSecurity: Send + Sync {
    /// The user's second factors.
    async fn mfa(&self, username: &Username) -> Result<Mfa, UserPoolError>;

    /// Switches exactly these factors on, all others off, and makes one of them the preferred one. Safe to repeat. MUST answer
    /// `WrongState` for a factor that the user has not set up (no verified number, no authenticator app) or the pool does not have.
    async fn set_mfa(&self, username: &Username, mfa: &Mfa) -> Result<(), UserPoolError>;

    /// One page of the user's devices.
    async fn devices(&self, username: &Username, page: &PageRequest) -> Result<Page<Device>, UserPoolError>;

    /// Forgets a device. MUST answer `DeviceNotFound` for one that is not (or no longer) known.
    async fn forget_device(&self, username: &Username, key: &str) -> Result<(), UserPoolError>;

    /// One page of the user's events, the latest first. MUST answer `WrongState` where the pool records none.
    async fn auth_events(&self, username: &Username, page: &PageRequest) -> Result<Page<AuthEvent>, UserPoolError>;
}
