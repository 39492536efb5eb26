//! The Lambda function that provisions user pools, as a CloudFormation custom resource and by direct invocation.
//!
//! `domain::provision` and `domain::invitation` decide what is created, changed and deleted.

mod custom_resource;
mod handler;
mod invitation_key;
mod reply;
mod request;
mod run;
mod settings;
mod token_keys;

pub use handler::{Handler, InvocationError};
pub use reply::{HttpReplies, Replies, Reply, ReplyError};
pub use settings::Settings;
pub use token_keys::PublicKeys;
