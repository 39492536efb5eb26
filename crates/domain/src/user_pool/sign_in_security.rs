//! The second factors, remembered devices and authentication events of users, and the port for them.

use async_trait::async_trait;
use time::OffsetDateTime;

use crate::user_pool::error::UserPoolError;
use crate::user_pool::page::{Page, PageRequest};
use crate::user_pool::sessions::Factor;
use crate::user_pool::user::Username;

/// The second factors of a user.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mfa {
    /// The enabled factors.
    pub enabled: Vec<Factor>,
    /// The preferred factor. `None` if the user has no factor, or chooses one of several at each sign-in.
    pub preferred: Option<Factor>,
}

/// A device that Cognito remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The key of the device.
    pub key: String,
    /// The attributes, e.g. `device_name`, `last_ip_used`.
    pub attributes: crate::user_pool::user::Attributes,
    /// When Cognito first recorded the device.
    pub created_at: Option<OffsetDateTime>,
    /// When the user last signed in with the device.
    pub last_signed_in_at: Option<OffsetDateTime>,
}

/// A sign-in, sign-up or password reset that threat protection recorded. The values are Cognito's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthEvent {
    /// The id of the event.
    pub id: String,
    /// `SignIn`, `SignUp`, `ForgotPassword`, `PasswordChange` or `ResendCode`.
    pub kind: Option<String>,
    /// When the event happened.
    pub at: Option<OffsetDateTime>,
    /// `Pass`, `Fail` or `InProgress`.
    pub outcome: Option<String>,
    /// `NoRisk`, `AccountTakeover` or `Block`.
    pub risk_decision: Option<String>,
    /// `Low`, `Medium` or `High`.
    pub risk_level: Option<String>,
    /// The client's IP address.
    pub ip_address: Option<String>,
    /// The city of the IP address.
    pub city: Option<String>,
    /// The country of the IP address.
    pub country: Option<String>,
    /// The device, as its browser reports it.
    pub device_name: Option<String>,
}

/// Second factors, devices and events of the users of one pool. Every method returns
/// [`Reason::UserNotFound`](crate::user_pool::error::Reason) for an unknown name.
#[async_trait]
pub trait SignInSecurity: Send + Sync {
    /// Returns the user's second factors.
    async fn mfa(&self, username: &Username) -> Result<Mfa, UserPoolError>;

    /// Enables exactly these factors and sets the preferred one. Safe to repeat. MUST return `WrongState` for a factor
    /// that the user has not set up (no verified phone number, no authenticator app) or the pool does not offer.
    async fn set_mfa(&self, username: &Username, mfa: &Mfa) -> Result<(), UserPoolError>;

    /// Returns a page of the user's devices.
    async fn devices(&self, username: &Username, page: &PageRequest) -> Result<Page<Device>, UserPoolError>;

    /// Forgets a device. MUST return `DeviceNotFound` for an unknown device.
    async fn forget_device(&self, username: &Username, key: &str) -> Result<(), UserPoolError>;

    /// Returns a page of the user's events, newest first. MUST return `WrongState` if the pool does not record events.
    async fn auth_events(&self, username: &Username, page: &PageRequest) -> Result<Page<AuthEvent>, UserPoolError>;
}
