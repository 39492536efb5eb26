//! F2: server-side users and an app client with a secret.

use domain::secret::Secret;
use serde_json::json;

use super::account_status::names;
use super::expect_status;
use super::session::{Tokens, refresh, sign_in, tokens};
use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const USER: &str = "ray";

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F2", "server-side users, and an app client with a secret");
    let password = Secret::new("Correct-Horse-1");
    create(deployment, token, &password, report).await?;
    let first = signed_in(deployment, &password, report).await?;
    sign_out(deployment, &first, report).await?;
    delete(deployment, token, report).await
}

async fn create(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    password: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let api = &deployment.api;
    let new_user = |password: &str| json!({"username": USER, "password": password, "permanent": true});
    report
        .step("POST /v1/users with a weak permanent password", async {
            let answer = api.post("/v1/users", token, &new_user("weak")).await?;
            let refused = answer.expect_refusal(422, "invalid-password")?;
            api.get(&format!("/v1/users/{USER}"), token).await?.expect_refusal(404, "user-not-found")?;
            Ok(StepResult::new((), refused))
        })
        .await?;
    report
        .step(format!("POST /v1/users {USER} with a permanent password"), async {
            api.post("/v1/users", token, &new_user(password.expose())).await?.expect(201)?;
            expect_status(deployment, token, USER, "CONFIRMED").await?;
            Ok(StepResult::new((), "201, CONFIRMED"))
        })
        .await?;
    report
        .step(format!("POST /v1/users {USER} again"), async {
            let answer = api.post("/v1/users", token, &new_user(password.expose())).await?;
            Ok(StepResult::new((), answer.expect_refusal(409, "user-exists")?))
        })
        .await
}

async fn signed_in(
    deployment: &Deployment<impl Target>,
    password: &Secret,
    report: &mut Report,
) -> Result<Tokens, Failure> {
    let api = &deployment.api;
    for (what, username, password) in
        [("a wrong password", USER, "Wrong-Horse-1!"), ("an unknown user", "nobody", password.expose())]
    {
        report
            .step(format!("POST /v1/auth/sign-in with {what}"), async {
                let answer = sign_in(api, username, &Secret::new(password)).await?;
                Ok(StepResult::new((), answer.expect_refusal(401, "invalid-credentials")?))
            })
            .await?;
    }
    let first = report
        .step("POST /v1/auth/sign-in (with SECRET_HASH)", async {
            let tokens = tokens(&sign_in(api, USER, password).await?.expect(200)?)?;
            let shown = tokens.shown.clone();
            Ok(StepResult::new(tokens, shown))
        })
        .await?;
    report
        .step("POST /v1/auth/refresh (REFRESH_TOKEN_AUTH)", async {
            let again = tokens(&refresh(api, &first).await?.expect(200)?)?;
            if again.refresh.is_some() {
                return Err(Failure::unexpected("no new refresh token", again.shown));
            }
            Ok(StepResult::new((), again.shown))
        })
        .await?;
    Ok(first)
}

async fn sign_out(deployment: &Deployment<impl Target>, tokens: &Tokens, report: &mut Report) -> Result<(), Failure> {
    let api = &deployment.api;
    let access_token = json!({"access_token": tokens.access.expose()});
    report
        .step("POST /v1/auth/sign-out, everywhere", async {
            let answer = api.auth("sign-out", &access_token).await?.expect(200)?;
            let (revoked, still_valid) = (names(&answer["revoked"]), names(&answer["still_valid"]));
            if !revoked.starts_with("refresh_token, access_token") || !still_valid.contains("id_token") {
                return Err(Failure::unexpected("revoked access and refresh tokens, a valid ID token", revoked));
            }
            Ok(StepResult::new((), format!("200, revoked: {revoked}; valid until expiry: {still_valid}")))
        })
        .await?;
    report
        .step("POST /v1/auth/refresh with the revoked refresh token", async {
            let answer = refresh(api, tokens).await?;
            Ok(StepResult::new((), answer.expect_refusal(401, "invalid-credentials")?))
        })
        .await?;
    report
        .step("POST /v1/auth/sign-out with the revoked access token", async {
            let answer = api.auth("sign-out", &access_token).await?;
            Ok(StepResult::new((), answer.expect_refusal(401, "invalid-credentials")?))
        })
        .await
}

async fn delete(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    let path = format!("/v1/users/{USER}");
    report
        .step(format!("GET {path}"), async {
            expect_status(deployment, token, USER, "CONFIRMED").await?;
            Ok(StepResult::new((), "200, CONFIRMED"))
        })
        .await?;
    report
        .step(format!("DELETE {path}"), async {
            deployment.api.delete(&path, token).await?.expect(204)?;
            Ok(StepResult::new((), "204"))
        })
        .await?;
    report
        .step(format!("GET {path}"), async {
            let answer = deployment.api.get(&path, token).await?;
            Ok(StepResult::new((), answer.expect_refusal(404, "user-not-found")?))
        })
        .await
}
