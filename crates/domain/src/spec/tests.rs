use super::*;
use serde_json::json;

fn spec(text: serde_json::Value) -> Result<Spec, String> {
    let spec: Spec = serde_json::from_value(text).map_err(|error| error.to_string())?;
    spec.check().map_err(|error| error.to_string())?;
    Ok(spec)
}

#[test]
fn defaults_are_secure() {
    let spec = spec(json!({"name": "shop"})).unwrap();
    assert_eq!(spec.sign_in, SignInWith::Email);
    assert!(!spec.case_sensitive && !spec.self_sign_up);
    assert!(spec.deletion_protection && spec.verify);
    assert_eq!(spec.on_delete, OnDelete::Retain);
    assert_eq!(
        spec.identity_pool,
        IdentityPoolSpec { guests: false, classic_flow: false, server_side_token_check: true }
    );
    assert_eq!(spec.password_policy.minimum_length, 12);
    let clients: Vec<_> = spec.clients().map(|(kind, client)| (kind, client.prevent_user_existence_errors)).collect();
    assert_eq!(clients, [(ClientKind::Backend, true), (ClientKind::Web, true)]);
}

#[test]
fn accepts_scalars_as_strings() {
    let spec = spec(json!({
        "name": "shop", "self_sign_up": "true", "deletion_protection": "false",
        "password_policy": {"minimum_length": "8", "require_symbols": "false"},
        "clients": {"backend": {"access_token_minutes": "15"}},
        "custom_attributes": ["team", {"name": "seats", "type": "number", "mutable": "false"}],
    }))
    .unwrap();
    assert!(spec.self_sign_up && !spec.deletion_protection);
    assert_eq!((spec.password_policy.minimum_length, spec.password_policy.require_symbols), (8, false));
    assert_eq!(spec.clients.backend.unwrap().access_token_minutes, 15);
    assert_eq!(spec.clients.web, None);
    let team = CustomAttribute { name: "team".to_owned(), kind: AttributeKind::String, mutable: true };
    let seats = CustomAttribute { name: "seats".to_owned(), kind: AttributeKind::Number, mutable: false };
    assert_eq!(spec.custom_attributes, [team, seats]);
}

#[test]
fn rejects_wrong_values_and_names_the_field() {
    let table = [
        (json!({}), "missing field `name`"),
        (json!({"name": ""}), "1–36 letters"),
        (json!({"name": "a b"}), "1–36 letters"),
        (json!({"name": "x".repeat(37)}), "1–36 letters"),
        (json!({"name": "shop", "self_signup": true}), "unknown field `self_signup`"),
        (json!({"name": "shop", "self_sign_up": "yes"}), "`true` or `false`"),
        (json!({"name": "shop", "clients": {"mobile": {}}}), "unknown field `mobile`"),
        (json!({"name": "shop", "clients": {"web": {"auth_flows": ["ALLOW_ALL"]}}}), "unknown variant `ALLOW_ALL`"),
        (json!({"name": "shop", "password_policy": {"minimum_length": -1}}), "a whole number"),
        (json!({"name": "shop", "password_policy": {"minimum_length": 5}}), "spec.password_policy.minimum_length"),
        (
            json!({"name": "shop", "password_policy": {"temporary_password_validity_days": 0}}),
            "spec.password_policy.temporary_password_validity_days",
        ),
        (json!({"name": "shop", "aliases": ["email"]}), "spec.aliases"),
        (json!({"name": "shop", "auto_verified": ["phone_number"]}), "spec.auto_verified"),
        (json!({"name": "shop", "custom_attributes": ["custom:team"]}), "spec.custom_attributes"),
        (json!({"name": "shop", "custom_attributes": ["poolkeeper_created"]}), "`poolkeeper_created` is reserved"),
        (json!({"name": "shop", "custom_attributes": ["Poolkeeper_Created"]}), "`poolkeeper_created` is reserved"),
        (json!({"name": "shop", "clients": {"backend": {"access_token_minutes": 4}}}), "spec.clients.backend"),
        (json!({"name": "shop", "clients": {"backend": {}, "web": {"refresh_token_days": 3651}}}), "spec.clients.web"),
        (json!({"name": "shop", "groups": ["two words"]}), "spec.groups"),
        (json!({"name": "shop", "first_admin": "nobody"}), "spec.first_admin"),
        (json!({"name": "shop", "clients": {}}), "spec.verify"),
        (json!({"name": "shop", "permissions_boundary": "boundary"}), "spec.permissions_boundary"),
        (
            json!({"name": "shop", "permissions_boundary": "arn:aws:iam::123456789012:role/x"}),
            "spec.permissions_boundary",
        ),
        (
            json!({"name": "shop", "permissions_boundary": "arn:aws:iam::123456789012:policy/*"}),
            "spec.permissions_boundary",
        ),
    ];
    for (text, expected) in table {
        let error = spec(text.clone()).unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn rejects_wide_policies_for_authenticated_users() {
    let with = |action: &str, resource: &str| {
        spec(json!({"name": "shop", "authenticated_policy": [{"actions": [action], "resources": [resource]}]}))
    };
    assert!(with("s3:GetObject", "arn:aws:s3:::shop/*").is_ok());
    for (action, resource, field) in [
        ("iam:*e*", "arn:aws:s3:::shop/*", "spec.authenticated_policy.actions"),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/Admin", "spec.authenticated_policy.actions"),
        ("s3:GetObject", "arn:aws:s3:::*/*", "spec.authenticated_policy.resources"),
    ] {
        let error = with(action, resource).unwrap_err();
        assert!(error.contains(field) && error.contains("found `"), "{error}");
    }
}

#[test]
fn first_admin_has_a_valid_name_and_the_admins_group() {
    let email = spec(json!({"name": "shop", "first_admin": "ops@example.com"})).unwrap();
    assert_eq!(email.first_admin_username(), Some("ops@example.com"));
    let username = spec(json!({"name": "shop", "sign_in": "username", "first_admin": "ops@example.com"})).unwrap();
    assert_eq!(username.first_admin_username(), Some("admin"));
    assert_eq!(username.all_groups(), BTreeSet::from(["admins"]));
    let without_admin = spec(json!({"name": "shop", "groups": ["support"]})).unwrap();
    assert_eq!((without_admin.first_admin_username(), without_admin.all_groups()), (None, BTreeSet::from(["support"])));
}
