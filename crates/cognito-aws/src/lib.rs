//! Poolkeeper's adapters to Amazon Cognito, IAM and STS: the only crate that names `aws-sdk-*`.
//!
//! It implements the ports of `domain`: [`CognitoDirectory`], [`CognitoSessions`] and [`AwsPlatform`]. What AWS says when it
//! refuses is turned into our own words in one place, `classify.rs`.
//!
//! **Architecture invariant:** no decision that a product owner would want explained is made here.

mod classify;
mod clients;
mod clock;
mod directory;
mod failure;
mod platform;
mod secret_hash;
mod sessions;
#[cfg(feature = "workstation")]
mod workstation;

pub use clients::Aws;
pub use clock::SystemClock;
pub use directory::CognitoDirectory;
pub use platform::AwsPlatform;
pub use sessions::CognitoSessions;
#[cfg(feature = "workstation")]
pub use workstation::WorkstationError;

#[cfg(test)]
mod tests;
