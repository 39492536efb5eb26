//! Verification codes on the emulator: cognito-local implements the calls that ministack lacks.
//!
//! Only the function behind `/v1/auth` calls cognito-local, which has a pool with the id of the stack's user pool and a
//! copy of one user. The access token comes from ministack, because cognito-local checks no signatures.

use domain::secret::Secret;
use serde_json::{Value, json};
use testkit::cognito_local::{CognitoLocal, Pool};
use testkit::local_aws::{LocalAws, Stack};

use crate::failure::Failure;

/// The variable from which the AWS SDK reads the endpoint of user pools.
const ENDPOINT: &str = "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER";

/// A cognito-local that the function behind `/v1/auth` calls.
pub struct CodeEmulator {
    // The emulator stops on drop.
    cognito: CognitoLocal,
}

impl CodeEmulator {
    /// The code that cognito-local sends to every address.
    #[must_use]
    pub fn code() -> Secret {
        Secret::new(CognitoLocal::CODE)
    }

    /// Starts cognito-local with the stack's user pool and a copy of `user`, which the API has returned.
    ///
    /// # Errors
    /// Returns an error if `make cognito-local` was not run, or the user or the function's setting cannot be written.
    pub async fn start(aws: &LocalAws, stack: &Stack, user: &Value) -> Result<Self, Failure> {
        let pool = Pool { id: stack.output("UserPoolId")?, client_id: stack.output("BackendClientId")? };
        let cognito =
            CognitoLocal::start(aws, &[("PreSignUp", stack.output("PreSignUpFunctionArn")?)], &[pool]).await?;
        let attribute = |(name, value): (&str, &Value)| json!({"Name": name, "Value": value});
        let attributes = user["attributes"].as_object().into_iter().flatten();
        let attributes = attributes.map(|(name, value)| (name.as_str(), value));
        // cognito-local looks up the owner of a token by `sub`.
        let attributes: Vec<Value> = attributes.chain([("sub", &user["sub"])]).map(attribute).collect();
        let copy = json!({
            "UserPoolId": pool.id,
            "Username": user["username"],
            "UserAttributes": attributes,
            "MessageAction": "SUPPRESS",
        });
        let copied = cognito.call("AdminCreateUser", &copy).await?;
        if copied.status != 200 {
            return Err(Failure::unexpected("a copy of the user", format!("{} {}", copied.status, copied.error())));
        }
        point_auth_function_at(cognito.url(), aws, stack).await?;
        Ok(Self { cognito })
    }

    /// Points the function at the emulator again, and stops cognito-local.
    ///
    /// # Errors
    /// Returns an error if the function's setting cannot be changed.
    pub async fn stop(self, aws: &LocalAws, stack: &Stack) -> Result<(), Failure> {
        point_auth_function_at(aws.endpoint_url(), aws, stack).await?;
        drop(self.cognito);
        Ok(())
    }
}

async fn point_auth_function_at(url: &str, aws: &LocalAws, stack: &Stack) -> Result<(), Failure> {
    let setting = [(ENDPOINT.to_owned(), url.to_owned())];
    Ok(stack.set(aws, stack.output("AuthApiFunctionArn")?, &setting).await?)
}
