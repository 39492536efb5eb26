//! Requests of actors: the generated parameters, and the resulting HTTP call.

use std::fmt;

use domain::user_pool::user::CREATION_ATTRIBUTE;
use serde_json::{Value, json};
use testkit::in_memory::{CODE, FACTOR_CODE, RESET_CODE};
use testkit::in_memory_jobs::RUNNING_JOB;

use super::actor::{Actor, Token, TokenStore};
use super::routes::is_own;
use crate::http::path;
use crate::routes::all_routes_tests;
use crate::testing::{By, CLIENT_ID, Call, USER_POOL_ID};

/// Method and path of a route.
pub(super) type Route = (&'static str, &'static str);

/// The parameters of a request. The route determines which of them it uses.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) route: Route,
    /// The user name in the path or the body.
    pub(super) user: &'static str,
    pub(super) spelling: Spelling,
    pub(super) group: &'static str,
    /// The actor whose e-mail address or identity is in the body.
    pub(super) other: Actor,
    pub(super) verified: bool,
    pub(super) permanent: bool,
    /// The groups of a new user.
    pub(super) groups: Vec<&'static str>,
    pub(super) key: Option<u8>,
    /// Selects one of several bodies.
    pub(super) form: u8,
    /// The number of the token; 0 is the latest.
    pub(super) token: u8,
    pub(super) credential: Credential,
}

/// How the caller is authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Credential {
    Token,
    /// A token of another OAuth flow, which Cognito does not accept for its API.
    TokenWithoutScope,
    /// An AWS signature, and the token in `X-Access-Token`, which only routes on the caller's own account read.
    Iam,
}

/// How a request names a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    Name,
    Uppercase,
    Sub,
    Email,
}

pub(super) const VERIFY_TOTP: Route = ("POST", "/v1/auth/me/totp/verify");

/// The app client's list of write attributes, if it has one.
pub(super) const WRITE_ATTRIBUTES: [&str; 4] = ["email", "name", "preferred_username", "custom:team"];

/// The device of `ada`.
pub(super) const DEVICE: &str = "eu-central-1_00000000-0000-4000-8000-000000000001";

/// The state that determines the body when the request is sent.
pub(super) struct ActorContext<'a> {
    pub(super) actor: Actor,
    pub(super) store: &'a TokenStore,
    /// The `sub` of a user name.
    pub(super) sub: &'a dyn Fn(&str) -> String,
    /// Whether the actor receives messages to this user.
    pub(super) receives: &'a dyn Fn(&str) -> bool,
    /// Whether the actor has the authenticator app of this user.
    pub(super) authenticates: &'a dyn Fn(&str) -> bool,
}

const WRONG_CODE: &str = "111111";

impl Request {
    /// The user in the path.
    pub(super) fn typed(&self, sub: &dyn Fn(&str) -> String) -> String {
        match self.spelling {
            Spelling::Name => self.user.to_owned(),
            Spelling::Uppercase => self.user.to_uppercase(),
            Spelling::Sub => sub(self.user),
            Spelling::Email => format!("{}@example.com", self.user),
        }
    }

    /// The user name in the body, which is never a `sub`.
    pub(super) fn body_name(&self) -> String {
        match self.spelling {
            Spelling::Uppercase => self.user.to_uppercase(),
            Spelling::Email => format!("{}@example.com", self.user),
            Spelling::Name | Spelling::Sub => self.user.to_owned(),
        }
    }

    pub(super) fn call(&self, context: &ActorContext<'_>) -> Call {
        let (method, template) = self.route;
        let path = template
            .replace("{username}", &path::segment(&self.typed(context.sub)).to_string())
            .replace("{group}", self.group)
            .replace("{provider}", "Google")
            .replace("{key}", DEVICE)
            .replace("{name}", "email")
            .replace("{id}", RUNNING_JOB);
        let path = match (self.route, self.form % 3) {
            (("GET", "/v1/users"), 1) => format!("{path}?email={}", self.other.email().replace('@', "%40")),
            (("GET", "/v1/users"), 2) => format!("{path}?group={}", self.group),
            (("GET", "/v1/users/{username}"), 1) => format!("{path}?include=groups"),
            _ => path,
        };
        let mut call = Call::new(method, &path, self.body(context).as_ref()).by(By::Anonymous);
        if let (Some(key), ("POST", "/v1/users")) = (self.key, self.route) {
            call = call.header("idempotency-key", &format!("key-{key}"));
        }
        if let Some(token) = context.store.token(self.token).filter(|_| !self.is_public()) {
            if self.credential == Credential::Iam {
                let authorizer = json!({"iam": {"userArn": "arn:aws:iam::123456789012:role/front-end"}});
                return call.by(By::HttpAuthorizer(authorizer)).header("x-access-token", &token.access);
            }
            let (scope, access) = match self.credential {
                Credential::TokenWithoutScope => ("openid", format!("without-scope-{}", token.access)),
                _ => ("aws.cognito.signin.user.admin", token.access.clone()),
            };
            let claims = json!({
                "sub": token.sub,
                "username": token.username,
                "token_use": "access",
                "client_id": CLIENT_ID,
                "iss": format!("https://cognito-idp.eu-central-1.amazonaws.com/{USER_POOL_ID}"),
                "scope": scope,
                "cognito:groups": format!("[{}]", token.groups.join(" ")),
            });
            call = call.by(By::HttpAuthorizer(json!({"jwt": {"claims": claims}})));
            call = call.header("authorization", &format!("Bearer {access}"));
        }
        call
    }

    /// The token that identifies the caller, if the route reads it.
    pub(super) fn caller<'a>(&self, store: &'a TokenStore) -> Option<&'a Token> {
        let is_read = match self.credential {
            Credential::Iam => is_own(self.route),
            Credential::Token | Credential::TokenWithoutScope => !self.is_public(),
        };
        store.token(self.token).filter(|_| is_read)
    }

    /// Whether the route reads no token.
    pub(super) fn is_public(&self) -> bool {
        self.route.1.starts_with("/v1/auth/") && !is_own(self.route)
    }

    fn body(&self, context: &ActorContext<'_>) -> Option<Value> {
        let actor = context.actor;
        let password = actor.password();
        let verified = self.verified.to_string();
        let name = || json!({"username": self.body_name()});
        let code =
            |correct: &str| if (context.receives)(self.user) { correct.to_owned() } else { WRONG_CODE.to_owned() };
        Some(match self.route {
            ("GET" | "DELETE", _) | ("POST", "/v1/auth/me/totp") => return None,
            ("POST", "/v1/users") => self.new_user(&password),
            ("PATCH", "/v1/users/{username}") => json!({"attributes": match self.form % 4 {
                0 => json!({"email": self.other.email(), "email_verified": verified}),
                1 => json!({"email_verified": verified}),
                2 => json!({"preferred_username": self.other.name(), "name": null}),
                _ => json!({"custom:team": format!("team-{}", self.form)}),
            }}),
            ("PUT", "/v1/users/{username}/password") => json!({"password": password, "permanent": self.permanent}),
            ("PUT", "/v1/users/{username}/mfa") => match self.form % 3 {
                0 | 1 => json!({"enabled": []}),
                _ => json!({"enabled": ["SOFTWARE_TOKEN_MFA"]}),
            },
            ("PUT", "/v1/users/{username}/identities/{provider}") => json!({"user_id": self.other.identity()}),
            ("POST", "/v1/groups") => json!({"name": self.group}),
            ("POST", "/v1/invitations") => json!({"email": self.other.email()}),
            ("POST", "/v1/auth/sign-up") => json!({
                "username": self.body_name(), "password": password,
                "attributes": self.own_attributes(&actor.email()),
            }),
            ("POST", "/v1/auth/confirm-sign-up") => json!({"username": self.body_name(), "code": code(CODE)}),
            ("POST", "/v1/auth/resend-code" | "/v1/auth/forgot-password") => name(),
            ("POST", "/v1/auth/sign-in") => json!({"username": self.body_name(), "password": password}),
            ("POST", "/v1/auth/reset-password") => {
                json!({"username": self.body_name(), "code": code(RESET_CODE), "new_password": password})
            }
            ("POST", "/v1/auth/challenge") => {
                let mut body = answer_to_challenge(context, &password);
                if body["challenge"] == "NEW_PASSWORD_REQUIRED" {
                    body["attributes"] = self.own_attributes(&actor.email());
                }
                body
            }
            ("POST", "/v1/auth/refresh") => {
                let token = context.store.token(self.token);
                json!({
                    "username": token.map_or(self.user, |token| &token.username),
                    "refresh_token": token.and_then(|token| token.refresh.as_deref()).unwrap_or("none"),
                })
            }
            ("POST", "/v1/auth/sign-out") => match context.store.token(self.token) {
                Some(token) if self.permanent => json!({"access_token": token.access}),
                token => json!({"refresh_token": token.and_then(|token| token.refresh.as_deref()).unwrap_or("none")}),
            },
            VERIFY_TOTP => json!({"code": FACTOR_CODE}),
            // Another actor can have set the password of the account.
            ("PUT", "/v1/auth/me/password") => {
                let current = if self.verified { actor.password() } else { self.other.password() };
                json!({"current_password": current, "new_password": password})
            }
            ("POST", "/v1/auth/attributes/{name}/verify") => {
                let owner = context.store.token(self.token).map_or(self.user, |token| &token.username);
                json!({"code": if (context.receives)(owner) { CODE } else { WRONG_CODE }})
            }
            _ => return all_routes_tests::body_of(self.route),
        })
    }

    /// Attributes that users set for themselves.
    fn own_attributes(&self, email: &str) -> Value {
        match self.form {
            0..6 => json!({"email": email, "custom:team": format!("team-{}", self.form)}),
            6..8 => json!({"email": email}),
            8 => json!({"email": email, "custom:level": "level-9"}),
            9 => json!({"email": self.other.email(), "email_verified": "true"}),
            10 => json!({"email": email, CREATION_ATTRIBUTE: "1.0.AAAA"}),
            _ => json!({"email": email, "name": "Mallory", "phone_number": "+15550100"}),
        }
    }

    fn new_user(&self, password: &str) -> Value {
        let mut body = json!({"username": self.body_name(), "groups": self.groups});
        if !self.form.is_multiple_of(3) {
            body["attributes"] = json!({"email": self.other.email(), "email_verified": (self.verified && self.form % 3 == 1).to_string()});
        }
        if self.permanent || (self.form / 3).is_multiple_of(2) {
            body["password"] = json!(password);
            body["permanent"] = json!(self.permanent);
        }
        body
    }
}

fn answer_to_challenge(context: &ActorContext<'_>, password: &str) -> Value {
    let Some(open) = context.store.sessions.last() else {
        return json!({"challenge": "SMS_MFA", "username": "nina", "session": "none-at-all", "code": WRONG_CODE});
    };
    let mut body = json!({"challenge": open.challenge, "username": open.username, "session": open.token});
    let code = |is_correct: bool| json!(if is_correct { FACTOR_CODE } else { WRONG_CODE });
    match &*open.challenge {
        "NEW_PASSWORD_REQUIRED" => body["new_password"] = json!(password),
        "SELECT_MFA_TYPE" => body["factor"] = json!(open.factors.first()),
        "EMAIL_OTP" => body["code"] = code((context.receives)(&open.username)),
        "MFA_SETUP" => {}
        _ => body["code"] = code((context.authenticates)(&open.username)),
    }
    body
}

impl fmt::Debug for Request {
    /// `POST /v1/users {"username": "nina"}`, with placeholders for tokens and `sub`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.describe(Actor::Mallory, formatter)
    }
}

impl Request {
    pub(super) fn describe(&self, actor: Actor, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = TokenStore::default();
        let context = ActorContext {
            actor,
            store: &store,
            sub: &|name| format!("sub-of-{name}"),
            receives: &|_| true,
            authenticates: &|_| true,
        };
        let call = self.call(&context);
        write!(formatter, "{call}")?;
        if let Some(key) = self.key.filter(|_| self.route == ("POST", "/v1/users")) {
            write!(formatter, " Idempotency-Key: {key}")?;
        }
        if self.token > 0 && !self.is_public() {
            write!(formatter, " (token {} before the latest)", self.token)?;
        }
        if self.credential != Credential::Token && !self.is_public() {
            write!(formatter, " ({:?})", self.credential)?;
        }
        Ok(())
    }
}
