//! The manifest: the first file of an archive, which describes the others.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::VariantArray;
use time::OffsetDateTime;

use crate::transfer::NotMoved;

/// The value of [`Manifest::format`].
pub(super) const FORMAT: &str = "poolkeeper-backup";

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// The name of the manifest in an archive.
pub(super) const MANIFEST: &str = "manifest.json";

/// The maximum size of the manifest in bytes.
pub(super) const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// A file in an archive, in the order of the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, VariantArray)]
pub enum Member {
    /// The spec, the input of `poolkeeper apply`.
    #[serde(rename = "spec.json")]
    Spec,
    /// All app clients, without their secrets.
    #[serde(rename = "clients.json")]
    Clients,
    /// The groups, one per line.
    #[serde(rename = "groups.jsonl")]
    Groups,
    /// The users, as an export writes them.
    #[serde(rename = "users.jsonl")]
    Users,
}

impl Member {
    /// All files except the manifest.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name in the archive.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spec => "spec.json",
            Self::Clients => "clients.json",
            Self::Groups => "groups.jsonl",
            Self::Users => "users.jsonl",
        }
    }

    /// The maximum size in bytes. Files with a limit are read into memory.
    pub(super) const fn limit(self) -> u64 {
        match self {
            Self::Spec => 1 << 20,
            // 1,000 clients.
            Self::Clients => 16 << 20,
            // 10,000 groups with descriptions of 2,048 characters.
            Self::Groups => 128 << 20,
            Self::Users => u64::MAX,
        }
    }
}

/// Describes a backup. Contains no users and no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always `poolkeeper-backup`.
    pub format: String,
    /// The version of the format, 1.
    pub version: u32,
    /// When the backup was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    /// The Region of the pool.
    pub region: String,
    /// The id of the pool.
    pub user_pool_id: String,
    /// The name of the pool.
    pub user_pool_name: String,
    /// Whether the users have their second factors.
    pub mfa: bool,
    /// What the archive contains.
    pub counts: Counts,
    /// The other files, in their order.
    pub members: Vec<MemberDigest>,
    /// The parts of users that are not in the backup.
    pub not_moved: BTreeSet<NotMoved>,
    /// The settings that are not in the backup.
    pub not_included: Vec<String>,
}

/// The numbers of records in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// App clients.
    pub clients: u64,
    /// Groups.
    pub groups: u64,
    /// Users.
    pub users: u64,
}

/// A file with its length and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberDigest {
    /// The file.
    pub name: Member,
    /// The length in bytes.
    pub bytes: u64,
    /// The SHA-256 hash, in hexadecimal digits.
    pub sha256: String,
}

/// The fields that every version of the manifest has.
#[derive(Deserialize)]
pub(super) struct Marker {
    pub(super) format: String,
    pub(super) version: u32,
}
