//! Tests a stack that is deployed again, changed, rolled back, deleted, and deployed again over a retained pool.

use std::collections::BTreeSet;
use std::path::Path;

use domain::secret::Secret;
use local::api::Api;
use local::arguments::Options;
use local::deployment::{Deployment, POOL, Target as _, pairs, parameters};
use local::flows::first_admin;
use local::report::Report;
use serde_json::{Value, json};
use testkit::local_aws::{LocalAws, LocalAwsError, Output, Stack, Tooling as _, Tools};

use super::{changed_template, invitation_key};

const USER: &str = "ivy";
const PASSWORD: &str = "Correct-Horse-1";

const SCRIPT: &str = include_str!("stack_lifecycle.py");

/// What `make destroy` runs.
const DESTROY: &str = include_str!("../../src/destroy.py");

/// A deployment, with the parameters that differ from those of the flows.
struct Life {
    deployment: Deployment,
    changed: Vec<(String, String)>,
}

impl Life {
    async fn script(&self, action: &str, arguments: &[&str]) -> Value {
        let arguments = [&["-c", SCRIPT, action, POOL], arguments].concat();
        let output = self.deployment.aws.run("python", &arguments, None).await.unwrap();
        assert!(output.succeeded, "{action}: {}", output.last_lines());
        serde_json::from_str(&output.stdout).unwrap()
    }

    /// Resources with their states, oldest first.
    async fn events(&self) -> Vec<(String, String)> {
        serde_json::from_value(self.script("events", &[]).await).unwrap()
    }

    /// The settings of the functions by logical id.
    async fn settings(&self) -> Value {
        self.script("settings", &[]).await
    }

    /// Changes one parameter and returns the resources that change.
    async fn change(&mut self, parameter: &str, value: &str) -> BTreeSet<String> {
        self.changed.push((parameter.to_owned(), value.to_owned()));
        serde_json::from_value(self.script("change", &[&format!("{parameter}={value}")]).await).unwrap()
    }

    /// Deploys with these parameters changed as well.
    async fn deploy(&self, template: &Path, changed: &[(&str, &str)]) -> Result<Stack, LocalAwsError> {
        let parameters = parameters(&Options {
            port: None,
            parameters: self.changed.iter().cloned().chain(pairs(changed)).collect(),
        });
        Stack::deploy_or_roll_back(&self.deployment.aws, POOL, template, &parameters).await
    }

    /// The settings of the pool, read from the API.
    async fn pool(&self, token: &Secret) -> Value {
        let mut pool = self.deployment.api.get("/v1/pool", token).await.unwrap().expect(200).unwrap();
        pool["estimated_users"].take();
        pool
    }

    async fn sign_in(&self) {
        let body = json!({"username": USER, "password": PASSWORD});
        self.deployment.api.auth("sign-in", &body).await.unwrap().expect(200).unwrap();
    }

    /// Signs a user up and returns the summary of the response.
    async fn sign_up(&self, email: &str) -> String {
        let (username, _) = email.split_once('@').unwrap();
        let body = json!({"username": username, "password": PASSWORD, "attributes": {"email": email}});
        self.deployment.api.auth("sign-up", &body).await.unwrap().summary()
    }
}

/// Runs `make destroy` for the deployment.
pub(crate) async fn destroy(aws: &LocalAws) -> Output {
    let arguments = ["-c", DESTROY, "--stack-name", POOL, "--", "python", "-c", SCRIPT, "delete", POOL];
    aws.run("python", &arguments, None).await.unwrap()
}

fn names<const N: usize>(resources: [&str; N]) -> BTreeSet<String> {
    resources.map(str::to_owned).into()
}

#[tokio::test]
async fn deployment_changes_only_what_changed_and_keeps_users() {
    let kept = [("OnDelete", "retain"), ("DeletionProtection", "true")];
    let mut life = Life { deployment: super::deploy(&kept).await, changed: pairs(&kept).collect() };
    let token = first_admin::sign_in(&life.deployment, &mut Report::quiet()).await.unwrap().token;
    let user = json!({"username": USER, "password": PASSWORD, "permanent": true});
    life.deployment.api.post("/v1/users", &token, &user).await.unwrap().expect(201).unwrap();
    let template = Tools::find().unwrap().built_template().unwrap();

    let events = life.events().await;
    life.deploy(&template, &[]).await.unwrap();
    assert_eq!(life.events().await, events, "the same parameters change nothing");

    changes_of_one_parameter(&mut life, &token).await;
    a_failing_update(&life, &token).await;
    two_deletions_that_keep_the_pool(&mut life, &template, &token).await;
}

async fn changes_of_one_parameter(life: &mut Life, token: &Secret) {
    let (mut pool, mut settings) = (life.pool(token).await, life.settings().await);

    assert_eq!(life.change("PasswordMinimumLength", "14").await, names(["UserPool", "Verification"]));
    pool["password_policy"]["minimum_length"] = json!(14);
    // The following changes do not concern the pool itself.
    pool["modified_at"] = life.pool(token).await["modified_at"].take();
    assert_eq!((life.pool(token).await, life.settings().await), (pool.clone(), settings.clone()));

    assert_eq!(life.change("Groups", "admins,sales").await, names(["UserPool"]));
    let groups = life.deployment.api.get("/v1/groups", token).await.unwrap().expect(200).unwrap();
    let groups = groups["groups"].as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap());
    assert_eq!(groups.collect::<BTreeSet<_>>(), ["admins", "sales"].into());
    assert_eq!((life.pool(token).await, life.settings().await), (pool.clone(), settings.clone()));

    assert_eq!(life.change("BackendAccessTokenMinutes", "30").await, names(["UserPool"]));
    assert_eq!((life.pool(token).await, life.settings().await), (pool.clone(), settings.clone()));
    let sign_in = json!({"username": USER, "password": PASSWORD});
    let tokens = life.deployment.api.auth("sign-in", &sign_in).await.unwrap().expect(200).unwrap();
    assert_eq!(tokens["tokens"]["expires_in_seconds"], 1800);

    let function = "PreSignUpFunction";
    assert_eq!(
        life.change("DeniedEmailDomains", "denied.example").await,
        names([function, "UserPool", "Verification"])
    );
    settings[function]["DENIED_EMAIL_DOMAINS"] = json!("denied.example");
    assert_eq!((life.pool(token).await, life.settings().await), (pool, settings));
    assert_eq!(life.sign_up("dan@denied.example").await, "422 sign-up-refused");
    life.sign_in().await;
}

/// Only the verification at the end fails, and the update is rolled back.
async fn a_failing_update(life: &Life, token: &Secret) {
    let (mut pool, settings) = (life.pool(token).await, life.settings().await);
    let template = changed_template("- cognito-idp:AdminInitiateAuth\n", "- cognito-idp:AdminGetUser\n");
    let changes = [("DeniedEmailDomains", "other.example"), ("PasswordMinimumLength", "20")];

    let failed = life.deploy(template.path(), &changes).await.unwrap_err().to_string();

    assert!(failed.contains("Verification (Custom::PoolkeeperVerification)"), "{failed}");
    let last = life.events().await.pop().unwrap();
    assert_eq!(last, (POOL.to_owned(), "UPDATE_ROLLBACK_COMPLETE".to_owned()));
    pool["modified_at"] = life.pool(token).await["modified_at"].take();
    assert_eq!((life.pool(token).await, life.settings().await), (pool, settings));
    assert_eq!(life.sign_up("dan@denied.example").await, "422 sign-up-refused");
    assert_eq!(life.sign_up("eve@other.example").await, "201");
    life.sign_in().await;
}

async fn two_deletions_that_keep_the_pool(life: &mut Life, template: &Path, token: &Secret) {
    let pool_id = life.deployment.stack.output("UserPoolId").unwrap().to_owned();
    let shown_pool = format!("  user pool      {pool_id}\n");

    let kept = destroy(&life.deployment.aws).await;
    assert!(kept.succeeded && kept.stdout.contains(&shown_pool), "{}", kept.last_lines());
    assert!(kept.stdout.contains("OnDelete=retain keeps them."), "{}", kept.stdout);
    let command = "aws logs delete-log-group --log-group-name /aws/lambda/demo-admin-api-retained-";
    assert!(kept.stdout.contains(command), "{}", kept.stdout);

    let stack = life.deploy(template, &[("OnDelete", "delete")]).await.unwrap();
    assert_eq!(stack.output("UserPoolId").unwrap(), pool_id, "the retained pool is adopted");
    life.deployment.api = Api::new(life.deployment.aws.url_of(&stack).unwrap()).unwrap();
    life.sign_in().await;
    let user = life.deployment.api.get("/v1/users/eve", token).await.unwrap().expect(200).unwrap();
    assert_eq!(user["status"], "CONFIRMED");

    let protected = destroy(&life.deployment.aws).await;
    assert!(!protected.succeeded && protected.stdout.contains(&shown_pool), "{}", protected.last_lines());
    assert!(protected.stdout.contains("The user pool has deletion protection"), "{}", protected.stdout);
}

#[tokio::test]
async fn destroy_leaves_nothing_with_on_delete_delete() {
    let deployment = super::deploy(&[("AutoConfirm", "invited")]).await;
    let key_name = invitation_key::name_of(&deployment, 1).await;
    assert!(invitation_key::key(&deployment, &key_name).await.is_some());

    let destroyed = destroy(&deployment.aws).await;

    assert!(destroyed.succeeded, "{}", destroyed.last_lines());
    assert!(destroyed.stdout.contains("The stack demo is deleted. No resources remain."), "{}", destroyed.stdout);
    assert!(invitation_key::key(&deployment, &key_name).await.is_none());

    let again = destroy(&deployment.aws).await;
    assert!(!again.succeeded && again.stderr.contains("no stack demo in us-east-1"), "{}", again.last_lines());
}
