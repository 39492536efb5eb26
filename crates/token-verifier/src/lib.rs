//! Verifies the ID and access tokens of a Cognito user pool.
//!
//! A [`Policy`] selects the accepted tokens: issuer, app clients, kinds of token, scopes and groups. [`Policy::verify`]
//! checks a token against a [`KeySet`] and returns its typed [`Claims`] or a typed [`Rejection`]. A [`KeyCache`] adds
//! keys from a [`KeySource`] when Cognito rotates its keys.
//!
//! The crate opens no connection, reads no clock and no environment. The caller passes the time, and implements
//! [`KeySource`] with an HTTP client of their choice.
//!
//! A valid token does not prove that its session still exists, because Cognito's tokens remain valid until they expire.
//!
//! The example `axum` is a service whose routes require a token.
//!
//! The issuer of the policy and the source of the keys must belong to the same user pool:
//!
//! ```
//! use std::time::SystemTime;
//! use token_verifier::{Claims, KeyCache, KeySet, KeySetError, KeySource, Policy, TokenUse, VerifyError};
//!
//! const ISSUER: &str = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi";
//!
//! struct Cognito;
//!
//! impl KeySource for Cognito {
//!     type Error = KeySetError;
//!
//!     async fn keys(&self) -> Result<KeySet, KeySetError> {
//!         KeySet::parse(&get(&format!("{ISSUER}/.well-known/jwks.json")).await)
//!     }
//! }
//! # async fn get(url: &str) -> Vec<u8> { Vec::new() }
//!
//! /// Returns the status of the response, or the claims of the token.
//! async fn authenticate(keys: &KeyCache<Cognito>, token: &str) -> Result<Claims, u16> {
//!     let policy = Policy {
//!         issuer: ISSUER.to_owned(),
//!         clients: ["1example23456789".to_owned()].into(),
//!         token_uses: [TokenUse::Access].into(),
//!         ..Policy::default()
//!     };
//!     keys.verify(&policy, token, SystemTime::now()).await.map_err(|error| match error {
//!         VerifyError::Rejected(_) => 401,
//!         _ => 503,
//!     })
//! }
//!
//! let keys = KeyCache::new(Cognito, KeySet::default());
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! assert_eq!(authenticate(&keys, "not a token").await, Err(401));
//! # });
//! ```

mod cache;
mod claims;
mod jws;
mod key_set;
mod object;
mod policy;
mod rejection;

pub use cache::{KeyCache, KeySource, VerifyError};
pub use claims::{Claims, TokenUse};
pub use jws::MAX_TOKEN_BYTES;
pub use key_set::{KeySet, KeySetError};
pub use policy::Policy;
pub use rejection::Rejection;
