//! `poolkeeper backup`, `restore` and `diff` on the emulator.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use domain::backup::{Archive, ExportedUsers, Settings, differences, read, write};
use fastrand::Rng;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::local_aws::Tooling as _;
use time::OffsetDateTime;
use tokio::task::spawn_blocking;

use crate::killed::{Until, run};
use crate::text;
use crate::users::{FAST, Pools};

/// Prints the secrets of all app clients of a user pool.
const SECRETS: &str = r#"
import sys
import boto3
idp = boto3.client("cognito-idp")
for client in idp.list_user_pool_clients(UserPoolId=sys.argv[1], MaxResults=60)["UserPoolClients"]:
    described = idp.describe_user_pool_client(UserPoolId=sys.argv[1], ClientId=client["ClientId"])
    print(described["UserPoolClient"].get("ClientSecret", ""))
"#;

/// Users with groups, attributes and a disabled user.
fn users(count: usize) -> String {
    let row = |number: usize| {
        let mut row = json!({"version": 1, "username": format!("user-{number}"), "enabled": !number.is_multiple_of(5)});
        if number.is_multiple_of(2) {
            row["groups"] = json!(["editors", "support"]);
            row["attributes"] = json!({
                "custom:team": "a", "email": format!("user-{number}@example.com"), "email_verified": "true"
            });
        }
        format!("{row}\n")
    };
    (0..count).map(row).collect()
}

/// Writes a backup of a pool that never existed.
fn seed(path: &Path, count: usize) {
    let spec = json!({
        "name": "seed", "sign_in": "username", "custom_attributes": ["team"], "deletion_protection": false,
        "authenticated_policy": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}], "verify": false
    });
    let groups =
        json!([{"name": "editors", "description": "Edit", "precedence": 3}, {"name": "support", "precedence": 5}]);
    let settings = Settings {
        region: "us-east-1".to_owned(),
        user_pool_id: "us-east-1_seed".to_owned(),
        user_pool_name: "seed".to_owned(),
        spec: serde_json::from_value(spec).unwrap(),
        clients: Vec::new(),
        groups: serde_json::from_value(groups).unwrap(),
        not_included: Vec::new(),
    };
    let users = users(count);
    let mut digest = domain::backup::Digest::new(users.as_bytes());
    std::io::copy(&mut digest, &mut std::io::sink()).unwrap();
    let (bytes, sha256) = digest.finish();
    let exported = ExportedUsers { rows: count as u64, bytes, sha256, with_mfa: false, not_moved: BTreeSet::new() };
    let file = File::create(path).unwrap();
    write(&settings, exported, OffsetDateTime::UNIX_EPOCH, users.as_bytes(), file).unwrap();
}

fn archive(path: &Path) -> Archive {
    read(File::open(path).unwrap()).unwrap()
}

/// The users without what a restore cannot set.
fn rows(path: &Path) -> BTreeSet<String> {
    let users = archive(path).users;
    let content = fs::read(path).unwrap();
    let section = &content[usize::try_from(users.offset).unwrap()..][..usize::try_from(users.bytes).unwrap()];
    let row = |line: &str| {
        let mut row: Value = serde_json::from_str(line).unwrap();
        row.as_object_mut().unwrap().remove("origin").unwrap();
        row.to_string()
    };
    str::from_utf8(section).unwrap().lines().map(row).collect()
}

impl Pools {
    fn path(&self, name: &str) -> PathBuf {
        self.machine.home.path().join(name)
    }

    fn run_fast(&self, arguments: &[&str], code: i32) -> Value {
        self.machine.run(&[arguments, &FAST, &["--json"]].concat()).expect(code).json()
    }

    /// Restores an archive, and returns the id of the pool and the document.
    fn restore(&self, file: &Path, name: &str) -> (String, Value) {
        let document = self.run_fast(&["restore", text(file), "--name", name], 0);
        (document["user_pool_id"].as_str().unwrap().to_owned(), document)
    }
}

#[tokio::test]
async fn a_backup_of_a_restored_pool_equals_the_backup() {
    let pools = Pools::start().await;
    let (seeded, shop, copy) = (pools.path("seed.tar"), pools.path("shop.tar"), pools.path("copy.tar"));
    seed(&seeded, 80);
    let (source, pools) = {
        let seeded = seeded.clone();
        spawn_blocking(move || (pools.restore(&seeded, "source").0, pools)).await.unwrap()
    };
    let secrets = pools.aws.run("python", &["-c", SECRETS, &source], None).await.unwrap();
    assert!(secrets.succeeded, "{}", secrets.last_lines());
    spawn_blocking(move || {
        let backed_up = pools.run_fast(&["backup", text(&shop), "--user-pool-id", &source], 0);
        assert_eq!(backed_up["manifest"]["counts"], json!({"clients": 2, "groups": 2, "users": 80}));
        assert_eq!(backed_up["manifest"]["not_moved"], json!(["sub", "password", "authenticator-app", "devices"]));
        assert_eq!(backed_up["manifest"]["not_included"].as_array().unwrap().len(), 1, "{backed_up}");
        assert_eq!(fs::metadata(&shop).unwrap().permissions().mode() & 0o777, 0o600);
        let secrets: Vec<_> = secrets.stdout.lines().filter(|secret| !secret.is_empty()).collect();
        assert_eq!(secrets.len(), 1);
        assert!(!String::from_utf8_lossy(&fs::read(&shop).unwrap()).contains(secrets[0]));
        let again = pools.machine.run(&["backup", text(&shop), "--user-pool-id", &source]).expect(2);
        assert!(again.stderr.contains("shop.tar: file exists; choose another name"), "{}", again.stderr);

        let dry_run = pools.machine.run(&["restore", text(&shop), "--name", "target", "--dry-run"]).expect(0);
        for expected in
            ["+ user pool", "The backup contains 80 users and 2 groups.", "Not restored:\n", "Nothing was changed.\n"]
        {
            assert!(dry_run.stdout.contains(expected), "{}", dry_run.stdout);
        }
        let (target, document) = pools.restore(&shop, "target");
        assert_eq!(document["groups"], json!({"created": 2, "updated": 0, "unchanged": 0}));
        assert_eq!(document["summary"]["outcomes"], json!({"created": 80}));
        pools.run_fast(&["backup", text(&copy), "--user-pool-id", &target], 0);
        assert_eq!(rows(&copy), rows(&shop));
        assert_eq!(differences(&archive(&shop).settings, &archive(&copy).settings), []);
        for pool in [&source, &target] {
            let equal = pools.run_fast(&["diff", text(&shop), "--user-pool-id", pool], 0);
            assert_eq!((&equal["settings"], &equal["users"]["mismatches"]), (&json!([]), &json!([])));
        }
        // A second run changes nothing, and another archive does not change the pool.
        assert_eq!(pools.restore(&shop, "target").1["groups"]["unchanged"], 2);
        let refused = pools.machine.run(&["restore", text(&seeded), "--name", "target"]).expect(1);
        assert!(refused.stderr.contains("was not created by the restore of this backup"), "{}", refused.stderr);

        let mut spec = archive(&shop).settings.spec;
        spec.name = "target".to_owned().try_into().unwrap();
        spec.password_policy.minimum_length = 10;
        spec.groups.insert("writers".to_owned());
        let spec = pools.machine.file("target.json", &serde_json::to_string(&spec).unwrap());
        pools.machine.run(&["apply", "--spec", text(&spec)]).expect(0);
        let changes = pools
            .machine
            .file("changes.jsonl", "{\"username\": \"user-1\", \"groups\": [\"writers\"]}\n{\"username\": \"new\"}\n");
        pools.users("import", &changes, &target, &["--update", "--trust-user-names"], 0);
        let compared = pools.machine.run(&["diff", text(&shop), "--user-pool-id", &target]).expect(7);
        for expected in [
            "Settings (user pool → backup):\n",
            "password_policy.minimum_length: 10 → 12\n",
            "groups.writers: name writers, precedence 0 → nothing\n",
            " user-1: differs in groups.writers\n",
            "80 rows, 1 differ or are missing, 1 other users in the pool",
        ] {
            assert!(compared.stdout.contains(expected), "{expected:?} in {}", compared.stdout);
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_restore_killed_at_random_calls_ends_with_an_equal_pool() {
    let pools = Pools::start().await;
    let path = pools.path("seed.tar");
    seed(&path, 120);
    let proxy = FaultProxy::start(pools.aws.endpoint_url()).await.unwrap();
    let restore = [&["restore", text(&path), "--name", "shop"], &FAST[..]].concat();
    let mut random = Rng::with_seed(5);
    for kill in 1..=15 {
        let fault = if random.bool() { Fault::KilledBefore } else { Fault::KilledAfter };
        // Within the creation of the pool at first, and within the import of the users later.
        proxy.plan_at(random.usize(5..=15 + 8 * kill), fault);
        let ended = run(&pools.machine, &proxy, &restore, Until::Killed).await;
        assert_eq!(ended.code(), None, "the restore ended before kill {kill}");
        proxy.reset();
    }
    let ended = run(&pools.machine, &proxy, &restore, Until::Killed).await;
    assert_eq!(ended.code(), Some(0));
    spawn_blocking(move || {
        let spec = pools.machine.file("shop.json", "{\"name\": \"shop\"}");
        let equal = pools.run_fast(&["diff", text(&path), "--spec", text(&spec)], 0);
        let users = json!({"rows": 120, "unreadable": 0, "not_compared": 0, "other_users": 0, "mismatches": []});
        assert_eq!(equal["users"], users);
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn archives_and_pools_that_cannot_be_used_change_nothing() {
    let pools = Pools::start().await;
    let path = pools.path("seed.tar");
    seed(&path, 3);
    spawn_blocking(move || {
        let mut content = fs::read(&path).unwrap();
        let position = content.windows(6).position(|bytes| bytes == b"user-1").unwrap();
        content[position] = b'U';
        fs::write(&path, content).unwrap();
        let spec = pools.machine.file("other.json", "{\"name\": \"other\"}");
        for arguments in
            [&["restore", text(&path), "--name", "other"][..], &["diff", text(&path), "--spec", text(&spec)]]
        {
            let changed = pools.machine.run(arguments).expect(2);
            assert!(
                changed.stderr.contains("seed.tar: `users.jsonl` was changed after the backup"),
                "{}",
                changed.stderr
            );
        }
        let plan = pools.machine.run(&["plan", "--spec", text(&spec)]).expect(0);
        assert!(plan.stdout.ends_with("\nPlan: 8 to create, 1 unchanged.\n"), "{}", plan.stdout);
        let new = pools.path("new.tar");
        let missing = pools.machine.run(&["backup", text(&new), "--user-pool-id", "us-east-1_missing"]).expect(1);
        assert!(missing.stderr.contains("user pool us-east-1_missing does not exist"), "{}", missing.stderr);
        // Neither the archive nor a temporary file remains.
        let names = fs::read_dir(pools.machine.home.path()).unwrap().map(|entry| entry.unwrap().file_name());
        assert_eq!(names.collect::<BTreeSet<_>>(), ["other.json", "seed.tar"].map(Into::into).into());
    })
    .await
    .unwrap();
}
