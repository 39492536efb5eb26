use std::collections::BTreeSet;
use std::io::{self, Cursor, Read as _};

use serde_json::{Value, json};
use tar::{Builder, EntryType};
use time::OffsetDateTime;

use super::writer::header;
use super::{Archive, read, write};
use crate::backup::collect::ExportedUsers;
use crate::backup::digest::sha256;
use crate::backup::manifest::{Counts, MANIFEST, MAX_MANIFEST_BYTES, Member};
use crate::backup::settings::Settings;
use crate::spec::{PoolName, Spec};

const USERS: &str = "{\"version\":1,\"username\":\"mia\"}\n{\"version\":1,\"username\":\"ray\"}\n";

fn settings() -> Settings {
    let spec: Spec = serde_json::from_value(json!({"name": "shop", "verify": false})).unwrap();
    let group = json!({"name": "editors", "description": "Edit", "precedence": 1});
    Settings {
        region: "eu-west-1".to_owned(),
        user_pool_id: "eu-west-1_AbCdEfGhI".to_owned(),
        user_pool_name: "shop".to_owned(),
        spec,
        clients: Vec::new(),
        groups: vec![serde_json::from_value(group).unwrap()],
        not_included: vec!["EmailConfiguration".to_owned()],
    }
}

fn exported(users: &str) -> ExportedUsers {
    ExportedUsers {
        rows: users.lines().count() as u64,
        bytes: users.len() as u64,
        sha256: sha256(users.as_bytes()),
        with_mfa: false,
        not_moved: BTreeSet::new(),
    }
}

fn backup() -> Vec<u8> {
    let mut archive = Vec::new();
    write(&settings(), exported(USERS), OffsetDateTime::UNIX_EPOCH, USERS.as_bytes(), &mut archive).unwrap();
    archive
}

/// A file of a tar archive.
#[derive(Clone)]
struct File {
    name: Vec<u8>,
    kind: EntryType,
    content: Vec<u8>,
}

fn files(archive: &[u8]) -> Vec<File> {
    let mut archive = tar::Archive::new(archive);
    let file = |entry: io::Result<tar::Entry<'_, _>>| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        File { name: entry.path_bytes().into_owned(), kind: entry.header().entry_type(), content }
    };
    archive.entries().unwrap().map(file).collect()
}

fn pack(files: &[File]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for File { name, kind, content } in files {
        let mut header = header("x", content.len() as u64, OffsetDateTime::UNIX_EPOCH).unwrap();
        // Without the checks of `set_path`.
        let bytes = &mut header.as_old_mut().name;
        bytes.fill(0);
        bytes[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_cksum();
        builder.append(&header, &content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn error(archive: &[u8]) -> String {
    read(archive).unwrap_err().to_string()
}

/// The backup with another manifest.
fn with_manifest(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut files = files(&backup());
    let mut manifest = serde_json::from_slice(&files[0].content).unwrap();
    change(&mut manifest);
    files[0].content = serde_json::to_vec(&manifest).unwrap();
    pack(&files)
}

/// The backup with another content of a file, and its length and hash in the manifest.
fn with_content(name: &str, content: &str) -> Vec<u8> {
    let position = Member::ALL.iter().position(|member| member.name() == name).unwrap();
    let mut files = files(&with_manifest(|manifest| {
        manifest["members"][position]["bytes"] = content.len().into();
        manifest["members"][position]["sha256"] = sha256(content.as_bytes()).into();
    }));
    files[position + 1].content = content.into();
    pack(&files)
}

#[test]
fn a_written_backup_is_read_again() {
    let archive = backup();
    let Archive { manifest, id, settings: read, users } = read(&archive[..]).unwrap();
    let names: Vec<_> = files(&archive).into_iter().map(|file| String::from_utf8(file.name).unwrap()).collect();
    assert_eq!(names, ["manifest.json", "spec.json", "clients.json", "groups.jsonl", "users.jsonl"]);
    assert_eq!(manifest.counts, Counts { clients: 0, groups: 1, users: 2 });
    assert_eq!((read.spec, read.groups, read.not_included), {
        let Settings { spec, groups, not_included, .. } = settings();
        (spec, groups, not_included)
    });
    let section = &archive[usize::try_from(users.offset).unwrap()..][..usize::try_from(users.bytes).unwrap()];
    assert_eq!((str::from_utf8(section).unwrap(), users.rows), (USERS, 2));
    assert_eq!((id.len(), super::read(&archive[..]).unwrap().id), (64, id));
    assert_eq!(backup(), archive);
    // Other programs write more zeros at the end.
    assert!(super::read(&[archive, vec![0; 9000]].concat()[..]).is_ok());
}

#[test]
fn users_that_change_while_they_are_archived_fail_the_backup() {
    for changed in [USERS.replace("mia", "eve"), USERS.replace("mia", "maria"), USERS[..10].to_owned()] {
        let result =
            write(&settings(), exported(USERS), OffsetDateTime::UNIX_EPOCH, changed.as_bytes(), &mut Vec::new());
        assert!(result.unwrap_err().to_string().contains("changed during the backup"), "{changed}");
    }
}

#[test]
fn rejects_a_backup_that_ends_early_at_any_block() {
    let archive = backup();
    let lengths = (0..archive.len()).step_by(256).chain([archive.len() - 1, archive.len() - 513]);
    for length in lengths {
        let error = error(&archive[..length]);
        assert!(
            error.starts_with("is incomplete or damaged: ") || length < 2048 && error.starts_with("is not a backup"),
            "{length}: {error}"
        );
    }
}

#[test]
fn rejects_a_changed_byte_of_any_file() {
    let whole = files(&backup());
    for (position, member) in Member::ALL.iter().enumerate() {
        let changes: [fn(&mut Vec<u8>); 3] = [|content| content[0] ^= 1, |content| content.push(b'\n'), Vec::clear];
        for change in changes {
            let mut files = whole.clone();
            let content = &mut files[position + 1].content;
            change(content);
            assert_eq!(error(&pack(&files)), format!("`{}` was changed after the backup", member.name()));
        }
    }
}

#[test]
fn rejects_counts_that_differ_from_the_files() {
    for (count, file) in [("clients", "clients.json"), ("groups", "groups.jsonl"), ("users", "users.jsonl")] {
        let archive = with_manifest(|manifest| manifest["counts"][count] = 7.into());
        assert_eq!(error(&archive), format!("`{file}` was changed after the backup"));
    }
}

#[test]
fn rejects_other_tar_files_and_other_files() {
    let foreign = File { name: b"etc/passwd".to_vec(), kind: EntryType::Regular, content: b"root".to_vec() };
    let manifest = File { name: MANIFEST.into(), ..foreign.clone() };
    let json = File { content: b"{\"format\": \"other\", \"version\": 1}".to_vec(), ..manifest.clone() };
    for archive in [pack(&[foreign]), pack(&[manifest]), pack(&[json]), b"{}".to_vec(), vec![1; 4096], vec![]] {
        assert_eq!(error(&archive), "is not a backup of `poolkeeper backup`");
    }
}

#[test]
fn rejects_other_names_types_and_orders_of_files() {
    let whole = files(&backup());
    let expected = "expected `spec.json` as the next file of the archive";
    for name in ["../spec.json", "/spec.json", "./spec.json", "spec.json/", "SPEC.JSON", "a/../spec.json", ""] {
        let mut files = whole.clone();
        files[1].name = name.into();
        assert_eq!(error(&pack(&files)), expected, "{name}");
    }
    for kind in [b'1', b'2', b'5', b'L', b'x', b'g', b'S'].map(EntryType::new) {
        let mut files = whole.clone();
        files[1].kind = kind;
        assert_eq!(error(&pack(&files)), expected, "{kind:?}");
    }
    let mut swapped = whole.clone();
    swapped.swap(1, 2);
    assert_eq!(error(&pack(&swapped)), expected);
    let mut missing = whole.clone();
    missing.remove(1);
    assert_eq!(error(&pack(&missing)), expected);
    let mut twice = whole.clone();
    twice.push(whole[4].clone());
    assert_eq!(error(&pack(&twice)), "contains more than the files of a backup");
    let hidden = [backup(), pack(&whole)].concat();
    assert_eq!(error(&hidden), "contains more than the files of a backup");
    let without_users = error(&pack(&whole[..4]));
    assert!(without_users.starts_with("is incomplete or damaged"), "{without_users}");
}

#[test]
fn rejects_later_versions_and_wrong_manifests() {
    let later = with_manifest(|manifest| {
        manifest["version"] = 2.into();
        manifest["compression"] = "zstd".into();
    });
    assert_eq!(error(&later), "has version 2 of the format, which this version of Poolkeeper does not support");
    for (change, expected) in [
        (json!({"compression": "zstd"}), "`manifest.json`: compression: unknown field"),
        (
            json!({"members": []}),
            "`manifest.json`: members: must be spec.json, clients.json, groups.jsonl, users.jsonl",
        ),
        (json!({"members": [{"name": "../x", "bytes": 1, "sha256": ""}]}), "`manifest.json`: members[0].name: "),
        (json!({"created_at": "yesterday"}), "`manifest.json`: created_at: "),
    ] {
        let archive =
            with_manifest(|manifest| manifest.as_object_mut().unwrap().extend(change.as_object().unwrap().clone()));
        let error = error(&archive);
        assert!(error.starts_with(expected), "{error}");
    }
}

#[test]
fn rejects_malformed_files_with_a_matching_hash() {
    for (file, content, expected) in [
        ("spec.json", "{}", "`spec.json`: name: missing field"),
        ("spec.json", "{\"name\": \"shop\", \"colour\": 1}", "`spec.json`: colour: unknown field"),
        ("spec.json", "{\"name\": \"shop\", \"first_admin\": \"x\"}", "`spec.json`: first_admin: must be an e-mail"),
        ("clients.json", "[]", "`clients.json`: must be an object"),
        ("groups.jsonl", "{\"name\": \"a b\"}\n", "`groups.jsonl`: name: must be 1–128 characters"),
        ("groups.jsonl", "{\"name\": \"a\", \"users\": []}\n", "`groups.jsonl`: users: unknown field"),
    ] {
        let error = error(&with_content(file, content));
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(read(&with_content("groups.jsonl", "{\"name\": \"a\"}\n")[..]).is_ok());
}

#[test]
fn rejects_files_that_no_backup_contains_without_reading_them() {
    for (name, limit) in [(MANIFEST, MAX_MANIFEST_BYTES), ("spec.json", Member::Spec.limit())] {
        let mut archive = Vec::new();
        if name != MANIFEST {
            let whole = backup();
            archive.extend(&whole[..pack(&files(&whole)[..1]).len() - 1024]);
        }
        archive.extend(header(name, limit + 1, OffsetDateTime::UNIX_EPOCH).unwrap().as_bytes());
        let endless = Cursor::new(archive).chain(io::repeat(0));
        let error = read(endless).unwrap_err().to_string();
        assert_eq!(error, format!("`{name}` must be at most {limit} bytes"));
    }
}

#[test]
fn a_restored_spec_sends_no_invitation_and_opens_no_sign_up() {
    let arn = "arn:aws:lambda:eu-west-1:111122223333:function:f";
    let spec = json!({
        "name": "shop", "verify": true, "first_admin": "eve@example.com", "groups": ["admins"], "self_sign_up": true,
        "pre_sign_up_function_arn": arn, "user_migration_function_arn": arn
    });
    let group = json!({"name": "editors", "role_arn": "arn:aws:iam::111122223333:role/editor"});
    let settings = Settings {
        spec: serde_json::from_value(spec).unwrap(),
        groups: vec![serde_json::from_value(group).unwrap()],
        ..settings()
    };
    let name = PoolName::try_from("shop-2".to_owned()).unwrap();
    let restored = crate::backup::restored_spec(&settings, name);
    let expected = json!({"name": "shop-2", "verify": false});
    assert_eq!(restored.spec, serde_json::from_value(expected).unwrap());
    assert_eq!(
        restored.not_restored,
        [
            "self sign-up: enable it when the pool is in use".to_owned(),
            format!("pre-sign-up trigger {arn}"),
            format!("user migration trigger {arn}"),
            "role arn:aws:iam::111122223333:role/editor of the group editors".to_owned(),
        ]
    );
}
