//! A trigger that verifies the address of a user without confirming the user.

use serde_json::json;

use super::{Claim, Observed, ProbeContext, only_on_aws};
use crate::deployment::Target as _;
use crate::failure::Failure;

pub(super) const STATEMENT: Claim = only_on_aws("Cognito rejects autoVerifyEmail without autoConfirmUser");

pub(super) async fn verify_without_confirm(context: &ProbeContext<'_>) -> Result<Observed, Failure> {
    let aws = &context.deployment.aws;
    let sign_up = json!({
        "ClientId": context.helper("ClientId"),
        "Username": "unconfirmed",
        "Password": "Correct-Horse-1",
        "UserAttributes": [{"Name": "email", "Value": aws.address("unconfirmed")}],
    });
    let answer = aws.call_cognito("SignUp", &sign_up).await?;
    let observed = format!("{} {}: {}", answer.status, answer.error(), answer.message());
    match answer.status {
        200 => Ok(Observed::that(false, "the sign-up succeeded")),
        400 if answer.message().contains("verified") => Ok(Observed::that(true, observed)),
        // Other failures, such as a trigger that cannot be invoked, also reject the sign-up.
        _ => Err(Failure::unexpected("an error message that contains `verified`", observed)),
    }
}
