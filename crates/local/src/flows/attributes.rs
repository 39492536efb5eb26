//! F5: attributes of every kind, a second name to sign in with, and the way to a verified e-mail address.
//!
//! Asking for the verification code is not in here: the local AWS does not know that call.

use domain::secret::Secret;
use serde_json::json;

use super::session::{new_password_required, set_new_password, sign_in, tokens};
use super::{expect_status, expect_text};
use crate::failure::Failure;
use crate::report::{Report, Seen};
use crate::scene::Scene;

const USER: &str = "kim";
const PREFERRED: &str = "kimberley";

/// Walks it.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn walk(scene: &Scene, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F5", "attributes, and signing in by another name");
    let api = &scene.api;
    let temporary = Secret::new("Temporary-Pw-1!");
    let own = Secret::new("Own-Password-1!");
    report
        .step(format!("POST /v1/users {USER} with birthdate, e-mail, preferred_username, custom:team"), async {
            let body = json!({
                "username": USER,
                "attributes": {
                    "birthdate": "1990-04-01",
                    "email": "kim@example.com",
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
    report
        .step("POST /v1/auth/challenge with the session and a new password", async {
            Ok(Seen::new((), set_new_password(api, &challenge, &own).await?.shown))
        })
        .await?;
    report
        .step(format!("POST /v1/auth/sign-in as {PREFERRED}, again"), async {
            let tokens = tokens(&sign_in(api, PREFERRED, &own).await?.expect(200)?)?;
            expect_text(&tokens.username.as_str().into(), USER)?;
            Ok(Seen::new((), format!("{}; the real name is {USER}", tokens.shown)))
        })
        .await?;
    report
        .step(format!("GET /v1/users/{USER}"), async {
            let user = expect_status(scene, token, USER, "CONFIRMED").await?;
            expect_text(&user["attributes"]["email_verified"], "false")?;
            Ok(Seen::new((), "200, CONFIRMED; the e-mail address waits for its code"))
        })
        .await
}
