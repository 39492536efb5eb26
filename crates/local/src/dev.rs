//! `make dev`: deploys, prints usage instructions, and keeps running until Ctrl-C.

use std::collections::BTreeMap;
use std::future::pending;

use testkit::local_aws::{LocalAws, Tools};

use crate::arguments::Options;
use crate::demo::set_up;
use crate::deployment::{Deployment, FIRST_ADMIN, FIRST_ADMIN_MAILBOX, Target as _, parameters};
use crate::failure::Failure;
use crate::flows::first_admin::{self, Admin};
use crate::report::Report;

/// Runs until the emulator stops; an interruption drops the future.
///
/// # Errors
/// Returns an error if the deployment fails or the emulator stops.
pub async fn run(options: &Options) -> Result<(), Failure> {
    let mut report = Report::default();
    let deployment = set_up(&mut report, options).await?;
    let names = Names::of(options);
    let admin = first_admin::sign_in_as(&deployment, &names.administrator(&deployment), &mut report).await?;
    println!("{}", instructions(&deployment, &names, &admin)?);
    tokio::select! {
        stopped = deployment.aws.stopped() => Err(stopped.into()),
        () = pending() => Ok(()),
    }
}

/// The user names and commands that fit the deployment's parameters.
#[derive(Debug)]
pub struct Names {
    parameters: BTreeMap<String, String>,
}

impl Names {
    /// The names for these options.
    #[must_use]
    pub fn of(options: &Options) -> Self {
        Self { parameters: parameters(options) }
    }

    fn are_addresses(&self) -> bool {
        // The template's default is `email`.
        self.parameters.get("SignIn").is_none_or(|name| name == "email")
    }

    fn takes_invitations(&self) -> bool {
        ["AutoConfirm", "AutoVerifyEmail"]
            .iter()
            .any(|name| self.parameters.get(*name).is_some_and(|who| who == "invited"))
    }

    fn name(&self, name: &str) -> String {
        if self.are_addresses() { format!("{name}@example.com") } else { name.to_owned() }
    }

    /// The user name of the first administrator.
    #[must_use]
    pub fn administrator(&self, deployment: &Deployment) -> String {
        if self.are_addresses() { deployment.aws.address(FIRST_ADMIN_MAILBOX) } else { FIRST_ADMIN.to_owned() }
    }
}

/// The instructions. They contain token and password on purpose, because both are valid only on this emulator.
///
/// # Errors
/// Returns an error if the stack lacks an output.
pub fn instructions(deployment: &Deployment, names: &Names, admin: &Admin) -> Result<String, Failure> {
    Ok(format!(
        r"
{}

{}

Run these commands first. By default, the token expires after 15 minutes; the last command below gets a new token.

{}

Example requests:

{}",
        facts(deployment, names, admin)?,
        limits(names),
        variables(deployment, admin)?,
        commands(deployment, names, admin),
    ))
}

/// The variables of the commands in the documentation.
fn variables(deployment: &Deployment, admin: &Admin) -> Result<String, Failure> {
    Ok(format!(
        r"  export AWS_ENDPOINT_URL='{endpoint}' AWS_ACCESS_KEY_ID='{key}' AWS_SECRET_ACCESS_KEY='{secret}'
  export AWS_REGION='{region}' AWS_DEFAULT_REGION='{region}'
  export API='{api}' STACK='{stack}'
  export USER_POOL_ID='{pool}' WEB_CLIENT_ID='{web}' BACKEND_CLIENT_ID='{backend}'
  TOKEN='{token}'",
        endpoint = deployment.aws.endpoint_url(),
        region = LocalAws::REGION,
        key = LocalAws::ACCESS_KEY,
        secret = LocalAws::SECRET_KEY,
        api = deployment.api.url(),
        stack = deployment.pool(),
        pool = deployment.stack.output("UserPoolId")?,
        web = deployment.stack.output("WebClientId")?,
        backend = deployment.stack.output("BackendClientId")?,
        token = admin.token.expose(),
    ))
}

fn facts(deployment: &Deployment, names: &Names, admin: &Admin) -> Result<String, Failure> {
    let endpoint = deployment.aws.endpoint_url();
    Ok(format!(
        r"The API is running. Ctrl-C stops it and deletes its users and data.

  administrator     {administrator} with the password {password}
  mails             curl -s {endpoint}/_ministack/ses/messages

After the commands below, these commands print the logs and change a parameter:

  SAM_CLI_TELEMETRY=0 .venv/bin/sam logs --stack-name {stack}
  SAM_CLI_TELEMETRY=0 .venv/bin/sam deploy --stack-name {stack} --resolve-s3 --capabilities CAPABILITY_NAMED_IAM \
    --template-file {template} --parameter-overrides AllowedEmailDomains=example.org",
        administrator = names.administrator(deployment),
        password = admin.password.expose(),
        stack = deployment.pool(),
        template = Tools::find()?.built_template()?.display(),
    ))
}

/// The differences from AWS.
fn limits(names: &Names) -> String {
    let sign_in = if names.are_addresses() {
        "Users sign in with their e-mail addresses (SignIn=email, the default of the template)."
    } else {
        "Users sign in with user names here. The default of the template is SignIn=email: make dev ARGUMENTS='--parameter SignIn=email'"
    };
    format!(
        r"{sign_in}

The emulator (ministack) differs from AWS:

  - It keeps mails instead of sending them.
  - It lacks verification codes for attributes, updates of groups, deletion of attributes, and devices. The API returns
    501 not-supported-by-endpoint. `make demo` shows the codes with a second emulator, cognito-local.
  - It drops ClientMetadata, so an invitation has no effect at sign-up. `make test` tests invitations with cognito-local.
  - It accepts any session in a response to NEW_PASSWORD_REQUIRED.
  - It has no throttling, no lockout and no propagation delay of IAM. docs/ARCHITECTURE.md lists the other differences."
    )
}

/// Commands that work on this deployment, one after the other.
#[must_use]
pub fn commands(deployment: &Deployment, names: &Names, admin: &Admin) -> String {
    let (mia, ray) = (names.name("mia"), names.name("ray"));
    let invite = if names.takes_invitations() {
        r#"  curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' $API/v1/invitations -d '{"email": "ida@example.com"}'
"#
    } else {
        ""
    };
    format!(
        r#"  curl -s -H "Authorization: Bearer $TOKEN" $API/v1/users
  curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' $API/v1/users \
    -d '{{"username": "{mia}", "password": "Correct-Horse-1", "permanent": true}}'
  curl -s -H "Authorization: Bearer $TOKEN" $API/v1/users/{mia}
  curl -s -H 'Content-Type: application/json' $API/v1/auth/sign-in -d '{{"username": "{mia}", "password": "Correct-Horse-1"}}'
  curl -s -H 'Content-Type: application/json' $API/v1/auth/sign-up \
    -d '{{"username": "{ray}", "password": "Correct-Horse-2", "attributes": {{"email": "ray@example.com"}}}}'
{invite}  curl -s -X DELETE -H "Authorization: Bearer $TOKEN" $API/v1/users/{mia}
  TOKEN=$(curl -s -H 'Content-Type: application/json' $API/v1/auth/sign-in \
    -d '{{"username": "{administrator}", "password": "{password}"}}' | sed 's/.*"access_token":"\([^"]*\)".*/\1/')"#,
        administrator = names.administrator(deployment),
        password = admin.password.expose(),
    )
}
