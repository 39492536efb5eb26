//! Invitations to sign up. They are not stored; the trigger verifies their signature.

pub(crate) mod create;
