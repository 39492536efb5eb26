//! Describes app clients as parts of a spec.

use std::collections::BTreeSet;

use crate::backup::DescribedClient;
use crate::platform::ClientState;
use crate::provision::diff::has_secret;
use crate::provision::discover::client_name;
use crate::spec::{AuthFlow, ClientKind, ClientSpec, PoolAttributes, PoolName, Spec};

/// The kind of a client that `apply` would find by its name.
pub(super) fn kind_of(pool: &PoolName, client: &DescribedClient) -> Option<ClientKind> {
    let is_of_kind =
        |kind: &ClientKind| client_name(pool, *kind) == client.name && has_secret(*kind) == client.client.has_secret;
    ClientKind::ALL.iter().copied().find(is_of_kind)
}

pub(super) fn declared(spec: &Spec, kind: ClientKind) -> Option<&ClientSpec> {
    spec.clients().find(|(declared, _)| *declared == kind).map(|(_, client)| client)
}

/// Lists that have their default are empty, so that the client of another pool has the default of that pool.
pub(super) fn client_spec(kind: ClientKind, state: &ClientState, attributes: &PoolAttributes) -> ClientSpec {
    let ClientState {
        auth_flows,
        access_token_minutes,
        id_token_minutes,
        refresh_token_days,
        prevent_user_existence_errors,
        // Always enabled in a spec. `other_settings` names a client without it.
        token_revocation: _,
        write_attributes,
        read_attributes,
    } = state.clone();
    let default = ClientSpec::default();
    let unless_default =
        |set: BTreeSet<String>, default: BTreeSet<String>| if set == default { BTreeSet::new() } else { set };
    let auth_flows = if auth_flows.is_empty() {
        // Cognito's default for a client without flows (`UserPoolClientType.ExplicitAuthFlows` in the service model).
        BTreeSet::from([AuthFlow::AllowCustomAuth, AuthFlow::AllowUserSrpAuth, AuthFlow::AllowRefreshTokenAuth])
    } else if auth_flows == kind.default_auth_flows() {
        BTreeSet::new()
    } else {
        auth_flows
    };
    ClientSpec {
        auth_flows,
        access_token_minutes: access_token_minutes.clamp(5, 24 * 60),
        id_token_minutes: id_token_minutes.clamp(5, 24 * 60),
        refresh_token_days: refresh_token_days.clamp(1, 3650),
        prevent_user_existence_errors,
        write_attributes: unless_default(write_attributes, default.writable(attributes)),
        read_attributes: unless_default(read_attributes, default.readable(attributes)),
    }
}

/// Removes attributes that the spec cannot contain, and returns them. A list without other attributes becomes the
/// smallest list, because an empty list means the default.
pub(super) fn remove_undeclared(spec: &Spec, client: &mut ClientSpec) -> Vec<String> {
    let mut removed = Vec::new();
    let allowed = |spec: &Spec, name: &str, is_read: bool| {
        let names = BTreeSet::from([name.to_owned()]);
        if is_read { spec.unreadable(&names).is_none() } else { spec.unwritable(&names).is_none() }
    };
    for (list, is_read) in [(&mut client.write_attributes, false), (&mut client.read_attributes, true)] {
        let was_empty = list.is_empty();
        let (kept, undeclared): (BTreeSet<_>, BTreeSet<_>) =
            std::mem::take(list).into_iter().partition(|name| allowed(spec, name, is_read));
        *list = kept;
        if list.is_empty() && !was_empty {
            list.insert("email".to_owned());
        }
        removed.extend(undeclared);
    }
    removed
}
