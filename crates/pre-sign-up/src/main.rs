//! The Lambda function that Cognito invokes on every sign-up.

use std::process::ExitCode;

#[tokio::main(flavor = "local")]
async fn main() -> ExitCode {
    startup::run(async {
        let policy = pre_sign_up::settings::policy(startup::environment())?;
        pre_sign_up::serve(policy).await
    })
    .await
}
