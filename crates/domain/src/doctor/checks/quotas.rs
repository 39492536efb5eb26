//! Checks the head-room under Cognito's default quotas.
//!
//! The numbers are from "Quotas on resource number and size" in the
//! [Cognito developer guide](https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html). The quotas of users,
//! app clients and identity providers are adjustable, so an account can have higher ones.

use crate::doctor::finding::{Check, Finding};
use crate::doctor::fixes::Fixes;
use crate::doctor::observed::Observed;

const USERS: u64 = 40_000_000;
const APP_CLIENTS: u64 = 1_000;
const GROUPS: u64 = 10_000;
const IDENTITY_PROVIDERS: u64 = 300;
const CUSTOM_ATTRIBUTES: u64 = 50;
const CALLBACK_URLS: u64 = 100;

pub(super) fn findings(observed: &Observed, fixes: &Fixes<'_>) -> Vec<Finding> {
    let pool = &observed.user_pool.pool;
    let of_pool = format!("user pool {}", pool.id);
    let adjust = fixes.aws("service-quotas", "list-service-quotas --service-code cognito-idp")
        + "  # then request-service-quota-increase";
    let groups = fixes.aws("cognito-idp", &format!("list-groups --user-pool-id {}", pool.id)) + "  # then delete-group";
    let attributes = fixes.apply_with("with another \"name\" and fewer \"custom_attributes\" in a copy of the spec");
    let callbacks = observed.clients.iter().map(|client| {
        let subject = format!("app client {} ({})", client.name, client.client.id);
        let fix = fixes.client(&client.client.id, ".CallbackURLs -= [\"UNUSED_URL\"]");
        (Check::QuotaCallbackUrls, subject, count(client.callback_urls.len()), CALLBACK_URLS, "callback URLs", fix)
    });
    let of_pool = [
        (Check::QuotaUsers, observed.user_pool.estimated_users, USERS, "users", &adjust),
        (Check::QuotaAppClients, count(observed.clients.len()), APP_CLIENTS, "app clients", &adjust),
        (Check::QuotaGroups, count(observed.groups), GROUPS, "groups", &groups),
        (
            Check::QuotaIdentityProviders,
            count(observed.identity_providers),
            IDENTITY_PROVIDERS,
            "identity providers",
            &adjust,
        ),
        (
            Check::QuotaCustomAttributes,
            count(pool.custom_attributes.len()),
            CUSTOM_ATTRIBUTES,
            "custom attributes",
            &attributes,
        ),
    ]
    .map(|(check, used, quota, what, fix)| (check, of_pool.clone(), used, quota, what, fix.clone()));
    of_pool
        .into_iter()
        .chain(callbacks)
        .filter(|(_, _, used, quota, ..)| is_near(*used, *quota))
        .map(|(check, subject, used, quota, what, fix)| {
            Finding::new(
                check,
                subject,
                format!("{used} {what} use at least 80 % of the default quota of {quota}"),
                fix,
            )
        })
        .collect()
}

/// Whether at least 80 % of the quota is used.
fn is_near(used: u64, quota: u64) -> bool {
    used.saturating_mul(5) >= quota * 4
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
