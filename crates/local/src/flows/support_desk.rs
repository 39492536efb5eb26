//! S: support tasks, which are user searches, groups, disabling and enabling users, password resets and idempotent
//! requests.

use domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use super::session::{sign_in, tokens};
use super::{expect_listed, expect_status};
use crate::deployment::{Deployment, FIRST_ADMIN, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const USER: &str = "lou";
const GROUP: &str = "support";

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("S", "support tasks");
    let password = Secret::new("Correct-Horse-1");
    create_twice(deployment, token, &password, report).await?;
    find(deployment, token, report).await?;
    add_to_group(deployment, token, report).await?;
    disable_and_enable(deployment, token, &password, report).await?;
    reset(deployment, token, report).await
}

async fn create_twice(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    password: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let api = &deployment.api;
    let user = |email: &str| {
        json!({
            "username": USER,
            "attributes": {"email": email, "email_verified": "true", "name": "Lou O\"Neil"},
            "password": password.expose(), "permanent": true,
        })
    };
    report
        .step(format!("POST /v1/users {USER} with an Idempotency-Key, twice"), async {
            for status in [201, 200] {
                let body = user(&deployment.aws.address(USER));
                api.post_idempotent("/v1/users", token, "ticket-17", &body).await?.expect(status)?;
            }
            Ok(StepResult::new((), "201, then 200 and the same user"))
        })
        .await?;
    report
        .step(format!("POST /v1/users {USER} again, with another e-mail address"), async {
            let answer = api.post_idempotent("/v1/users", token, "ticket-17", &user("lou@example.org")).await?;
            Ok(StepResult::new((), answer.expect_refusal(409, "user-exists")?))
        })
        .await
}

async fn find(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    let address = deployment.aws.address(USER);
    let prefix = address.split_inclusive('@').next().unwrap_or_default().replace('+', "%2B").replace('@', "%40");
    for (query, shown) in [
        (&*format!("email_prefix={prefix}&status=CONFIRMED&enabled=true"), "by e-mail prefix, status and enabled"),
        ("name=Lou%20O%22Neil", "by a name that contains a quote"),
        ("custom_attribute=team%3Dblue", "by a custom attribute"),
    ] {
        let wanted = if query.starts_with("custom") { "kim" } else { USER };
        report
            .step(format!("GET /v1/users {shown}"), async {
                let attempts = expect_listed(deployment, token, &format!("/v1/users?{query}"), wanted).await?;
                Ok(StepResult::new((), format!("200, {wanted} only")).after(attempts))
            })
            .await?;
    }
    Ok(())
}

async fn add_to_group(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let api = &deployment.api;
    report
        .step(format!("POST /v1/groups {GROUP}, PUT …/groups/{GROUP}"), async {
            api.post("/v1/groups", token, &json!({"name": GROUP, "description": "Helps"})).await?.expect(201)?;
            api.put(&format!("/v1/users/{USER}/groups/{GROUP}"), token, &json!({})).await?.expect(204)?;
            let attempts = expect_listed(deployment, token, &format!("/v1/groups/{GROUP}/users"), USER).await?;
            Ok(StepResult::new((), format!("201, 204; {USER} is a member")).after(attempts))
        })
        .await?;
    report
        .step("the administrator adds themselves to the group", async {
            let path = format!("/v1/users/{FIRST_ADMIN}/groups/{GROUP}");
            let answer = api.put(&path, token, &json!({})).await?;
            Ok(StepResult::new((), answer.expect_refusal(403, "forbidden")?))
        })
        .await
}

async fn disable_and_enable(
    deployment: &Deployment<impl Target>,
    token: &Secret,
    password: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let api = &deployment.api;
    let change = async |what: &str| -> Result<Value, Failure> {
        let path = format!("/v1/users/{USER}/{what}");
        let answer = api.call(Method::POST, &path, Some(token), None).await?.expect(200)?;
        Ok(answer["changed"].clone())
    };
    report
        .step("POST …/disable, twice", async {
            let changed = [change("disable").await?, change("disable").await?];
            if changed != [json!(true), json!(false)] {
                return Err(Failure::unexpected("changed, then not changed", format!("{changed:?}")));
            }
            Ok(StepResult::new((), "200, changed; 200, not changed"))
        })
        .await?;
    report
        .step("POST /v1/auth/sign-in", async {
            let answer = sign_in(api, USER, password).await?;
            Ok(StepResult::new((), answer.expect_refusal(401, "invalid-credentials")?))
        })
        .await?;
    report
        .step("POST …/enable, and sign in", async {
            change("enable").await?;
            Ok(StepResult::new((), tokens(&sign_in(api, USER, password).await?.expect(200)?)?.shown))
        })
        .await
}

async fn reset(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    let api = &deployment.api;
    let own = Secret::new("Own-Password-1!");
    report
        .step("POST …/reset-password by the administrator", async {
            api.call(Method::POST, &format!("/v1/users/{USER}/reset-password"), Some(token), None)
                .await?
                .expect(200)?;
            let user = expect_status(deployment, token, USER, "RESET_REQUIRED").await?;
            Ok(StepResult::new((), format!("200, RESET_REQUIRED; next actions {}", user["life_cycle"]["next_actions"])))
        })
        .await?;
    let step = "POST /v1/auth/reset-password with the sent code";
    match deployment.aws.reset_code() {
        Ok(code) => {
            report
                .step(step, async {
                    let body = json!({"username": USER, "code": code.expose(), "new_password": own.expose()});
                    api.auth("reset-password", &body).await?.expect(204)?;
                    expect_status(deployment, token, USER, "CONFIRMED").await?;
                    Ok(StepResult::new((), "204, CONFIRMED"))
                })
                .await?;
        }
        Err(reason) => {
            report.skip(step, reason);
            report
                .step("PUT …/password by the administrator instead", async {
                    let body = json!({"password": own.expose(), "permanent": true});
                    api.put(&format!("/v1/users/{USER}/password"), token, &body).await?.expect(204)?;
                    expect_status(deployment, token, USER, "CONFIRMED").await?;
                    Ok(StepResult::new((), "204, CONFIRMED"))
                })
                .await?;
        }
    }
    report
        .step("GET /v1/auth/me with the access token of a new sign-in", async {
            let tokens = tokens(&sign_in(api, USER, &own).await?.expect(200)?)?;
            let me = api.get("/v1/auth/me", &tokens.access).await?.expect(200)?;
            if me["username"] != USER {
                return Err(Failure::unexpected(USER, me["username"].to_string()));
            }
            Ok(StepResult::new((), format!("200, {USER}")))
        })
        .await
}
