//! The Lambda authorizer, which API Gateway invokes before a request reaches an API.
//!
//! It verifies ID and access tokens, and denies tokens of ended sessions. A token passes only if the table of
//! revocations was read. For back ends that no API Gateway protects, it introspects tokens.

mod handler;
mod introspection;
mod keys;
mod request;
mod response;
mod settings;

pub use handler::{Authorizer, Failure};
pub use keys::PublicKeys;
pub use request::TokenSource;
pub use settings::Settings;
