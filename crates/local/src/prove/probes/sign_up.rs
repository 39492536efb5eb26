//! A trigger that verifies an address of a user whom it does not confirm.

use serde_json::json;

use super::{Observed, Probing, Question, only_on_aws};
use crate::deployment::Target as _;
use crate::failure::Failure;

pub(super) const STATEMENT: Question = only_on_aws("Cognito rejects autoVerifyEmail without autoConfirmUser");

pub(super) async fn verify_without_confirm(probing: &Probing<'_>) -> Result<Observed, Failure> {
    let aws = &probing.scene.aws;
    let sign_up = json!({
        "ClientId": probing.helper("ClientId"),
        "Username": "unconfirmed",
        "Password": "Correct-Horse-1",
        "UserAttributes": [{"Name": "email", "Value": aws.address("unconfirmed")}],
    });
    let answer = aws.call_cognito("SignUp", &sign_up).await?;
    let told = format!("{} {}: {}", answer.status, answer.error(), answer.message());
    match answer.status {
        200 => Ok(Observed::that(false, "the user signed up")),
        400 if answer.message().contains("verified") => Ok(Observed::that(true, told)),
        // A trigger that cannot be called, for example, is rejected as well.
        _ => Err(Failure::unexpected("a rejection that names the verification", told)),
    }
}
