//! `ADMIN_MFA=required`: admin routes require a second factor, except `GET /v1/me`.

use domain::user_pool::error::Reason;
use domain::user_pool::sessions::Factor;
use http::Method;
use serde_json::{Value, json};
use testkit::in_memory::FACTOR_CODE;

use crate::authz::access::Access;
use crate::routes;
use crate::settings::Served;
use crate::testing::{Answer, Api, By, Call, iam, rest_token, token, token_with};

/// A call of every admin route, with existing names.
fn admin_calls() -> Vec<(Access, Call)> {
    let call = |method: &Method, path: &str| {
        let path = path.replace("{username}", "mia").replace("{group}", "readers");
        let path = path.replace("{key}", "key-1").replace("{provider}", "Google");
        Call::new(
            method.as_str(),
            &path,
            [Method::POST, Method::PUT, Method::PATCH].contains(method).then_some(&json!({})),
        )
    };
    routes::of(Served::Admin).iter().map(|route| (route.access, call(&route.method, &route.path))).collect()
}

fn root() -> By {
    token("root", "[admins]")
}

async fn me(api: &Api, by: By) -> Answer {
    api.call(Call::get("/v1/me").by(by)).await
}

fn mfa(required: bool, missing: bool) -> Value {
    json!({"required": required, "missing": missing})
}

#[tokio::test]
async fn rejects_admin_routes_without_a_second_factor() {
    for (access, call) in admin_calls() {
        for by in [root(), rest_token("root", &json!({"cognito:groups": "admins"}))] {
            let api = Api::requiring_mfa();
            let answer = api.call(call.clone().by(by)).await;
            if access == Access::AnyCaller {
                assert_eq!((answer.status, &answer.body["mfa"]), (200, &mfa(true, true)));
                continue;
            }
            assert_eq!((answer.status, answer.code()), (403, "mfa-required"), "{access:?}");
            let next = json!(["POST /v1/auth/me/totp", "POST /v1/auth/me/totp/verify", "POST /v1/auth/sign-in"]);
            assert_eq!(answer.body["next_actions"], next);
            // A write also reads the caller's groups and the target at the same time.
            let also_read = ["groups", "get"].into_iter().filter(|_| matches!(access, Access::Write(_)));
            let allowed: Vec<_> = [&["myself"][..], &also_read.collect::<Vec<_>>()].concat();
            let calls = api.pool.calls();
            assert!(
                calls.contains(&"myself") && calls.iter().all(|call| allowed.contains(call)),
                "{access:?}: {calls:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_next_actions_give_access_to_admin_routes() {
    let api = Api::requiring_mfa();
    let own = |call: Call, token: &str| call.anonymous().header("x-access-token", token);
    let with = |call: Call, token: &str| call.by(root()).header("authorization", &format!("Bearer {token}"));
    let users = || Call::get("/v1/users");
    let first = api.sign_in("root").await.access;
    assert_eq!(api.call(with(users(), &first)).await.code(), "mfa-required");
    assert_eq!(api.call(own(Call::post("/v1/auth/me/totp", None), &first)).await.status, 200);
    let code = json!({"code": FACTOR_CODE});
    assert_eq!(api.call(own(Call::post("/v1/auth/me/totp/verify", Some(&code)), &first)).await.status, 204);
    for call in [users(), Call::delete("/v1/users/mia"), Call::get("/v1/me")] {
        let answer = api.call(with(call, &first)).await;
        assert_eq!((answer.status, answer.code()), (401, "invalid-credentials"));
    }

    let body = json!({"username": "root", "password": "Password-of-root-1"});
    let challenge = api.call(Call::post("/v1/auth/sign-in", Some(&body)).anonymous()).await.body["challenge"].take();
    let body = json!({
        "challenge": challenge["name"], "username": "root", "session": challenge["session"], "code": FACTOR_CODE
    });
    let tokens = api.call(Call::post("/v1/auth/challenge", Some(&body)).anonymous()).await.body["tokens"].take();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(api.call(with(users(), token)).await.status, 200);
    assert_eq!(api.call(with(Call::delete("/v1/users/mia"), token)).await.status, 204);
    assert_eq!(api.call(with(Call::get("/v1/me"), token)).await.body["mfa"], mfa(true, false));

    assert_eq!(api.call(own(Call::delete("/v1/auth/me/totp"), token)).await.status, 204);
    assert_eq!(api.call(with(users(), token)).await.code(), "mfa-required");
}

#[tokio::test]
async fn rejects_sessions_that_started_before_the_enrollment() {
    let api = Api::requiring_mfa();
    // An attacker signs in with the administrator's password before the administrator enrolls an authenticator app.
    let stolen = api.sign_in("root").await;
    let own = |call: Call| call.anonymous().header("x-access-token", &api.token_of("root"));
    assert_eq!(api.call(own(Call::post("/v1/auth/me/totp", None))).await.status, 200);
    let code = json!({"code": FACTOR_CODE});
    assert_eq!(api.call(own(Call::post("/v1/auth/me/totp/verify", Some(&code)))).await.status, 204);
    let body = json!({"username": "root", "refresh_token": stolen.refresh});
    assert_eq!(api.call(Call::post("/v1/auth/refresh", Some(&body)).anonymous()).await.code(), "invalid-credentials");
    for call in [Call::get("/v1/users"), Call::delete("/v1/users/mia")] {
        let call = call.by(root()).header("authorization", &format!("Bearer {}", stolen.access));
        assert_eq!(api.call(call).await.code(), "invalid-credentials");
    }
}

#[tokio::test]
async fn every_kind_of_second_factor_counts() {
    for factor in Factor::ALL.iter().copied() {
        let api = Api::requiring_mfa();
        api.pool.switch_factor_on("root", factor);
        let answer = api.call(Call::get("/v1/users/mia").by(root())).await;
        assert_eq!(answer.status, 200, "{factor:?}");
    }
}

#[tokio::test]
async fn callers_without_permissions_need_no_second_factor() {
    let api = Api::requiring_mfa();
    for by in [token("vic", "[visitors]"), token("mia", "[]"), iam("arn:aws:iam::123456789012:role/support")] {
        assert_eq!(api.call(Call::get("/v1/users").by(by.clone())).await.code(), "forbidden");
        assert_eq!(me(&api, by).await.status, 200);
    }
    assert_eq!(me(&api, token("vic", "[visitors]")).await.body["mfa"], mfa(false, false));
    assert_eq!(api.pool.calls(), Vec::<&str>::new());
    assert_eq!(api.call(Call::get("/v1/users").by(token("ray", "[readers]"))).await.code(), "mfa-required");
}

#[tokio::test]
async fn optional_second_factors_are_not_checked() {
    let api = Api::new();
    assert_eq!(api.call(Call::get("/v1/users/mia").by(root())).await.status, 200);
    assert_eq!(me(&api, root()).await.body["mfa"], mfa(false, false));
    assert!(!api.pool.calls().contains(&"myself"));
}

#[tokio::test]
async fn reads_require_a_valid_token_and_an_available_user_pool() {
    let read = |by: By| Call::get("/v1/users/mia").by(by);
    for (by, status, code) in [
        (token_with("root", &json!({"cognito:groups": "[admins]", "scope": "openid"})), 403, "insufficient-scope"),
        (token_with("root", &json!({"cognito:groups": "[admins]", "sub": "another"})), 401, "unauthenticated"),
    ] {
        let api = Api::requiring_mfa();
        api.pool.switch_factor_on("root", Factor::EmailOtp);
        let answer = api.call(read(by)).await;
        assert_eq!((answer.status, answer.code()), (status, code));
    }
    for (reason, status) in [(Reason::Throttled, 429), (Reason::InvalidCredentials, 401), (Reason::Unavailable, 502)] {
        let api = Api::requiring_mfa();
        api.pool.switch_factor_on("root", Factor::EmailOtp);
        api.pool.fail("myself", 1, reason);
        assert_eq!(api.call(read(root())).await.status, status);
        api.pool.fail("myself", 1, reason);
        assert_eq!(me(&api, root()).await.status, status);
    }
}
