//! Sign-in through the API: tokens, challenges and refresh.

use domain::secret::Secret;
use serde_json::{Value, json};

use crate::api::{Answer, Api};
use crate::failure::Failure;

/// The tokens of a session.
pub(super) struct Tokens {
    pub(super) access: Secret,
    pub(super) id: Secret,
    pub(super) refresh: Option<Secret>,
    pub(super) username: String,
    /// A description without secrets.
    pub(super) shown: String,
}

/// A challenge to answer before Cognito issues tokens.
pub(super) struct Challenge {
    session: Secret,
    username: String,
    /// A description without secrets.
    pub(super) shown: String,
}

/// Signs in with a password.
pub(super) async fn sign_in(api: &Api, username: &str, password: &Secret) -> Result<Answer, Failure> {
    api.auth("sign-in", &json!({"username": username, "password": password.expose()})).await
}

/// Reads the tokens in a response.
pub(super) fn tokens(body: &Value) -> Result<Tokens, Failure> {
    let tokens = &body["tokens"];
    let secret = |name: &str| tokens[name].as_str().map(Secret::new);
    let missing = || Failure::unexpected("tokens", describe(body));
    let (access, id, refresh) = (secret("access_token"), secret("id_token"), secret("refresh_token"));
    let kinds =
        if refresh.is_some() { "access, ID and refresh token" } else { "access and ID token, no refresh token" };
    Ok(Tokens {
        access: access.ok_or_else(missing)?,
        id: id.ok_or_else(missing)?,
        shown: format!("{kinds}, valid for {} s", tokens["expires_in_seconds"]),
        refresh,
        username: tokens["username"].as_str().ok_or_else(missing)?.to_owned(),
    })
}

/// Reads the challenge in a response, which must be `NEW_PASSWORD_REQUIRED`.
pub(super) fn new_password_required(body: &Value) -> Result<Challenge, Failure> {
    const WANTED: &str = "NEW_PASSWORD_REQUIRED";
    let challenge = &body["challenge"];
    let missing = || Failure::unexpected(format!("the challenge {WANTED}"), describe(body));
    if challenge["name"] != WANTED {
        return Err(missing());
    }
    let names: Vec<&str> =
        challenge["missing_attributes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let lacking = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Ok(Challenge {
        session: challenge["session"].as_str().map(Secret::new).ok_or_else(missing)?,
        username: challenge["username"].as_str().ok_or_else(missing)?.to_owned(),
        shown: format!("{WANTED}, with a session; missing attributes: {lacking}"),
    })
}

/// Answers the challenge with a new password.
pub(super) async fn set_new_password(api: &Api, challenge: &Challenge, password: &Secret) -> Result<Tokens, Failure> {
    let body = json!({
        "challenge": "NEW_PASSWORD_REQUIRED",
        "username": challenge.username,
        "session": challenge.session.expose(),
        "new_password": password.expose(),
    });
    tokens(&api.auth("challenge", &body).await?.expect(200)?)
}

/// Requests new tokens with the refresh token.
pub(super) async fn refresh(api: &Api, tokens: &Tokens) -> Result<Answer, Failure> {
    let token = tokens.refresh.as_ref().ok_or_else(|| Failure::unexpected("a refresh token", "none"))?;
    api.auth("refresh", &json!({"username": tokens.username, "refresh_token": token.expose()})).await
}

/// Describes a response without secrets.
fn describe(body: &Value) -> String {
    match (&body["tokens"], &body["challenge"]["name"]) {
        (_, Value::String(name)) => format!("the challenge {name}"),
        (Value::Object(_), _) => "tokens".to_owned(),
        _ => "neither tokens nor a challenge".to_owned(),
    }
}
