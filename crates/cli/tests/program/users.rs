//! `poolkeeper users` on the emulator: files with bad rows, round trips, and imports that are killed or interrupted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use fastrand::Rng;
use serde_json::{Value, json};
use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::local_aws::LocalAws;
use tokio::task::spawn_blocking;

use crate::doctor::machine;
use crate::killed::{Until, run};
use crate::{TestMachine, text};

/// Without pauses between calls, because the emulator has no quotas.
pub(crate) const FAST: [&str; 11] = [
    "--quota-share=100",
    "--quota=UserCreation=100000",
    "--quota=UserAccountRecovery=100000",
    "--quota=UserRead=100000",
    "--quota=UserUpdate=100000",
    "--quota=UserResourceRead=100000",
    "--quota=UserResourceUpdate=100000",
    "--quota=UserList=100000",
    "--quota=UserPoolRead=100000",
    "--quota=UserPoolResourceRead=100000",
    "--quota=UserPoolResourceUpdate=100000",
];

/// An emulator with user pools.
pub(crate) struct Pools {
    pub(crate) aws: LocalAws,
    pub(crate) machine: TestMachine,
}

impl Pools {
    pub(crate) async fn start() -> Self {
        let aws = LocalAws::start(None).await.unwrap();
        let machine = machine(aws.endpoint_url());
        Self { aws, machine }
    }

    /// Creates a pool, and returns its id.
    fn create(&self, name: &str) -> String {
        let spec = json!({
            "name": name, "sign_in": "username", "groups": ["editors", "support"], "custom_attributes": ["team"],
            "verify": false
        });
        let spec = self.machine.file(&format!("{name}.json"), &spec.to_string());
        let receipt = self.machine.run(&["apply", "--spec", text(&spec), "--json"]).expect(0).json();
        receipt["user_pool_id"].as_str().unwrap().to_owned()
    }

    /// Runs a command on users of the pool, and returns its document.
    pub(crate) fn users(&self, command: &str, file: &Path, pool: &str, options: &[&str], code: i32) -> Value {
        let arguments =
            [&["users", command, text(file), "--user-pool-id", pool, "--json"], &FAST[..], options].concat();
        self.machine.run(&arguments).expect(code).json()
    }
}

/// Rows with each kind of password, groups and attributes.
fn rows(count: usize) -> String {
    let row = |number: usize| {
        let name = format!("user-{number}");
        let rest = match number % 4 {
            0 => {
                json!({"password": {"permanent": format!("Correct-horse-{number}")}, "groups": ["editors", "support"]})
            }
            1 => json!({"password": {"temporary": format!("Correct-horse-{number}")}, "enabled": false}),
            2 => {
                json!({"invite": true, "attributes": {"email": format!("{name}@example.com"), "email_verified": "true"}})
            }
            _ => json!({"attributes": {"custom:team": "a", "name": format!("Ünï {number}")}, "groups": ["support"]}),
        };
        let mut row = json!({"username": name});
        row.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        format!("{row}\n")
    };
    (0..count).map(row).collect()
}

fn read_lines(path: &Path) -> Vec<Value> {
    fs::read_to_string(path).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The results without the first line, in the order of the file.
fn results(file: &Path) -> Vec<Value> {
    let mut results = read_lines(&PathBuf::from(format!("{}.results.jsonl", file.display())))[1..].to_vec();
    results.sort_by_key(|result| result["line"].as_u64());
    results
}

#[tokio::test]
async fn exported_users_are_equal_after_an_import() {
    let pools = Pools::start().await;
    spawn_blocking(move || {
        let [source, target] = ["source", "target"].map(|name| pools.create(name));
        let file = pools.machine.file("users.jsonl", &rows(80));
        let imported = pools.users("import", &file, &source, &[], 0);
        assert_eq!(
            imported["summary"],
            json!({"rows": 80, "outcomes": {"created": 80}, "codes": {}, "not_moved": ["password-recovery"]})
        );
        pools.users("verify", &file, &source, &[], 0);

        let exported = pools.machine.home.path().join("exported.jsonl");
        let document = pools.users("export", &exported, &source, &[], 0);
        assert_eq!(document["rows"], 80);
        assert_eq!(document["not_moved"], json!(["sub", "password", "authenticator-app", "devices"]));
        let again = pools.machine.run(&["users", "export", text(&exported), "--user-pool-id", &source]).expect(2);
        assert!(again.stderr.contains("exported.jsonl: file exists; choose another name"), "{}", again.stderr);
        pools.users("import", &exported, &target, &[], 0);
        pools.users("verify", &exported, &target, &[], 0);
        let copied = pools.machine.home.path().join("copied.jsonl");
        pools.users("export", &copied, &target, &[], 0);
        let without_origin = |path: &Path| {
            let rows = read_lines(path).into_iter().map(|mut row| {
                row.as_object_mut().unwrap().remove("origin").unwrap();
                row.to_string()
            });
            rows.collect::<BTreeSet<_>>()
        };
        assert_eq!(without_origin(&copied), without_origin(&exported));

        // Without --json, the document is on standard output and the progress on standard error.
        let stdout = pools.machine.run(&["users", "export", "-", "--user-pool-id", &source]).expect(0);
        assert_eq!(stdout.stdout.lines().count(), 80);
        assert!(stdout.stderr.contains("Exported 80 users") && stdout.stderr.contains("Not moved:\n  - `sub`:"));
    })
    .await
    .unwrap();
}

/// One bad row of each kind. The other rows are imported.
#[tokio::test]
async fn each_bad_row_has_a_reason_and_the_others_are_imported() {
    let pools = Pools::start().await;
    spawn_blocking(move || {
        let pool = pools.create("shop");
        let old = pools.machine.file("old.jsonl", "{\"username\": \"old\", \"attributes\": {\"name\": \"Old\"}}\n");
        pools.users("import", &old, &pool, &[], 0);
        let bad = r#"{"username": "first"}
{"username":
{"username": "b", "nickname": "x"}
{"username": "c", "attributes": {"custom:unknown": "x"}}
{"username": "d", "password": {"permanent": "weak"}}
{"username": "old", "attributes": {"name": "New"}}
{"username": "e", "groups": ["missing"]}
{"username": "first", "attributes": {"name": "Again"}}
{"username": "last"}
"#;
        let file = pools.machine.file("bad.jsonl", bad);
        let dry_run = ["users", "import", text(&file), "--user-pool-id", &pool, "--dry-run"];
        let forecast = pools.machine.run(&[&dry_run[..], &FAST].concat()).expect(7);
        assert!(forecast.stdout.contains("Forecast: 2 created, 1 skipped, 6 failed"), "{}", forecast.stdout);
        assert!(forecast.stdout.ends_with("Nothing was changed.\n"), "{}", forecast.stdout);

        let import = ["users", "import", text(&file), "--user-pool-id", &pool];
        let imported = pools.machine.run(&[&import[..], &FAST].concat()).expect(7);
        let (mut rows, rest): (Vec<_>, Vec<_>) = imported.stdout.lines().partition(|line| line.contains(" line "));
        rows.sort_unstable();
        assert!(
            rest[0].starts_with("Done: 2 created, 1 skipped, 6 failed (") && rest[1].starts_with("Results: "),
            "{rest:?}"
        );
        insta::assert_snapshot!(rows.join("\n"));
        assert_eq!(results(&file).len(), 9);

        // A second run has nothing to do, and an edited file is another import.
        let again = pools.machine.run(&[&import[..], &FAST].concat()).expect(7);
        assert!(again.stdout.starts_with("Done: 2 created, 1 skipped, 6 failed ("), "{}", again.stdout);
        fs::write(&file, bad.replace("missing", "editors")).unwrap();
        let edited = pools.machine.run(&[&import[..], &FAST].concat()).expect(2);
        assert!(
            edited.stderr.contains("belongs to another import: the file with the users has changed"),
            "{}",
            edited.stderr
        );
        let other = pools.machine.home.path().join("other.jsonl");
        let edited =
            pools.users("import", &file, &pool, &["--update", "--trust-user-names", "--results", text(&other)], 7);
        assert_eq!(edited["summary"]["outcomes"], json!({"created": 1, "updated": 1, "unchanged": 2, "failed": 5}));
        let compared = pools.users("verify", &old, &pool, &[], 7);
        assert_eq!(compared["mismatches"][0]["differences"], json!(["attributes.name"]));
        assert_eq!((&compared["rows"], &compared["other_users"]), (&json!(1), &json!(3)));
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn files_and_arguments_that_cannot_be_used_change_nothing() {
    let pools = Pools::start().await;
    spawn_blocking(move || {
        let pool = pools.create("shop");
        let file = pools.machine.file("users.jsonl", "{\"username\": \"mia\"}\n");
        let csv = pools.machine.file("users.csv", "username\nmia\n");
        let run = |arguments: &[&str]| {
            let run = pools.machine.run(&[&["users"], arguments, &["--user-pool-id", &pool]].concat()).expect(2);
            run.stderr.replace(text(pools.machine.home.path()), "HOME")
        };
        let missing = run(&["import", "missing.jsonl"]);
        assert!(missing.starts_with("Error: missing.jsonl: No such file or directory"), "{missing}");
        assert_eq!(run(&["import", text(&csv)]), "Error: HOME/users.csv: line 1: missing column `cognito:username`\n");
        let same = run(&["import", text(&file), "--results", text(&file)]);
        assert_eq!(same, "Error: --results must name another file than the users\n");
        let not_a_journal = run(&["import", text(&file), "--results", text(&csv)]);
        assert!(not_a_journal.contains("is not a file of results"), "{not_a_journal}");
        let unknown = ["users", "import", text(&file), "--stack", "missing"];
        let unknown = pools.machine.run(&unknown).expect(1);
        assert!(unknown.stderr.contains("user pool of the stack missing does not exist"), "{}", unknown.stderr);
        assert_eq!(
            pools.users("verify", &file, &pool, &[], 7)["mismatches"],
            json!([{"line": 1, "username": "mia", "differences": []}])
        );
    })
    .await
    .unwrap();
}

/// A user of an import job needs an attribute that the pool verifies.
#[tokio::test]
async fn a_pool_that_verifies_nothing_is_not_changed_with_import_jobs() {
    let pools = Pools::start().await;
    spawn_blocking(move || {
        let pool = pools.create("shop");
        let text = "{\"username\": \"ray\"}\n{\"username\": \"mia\", \"password\": {\"bcrypt\": \"x\"}}\n";
        let file = pools.machine.file("users.jsonl", text);
        let role = ["--import-job-role", "arn:aws:iam::000000000000:role/import-log"];
        for options in [&role[..], &[&role[..], &["--import-jobs", "all"]].concat()] {
            let document = pools.users("import", &file, &pool, &[options, &["--dry-run"]].concat(), 1);
            let error = document["error"].as_str().unwrap();
            assert!(error.starts_with("import jobs require a user pool that verifies e-mail"), "{document}");
        }
        let document = pools.users("import", &file, &pool, &role, 1);
        assert_eq!((&document["summary"]["rows"], results(&file).len()), (&json!(0), 0));
        assert_eq!(pools.users("verify", &file, &pool, &[], 7)["mismatches"].as_array().unwrap().len(), 2);

        // The results of an import without jobs are final.
        let other = pools.machine.run(&["users", "import", crate::text(&file), "--user-pool-id", &pool]).expect(2);
        assert!(other.stderr.contains("options --import-job-role and --import-jobs differ"), "{}", other.stderr);
        let wrong = pools.machine.run(&[
            "users",
            "import",
            crate::text(&file),
            "--user-pool-id",
            &pool,
            "--import-jobs",
            "all",
        ]);
        assert!(wrong.expect(2).stderr.contains("--import-job-role <ARN>"));
    })
    .await
    .unwrap();
}

/// Runs an import through the proxy.
async fn import(machine: &TestMachine, proxy: &FaultProxy, file: &Path, pool: &str, until: Until) -> ExitStatus {
    let import = ["users", "import", text(file), "--user-pool-id", pool];
    run(machine, proxy, &[&import[..], &FAST].concat(), until).await
}

/// The number of users that the calls since the last reset created.
fn created(proxy: &FaultProxy) -> usize {
    let calls = proxy.calls();
    calls.iter().filter(|call| call.operation == "AdminCreateUser" && call.status == Some(200)).count()
}

/// The recipients of mails, who received one mail each.
async fn recipients(aws: &LocalAws) -> BTreeSet<String> {
    let mails = aws.mails().await.unwrap();
    let recipients: BTreeSet<_> = mails.iter().flat_map(|mail| mail.to.clone()).collect();
    assert_eq!(recipients.len(), mails.len(), "a user was invited twice");
    recipients
}

#[tokio::test]
async fn an_import_killed_at_50_random_calls_ends_with_one_result_per_row() {
    const ROWS: usize = 400;
    let pools = Pools::start().await;
    let (pool, pools) = spawn_blocking(move || (pools.create("shop"), pools)).await.unwrap();
    let file = pools.machine.file("users.jsonl", &rows(ROWS));
    let proxy = FaultProxy::start(pools.aws.endpoint_url()).await.unwrap();
    let mut random = Rng::with_seed(17);
    for kill in 1..=50 {
        let fault = if random.bool() { Fault::KilledBefore } else { Fault::KilledAfter };
        proxy.plan_at(random.usize(1..=150), fault);
        let ended = import(&pools.machine, &proxy, &file, &pool, Until::Killed).await;
        assert_eq!(ended.code(), None, "the import ended before kill {kill}");
        proxy.reset();
    }
    // Lost and wrong responses, and throttled calls.
    for (nth, fault) in
        [(9, Fault::AnswerLost), (12, Fault::FailedAfterSuccess), (15, Fault::Throttled), (20, Fault::Failed)]
    {
        proxy.plan_at(nth, fault);
    }
    let ended = import(&pools.machine, &proxy, &file, &pool, Until::Killed).await;
    assert_eq!(ended.code(), Some(0));

    let invited = (0..ROWS).filter(|number| number % 4 == 2).map(|number| format!("user-{number}@example.com"));
    assert_eq!(recipients(&pools.aws).await, invited.collect::<BTreeSet<_>>());
    let results = results(&file);
    assert!(results.iter().all(|result| result["outcome"] == "created"), "{results:?}");
    let lines: Vec<_> = results.iter().map(|result| result["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, (1..=ROWS as u64).collect::<Vec<_>>());
    let verified = spawn_blocking(move || pools.users("verify", &file, &pool, &[], 0)).await.unwrap();
    assert_eq!((&verified["rows"], &verified["other_users"]), (&json!(ROWS), &json!(0)));
}

#[tokio::test]
async fn an_interrupted_import_ends_its_rows_and_continues_later() {
    let pools = Pools::start().await;
    let (pool, pools) = spawn_blocking(move || (pools.create("shop"), pools)).await.unwrap();
    let file = pools.machine.file("users.jsonl", &rows(200));
    let proxy = FaultProxy::start(pools.aws.endpoint_url()).await.unwrap();
    proxy.plan_at(100, Fault::KilledAfter);
    let ended = import(&pools.machine, &proxy, &file, &pool, Until::Interrupted).await;
    assert_eq!(ended.code(), Some(130));
    // The response of the call at which the signal was sent is lost.
    let first = results(&file);
    assert!(first.iter().all(|result| result["outcome"] == "created") && first.len() < 200, "{}", first.len());
    assert_eq!(created(&proxy), first.len());
    proxy.reset();
    let document = spawn_blocking(move || {
        let document = pools.users("import", &file, &pool, &[], 0);
        assert_eq!(results(&file).len(), 200);
        document
    });
    assert_eq!(document.await.unwrap()["summary"]["outcomes"], json!({"created": 200}));
}
