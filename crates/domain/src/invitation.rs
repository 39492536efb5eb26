//! Invitations to sign up: a signed statement that an e-mail address may come into a pool, and that whoever shows it reads the mail of
//! that address.
//!
//! An invitation is a compact JWS (RFC 7515) signed with Ed25519 (RFC 8037). The admin API issues it and the trigger takes it, each
//! knowing one half of the key. It can be shown again until it expires: the trigger remembers nothing.

mod invitee;
mod key;
mod key_lifecycle;
mod key_owner;
mod ports;
mod token;

pub use invitee::{Holder, Invitee};
pub use key::{NotAPrivateKey, NotAPublicKey, PublicKey, SigningKey};
pub use key_lifecycle::{EnsuredKey, KeyError, KeyProvisioner};
pub use key_owner::{KeyId, KeyOwner, NotAKeyId, PREVIOUS_TAG, REQUEST_TAG};
pub use ports::{InvitationKey, InvitationKeys, KeyName, NotAKeyName, NotAStackId, OwningStack, StoredKey};
pub use token::{Claim, Fault, Invitation, MAX_TOKEN_BYTES};

use time::Duration;

/// How long an invitation lasts where nobody says it.
pub const DEFAULT_VALIDITY: Duration = Duration::days(7);

/// The longest that an invitation may last.
pub const MAX_VALIDITY: Duration = Duration::days(30);
