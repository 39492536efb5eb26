//! Tests who can start, stop and read jobs.

use domain::permission::Permission;
use serde_json::{Value, json};
use testkit::in_memory::InMemoryPool;

use super::{RUNNING_JOB, attempts, import};
use crate::settings::AdminMfa;
use crate::testing::{Answer, Api, Call, token};

/// An API whose only caller is in these groups, which have these permissions.
fn api(groups: &[(&str, Vec<&str>)]) -> Api {
    let pool = InMemoryPool::new();
    let names: Vec<_> = groups.iter().map(|(name, _)| *name).collect();
    pool.add_user("ann", "Password-of-ann-1", &names, &[]);
    let roles: Value = groups.iter().map(|(name, permissions)| ((*name).to_owned(), json!(permissions))).collect();
    Api::on(pool, &roles, AdminMfa::Optional)
}

/// The answer to a request of the caller in these groups.
async fn call(api: &Api, groups: &str, call: Call) -> Answer {
    api.call(call.by(token("ann", groups))).await
}

fn imports() -> [Call; 2] {
    [Call::post("/v1/jobs/uploads", Some(&json!({"type": "import"}))), Call::post("/v1/jobs", Some(&import()))]
}

fn all() -> Vec<&'static str> {
    Permission::ALL.iter().copied().map(Permission::as_str).collect()
}

fn all_but(omitted: &str) -> Vec<&'static str> {
    all().into_iter().filter(|permission| *permission != omitted).collect()
}

#[tokio::test]
async fn an_import_requires_every_permission_and_every_group() {
    let limited = [all_but("users:groups"), vec!["users:groups:readers", "users:groups:team"]].concat();
    let without_one = all().into_iter().map(all_but);
    for permissions in without_one.chain([limited, vec!["jobs:write"]]) {
        let api = api(&[("team", permissions.clone())]);
        for request in imports() {
            let answer = call(&api, "[team]", request).await;
            assert_eq!((answer.status, answer.code()), (403, "forbidden"), "{permissions:?}");
            // The check precedes the check of the body.
            let malformed = Call::post("/v1/jobs", Some(&json!({})));
            assert_eq!(call(&api, "[team]", malformed).await.status, 403, "{permissions:?}");
        }
        assert_eq!((attempts(&api).len(), api.jobs.calls()), (0, 0), "{permissions:?}");
    }
    for permissions in [vec!["all"], all()] {
        let api = api(&[("team", permissions)]);
        for request in imports() {
            assert!(call(&api, "[team]", request).await.status < 300);
        }
    }
}

#[tokio::test]
async fn permissions_of_several_groups_add_up() {
    let groups = [("writers", all_but("users:mfa")), ("helpers", vec!["users:mfa"])];
    let [_, start] = imports();
    assert_eq!(call(&api(&groups), "[writers]", start.clone()).await.status, 403);
    assert_eq!(call(&api(&groups), "[writers helpers]", start.clone()).await.status, 202);
    // The user pool no longer confirms the second group.
    let api = api(&groups);
    api.pool.remove_from_group("ann", "helpers");
    assert_eq!(call(&api, "[writers helpers]", start).await.status, 403);
    assert!(attempts(&api).is_empty());
}

#[tokio::test]
async fn stopping_requires_only_the_permission_to_import() {
    let path = format!("/v1/jobs/{RUNNING_JOB}");
    for (permission, status) in [("jobs:write", 204), ("jobs:read", 403), ("users:create", 403)] {
        let api = api(&[("team", vec![permission])]);
        assert_eq!(call(&api, "[team]", Call::delete(&path)).await.status, status, "{permission}");
        let keys = api.jobs.keys();
        assert_eq!(keys.iter().any(|key| key.contains("/stopped/")), status == 204, "{permission}");
    }
}

#[tokio::test]
async fn reading_requires_the_permission_to_read() {
    for path in ["/v1/jobs".to_owned(), format!("/v1/jobs/{RUNNING_JOB}"), format!("/v1/jobs/{RUNNING_JOB}/results")] {
        for (permission, status) in [("jobs:read", 200), ("jobs:write", 403), ("users:read", 403)] {
            let api = api(&[("team", vec![permission])]);
            assert_eq!(call(&api, "[team]", Call::get(&path)).await.status, status, "{path} {permission}");
        }
    }
}
