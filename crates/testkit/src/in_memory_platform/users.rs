//! The users of a pool, with the platform's planned faults.

use async_trait::async_trait;
use domain::retry::ErrorClass;
use domain::secret::Secret;
use domain::user_pool::directory::{AttributeChanges, Directory, Filter, NewUser};
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::groups::Membership;
use domain::user_pool::page::{Page, PageRequest};
use domain::user_pool::sessions::{
    ChallengeAnswer, ClientContext, Credentials, Registered, Registration, Sessions, SignIn, Tokens,
};
use domain::user_pool::user::{Attributes, User, Username};
use domain::user_pool::write_attributes::WriteAttributes;

use super::InMemoryPlatform;
use super::faults::Fault;

/// A port with the platform's planned faults.
pub(super) struct Faulty<Port> {
    platform: InMemoryPlatform,
    port: Port,
}

impl<Port> Faulty<Port> {
    pub(super) fn new(platform: &InMemoryPlatform, port: Port) -> Self {
        Self { platform: platform.clone(), port }
    }

    async fn call<T>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T, UserPoolError>> + Send,
    ) -> Result<T, UserPoolError> {
        self.platform.yield_to_others().await;
        let fault = self.platform.faults().count(operation);
        match fault {
            None => work.await,
            Some(Fault::NotDone(class)) => Err(UserPoolError::new(operation, to_reason(class))),
            Some(Fault::Stalled) => std::future::pending().await,
            Some(Fault::StalledAfterwards) => {
                work.await?;
                std::future::pending().await
            }
            Some(Fault::AnswerLost) => {
                work.await?;
                Err(UserPoolError::new(operation, Reason::Unavailable))
            }
            #[expect(clippy::panic, reason = "the fault that this one stands for")]
            Some(Fault::Panic) => panic!("a planned panic"),
        }
    }
}

fn to_reason(class: ErrorClass) -> Reason {
    match class {
        ErrorClass::Throttled => Reason::Throttled,
        ErrorClass::OutcomeUnknown => Reason::Unavailable,
        ErrorClass::Forbidden => Reason::PermissionMissing,
        _ => Reason::Internal,
    }
}

#[async_trait]
impl<Port: Directory> Directory for Faulty<Port> {
    async fn create(&self, user: &NewUser) -> Result<User, UserPoolError> {
        self.call("users.create", self.port.create(user)).await
    }

    async fn get(&self, username: &Username) -> Result<User, UserPoolError> {
        self.call("users.get", self.port.get(username)).await
    }

    async fn list(&self, filter: Option<&Filter>, page: &PageRequest) -> Result<Page<User>, UserPoolError> {
        self.call("users.list", self.port.list(filter, page)).await
    }

    async fn with_email_prefix(&self, prefix: &str) -> Result<Vec<User>, UserPoolError> {
        self.call("users.with_email_prefix", self.port.with_email_prefix(prefix)).await
    }

    async fn change_attributes(&self, username: &Username, changes: &AttributeChanges) -> Result<(), UserPoolError> {
        self.call("users.change_attributes", self.port.change_attributes(username, changes)).await
    }

    async fn delete(&self, username: &Username) -> Result<(), UserPoolError> {
        self.call("users.delete", self.port.delete(username)).await
    }

    async fn set_password(&self, username: &Username, password: &Secret, permanent: bool) -> Result<(), UserPoolError> {
        self.call("users.set_password", self.port.set_password(username, password, permanent)).await
    }

    async fn reset_password(&self, username: &Username) -> Result<(), UserPoolError> {
        self.call("users.reset_password", self.port.reset_password(username)).await
    }

    async fn resend_invitation(&self, username: &Username, attributes: &Attributes) -> Result<User, UserPoolError> {
        self.call("users.resend_invitation", self.port.resend_invitation(username, attributes)).await
    }

    async fn enable(&self, username: &Username) -> Result<(), UserPoolError> {
        self.call("users.enable", self.port.enable(username)).await
    }

    async fn disable(&self, username: &Username) -> Result<(), UserPoolError> {
        self.call("users.disable", self.port.disable(username)).await
    }

    async fn confirm(&self, username: &Username) -> Result<(), UserPoolError> {
        self.call("users.confirm", self.port.confirm(username)).await
    }

    async fn sign_out(&self, username: &Username) -> Result<(), UserPoolError> {
        self.call("users.sign_out", self.port.sign_out(username)).await
    }

    async fn groups(&self, username: &Username) -> Result<Vec<Membership>, UserPoolError> {
        self.call("users.groups", self.port.groups(username)).await
    }

    async fn add_to_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        self.call("users.add_to_group", self.port.add_to_group(username, group)).await
    }

    async fn remove_from_group(&self, username: &Username, group: &str) -> Result<(), UserPoolError> {
        self.call("users.remove_from_group", self.port.remove_from_group(username, group)).await
    }
}

#[async_trait]
impl<Port: Sessions> Sessions for Faulty<Port> {
    async fn write_attributes(&self) -> Result<WriteAttributes, UserPoolError> {
        self.call("users.write_attributes", self.port.write_attributes()).await
    }

    async fn sign_up(&self, registration: &Registration) -> Result<Registered, UserPoolError> {
        self.call("users.sign_up", self.port.sign_up(registration)).await
    }

    async fn sign_in(&self, credentials: &Credentials) -> Result<SignIn, UserPoolError> {
        self.call("users.sign_in", self.port.sign_in(credentials)).await
    }

    async fn answer_challenge(&self, answer: &ChallengeAnswer) -> Result<SignIn, UserPoolError> {
        self.call("users.answer_challenge", self.port.answer_challenge(answer)).await
    }

    async fn refresh(
        &self,
        username: &Username,
        refresh_token: &Secret,
        context: &ClientContext,
    ) -> Result<Tokens, UserPoolError> {
        self.call("users.refresh", self.port.refresh(username, refresh_token, context)).await
    }

    async fn revoke(&self, refresh_token: &Secret) -> Result<(), UserPoolError> {
        self.call("users.revoke", self.port.revoke(refresh_token)).await
    }

    async fn sign_out_everywhere(&self, access_token: &Secret) -> Result<(), UserPoolError> {
        self.call("users.sign_out_everywhere", self.port.sign_out_everywhere(access_token)).await
    }
}
