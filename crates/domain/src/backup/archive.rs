//! The archive: a tar file with the manifest and the members, in a fixed order.
//!
//! Writing and reading stream the users, so that memory does not depend on their number.

mod layout;
mod reader;
mod writer;

use std::io;

use thiserror::Error;

use super::manifest::Manifest;
use super::settings::Settings;

pub use layout::{Layout, Section};
pub use reader::{read, read_groups};
pub use writer::write;

/// The size of a block of a tar file.
const BLOCK: u64 = 512;

/// An archive whose files match their hashes.
#[derive(Debug)]
pub struct Archive {
    /// The manifest.
    pub manifest: Manifest,
    /// The SHA-256 hash of the manifest, which identifies the backup.
    pub id: String,
    /// Settings, app clients and groups.
    pub settings: Settings,
    /// Where the archive contains the users.
    pub users: UsersSection,
}

/// The position of the users in an archive, for a second read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersSection {
    /// The first byte.
    pub offset: u64,
    /// The length in bytes.
    pub bytes: u64,
    /// The SHA-256 hash, in hexadecimal digits.
    pub sha256: String,
    /// The number of users, one per line.
    pub rows: u64,
}

/// Why an archive is rejected.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The file is no tar file, or does not begin with a manifest.
    #[error("is not a backup of `poolkeeper backup`")]
    NotABackup,
    /// The format has a later version.
    #[error("has version {0} of the format, which this version of Poolkeeper does not support")]
    LaterVersion(u32),
    /// The file ends too early, or cannot be read.
    #[error("is incomplete or damaged: {0}")]
    Damaged(#[source] io::Error),
    /// The next file of the archive is another one, or has another type.
    #[error("expected `{0}` as the next file of the archive")]
    Unexpected(&'static str),
    /// The archive contains more than the files of a backup.
    #[error("contains more than the files of a backup")]
    Surplus,
    /// A file is larger than any backup needs.
    #[error("`{file}` must be at most {limit} bytes")]
    TooLarge {
        /// The name of the file.
        file: &'static str,
        /// The limit.
        limit: u64,
    },
    /// A file differs from its length, hash or count in the manifest.
    #[error("`{0}` was changed after the backup")]
    Changed(&'static str),
    /// A file has the wrong content.
    #[error("`{file}`: {}{problem}", field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default())]
    Malformed {
        /// The name of the file.
        file: &'static str,
        /// The path of the field.
        field: Option<String>,
        /// What is expected.
        problem: String,
    },
}

#[cfg(test)]
mod tests;
