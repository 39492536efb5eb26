//! F4: a front end signs a user up, the trigger confirms the user, and the user signs in.

use domain::secret::Secret;
use domain::user_pool::sessions::{ClientContext, Registration, Sessions as _};
use domain::user_pool::user::Attributes;
use serde_json::json;

use super::session::{refresh, sign_in, tokens};
use super::{expect_status, expect_text};
use crate::deployment::{Deployment, Target};
use crate::failure::Failure;
use crate::report::{Report, StepResult};

const USER: &str = "ann";

/// Runs the flow.
///
/// # Errors
/// Returns an error if a step fails.
pub async fn run(deployment: &Deployment<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F4", "sign-up by a front end, confirmed by the trigger");
    let api = &deployment.api;
    let password = Secret::new("Correct-Horse-1");
    report
        .step(format!("SignUp of {USER} by the web client"), async {
            let front_end = deployment
                .cognito
                .sessions(deployment.stack.output("UserPoolId")?, deployment.stack.output("WebClientId")?);
            let attribute = |name: &str, value: &str| Attributes::from([(name.to_owned(), value.to_owned())]);
            let registration = Registration {
                username: USER.parse().map_err(|error| Failure::Usage(format!("{USER}: {error}")))?,
                password: password.clone(),
                attributes: attribute("email", &deployment.aws.address(USER)),
                validation_data: attribute("plan", "trial"),
                client_metadata: attribute("campaign", "spring"),
                context: ClientContext::default(),
            };
            let registered = front_end.sign_up(&registration).await?;
            if registered.confirmed {
                Ok(StepResult::new((), "confirmed by the trigger, no code needed"))
            } else {
                Err(Failure::unexpected("a confirmed user (AutoConfirm=everyone)", "an unconfirmed user"))
            }
        })
        .await?;
    report
        .step(format!("GET /v1/users/{USER}"), async {
            let user = expect_status(deployment, token, USER, "CONFIRMED").await?;
            expect_text(&user["life_cycle"]["state"], "active")?;
            Ok(StepResult::new((), "200, CONFIRMED, active"))
        })
        .await?;
    let first = report
        .step("POST /v1/auth/sign-in", async {
            let tokens = tokens(&sign_in(api, USER, &password).await?.expect(200)?)?;
            let shown = tokens.shown.clone();
            Ok(StepResult::new(tokens, shown))
        })
        .await?;
    report
        .step("POST /v1/auth/refresh", async {
            Ok(StepResult::new((), tokens(&refresh(api, &first).await?.expect(200)?)?.shown))
        })
        .await?;
    report
        .step("GET /v1/users with the token of a user without groups", async {
            Ok(StepResult::new((), api.get("/v1/users", &first.access).await?.expect_refusal(403, "forbidden")?))
        })
        .await?;
    report
        .step("POST …/confirm as administrator", async {
            api.post(&format!("/v1/users/{USER}/confirm"), token, &json!({})).await?.expect(200)?;
            expect_status(deployment, token, USER, "CONFIRMED").await?;
            Ok(StepResult::new((), "200, still CONFIRMED"))
        })
        .await
}
