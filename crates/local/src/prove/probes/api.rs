//! Paths, preflights and group claims in API Gateway, and filters in Cognito.

use domain::secret::Secret;
use serde_json::json;

use super::{Claim, Observed, ProbeContext, emulated, only_on_aws};
use crate::failure::Failure;
use crate::flows::expect_listed;
use crate::prove::plan::ORIGIN;

pub(super) const PATHS: Claim = emulated("`#` and `+` work in user names in paths; for `/`, only the `sub` works");
pub(super) const PREFLIGHT: Claim = only_on_aws(
    "A preflight request from an allowed origin succeeds without a token; from another origin, it receives no CORS headers",
);
pub(super) const QUOTES: Claim =
    emulated("ListUsers accepts quotes and backslashes in a filter if a backslash escapes each of them");
pub(super) const GROUPS: Claim = emulated(
    "The authorizer's group claim contains every group of the user, and no group name can be parsed as another",
);

pub(super) async fn paths(context: &ProbeContext<'_>, token: &Secret) -> Result<Observed, Failure> {
    let api = &context.deployment.api;
    let mut seen = Vec::new();
    for (name, path, status) in [
        ("prove#1", "prove%231", 200),
        ("prove+1", "prove+1", 200),
        ("prove+1", "prove%2B1", 200),
        ("prove/1", "prove%2F1", 404),
    ] {
        let new = json!({"username": name, "password": "Correct-Horse-1", "permanent": true});
        let created = api.post("/v1/users", token, &new).await?;
        if path != "prove%2B1" {
            let sub = created.expect(201)?["sub"].as_str().unwrap_or_default().to_owned();
            if name.contains('/') {
                let by_sub = api.get(&format!("/v1/users/{sub}"), token).await?.expect(200)?;
                seen.push((by_sub["username"] == name, format!("{name} by sub: {}", by_sub["username"])));
            }
        }
        let answer = api.get(&format!("/v1/users/{path}"), token).await?;
        let (summary, as_expected) = (answer.summary(), answer.has_status(status));
        let username = answer.expect(status).map(|body| body["username"].clone()).unwrap_or_default();
        let right = as_expected && (status == 404 || username == name);
        seen.push((right, format!("{path}: {summary}")));
    }
    let what = seen.iter().map(|(_, what)| what.as_str()).collect::<Vec<_>>().join("; ");
    Ok(Observed::that(seen.iter().all(|(right, _)| *right), what))
}

pub(super) async fn preflight(context: &ProbeContext<'_>) -> Result<Observed, Failure> {
    let api = &context.deployment.api;
    let mut holds = true;
    let mut seen = Vec::new();
    for path in ["/v1/users", "/v1/auth/sign-in"] {
        let allowed = api.preflight(path, ORIGIN).await?;
        let other = api.preflight(path, "https://other.example").await?;
        holds &= (200..300).contains(&allowed.status) && allowed.origin.as_deref() == Some(ORIGIN);
        holds &= other.origin.is_none();
        seen.push(format!("{path}: {allowed} for {ORIGIN}, {other} for another origin"));
    }
    Ok(Observed::that(holds, seen.join("; ")))
}

pub(super) async fn quotes(context: &ProbeContext<'_>, token: &Secret) -> Result<Observed, Failure> {
    let deployment = context.deployment;
    for (username, name, query) in [
        ("quote-1", r#"A "quoted" name"#, "A%20%22quoted%22%20name"),
        ("quote-2", r"back\slash", "back%5Cslash"),
        ("quote-3", r"end\", "end%5C"),
    ] {
        let new = json!({
            "username": username,
            "attributes": {"name": name},
            "password": "Correct-Horse-1", "permanent": true,
        });
        deployment.api.post("/v1/users", token, &new).await?.expect(201)?;
        match expect_listed(deployment, token, &format!("/v1/users?name={query}"), username).await {
            Err(Failure::Unexpected { got, .. }) => return Ok(Observed::that(false, format!("{name}: {got}"))),
            listed => _ = listed?,
        }
    }
    Ok(Observed::that(true, r#"the filters for `"quoted"`, `back\slash` and `end\` each find exactly one user"#))
}

pub(super) async fn groups(context: &ProbeContext<'_>, token: &Secret) -> Result<Observed, Failure> {
    let deployment = context.deployment;
    let pool = deployment.stack.output("UserPoolId")?;
    let mut holds = true;
    let mut seen = Vec::new();
    for (username, groups, status) in [
        ("claim-1", &["admins", "claims"][..], 200),
        ("claim-2", &["x,admins", "[admins]"], 403),
        ("claim-3", &[], 403),
    ] {
        let new = json!({"username": username, "password": "Correct-Horse-1", "permanent": true});
        deployment.api.post("/v1/users", token, &new).await?.expect(201)?;
        for group in groups {
            let action = if *group == "admins" { "join" } else { "group" };
            deployment.aws.script(&[action, pool, group, "", username], None).await?;
        }
        let sign_in = json!({"username": username, "password": "Correct-Horse-1"});
        let tokens = deployment.api.auth("sign-in", &sign_in).await?.expect(200)?;
        let own = tokens["tokens"]["access_token"].as_str().unwrap_or_default();
        let answer = deployment.api.get("/v1/users", &Secret::new(own)).await?;
        holds &= answer.has_status(status);
        seen.push(format!("{groups:?}: {}", answer.summary()));
    }
    Ok(Observed::that(holds, seen.join("; ")))
}
