//! Tests the sign-up policy with the deployed trigger, which the emulators invoke.

use domain::secret::Secret;
use local::deployment::Deployment;
use local::flows::invitations::{REFUSED, WRONG_DOMAIN, WRONG_INVITATION, changed};
use local::invoke;
use serde_json::{Value, json};
use testkit::cognito_local::{CognitoLocal, Pool};
use testkit::front_end::Answer;

/// The domains whose addresses cannot sign up.
pub(crate) const DENIED_DOMAINS: &str = "mailinator.example, *.mailinator.example";

const PASSWORD: &str = "Correct-Horse-1";

/// The code that ministack sends at every sign-up.
const CODE: &str = "123456";

fn sign_up(client_id: &str, username: &str, email: &str, invitation: Option<&Secret>) -> Value {
    let mut request = json!({
        "ClientId": client_id,
        "Username": username,
        "Password": PASSWORD,
        "UserAttributes": [{"Name": "email", "Value": email}],
        "ClientMetadata": {"campaign": "spring"},
    });
    if let Some(invitation) = invitation {
        request["ClientMetadata"]["invitation"] = json!(invitation.expose());
    }
    request
}

fn assert_refused(answer: &Answer, expected: &str) {
    assert_eq!((answer.status, answer.error()), (400, REFUSED), "{}", answer.body);
    let message = answer.message();
    assert!(message.contains(expected) && !message.contains('@'), "{message}");
}

async fn invitation_for(deployment: &Deployment, token: &Secret, email: &str) -> Secret {
    let made =
        deployment.api.post("/v1/invitations", token, &json!({"email": email})).await.unwrap().expect(201).unwrap();
    Secret::new(made["invitation"].as_str().unwrap())
}

/// Sign-ups without an invitation: of a denied domain, through Cognito and the API, and of an allowed one.
pub(crate) async fn on_ministack(deployment: &Deployment, token: &Secret) {
    let client = deployment.stack.output("WebClientId").unwrap();
    let denied = "eve@Mail.MAILINATOR.example";
    let refused = deployment.aws.call_cognito("SignUp", &sign_up(client, "eve", denied, None)).await.unwrap();
    assert_refused(&refused, WRONG_DOMAIN);
    let body = json!({"username": "eve", "password": PASSWORD, "attributes": {"email": denied}});
    let problem = deployment.api.auth("sign-up", &body).await.unwrap().expect(422).unwrap();
    assert_eq!(problem["code"], "sign-up-refused");
    assert_eq!(problem["detail"], format!("{WRONG_DOMAIN}."));
    deployment.api.get("/v1/users/eve", token).await.unwrap().expect_refusal(404, "user-not-found").unwrap();

    let uninvited = sign_up(client, "uma", "uma@example.com", None);
    let signed_up = deployment.aws.call_cognito("SignUp", &uninvited).await.unwrap();
    assert_eq!((signed_up.status, &signed_up.body["UserConfirmed"]), (200, &json!(false)));
    let user = deployment.api.get("/v1/users/uma", token).await.unwrap().expect(200).unwrap();
    assert_eq!(user["status"], "UNCONFIRMED");
    assert_ne!(user["attributes"]["email_verified"], "true");
    let confirm = |code: &str| json!({"username": "uma", "code": code});
    let wrong = deployment.api.auth("confirm-sign-up", &confirm("000000")).await.unwrap();
    wrong.expect_refusal(422, "code-mismatch").unwrap();
    deployment.api.auth("confirm-sign-up", &confirm(CODE)).await.unwrap().expect(204).unwrap();
    let user = deployment.api.get("/v1/users/uma", token).await.unwrap().expect(200).unwrap();
    assert_eq!(user["status"], "CONFIRMED");
}

/// Two pools of cognito-local with the deployed trigger: one with the id of the deployed pool, and another one.
struct Pools {
    cognito: CognitoLocal,
    pool: String,
    client: String,
}

const OTHER: Pool<'_> = Pool { id: "us-east-1_Elsewhere", client_id: "4elsewhere" };

impl Pools {
    async fn start(deployment: &Deployment) -> Self {
        let output = |name: &str| deployment.stack.output(name).unwrap().to_owned();
        let (pool, client) = (output("UserPoolId"), output("WebClientId"));
        let pools = [Pool { id: &pool, client_id: &client }, OTHER];
        let triggers = [("PreSignUp", deployment.stack.output("PreSignUpFunctionArn").unwrap())];
        let cognito = CognitoLocal::start(&deployment.aws, &triggers, &pools).await.unwrap();
        Self { cognito, pool, client }
    }

    async fn sign_up(&self, username: &str, email: &str, invitation: Option<&Secret>) -> Answer {
        self.cognito.call("SignUp", &sign_up(&self.client, username, email, invitation)).await.unwrap()
    }

    /// The status of a user, and whether the address is verified.
    async fn user(&self, username: &str) -> (String, bool) {
        let request = json!({"UserPoolId": self.pool, "Username": username});
        let user = self.cognito.call("AdminGetUser", &request).await.unwrap().body;
        let verified = json!({"Name": "email_verified", "Value": "true"});
        let is_verified = user["UserAttributes"].as_array().unwrap().contains(&verified);
        (user["UserStatus"].as_str().unwrap().to_owned(), is_verified)
    }

    async fn users(&self, pool: &str) -> Vec<String> {
        let users = self.cognito.call("ListUsers", &json!({"UserPoolId": pool})).await.unwrap().body;
        let names = users["Users"].as_array().unwrap().iter();
        names.map(|user| user["Username"].as_str().unwrap().to_owned()).collect()
    }
}

/// Sign-ups with, without and with another user's invitation, on an emulator that passes `ClientMetadata`.
pub(crate) async fn on_cognito_local(deployment: &Deployment, token: &Secret) {
    let pools = Pools::start(deployment).await;
    let for_ida = invitation_for(deployment, token, "ida@example.com").await;

    let elsewhere = sign_up(OTHER.client_id, "ida", "ida@example.com", Some(&for_ida));
    for refused in [
        pools.sign_up("kim", "kim@example.com", Some(&for_ida)).await,
        pools.sign_up("ida", "ida@example.com", Some(&changed(&for_ida))).await,
        pools.sign_up("ida", "ida@example.com", Some(&Secret::new("rubbish"))).await,
        pools.cognito.call("SignUp", &elsewhere).await.unwrap(),
    ] {
        assert_refused(&refused, WRONG_INVITATION);
    }
    let denied = "eve@mailinator.example";
    assert_refused(&pools.sign_up("eve", denied, None).await, WRONG_DOMAIN);
    let for_eve = invitation_for(deployment, token, denied).await;
    assert_refused(&pools.sign_up("eve", denied, Some(&for_eve)).await, WRONG_DOMAIN);
    assert_eq!((pools.users(&pools.pool).await, pools.users(OTHER.id).await), (vec![], vec![]));

    let uninvited = pools.sign_up("uma", "uma@example.com", None).await;
    assert_eq!((uninvited.status, &uninvited.body["UserConfirmed"]), (200, &json!(false)));
    assert_eq!(pools.user("uma").await, ("UNCONFIRMED".to_owned(), false));
    let confirm = |code: &str| json!({"ClientId": pools.client, "Username": "uma", "ConfirmationCode": code});
    let wrong = pools.cognito.call("ConfirmSignUp", &confirm("000000")).await.unwrap();
    assert_eq!((wrong.status, wrong.error()), (400, "CodeMismatchException"));
    assert_eq!(pools.cognito.call("ConfirmSignUp", &confirm(CognitoLocal::CODE)).await.unwrap().status, 200);
    assert_eq!(pools.user("uma").await.0, "CONFIRMED");

    let invited = pools.sign_up("ida", "Ida@EXAMPLE.com", Some(&for_ida)).await;
    assert_eq!((invited.status, &invited.body["UserConfirmed"]), (200, &json!(true)));
    assert_eq!(pools.user("ida").await, ("CONFIRMED".to_owned(), true));
    assert_eq!(pools.users(&pools.pool).await, ["uma", "ida"]);
}

/// The number of sign-ups above that reach the trigger.
const SIGN_UPS: usize = 11;

/// The log has a line for each sign-up above, without addresses and invitations.
pub(crate) async fn log_contains_no_user_input(deployment: &Deployment) {
    let log = deployment.stack.log(&deployment.aws, "pre-sign-up").await.unwrap();
    assert!(log.matches("sign-up decided").count() >= SIGN_UPS, "{log}");
    for decided in ["Admit", "Refuse", "EmailDomain", "Invitation"] {
        assert!(log.contains(decided), "{decided} is missing in\n{log}");
    }
    for written in ["@", "example.com", "mailinator", "eyJ", "rubbish", "spring"] {
        assert!(!log.contains(written), "{written} is in\n{log}");
    }
}

/// `make invoke` with files of `events/pre-sign-up` and changed settings, which are not restored.
pub(crate) async fn with_event_files(deployment: &Deployment) {
    let events = testkit::events::all("pre-sign-up");
    let send = async |case: &str, settings: &[(&str, &str)]| {
        let settings: Vec<(String, String)> =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (_, event) = events.iter().find(|(name, _)| name == case).unwrap();
        invoke::send(deployment, "PreSignUpFunctionArn", &settings, event).await.unwrap()
    };

    let admitted = send("sign-up-unknown-fields", &[("AUTO_CONFIRM", "everyone")]).await;
    assert!(!admitted.is_error && admitted.answer.contains("123456789012345678901234567890"), "{}", admitted.answer);
    assert!(admitted.answer.contains("\"autoConfirmUser\": true"), "{}", admitted.answer);
    let refused = send("sign-up", &[("DENIED_EMAIL_DOMAINS", "example.com")]).await;
    assert!(refused.is_error && refused.answer.contains(WRONG_DOMAIN), "{}", refused.answer);
    assert!(refused.log.contains("EmailDomain"), "{}", refused.log);
    // The public key of the invitations in the files, from section 10 of RFC 8410.
    let key = "Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
    let policy = [("DENIED_EMAIL_DOMAINS", ""), ("AUTO_CONFIRM", "invited"), ("INVITATION_PUBLIC_KEY", key)];
    let invited = send("sign-up-invited", &policy).await;
    assert!(!invited.is_error && invited.answer.contains("\"autoConfirmUser\": true"), "{}", invited.answer);
    let wrong = send("sign-up", &[("AUTO_CONFIRM", "sometimes")]).await;
    assert!(
        wrong.is_error && wrong.answer.contains("the setting AUTO_CONFIRM has an invalid value"),
        "{}",
        wrong.answer
    );
}
