//! MFA: an administrator enrolls an authenticator app and signs in with its code.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::secret::Secret;
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Totp};

use super::expect_text;
use super::session::{Tokens, refresh, sign_in, tokens};
use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const ADMIN: &str = "ada";
const TOTP: &str = "/v1/auth/me/totp";

/// The validity of a code in seconds. Verifiers accept the previous code as well.
const STEP: u64 = 30;

/// The authenticator app.
struct App(Totp);

impl App {
    fn new(secret: &str) -> Result<Self, Failure> {
        let unusable = || Failure::unexpected("a TOTP secret in base32 of at least 16 bytes", "another text");
        let secret = totp_rs::Secret::try_from_base32(secret).map_err(|_| unusable())?;
        Builder::new().with_secret(secret).build().map(Self).map_err(|_| unusable())
    }

    /// The code of an earlier time step. It is needed because Cognito accepts each code only once.
    fn code(&self, steps_ago: u64) -> String {
        self.at(Self::now() - STEP * steps_ago)
    }

    fn at(&self, time: u64) -> String {
        self.0.generate(time).to_string()
    }

    fn now() -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// A code that stays wrong during the test.
    fn wrong_code(&self) -> String {
        let now = Self::now();
        let near: Vec<String> = (now - 2 * STEP..=now + 4 * STEP).step_by(30).map(|time| self.at(time)).collect();
        (0..10).map(|digit: u8| digit.to_string().repeat(6)).find(|code| !near.contains(code)).unwrap_or_default()
    }
}

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("MFA", "an administrator enrolls an authenticator app");
    let api = &deployment.api;
    let password = Secret::new("Correct-Horse-7!");
    report
        .step(format!("POST /v1/users {ADMIN} with the group admins"), async {
            let body = json!({
                "username": ADMIN,
                "attributes": {"email": deployment.aws.verified_address(ADMIN)},
                "password": password.expose(), "permanent": true,
                "groups": ["admins"],
            });
            api.post("/v1/users", token, &body).await?.expect(201)?;
            Ok(StepResult::new((), "201"))
        })
        .await?;
    let first = report
        .step("POST /v1/auth/sign-in", async {
            let tokens = tokens(&sign_in(api, ADMIN, &password).await?.expect(200)?)?;
            Ok(StepResult::new(tokens, "tokens, without a second factor"))
        })
        .await?;
    let app = enroll(deployment, &first.access, report).await?;
    earlier_sessions_ended(deployment, &first, report).await?;
    let access = sign_in_with_code(deployment, &password, &app, report).await?;
    report
        .step(format!("POST {TOTP} again"), async {
            let refused = api.call(Method::POST, TOTP, Some(&access), None).await?;
            Ok(StepResult::new((), refused.expect_refusal(409, "wrong-state")?))
        })
        .await?;
    report
        .step(format!("DELETE {TOTP}"), async {
            api.call(Method::DELETE, TOTP, Some(&access), None).await?.expect(204)?;
            tokens(&sign_in(api, ADMIN, &password).await?.expect(200)?)?;
            Ok(StepResult::new((), "204; the next sign-in needs no code"))
        })
        .await
}

async fn enroll(deployment: &Deployment<impl Target>, access: &Secret, report: &mut Report) -> Result<App, Failure> {
    let api = &deployment.api;
    let app = report
        .step(format!("POST {TOTP}"), async {
            let body = api.call(Method::POST, TOTP, Some(access), None).await?.expect(200)?;
            let secret = body["secret"].as_str().unwrap_or_default();
            let uri = body["uri"].as_str().unwrap_or_default();
            if !uri.starts_with("otpauth://totp/") || !uri.contains(secret) {
                return Err(Failure::unexpected("an otpauth URI with the secret", "another text"));
            }
            Ok(StepResult::new(App::new(secret)?, "200, a secret and an otpauth URI"))
        })
        .await?;
    let verify = async |code: &str| {
        api.post(&format!("{TOTP}/verify"), access, &json!({"code": code, "device_name": "phone"})).await
    };
    report
        .step(format!("POST {TOTP}/verify with a wrong code"), async {
            Ok(StepResult::new((), verify(&app.wrong_code()).await?.expect_refusal(422, "code-mismatch")?))
        })
        .await?;
    report
        .step(format!("POST {TOTP}/verify with the code of the app"), async {
            verify(&app.code(1)).await?.expect(204)?;
            Ok(StepResult::new((), "204, all sessions end"))
        })
        .await?;
    Ok(app)
}

/// Checks that the enrollment ended the sessions that were started without a code.
async fn earlier_sessions_ended(
    deployment: &Deployment<impl Target>,
    first: &Tokens,
    report: &mut Report,
) -> Result<(), Failure> {
    let api = &deployment.api;
    report
        .step("GET /v1/auth/me with the earlier access token", async {
            let refused = api.get("/v1/auth/me", &first.access).await?;
            Ok(StepResult::new((), refused.expect_refusal(401, "invalid-credentials")?))
        })
        .await?;
    report
        .step("POST /v1/auth/refresh with the earlier refresh token", async {
            Ok(StepResult::new((), refresh(api, first).await?.expect_refusal(401, "invalid-credentials")?))
        })
        .await
}

async fn sign_in_with_code(
    deployment: &Deployment<impl Target>,
    password: &Secret,
    app: &App,
    report: &mut Report,
) -> Result<Secret, Failure> {
    let api = &deployment.api;
    let challenge = report
        .step("POST /v1/auth/sign-in, again", async {
            let mut body = sign_in(api, ADMIN, password).await?.expect(200)?;
            expect_text(&body["challenge"]["name"], "SOFTWARE_TOKEN_MFA")?;
            Ok(StepResult::new(body["challenge"].take(), "SOFTWARE_TOKEN_MFA, with a session"))
        })
        .await?;
    let answer = async |code: &str| api.auth("challenge", &answer_of(&challenge, code)).await;
    report
        .step("POST /v1/auth/challenge with a wrong code", async {
            Ok(StepResult::new((), answer(&app.wrong_code()).await?.expect_refusal(422, "code-mismatch")?))
        })
        .await?;
    report
        .step("POST /v1/auth/challenge with the code of the app", async {
            let tokens = tokens(&answer(&app.code(0)).await?.expect(200)?)?;
            let me = api.get("/v1/auth/me", &tokens.access).await?.expect(200)?;
            expect_text(&me["preferred_factor"], "SOFTWARE_TOKEN_MFA")?;
            api.get("/v1/users?limit=1", &tokens.access).await?.expect(200)?;
            let seen = format!("{}; SOFTWARE_TOKEN_MFA is preferred; GET /v1/users → 200", tokens.shown);
            Ok(StepResult::new(tokens.access, seen))
        })
        .await
}

fn answer_of(challenge: &Value, code: &str) -> Value {
    json!({
        "challenge": challenge["name"], "username": challenge["username"], "session": challenge["session"], "code": code
    })
}
