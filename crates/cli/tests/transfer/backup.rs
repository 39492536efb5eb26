//! Backups, restores and comparisons of whole pools, on the in-memory platform.

use std::sync::Arc;
use std::time::Duration;

use domain::backup::{
    Archive, Backup, BackupError, ExistingGroups, RestoredGroups, Settings, differences, read, restore_groups,
    restored_spec, write,
};
use domain::provision::{Observer, ProvisionError, Provisioner, RESTORE_TAG, Receipt, StepReport};
use domain::retry::Clock;
use domain::spec::{PoolName, Spec};
use domain::transfer::{Pace, PacedPool, Rates, Stop};
use domain::user_pool::error::Reason;
use domain::user_pool::groups::{GroupDetails, Groups as _};
use serde_json::{Value, json};
use testkit::in_memory::{InMemoryDirectory, InMemoryPool};
use testkit::in_memory_platform::InMemoryPlatform;
use testkit::virtual_clock::VirtualClock;

use crate::{PATIENCE, paced};

/// The policy of the users of the pool `shop`.
const POLICY: &str = "arn:aws:iam::123456789012:policy/poolkeeper.shop.eu-west-1";

/// Changes the resources of a pool as another actor would.
type Change = fn(&Account, &str);

struct Quiet;

impl Observer for Quiet {
    fn step_ended(&self, _: &StepReport) {}
}

/// An account, and what a process has besides it.
struct Account {
    platform: InMemoryPlatform,
    clock: Arc<dyn Clock>,
    pace: Pace,
}

impl Account {
    fn new() -> Self {
        let clock = VirtualClock::with_time(Duration::from_hours(24));
        let platform = InMemoryPlatform::new(&clock, Duration::ZERO);
        let clock: Arc<dyn Clock> = Arc::new(clock);
        Self { platform, pace: Pace::new(Arc::clone(&clock), &Rates::default()), clock }
    }

    fn provisioner(&self) -> Provisioner<'_> {
        Provisioner::new(&self.platform, Arc::clone(&self.clock), &Quiet)
    }

    async fn apply(&self, spec: &Spec) -> String {
        self.provisioner().apply(spec).await.unwrap().user_pool_id.unwrap()
    }

    /// The settings of a pool whose users are in `users`.
    async fn settings(&self, id: &str, users: &InMemoryDirectory) -> Result<Settings, BackupError> {
        self.reader(users).settings(id).await
    }

    fn reader<'a>(&'a self, users: &'a InMemoryDirectory) -> Backup<'a> {
        let paced = PacedPool { pool: users, pace: &self.pace, clock: self.clock.as_ref(), patience: PATIENCE };
        Backup { source: &self.platform, paced, clock: Arc::clone(&self.clock), observer: &Quiet }
    }

    fn users(&self, id: &str) -> InMemoryPool {
        self.platform.state().users[id].clone()
    }

    /// An archive with the pool and its users.
    async fn back_up(&self, id: &str) -> Archive {
        let users = self.users(id).directory();
        let backup = self.reader(&users);
        let settings = backup.settings(id).await.unwrap();
        let mut exported = Vec::new();
        let digest = backup.export(false, &mut exported, |_, _| {}).await.unwrap();
        let mut archive = Vec::new();
        write(&settings, digest, self.clock.wall_time(), &exported[..], &mut archive).unwrap();
        read(&archive[..]).unwrap()
    }

    async fn restore(&self, archive: &Archive, name: &str) -> Result<Receipt, ProvisionError> {
        let spec = restored_spec(&archive.settings, PoolName::try_from(name.to_owned()).unwrap()).spec;
        let provisioner = Provisioner { restore: Some(archive.id.clone()), ..self.provisioner() };
        provisioner.apply(&spec).await.map_err(|failure| failure.error)
    }
}

fn spec(fields: &Value) -> Spec {
    let mut spec = json!({"name": "shop", "verify": false});
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    let spec: Spec = serde_json::from_value(spec).unwrap();
    spec.check().unwrap();
    spec
}

/// Specs in which each field differs from its default in at least one.
fn specs() -> [Spec; 5] {
    let function = "arn:aws:lambda:eu-west-1:123456789012:function:f";
    [
        spec(&json!({})),
        spec(&json!({
            "sign_in": "username", "aliases": ["email", "phone_number", "preferred_username"], "auto_verified": ["email"],
            "case_sensitive": true, "mfa": "required", "self_sign_up": true, "deletion_protection": false,
            "password_policy": {"minimum_length": 20, "require_symbols": false, "temporary_password_validity_days": 3},
            "custom_attributes": [{"name": "rank", "type": "number", "mutable": false}, "team"],
        })),
        spec(&json!({
            "pre_sign_up_function_arn": function, "user_migration_function_arn": function, "clients": {"web": {
                "auth_flows": ["ALLOW_USER_PASSWORD_AUTH"], "access_token_minutes": 5, "id_token_minutes": 7,
                "refresh_token_days": 90, "prevent_user_existence_errors": false, "write_attributes": ["email", "name"],
                "read_attributes": ["email"]
            }}
        })),
        spec(&json!({
            "clients": {"backend": {}}, "mfa": "optional",
            "identity_pool": {"guests": true, "classic_flow": true, "server_side_token_check": false},
            "permissions_boundary": "arn:aws:iam::123456789012:policy/boundary",
            "authenticated_policy": [
                {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]},
                {"actions": ["dynamodb:GetItem", "dynamodb:Query"],
                 "resources": ["arn:aws:dynamodb:eu-west-1:123456789012:table/orders"]}
            ]
        })),
        spec(&json!({"clients": {}})),
    ]
}

#[tokio::test]
async fn an_applied_spec_is_described_as_the_same_spec() {
    for spec in specs() {
        let account = Account::new();
        let id = account.apply(&spec).await;
        let described = account.settings(&id, &account.users(&id).directory()).await.unwrap();
        assert_eq!(described.spec, spec);
        assert_eq!(described.user_pool_name, "shop");
        let [only] = &described.not_included[..] else { panic!("{:?}", described.not_included) };
        assert!(only.starts_with("never in a backup: "), "{only}");
    }
}

#[tokio::test]
async fn a_restored_pool_differs_only_in_what_is_named() {
    for spec in specs() {
        let account = Account::new();
        let id = account.apply(&spec).await;
        let archive = account.back_up(&id).await;
        let restored = account.restore(&archive, "shop-2").await.unwrap().user_pool_id.unwrap();
        let again = account.back_up(&restored).await;
        let fields: Vec<_> =
            differences(&archive.settings, &again.settings).into_iter().map(|difference| difference.field).collect();
        let mut expected: Vec<&str> = Vec::new();
        expected.extend(spec.self_sign_up.then_some("self_sign_up"));
        expected.extend(spec.pre_sign_up_function_arn.is_some().then_some("pre_sign_up_function_arn"));
        expected.extend(spec.user_migration_function_arn.is_some().then_some("user_migration_function_arn"));
        let (mut fields, mut expected) = (fields, expected.into_iter().map(str::to_owned).collect::<Vec<_>>());
        fields.sort();
        expected.sort();
        assert_eq!(fields, expected);
    }
}

#[tokio::test]
async fn only_permissions_that_users_have_are_described() {
    let statement = json!([{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}]);
    let detach = |account: &Account, _: &str| {
        account.platform.state().roles.get_mut("poolkeeper.shop.eu-west-1").unwrap().policies.clear();
    };
    let widen = |account: &Account, _: &str| {
        let everything = json!({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        account.platform.state().policies.get_mut(POLICY).unwrap().document = everything;
    };
    let deny = |account: &Account, _: &str| {
        let denied =
            json!({"Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::shop/*"}]});
        account.platform.state().policies.get_mut(POLICY).unwrap().document = denied;
    };
    let close = |account: &Account, _: &str| {
        let mut state = account.platform.state();
        let role = state.roles.get_mut("poolkeeper.shop.eu-west-1").unwrap();
        role.entity.document["Statement"][0]["Effect"] = "Deny".into();
    };
    let unlink = |account: &Account, _: &str| account.platform.state().identity_pools[0].thing.state.providers.clear();
    let other_role = |account: &Account, _: &str| {
        let mut state = account.platform.state();
        state
            .authenticated_roles
            .values_mut()
            .for_each(|role| *role = "arn:aws:iam::123456789012:role/other".to_owned());
    };
    let mapped = |account: &Account, _: &str| {
        account.platform.state().other_identity_pool_settings = vec!["RoleMappings".to_owned()];
    };
    let inline = |account: &Account, _: &str| account.platform.state().inline_policies = vec!["deny".to_owned()];
    let further = |account: &Account, _: &str| {
        let mut state = account.platform.state();
        let role = state.roles.get_mut("poolkeeper.shop.eu-west-1").unwrap();
        role.policies.insert("arn:aws:iam::aws:policy/AWSDenyAll".to_owned());
    };
    let changes: [(Change, Option<&str>); 9] = [
        (mapped, Some("RoleMappings")),
        (inline, Some("inline policy deny of role poolkeeper.shop.eu-west-1")),
        (further, Some("policy arn:aws:iam::aws:policy/AWSDenyAll of role ")),
        (detach, None),
        (widen, Some("policy arn:aws:iam::123456789012:policy/poolkeeper.shop.eu-west-1 of role ")),
        (deny, Some("policy arn:aws:iam::123456789012:policy/poolkeeper.shop.eu-west-1 of role ")),
        (close, Some("trust policy of role poolkeeper.shop.eu-west-1")),
        (unlink, Some(": the user pool is not a provider")),
        (other_role, Some("role arn:aws:iam::123456789012:role/other")),
    ];
    for (change, named) in changes {
        let account = Account::new();
        let id = account.apply(&spec(&json!({"authenticated_policy": statement}))).await;
        change(&account, &id);
        let described = account.settings(&id, &account.users(&id).directory()).await.unwrap();
        assert!(described.spec.authenticated_policy.is_empty());
        let is_named = |text: &str| described.not_included.iter().any(|entry| entry.contains(text));
        assert!(named.is_none_or(is_named), "{:?}", described.not_included);
    }
}

#[tokio::test]
async fn pools_and_clients_of_others_are_named_and_not_described() {
    let account = Account::new();
    let id = account.apply(&spec(&json!({}))).await;
    {
        let mut state = account.platform.state();
        let mut client = state.clients[1].clone();
        client.name = "mobile".to_owned();
        state.clients[0].client.has_secret = false;
        state.clients.push(client);
        state.user_pools[0].name = "Shop pool (old)".to_owned();
        state.user_pools[0].tag = None;
    }
    let settings = account.settings(&id, &account.users(&id).directory()).await.unwrap();
    assert_eq!((settings.spec.name.as_str(), settings.user_pool_name.as_str()), ("Shop-pool--old-", "Shop pool (old)"));
    assert!(settings.clients.len() == 3 && settings.clients.iter().all(|client| !client.in_spec));
    for expected in
        ["app client mobile", "app client shop-web", "app client shop-backend", "identity pools: Poolkeeper does not"]
    {
        assert!(settings.not_included.iter().any(|entry| entry.starts_with(expected)), "{:?}", settings.not_included);
    }
    let missing = account.settings("eu-west-1_missing", &account.users(&id).directory()).await;
    assert!(matches!(missing, Err(BackupError::NoUserPool(id)) if id == "eu-west-1_missing"));
}

#[tokio::test]
async fn a_restore_changes_only_a_pool_that_it_created() {
    let account = Account::new();
    let id = account.apply(&spec(&json!({"mfa": "optional"}))).await;
    let archive = account.back_up(&id).await;
    let before = account.platform.state().user_pools.clone();
    for name in ["shop", "other"] {
        if name == "other" {
            // The pool of another backup, which differs in its time only.
            account.restore(&account.back_up(&id).await, name).await.unwrap();
        }
        let refused = account.restore(&archive, name).await.unwrap_err();
        assert!(matches!(refused, ProvisionError::NotRestored { .. }), "{name}: {refused}");
        let spec = restored_spec(&archive.settings, PoolName::try_from(name.to_owned()).unwrap()).spec;
        let provisioner = Provisioner { restore: Some(archive.id.clone()), ..account.provisioner() };
        assert!(matches!(provisioner.plan(&spec).await, Err(ProvisionError::NotRestored { .. })), "{name}");
    }
    assert_eq!(format!("{:?}", account.platform.state().user_pools[0]), format!("{:?}", before[0]));

    let first = account.restore(&archive, "shop-2").await.unwrap().user_pool_id;
    let tags = account.platform.state().user_pools.last().unwrap().thing.tags.clone();
    assert_eq!(tags.get(RESTORE_TAG), Some(&archive.id));
    assert_eq!(account.restore(&archive, "shop-2").await.unwrap().user_pool_id, first);
}

fn group_records() -> Vec<domain::backup::GroupRecord> {
    let groups = json!([
        {"name": "admins", "description": "All", "precedence": 0, "role_arn": "arn:aws:iam::123456789012:role/admin"},
        {"name": "editors"}, {"name": "support", "precedence": 5}
    ]);
    serde_json::from_value(groups).unwrap()
}

async fn restored(pool: &InMemoryPool) -> Result<RestoredGroups, Stop> {
    let account = Account::new();
    restore_groups(
        paced(&pool.directory(), &account.pace, account.clock.as_ref()),
        &group_records(),
        ExistingGroups::Update,
    )
    .await
}

#[tokio::test]
async fn groups_are_restored_without_roles_after_a_stop_at_any_call() {
    let expected = RestoredGroups { created: 3, ..RestoredGroups::default() };
    let undisturbed = InMemoryPool::new();
    assert_eq!(restored(&undisturbed).await.unwrap(), expected);
    for nth in 1..=undisturbed.calls().len() {
        let pool = InMemoryPool::new();
        pool.before_call(nth, || Some(Reason::PermissionMissing));
        assert!(matches!(restored(&pool).await, Err(Stop::Call(_))), "{nth}");
        let RestoredGroups { created, updated, unchanged } = restored(&pool).await.unwrap();
        assert_eq!((created + unchanged, updated), (3, 0), "{nth}");
        let groups = pool.snapshot().groups;
        let all = groups.iter().map(|(name, group)| (name.as_str(), group.precedence, group.role_arn.as_deref()));
        assert_eq!(
            all.collect::<Vec<_>>(),
            [("admins", Some(0), None), ("editors", None, None), ("support", Some(5), None)]
        );
        assert_eq!(groups["admins"].description.as_deref(), Some("All"));
    }
}

/// The second creation after a lost response finds the group of the first.
#[tokio::test]
async fn a_lost_response_leads_to_one_group() {
    let pool = InMemoryPool::new();
    let same = pool.clone();
    pool.before_call(2, move || {
        same.add_group("admins");
        Some(Reason::DeadlineExceeded)
    });
    assert_eq!(restored(&pool).await.unwrap(), RestoredGroups { created: 2, updated: 1, unchanged: 0 });
    assert_eq!(pool.snapshot().groups["admins"].precedence, Some(0));
}

#[tokio::test]
async fn an_existing_group_keeps_its_role_and_gets_its_details() {
    let pool = InMemoryPool::new();
    let details = GroupDetails { description: Some("Old".to_owned()), precedence: None };
    pool.directory().create_group(&"admins".parse().unwrap(), &details).await.unwrap();
    pool.set_group_role("admins", "arn:aws:iam::123456789012:role/kept");
    assert_eq!(restored(&pool).await.unwrap(), RestoredGroups { created: 2, updated: 1, unchanged: 0 });
    let admins = pool.snapshot().groups["admins"].clone();
    assert_eq!((admins.description.as_deref(), admins.precedence), (Some("All"), Some(0)));
    assert_eq!(admins.role_arn.as_deref(), Some("arn:aws:iam::123456789012:role/kept"));
}

#[tokio::test]
async fn differences_name_settings_clients_and_groups() {
    let account = Account::new();
    let id = account.apply(&spec(&json!({}))).await;
    let users = account.users(&id);
    users.add_group("editors");
    let settings = account.settings(&id, &users.directory()).await.unwrap();
    assert_eq!(differences(&settings, &settings), []);

    let mut changed = settings.clone();
    changed.spec.name = PoolName::try_from("other".to_owned()).unwrap();
    changed.spec.password_policy.minimum_length = 8;
    changed.groups[0].description = Some("Edit".to_owned());
    changed.groups.push(serde_json::from_value(json!({"name": "support"})).unwrap());
    let mut client = settings.clients[0].clone();
    (client.name, client.in_spec) = ("mobile".to_owned(), false);
    changed.clients.push(client);
    let found = differences(&settings, &changed);
    let fields: Vec<_> = found.iter().map(|difference| difference.field.as_str()).collect();
    assert_eq!(fields, ["password_policy", "app_clients.mobile", "groups.editors", "groups.support"]);
    assert_eq!((&found[3].current["name"], &found[3].wanted), (&json!("support"), &Value::Null));
    assert_eq!(found[2].wanted, json!({"name": "editors"}));
}
