//! I: who may not sign up at all, and whose address counts as verified because they were invited.
//!
//! The invitation is shown to the trigger directly: the local AWS has no `ClientMetadata` for it. The end-to-end tests show it through a
//! Cognito that has.

use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::local_aws::LocalAwsError;

use super::expect_text;
use crate::failure::Failure;
use crate::report::{Report, Seen};
use crate::scene::{DENIED_DOMAIN, Scene};

const INVITED: &str = "ida@example.com";
const DENIED: &str = "eve";

/// What Cognito calls every refusal of the trigger.
pub const REFUSED: &str = "UserLambdaValidationException";
/// What people hear whose domain is denied.
pub const WRONG_DOMAIN: &str = "E-mail addresses of this domain cannot be used to sign up";
/// What people hear whose invitation does not count, whatever it is that is wrong with it.
pub const WRONG_INVITATION: &str = "The invitation is not valid for this sign-up, please ask for a new one";

/// Walks it.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn walk(scene: &Scene, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("I", "invitations and refused domains");
    deny(scene, token, report).await?;
    let invitation = invite(scene, token, report).await?;
    show(scene, &invitation, report).await
}

async fn deny(scene: &Scene, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report
        .step(format!("SignUp of {DENIED}@{DENIED_DOMAIN} by the web client"), async {
            let sign_up = json!({
                "ClientId": scene.stack.output("WebClientId")?,
                "Username": DENIED,
                "Password": "Correct-Horse-1",
                "UserAttributes": [{"Name": "email", "Value": format!("{DENIED}@{DENIED_DOMAIN}")}],
            });
            let answer = scene.aws.call_cognito("SignUp", &sign_up).await?;
            expect_text(&answer.error().into(), REFUSED)?;
            if !answer.message().contains(WRONG_DOMAIN) {
                return Err(Failure::unexpected(WRONG_DOMAIN, answer.message()));
            }
            Ok(Seen::new((), format!("{REFUSED}: {WRONG_DOMAIN}")))
        })
        .await?;
    report
        .step(format!("GET /v1/users/{DENIED}"), async {
            let answer = scene.api.get(&format!("/v1/users/{DENIED}"), token).await?;
            Ok(Seen::new((), answer.expect_refusal(404, "user-not-found")?))
        })
        .await
}

async fn invite(scene: &Scene, token: &Secret, report: &mut Report) -> Result<Secret, Failure> {
    let invitation = report
        .step(format!("POST /v1/invitations for {INVITED}"), async {
            let body = json!({"email": INVITED, "valid_for_hours": 24});
            let made = scene.api.post("/v1/invitations", token, &body).await?.expect(201)?;
            let text = |name: &str| made[name].as_str().unwrap_or_default();
            let shown = format!("201, for {} until {}", text("email"), text("expires_at"));
            Ok(Seen::new(Secret::new(text("invitation")), shown))
        })
        .await?;
    report
        .step("the same for mia@example.com, which a user holds, verified", async {
            let body = json!({"email": "mia@example.com"});
            let answer = scene.api.post("/v1/invitations", token, &body).await?;
            Ok(Seen::new((), answer.expect_refusal(409, "alias-exists")?))
        })
        .await?;
    Ok(invitation)
}

async fn show(scene: &Scene, invitation: &Secret, report: &mut Report) -> Result<(), Failure> {
    report
        .step("the trigger, asked directly: a SignUp without an invitation", async {
            let flags = ask(scene, None).await?.map_err(|refused| Failure::unexpected("no refusal", refused))?;
            expect_flags(&flags, false)?;
            Ok(Seen::new((), "confirmed; the address waits for its code"))
        })
        .await?;
    report
        .step("with the invitation in its ClientMetadata, which the local AWS would leave out", async {
            let flags =
                ask(scene, Some(invitation)).await?.map_err(|refused| Failure::unexpected("no refusal", refused))?;
            expect_flags(&flags, true)?;
            Ok(Seen::new((), "confirmed, and the address is verified"))
        })
        .await?;
    report
        .step("with one character of it changed", async {
            match ask(scene, Some(&changed(invitation))).await? {
                Err(refused) => expect_text(&refused.into(), WRONG_INVITATION)?,
                Ok(flags) => return Err(Failure::unexpected("a refusal", flags.to_string())),
            }
            Ok(Seen::new((), format!("refused: {WRONG_INVITATION}")))
        })
        .await
}

/// Asks the trigger as Cognito would. Gives the flags, or the sentence of the refusal.
async fn ask(scene: &Scene, invitation: Option<&Secret>) -> Result<Result<Value, String>, Failure> {
    let mut event = json!({
        "version": "1",
        "region": "us-east-1",
        "userPoolId": scene.stack.output("UserPoolId")?,
        "userName": "ida",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": scene.stack.output("WebClientId")?},
        "triggerSource": "PreSignUp_SignUp",
        "request": {"userAttributes": {"email": INVITED}, "validationData": null},
        "response": {"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false},
    });
    if let Some(invitation) = invitation {
        event["request"]["clientMetadata"] = json!({"invitation": invitation.expose()});
    }
    match scene.stack.invoke(&scene.aws, scene.stack.output("PreSignUpFunctionArn")?, &event).await {
        Ok(answer) => Ok(Ok(answer["response"].clone())),
        Err(LocalAwsError::FunctionFailed(sentence)) => Ok(Err(sentence)),
        Err(error) => Err(error.into()),
    }
}

/// Everyone is confirmed here; the address is verified for the invited only.
fn expect_flags(flags: &Value, verified: bool) -> Result<(), Failure> {
    let wanted = json!({"autoConfirmUser": true, "autoVerifyEmail": verified, "autoVerifyPhone": false});
    if *flags == wanted { Ok(()) } else { Err(Failure::unexpected(wanted.to_string(), flags.to_string())) }
}

/// The invitation with another character in its middle.
#[must_use]
pub fn changed(invitation: &Secret) -> Secret {
    let (before, after) = invitation.expose().split_at(invitation.expose().len() / 2);
    let other = if after.starts_with('A') { 'B' } else { 'A' };
    Secret::new(format!("{before}{other}{}", after.get(1..).unwrap_or_default()))
}
