//! The roles of the template allow exactly the operations that the code calls: no more, and no less.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The actions of one role in the template, without those for its log.
fn actions_of(role: &str) -> BTreeSet<String> {
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let (_, rest) = template.split_once(&format!("\n  {role}:\n")).unwrap();
    let lines = rest.lines().take_while(|line| line.is_empty() || line.starts_with("   ") || line.starts_with("  #"));
    let words = lines.filter(|line| !line.trim().starts_with('#')).flat_map(|line| line.split([' ', ',', '[', ']']));
    let services = ["cognito-idp:", "cognito-identity:", "iam:", "ssm:"];
    let names = ["iam:PassedToService", "iam:PolicyARN"];
    let actions = words.map(|word| word.trim_end_matches(':'));
    let actions = actions.filter(|word| services.iter().any(|service| word.starts_with(service)));
    actions.filter(|word| !names.contains(word)).map(str::to_owned).collect()
}

/// The operations that a file of the adapters names where it reports failures.
fn operations_in(file: &str) -> BTreeSet<String> {
    let source = fs::read_to_string(root().join("crates/cognito-aws/src").join(file)).unwrap();
    let source = source.split("#[cfg(test)]").next().unwrap();
    let named = source.split("Failure::of(").skip(1).filter_map(|rest| rest.strip_prefix('"'));
    let constants = source.split("const OPERATION: &str = ").skip(1).filter_map(|rest| rest.strip_prefix('"'));
    named.chain(constants).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

fn with_service<'a>(service: &'a str, operations: &'a BTreeSet<String>) -> impl Iterator<Item = String> + 'a {
    operations.iter().map(move |operation| format!("{service}:{operation}"))
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Cognito takes these from everyone: they carry a code, a token, the session of an open sign-in or the client's secret, and no
/// signature. (So says `config/auth.rs` of the SDK.)
const UNSIGNED: [&str; 15] = [
    "AssociateSoftwareToken",
    "ConfirmForgotPassword",
    "ConfirmSignUp",
    "ForgotPassword",
    "GetCredentialsForIdentity",
    "GetId",
    "GetTokensFromRefreshToken",
    "GetUser",
    "GetUserAttributeVerificationCode",
    "GlobalSignOut",
    "ResendConfirmationCode",
    "RevokeToken",
    "SignUp",
    "VerifySoftwareToken",
    "VerifyUserAttribute",
];

fn signed(operations: BTreeSet<String>) -> BTreeSet<String> {
    operations.into_iter().filter(|operation| !UNSIGNED.contains(&operation.as_str())).collect()
}

/// What is called for the parts of a user pool's port, and for the key of its cursors.
const ADMIN_SOURCES: [&str; 6] =
    ["app_client.rs", "directory.rs", "groups.rs", "identities.rs", "pool_settings.rs", "sign_in_security.rs"];

/// What is called for the key of invitations.
const KEY_SOURCE: &str = "invitation_key.rs";

/// What is called for people who sign in and look after their own account.
const AUTH_SOURCES: [&str; 3] = ["app_client.rs", "self_service.rs", "sessions.rs"];

#[test]
fn admin_role_allows_what_the_parts_of_a_user_pool_call() {
    let called: BTreeSet<String> = ADMIN_SOURCES.into_iter().flat_map(operations_in).collect();
    for part in ["AdminGetUser", "CreateGroup", "AdminListDevices", "AdminLinkProviderForUser", "DescribeUserPool"] {
        assert!(called.contains(part), "{part}: {called:?}");
    }
    assert_eq!(signed(called.clone()), called, "all of an administrator's calls are signed");
    let parameters = operations_in(KEY_SOURCE);
    let expected = with_service("cognito-idp", &called).chain(with_service("ssm", &parameters));
    assert_eq!(actions_of("AdminApiRole"), expected.collect());
}

#[test]
fn auth_role_allows_what_sessions_and_self_service_call_and_sign() {
    let called: BTreeSet<String> = AUTH_SOURCES.into_iter().flat_map(operations_in).collect();
    assert!(called.contains("AdminInitiateAuth") && called.contains("GetUser"), "{called:?}");
    assert_eq!(actions_of("AuthApiRole"), with_service("cognito-idp", &signed(called)).collect());
}

#[test]
fn no_adapter_of_the_api_is_without_a_role() {
    let listed: BTreeSet<&str> = ADMIN_SOURCES.into_iter().chain(AUTH_SOURCES).chain([KEY_SOURCE]).collect();
    let files = fs::read_dir(root().join("crates/cognito-aws/src")).unwrap();
    let files = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    let calling = files.filter(|file| {
        Path::new(file).extension().is_some_and(|ending| ending == "rs") && !operations_in(file).is_empty()
    });
    assert_eq!(calling.filter(|file| !listed.contains(file.as_str())).collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn bootstrap_role_allows_what_provisioning_calls() {
    let mut user_pools = operations_in("platform/user_pools.rs");
    // Through the directory and the sessions: the first administrator and the proof.
    user_pools.append(&mut set(&[
        "AdminAddUserToGroup",
        "AdminConfirmSignUp",
        "AdminCreateUser",
        "AdminDeleteUser",
        "AdminGetUser",
        "AdminInitiateAuth",
        "AdminListGroupsForUser",
        "AdminSetUserPassword",
        "ListUsers",
        // A create with tags.
        "TagResource",
    ]));
    let mut identity_pools = signed(operations_in("platform/identity_pools.rs"));
    identity_pools.append(&mut set(&["TagResource"]));
    let mut iam = operations_in("platform/iam.rs");
    // Creates with tags, and the role that is handed to the identity pool.
    iam.append(&mut set(&["TagPolicy", "TagRole", "PassRole"]));
    let mut parameters = operations_in("platform/invitation_keys.rs");
    // A create with tags.
    parameters.append(&mut set(&["AddTagsToResource"]));

    let expected = with_service("cognito-idp", &user_pools)
        .chain(with_service("cognito-identity", &identity_pools))
        .chain(with_service("iam", &iam))
        .chain(with_service("ssm", &parameters));
    assert_eq!(actions_of("PoolBootstrapRole"), expected.collect());
}

/// The resources of a template that name an action on parameters, of whatever kind: reading is many actions, and one star is all of them.
fn with_rights_on_parameters(template: &str) -> BTreeSet<&str> {
    let (_, resources) = template.split_once("\nResources:\n").unwrap();
    let mut resource = "";
    let mut found = BTreeSet::new();
    for line in resources.lines().filter(|line| !line.trim().starts_with('#')) {
        if let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
            resource = name.trim_end_matches(':');
        }
        // IAM reads actions in capital and small letters alike.
        let line = line.to_ascii_lowercase();
        let mut words = line.split([' ', ',', '[', ']', '{', '}', '"', '\'']);
        if words.any(|word| word.starts_with("ssm:")) {
            found.insert(resource);
        }
    }
    found
}

#[test]
fn nobody_but_the_bootstrap_and_the_admin_function_has_a_right_on_parameters() {
    let template = fs::read_to_string(root().join("template.yaml")).unwrap();
    let expected = ["AdminApiRole", "PoolBootstrapRole"].into();
    assert_eq!(with_rights_on_parameters(&template), expected);

    // Each of them would be seen.
    let harmless = "                Action: [logs:CreateLogStream, logs:PutLogEvents]\n";
    assert_eq!(template.matches(harmless).count(), 4, "one for each role");
    for right in [
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "ssm:GetParameterHistory",
        "ssm:*",
        "\"ssm:*\"",
        "'ssm:Get*'",
        "SSM:GetParameter",
        "[logs:PutLogEvents, ssm:GetParameter]",
        "[logs:PutLogEvents,\"ssm:GetParameter\"]",
    ] {
        let changed = template.replace(harmless, &format!("                Action: {right}\n"));
        let seen = with_rights_on_parameters(&changed);
        assert!(seen.contains("PreSignUpRole") && seen.contains("AuthApiRole"), "{right}: {seen:?}");
    }
}
