//! I: who may not sign up at all, and whose address counts as verified because they were invited.
//!
//! The invitation is shown to the trigger directly, and by a sign-up where Cognito passes its `ClientMetadata` on, which the emulator
//! does not.

use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::local_aws::LocalAwsError;

use super::{expect_status, expect_text};
use crate::deployment::{DENIED_DOMAIN, Scene, Target};
use crate::failure::Failure;
use crate::report::{Report, Seen};

const INVITED: &str = "ida";
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
pub async fn walk(scene: &Scene<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("I", "invitations and refused domains");
    deny(scene, token, report).await?;
    let invitation = invite(scene, token, report).await?;
    show(scene, &invitation, report).await?;
    accept(scene, token, &invitation, report).await
}

async fn deny(scene: &Scene<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report
        .step(format!("SignUp of {DENIED}@{DENIED_DOMAIN} by the web client"), async {
            let sign_up = json!({
                "ClientId": scene.stack.output("WebClientId")?,
                "Username": DENIED,
                "Password": "Correct-Horse-1",
                "UserAttributes": [{"Name": "email", "Value": format!("{DENIED}@{DENIED_DOMAIN}")}],
            });
            let answer = scene.aws.call_cognito("SignUp", &sign_up).await?;
            if answer.error() != REFUSED || !answer.message().contains(WRONG_DOMAIN) {
                let got = format!("{} {}: {}", answer.status, answer.error(), answer.message());
                return Err(Failure::unexpected(format!("{REFUSED}: {WRONG_DOMAIN}"), got));
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

async fn invite(scene: &Scene<impl Target>, token: &Secret, report: &mut Report) -> Result<Secret, Failure> {
    let address = scene.aws.address(INVITED);
    let invitation = report
        .step(format!("POST /v1/invitations for {address}"), async {
            let body = json!({"email": address, "valid_for_hours": 24});
            let made = scene.api.post("/v1/invitations", token, &body).await?.expect(201)?;
            let text = |name: &str| made[name].as_str().unwrap_or_default();
            let shown = format!("201, for {} until {}", text("email"), text("expires_at"));
            Ok(Seen::new(Secret::new(text("invitation")), shown))
        })
        .await?;
    let held = scene.aws.address("mia");
    report
        .step(format!("the same for {held}, which a user holds, verified"), async {
            let body = json!({"email": held});
            let answer = scene.api.post("/v1/invitations", token, &body).await?;
            Ok(Seen::new((), answer.expect_refusal(409, "alias-exists")?))
        })
        .await?;
    Ok(invitation)
}

async fn show(scene: &Scene<impl Target>, invitation: &Secret, report: &mut Report) -> Result<(), Failure> {
    report
        .step("the trigger, asked directly: a SignUp without an invitation", async {
            let flags = ask(scene, None).await?.map_err(|refused| Failure::unexpected("no refusal", refused))?;
            expect_flags(&flags, false)?;
            Ok(Seen::new((), "confirmed; the address waits for its code"))
        })
        .await?;
    report
        .step("with the invitation in its ClientMetadata", async {
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

async fn accept(
    scene: &Scene<impl Target>,
    token: &Secret,
    invitation: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let step = "SignUp by the web client with the invitation in its ClientMetadata";
    if !scene.aws.passes_client_metadata() {
        report.skip(step, "not played: the emulator drops ClientMetadata");
        return Ok(());
    }
    report
        .step(step, async {
            let sign_up = json!({
                "ClientId": scene.stack.output("WebClientId")?,
                "Username": INVITED,
                "Password": "Correct-Horse-1",
                "UserAttributes": [{"Name": "email", "Value": scene.aws.address(INVITED)}],
                "ClientMetadata": {"invitation": invitation.expose()},
            });
            let answer = scene.aws.call_cognito("SignUp", &sign_up).await?;
            if answer.body["UserConfirmed"] != true {
                return Err(Failure::unexpected("a confirmed user", format!("{} {}", answer.status, answer.error())));
            }
            let user = expect_status(scene, token, INVITED, "CONFIRMED").await?;
            expect_text(&user["attributes"]["email_verified"], "true")?;
            Ok(Seen::new((), "CONFIRMED, email_verified true"))
        })
        .await
}

/// Asks the trigger as Cognito would. Gives the flags, or the sentence of the refusal.
async fn ask(scene: &Scene<impl Target>, invitation: Option<&Secret>) -> Result<Result<Value, String>, Failure> {
    let mut event = json!({
        "version": "1",
        "region": scene.aws.region(),
        "userPoolId": scene.stack.output("UserPoolId")?,
        "userName": INVITED,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": scene.stack.output("WebClientId")?},
        "triggerSource": "PreSignUp_SignUp",
        "request": {"userAttributes": {"email": scene.aws.address(INVITED)}, "validationData": null},
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
