//! Invitations to sign up: signed tokens, each for one e-mail address and one pool. A token proves access to the
//! mailbox.
//!
//! An invitation is a compact JWS (RFC 7515) signed with Ed25519 (RFC 8037). It can be used repeatedly until it
//! expires, because the trigger that verifies it stores nothing.

mod invitee;
mod key;
mod key_lifecycle;
mod key_owner;
mod ports;
mod token;

pub use invitee::{Holder, Invitee};
pub use key::{InvalidPrivateKey, InvalidPublicKey, PublicKey, SigningKey};
pub use key_lifecycle::{EnsuredKey, KeyError, KeyProvisioner};
pub use key_owner::{InvalidKeyId, KeyId, KeyOwner, PREVIOUS_TAG, REQUEST_TAG};
pub use ports::{InvalidKeyName, InvalidStackId, InvitationKey, InvitationKeys, KeyName, OwningStack, StoredKey};
pub use token::{Claim, Invitation, InvitationError, MAX_TOKEN_BYTES};

use time::Duration;

/// The default validity of an invitation.
pub const DEFAULT_VALIDITY: Duration = Duration::days(7);

/// The maximum validity of an invitation.
pub const MAX_VALIDITY: Duration = Duration::days(30);
