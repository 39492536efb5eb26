//! Invitations to sign up. Nothing is kept of them: the trigger knows one by its signature.

pub(crate) mod create;
