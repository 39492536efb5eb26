//! Invitations to sign up. They are not stored, because the trigger verifies their signature.

pub(crate) mod create;
