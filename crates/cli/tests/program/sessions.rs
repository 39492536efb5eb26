//! `poolkeeper sessions revoke` on the emulator.

use std::time::{SystemTime, UNIX_EPOCH};

use aws::Aws;
use domain::revocation::{Revocation, Revocations as _, Scope};
use testkit::local_aws::LocalAws;

use crate::TestMachine;

const CLIENT: &str = "1example23456789";
const ID: &str = "0e6f3f3b-6d4c-4f1e-9a55-2f6d0c8b7a11";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[tokio::test]
async fn revokes_exactly_the_scope_until_now() {
    let aws = LocalAws::start(None).await.unwrap();
    let machine = TestMachine::bare()
        .with("AWS_ENDPOINT_URL", aws.endpoint_url())
        .with("AWS_ACCESS_KEY_ID", LocalAws::ACCESS_KEY)
        .with("AWS_SECRET_ACCESS_KEY", LocalAws::SECRET_KEY)
        .with("AWS_REGION", LocalAws::REGION);
    let revoke =
        |table: &str, scope: &[&str]| machine.run(&[&["sessions", "revoke", "--table", table][..], scope].concat());
    let missing = revoke("missing", &["--all"]).expect(1);
    assert!(missing.stdout.is_empty() && missing.stderr.contains("UpdateItem"), "{}", missing.stderr);

    let client =
        Box::pin(Aws::local(aws.endpoint_url(), LocalAws::REGION, LocalAws::ACCESS_KEY, LocalAws::SECRET_KEY)).await;
    let cases = [
        (vec!["--session", ID], Scope::Session(ID.to_owned())),
        (vec!["--user", ID], Scope::User(ID.to_owned())),
        (vec!["--client", CLIENT], Scope::Client(CLIENT.to_owned())),
        (vec!["--all"], Scope::Pool),
    ];
    let scopes = cases.each_ref().map(|(_, scope)| scope.clone());
    for (number, (arguments, scope)) in cases.into_iter().enumerate() {
        let name = format!("revocations-{number}");
        aws.create_revocation_table(&name).await.unwrap();
        let before = now();
        let run = revoke(&name, &[&arguments[..], &["--json"]].concat()).expect(0);
        let until = run.json()["revoked_sign_ins_until"].as_u64();
        assert_eq!(until.is_none(), matches!(scope, Scope::Session(_)));
        assert!(until.is_none_or(|until| (before..=now() + 1).contains(&until)), "{until:?}");
        let revocation = until.map_or(Revocation::ALL, Revocation::of_sign_ins_until);
        let table = client.remote_revocation_table(&name);
        assert_eq!(table.revocations(&scopes).await.unwrap(), [(scope, revocation)].into());
    }
}
