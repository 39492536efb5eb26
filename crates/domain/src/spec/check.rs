//! What the types of a spec alone do not check: ranges, widths, and values that contradict each other.

use super::{CUSTOM, ClientKind, ClientSpec, SignInWith, Spec, SpecError, Statement, Verifiable};
use crate::user_pool::user::CREATION_ATTRIBUTE;

impl Spec {
    /// Checks what the types alone do not: ranges, and values that contradict each other.
    ///
    /// # Errors
    ///
    /// The first wrong field, with what was expected.
    pub fn check(&self) -> Result<(), SpecError> {
        let wrong = |field, problem: &str| Err(SpecError { field, problem: problem.to_owned() });
        if self.sign_in == SignInWith::Email && !self.aliases.is_empty() {
            return wrong("aliases", "an alias needs `sign_in` to be `username`");
        }
        if self.auto_verified.contains(&Verifiable::PhoneNumber) {
            return wrong(
                "auto_verified",
                "`phone_number` needs an SMS role, which is not made here; expected `email`",
            );
        }
        if !(6..=99).contains(&self.password_policy.minimum_length) {
            return wrong("password_policy.minimum_length", "expected 6 to 99 characters");
        }
        if !(1..=365).contains(&self.password_policy.temporary_password_validity_days) {
            return wrong("password_policy.temporary_password_validity_days", "expected 1 to 365 days");
        }
        for attribute in &self.custom_attributes {
            if !(1..=20).contains(&attribute.name.chars().count()) || attribute.name.starts_with(CUSTOM) {
                return wrong("custom_attributes", "expected names of 1 to 20 characters, without `custom:`");
            }
            if is_reserved(&attribute.name) {
                return wrong("custom_attributes", "`poolkeeper_created` is reserved");
            }
        }
        if let Some((field, problem)) =
            self.clients.backend.as_ref().and_then(|it| wrong_lifetime(it, ClientKind::Backend))
        {
            return wrong(field, problem);
        }
        if let Some((field, problem)) = self.clients.web.as_ref().and_then(|it| wrong_lifetime(it, ClientKind::Web)) {
            return wrong(field, problem);
        }
        for (kind, client) in self.clients() {
            self.check_attributes(kind, client)?;
        }
        if self.permissions_boundary.as_ref().is_some_and(|arn| !is_policy_arn(arn)) {
            return wrong("permissions_boundary", "must be the ARN of an IAM policy");
        }
        if let Some((field, problem)) = self.authenticated_policy.iter().find_map(Statement::fault) {
            return Err(SpecError { field, problem });
        }
        if self.groups.iter().any(|group| group.is_empty() || group.len() > 128 || group.contains(char::is_whitespace))
        {
            return wrong("groups", "expected names of 1 to 128 characters, without blanks");
        }
        if self.first_admin.as_ref().is_some_and(|address| !looks_like_an_address(address)) {
            return wrong("first_admin", "expected an e-mail address");
        }
        if self.verify && self.clients.backend.is_none() {
            return wrong("verify", "signing in to verify needs `clients.backend`; set `verify` to false without it");
        }
        Ok(())
    }

    fn check_attributes(&self, kind: ClientKind, client: &ClientSpec) -> Result<(), SpecError> {
        let (write, read) = match kind {
            ClientKind::Backend => ("clients.backend.write_attributes", "clients.backend.read_attributes"),
            ClientKind::Web => ("clients.web.write_attributes", "clients.web.read_attributes"),
        };
        let expected =
            "expected standard attributes such as `name`, and `custom:NAME` for names in `custom_attributes`";
        let wrong = |field, name| Err(SpecError { field, problem: format!("`{name}` cannot be listed; {expected}") });
        if let Some(name) = self.unwritable(&client.write_attributes) {
            return wrong(write, name);
        }
        self.unreadable(&client.read_attributes).map_or(Ok(()), |name| wrong(read, name))
    }
}

/// Whether Poolkeeper reserves the name, which may have the prefix `custom:`.
fn is_reserved(name: &str) -> bool {
    let reserved = CREATION_ATTRIBUTE.strip_prefix(CUSTOM).unwrap_or(CREATION_ATTRIBUTE);
    name.strip_prefix(CUSTOM).unwrap_or(name).eq_ignore_ascii_case(reserved)
}

fn wrong_lifetime(client: &ClientSpec, kind: ClientKind) -> Option<(&'static str, &'static str)> {
    let field = match kind {
        ClientKind::Backend => "clients.backend",
        ClientKind::Web => "clients.web",
    };
    let a_day = 5..=24 * 60;
    if !a_day.contains(&client.access_token_minutes) || !a_day.contains(&client.id_token_minutes) {
        return Some((field, "expected access and ID tokens to live 5 to 1440 minutes"));
    }
    if !(1..=3650).contains(&client.refresh_token_days) {
        return Some((field, "expected refresh tokens to live 1 to 3650 days"));
    }
    None
}

fn is_policy_arn(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':');
    let (head, partition, service, region) = (parts.next(), parts.next(), parts.next(), parts.next());
    let (account, resource) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let is_account = account == "aws" || account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"/+=,.@_-".contains(&byte);
    (head, service, region) == (Some("arn"), Some("iam"), Some(""))
        && partition.is_some_and(|partition| partition.starts_with("aws"))
        && is_account
        && resource.strip_prefix("policy/").is_some_and(|name| !name.is_empty() && name.bytes().all(is_name))
}

/// Only what would certainly be refused: Cognito itself decides.
fn looks_like_an_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace))
}
