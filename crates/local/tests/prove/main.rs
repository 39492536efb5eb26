//! `make prove` end to end, on an emulator at `AWS_ENDPOINT_URL` in place of AWS.
//!
//! Each test is one run with many assertions, because most runs deploy two stacks.

#![expect(clippy::unwrap_used, reason = "tests")]

mod account_script;
mod machine;

use std::net::TcpListener;

use machine::TestMachine;
use testkit::local_aws::LocalAws;

#[tokio::test]
async fn runs_every_flow_and_leaves_nothing() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    let run = machine.run(&["--yes", "--mailbox", "me@example.org"], "");
    run.expect(0);

    for shown in ["less than 1 US cent", "stack prove-", "→ no resources remain", "\nLeft in the account: nothing\n"]
    {
        assert!(run.stdout.contains(shown), "{shown}\n{}", run.stdout);
    }
    machine::expect_nothing_left(&aws).await;

    let report = machine.report();
    for flow in ["F3", "Admin", "F1", "F2", "F4", "F5", "S", "I", "G"] {
        assert!(report.contains(&format!("\n| {flow} | ")), "{flow}\n{report}");
    }
    assert!(report.contains("an **emulator**") && report.contains("| problems | none |"), "{report}");
    assert!(!report.contains("**failed**") && !report.contains("**refuted**"), "{report}");
    for (statement, verdict, observed) in machine::STATEMENTS {
        let row = report.lines().find(|line| line.starts_with(&format!("| {statement}"))).unwrap_or_default();
        assert!(row.contains(&format!("| {verdict} | {observed}")), "{statement}: {row}\n{report}");
    }
    assert!(!report.contains("the probe failed") && !report.contains("not reached"), "{report}");
    for private in ["000000000000", "me@example.org", "eyJ", "Prove-1-", "Correct-Horse", "Own-Password"] {
        assert!(!report.contains(private), "{private} in\n{report}");
    }
}

#[tokio::test]
async fn failing_step_is_reported_and_everything_is_deleted() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    let by_code = ["--parameter", "AutoConfirm=nobody", "--parameter", "AutoVerifyEmail=nobody"];
    let run = machine.run(&[&["--yes"][..], &by_code].concat(), "");
    run.expect(1);

    let expected = "expected a confirmed user (AutoConfirm=everyone), got an unconfirmed user";
    let report = machine.report();
    assert!(run.stderr.contains(expected) && report.contains(expected), "{}\n{report}", run.stderr);
    let row = report.lines().find(|line| line.starts_with("| F4 | SignUp of ann")).unwrap();
    assert!(row.contains("**failed**"), "{row}");
    assert!(report.contains("| F2 | DELETE /v1/users/ray | ok |"), "the other flows run\n{report}");
    let is_hidden = report.contains("`AutoConfirm` (given by the operator)") && !report.contains("AutoConfirm=nobody");
    assert!(is_hidden && report.contains("`SignIn=username`"), "{report}");
    machine::expect_nothing_left(&aws).await;
}

#[tokio::test]
async fn failing_deployment_is_reported_and_deleted() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    let run = machine.run(&["--yes", "--parameter", "FirstAdminEmail=nonsense"], "");
    run.expect(1);

    let reason = "UserPool (Custom::PoolkeeperUserPool)";
    let report = machine.report();
    assert!(run.stderr.contains(reason) && report.contains(reason), "{}", run.stderr);
    for flow in ["F3", "Admin", "F1", "F2", "F4", "F5", "S", "I", "G"] {
        let row = format!("| {flow} | every step | skipped | not proved: not reached |");
        assert!(report.contains(&row), "{row}\n{report}");
    }
    for (statement, ..) in machine::STATEMENTS {
        let row = report.lines().find(|line| line.starts_with(&format!("| {statement}"))).unwrap_or_default();
        assert!(row.contains("| not proved | not reached |"), "{statement}: {row}\n{report}");
    }
    machine::expect_nothing_left(&aws).await;
}

#[tokio::test]
async fn ctrl_c_during_the_deployment_deletes_everything() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    let mut running = machine.start(&["--yes"], "");
    let name = running.name_after("✓ create the stack ").replace("-probes", "");
    while !machine::stack_exists(&aws, &name).await {
        assert!(running.is_running(), "it ended before the stack {name} existed");
    }
    running.interrupt();
    let run = running.finish();
    run.expect(130);

    assert!(run.stdout.contains("\nInterrupted.\n"), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("✓ delete the stack {name} → deleted")), "{}", run.stdout);
    assert!(machine.report().contains("The run was interrupted."));
    machine::expect_nothing_left(&aws).await;
}

#[tokio::test]
async fn ctrl_c_deletes_the_second_pool_as_well() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    let mut running = machine.start(&[], "yes\n");
    running.wait_for("✓ invoke the bootstrap: apply");
    running.interrupt();
    let run = running.finish();
    run.expect(130);

    assert!(
        run.stdout.contains("left: IAM policies: ") && run.stdout.contains("→ no resources remain"),
        "{}",
        run.stdout
    );
    assert!(!run.stderr.contains("Resources remain in the account"), "{}", run.stderr);
    let report = machine.report();
    for row in ["| F3 | the current step | skipped | interrupted |", "| F1 | every step | skipped | not proved"] {
        assert!(report.contains(row), "{row}\n{report}");
    }
    machine::expect_nothing_left(&aws).await;
}

#[tokio::test]
async fn second_ctrl_c_stops_the_deletion_and_names_leftovers() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    let mut running = machine.start(&["--yes"], "");
    let name = running.name_after("✓ create the stack ").replace("-probes", "");
    running.interrupt();
    running.wait_for("Deleting all resources.");
    running.interrupt();
    let run = running.finish();
    run.expect(130);
    let command = format!("make prove ARGUMENTS=\"--region us-east-1 --clean {name}\"");
    assert!(run.stderr.contains(&command) && machine.report().contains(&command), "{}", run.stderr);
}

#[tokio::test]
async fn keep_prints_the_stacks_and_clean_deletes_them() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    let mut running = machine.start(&["--yes", "--keep"], "");
    let helpers = running.name_after("✓ create the stack ");
    let name = helpers.replace("-probes", "");
    running.interrupt();
    let run = running.finish();
    run.expect(130);
    let command = format!("make prove ARGUMENTS=\"--region us-east-1 --clean {name}\"");
    assert_eq!(run.stdout.matches(&command).count(), 2, "{}", run.stdout);
    assert!(machine.report().contains("started with `--keep`"), "{}", machine.report());
    assert!(machine::stack_exists(&aws, &helpers).await);

    for another in ["prove-23456789", &name] {
        machine.run(&["--region", "us-east-1", "--clean", another], "").expect(0);
        assert_eq!(machine::stack_exists(&aws, &helpers).await, *another != name);
    }
    machine::expect_nothing_left(&aws).await;
}

#[tokio::test]
async fn declined_confirmation_creates_nothing() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    for (answer, reason) in [("no\n", "declined"), ("y\n", "declined"), ("", "--yes"), ("\n", "--yes")] {
        let run = machine.run(&[], answer);
        run.expect(2);
        assert!(run.stdout.contains("It creates\n") && run.stdout.contains("Type yes: "), "{}", run.stdout);
        assert!(run.stderr.contains(reason) && run.stderr.contains("Nothing was created"), "{}", run.stderr);
    }
    machine::expect_nothing_left(&aws).await;
    assert!(!machine.has_report());
}

#[tokio::test]
async fn reserved_and_unknown_parameters_create_nothing() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    for (parameter, reason) in [
        ("PoolName=shop", "--parameter PoolName cannot be given"),
        ("PassableRoleArns=*", "--parameter PassableRoleArns cannot be given"),
        ("AutoConfrim=nobody", "unknown parameter `AutoConfrim` of template.yaml"),
    ] {
        let run = machine.run(&["--yes", "--parameter", parameter], "");
        run.expect(2);
        assert!(run.stderr.contains(reason) && run.stderr.contains("Nothing was created."), "{}", run.stderr);
    }
    machine::expect_nothing_left(&aws).await;
    assert!(!machine.has_report());
}

#[tokio::test]
async fn unwritable_report_stops_the_run_at_the_start() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url());
    machine.block_report();
    let run = machine.run(&["--yes"], "");
    run.expect(1);
    assert!(run.stderr.contains("cannot write the report to ") && run.stderr.contains("report.md"), "{}", run.stderr);
    assert!(!run.stdout.contains("create the stack"), "{}", run.stdout);
    machine::expect_nothing_left(&aws).await;
}

#[test]
fn sends_nothing_without_credentials() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let machine = TestMachine::bare().with("AWS_ENDPOINT_URL", &endpoint);
    for (arguments, missing) in [
        (&["--yes", "--region", "eu-west-1"][..], "no AWS credentials: pass --profile"),
        (&["--yes"], "no AWS region: pass --region"),
        (&["--yes", "--region", "eu-west-1", "--profile", "staging"], "the profile `staging`"),
    ] {
        let run = machine.run(arguments, "");
        run.expect(4);
        assert!(run.stderr.contains(missing) && run.stderr.contains("Nothing was created."), "{}", run.stderr);
    }
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "a request was sent");
    assert!(!machine.has_report());
}

#[tokio::test]
async fn rejected_credentials_create_nothing() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::with_credentials(aws.endpoint_url()).with("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE");
    let run = machine.run(&["--yes"], "");
    run.expect(4);
    assert!(run.stderr.contains("GetCallerIdentity") && run.stderr.contains("Nothing was created."), "{}", run.stderr);
    machine::expect_nothing_left(&aws).await;
}

#[tokio::test]
async fn check_names_the_operator_and_creates_nothing() {
    let aws = LocalAws::start(None).await.unwrap();
    let run = TestMachine::with_credentials(aws.endpoint_url()).run(&["--check"], "");
    run.expect(0);
    assert_eq!(run.stdout, "Found credentials: arn:aws:iam::000000000000:root in us-east-1\n");
    machine::expect_nothing_left(&aws).await;
}

#[test]
fn rejects_unknown_options_and_names() {
    for (arguments, named) in [(["--stack", "shop"], "--stack"), (["--clean", "shop"], "expected a run name")] {
        let run = TestMachine::bare().run(&arguments, "");
        run.expect(2);
        assert!(run.stderr.contains(named), "{}", run.stderr);
    }
}
