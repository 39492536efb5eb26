//! The introspection of tokens, and a stack without the session gate.

use domain::secret::Secret;
use local::deployment::{Deployment, FIRST_ADMIN};
use local::flows::session_gate;
use local::report::{Outcome, Report};
use serde_json::{Value, json};
use testkit::local_aws::Tooling as _;

/// Sends the token in standard input to the introspection route, signed as the account's own principal.
const INTROSPECT: &str = r#"
import sys, urllib.parse, urllib.request
import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

url, region = sys.argv[1:]
body = urllib.parse.urlencode({"token": sys.stdin.read()})
request = AWSRequest("POST", url, data=body, headers={"content-type": "application/x-www-form-urlencoded"})
SigV4Auth(boto3.Session().get_credentials(), "execute-api", region).add_auth(request)
sent = urllib.request.Request(url, body.encode(), dict(request.headers), method="POST")
print(urllib.request.urlopen(sent).read().decode())
"#;

/// Introspects an active and a made-up token.
pub(crate) async fn introspection(deployment: &Deployment) {
    let api = &deployment.api;
    let sign_in = json!({"username": FIRST_ADMIN, "password": "First-Admin-1!"});
    let tokens = api.auth("sign-in", &sign_in).await.unwrap().expect(200).unwrap();
    let token = tokens["tokens"]["id_token"].as_str().unwrap();
    let url = format!("{}/v1/auth/introspect", api.url());
    let introspect = async |token: &str| -> Value {
        let arguments = ["-c", INTROSPECT, &url, deployment.aws.region()];
        let sent = deployment.aws.run("python", &arguments, Some(token)).await.unwrap();
        assert!(sent.succeeded, "{}", sent.last_lines());
        serde_json::from_str(&sent.stdout).unwrap()
    };
    let active = introspect(token).await;
    assert_eq!((&active["active"], &active["username"]), (&json!(true), &json!(FIRST_ADMIN)), "{active}");
    assert_eq!(introspect("made-up").await, json!({"active": false}));
    let unsigned = api.auth("introspect", &json!({"token": token})).await.unwrap();
    assert!(!unsigned.is_success() && unsigned.into_body()["active"].is_null());
}

const TABLES: &str = "import boto3; print(boto3.client('dynamodb').list_tables()['TableNames'])";

/// Calls a stack with `SessionGate=false`. The user exists.
pub(crate) async fn check_without_gate(deployment: &Deployment, token: &Secret, user: &str) {
    let api = &deployment.api;
    for output in ["AuthorizerFunctionArn", "RevocationTableName"] {
        assert!(deployment.stack.output(output).is_err(), "{output}");
    }
    let tables = deployment.aws.run("python", &["-c", TABLES], None).await.unwrap();
    assert_eq!(tables.stdout, "[]\n", "{}", tables.last_lines());
    let mut report = Report::quiet();
    session_gate::run(deployment, token, &mut report).await.unwrap();
    assert_eq!(report.count_of(Outcome::Skipped), 1);

    let signed_out = api.post(&format!("/v1/users/{user}/sign-out"), token, &json!({})).await.unwrap();
    let still_valid = signed_out.expect(200).unwrap()["still_valid"].take();
    let lists_id_token = still_valid.as_array().unwrap().iter().any(|credential| credential["token"] == "id_token");
    assert!(lists_id_token, "{still_valid}");
    let revoked = api.post("/v1/pool/revoke-all", token, &json!({})).await.unwrap();
    revoked.expect_refusal(409, "wrong-state").unwrap();
    let introspected = api.auth("introspect", &json!({"token": token.expose()})).await.unwrap();
    assert!(introspected.has_status(404), "{}", introspected.summary());
}
