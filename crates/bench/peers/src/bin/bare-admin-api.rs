//! Peer of admin-api on `lambda_http` and the SDK: the measured routes with one SDK call each, and no authorization of
//! its own.

use std::collections::BTreeMap;
use std::env;

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::operation::admin_get_user::AdminGetUserOutput;
use aws_sdk_cognitoidentityprovider::primitives::{DateTime, DateTimeFormat};
use aws_sdk_cognitoidentityprovider::types::{AttributeType, UserType};
use lambda_http::http::StatusCode;
use lambda_http::http::header::CONTENT_TYPE;
use lambda_http::{Error, Request, RequestExt, Response, service_fn};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "a peer has no settings to test")]
async fn main() -> Result<(), Error> {
    let config = peers::sdk_config().await?;
    let api = Api { client: Client::new(&config), user_pool_id: env::var("USER_POOL_ID")? };
    lambda_http::run(service_fn(|request| api.answer(request))).await
}

struct Api {
    client: Client,
    user_pool_id: String,
}

#[derive(Deserialize)]
struct NewUser {
    username: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Serialize)]
struct Page<'a> {
    users: Vec<User<'a>>,
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct User<'a> {
    username: Option<&'a str>,
    status: Option<&'a str>,
    enabled: bool,
    attributes: BTreeMap<&'a str, Option<&'a str>>,
    created_at: Option<String>,
    modified_at: Option<String>,
}

impl Api {
    async fn answer(&self, request: Request) -> Result<Response<String>, Error> {
        let path: Vec<_> = request.uri().path().split('/').skip(1).collect();
        match (request.method().as_str(), path.as_slice()) {
            ("GET", ["v1", "users"]) => self.list(&request).await,
            ("POST", ["v1", "users"]) => self.create(serde_json::from_slice(request.body())?).await,
            ("GET", ["v1", "users", username]) => self.get(username).await,
            ("POST", ["v1", "users", username, "disable"]) => self.disable(username).await,
            _ => respond(StatusCode::NOT_FOUND, &json!({"message": "unknown route"})),
        }
    }

    async fn list(&self, request: &Request) -> Result<Response<String>, Error> {
        let query = request.query_string_parameters();
        let limit = query.first("limit").map(str::parse).transpose()?;
        let cursor = query.first("cursor").map(str::to_owned);
        let call = self.client.list_users().user_pool_id(&self.user_pool_id);
        let page = call.set_limit(limit).set_pagination_token(cursor).send().await?;
        let users = page.users().iter().map(User::from).collect();
        respond(StatusCode::OK, &Page { users, next_cursor: page.pagination_token() })
    }

    async fn create(&self, user: NewUser) -> Result<Response<String>, Error> {
        let attribute = |(name, value)| AttributeType::builder().name(name).value(value).build();
        let attributes = user.attributes.into_iter().map(attribute).collect::<Result<_, _>>()?;
        let call = self.client.admin_create_user().user_pool_id(&self.user_pool_id).username(user.username);
        let created = call.set_user_attributes(Some(attributes)).send().await?;
        respond(StatusCode::CREATED, &created.user().map(User::from))
    }

    async fn get(&self, username: &str) -> Result<Response<String>, Error> {
        let call = self.client.admin_get_user().user_pool_id(&self.user_pool_id).username(username);
        respond(StatusCode::OK, &User::from(&call.send().await?))
    }

    async fn disable(&self, username: &str) -> Result<Response<String>, Error> {
        self.client.admin_disable_user().user_pool_id(&self.user_pool_id).username(username).send().await?;
        respond(StatusCode::OK, &json!({"username": username, "changed": true}))
    }
}

impl<'a> From<&'a UserType> for User<'a> {
    fn from(user: &'a UserType) -> Self {
        Self {
            username: user.username(),
            status: user.user_status().map(AsRef::as_ref),
            enabled: user.enabled(),
            attributes: attributes(user.attributes()),
            created_at: text(user.user_create_date()),
            modified_at: text(user.user_last_modified_date()),
        }
    }
}

impl<'a> From<&'a AdminGetUserOutput> for User<'a> {
    fn from(user: &'a AdminGetUserOutput) -> Self {
        Self {
            username: Some(user.username()),
            status: user.user_status().map(AsRef::as_ref),
            enabled: user.enabled(),
            attributes: attributes(user.user_attributes()),
            created_at: text(user.user_create_date()),
            modified_at: text(user.user_last_modified_date()),
        }
    }
}

fn attributes(attributes: &[AttributeType]) -> BTreeMap<&str, Option<&str>> {
    attributes.iter().map(|attribute| (attribute.name(), attribute.value())).collect()
}

fn text(time: Option<&DateTime>) -> Option<String> {
    time?.fmt(DateTimeFormat::DateTime).ok()
}

fn respond(status: StatusCode, body: &impl Serialize) -> Result<Response<String>, Error> {
    let body = serde_json::to_string(body)?;
    Ok(Response::builder().status(status).header(CONTENT_TYPE, "application/json").body(body)?)
}
