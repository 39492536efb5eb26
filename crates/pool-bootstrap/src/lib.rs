//! The function that brings a user pool into being: as a CloudFormation custom resource, and by direct invocation.
//!
//! `request.rs` reads what came in, `run.rs` and `invitation_key.rs` do it, `reply.rs` answers CloudFormation. What is created, compared,
//! retried and deleted, and in which order, is the business of `domain::provision` and of `domain::invitation`.

mod custom_resource;
mod handler;
mod invitation_key;
mod reply;
mod request;
mod run;
mod settings;

pub use handler::{Handler, InvocationError};
pub use reply::{HttpReplies, Replies, Reply, ReplyError};
pub use settings::Settings;
