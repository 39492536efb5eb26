//! The settings, read from the environment once at startup. Startup fails on an invalid setting and names it.

use domain::passable_roles::{EXPECTED_ROLE_ARNS, PassableRoles};
use domain::revocation::{EXPECTED_TABLE_NAME, is_table_name};
use domain::roles::Roles;
use startup::{SettingError, optional, parsed, required};
use strum::EnumString;

const USER_POOL_ID: &str = "USER_POOL_ID";
const COGNITO_CLIENT_ID: &str = "COGNITO_CLIENT_ID";
const ISSUER: &str = "ISSUER";
const PASSABLE_ROLE_ARNS: &str = "PASSABLE_ROLE_ARNS";
const AWS_REGION: &str = "AWS_REGION";
const ROUTES: &str = "ROUTES";
const ROLES: &str = "ROLES";
const INVITATION_KEY_PARAMETER: &str = "INVITATION_KEY_PARAMETER";
const REVOCATION_TABLE: &str = "REVOCATION_TABLE";
const TOTP_ISSUER: &str = "TOTP_ISSUER";
const ADMIN_MFA: &str = "ADMIN_MFA";

/// The settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `AWS_REGION`: the region of the user pool.
    pub region: String,
    /// `USER_POOL_ID`: the pool that the API manages and whose tokens it accepts.
    pub user_pool_id: String,
    /// `COGNITO_CLIENT_ID`: the app client for sign-in, whose access tokens the API accepts.
    pub client_id: String,
    /// `ISSUER`: the issuer of the pool's tokens.
    pub issuer: String,
    /// `ROUTES`: the routes that this function serves.
    pub served: Served,
    /// `ROLES`: the permissions of groups. Without it, no caller has permissions.
    pub roles: Roles,
    /// `INVITATION_KEY_PARAMETER`: the SSM parameter with the invitation signing key. Default: no invitations.
    pub invitation_key_parameter: Option<String>,
    /// `REVOCATION_TABLE`: the DynamoDB table of revocations. Default: revocations are neither checked nor written.
    pub revocation_table: Option<String>,
    /// `PASSABLE_ROLE_ARNS`: the IAM roles that the function's role can pass. Default: none.
    pub passable_roles: PassableRoles,
    /// `TOTP_ISSUER`: the issuer that authenticator apps show. Default: the id of the user pool.
    pub totp_issuer: String,
    /// `ADMIN_MFA`: whether callers with permissions must have a second factor. Default: optional.
    pub admin_mfa: AdminMfa,
}

/// Whether callers whose groups have permissions in `ROLES` must have a second factor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum AdminMfa {
    /// A second factor is optional.
    #[default]
    Optional,
    /// Callers without a second factor can only read their own identity.
    Required,
}

/// The routes that a function serves. Each function has an IAM role of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString)]
#[strum(serialize_all = "lowercase")]
pub enum Served {
    /// Administration except jobs: every route requires a caller.
    Admin,
    /// Sign-up and sign-in: no route requires a caller.
    Auth,
    /// Jobs: every route requires a caller. Not a value of `ROUTES`, because only the binary `jobs-api` has the adapters.
    #[strum(disabled)]
    Jobs,
    /// All routes.
    All,
}

impl Settings {
    /// Reads all settings.
    ///
    /// # Errors
    /// Returns the first missing or invalid setting.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let region = required(&lookup, AWS_REGION, "must be the region of the user pool, e.g. eu-central-1")?;
        let user_pool_id = user_pool_id(&lookup, &region)?;
        let client_id = client_id(&lookup)?;
        let issuer = issuer(&lookup, &user_pool_id)?;
        let expectation = "must be `admin`, `auth` or `all`";
        let served = parsed(&lookup, ROUTES, expectation)?.ok_or_else(|| SettingError::missing(ROUTES, expectation))?;
        let roles = roles(&lookup)?;
        let invitation_key_parameter = invitation_key_parameter(&lookup)?;
        let revocation_table = revocation_table(&lookup)?;
        let passable_roles = parsed(&lookup, PASSABLE_ROLE_ARNS, EXPECTED_ROLE_ARNS)?.unwrap_or_default();
        let admin_mfa = parsed(&lookup, ADMIN_MFA, "must be `optional` or `required`")?.unwrap_or_default();
        let totp_issuer = totp_issuer(&lookup)?.unwrap_or_else(|| user_pool_id.clone());
        Ok(Self {
            region,
            user_pool_id,
            client_id,
            issuer,
            served,
            roles,
            invitation_key_parameter,
            revocation_table,
            passable_roles,
            totp_issuer,
            admin_mfa,
        })
    }
}

/// Reads the pool id, which begins with the pool's region. Another region than `AWS_REGION` is rejected, because
/// Cognito would not find the pool.
fn user_pool_id(lookup: impl Fn(&str) -> Option<String>, region: &str) -> Result<String, SettingError> {
    let expectation =
        format!("must be the id of a user pool in AWS_REGION {region}: {region}_ followed by letters and digits");
    let id = required(lookup, USER_POOL_ID, &expectation)?;
    let own = id.strip_prefix(region).and_then(|rest| rest.strip_prefix('_'));
    let fits = own.is_some_and(|own| !own.is_empty() && own.chars().all(|character| character.is_ascii_alphanumeric()));
    if fits { Ok(id) } else { Err(SettingError::wrong(USER_POOL_ID, expectation)) }
}

fn client_id(lookup: impl Fn(&str) -> Option<String>) -> Result<String, SettingError> {
    let expectation = "must be the id of an app client of the user pool, 1–128 letters and digits";
    let id = required(lookup, COGNITO_CLIENT_ID, expectation)?;
    // Cognito's pattern of the id contains `+` and `_`.
    let clean = id.chars().all(|character| character.is_ascii_alphanumeric() || "+_".contains(character));
    if clean && id.len() <= 128 { Ok(id) } else { Err(SettingError::wrong(COGNITO_CLIENT_ID, expectation)) }
}

/// Reads the issuer. A pool issues tokens from one of two hosts, and both issuers end with the id of the pool.
fn issuer(lookup: impl Fn(&str) -> Option<String>, user_pool_id: &str) -> Result<String, SettingError> {
    let expectation = format!(
        "must be the issuer of the user pool's tokens, https://HOST/{user_pool_id} (the stack's output Issuer)"
    );
    let issuer = required(lookup, ISSUER, &expectation)?;
    let host = issuer.strip_prefix("https://").and_then(|rest| rest.strip_suffix(user_pool_id)?.strip_suffix('/'));
    let is_host = |host: &str| {
        !host.is_empty() && host.chars().all(|character| character.is_ascii_alphanumeric() || "-.".contains(character))
    };
    if host.is_some_and(is_host) { Ok(issuer) } else { Err(SettingError::wrong(ISSUER, expectation)) }
}

fn roles(lookup: impl Fn(&str) -> Option<String>) -> Result<Roles, SettingError> {
    let Some(text) = optional(lookup, ROLES) else { return Ok(Roles::default()) };
    text.parse::<Roles>().map_err(|error| SettingError::wrong(ROLES, error.to_string()))
}

/// Reads the parameter name. A full parameter name of SSM begins with a slash.
fn invitation_key_parameter(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<String>, SettingError> {
    let expectation =
        "must be the full name of an SSM parameter: a slash, then letters, digits and ._-/ (at most 1011 characters)";
    let Some(name) = optional(lookup, INVITATION_KEY_PARAMETER) else { return Ok(None) };
    let clean = name.chars().all(|character| character.is_ascii_alphanumeric() || "._-/".contains(character));
    let fits = name.starts_with('/') && (2..=MAX_PARAMETER_NAME).contains(&name.len());
    if clean && fits { Ok(Some(name)) } else { Err(SettingError::wrong(INVITATION_KEY_PARAMETER, expectation)) }
}

fn revocation_table(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<String>, SettingError> {
    let Some(name) = optional(lookup, REVOCATION_TABLE) else { return Ok(None) };
    if is_table_name(&name) { Ok(Some(name)) } else { Err(SettingError::wrong(REVOCATION_TABLE, EXPECTED_TABLE_NAME)) }
}

/// Reads the issuer for authenticator apps. It must not contain a colon, which separates issuer and account in an
/// `otpauth` URI.
fn totp_issuer(lookup: impl Fn(&str) -> Option<String>) -> Result<Option<String>, SettingError> {
    let expectation = "must be 1–128 characters without colons or control characters";
    let Some(issuer) = optional(lookup, TOTP_ISSUER) else { return Ok(None) };
    let clean = !issuer.chars().any(|character| character.is_control() || character == ':');
    let fits = (1..=128).contains(&issuer.chars().count());
    if clean && fits { Ok(Some(issuer)) } else { Err(SettingError::wrong(TOTP_ISSUER, expectation)) }
}

/// The maximum length of a parameter name.
const MAX_PARAMETER_NAME: usize = 1011;

#[cfg(test)]
mod tests {
    use super::*;
    use domain::permission::Permission;

    const GOOD: [(&str, &str); 9] = [
        ("AWS_REGION", "eu-central-1"),
        ("USER_POOL_ID", "eu-central-1_Ab12Cd34E"),
        ("COGNITO_CLIENT_ID", "1example23456789"),
        ("ISSUER", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E"),
        ("PASSABLE_ROLE_ARNS", "arn:aws:iam::123456789012:role/support"),
        ("ROUTES", "admin"),
        ("ROLES", r#"{"admins": ["users:read"]}"#),
        ("INVITATION_KEY_PARAMETER", "/poolkeeper/my-shop_2.0/invitation-key/1"),
        ("REVOCATION_TABLE", "shop-revocations"),
    ];

    /// Reads valid settings with one of them changed or removed.
    fn read_with(variable: &str, value: Option<&str>) -> Result<Settings, SettingError> {
        Settings::read(|requested| {
            let good = GOOD.iter().find(|(name, _)| *name == requested).map(|(_, value)| (*value).to_owned());
            if requested == variable { value.map(str::to_owned) } else { good }
        })
    }

    #[test]
    fn reads_valid_settings() {
        let settings = read_with("ROUTES", Some("auth")).unwrap();
        assert_eq!(settings.region, "eu-central-1");
        assert_eq!(settings.user_pool_id, "eu-central-1_Ab12Cd34E");
        assert_eq!(settings.client_id, "1example23456789");
        assert_eq!(settings.issuer, "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E");
        assert!(settings.passable_roles.allow("arn:aws:iam::123456789012:role/support"));
        assert_eq!(settings.served, Served::Auth);
        assert_eq!(settings.roles.permissions_of(["admins"]), [Permission::UsersRead].into());
        let parameter = settings.invitation_key_parameter.as_deref();
        assert_eq!(parameter, Some("/poolkeeper/my-shop_2.0/invitation-key/1"));
    }

    #[test]
    fn names_missing_setting() {
        for variable in ["AWS_REGION", "USER_POOL_ID", "COGNITO_CLIENT_ID", "ISSUER", "ROUTES"] {
            for absent in [None, Some("")] {
                let error = read_with(variable, absent).unwrap_err();
                assert_eq!(error.variable, variable);
                assert!(error.to_string().starts_with(&format!("the setting {variable} is not set")), "{error}");
            }
        }
    }

    #[test]
    fn grants_nothing_without_roles() {
        for absent in [None, Some(""), Some("{}")] {
            assert_eq!(read_with("ROLES", absent).unwrap().roles, Roles::default());
        }
    }

    #[test]
    fn reads_roles_in_shell_safe_form() {
        let roles = read_with("ROLES", Some("admins=all,readers=users:read")).unwrap().roles;
        assert_eq!(roles.permissions_of(["readers"]), [Permission::UsersRead].into());
        assert_eq!(roles.permissions_of(["admins"]), Permission::ALL.iter().copied().collect());
    }

    #[test]
    fn passes_no_role_by_default() {
        for absent in [None, Some("")] {
            assert_eq!(read_with("PASSABLE_ROLE_ARNS", absent).unwrap().passable_roles, PassableRoles::default());
        }
    }

    #[test]
    fn issues_no_invitations_without_key_parameter() {
        for absent in [None, Some("")] {
            assert_eq!(read_with("INVITATION_KEY_PARAMETER", absent).unwrap().invitation_key_parameter, None);
        }
    }

    #[test]
    fn has_no_session_gate_without_table() {
        assert_eq!(read_with("", None).unwrap().revocation_table.as_deref(), Some("shop-revocations"));
        for absent in [None, Some("")] {
            assert_eq!(read_with("REVOCATION_TABLE", absent).unwrap().revocation_table, None);
        }
    }

    #[test]
    fn requires_full_name_of_key_parameter() {
        let name = |length| format!("/{}", "x".repeat(length - 1));
        for name in ["/a", "/a/b-c_d.e/9", &name(MAX_PARAMETER_NAME)] {
            let settings = read_with("INVITATION_KEY_PARAMETER", Some(name)).unwrap();
            assert_eq!(settings.invitation_key_parameter.as_deref(), Some(name));
        }
        for wrong in
            ["/", "key", " /key", "/key\n", "/ke y", "/schlüssel", "/key:1", "arn:aws:ssm:a:b:parameter/c", &name(1012)]
        {
            let error = read_with("INVITATION_KEY_PARAMETER", Some(wrong)).unwrap_err();
            assert_eq!(error.variable, "INVITATION_KEY_PARAMETER", "{wrong}");
            assert!(error.to_string().contains("the full name of an SSM parameter"), "{error}");
        }
    }

    #[test]
    fn requires_no_second_factor_by_default() {
        for absent in [None, Some(""), Some("optional")] {
            assert_eq!(read_with("ADMIN_MFA", absent).unwrap().admin_mfa, AdminMfa::Optional);
        }
        assert_eq!(read_with("ADMIN_MFA", Some("required")).unwrap().admin_mfa, AdminMfa::Required);
    }

    #[test]
    fn totp_issuer_defaults_to_pool_id() {
        for absent in [None, Some("")] {
            assert_eq!(read_with("TOTP_ISSUER", absent).unwrap().totp_issuer, "eu-central-1_Ab12Cd34E");
        }
        assert_eq!(read_with("TOTP_ISSUER", Some("My shop, 2")).unwrap().totp_issuer, "My shop, 2");
        for wrong in ["shop:x", "shop\n", &"x".repeat(129)] {
            let error = read_with("TOTP_ISSUER", Some(wrong)).unwrap_err();
            assert_eq!(error.variable, "TOTP_ISSUER", "{wrong}");
        }
    }

    #[test]
    fn names_invalid_setting_and_expectation() {
        let table = [
            ("USER_POOL_ID", "Ab12Cd34E", "in AWS_REGION eu-central-1"),
            ("USER_POOL_ID", "us-east-1_Ab12Cd34E", "in AWS_REGION eu-central-1"),
            ("USER_POOL_ID", "eu-central-1_", "eu-central-1_ followed by letters and digits"),
            ("USER_POOL_ID", "eu-central-1_Ab 12", "eu-central-1_ followed by letters and digits"),
            ("USER_POOL_ID", "eu-central-11_Ab12", "eu-central-1_ followed by letters and digits"),
            ("COGNITO_CLIENT_ID", "has spaces", "an app client"),
            (
                "ISSUER",
                "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Ab12Cd34E",
                "https://HOST/eu-central-1_Ab12Cd34E",
            ),
            ("ISSUER", "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_Other", "https://HOST/"),
            ("ISSUER", "https://evil.example/x/eu-central-1_Ab12Cd34E", "https://HOST/"),
            ("ISSUER", "https:///eu-central-1_Ab12Cd34E", "https://HOST/"),
            ("PASSABLE_ROLE_ARNS", "support", "ARNs of IAM roles"),
            ("ROUTES", "Admin", "`admin`, `auth` or `all`"),
            ("ROUTES", "jobs", "`admin`, `auth` or `all`"),
            ("REVOCATION_TABLE", "a b", "the name of a DynamoDB table"),
            ("ADMIN_MFA", "Required", "`optional` or `required`"),
            ("ADMIN_MFA", "off", "`optional` or `required`"),
            ("ROLES", "admins", "must be groups with permissions, such as `admins=all,"),
            ("ROLES", r"{admins:[users:read]}", "must be groups with permissions, such as `admins=all,"),
            (
                "ROLES",
                "admins=users:raed",
                "unknown permission `users:raed` of the group `admins`; did you mean `users:read`?",
            ),
            ("ROLES", r#"{"admins": ["*"]}"#, "unknown permission `*` of the group `admins`"),
        ];
        for (variable, value, expectation) in table {
            let error = read_with(variable, Some(value)).unwrap_err();
            assert_eq!(error.variable, variable);
            assert!(error.to_string().contains(expectation), "{variable}={value}: {error}");
        }
    }
}
