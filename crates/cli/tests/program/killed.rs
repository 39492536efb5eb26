//! Kills the program (`SIGKILL`) before and after each of its calls, then runs it again.
//!
//! `crates/aws/tests/crash_matrix/` tests the other faults, with a dropped task instead of a killed process.

use std::process::{ExitStatus, Stdio};

use testkit::fault_proxy::{Fault, FaultProxy};
use testkit::local_aws::LocalAws;
use tokio::process::Command;
use tokio::sync::mpsc;

use crate::{TestMachine, text};

const SPEC: &str = r#"{
  "name": "NAME", "sign_in": "username", "self_sign_up": true, "groups": ["support"], "first_admin": "ops@example.com",
  "deletion_protection": false, "on_delete": "delete", "verify": false
}"#;

/// What happens to the program at the proxy's signal.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    /// It receives `SIGKILL`.
    Killed,
    /// It receives `SIGINT`.
    Interrupted,
}

/// Runs the program until it ends or the proxy signals.
pub(crate) async fn run(machine: &TestMachine, proxy: &FaultProxy, arguments: &[&str], until: Until) -> ExitStatus {
    let (kill, mut killed) = mpsc::unbounded_channel();
    proxy.on_kill(move || kill.send(()).unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_poolkeeper"))
        .args(arguments)
        .env_clear()
        .env("HOME", machine.home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_ENDPOINT_URL", proxy.endpoint_url())
        .env("AWS_ACCESS_KEY_ID", LocalAws::ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", LocalAws::SECRET_KEY)
        .env("AWS_REGION", LocalAws::REGION)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    tokio::select! {
        ended = child.wait() => ended.unwrap(),
        Some(()) = killed.recv() => {
            match until {
                Until::Killed => child.start_kill().unwrap(),
                Until::Interrupted => {
                    let id = child.id().unwrap().to_string();
                    assert!(Command::new("kill").args(["-INT", &id]).status().await.unwrap().success());
                }
            }
            child.wait().await.unwrap()
        }
    }
}

#[tokio::test]
async fn next_run_completes_apply_or_destroy_killed_at_any_call() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::bare();
    let mut cases = 0;
    for (command, fault) in [
        ("apply", Fault::KilledBefore),
        ("apply", Fault::KilledAfter),
        ("destroy", Fault::KilledBefore),
        ("destroy", Fault::KilledAfter),
    ] {
        let yes: &[&str] = if command == "destroy" { &["--yes"] } else { &[] };
        for nth in 1.. {
            let proxy = FaultProxy::start(aws.endpoint_url()).await.unwrap();
            let case = format!("{command}-{nth}-{}", if fault == Fault::KilledAfter { "after" } else { "before" });
            let spec = machine.file("pool.json", &SPEC.replace("NAME", &case));
            let spec = ["--spec", text(&spec)];
            if command == "destroy" {
                assert!(
                    run(&machine, &proxy, &[&["apply"][..], &spec].concat(), Until::Killed).await.success(),
                    "{case}"
                );
                proxy.reset();
            }
            proxy.plan_at(nth, fault);
            let ended = run(&machine, &proxy, &[&[command][..], &spec, yes].concat(), Until::Killed).await;
            proxy.reset();
            let again = run(&machine, &proxy, &[&[command][..], &spec, yes].concat(), Until::Killed).await;
            assert!(again.success(), "{case}: {again}");

            // After `apply`, every resource exists once and matches the spec; after `destroy`, none exists.
            let plan = run(&machine, &proxy, &[&["plan", "--exit-code"][..], &spec].concat(), Until::Killed).await;
            assert_eq!(plan.code(), Some(if command == "apply" { 0 } else { 3 }), "{case}");
            if command == "apply" {
                assert!(
                    run(&machine, &proxy, &[&["destroy", "--yes"][..], &spec].concat(), Until::Killed).await.success(),
                    "{case}"
                );
            }
            if ended.success() {
                // The command makes fewer than `nth` calls.
                break;
            }
            assert_eq!(ended.code(), None, "{case}: killed, not failed: {ended}");
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert!(cases > 70, "only {cases} cases");
}
