//! Writes an archive.

use std::io::{self, Read, Write};

use tar::{Builder, EntryType, Header};
use time::OffsetDateTime;

use crate::backup::collect::ExportedUsers;
use crate::backup::digest::{Digest, sha256};
use crate::backup::manifest::{Counts, FORMAT, MANIFEST, Manifest, Member, MemberDigest, VERSION};
use crate::backup::settings::{ClientsFile, Settings};

/// Only the owner can read an extracted file.
const MODE: u32 = 0o600;

/// Writes a backup, and returns its manifest. `users` are the exported users.
///
/// # Errors
///
/// Returns an error if `users` differ from `exported`, or if a stream fails. The archive is then incomplete.
pub fn write<R: Read, W: Write>(
    settings: &Settings,
    exported: ExportedUsers,
    created_at: OffsetDateTime,
    users: R,
    out: W,
) -> io::Result<Manifest> {
    let mut clients = serde_json::to_vec_pretty(&ClientsFile { clients: settings.clients.clone() })?;
    clients.push(b'\n');
    let mut spec = serde_json::to_vec_pretty(&settings.spec)?;
    spec.push(b'\n');
    let mut groups = Vec::new();
    for group in &settings.groups {
        serde_json::to_writer(&mut groups, group)?;
        groups.push(b'\n');
    }
    let small = [(Member::Spec, spec), (Member::Clients, clients), (Member::Groups, groups)];
    let ExportedUsers { rows, bytes, sha256: hash, with_mfa, not_moved } = exported;
    let digest = |(name, content): &(Member, Vec<u8>)| MemberDigest {
        name: *name,
        bytes: content.len() as u64,
        sha256: sha256(content),
    };
    let last = MemberDigest { name: Member::Users, bytes, sha256: hash };
    let manifest = Manifest {
        format: FORMAT.to_owned(),
        version: VERSION,
        created_at,
        region: settings.region.clone(),
        user_pool_id: settings.user_pool_id.clone(),
        user_pool_name: settings.user_pool_name.clone(),
        mfa: with_mfa,
        counts: Counts { clients: settings.clients.len() as u64, groups: settings.groups.len() as u64, users: rows },
        members: small.iter().map(digest).chain([last.clone()]).collect(),
        not_moved,
        not_included: settings.not_included.clone(),
    };
    let mut content = serde_json::to_vec_pretty(&manifest)?;
    content.push(b'\n');

    let mut builder = Builder::new(out);
    builder.append(&header(MANIFEST, content.len() as u64, created_at)?, &content[..])?;
    for (member, content) in &small {
        builder.append(&header(member.name(), content.len() as u64, created_at)?, &content[..])?;
    }
    let mut users = Digest::new(users);
    builder.append(&header(Member::Users.name(), bytes, created_at)?, &mut users)?;
    if users.finish() != (last.bytes, last.sha256) {
        return Err(io::Error::other("the exported users were changed during the backup"));
    }
    builder.into_inner()?.flush()?;
    Ok(manifest)
}

pub(super) fn header(name: &str, bytes: u64, created_at: OffsetDateTime) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_size(bytes);
    header.set_mode(MODE);
    header.set_mtime(created_at.unix_timestamp().try_into().unwrap_or_default());
    header.set_cksum();
    Ok(header)
}
