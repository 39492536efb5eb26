//! Checks of a spec that its types do not cover: ranges, policy statements and contradicting values.

use super::{CUSTOM, ClientKind, ClientSpec, SignInWith, Spec, SpecError, Statement, Verifiable};
use crate::user_pool::user::CREATION_ATTRIBUTE;

impl Spec {
    /// Checks ranges, policy statements and contradicting values.
    ///
    /// # Errors
    ///
    /// Returns the first wrong field with the expected value.
    pub fn check(&self) -> Result<(), SpecError> {
        let wrong = |field, problem: &str| Err(SpecError { field, problem: problem.to_owned() });
        if self.sign_in == SignInWith::Email && !self.aliases.is_empty() {
            return wrong("aliases", "must be empty unless `sign_in` is `username`");
        }
        if self.auto_verified.contains(&Verifiable::PhoneNumber) {
            return wrong(
                "auto_verified",
                "must be `email`, because `phone_number` requires an SMS role, which Poolkeeper does not create",
            );
        }
        if !(6..=99).contains(&self.password_policy.minimum_length) {
            return wrong("password_policy.minimum_length", "must be between 6 and 99");
        }
        if !(1..=365).contains(&self.password_policy.temporary_password_validity_days) {
            return wrong("password_policy.temporary_password_validity_days", "must be between 1 and 365");
        }
        for attribute in &self.custom_attributes {
            if !(1..=20).contains(&attribute.name.chars().count()) || attribute.name.starts_with(CUSTOM) {
                return wrong("custom_attributes", "names must be 1–20 characters without the prefix `custom:`");
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
            return wrong("groups", "names must be 1–128 characters without whitespace");
        }
        if self.first_admin.as_ref().is_some_and(|address| !looks_like_an_address(address)) {
            return wrong("first_admin", "must be an e-mail address");
        }
        if self.verify && self.clients.backend.is_none() {
            return wrong(
                "verify",
                "verification signs in through `clients.backend`; add this client or set `verify` to false",
            );
        }
        Ok(())
    }

    fn check_attributes(&self, kind: ClientKind, client: &ClientSpec) -> Result<(), SpecError> {
        let (write, read) = match kind {
            ClientKind::Backend => ("clients.backend.write_attributes", "clients.backend.read_attributes"),
            ClientKind::Web => ("clients.web.write_attributes", "clients.web.read_attributes"),
        };
        let expected = "must be standard attributes such as `name`, or `custom:NAME` for names in `custom_attributes`";
        let wrong = |field, name| Err(SpecError { field, problem: format!("`{name}` is not allowed; {expected}") });
        if let Some(name) = self.unwritable(&client.write_attributes) {
            return wrong(write, name);
        }
        self.unreadable(&client.read_attributes).map_or(Ok(()), |name| wrong(read, name))
    }
}

/// Whether Poolkeeper reserves the attribute name, with or without the prefix `custom:`.
fn is_reserved(name: &str) -> bool {
    let reserved = CREATION_ATTRIBUTE.strip_prefix(CUSTOM).unwrap_or(CREATION_ATTRIBUTE);
    name.strip_prefix(CUSTOM).unwrap_or(name).eq_ignore_ascii_case(reserved)
}

fn wrong_lifetime(client: &ClientSpec, kind: ClientKind) -> Option<(&'static str, &'static str)> {
    let field = match kind {
        ClientKind::Backend => "clients.backend",
        ClientKind::Web => "clients.web",
    };
    let minutes = 5..=24 * 60;
    if !minutes.contains(&client.access_token_minutes) || !minutes.contains(&client.id_token_minutes) {
        return Some((field, "`access_token_minutes` and `id_token_minutes` must be between 5 and 1440"));
    }
    if !(1..=3650).contains(&client.refresh_token_days) {
        return Some((field, "`refresh_token_days` must be between 1 and 3650"));
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

/// Returns `false` only for texts that Cognito certainly rejects.
fn looks_like_an_address(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    parts.is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace))
}
