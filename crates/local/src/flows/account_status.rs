//! F1: the status of an account, from creation to the first tokens.

use domain::secret::Secret;
use serde_json::json;

use super::expect_status;
use super::session::{new_password_required, sign_in, tokens};
use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const USER: &str = "mia";

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F1", "account status, step by step");
    let api = &deployment.api;
    let temporary = Secret::new("Temporary-Pw-1!");
    let permanent = Secret::new("Permanent-Pw-1!");

    report
        .step(format!("POST /v1/users {USER}"), async {
            let body =
                json!({"username": USER, "attributes": {"email": deployment.aws.address(USER)}, "welcome_message": "suppress"});
            api.post("/v1/users", token, &body).await?.expect(201)?;
            expect_status(deployment, token, USER, "FORCE_CHANGE_PASSWORD").await?;
            Ok(StepResult::new((), "201, FORCE_CHANGE_PASSWORD"))
        })
        .await?;
    report
        .step("PUT …/password, temporary", async {
            let body = json!({"password": temporary.expose(), "permanent": false});
            api.put(&format!("/v1/users/{USER}/password"), token, &body).await?.expect(204)?;
            expect_status(deployment, token, USER, "FORCE_CHANGE_PASSWORD").await?;
            Ok(StepResult::new((), "204, still FORCE_CHANGE_PASSWORD"))
        })
        .await?;
    report
        .step("PATCH … with email_verified", async {
            let body = json!({"attributes": {"email_verified": "true"}});
            api.patch(&format!("/v1/users/{USER}"), token, &body).await?.expect(204)?;
            let user = expect_status(deployment, token, USER, "FORCE_CHANGE_PASSWORD").await?;
            super::expect_text(&user["attributes"]["email_verified"], "true")?;
            Ok(StepResult::new((), "204, email_verified true"))
        })
        .await?;
    report
        .step("POST /v1/auth/sign-in (ADMIN_USER_PASSWORD_AUTH)", async {
            let body = sign_in(api, USER, &temporary).await?.expect(200)?;
            Ok(StepResult::new((), new_password_required(&body)?.shown))
        })
        .await?;
    report
        .step("POST …/sign-out, everywhere", async {
            let answer = api.post(&format!("/v1/users/{USER}/sign-out"), token, &json!({})).await?.expect(200)?;
            let revoked = names(&answer["revoked"]);
            if !revoked.starts_with("refresh_token, access_token") {
                return Err(Failure::unexpected("revoked access and refresh tokens", revoked));
            }
            Ok(StepResult::new((), format!("200, revoked: {revoked}")))
        })
        .await?;
    report
        .step("PUT …/password, permanent", async {
            let body = json!({"password": permanent.expose(), "permanent": true});
            api.put(&format!("/v1/users/{USER}/password"), token, &body).await?.expect(204)?;
            expect_status(deployment, token, USER, "CONFIRMED").await?;
            Ok(StepResult::new((), "204, CONFIRMED"))
        })
        .await?;
    report
        .step("POST /v1/auth/sign-in", async {
            let tokens = tokens(&sign_in(api, USER, &permanent).await?.expect(200)?)?;
            match tokens.refresh {
                Some(_) => Ok(StepResult::new((), tokens.shown)),
                None => Err(Failure::unexpected("access, ID and refresh token", tokens.shown)),
            }
        })
        .await
}

/// The names of the tokens in a list of a sign-out response. The session gate lists some for several services.
pub(super) fn names(list: &serde_json::Value) -> String {
    let names = list.as_array().into_iter().flatten().filter_map(|entry| entry["token"].as_str());
    let mut names: Vec<_> = names.collect();
    names.dedup();
    names.join(", ")
}
