//! A finding: the check, the resource, the reason and the command that fixes it.

use serde::{Serialize, Serializer};
use strum::{IntoStaticStr, VariantArray};

/// The severity of a finding, most severe first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    /// Others can take over accounts or credentials, or users cannot sign up or sign in.
    Error,
    /// A protection is missing, or a limit is near.
    Warning,
    /// A setting that can be intended.
    Info,
}

impl Severity {
    /// The name in output and documentation.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A check. Its name is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
#[expect(missing_docs, reason = "docs/doctor.md describes the checks, and a test compares them")]
pub enum Check {
    CaseSensitiveNames,
    DeletionProtection,
    UnverifiedUpdate,
    UnverifiedSignInAttribute,
    SignUpWithoutTrigger,
    ShortPasswords,
    TemporaryPasswords,
    RecoveryByPhone,
    MailQuota,
    MailSender,
    MfaOff,
    TriggerMissing,
    TriggerFailed,
    TriggerUpdateFailed,
    TriggerNotPermitted,
    TriggerOpenPermission,
    TriggerThrottled,
    UserExistenceErrors,
    TokenRevocation,
    PasswordFlow,
    AdminFlowOnPublicClient,
    UnrestrictedAttributes,
    ImplicitGrant,
    InsecureCallback,
    LongAccessTokens,
    LongIdTokens,
    LongRefreshTokens,
    Guests,
    ClassicFlow,
    TokenCheck,
    RoleNotSet,
    RoleMissing,
    TrustAudience,
    TrustMethod,
    TrustOpen,
    TrustOther,
    AdministratorRole,
    QuotaUsers,
    QuotaAppClients,
    QuotaGroups,
    QuotaIdentityProviders,
    QuotaCustomAttributes,
    QuotaCallbackUrls,
    Drift,
    DriftBlocked,
}

impl Check {
    /// All checks, in the order of the documentation.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The severity of the check's findings.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::TriggerMissing
            | Self::TriggerFailed
            | Self::TriggerNotPermitted
            | Self::TriggerThrottled
            | Self::RoleNotSet
            | Self::RoleMissing
            | Self::TrustAudience
            | Self::TrustMethod
            | Self::TrustOpen
            | Self::AdministratorRole
            | Self::DriftBlocked => Severity::Error,
            Self::MailSender | Self::MfaOff | Self::InsecureCallback => Severity::Info,
            _ => Severity::Warning,
        }
    }
}

impl Serialize for Check {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// The severity.
    pub severity: Severity,
    /// The resource.
    pub subject: String,
    /// What is wrong, and its effect.
    pub reason: String,
    /// The command that fixes it. A comment after `#` names what to edit first.
    pub fix: String,
}

impl Finding {
    pub(super) fn new(
        check: Check,
        subject: impl Into<String>,
        reason: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        let severity = check.severity();
        Self { check, severity, subject: subject.into(), reason: reason.into(), fix: fix.into() }
    }
}
