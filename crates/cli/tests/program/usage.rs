//! Tests completions, and errors that are reported before any request is sent.

use std::net::TcpListener;

use crate::{EXAMPLE, TestMachine, text};

#[test]
fn prints_completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = TestMachine::bare().run(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("poolkeeper") && script.contains("destroy"), "{shell}");
    }
    TestMachine::bare().run(&["completions", "csh"]).expect(2);
}

#[test]
fn prints_help_and_version() {
    for (argument, expected) in [("--help", "Exit codes:"), ("--version", env!("CARGO_PKG_VERSION"))] {
        let run = TestMachine::bare().run(&[argument]).expect(0);
        assert!(run.stdout.contains(expected), "{argument}: {}", run.stdout);
    }
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [&["apply"][..], &["apply", "--spec"], &["deploy"], &[], &["plan", "--spec", EXAMPLE, "--yes"]] {
        let run = TestMachine::bare().run(arguments).expect(2);
        assert!(run.stdout.is_empty() && !run.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn invalid_spec_exits_with_2_and_names_the_position() {
    let machine = TestMachine::bare();
    let misspelt = machine.file("pool.json", "{\n  \"name\": \"shop\",\n  \"self_signup\": true\n}\n");
    let run = machine.run(&["apply", "--spec", text(&misspelt)]).expect(2);
    let expected = "pool.json, line 3, column 15: self_signup: unknown field `self_signup`, expected one of `name`";
    assert!(run.stderr.contains(expected), "{}", run.stderr);

    let run = machine.run_with_input(&["plan", "--spec", "-", "--json"], "{\"name\": }").expect(2);
    let error = run.json()["error"].as_str().unwrap().to_owned();
    assert_eq!(error, "standard input, line 1, column 10: expected value");

    let run = machine.run(&["verify", "--spec", "nowhere.json"]).expect(2);
    assert_eq!(run.stderr, "Error: nowhere.json: file not found\n");
}

#[test]
fn missing_region_or_credentials_exit_with_4_and_a_hint() {
    let no_region = TestMachine::bare().run(&["apply", "--spec", EXAMPLE]).expect(4);
    assert!(no_region.stderr.contains("--region") && no_region.stderr.contains("AWS_REGION"), "{}", no_region.stderr);

    let arguments = ["plan", "--spec", EXAMPLE, "--region", "eu-west-1"];
    let no_credentials = TestMachine::bare().run(&arguments).expect(4);
    assert!(no_credentials.stderr.contains("--profile"), "{}", no_credentials.stderr);
    assert_eq!(no_credentials.stderr.lines().count(), 1, "{}", no_credentials.stderr);

    let keys = TestMachine::bare().with("AWS_ACCESS_KEY_ID", "test").with("AWS_SECRET_ACCESS_KEY", "test");
    let no_profile = keys.run(&[&arguments[..], &["--profile", "staging"]].concat()).expect(4);
    assert!(no_profile.stderr.contains("the profile `staging`"), "{}", no_profile.stderr);
}

#[test]
fn profile_without_credentials_is_reported_with_the_cause() {
    let machine = TestMachine::bare();
    machine.file(".aws/config", "[profile staging]\nregion = eu-west-1\ncredential_process = no-such-program\n");
    let run = machine.run(&["plan", "--spec", EXAMPLE, "--profile", "staging"]).expect(4);
    assert!(run.stderr.contains("could not be loaded") && run.stderr.contains("credential"), "{}", run.stderr);
}

#[test]
fn destroy_without_yes_fails_in_a_pipe_and_sends_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let machine = TestMachine::bare()
        .with("AWS_ENDPOINT_URL", &endpoint)
        .with("AWS_REGION", "us-east-1")
        .with("AWS_ACCESS_KEY_ID", "test")
        .with("AWS_SECRET_ACCESS_KEY", "test");
    let run = machine.run_with_input(&["destroy", "--spec", EXAMPLE], "shop-staging\n").expect(2);
    assert!(run.stderr.contains("--yes") && run.stdout.is_empty(), "{}", run.stderr);
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "a request was sent");
}
