//! Checks of the settings of a user pool.

use crate::doctor::finding::{Check, Finding};
use crate::doctor::fixes::Fixes;
use crate::doctor::observed::{MailSender, ObservedUserPool, Recovery};
use crate::spec::{MfaMode, Verifiable};

/// Cognito's default, and the minimum of the AWS Config rule `cognito-user-pool-password-policy-check`.
const MINIMUM_LENGTH: u32 = 8;

/// Cognito's default, and the maximum of the AWS Config rule `cognito-user-pool-password-policy-check`.
const TEMPORARY_PASSWORD_DAYS: u32 = 7;

/// The e-mail messages that Cognito sends for an account in a day
/// ([AWS](https://docs.aws.amazon.com/cognito/latest/developerguide/quotas.html)).
const DAILY_MAILS: u64 = 50;

pub(super) fn findings(observed: &ObservedUserPool, fixes: &Fixes<'_>) -> Vec<Finding> {
    let mut findings = of_pool(observed, fixes);
    findings.extend(of_sign_up(observed, fixes));
    findings.extend(of_passwords(observed, fixes));
    findings.extend(of_mail(observed, fixes));
    if observed.pool.state.mfa == MfaMode::Off {
        let reason = "users and administrators sign in with a password only";
        findings.push(found(observed, Check::MfaOff, reason, enable_mfa(&observed.pool.id, fixes)));
    }
    findings
}

fn found(observed: &ObservedUserPool, check: Check, reason: impl Into<String>, fix: String) -> Finding {
    Finding::new(check, format!("user pool {}", observed.pool.id), reason, fix)
}

fn of_pool(observed: &ObservedUserPool, fixes: &Fixes<'_>) -> Vec<Finding> {
    let state = &observed.pool.state;
    let mut findings = Vec::new();
    if state.case_sensitive {
        let reason = "`Mia` and `mia` are different users, so one can be mistaken for the other";
        let edit = "with another \"name\" and \"case_sensitive\": false in a copy of the spec; then move the users";
        findings.push(found(observed, Check::CaseSensitiveNames, reason, fixes.apply_with(edit)));
    }
    if !state.deletion_protection {
        let fix = fixes.user_pool(
            "\"deletion_protection\": true",
            Some("DeletionProtection=true"),
            ".DeletionProtection = \"ACTIVE\"",
        );
        let reason = "one DeleteUserPool call deletes all users";
        findings.push(found(observed, Check::DeletionProtection, reason, fix));
    }
    for attribute in state.auto_verified.difference(&observed.verified_before_update) {
        let name = name(*attribute);
        let reason = format!(
            "a new {name} replaces the current one before it is verified, so a typing error or a stolen session locks the \
             user out"
        );
        let fix = fixes.outside_spec(&format!(
            ".UserAttributeUpdateSettings.AttributesRequireVerificationBeforeUpdate += [\"{name}\"]"
        ));
        findings.push(found(observed, Check::UnverifiedUpdate, reason, fix));
    }
    findings
}

fn of_sign_up(observed: &ObservedUserPool, fixes: &Fixes<'_>) -> Vec<Finding> {
    let state = &observed.pool.state;
    if !state.self_sign_up || state.pre_sign_up_function_arn.is_some() {
        return Vec::new();
    }
    let unverified = observed.sign_in_attributes.difference(&state.auto_verified).map(|attribute| {
        let name = name(*attribute);
        let fix = fixes.user_pool(
            &format!("\"auto_verified\": [\"{name}\"]"),
            (*attribute == Verifiable::Email).then_some("AutoVerified=email"),
            &format!(".AutoVerifiedAttributes += [\"{name}\"]"),
        );
        let reason = format!("users sign up and sign in with {name}, but Cognito does not verify that they own it");
        found(observed, Check::UnverifiedSignInAttribute, reason, fix)
    });
    let close = fixes.user_pool(
        "\"self_sign_up\": false",
        Some("SelfSignUp=false"),
        ".AdminCreateUserConfig.AllowAdminCreateUserOnly = true",
    );
    let reason = "everyone can sign up, and no pre sign-up trigger applies a policy";
    unverified.chain([found(observed, Check::SignUpWithoutTrigger, reason, close)]).collect()
}

fn of_passwords(observed: &ObservedUserPool, fixes: &Fixes<'_>) -> Vec<Finding> {
    let policy = &observed.pool.state.password_policy;
    let mut findings = Vec::new();
    let (length, days) = (policy.minimum_length, policy.temporary_password_validity_days);
    if length < MINIMUM_LENGTH {
        let fix = fixes.user_pool(
            "\"password_policy\": {\"minimum_length\": 12}",
            Some("PasswordMinimumLength=12"),
            ".Policies.PasswordPolicy.MinimumLength = 12",
        );
        let reason = format!("passwords of {length} characters are accepted; the minimum should be {MINIMUM_LENGTH}");
        findings.push(found(observed, Check::ShortPasswords, reason, fix));
    }
    if days > TEMPORARY_PASSWORD_DAYS {
        let fix = fixes.user_pool(
            "\"password_policy\": {\"temporary_password_validity_days\": 7}",
            None,
            ".Policies.PasswordPolicy.TemporaryPasswordValidityDays = 7",
        );
        let reason =
            format!("temporary passwords are valid for {days} days; the maximum should be {TEMPORARY_PASSWORD_DAYS}");
        findings.push(found(observed, Check::TemporaryPasswords, reason, fix));
    }
    // Without a setting, Cognito prefers text messages over e-mail (`AccountRecoverySettingType`).
    let prefers_phone = observed.recovery.unwrap_or(Recovery::Phone) == Recovery::Phone;
    if prefers_phone && (observed.recovery.is_some() || observed.pool.sms_role_arn.is_some()) {
        let reason = "a text message can reset a password, so the owner of the phone number can take over the account";
        let fix = fixes.outside_spec(
            ".AccountRecoverySetting.RecoveryMechanisms = [{\"Priority\": 1, \"Name\": \"verified_email\"}]",
        );
        findings.push(found(observed, Check::RecoveryByPhone, reason, fix));
    }
    findings
}

fn of_mail(observed: &ObservedUserPool, fixes: &Fixes<'_>) -> Option<Finding> {
    if observed.mail_sender == MailSender::Own {
        return None;
    }
    let users = observed.estimated_users;
    let (check, reason) = if users > DAILY_MAILS {
        let reason = format!("Cognito's own sender sends {DAILY_MAILS} e-mails a day, too few for {users} users");
        (Check::MailQuota, reason)
    } else {
        (Check::MailSender, format!("Cognito's own sender sends at most {DAILY_MAILS} e-mails a day"))
    };
    let sender = ".EmailConfiguration = {\"EmailSendingAccount\": \"DEVELOPER\", \"SourceArn\": \"SES_IDENTITY_ARN\"}";
    Some(found(observed, check, reason, fixes.outside_spec(sender)))
}

/// `UpdateUserPool` cannot activate MFA.
fn enable_mfa(user_pool_id: &str, fixes: &Fixes<'_>) -> String {
    let command = format!(
        "set-user-pool-mfa-config --user-pool-id {user_pool_id} --mfa-configuration OPTIONAL \
         --software-token-mfa-configuration Enabled=true"
    );
    let managed = fixes.managed("\"mfa\": \"optional\"", Some("Mfa=optional"));
    managed.unwrap_or_else(|| fixes.aws("cognito-idp", &command))
}

fn name(attribute: Verifiable) -> &'static str {
    match attribute {
        Verifiable::Email => "email",
        Verifiable::PhoneNumber => "phone_number",
    }
}
