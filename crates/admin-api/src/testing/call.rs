//! Requests and their callers, as events of API Gateway.

use std::fmt;

use serde_json::{Map, Value, json};

use super::{Api, CLIENT_ID, SOURCE_IP, USER_POOL_ID};

/// The caller, as reported by the authorizer.
#[derive(Clone)]
pub(crate) enum By {
    /// No caller.
    Anonymous,
    /// A user with an access token of the API's client. `claims` override the default ones.
    Token {
        username: String,
        claims: Map<String, Value>,
    },
    Iam {
        arn: String,
    },
    /// The authorizer context of an HTTP API.
    HttpAuthorizer(Value),
    /// A user with an access token, in the event of a REST API.
    RestToken {
        username: String,
        claims: Map<String, Value>,
    },
    /// The authorizer context and the IAM identity of a REST API.
    Rest {
        authorizer: Value,
        identity: Value,
    },
}

/// A user with these groups in the token, in the notation of an HTTP API.
pub(crate) fn token(username: &str, groups: &str) -> By {
    token_with(username, &json!({"cognito:groups": groups}))
}

/// A user with these claims; null removes a claim.
pub(crate) fn token_with(username: &str, claims: &Value) -> By {
    By::Token { username: username.to_owned(), claims: claims.as_object().unwrap().clone() }
}

/// A user with these claims, in the event of a REST API.
pub(crate) fn rest_token(username: &str, claims: &Value) -> By {
    By::RestToken { username: username.to_owned(), claims: claims.as_object().unwrap().clone() }
}

/// An AWS principal, in the event of a REST API.
pub(crate) fn rest_iam(arn: &str) -> By {
    By::Rest { authorizer: Value::Null, identity: json!({"userArn": arn}) }
}

pub(crate) fn iam(arn: &str) -> By {
    By::Iam { arn: arn.to_owned() }
}

/// A request, by default from `root`, who has all permissions.
#[derive(Clone)]
pub(crate) struct Call {
    pub(super) method: String,
    pub(super) path: String,
    content_type: Option<&'static str>,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    by: By,
}

impl Call {
    pub(crate) fn new(method: &str, path: &str, body: Option<&Value>) -> Self {
        let content_type = body.map(|_| "application/json");
        let body = body.map(ToString::to_string);
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            content_type,
            headers: Vec::new(),
            body,
            by: token("root", "[admins]"),
        }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path, None)
    }

    pub(crate) fn post(path: &str, body: Option<&Value>) -> Self {
        Self::new("POST", path, body)
    }

    pub(crate) fn put(path: &str, body: &Value) -> Self {
        Self::new("PUT", path, Some(body))
    }

    pub(crate) fn patch(path: &str, body: &Value) -> Self {
        Self::new("PATCH", path, Some(body))
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self::new("DELETE", path, None)
    }

    pub(crate) fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    pub(crate) fn anonymous(self) -> Self {
        self.by(By::Anonymous)
    }

    pub(crate) fn content_type(self, content_type: Option<&'static str>) -> Self {
        Self { content_type, ..self }
    }

    /// Adds a header. The name is lowercase.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(crate) fn raw_body(self, body: String) -> Self {
        Self { body: Some(body), ..self }
    }

    /// The event of API Gateway.
    pub(super) fn event(&self, api: &Api) -> Value {
        match &self.by {
            By::RestToken { username, claims } => {
                self.rest_event(api, &json!({"claims": access_token_claims(api, username, claims)}), &json!({}))
            }
            By::Rest { authorizer, identity } => self.rest_event(api, authorizer, identity),
            _ => self.http_event(api),
        }
    }

    fn rest_event(&self, api: &Api, authorizer: &Value, identity: &Value) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let query: Map<String, Value> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), json!([value])))
            .collect();
        let mut identity = identity.clone();
        identity["sourceIp"] = json!(SOURCE_IP);
        json!({
            "resource": "/{proxy+}",
            "path": path,
            "httpMethod": self.method,
            "headers": self.event_headers(api),
            "multiValueHeaders": {},
            "multiValueQueryStringParameters": query,
            "requestContext": {
                "stage": "prod",
                "path": format!("/prod{path}"),
                "httpMethod": self.method,
                "requestId": "request-1",
                "identity": identity,
                "authorizer": authorizer,
            },
            "body": self.body,
            "isBase64Encoded": false
        })
    }

    fn event_headers(&self, api: &Api) -> Map<String, Value> {
        let mut headers = Map::from_iter([("host".to_owned(), json!("api.example.com"))]);
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
        headers.extend(self.content_type.map(|value| ("content-type".to_owned(), json!(value))));
        // For routes under `/v1/auth`, the test sets the token.
        if let By::Token { username, .. } | By::RestToken { username, .. } = &self.by
            && !self.path.starts_with("/v1/auth/")
        {
            let bearer = || json!(format!("Bearer {}", api.token_of(username)));
            headers.entry("authorization").or_insert_with(bearer);
        }
        headers
    }

    /// The event of an HTTP API.
    fn http_event(&self, api: &Api) -> Value {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": self.event_headers(api),
            "requestContext": {
                "http": {"method": self.method, "path": path, "sourceIp": SOURCE_IP},
                "stage": "$default",
                "requestId": "request-1",
                "authorizer": self.by.authorizer(api)
            },
            "body": self.body,
            "isBase64Encoded": false
        })
    }
}

impl By {
    fn authorizer(&self, api: &Api) -> Value {
        match self {
            Self::Iam { arn } => json!({"iam": {"userArn": arn}}),
            Self::HttpAuthorizer(authorizer) => authorizer.clone(),
            Self::Token { username, claims } => {
                let claims = access_token_claims(api, username, claims);
                json!({"jwt": {"claims": claims, "scopes": ["aws.cognito.signin.user.admin"]}})
            }
            // There is no caller, or the caller uses a REST API.
            Self::Anonymous | Self::RestToken { .. } | Self::Rest { .. } => Value::Null,
        }
    }
}

/// The claims of an access token of the API's client. `given` overrides them, and null removes a claim.
fn access_token_claims(api: &Api, username: &str, given: &Map<String, Value>) -> Map<String, Value> {
    let sub = api.pool.user(username).map(|user| user.attributes["sub"].clone());
    let usual = json!({
        "sub": sub.unwrap_or_else(|| "sub-of-deleted-user".to_owned()),
        "username": username,
        "token_use": "access",
        "scope": "aws.cognito.signin.user.admin",
        "client_id": CLIENT_ID,
        "iss": format!("https://cognito-idp.eu-central-1.amazonaws.com/{USER_POOL_ID}"),
        "origin_jti": format!("session-of-{username}"),
        "auth_time": "1000",
        "iat": "1000",
    });
    let mut claims = usual.as_object().unwrap().clone();
    claims.extend(given.clone());
    claims.retain(|_, value| !value.is_null());
    claims
}

impl fmt::Display for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.method, self.path)?;
        self.body.as_ref().map_or(Ok(()), |body| write!(formatter, " {body}"))
    }
}
