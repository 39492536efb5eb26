//! F2: users who exist on the server side only, behind an app client with a secret.

use domain::secret::Secret;
use serde_json::json;

use super::account_status::names;
use super::expect_status;
use super::session::{Tokens, refresh, sign_in, tokens};
use crate::deployment::{Scene, Target};
use crate::failure::Failure;
use crate::report::{Report, Seen};

const USER: &str = "ray";

/// Walks it.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn walk(scene: &Scene<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F2", "server-side users, and an app client with a secret");
    let password = Secret::new("Correct-Horse-1");
    create(scene, token, &password, report).await?;
    let first = signed_in(scene, &password, report).await?;
    sign_out(scene, &first, report).await?;
    delete(scene, token, report).await
}

async fn create(
    scene: &Scene<impl Target>,
    token: &Secret,
    password: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let api = &scene.api;
    let new_user = |password: &str| json!({"username": USER, "password": {"value": password, "permanent": true}});
    report
        .step("POST /v1/users with a weak permanent password", async {
            let answer = api.post("/v1/users", token, &new_user("weak")).await?;
            let refused = answer.expect_refusal(422, "invalid-password")?;
            api.get(&format!("/v1/users/{USER}"), token).await?.expect_refusal(404, "user-not-found")?;
            Ok(Seen::new((), refused))
        })
        .await?;
    report
        .step(format!("POST /v1/users {USER} with a permanent password"), async {
            api.post("/v1/users", token, &new_user(password.expose())).await?.expect(201)?;
            expect_status(scene, token, USER, "CONFIRMED").await?;
            Ok(Seen::new((), "201, CONFIRMED at once"))
        })
        .await?;
    report
        .step("the same again", async {
            let answer = api.post("/v1/users", token, &new_user(password.expose())).await?;
            Ok(Seen::new((), answer.expect_refusal(409, "user-exists")?))
        })
        .await
}

async fn signed_in(scene: &Scene<impl Target>, password: &Secret, report: &mut Report) -> Result<Tokens, Failure> {
    let api = &scene.api;
    for (what, username, password) in
        [("a wrong password", USER, "Wrong-Horse-1!"), ("an unknown user", "nobody", password.expose())]
    {
        report
            .step(format!("POST /v1/auth/sign-in with {what}"), async {
                let answer = sign_in(api, username, &Secret::new(password)).await?;
                Ok(Seen::new((), answer.expect_refusal(401, "invalid-credentials")?))
            })
            .await?;
    }
    let first = report
        .step("POST /v1/auth/sign-in (with SECRET_HASH)", async {
            let tokens = tokens(&sign_in(api, USER, password).await?.expect(200)?)?;
            let shown = tokens.shown.clone();
            Ok(Seen::new(tokens, shown))
        })
        .await?;
    report
        .step("POST /v1/auth/refresh (REFRESH_TOKEN_AUTH)", async {
            let again = tokens(&refresh(api, &first).await?.expect(200)?)?;
            if again.refresh.is_some() {
                return Err(Failure::unexpected("no new refresh token", again.shown));
            }
            Ok(Seen::new((), again.shown))
        })
        .await?;
    Ok(first)
}

async fn sign_out(scene: &Scene<impl Target>, tokens: &Tokens, report: &mut Report) -> Result<(), Failure> {
    let api = &scene.api;
    let access_token = json!({"access_token": tokens.access.expose()});
    report
        .step("POST /v1/auth/sign-out, everywhere", async {
            let answer = api.auth("sign-out", &access_token).await?.expect(200)?;
            let (died, lives) = (names(&answer["died"]), names(&answer["lives"]));
            if died != "refresh_token, access_token" || !lives.contains("id_token") {
                return Err(Failure::unexpected("dead access and refresh tokens, a living ID token", died));
            }
            Ok(Seen::new((), format!("200, died: {died}; lives until it expires: {lives}")))
        })
        .await?;
    report
        .step("POST /v1/auth/refresh with the dead refresh token", async {
            let answer = refresh(api, tokens).await?;
            Ok(Seen::new((), answer.expect_refusal(401, "invalid-credentials")?))
        })
        .await?;
    report
        .step("POST /v1/auth/sign-out with the dead access token", async {
            let answer = api.auth("sign-out", &access_token).await?;
            Ok(Seen::new((), answer.expect_refusal(401, "invalid-credentials")?))
        })
        .await
}

async fn delete(scene: &Scene<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    let path = format!("/v1/users/{USER}");
    report
        .step(format!("GET {path}"), async {
            expect_status(scene, token, USER, "CONFIRMED").await?;
            Ok(Seen::new((), "200, CONFIRMED"))
        })
        .await?;
    report
        .step(format!("DELETE {path}"), async {
            scene.api.delete(&path, token).await?.expect(204)?;
            Ok(Seen::new((), "204"))
        })
        .await?;
    report
        .step(format!("GET {path}"), async {
            let answer = scene.api.get(&path, token).await?;
            Ok(Seen::new((), answer.expect_refusal(404, "user-not-found")?))
        })
        .await
}
