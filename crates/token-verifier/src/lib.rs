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
//! ```
//! use std::time::SystemTime;
//! use token_verifier::{KeySet, Policy, Rejection, TokenUse};
//!
//! let policy = Policy {
//!     issuer: "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi".to_owned(),
//!     clients: ["1example23456789".to_owned()].into(),
//!     token_uses: [TokenUse::Access].into(),
//!     ..Policy::default()
//! };
//! let keys = KeySet::parse(br#"{"keys": []}"#)?;
//! assert_eq!(policy.verify("not a token", &keys, SystemTime::now()), Err(Rejection::Malformed));
//! # Ok::<(), token_verifier::KeySetError>(())
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
