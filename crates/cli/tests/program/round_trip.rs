//! Runs every command once against the emulator, as a pipeline does.

use serde_json::Value;
use testkit::local_aws::LocalAws;

use crate::{TestMachine, text};

const SPEC: &str = r#"{
  "name": "round-trip", "self_sign_up": true, "groups": ["support"], "deletion_protection": false, "on_delete": "delete"
}"#;

fn outcomes(receipt: &Value) -> Vec<&str> {
    receipt["steps"].as_array().unwrap().iter().map(|step| step["outcome"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn creates_keeps_changes_and_deletes_a_pool() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::bare()
        .with("AWS_ENDPOINT_URL", aws.endpoint_url())
        .with("AWS_ACCESS_KEY_ID", LocalAws::ACCESS_KEY)
        .with("AWS_SECRET_ACCESS_KEY", LocalAws::SECRET_KEY)
        .with("AWS_DEFAULT_REGION", LocalAws::REGION);
    let file = machine.file("pool.json", SPEC);
    let spec = ["--spec", text(&file)];
    let run = |command: &[&str]| machine.run(&[command, &spec].concat());

    let plan = run(&["plan", "--exit-code"]).expect(3);
    assert!(plan.stdout.ends_with("\nPlan: 9 to create.\n"), "{}", plan.stdout);
    let missing = run(&["verify"]).expect(1);
    assert!(missing.stderr.contains("run `apply` first"), "{}", missing.stderr);

    let apply = run(&["apply"]).expect(0);
    assert!(apply.stderr.is_empty(), "{}", apply.stderr);
    for expected in [
        "✓ user pool created (",
        "✓ role created (",
        "✓ caller identity works (",
        "\nIssuer          https://cognito-idp.us-east-1.amazonaws.com/us-east-1_",
        "\nCaller ARN      arn:aws:sts::000000000000:assumed-role/poolkeeper.round-trip.us-east-1/CognitoIdentityCredentials\n",
        "\nDone: 9 created. Verified: a test user signed in. (",
    ] {
        assert!(apply.stdout.contains(expected), "{expected:?} in\n{}", apply.stdout);
    }

    let plan = run(&["plan", "--exit-code"]).expect(0);
    assert!(plan.stdout.ends_with("\nNo changes.\n"), "{}", plan.stdout);
    let again = run(&["apply", "--json"]).expect(0);
    assert!(again.stderr.contains("✓ user pool unchanged ("), "{}", again.stderr);
    let receipt = again.json();
    assert_eq!((&receipt["action"], outcomes(&receipt)[..9].to_vec()), (&"apply".into(), vec!["unchanged"; 9]));

    let changed = SPEC.replace("\"support\"", "\"support\", \"sales\"");
    let plan = machine.run_with_input(&["plan", "--spec", "-", "--json"], &changed).expect(0).json();
    assert_eq!((&plan["action"], &plan["changes"]), (&"plan".into(), &1.into()));
    let fixed = SPEC.replace("\"self_sign_up\"", "\"sign_in\": \"username\", \"self_sign_up\"");
    let refused = machine.run_with_input(&["apply", "--spec", "-", "--json"], &fixed).expect(1);
    assert!(refused.json()["error"].as_str().unwrap().contains("sign_in"), "{}", refused.stdout);
    assert!(outcomes(&refused.json()["receipt"]).is_empty() && refused.stderr.contains("Nothing was changed."));

    let verify = run(&["verify"]).expect(0);
    assert!(verify.stdout.contains("\nVerified: "), "{}", verify.stdout);
    let retained = SPEC.replace("\"delete\"", "\"retain\"");
    let retained = machine.run_with_input(&["destroy", "--yes", "--spec", "-"], &retained).expect(5).stdout;
    assert!(retained.ends_with("s)\n") && retained.contains("All resources were retained."), "{retained}");
    run(&["destroy"]).expect(2);
    let gone = run(&["destroy", "--yes", "--json"]).expect(0);
    assert_eq!(outcomes(&gone.json()), ["deleted"; 4]);
    let plan = run(&["plan"]).expect(0);
    assert!(plan.stdout.ends_with("\nPlan: 9 to create.\n"), "{}", plan.stdout);
}
