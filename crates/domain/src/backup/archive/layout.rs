//! Finds the files of an archive from its beginning, for readers of parts of it.

use super::reader::{first_file, parse_manifest, read_small};
use super::{ArchiveError, BLOCK};
use crate::backup::manifest::{Counts, MANIFEST, MAX_MANIFEST_BYTES, Member};

/// Where an archive contains its files, as its manifest says. The content is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The numbers of records.
    pub counts: Counts,
    sections: Vec<Section>,
}

/// The position of a file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The file.
    pub member: Member,
    /// The first byte.
    pub offset: u64,
    /// The length in bytes.
    pub bytes: u64,
    /// The expected SHA-256 hash, in hexadecimal digits.
    pub sha256: String,
}

impl Layout {
    /// The number of bytes at the beginning of an archive that contain the manifest.
    pub const HEAD_BYTES: u64 = BLOCK + MAX_MANIFEST_BYTES;

    /// Reads the manifest. `head` is the beginning of the archive.
    ///
    /// # Errors
    ///
    /// Returns an error if the archive does not begin with a manifest, or if a file is too large.
    pub fn read(head: &[u8]) -> Result<Self, ArchiveError> {
        let mut archive = tar::Archive::new(head);
        let mut entries = archive.entries().map_err(ArchiveError::Damaged)?.raw(true);
        let mut entry = first_file(&mut entries)?;
        let content = read_small(&mut entry, MANIFEST, MAX_MANIFEST_BYTES)?;
        let mut end = entry.raw_file_position() + entry.size().next_multiple_of(BLOCK);
        let mut sections = Vec::new();
        let manifest = parse_manifest(&content)?;
        for found in manifest.members {
            let (member, bytes) = (found.name, found.bytes);
            let too_large = || ArchiveError::TooLarge { file: member.name(), limit: member.limit() };
            let offset = end + BLOCK;
            let padded = bytes.checked_next_multiple_of(BLOCK).filter(|_| bytes <= member.limit());
            end = padded.and_then(|padded| offset.checked_add(padded)).ok_or_else(too_large)?;
            sections.push(Section { member, offset, bytes, sha256: found.sha256 });
        }
        Ok(Self { counts: manifest.counts, sections })
    }

    /// The position of a file.
    ///
    /// # Errors
    ///
    /// Returns an error if the manifest does not list the file.
    pub fn section(&self, member: Member) -> Result<&Section, ArchiveError> {
        let section = self.sections.iter().find(|section| section.member == member);
        section.ok_or(ArchiveError::Unexpected(member.name()))
    }
}

impl Section {
    /// Compares the length and the hash of the content, as [`Digest::finish`](crate::backup::Digest::finish) returns them.
    ///
    /// # Errors
    ///
    /// Returns an error if the content differs.
    pub fn check(&self, found: &(u64, String)) -> Result<(), ArchiveError> {
        if (found.0, &found.1) == (self.bytes, &self.sha256) {
            Ok(())
        } else {
            Err(ArchiveError::Changed(self.member.name()))
        }
    }
}
