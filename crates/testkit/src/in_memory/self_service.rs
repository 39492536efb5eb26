//! [`SelfService`] on the in-memory pool.

use async_trait::async_trait;
use domain::secret::Secret;
use domain::user_pool::error::{Reason, UserPoolError};
use domain::user_pool::self_service::{Myself, SelfService};
use domain::user_pool::sessions::{ClientContext, CodeDelivery, Factor};
use domain::user_pool::sign_in_security::Mfa;
use domain::user_pool::user::{UserStatus, Username};

use super::record::Record;
use super::state::{State, Switch};
use super::{AUTHENTICATOR_SECRET, InMemoryPool, InMemorySessions, challenges, deliveries, password_policy};

/// The valid code for confirming a sign-up and for verifying an attribute.
pub const CODE: &str = "123456";

/// The valid password reset code.
pub const RESET_CODE: &str = "654321";

/// An expired code, for every purpose but second factors.
pub const EXPIRED_CODE: &str = "000000";

impl InMemoryPool {
    /// Sets whether the app client hides which users exist from callers without a token. Enabled in a new pool.
    pub fn hide_who_exists(&self, hide: bool) {
        self.state().switch(Switch::TellWhoExists, !hide);
    }
}

#[async_trait]
impl SelfService for InMemorySessions {
    async fn confirm_sign_up(
        &self,
        username: &Username,
        code: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError> {
        let mut state = self.pool().call_from(context, "confirm_sign_up")?;
        state.confirm_sign_up(username, code).map_err(|reason| UserPoolError::new("confirm_sign_up", reason))
    }

    async fn resend_code(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError> {
        let state = self.pool().call_from(context, "resend_code")?;
        let Some(record) = state.find(username.as_str()) else {
            return state
                .response_for_unknown_user(username)
                .map_err(|reason| UserPoolError::new("resend_code", reason));
        };
        if record.status != UserStatus::Unconfirmed {
            return Err(UserPoolError::new("resend_code", Reason::WrongState));
        }
        Ok(record.contact().and_then(|attribute| record.delivery_to(attribute)))
    }

    async fn forgot_password(
        &self,
        username: &Username,
        context: &ClientContext,
    ) -> Result<Option<CodeDelivery>, UserPoolError> {
        let mut state = self.pool().call_from(context, "forgot_password")?;
        let Some(record) = state.find(username.as_str()).cloned() else {
            return state
                .response_for_unknown_user(username)
                .map_err(|reason| UserPoolError::new("forgot_password", reason));
        };
        if !record.can_reset_password() {
            return Err(UserPoolError::new("forgot_password", Reason::WrongState));
        }
        state.change(record.username.as_str(), |record| record.reset_is_open = true);
        Ok(record.verified_contact().and_then(|attribute| record.delivery_to(attribute)))
    }

    async fn reset_password(
        &self,
        username: &Username,
        code: &Secret,
        new_password: &Secret,
        context: &ClientContext,
    ) -> Result<(), UserPoolError> {
        let mut state = self.pool().call_from(context, "reset_password")?;
        let reset = state.reset_password(username, code, new_password);
        reset.map_err(|reason| UserPoolError::new("reset_password", reason))
    }

    async fn myself(&self, access_token: &Secret) -> Result<Myself, UserPoolError> {
        let state = self.pool().call("myself")?;
        let record = state.owner("myself", access_token)?;
        Ok(Myself {
            username: record.username.clone(),
            attributes: record.all_attributes(),
            factors: record.mfa.enabled.clone(),
            preferred_factor: record.mfa.preferred,
            session: state.session(access_token),
        })
    }

    async fn session_owner(&self, access_token: &Secret) -> Result<Myself, UserPoolError> {
        self.myself(access_token).await
    }

    async fn change_password(
        &self,
        access_token: &Secret,
        current: &Secret,
        new: &Secret,
    ) -> Result<(), UserPoolError> {
        let failed = |reason| UserPoolError::new("change_password", reason);
        let mut state = self.pool().call("change_password")?;
        let record = state.owner("change_password", access_token)?;
        if record.password.as_deref() != Some(current.expose()) {
            return Err(failed(Reason::InvalidCredentials));
        }
        if !password_policy::accepts(new) {
            return Err(failed(Reason::InvalidPassword));
        }
        let username = record.username.clone();
        state.change(username.as_str(), |record| record.password = Some(new.expose().to_owned()));
        Ok(())
    }

    async fn delete_myself(&self, access_token: &Secret) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("delete_myself")?;
        let username = state.owner("delete_myself", access_token)?.username.clone();
        state.delete(username.as_str());
        Ok(())
    }

    async fn send_attribute_code(
        &self,
        access_token: &Secret,
        attribute: &str,
    ) -> Result<Option<CodeDelivery>, UserPoolError> {
        let state = self.pool().call("send_attribute_code")?;
        let delivery = state.owner("send_attribute_code", access_token)?.delivery_to(attribute);
        delivery.map(Some).ok_or_else(|| UserPoolError::new("send_attribute_code", Reason::InvalidRequest))
    }

    async fn verify_attribute(
        &self,
        access_token: &Secret,
        attribute: &str,
        code: &Secret,
    ) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("verify_attribute")?;
        let username = state.owner("verify_attribute", access_token)?.username.clone();
        let verified = state.verify_attribute(&username, attribute, code);
        verified.map_err(|reason| UserPoolError::new("verify_attribute", reason))
    }

    async fn start_totp(&self, access_token: &Secret) -> Result<Secret, UserPoolError> {
        let mut state = self.pool().call("start_totp")?;
        let username = state.owner("start_totp", access_token)?.username.clone();
        if state.is(Switch::NoTotp) {
            return Err(UserPoolError::new("start_totp", Reason::WrongState));
        }
        state.start_totp(username.as_str());
        Ok(Secret::new(AUTHENTICATOR_SECRET))
    }

    async fn verify_totp(&self, access_token: &Secret, code: &Secret, _: Option<&str>) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("verify_totp")?;
        let record = state.owner("verify_totp", access_token)?;
        let (username, is_pending) = (record.username.clone(), record.totp_is_pending);
        let refuse = |reason| UserPoolError::new("verify_totp", reason);
        if !is_pending {
            return Err(refuse(Reason::CodeMismatch));
        }
        challenges::check(code).map_err(refuse)?;
        state.change(username.as_str(), |record| {
            record.has_authenticator = true;
            record.totp_is_pending = false;
        });
        Ok(())
    }

    async fn set_own_mfa(&self, access_token: &Secret, present: &[Factor], mfa: &Mfa) -> Result<(), UserPoolError> {
        let mut state = self.pool().call("set_own_mfa")?;
        let username = state.owner("set_own_mfa", access_token)?.username.clone();
        state.set_mfa("set_own_mfa", &username, present, mfa)
    }
}

impl State {
    /// The response to a code request for an unknown user.
    fn response_for_unknown_user(&self, username: &Username) -> Result<Option<CodeDelivery>, Reason> {
        if self.is(Switch::TellWhoExists) { Err(Reason::UserNotFound) } else { Ok(Some(deliveries::made_up(username))) }
    }

    fn confirm_sign_up(&mut self, username: &Username, code: &Secret) -> Result<(), Reason> {
        let mut record = self.find(username.as_str()).cloned().ok_or(Reason::CodeMismatch)?;
        if record.status != UserStatus::Unconfirmed {
            return Err(Reason::WrongState);
        }
        check(code, CODE)?;
        record.status = UserStatus::Confirmed;
        if let Some(attribute) = record.contact() {
            return self.save_verified(record, attribute);
        }
        self.save(record);
        Ok(())
    }

    fn reset_password(&mut self, username: &Username, code: &Secret, new_password: &Secret) -> Result<(), Reason> {
        let record = self.find(username.as_str()).filter(|record| record.reset_is_open);
        let mut record = record.cloned().ok_or(Reason::CodeMismatch)?;
        check(code, RESET_CODE)?;
        if !password_policy::accepts(new_password) {
            return Err(Reason::InvalidPassword);
        }
        record.password = Some(new_password.expose().to_owned());
        record.status = UserStatus::Confirmed;
        record.reset_is_open = false;
        self.save(record);
        Ok(())
    }

    fn verify_attribute(&mut self, username: &Username, attribute: &str, code: &Secret) -> Result<(), Reason> {
        let record = self.users.get(username.as_str()).filter(|record| record.delivery_to(attribute).is_some());
        let record = record.cloned().ok_or(Reason::InvalidRequest)?;
        check(code, CODE)?;
        self.save_verified(record, attribute)
    }

    /// Marks an attribute as verified, which makes it an alias.
    fn save_verified(&mut self, mut record: Record, attribute: &str) -> Result<(), Reason> {
        let flag = deliveries::verification_of(attribute).ok_or(Reason::InvalidRequest)?;
        record.attributes.insert(flag.to_owned(), "true".to_owned());
        if self.alias_is_taken(&record.attributes, record.username.as_str()) {
            return Err(Reason::AliasExists);
        }
        self.save(record);
        Ok(())
    }

    fn save(&mut self, mut record: Record) {
        record.modified_at = self.next_time();
        self.users.insert(record.username.as_str().to_owned(), record);
    }
}

fn check(code: &Secret, right: &str) -> Result<(), Reason> {
    match code.expose() {
        EXPIRED_CODE => Err(Reason::CodeExpired),
        code if code == right => Ok(()),
        _ => Err(Reason::CodeMismatch),
    }
}

#[cfg(test)]
mod tests {
    use domain::user_pool::directory::Directory;
    use domain::user_pool::sessions::ChallengeName;

    use super::super::FACTOR_CODE;
    use super::super::testing::{PASSWORD, challenge, enter, name, pool, reason_of, sign_in, tokens};
    use super::*;

    fn here() -> ClientContext {
        ClientContext::default()
    }

    /// A pool with `abe`, an unconfirmed user.
    fn pool_with_abe() -> InMemoryPool {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &[], &[("email", "abe@example.com")]);
        pool.set_status("abe", UserStatus::Unconfirmed);
        pool
    }

    #[tokio::test]
    async fn sign_up_code_confirms_once_and_verifies_the_address() {
        let pool = pool_with_abe();
        let sessions = pool.sessions();
        let confirm = async |username: &str, code: &str| {
            sessions.confirm_sign_up(&name(username), &Secret::new(code), &here()).await
        };
        assert_eq!(reason_of(confirm("abe", "123457").await), Reason::CodeMismatch);
        assert_eq!(reason_of(confirm("abe", EXPIRED_CODE).await), Reason::CodeExpired);
        assert_eq!(reason_of(confirm("nobody", CODE).await), Reason::CodeMismatch);
        confirm("abe", CODE).await.unwrap();
        assert_eq!(reason_of(confirm("abe", CODE).await), Reason::WrongState);
        assert_eq!(pool.user("abe@example.com").unwrap().status, UserStatus::Confirmed);
    }

    #[tokio::test]
    async fn rejects_confirmation_of_another_users_address() {
        let pool = pool();
        pool.add_user("abe", PASSWORD, &[], &[("email", "mia@example.com")]);
        pool.set_status("abe", UserStatus::Unconfirmed);
        let confirmed = pool.sessions().confirm_sign_up(&name("abe"), &Secret::new(CODE), &here()).await;
        assert_eq!(reason_of(confirmed), Reason::AliasExists);
        assert_eq!(pool.user("abe").unwrap().status, UserStatus::Unconfirmed);
    }

    #[tokio::test]
    async fn hides_unknown_users_unless_the_client_reveals_them() {
        let pool = pool_with_abe();
        let sessions = pool.sessions();
        let destination = |sent: Option<CodeDelivery>| sent.unwrap().destination;
        assert_eq!(destination(sessions.resend_code(&name("abe"), &here()).await.unwrap()), "a***@e***");
        assert_eq!(destination(sessions.resend_code(&name("nobody"), &here()).await.unwrap()), "n***@e***");
        assert_eq!(destination(sessions.forgot_password(&name("mia"), &here()).await.unwrap()), "m***@e***");
        assert_eq!(destination(sessions.forgot_password(&name("nobody"), &here()).await.unwrap()), "n***@e***");
        assert_eq!(reason_of(sessions.resend_code(&name("mia"), &here()).await), Reason::WrongState);
        assert_eq!(reason_of(sessions.forgot_password(&name("abe"), &here()).await), Reason::WrongState);
        pool.hide_who_exists(false);
        assert_eq!(reason_of(sessions.resend_code(&name("nobody"), &here()).await), Reason::UserNotFound);
        assert_eq!(reason_of(sessions.forgot_password(&name("nobody"), &here()).await), Reason::UserNotFound);
    }

    #[tokio::test]
    async fn resets_password_with_code_of_user_or_administrator() {
        let pool = pool();
        let sessions = pool.sessions();
        let reset = async |username: &str, code: &str, password: &str| {
            sessions.reset_password(&name(username), &Secret::new(code), &Secret::new(password), &here()).await
        };
        assert_eq!(reason_of(reset("nobody", RESET_CODE, "Correct-2").await), Reason::CodeMismatch);
        assert_eq!(reason_of(reset("mia", RESET_CODE, "Correct-2").await), Reason::CodeMismatch);
        sessions.forgot_password(&name("mia"), &here()).await.unwrap();
        assert_eq!(reason_of(reset("mia", CODE, "Correct-2").await), Reason::CodeMismatch);
        assert_eq!(reason_of(reset("mia", EXPIRED_CODE, "Correct-2").await), Reason::CodeExpired);
        assert_eq!(reason_of(reset("mia", RESET_CODE, "weak").await), Reason::InvalidPassword);
        reset("mia", RESET_CODE, "Correct-2").await.unwrap();
        assert_eq!(reason_of(reset("mia", RESET_CODE, "Correct-3").await), Reason::CodeMismatch);

        pool.directory().reset_password(&name("mia")).await.unwrap();
        reset("mia", RESET_CODE, "Correct-3").await.unwrap();
        tokens(enter(&pool, "mia", "Correct-3").await.unwrap());
    }

    #[tokio::test]
    async fn verifies_attribute_with_a_code() {
        let pool = pool();
        let sessions = pool.sessions();
        let token = tokens(sign_in(&pool).await).access_token;
        let sent_to = sessions.send_attribute_code(&token, "phone_number").await.unwrap().unwrap();
        assert_eq!((&*sent_to.medium, &*sent_to.destination), ("SMS", "+*******0100"));
        for attribute in ["name", "sub", "address"] {
            let refused = sessions.send_attribute_code(&token, attribute).await;
            assert_eq!(reason_of(refused), Reason::InvalidRequest, "{attribute}");
        }
        let verify = async |code: &str| sessions.verify_attribute(&token, "phone_number", &Secret::new(code)).await;
        assert_eq!(reason_of(verify("123457").await), Reason::CodeMismatch);
        assert_eq!(reason_of(verify(EXPIRED_CODE).await), Reason::CodeExpired);
        let number = [("phone_number", "+15550100"), ("phone_number_verified", "true")];
        pool.add_user("abe", PASSWORD, &[], &number);
        assert_eq!(reason_of(verify(CODE).await), Reason::AliasExists);
        pool.remove_user("abe");
        verify(CODE).await.unwrap();
        let myself = sessions.myself(&token).await.unwrap();
        assert_eq!(myself.attributes["phone_number_verified"], "true");
        assert_eq!(myself.attributes["sub"], pool.user("mia").unwrap().attributes["sub"]);
    }

    #[tokio::test]
    async fn authenticator_is_started_verified_and_enabled() {
        let pool = pool();
        let sessions = pool.sessions();
        let token = tokens(sign_in(&pool).await).access_token;
        let verify = async |code: &str| sessions.verify_totp(&token, &Secret::new(code), None).await;
        let on = sessions.myself(&token).await.unwrap().mfa_with_totp();
        assert_eq!(reason_of(verify(FACTOR_CODE).await), Reason::CodeMismatch, "nothing was started");
        assert_eq!(reason_of(sessions.set_own_mfa(&token, &[], &on).await), Reason::WrongState);
        assert_eq!(sessions.start_totp(&token).await.unwrap().expose(), AUTHENTICATOR_SECRET);
        assert_eq!(reason_of(verify("654321").await), Reason::CodeMismatch);
        verify(FACTOR_CODE).await.unwrap();
        assert_eq!(reason_of(verify(FACTOR_CODE).await), Reason::CodeMismatch, "the secret is used up");
        assert!(!sessions.myself(&token).await.unwrap().has_totp());
        sessions.set_own_mfa(&token, &[], &on).await.unwrap();
        assert!(sessions.myself(&token).await.unwrap().has_totp());
        assert_eq!(challenge(sign_in(&pool).await).name, ChallengeName::SoftwareTokenMfa);

        sessions.start_totp(&token).await.unwrap();
        assert!(sessions.myself(&token).await.unwrap().has_totp(), "Cognito still lists it");
        tokens(sign_in(&pool).await);
        let totp = [Factor::SoftwareTokenMfa];
        assert_eq!(reason_of(sessions.set_own_mfa(&token, &totp, &Mfa::default()).await), Reason::WrongState);
        pool.offer_no_totp();
        assert_eq!(reason_of(sessions.start_totp(&token).await), Reason::WrongState);
    }

    #[tokio::test]
    async fn revoked_token_has_no_owner() {
        let pool = pool();
        let sessions = pool.sessions();
        let token = tokens(sign_in(&pool).await).access_token;
        pool.directory().sign_out(&name("mia")).await.unwrap();
        assert_eq!(reason_of(sessions.myself(&token).await), Reason::InvalidCredentials);
        assert_eq!(reason_of(sessions.send_attribute_code(&token, "email").await), Reason::InvalidCredentials);
        let verified = sessions.verify_attribute(&token, "email", &Secret::new(CODE)).await;
        assert_eq!(reason_of(verified), Reason::InvalidCredentials);
    }
}
