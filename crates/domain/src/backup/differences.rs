//! Compares the settings, app clients and groups of a backup with those of a pool.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::settings::{ClientRecord, Settings};
use crate::provision::{Difference, field_differences};

/// The differences between a backup and a pool, except their names and users. `wanted` is the value in the backup.
#[must_use]
pub fn differences(backup: &Settings, pool: &Settings) -> Vec<Difference> {
    let mut spec = pool.spec.clone();
    spec.name = backup.spec.name.clone();
    let mut found = field_differences(&spec, &backup.spec);
    // Clients in the spec are compared with it, because their names contain the name of the pool.
    let clients = |settings: &Settings| {
        let others = settings.clients.iter().filter(|client| !client.in_spec);
        let fields = |client: &ClientRecord| {
            let ClientRecord { has_secret, settings, other_settings, .. } = client;
            json!({"has_secret": has_secret, "settings": settings, "other_settings": other_settings})
        };
        others.map(|client| (client.name.clone(), fields(client))).collect()
    };
    found.extend(compare("app_clients", &clients(pool), &clients(backup)));
    let groups = |settings: &Settings| {
        let groups = settings.groups.iter();
        groups.map(|group| (group.name.to_string(), json!(group))).collect()
    };
    found.extend(compare("groups", &groups(pool), &groups(backup)));
    found
}

fn compare(prefix: &str, current: &BTreeMap<String, Value>, wanted: &BTreeMap<String, Value>) -> Vec<Difference> {
    let names: BTreeSet<_> = current.keys().chain(wanted.keys()).collect();
    let differing = names.into_iter().filter(|name| current.get(*name) != wanted.get(*name));
    let side = |values: &BTreeMap<String, Value>, name| values.get(name).cloned().unwrap_or_default();
    let difference = |name| Difference {
        field: format!("{prefix}.{name}"),
        current: side(current, name),
        wanted: side(wanted, name),
    };
    differing.map(difference).collect()
}
