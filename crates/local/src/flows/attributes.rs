//! F5: attributes of every kind, a second name to sign in with, and a verified e-mail address.
//!
//! The emulator lacks the two calls about verification codes, so cognito-local plays them there: see [`crate::code_emulator`].

use std::time::Instant;

use domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use super::session::{Tokens, new_password_required, set_new_password, sign_in, tokens};
use super::{expect_status, expect_text};
use crate::code_emulator::CodeEmulator;
use crate::deployment::{Scene, Target};
use crate::failure::Failure;
use crate::report::{Report, Seen};

const USER: &str = "kim";
const PREFERRED: &str = "kimberley";

/// Not the code of any emulator.
const WRONG_CODE: &str = "000000";

/// Walks it.
///
/// # Errors
/// Returns an error if a step fails its expectation.
pub async fn walk(scene: &Scene<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F5", "attributes, sign-in by another name, a verified address");
    let tokens = sign_in_by_preferred_username(scene, token, report).await?;
    let Some(emulator) = scene.aws.without_verification() else {
        return verify(scene, &tokens.access, report).await;
    };
    let user = scene.api.get(&format!("/v1/users/{USER}"), token).await?.expect(200)?;
    let codes = report
        .step("cognito-local takes over: ministack lacks the calls about codes", async {
            let codes = CodeEmulator::start(emulator, &scene.stack, &user).await?;
            Ok(Seen::new(codes, format!("the same user pool, with a copy of {USER}")))
        })
        .await?;
    verify(scene, &tokens.access, report).await?;
    codes.stop(emulator, &scene.stack).await
}

async fn sign_in_by_preferred_username(
    scene: &Scene<impl Target>,
    token: &Secret,
    report: &mut Report,
) -> Result<Tokens, Failure> {
    let api = &scene.api;
    let temporary = Secret::new("Temporary-Pw-1!");
    let own = Secret::new("Own-Password-1!");
    report
        .step(format!("POST /v1/users {USER} with birthdate, e-mail, preferred_username, custom:team"), async {
            let body = json!({
                "username": USER,
                "attributes": {
                    "birthdate": "1990-04-01",
                    "email": scene.aws.verified_address(USER),
                    "email_verified": "false",
                    "preferred_username": PREFERRED,
                    "custom:team": "blue",
                },
                "password": {"value": temporary.expose(), "permanent": false},
            });
            api.post("/v1/users", token, &body).await?.expect(201)?;
            let user = expect_status(scene, token, USER, "FORCE_CHANGE_PASSWORD").await?;
            for (name, value) in [("birthdate", "1990-04-01"), ("custom:team", "blue"), ("email_verified", "false")] {
                expect_text(&user["attributes"][name], value)?;
            }
            Ok(Seen::new((), "201, FORCE_CHANGE_PASSWORD, email_verified false"))
        })
        .await?;
    let challenge = report
        .step(format!("POST /v1/auth/sign-in as {PREFERRED}"), async {
            let challenge = new_password_required(&sign_in(api, PREFERRED, &temporary).await?.expect(200)?)?;
            let shown = challenge.shown.clone();
            Ok(Seen::new(challenge, shown))
        })
        .await?;
    report.skip(
        "POST /v1/auth/challenge with required attributes that are missing",
        not_played(scene, "the pool requires no attributes"),
    );
    report
        .step("POST /v1/auth/challenge with the session and a new password", async {
            Ok(Seen::new((), set_new_password(api, &challenge, &own).await?.shown))
        })
        .await?;
    let tokens = report
        .step(format!("POST /v1/auth/sign-in as {PREFERRED}, again"), async {
            let tokens = tokens(&sign_in(api, PREFERRED, &own).await?.expect(200)?)?;
            expect_text(&tokens.username.as_str().into(), USER)?;
            let shown = format!("{}; the real name is {USER}", tokens.shown);
            Ok(Seen::new(tokens, shown))
        })
        .await?;
    report
        .step(format!("GET /v1/users/{USER}"), async {
            let user = expect_status(scene, token, USER, "CONFIRMED").await?;
            expect_text(&user["attributes"]["email_verified"], "false")?;
            Ok(Seen::new((), "200, CONFIRMED; email_verified false"))
        })
        .await?;
    Ok(tokens)
}

async fn verify(scene: &Scene<impl Target>, access: &Secret, report: &mut Report) -> Result<(), Failure> {
    let api = &scene.api;
    let (step, started) = ("POST /v1/auth/attributes/email/code", Instant::now());
    let sent = api.call(Method::POST, "/v1/auth/attributes/email/code", Some(access), None).await?;
    // Only an emulator that is reached like an account lacks the operation; the demo has cognito-local for it.
    if sent.has_status(501) && scene.aws.without_verification().is_none() {
        report.skip(step, format!("not played: {}", sent.summary()));
        return Ok(());
    }
    sent.expect(200)?;
    report.add(step.to_owned(), "200, the code is on its way".to_owned(), 1, started.elapsed());
    let send_back =
        async |code: &str| api.post("/v1/auth/attributes/email/verify", access, &json!({"code": code})).await;
    report
        .step("POST /v1/auth/attributes/email/verify with a wrong code", async {
            let refused = send_back(WRONG_CODE).await?.expect_refusal(422, "code-mismatch")?;
            expect_verified(&me(scene, access).await?, "false")?;
            Ok(Seen::new((), refused))
        })
        .await?;
    let step = "POST /v1/auth/attributes/email/verify with the code that was sent";
    let code = match scene.aws.verification_code().await {
        Ok(code) => code,
        Err(reason) => {
            report.skip(step, reason);
            return Ok(());
        }
    };
    report
        .step(step, async {
            send_back(code.expose()).await?.expect(204)?;
            Ok(Seen::new((), "204"))
        })
        .await?;
    report
        .step("GET /v1/auth/me", async {
            expect_verified(&me(scene, access).await?, "true")?;
            Ok(Seen::new((), "200, email_verified true"))
        })
        .await?;
    report.skip(
        "POST /v1/auth/attributes/email/verify with an expired code",
        not_played(scene, "a code is valid for 24 hours"),
    );
    Ok(())
}

async fn me(scene: &Scene<impl Target>, access: &Secret) -> Result<Value, Failure> {
    scene.api.get("/v1/auth/me", access).await?.expect(200)
}

fn expect_verified(me: &Value, wanted: &str) -> Result<(), Failure> {
    expect_text(&me["attributes"]["email_verified"], wanted)
}

/// The reason why a step is skipped. Tests on recorded answers cover these steps.
fn not_played(scene: &Scene<impl Target>, on_aws: &str) -> String {
    match scene.aws.without_verification() {
        Some(_) => "not played: the emulators lack it; tested on recorded answers".to_owned(),
        None => format!("not proved: {on_aws}; tested on recorded answers"),
    }
}
