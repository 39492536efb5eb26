//! The commands that fix findings.
//!
//! Cognito's update calls reset fields that the request omits. Therefore the commands for resources outside of a spec
//! or stack read the current state, change one field and send all fields back.

use super::observed::{Observed, ObservedUserPool};

/// The fields of `DescribeUserPool` that `UpdateUserPool` accepts. Cognito rejects `UnusedAccountValidityDays`
/// together with `TemporaryPasswordValidityDays`.
const UPDATABLE: &str = "{UserPoolId: .Id, PoolName: .Name} + with_entries(select(.key | IN(\"Policies\", \
                         \"DeletionProtection\", \"LambdaConfig\", \"AutoVerifiedAttributes\", \
                         \"SmsVerificationMessage\", \"EmailVerificationMessage\", \"EmailVerificationSubject\", \
                         \"VerificationMessageTemplate\", \"SmsAuthenticationMessage\", \
                         \"UserAttributeUpdateSettings\", \"MfaConfiguration\", \"DeviceConfiguration\", \
                         \"EmailConfiguration\", \"SmsConfiguration\", \"UserPoolTags\", \"AdminCreateUserConfig\", \
                         \"UserPoolAddOns\", \"AccountRecoverySetting\", \"UserPoolTier\", \"KeyConfiguration\", \
                         \"IssuerConfiguration\", \"AcrConfiguration\"))) | \
                         del(.AdminCreateUserConfig.UnusedAccountValidityDays)";

/// Removes empty texts, which updates reject.
const WITHOUT_EMPTY: &str = "del(.. | select(. == \"\"))";

/// Who sets the fields of a pool.
pub(super) struct Fixes<'a> {
    pool: &'a ObservedUserPool,
    region: &'a str,
    spec_file: &'a str,
}

impl<'a> Fixes<'a> {
    pub(super) fn of(observed: &'a Observed) -> Self {
        let spec_file = observed.drift.as_ref().map_or("FILE", |drift| &drift.file);
        Self { pool: &observed.user_pool, region: &observed.region, spec_file }
    }

    /// Applies the spec.
    pub(super) fn apply(&self) -> String {
        format!("poolkeeper apply --region {} --spec {}", self.region, self.spec_file)
    }

    /// Applies the spec after an edit.
    pub(super) fn apply_with(&self, edit: &str) -> String {
        format!("{}  # {edit}", self.apply())
    }

    /// Sets a field of the spec or a parameter of the stack. Otherwise changes the user pool with this jq filter.
    pub(super) fn user_pool(&self, field: &str, parameter: Option<&str>, filter: &str) -> String {
        self.managed(field, parameter).unwrap_or_else(|| self.outside_spec(filter))
    }

    /// Changes a field of the user pool that a spec does not contain.
    pub(super) fn outside_spec(&self, filter: &str) -> String {
        let id = &self.pool.pool.id;
        format!(
            "aws cognito-idp describe-user-pool --region {region} --user-pool-id {id} --query UserPool | jq '{UPDATABLE} \
             | {WITHOUT_EMPTY} | {filter}' | aws cognito-idp update-user-pool --region {region} --cli-input-json file:///dev/stdin",
            region = self.region
        )
    }

    /// Changes an app client.
    pub(super) fn client(&self, client_id: &str, filter: &str) -> String {
        let id = &self.pool.pool.id;
        format!(
            "aws cognito-idp describe-user-pool-client --region {region} --user-pool-id {id} --client-id {client_id} \
             --query UserPoolClient | jq 'del(.ClientSecret, .CreationDate, .LastModifiedDate) | {WITHOUT_EMPTY} | {filter}' | aws \
             cognito-idp update-user-pool-client --region {region} --cli-input-json file:///dev/stdin",
            region = self.region
        )
    }

    /// Sets a field of the spec. Otherwise changes the identity pool.
    pub(super) fn identity_pool(&self, id: &str, field: &str, filter: &str) -> String {
        self.managed(field, None).unwrap_or_else(|| {
            format!(
                "aws cognito-identity describe-identity-pool --region {region} --identity-pool-id {id} | jq '{WITHOUT_EMPTY} | {filter}' | \
                 aws cognito-identity update-identity-pool --region {region} --cli-input-json file:///dev/stdin",
                region = self.region
            )
        })
    }

    /// Sets the role of authenticated users.
    pub(super) fn authenticated_role(&self, id: &str) -> String {
        if self.is_of_spec() {
            return self.apply();
        }
        format!(
            "aws cognito-identity get-identity-pool-roles --region {region} --identity-pool-id {id} | jq \
             '.Roles.authenticated = \"ROLE_ARN\"' | aws cognito-identity set-identity-pool-roles --region {region} \
             --cli-input-json file:///dev/stdin",
            region = self.region
        )
    }

    /// Whether `poolkeeper apply` manages the pool.
    fn is_of_spec(&self) -> bool {
        self.pool.is_managed() && self.pool.stack().is_none()
    }

    /// The command for the stack or the spec that sets the field.
    pub(super) fn managed(&self, field: &str, parameter: Option<&str>) -> Option<String> {
        match (self.pool.stack(), parameter) {
            (Some(stack), Some(parameter)) => Some(format!(
                "sam deploy --region {} --stack-name {stack} --parameter-overrides {parameter}",
                self.region
            )),
            // The template does not set the field.
            (Some(_), None) => None,
            (None, _) => self.is_of_spec().then(|| self.apply_with(&format!("with {field} in the spec"))),
        }
    }

    /// Runs a command of the AWS CLI.
    pub(super) fn aws(&self, service: &str, command: &str) -> String {
        format!("aws {service} {command} --region {}", self.region)
    }
}
