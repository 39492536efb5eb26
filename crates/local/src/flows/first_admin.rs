//! The first administrator signs in with the mailed temporary password and calls the API.

use domain::secret::Secret;

use super::session::{new_password_required, set_new_password, sign_in as sign_in_with};
use crate::deployment::{Deployment, FIRST_ADMIN, FIRST_ADMIN_MAILBOX, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

/// The credentials of an administrator.
pub struct Admin {
    /// The access token.
    pub token: Secret,
    /// The password that was set in the challenge.
    pub password: Secret,
}

/// Signs in as the first administrator of a pool with user names.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn sign_in(deployment: &Deployment<impl Target>, report: &mut Report) -> Result<Admin, Failure> {
    sign_in_as(deployment, FIRST_ADMIN, report).await
}

/// Signs in as the first administrator with this user name, which is an address if users sign in with e-mail addresses.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn sign_in_as(
    deployment: &Deployment<impl Target>,
    name: &str,
    report: &mut Report,
) -> Result<Admin, Failure> {
    report.flow("Admin", "the first administrator signs in");
    let address = deployment.aws.address(FIRST_ADMIN_MAILBOX);
    let temporary = report
        .step(format!("{}: the temporary password of {address}", deployment.aws.password_source()), async {
            let pool = deployment.stack.output("UserPoolId")?;
            Ok(StepResult::new(deployment.aws.temporary_password(pool, name, &address).await?, "a temporary password"))
        })
        .await?;
    let challenge = report
        .step("POST /v1/auth/sign-in with the temporary password", async {
            let body = sign_in_with(&deployment.api, name, &temporary).await?.expect(200)?;
            let challenge = new_password_required(&body)?;
            let shown = challenge.shown.clone();
            Ok(StepResult::new(challenge, shown))
        })
        .await?;
    let password = deployment.aws.admin_password();
    let tokens = report
        .step("POST /v1/auth/challenge with a new password", async {
            let tokens = set_new_password(&deployment.api, &challenge, &password).await?;
            let shown = tokens.shown.clone();
            Ok(StepResult::new(tokens, shown))
        })
        .await?;
    report
        .step("GET /v1/users without a token", async {
            let refused = deployment.api.call(reqwest::Method::GET, "/v1/users", None, None).await?;
            // API Gateway rejects the request itself, so the body is not a problem document.
            refused.expect(401)?;
            Ok(StepResult::new((), "401"))
        })
        .await?;
    report
        .step("GET /v1/users as the administrator", async {
            let page = deployment.api.get("/v1/users", &tokens.access).await?.expect(200)?;
            let users = page["users"].as_array().map(Vec::as_slice).unwrap_or_default();
            // On AWS, the list can still contain the deleted user of the deployment's verification.
            if !users.iter().any(|user| user["attributes"]["email"] == *address) {
                return Err(Failure::unexpected(address.clone(), format!("{} other users", users.len())));
            }
            Ok(StepResult::new((), "200, lists the administrator"))
        })
        .await?;
    Ok(Admin { token: tokens.access, password })
}
