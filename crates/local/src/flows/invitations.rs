//! I: denied domains, and invitations that verify an address.
//!
//! The flow invokes the trigger directly with the invitation. On AWS, which passes `ClientMetadata` to the trigger, a
//! user also signs up with the invitation.

use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::local_aws::LocalAwsError;

use super::{expect_status, expect_text};
use crate::deployment::{DENIED_DOMAIN, Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const INVITED: &str = "ida";
const DENIED: &str = "eve";

/// Cognito's error code if the trigger fails.
pub const REFUSED: &str = "UserLambdaValidationException";
/// The trigger's message for a denied domain.
pub const WRONG_DOMAIN: &str = "E-mail addresses of this domain cannot be used to sign up";
/// The trigger's message for every kind of invalid invitation.
pub const WRONG_INVITATION: &str = "The invitation is not valid for this sign-up. Ask for a new one";

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("I", "invitations and denied domains");
    deny(deployment, token, report).await?;
    let invitation = invite(deployment, token, report).await?;
    show(deployment, &invitation, report).await?;
    accept(deployment, token, &invitation, report).await
}

async fn deny(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report
        .step(format!("SignUp of {DENIED}@{DENIED_DOMAIN} by the web client"), async {
            let sign_up = json!({
                "ClientId": deployment.stack.output("WebClientId")?,
                "Username": DENIED,
                "Password": "Correct-Horse-1",
                "UserAttributes": [{"Name": "email", "Value": format!("{DENIED}@{DENIED_DOMAIN}")}],
            });
            let answer = deployment.aws.call_cognito("SignUp", &sign_up).await?;
            if answer.error() != REFUSED || !answer.message().contains(WRONG_DOMAIN) {
                let got = format!("{} {}: {}", answer.status, answer.error(), answer.message());
                return Err(Failure::unexpected(format!("{REFUSED}: {WRONG_DOMAIN}"), got));
            }
            Ok(StepResult::new((), format!("{REFUSED}: {WRONG_DOMAIN}")))
        })
        .await?;
    report
        .step(format!("GET /v1/users/{DENIED}"), async {
            let answer = deployment.api.get(&format!("/v1/users/{DENIED}"), token).await?;
            Ok(StepResult::new((), answer.expect_refusal(404, "user-not-found")?))
        })
        .await
}

async fn invite(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<Secret, Failure> {
    let address = deployment.aws.address(INVITED);
    let invitation = report
        .step(format!("POST /v1/invitations for {address}"), async {
            let body = json!({"email": address, "valid_for_hours": 24});
            let made = deployment.api.post("/v1/invitations", token, &body).await?.expect(201)?;
            let text = |name: &str| made[name].as_str().unwrap_or_default();
            let shown = format!("201, for {} until {}", text("email"), text("expires_at"));
            Ok(StepResult::new(Secret::new(text("invitation")), shown))
        })
        .await?;
    let held = deployment.aws.address("mia");
    report
        .step(format!("POST /v1/invitations for {held}, a verified address of a user"), async {
            let body = json!({"email": held});
            let answer = deployment.api.post("/v1/invitations", token, &body).await?;
            Ok(StepResult::new((), answer.expect_refusal(409, "alias-exists")?))
        })
        .await?;
    Ok(invitation)
}

async fn show(deployment: &Deployment<impl Target>, invitation: &Secret, report: &mut Report) -> Result<(), Failure> {
    report
        .step("invoke the trigger: SignUp without an invitation", async {
            let flags = invoke_trigger(deployment, None)
                .await?
                .map_err(|refused| Failure::unexpected("no rejection", refused))?;
            expect_flags(&flags, false)?;
            Ok(StepResult::new((), "confirmed; the address is not verified"))
        })
        .await?;
    report
        .step("invoke the trigger: SignUp with the invitation", async {
            let flags = invoke_trigger(deployment, Some(invitation))
                .await?
                .map_err(|refused| Failure::unexpected("no rejection", refused))?;
            expect_flags(&flags, true)?;
            Ok(StepResult::new((), "confirmed, and the address is verified"))
        })
        .await?;
    report
        .step("invoke the trigger: SignUp with a changed invitation", async {
            match invoke_trigger(deployment, Some(&changed(invitation))).await? {
                Err(refused) => expect_text(&refused.into(), WRONG_INVITATION)?,
                Ok(flags) => return Err(Failure::unexpected("a rejection", flags.to_string())),
            }
            Ok(StepResult::new((), format!("rejected: {WRONG_INVITATION}")))
        })
        .await
}

async fn accept(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    invitation: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let step = "SignUp by the web client with the invitation in ClientMetadata";
    if !deployment.aws.passes_client_metadata() {
        report.skip(step, "not emulated: the emulator drops ClientMetadata");
        return Ok(());
    }
    report
        .step(step, async {
            let sign_up = json!({
                "ClientId": deployment.stack.output("WebClientId")?,
                "Username": INVITED,
                "Password": "Correct-Horse-1",
                "UserAttributes": [{"Name": "email", "Value": deployment.aws.address(INVITED)}],
                "ClientMetadata": {"invitation": invitation.expose()},
            });
            let answer = deployment.aws.call_cognito("SignUp", &sign_up).await?;
            if answer.body["UserConfirmed"] != true {
                return Err(Failure::unexpected("a confirmed user", format!("{} {}", answer.status, answer.error())));
            }
            let user = expect_status(deployment, token, INVITED, "CONFIRMED").await?;
            expect_text(&user["attributes"]["email_verified"], "true")?;
            Ok(StepResult::new((), "CONFIRMED, email_verified true"))
        })
        .await
}

/// Invokes the trigger as Cognito does. Returns the flags, or the message of the rejection.
async fn invoke_trigger(
    deployment: &Deployment<impl Target>,
    invitation: Option<&Secret>,
) -> Result<Result<Value, String>, Failure> {
    let mut event = json!({
        "version": "1",
        "region": deployment.aws.region(),
        "userPoolId": deployment.stack.output("UserPoolId")?,
        "userName": INVITED,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": deployment.stack.output("WebClientId")?},
        "triggerSource": "PreSignUp_SignUp",
        "request": {"userAttributes": {"email": deployment.aws.address(INVITED)}, "validationData": null},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    });
    if let Some(invitation) = invitation {
        event["request"]["clientMetadata"] = json!({"invitation": invitation.expose()});
    }
    match deployment.stack.invoke(&deployment.aws, deployment.stack.output("PreSignUpFunctionArn")?, &event).await {
        Ok(answer) => Ok(Ok(answer["response"].clone())),
        Err(LocalAwsError::FunctionFailed(message)) => Ok(Err(message)),
        Err(error) => Err(error.into()),
    }
}

/// Checks the flags. The trigger confirms every user, but verifies the address only with an invitation.
fn expect_flags(flags: &Value, verified: bool) -> Result<(), Failure> {
    let wanted = json!({"autoConfirmUser": true, "autoVerifyEmail": verified, "autoVerifyPhone": false});
    if *flags == wanted { Ok(()) } else { Err(Failure::unexpected(wanted.to_string(), flags.to_string())) }
}

/// Changes one character of an invitation.
#[must_use]
pub fn changed(invitation: &Secret) -> Secret {
    let (before, after) = invitation.expose().split_at(invitation.expose().len() / 2);
    let other = if after.starts_with('A') { 'B' } else { 'A' };
    Secret::new(format!("{before}{other}{}", after.get(1..).unwrap_or_default()))
}
