//! Reads and checks an archive.

use std::io::{self, Read};

use tar::EntryType;

use super::{Archive, ArchiveError, BLOCK, UsersSection};
use crate::backup::digest::{Digest, sha256};
use crate::backup::manifest::{FORMAT, MANIFEST, MAX_MANIFEST_BYTES, Manifest, Marker, Member, VERSION};
use crate::backup::settings::{ClientsFile, GroupRecord, Settings};
use crate::json::{self, JsonError};
use crate::spec::{Spec, SpecError};

/// Reads and checks a whole archive. The users are checked, and not kept.
///
/// # Errors
///
/// Returns an error if the archive is incomplete, was changed, or contains anything but the files of a backup.
pub fn read<R: Read>(reader: R) -> Result<Archive, ArchiveError> {
    let mut archive = tar::Archive::new(Counting { reader, bytes: 0 });
    let mut members = Contents::default();
    // Raw entries, so that links, long names and other extensions are rejected as unexpected files.
    let mut entries = archive.entries().map_err(ArchiveError::Damaged)?.raw(true);
    let (manifest, id) = {
        let mut entry = first_file(&mut entries)?;
        let content = read_small(&mut entry, MANIFEST, MAX_MANIFEST_BYTES)?;
        (parse_manifest(&content)?, sha256(&content))
    };
    for (member, expected) in Member::ALL.iter().copied().zip(&manifest.members) {
        let file = member.name();
        let mut entry = match entries.next() {
            Some(Ok(entry)) if is_file(&entry, file) => entry,
            Some(Err(error)) => return Err(ArchiveError::Damaged(error)),
            None => return Err(ArchiveError::Damaged(io::ErrorKind::UnexpectedEof.into())),
            Some(Ok(_)) => return Err(ArchiveError::Unexpected(file)),
        };
        if entry.size() > member.limit() {
            return Err(ArchiveError::TooLarge { file, limit: member.limit() });
        }
        if entry.size() != expected.bytes {
            return Err(ArchiveError::Changed(file));
        }
        members.end = entry.raw_file_position() + entry.size().next_multiple_of(BLOCK);
        let hash = if member == Member::Users {
            members.users_offset = entry.raw_file_position();
            let (rows, hash) = read_rows(&mut entry)?;
            members.rows = rows;
            hash
        } else {
            let content = read_small(&mut entry, file, member.limit())?;
            let hash = sha256(&content);
            match member {
                Member::Spec => members.spec = content,
                Member::Clients => members.clients = content,
                Member::Groups | Member::Users => members.groups = content,
            }
            hash
        };
        if hash != expected.sha256 {
            return Err(ArchiveError::Changed(file));
        }
    }
    match entries.next() {
        None => {}
        Some(Ok(_)) => return Err(ArchiveError::Surplus),
        Some(Err(error)) => return Err(ArchiveError::Damaged(error)),
    }
    ensure_end(archive.into_inner(), members.end)?;
    members.into_archive(manifest, id)
}

/// The files of an archive.
#[derive(Default)]
struct Contents {
    spec: Vec<u8>,
    clients: Vec<u8>,
    groups: Vec<u8>,
    users_offset: u64,
    rows: u64,
    /// The position after the last file.
    end: u64,
}

impl Contents {
    fn into_archive(self, manifest: Manifest, id: String) -> Result<Archive, ArchiveError> {
        let malformed = |file: Member| move |error| malformed(file.name(), error);
        let spec: Spec = json::parse(&self.spec).map_err(malformed(Member::Spec))?;
        spec.check().map_err(|SpecError { field, problem }| ArchiveError::Malformed {
            file: Member::Spec.name(),
            field: Some(field.to_owned()),
            problem,
        })?;
        let clients: ClientsFile = json::parse(&self.clients).map_err(malformed(Member::Clients))?;
        let groups = read_groups(&self.groups)?;
        for (count, expected, member) in [
            (clients.clients.len() as u64, manifest.counts.clients, Member::Clients),
            (groups.len() as u64, manifest.counts.groups, Member::Groups),
            (self.rows, manifest.counts.users, Member::Users),
        ] {
            if count != expected {
                return Err(ArchiveError::Changed(member.name()));
            }
        }
        let users = manifest.members.last().map(|member| (member.bytes, member.sha256.clone())).unwrap_or_default();
        let settings = Settings {
            region: manifest.region.clone(),
            user_pool_id: manifest.user_pool_id.clone(),
            user_pool_name: manifest.user_pool_name.clone(),
            spec,
            clients: clients.clients,
            groups,
            not_included: manifest.not_included.clone(),
        };
        let users =
            UsersSection { offset: self.users_offset, bytes: users.0, sha256: users.1, rows: manifest.counts.users };
        Ok(Archive { manifest, id, settings, users })
    }
}

/// The manifest.
pub(super) fn first_file<'e, R: Read>(
    entries: &mut impl Iterator<Item = io::Result<tar::Entry<'e, R>>>,
) -> Result<tar::Entry<'e, R>, ArchiveError> {
    match entries.next() {
        Some(Ok(entry)) if is_file(&entry, MANIFEST) => Ok(entry),
        // Only the beginning of a tar file can be parsed.
        _ => Err(ArchiveError::NotABackup),
    }
}

/// Parses `groups.jsonl`.
///
/// # Errors
///
/// Returns an error if a line is not a group.
pub fn read_groups(content: &[u8]) -> Result<Vec<GroupRecord>, ArchiveError> {
    let lines = content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(json::parse).collect::<Result<_, _>>().map_err(|error| malformed(Member::Groups.name(), error))
}

fn is_file<R: Read>(entry: &tar::Entry<'_, R>, name: &str) -> bool {
    entry.header().entry_type() == EntryType::Regular && *entry.path_bytes() == *name.as_bytes()
}

pub(super) fn parse_manifest(content: &[u8]) -> Result<Manifest, ArchiveError> {
    let Marker { format, version } = json::parse(content).map_err(|_| ArchiveError::NotABackup)?;
    if format != FORMAT {
        return Err(ArchiveError::NotABackup);
    }
    if version != VERSION {
        return Err(ArchiveError::LaterVersion(version));
    }
    let manifest: Manifest = json::parse(content).map_err(|error| malformed(MANIFEST, error))?;
    if manifest.members.iter().map(|member| member.name).eq(Member::ALL.iter().copied()) {
        return Ok(manifest);
    }
    let names: Vec<_> = Member::ALL.iter().map(|member| member.name()).collect();
    Err(ArchiveError::Malformed {
        file: MANIFEST,
        field: Some("members".to_owned()),
        problem: format!("must be {}", names.join(", ")),
    })
}

fn malformed(file: &'static str, error: JsonError) -> ArchiveError {
    match error {
        JsonError::Field { field, problem } => ArchiveError::Malformed { file, field, problem },
        JsonError::Syntax { .. } => ArchiveError::Malformed { file, field: None, problem: error.to_string() },
    }
}

/// Reads a file that fits in memory.
pub(super) fn read_small<R: Read>(
    entry: &mut tar::Entry<'_, R>,
    file: &'static str,
    limit: u64,
) -> Result<Vec<u8>, ArchiveError> {
    let size = entry.size();
    if size > limit {
        return Err(ArchiveError::TooLarge { file, limit });
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(ArchiveError::Damaged)?;
    if content.len() as u64 == size {
        Ok(content)
    } else {
        Err(ArchiveError::Damaged(io::ErrorKind::UnexpectedEof.into()))
    }
}

/// The number of lines, and the hash.
fn read_rows<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<(u64, String), ArchiveError> {
    let size = entry.size();
    let mut digest = Digest::new(entry);
    let (mut buffer, mut rows) = (vec![0; 1 << 16], 0);
    loop {
        let length = digest.read(&mut buffer).map_err(ArchiveError::Damaged)?;
        let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
        rows += bytes.split(|byte| *byte == b'\n').count() as u64 - 1;
    }
    match digest.finish() {
        (bytes, hash) if bytes == size => Ok((rows, hash)),
        _ => Err(ArchiveError::Damaged(io::ErrorKind::UnexpectedEof.into())),
    }
}

/// Checks that an archive ends with two blocks of zeros, and that only zeros follow.
fn ensure_end<R: Read>(mut reader: Counting<R>, end: u64) -> Result<(), ArchiveError> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match reader.read(&mut buffer).map_err(ArchiveError::Damaged)? {
            0 => break,
            length if buffer.iter().take(length).any(|byte| *byte != 0) => return Err(ArchiveError::Surplus),
            _ => {}
        }
    }
    let is_complete = reader.bytes >= end + 2 * BLOCK;
    if is_complete { Ok(()) } else { Err(ArchiveError::Damaged(io::ErrorKind::UnexpectedEof.into())) }
}

/// Counts the bytes of a reader.
struct Counting<R> {
    reader: R,
    bytes: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.bytes += length as u64;
        Ok(length)
    }
}
