//! F5: attributes, sign-in by alias, and e-mail verification.
//!
//! The emulator lacks verification codes, so [`crate::code_emulator`] provides them.

use std::time::Instant;

use domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use super::session::{Tokens, new_password_required, set_new_password, sign_in, tokens};
use super::{expect_status, expect_text};
use crate::code_emulator::CodeEmulator;
use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const USER: &str = "kim";
const PREFERRED: &str = "kimberley";

/// A code that no emulator sends.
const WRONG_CODE: &str = "000000";

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F5", "attributes, sign-in by alias, e-mail verification");
    let tokens = sign_in_by_preferred_username(deployment, token, report).await?;
    let Some(emulator) = deployment.aws.without_verification() else {
        return verify(deployment, &tokens.access, report).await;
    };
    let user = deployment.api.get(&format!("/v1/users/{USER}"), token).await?.expect(200)?;
    let codes = report
        .step("start cognito-local, because ministack lacks verification codes", async {
            let codes = CodeEmulator::start(emulator, &deployment.stack, &user).await?;
            Ok(StepResult::new(codes, format!("the same user pool, with a copy of {USER}")))
        })
        .await?;
    verify(deployment, &tokens.access, report).await?;
    codes.stop(emulator, &deployment.stack).await
}

async fn sign_in_by_preferred_username(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    report: &mut Report,
) -> Result<Tokens, Failure> {
    let api = &deployment.api;
    let temporary = Secret::new("Temporary-Pw-1!");
    let own = Secret::new("Own-Password-1!");
    report
        .step(format!("POST /v1/users {USER} with birthdate, e-mail, preferred_username, custom:team"), async {
            let body = json!({
                "username": USER,
                "attributes": {
                    "birthdate": "1990-04-01",
                    "email": deployment.aws.verified_address(USER),
                    "email_verified": "false",
                    "preferred_username": PREFERRED,
                    "custom:team": "blue",
                },
                "password": temporary.expose(),
            });
            api.post("/v1/users", token, &body).await?.expect(201)?;
            let user = expect_status(deployment, token, USER, "FORCE_CHANGE_PASSWORD").await?;
            for (name, value) in [("birthdate", "1990-04-01"), ("custom:team", "blue"), ("email_verified", "false")] {
                expect_text(&user["attributes"][name], value)?;
            }
            Ok(StepResult::new((), "201, FORCE_CHANGE_PASSWORD, email_verified false"))
        })
        .await?;
    let challenge = report
        .step(format!("POST /v1/auth/sign-in as {PREFERRED}"), async {
            let challenge = new_password_required(&sign_in(api, PREFERRED, &temporary).await?.expect(200)?)?;
            let shown = challenge.shown.clone();
            Ok(StepResult::new(challenge, shown))
        })
        .await?;
    report.skip(
        "POST /v1/auth/challenge with missing required attributes",
        skip_reason(deployment, "the pool requires no attributes"),
    );
    report
        .step("POST /v1/auth/challenge with the session and a new password", async {
            Ok(StepResult::new((), set_new_password(api, &challenge, &own).await?.shown))
        })
        .await?;
    let tokens = report
        .step(format!("POST /v1/auth/sign-in as {PREFERRED}, again"), async {
            let tokens = tokens(&sign_in(api, PREFERRED, &own).await?.expect(200)?)?;
            expect_text(&tokens.username.as_str().into(), USER)?;
            let shown = format!("{}; the user name is {USER}", tokens.shown);
            Ok(StepResult::new(tokens, shown))
        })
        .await?;
    report
        .step(format!("GET /v1/users/{USER}"), async {
            let user = expect_status(deployment, token, USER, "CONFIRMED").await?;
            expect_text(&user["attributes"]["email_verified"], "false")?;
            Ok(StepResult::new((), "200, CONFIRMED; email_verified false"))
        })
        .await?;
    Ok(tokens)
}

async fn verify(deployment: &Deployment<impl Target>, access: &Secret, report: &mut Report) -> Result<(), Failure> {
    let api = &deployment.api;
    let (step, started) = ("POST /v1/auth/attributes/email/code", Instant::now());
    let sent = api.call(Method::POST, "/v1/auth/attributes/email/code", Some(access), None).await?;
    // `make prove` on an emulator does not start cognito-local, so the operation is missing.
    if sent.has_status(501) && deployment.aws.without_verification().is_none() {
        report.skip(step, format!("not emulated: {}", sent.summary()));
        return Ok(());
    }
    sent.expect(200)?;
    report.add(step.to_owned(), "200, code sent".to_owned(), 1, started.elapsed());
    let send_code =
        async |code: &str| api.post("/v1/auth/attributes/email/verify", access, &json!({"code": code})).await;
    report
        .step("POST /v1/auth/attributes/email/verify with a wrong code", async {
            let refused = send_code(WRONG_CODE).await?.expect_refusal(422, "code-mismatch")?;
            expect_verified(&me(deployment, access).await?, "false")?;
            Ok(StepResult::new((), refused))
        })
        .await?;
    let step = "POST /v1/auth/attributes/email/verify with the sent code";
    let code = match deployment.aws.verification_code().await {
        Ok(code) => code,
        Err(reason) => {
            report.skip(step, reason);
            return Ok(());
        }
    };
    report
        .step(step, async {
            send_code(code.expose()).await?.expect(204)?;
            Ok(StepResult::new((), "204"))
        })
        .await?;
    report
        .step("GET /v1/auth/me", async {
            expect_verified(&me(deployment, access).await?, "true")?;
            Ok(StepResult::new((), "200, email_verified true"))
        })
        .await?;
    report.skip(
        "POST /v1/auth/attributes/email/verify with an expired code",
        skip_reason(deployment, "a code is valid for 24 hours"),
    );
    Ok(())
}

async fn me(deployment: &Deployment<impl Target>, access: &Secret) -> Result<Value, Failure> {
    deployment.api.get("/v1/auth/me", access).await?.expect(200)
}

fn expect_verified(me: &Value, wanted: &str) -> Result<(), Failure> {
    expect_text(&me["attributes"]["email_verified"], wanted)
}

/// Why a step is skipped. Tests on recorded responses cover these steps.
fn skip_reason(deployment: &Deployment<impl Target>, on_aws: &str) -> String {
    match deployment.aws.without_verification() {
        Some(_) => "not emulated; tested on recorded responses".to_owned(),
        None => format!("not proved: {on_aws}; tested on recorded responses"),
    }
}
