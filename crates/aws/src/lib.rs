//! Poolkeeper's adapters to Amazon Cognito, IAM, STS and Systems Manager's parameter store: the only crate that names `aws-sdk-*`.
//!
//! It implements the ports of `domain`: [`CognitoDirectory`] is a whole user pool, [`CognitoAppClient`] what people do through one
//! app client, and [`AwsPlatform`] what provisioning needs. [`SsmInvitationKeys`] keeps the private keys of invitations, and
//! [`SsmInvitationKey`] hands one out to sign with. What AWS says when it refuses is turned into our own words in one place,
//! `classify.rs`.
//!
//! **Architecture invariant:** no decision that a product owner would want explained is made here.

mod access_token;
mod app_client;
mod authenticator;
mod classify;
mod clients;
mod clock;
mod directory;
mod failure;
mod groups;
mod http_client;
mod identities;
mod invitation_key;
mod platform;
mod pool_settings;
#[cfg(feature = "profile")]
mod profile;
mod secret_hash;
mod self_service;
mod sessions;
mod sign_in_security;
mod users;

pub use app_client::CognitoAppClient;
pub use authenticator::authenticator_code;
pub use clients::Aws;
pub use clock::SystemClock;
pub use directory::CognitoDirectory;
pub use invitation_key::SsmInvitationKey;
pub use platform::{AwsPlatform, SsmInvitationKeys};
#[cfg(feature = "profile")]
pub use profile::ProfileError;

#[cfg(test)]
mod tests;
