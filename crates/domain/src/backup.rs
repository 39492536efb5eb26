//! Backups of a user pool: what a backup contains, the archive, and what a restore creates from it.
//!
//! `collect` reads a pool, `archive` writes and reads the tar archive, and `differences` compares an archive with a pool.

mod archive;
mod collect;
mod differences;
mod digest;
mod manifest;
mod restore;
mod settings;
mod source;

pub use archive::{Archive, ArchiveError, Layout, Section, UsersSection, read, read_groups, write};
pub use collect::{Backup, BackupError, ExportedUsers};
pub use differences::differences;
pub use digest::Digest;
pub use manifest::{Counts, Manifest, Member, MemberDigest};
pub use restore::{ExistingGroups, RestoredGroups, RestoredSpec, restore_groups, restored_spec};
pub use settings::{ClientRecord, GroupRecord, Settings};
pub use source::{DescribedClient, DescribedUserPool, PoolSource};
