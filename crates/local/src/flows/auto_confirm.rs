//! F4: a front end signs a user up, the trigger confirms, and the user signs in at once.

use domain::secret::Secret;
use domain::user_pool::sessions::{ClientContext, Registration, Sessions as _};
use domain::user_pool::user::Attributes;
use serde_json::json;

use super::session::{refresh, sign_in, tokens};
use super::{expect_status, expect_text};
use crate::deployment::{Scene, Target};
use crate::failure::Failure;
use crate::report::{Report, Seen};

const USER: &str = "ann";

/// Walks it.
///
/// # Errors
/// Where a step is not as it should be.
pub async fn walk(scene: &Scene<impl Target>, token: &Secret, report: &mut Report) -> Result<(), Failure> {
    report.flow("F4", "a front end signs a user up, and the trigger confirms");
    let api = &scene.api;
    let password = Secret::new("Correct-Horse-1");
    report
        .step(format!("SignUp of {USER} by the web client, as a front end does it"), async {
            let front_end =
                scene.cognito.sessions(scene.stack.output("UserPoolId")?, scene.stack.output("WebClientId")?);
            let attribute = |name: &str, value: &str| Attributes::from([(name.to_owned(), value.to_owned())]);
            let registration = Registration {
                username: USER.parse().map_err(|error| Failure::Usage(format!("{USER}: {error}")))?,
                password: password.clone(),
                attributes: attribute("email", &scene.aws.address(USER)),
                validation_data: attribute("plan", "trial"),
                client_metadata: attribute("campaign", "spring"),
                context: ClientContext::default(),
            };
            let registered = front_end.sign_up(&registration).await?;
            if registered.confirmed {
                Ok(Seen::new((), "confirmed by the trigger, no code needed"))
            } else {
                Err(Failure::unexpected("a confirmed user (AutoConfirm=everyone)", "an unconfirmed one"))
            }
        })
        .await?;
    report
        .step(format!("GET /v1/users/{USER}"), async {
            let user = expect_status(scene, token, USER, "CONFIRMED").await?;
            expect_text(&user["life_cycle"]["state"], "active")?;
            Ok(Seen::new((), "200, CONFIRMED, active"))
        })
        .await?;
    let first = report
        .step("POST /v1/auth/sign-in at once", async {
            let tokens = tokens(&sign_in(api, USER, &password).await?.expect(200)?)?;
            let shown = tokens.shown.clone();
            Ok(Seen::new(tokens, shown))
        })
        .await?;
    report
        .step("POST /v1/auth/refresh", async {
            Ok(Seen::new((), tokens(&refresh(api, &first).await?.expect(200)?)?.shown))
        })
        .await?;
    report
        .step("GET /v1/users with that user's token, who is in no group", async {
            Ok(Seen::new((), api.get("/v1/users", &first.access).await?.expect_refusal(403, "forbidden")?))
        })
        .await?;
    report
        .step("POST …/confirm as administrator, the other way", async {
            api.post(&format!("/v1/users/{USER}/confirm"), token, &json!({})).await?.expect(200)?;
            expect_status(scene, token, USER, "CONFIRMED").await?;
            Ok(Seen::new((), "200, CONFIRMED as before"))
        })
        .await
}
