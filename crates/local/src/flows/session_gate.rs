//! G: the session gate. The same ID token on a route with API Gateway's JWT authorizer and on one with Poolkeeper's.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::local_aws::Stack;

use super::session::{Tokens, sign_in, tokens};
use crate::api::{Answer, Api};
use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const USER: &str = "gil";

/// The API of the guide.
const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/gated-api.yaml");

/// The pause between sign-ins, until one is in a later second than the revocation.
const PAUSE: Duration = Duration::from_millis(200);

/// The maximum number of sign-ins after a revocation.
const MAX_SIGN_INS: u32 = 20;

/// An API with both authorizers.
struct GatedApi(Api);

impl GatedApi {
    async fn deploy(deployment: &Deployment<impl Target>) -> Result<Self, Failure> {
        let output = |name: &str| deployment.stack.output(name).map(str::to_owned);
        let parameters = BTreeMap::from([
            ("AuthorizerFunctionArn".to_owned(), output("AuthorizerFunctionArn")?),
            ("Issuer".to_owned(), output("Issuer")?),
            ("ClientIds".to_owned(), output("BackendClientId")?),
        ]);
        let name = stack_name(deployment.pool());
        let stack = Stack::deploy(&deployment.aws, &name, Path::new(TEMPLATE), &parameters).await?;
        Ok(Self(Api::new(deployment.aws.url_of(&stack)?)?))
    }

    async fn jwt(&self, session: &Tokens) -> Result<Answer, Failure> {
        self.0.get("/jwt", &session.id).await
    }

    async fn gate(&self, session: &Tokens) -> Result<Answer, Failure> {
        self.0.get("/gate", &session.id).await
    }

    /// Checks that the JWT authorizer accepts the ID token of an ended session, and that the gate rejects both tokens.
    async fn expect_ended(&self, session: &Tokens) -> Result<(), Failure> {
        self.gate(session).await?.expect(403)?;
        self.0.get("/gate", &session.access).await?.expect(403)?;
        self.jwt(session).await?.expect(200)?;
        Ok(())
    }
}

/// The name of the stack with the API, for Poolkeeper's stack of this name.
#[must_use]
pub fn stack_name(name: &str) -> String {
    format!("{name}-orders")
}

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("G", "the session gate: a sign-out ends ID tokens at once");
    if deployment.stack.output("AuthorizerFunctionArn").is_err() {
        report.skip("every step", "the stack has SessionGate=false");
        return Ok(());
    }
    let api = &deployment.api;
    let gated = report
        .step("sam deploy examples/gated-api.yaml", async {
            let gated = GatedApi::deploy(deployment).await?;
            Ok(StepResult::new(gated, "GET /jwt and GET /gate"))
        })
        .await?;
    report
        .step("GET /jwt and GET /gate without a token until the new API responds", async {
            let mut attempts = 1;
            for path in ["/jwt", "/gate"] {
                attempts = attempts.max(gated.0.wait_until_unauthenticated(path).await?);
            }
            Ok(StepResult::new((), "401 and 401").after(attempts))
        })
        .await?;
    let mut password = Secret::new("Correct-Horse-1");
    report
        .step(format!("POST /v1/users {USER} with a permanent password"), async {
            let body = json!({"username": USER, "password": password.expose(), "permanent": true});
            api.post("/v1/users", token, &body).await?.expect(201)?;
            Ok(StepResult::new((), "201"))
        })
        .await?;
    one_session(api, &gated, &password, report).await?;

    let user = format!("/v1/users/{USER}");
    every_session(api, &gated, &password, report, "POST /v1/users/gil/sign-out", async || {
        let signed_out = api.post(&format!("{user}/sign-out"), token, &json!({})).await?.expect(200)?;
        expect_listed(&signed_out["revoked"], "id_token")
    })
    .await?;
    every_session(api, &gated, &password, report, "POST /v1/users/gil/disable", async || {
        api.post(&format!("{user}/disable"), token, &json!({})).await?.expect(200).map(drop)
    })
    .await?;
    api.post(&format!("{user}/enable"), token, &json!({})).await?.expect(200)?;

    let next = Secret::new("Correct-Horse-2");
    every_session(api, &gated, &password, report, "PUT /v1/users/gil/password", async || {
        let body = json!({"password": next.expose(), "permanent": true});
        api.put(&format!("{user}/password"), token, &body).await?.expect(204).map(drop)
    })
    .await?;
    password = next;
    every_session(api, &gated, &password, report, "DELETE /v1/users/gil", async || {
        api.delete(&user, token).await?.expect(204).map(drop)
    })
    .await
}

/// Ends one of two sessions.
async fn one_session(api: &Api, gated: &GatedApi, password: &Secret, report: &mut Report) -> Result<(), Failure> {
    let (this, other) = report
        .step("GET /jwt and GET /gate with the ID tokens of two sessions", async {
            let (this, attempts) = valid_session(api, gated, password).await?;
            let (other, _) = valid_session(api, gated, password).await?;
            for session in [&this, &other] {
                gated.jwt(session).await?.expect(200)?;
                gated.0.get("/gate", &session.access).await?.expect(200)?;
                let found = gated.gate(session).await?.expect(200)?;
                if found["username"] != USER {
                    return Err(Failure::unexpected(USER, found.to_string()));
                }
            }
            Ok(StepResult::new((this, other), "200 and 200").after(attempts))
        })
        .await?;
    report
        .step("POST /v1/auth/sign-out with the tokens of the first session", async {
            let refresh = this.refresh.as_ref().ok_or_else(|| Failure::unexpected("a refresh token", "none"))?;
            let body = json!({"refresh_token": refresh.expose(), "access_token": this.access.expose()});
            let signed_out = api.auth("sign-out", &body).await?.expect(200)?;
            let answered = Instant::now();
            gated.gate(&this).await?.expect(403)?;
            let elapsed = answered.elapsed().as_millis();
            expect_listed(&signed_out["revoked"], "id_token")?;
            Ok(StepResult::new((), format!("200; GET /gate: 403 after {elapsed} ms")))
        })
        .await?;
    report
        .step("GET /jwt and GET /gate with the ID tokens of both sessions", async {
            gated.expect_ended(&this).await?;
            gated.gate(&other).await?.expect(200)?;
            Ok(StepResult::new((), "first: 200 and 403; second: 200 at the gate"))
        })
        .await
}

/// Makes a change that ends all sessions of the user.
async fn every_session(
    api: &Api,
    gated: &GatedApi,
    password: &Secret,
    report: &mut Report,
    step: &str,
    change: impl AsyncFnOnce() -> Result<(), Failure>,
) -> Result<(), Failure> {
    report
        .step(format!("{step}, then GET /jwt and GET /gate"), async {
            let (session, attempts) = valid_session(api, gated, password).await?;
            change().await?;
            let answered = Instant::now();
            gated.gate(&session).await?.expect(403)?;
            let elapsed = answered.elapsed().as_millis();
            gated.expect_ended(&session).await?;
            Ok(StepResult::new((), format!("200 and 403 ({elapsed} ms)")).after(attempts))
        })
        .await
}

/// Signs in until the gate accepts the session. A sign-in in the second of a revocation is denied, because Cognito's
/// times have whole seconds, and API Gateway cannot call a new authorizer immediately.
async fn valid_session(api: &Api, gated: &GatedApi, password: &Secret) -> Result<(Tokens, u32), Failure> {
    let mut attempts = 1;
    loop {
        let session = tokens(&sign_in(api, USER, password).await?.expect(200)?)?;
        let answer = gated.gate(&session).await?;
        if answer.has_status(200) || attempts == MAX_SIGN_INS {
            answer.expect(200)?;
            return Ok((session, attempts));
        }
        attempts += 1;
        tokio::time::sleep(PAUSE).await;
    }
}

fn expect_listed(credentials: &Value, token: &str) -> Result<(), Failure> {
    let is_listed = credentials.as_array().into_iter().flatten().any(|credential| credential["token"] == token);
    if is_listed { Ok(()) } else { Err(Failure::unexpected(format!("{token} in `revoked`"), credentials.to_string())) }
}
