//! The first administrator: invited by the deployment, signs in with the mailed password, and calls the API.

use domain::secret::Secret;

use super::session::{new_password_required, set_new_password, sign_in as sign_in_with};
use crate::deployment::{FIRST_ADMIN, FIRST_ADMIN_MAILBOX, Scene, Target};
use crate::failure::Failure;
use crate::report::{Report, Seen};

/// Somebody who may administer users.
pub struct Admin {
    /// The access token.
    pub token: Secret,
    /// The password that the challenge was answered with.
    pub password: Secret,
}

/// From the mail to the first call.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn sign_in(scene: &Scene<impl Target>, report: &mut Report) -> Result<Admin, Failure> {
    sign_in_as(scene, FIRST_ADMIN, report).await
}

/// The same under another name: with e-mail sign-in the name is the address.
///
/// # Errors
/// Returns an error if a step fails its expectation.
pub async fn sign_in_as(scene: &Scene<impl Target>, name: &str, report: &mut Report) -> Result<Admin, Failure> {
    report.flow("Admin", "the first administrator comes in");
    let address = scene.aws.address(FIRST_ADMIN_MAILBOX);
    let temporary = report
        .step(format!("{}: the temporary password of {address}", scene.aws.password_source()), async {
            let pool = scene.stack.output("UserPoolId")?;
            Ok(Seen::new(scene.aws.temporary_password(pool, name, &address).await?, "a temporary password"))
        })
        .await?;
    let challenge = report
        .step("POST /v1/auth/sign-in with it", async {
            let body = sign_in_with(&scene.api, name, &temporary).await?.expect(200)?;
            let challenge = new_password_required(&body)?;
            let shown = challenge.shown.clone();
            Ok(Seen::new(challenge, shown))
        })
        .await?;
    let password = scene.aws.admin_password();
    let tokens = report
        .step("POST /v1/auth/challenge with a new password", async {
            let tokens = set_new_password(&scene.api, &challenge, &password).await?;
            let shown = tokens.shown.clone();
            Ok(Seen::new(tokens, shown))
        })
        .await?;
    report
        .step("GET /v1/users without a token", async {
            let refused = scene.api.call(reqwest::Method::GET, "/v1/users", None, None).await?;
            // The gateway refuses before any code of ours runs, in its own words.
            refused.expect(401)?;
            Ok(Seen::new((), "401"))
        })
        .await?;
    report
        .step("GET /v1/users as that administrator", async {
            let page = scene.api.get("/v1/users", &tokens.access).await?.expect(200)?;
            let users = page["users"].as_array().map(Vec::as_slice).unwrap_or_default();
            // On AWS the list may still show the user of the deployment's proof, who was deleted moments ago.
            if !users.iter().any(|user| user["attributes"]["email"] == *address) {
                return Err(Failure::unexpected(address.clone(), format!("{} other users", users.len())));
            }
            Ok(Seen::new((), "200, with that administrator"))
        })
        .await?;
    Ok(Admin { token: tokens.access, password })
}
