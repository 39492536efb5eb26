//! S: a day at the support desk: finding people, groups, switching accounts off and on, resets, and repeats.

use domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};

use super::expect_status;
use super::session::{sign_in, tokens};
use crate::failure::Failure;
use crate::report::{Report, Seen};
use crate::scene::{FIRST_ADMIN, Scene};

const USER: &str = "lou";
const GROUP: &str = "support";

/// The code that the local AWS sends for every reset.
const RESET_CODE: &str = "654321";

/// Walks it.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn walk(scene: &Scene, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("S", "a day at the support desk");
    let password = Secret::new("Correct-Horse-1");
    create_twice(scene, token, &password, report).await?;
    find(scene, token, report).await?;
    put_into_group(scene, token, report).await?;
    switch_off_and_on(scene, token, &password, report).await?;
    reset(scene, token, report).await
}

async fn create_twice(scene: &Scene, token: &Secret, password: &Secret, report: &mut Report) -> Result<(), Failure> {
    let api = &scene.api;
    let user = |email: &str| {
        json!({
            "username": USER,
            "attributes": {"email": email, "email_verified": "true", "name": "Lou O\"Neil"},
            "password": {"value": password.expose(), "permanent": true},
        })
    };
    report
        .step(format!("POST /v1/users {USER} with an Idempotency-Key, twice"), async {
            for status in [201, 200] {
                let body = user("lou@example.com");
                api.post_repeatably("/v1/users", token, "ticket-17", &body).await?.expect(status)?;
            }
            Ok(Seen::new((), "201, then 200 and the same user"))
        })
        .await?;
    report
        .step("the same with another e-mail address", async {
            let answer = api.post_repeatably("/v1/users", token, "ticket-17", &user("lou@example.org")).await?;
            Ok(Seen::new((), answer.expect_refusal(409, "user-exists")?))
        })
        .await
}

async fn find(scene: &Scene, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    for (query, shown) in [
        ("email_prefix=lou%40&status=CONFIRMED&enabled=true", "by the beginning of the address, status and enabled"),
        ("name=Lou%20O%22Neil", "by a name with a quote in it"),
        ("custom_attribute=team%3Dblue", "by a custom attribute"),
    ] {
        report
            .step(format!("GET /v1/users {shown}"), async {
                let body = scene.api.get(&format!("/v1/users?{query}"), token).await?.expect(200)?;
                let found = usernames(&body);
                let wanted = if query.starts_with("custom") { "kim" } else { USER };
                if found != [wanted] {
                    return Err(Failure::unexpected(wanted, found.join(", ")));
                }
                Ok(Seen::new((), format!("200, {wanted} and nobody else")))
            })
            .await?;
    }
    Ok(())
}

fn usernames(body: &Value) -> Vec<&str> {
    body["users"].as_array().into_iter().flatten().filter_map(|user| user["username"].as_str()).collect()
}

async fn put_into_group(scene: &Scene, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    let api = &scene.api;
    report
        .step(format!("POST /v1/groups {GROUP}, PUT …/groups/{GROUP}"), async {
            api.post("/v1/groups", token, &json!({"name": GROUP, "description": "Helps"})).await?.expect(201)?;
            api.put(&format!("/v1/users/{USER}/groups/{GROUP}"), token, &json!({})).await?.expect(204)?;
            let members = api.get(&format!("/v1/groups/{GROUP}/users"), token).await?.expect(200)?;
            if usernames(&members) != [USER] {
                return Err(Failure::unexpected(USER, members.to_string()));
            }
            Ok(Seen::new((), format!("201, 204; {USER} is in it")))
        })
        .await?;
    report
        .step("the administrator into that group, by themselves", async {
            let path = format!("/v1/users/{FIRST_ADMIN}/groups/{GROUP}");
            let answer = api.put(&path, token, &json!({})).await?;
            Ok(Seen::new((), answer.expect_refusal(403, "forbidden")?))
        })
        .await
}

async fn switch_off_and_on(
    scene: &Scene,
    token: &Secret,
    password: &Secret,
    report: &mut Report,
) -> Result<(), Failure> {
    let api = &scene.api;
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
            Ok(Seen::new((), "200, changed; 200, not changed"))
        })
        .await?;
    report
        .step("POST /v1/auth/sign-in", async {
            let answer = sign_in(api, USER, password).await?;
            Ok(Seen::new((), answer.expect_refusal(401, "invalid-credentials")?))
        })
        .await?;
    report
        .step("POST …/enable, and sign in", async {
            change("enable").await?;
            Ok(Seen::new((), tokens(&sign_in(api, USER, password).await?.expect(200)?)?.shown))
        })
        .await
}

async fn reset(scene: &Scene, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    let api = &scene.api;
    let own = Secret::new("Own-Password-1!");
    report
        .step("POST …/reset-password by the administrator", async {
            api.call(Method::POST, &format!("/v1/users/{USER}/reset-password"), Some(token), None)
                .await?
                .expect(200)?;
            let user = expect_status(scene, token, USER, "RESET_REQUIRED").await?;
            Ok(Seen::new((), format!("200, RESET_REQUIRED; next actions {}", user["life_cycle"]["next_actions"])))
        })
        .await?;
    report
        .step("POST /v1/auth/reset-password with the code that was sent", async {
            let body = json!({"username": USER, "code": RESET_CODE, "new_password": own.expose()});
            api.auth("reset-password", &body).await?.expect(204)?;
            expect_status(scene, token, USER, "CONFIRMED").await?;
            Ok(Seen::new((), "204, CONFIRMED"))
        })
        .await?;
    report
        .step("GET /v1/auth/me with the access token of a new sign-in", async {
            let tokens = tokens(&sign_in(api, USER, &own).await?.expect(200)?)?;
            let me = api.get("/v1/auth/me", &tokens.access).await?.expect(200)?;
            if me["username"] != USER {
                return Err(Failure::unexpected(USER, me["username"].to_string()));
            }
            Ok(Seen::new((), format!("200, {USER}")))
        })
        .await
}
