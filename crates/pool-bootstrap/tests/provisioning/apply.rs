//! `apply`: creations, changes, rejections and retries.

use domain::spec::{AttributeKind, CustomAttribute, MfaMode};

use super::*;

#[tokio::test]
async fn apply_creates_and_verifies_all_resources() {
    let harness = Harness::new();
    let receipt = harness.apply(shop()).await.unwrap();

    let expected = [
        (Step::UserPool, Outcome::Created),
        (Step::BackendClient, Outcome::Created),
        (Step::WebClient, Outcome::Created),
        (Step::Groups, Outcome::Created),
        (Step::IdentityPool, Outcome::Created),
        (Step::Role, Outcome::Created),
        (Step::Policy, Outcome::Created),
        (Step::PolicyAttachment, Outcome::Created),
        (Step::IdentityPoolRole, Outcome::Created),
        (Step::FirstAdmin, Outcome::Created),
        (Step::SignUp, Outcome::Succeeded),
        (Step::Confirm, Outcome::Succeeded),
        (Step::SignIn, Outcome::Succeeded),
        (Step::Identity, Outcome::Succeeded),
        (Step::Credentials, Outcome::Succeeded),
        (Step::CallerIdentity, Outcome::Succeeded),
        (Step::CleanUp, Outcome::Deleted),
    ];
    assert_eq!(outcomes(&receipt), expected);
    let role = "poolkeeper.shop.eu-west-1";
    let caller = format!("arn:aws:sts::123456789012:assumed-role/{role}/CognitoIdentityCredentials");
    assert_eq!(receipt.caller_arn.as_deref(), Some(caller.as_str()));
    let pool_id = receipt.user_pool_id.unwrap();
    assert_eq!(receipt.issuer.unwrap(), format!("https://cognito-idp.eu-west-1.amazonaws.com/{pool_id}"));

    let state = harness.platform.state();
    let secrets: Vec<_> = state.clients.iter().map(|it| (it.name.as_str(), it.client.has_secret)).collect();
    assert_eq!(secrets, [("shop-backend", true), ("shop-web", false)]);
    assert_eq!(state.roles[role].entity.document, trust_policy(&receipt.identity_pool_id.unwrap()));
    let users = &state.users[&pool_id];
    assert!(users.was_invited("ops@example.com"));
    assert_eq!(users.groups_of("ops@example.com"), ["admins"]);
    assert!(state.identities.is_empty(), "the identity of the test user is deleted");
}

#[tokio::test]
async fn a_second_apply_changes_nothing() {
    let harness = Harness::new();
    let first = harness.apply(unverified()).await.unwrap();
    let writes = harness.platform.writes();

    let second = harness.apply(unverified()).await.unwrap();
    assert_eq!(harness.platform.writes(), writes, "no writing call in the second run");
    assert!(second.steps.iter().all(|report| report.outcome == Outcome::Unchanged), "{second:?}");
    assert_eq!(second.user_pool_id, first.user_pool_id);
    let creates = harness.platform.state().users[&first.user_pool_id.unwrap()].calls();
    assert_eq!(creates.iter().filter(|call| **call == "create").count(), 1, "the admin is invited once");
}

#[tokio::test]
async fn apply_changes_and_reports_only_differences() {
    let harness = Harness::provisioned().await;
    let changes = json!({
        "verify": false, "self_sign_up": false, "custom_attributes": ["team", {"name": "seats", "type": "number"}],
        "clients": {"backend": {"access_token_minutes": 15}, "web": {}}, "groups": ["support", "billing"],
        "identity_pool": {"server_side_token_check": false},
        "authenticated_policy": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}],
    });
    let receipt = harness.apply(with(&changes)).await.unwrap();

    let detail = |step| report(&receipt, step).detail.clone().unwrap();
    assert_eq!(
        detail(Step::UserPool),
        r#"self_sign_up: true -> false; custom_attributes.seats: none -> "number, mutable""#
    );
    let client = detail(Step::BackendClient);
    assert!(client.starts_with("access_token_minutes: 60 -> 15; read_attributes: "), "{client}");
    assert_eq!(detail(Step::Groups), "billing");
    // Both clients can read the new custom attribute.
    let updated = [Step::UserPool, Step::BackendClient, Step::WebClient, Step::IdentityPool, Step::Policy];
    for report in &receipt.steps {
        let expected = match report.step {
            step if updated.contains(&step) => Outcome::Updated,
            Step::Groups => Outcome::Created,
            _ => Outcome::Unchanged,
        };
        assert_eq!(report.outcome, expected, "{report:?}");
    }
}

#[tokio::test]
async fn migration_trigger_is_set_kept_and_removed() {
    let harness = Harness::provisioned().await;
    let set = |value: &str| with(&json!({"verify": false, "user_migration_function_arn": value}));
    let trigger = || harness.platform.state().user_pools[0].thing.state.user_migration_function_arn.clone();
    for (spec, detail, expected) in [
        (set("arn:first"), Some(r#"user_migration_function_arn: none -> "arn:first""#), Some("arn:first")),
        // A trigger that the spec does not contain is kept, also by other changes.
        (with(&json!({"verify": false})), None, Some("arn:first")),
        (
            with(&json!({"verify": false, "self_sign_up": false})),
            Some("self_sign_up: true -> false"),
            Some("arn:first"),
        ),
        (set("none"), Some(r#"self_sign_up: false -> true; user_migration_function_arn: "arn:first" -> none"#), None),
        (set("none"), None, None),
    ] {
        let receipt = harness.apply(spec).await.unwrap();
        assert_eq!(report(&receipt, Step::UserPool).detail.as_deref(), detail);
        assert_eq!(trigger().as_deref(), expected);
    }
}

#[tokio::test]
async fn new_pool_has_the_migration_trigger_of_the_spec() {
    for (value, expected) in [(json!("arn:first"), Some("arn:first")), (json!("none"), None), (json!(null), None)] {
        let harness = Harness::new();
        let spec = with(&json!({"verify": false, "user_migration_function_arn": value}));
        harness.apply(spec).await.unwrap();
        let state = harness.platform.state().user_pools[0].thing.state.clone();
        assert_eq!(state.user_migration_function_arn.as_deref(), expected);
    }
}

#[tokio::test]
async fn every_pool_gets_the_reserved_attribute_as_immutable_text() {
    let harness = Harness::provisioned().await;
    let reserved =
        CustomAttribute { name: "poolkeeper_created".to_owned(), kind: AttributeKind::String, mutable: false };
    let attributes = || harness.platform.state().user_pools[0].thing.custom_attributes.clone();
    assert_eq!(attributes().last(), Some(&reserved));
    assert_eq!(attributes().len(), 2, "one more than the spec declares");

    harness.platform.state().user_pools[0].thing.custom_attributes.pop();
    let receipt = harness.apply(unverified()).await.unwrap();
    let detail = report(&receipt, Step::UserPool).detail.clone();
    assert_eq!(detail.as_deref(), Some(r#"custom_attributes.poolkeeper_created: none -> "string, fixed""#));
    assert_eq!(attributes().last(), Some(&reserved));
}

#[tokio::test]
async fn sets_missing_attribute_lists_of_clients_once() {
    let harness = Harness::provisioned().await;
    let written = |name: &str| {
        let state = harness.platform.state();
        let mut clients = state.clients.iter().map(|client| &client.client.state);
        clients.all(|client| client.write_attributes.contains(name) && !client.write_attributes.contains("custom:team"))
    };
    assert!(written("birthdate"), "{:?}", harness.platform.state().clients);
    for client in &mut harness.platform.state().clients {
        client.client.state.write_attributes.clear();
        client.client.state.read_attributes.clear();
    }
    let receipt = harness.apply(unverified()).await.unwrap();
    for step in [Step::BackendClient, Step::WebClient] {
        assert_eq!(report(&receipt, step).outcome, Outcome::Updated, "{step}");
    }
    assert!(written("birthdate"));
    let writes = harness.platform.writes();
    harness.apply(unverified()).await.unwrap();
    assert_eq!(harness.platform.writes(), writes);
}

#[tokio::test]
async fn a_mapped_attribute_becomes_writable_and_the_reserved_one_never() {
    let harness = Harness::new();
    let receipt = harness.apply(unverified()).await.unwrap();
    let mapped = ["custom:team", "custom:poolkeeper_created", "username"].map(str::to_owned);
    harness.platform.state().mapped_attributes.insert(receipt.user_pool_id.unwrap(), mapped.into());
    harness.apply(unverified()).await.unwrap();
    let state = harness.platform.state();
    for client in &state.clients {
        let writable = &client.client.state.write_attributes;
        assert!(writable.contains("custom:team"), "{writable:?}");
        assert!(!writable.contains("custom:poolkeeper_created") && !writable.contains("username"), "{writable:?}");
    }
}

#[tokio::test]
async fn mfa_converges_and_is_set_before_the_rest_of_the_pool() {
    let harness = Harness::new();
    let created = harness.apply(unverified()).await.unwrap();
    assert_eq!(report(&created, Step::UserPool).outcome, Outcome::Created);
    let mfa = || harness.platform.state().user_pools[0].thing.state.mfa;
    assert_eq!(mfa(), MfaMode::Optional);

    let writes = harness.platform.writes().len();
    let changes = json!({"verify": false, "mfa": "required", "self_sign_up": false});
    let receipt = harness.apply(with(&changes)).await.unwrap();
    let detail = report(&receipt, Step::UserPool).detail.clone();
    let expected = r#"mfa: "optional" -> "required"; self_sign_up: true -> false"#;
    assert_eq!((mfa(), detail.as_deref()), (MfaMode::Required, Some(expected)));
    assert_eq!(harness.platform.writes()[writes..], ["set_mfa", "update_user_pool"]);

    harness.apply(with(&changes)).await.unwrap();
    assert_eq!(harness.platform.writes().len(), writes + 2, "no writing call in the second run");
    harness.platform.state().user_pools[0].thing.state.mfa = MfaMode::WithoutTotp;
    harness.apply(with(&changes)).await.unwrap();
    assert_eq!(mfa(), MfaMode::Required);
    harness.apply(with(&json!({"verify": false, "mfa": "off", "self_sign_up": false}))).await.unwrap();
    assert_eq!(mfa(), MfaMode::Off);
}

#[tokio::test]
async fn rejects_a_pool_whose_reserved_attribute_is_mutable() {
    let harness = Harness::provisioned().await;
    harness.platform.state().user_pools[0].thing.custom_attributes[1].mutable = true;
    let writes = harness.platform.writes();
    let failure = harness.apply(unverified()).await.unwrap_err();
    assert!(failure.to_string().contains("custom_attributes.poolkeeper_created.mutable: true -> false"), "{failure}");
    assert_eq!(harness.platform.writes(), writes);
}

#[tokio::test]
async fn rejects_immutable_fields_before_any_change() {
    let table = [
        (json!({"case_sensitive": true, "groups": ["new"]}), "case_sensitive: false -> true"),
        (json!({"sign_in": "username"}), "sign_in: \"email\" -> \"username\""),
        (
            json!({"custom_attributes": [{"name": "team", "mutable": false}]}),
            "custom_attributes.team.mutable: true -> false",
        ),
    ];
    for (changes, expected) in table {
        let harness = Harness::provisioned().await;
        let writes = harness.platform.writes();
        let failure = harness.apply(with(&changes)).await.unwrap_err();
        assert!(matches!(failure.error, ProvisionError::Immutable { .. }), "{changes}: {failure}");
        assert!(failure.to_string().contains(expected), "{changes}: {failure}");
        assert_eq!(harness.platform.writes(), writes, "{changes}");
    }
}

#[tokio::test]
async fn rejects_errors_of_later_steps_before_the_first_step() {
    let harness = Harness::provisioned().await;
    harness.platform.state().clients[0].client.has_secret = false;
    let writes = harness.platform.writes();
    let failure = harness.apply(with(&json!({"self_sign_up": false}))).await.unwrap_err();
    assert!(failure.to_string().contains("app client client2: secret: false -> true"), "{failure}");
    assert_eq!(harness.platform.writes(), writes);
    assert!(failure.receipt.steps.is_empty(), "{failure:?}");
}

#[tokio::test]
async fn rejects_an_invalid_spec_without_calls() {
    let harness = Harness::new();
    let failure = harness.apply(with(&json!({"first_admin": "nobody"}))).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::Spec(_)), "{failure}");
    assert_eq!(harness.platform.calls(), Vec::<&str>::new());
}

#[tokio::test]
async fn resources_without_the_tag_are_neither_adopted_nor_deleted() {
    let harness = Harness::provisioned().await;
    let role = "poolkeeper.shop.eu-west-1";
    harness.platform.state().roles.get_mut(role).unwrap().entity.tagged = None;
    let writes = harness.platform.writes();
    let failure = harness.apply(shop()).await.unwrap_err();
    assert!(matches!(failure.error, ProvisionError::NotOwned { .. }), "{failure}");
    assert_eq!(harness.platform.writes(), writes, "nothing was changed");

    let receipt = harness.run(Action::Destroy, shop()).await.unwrap();
    assert!(harness.platform.state().roles.contains_key(role));
    let retained = report(&receipt, Step::Role);
    assert!(
        retained.outcome == Outcome::Retained && retained.detail.as_ref().unwrap().contains("does not name this pool"),
        "{retained:?}"
    );
    // The policy belongs to the pool, but is attached to a role that does not.
    let retained = report(&receipt, Step::Policy);
    assert!(
        retained.outcome == Outcome::Retained && retained.detail.as_ref().unwrap().contains("in use"),
        "{retained:?}"
    );
    assert_eq!(report(&receipt, Step::UserPool).outcome, Outcome::Deleted);
}

#[tokio::test]
async fn rejects_two_pools_with_the_same_tag() {
    let harness = Harness::provisioned().await;
    {
        let mut state = harness.platform.state();
        let mut twin = state.user_pools[0].clone();
        twin.thing.id = "eu-west-1_twin".to_owned();
        state.user_pools.push(twin);
    }
    let writes = harness.platform.writes();
    for action in [Action::Apply, Action::Verify, Action::Destroy] {
        let failure = harness.run(action, shop()).await.unwrap_err();
        assert!(failure.to_string().contains("eu-west-1_pool1, eu-west-1_twin"), "{action:?}: {failure}");
    }
    assert_eq!(harness.platform.writes(), writes);
}

#[tokio::test]
async fn adopts_the_resource_of_a_create_with_a_lost_response() {
    for operation in ["create_user_pool", "create_client", "create_identity_pool", "create_policy", "create_role"] {
        let harness = Harness::new();
        harness.platform.fail(operation, 1, Fault::AnswerLost);
        let receipt = harness.apply(shop()).await.unwrap();
        let adopted = receipt.steps.iter().filter(|report| report.outcome == Outcome::Adopted).count();
        assert_eq!(adopted, 1, "{operation}");
        let state = harness.platform.state();
        let counts = [state.user_pools.len(), state.identity_pools.len(), state.policies.len(), state.roles.len()];
        assert_eq!((counts, state.clients.len()), ([1, 1, 1, 1], 2), "{operation}");
    }
}

#[tokio::test]
async fn retries_a_throttled_create() {
    let harness = Harness::new();
    harness.platform.fail("create_user_pool", 1, Fault::NotDone(ErrorClass::Throttled));
    harness.platform.fail("create_user_pool", 2, Fault::NotDone(ErrorClass::Throttled));
    let receipt = harness.apply(shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::UserPool).attempts, 3);
    assert_eq!(report(&receipt, Step::UserPool).elapsed_ms, 1500);
}

#[tokio::test]
async fn sets_the_boundary_of_a_role_before_its_policy_changes() {
    let harness = Harness::provisioned().await;
    let before = harness.platform.writes().len();
    let statement = json!({"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]});
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let bounded = json!({"verify": false, "permissions_boundary": boundary, "authenticated_policy": [statement]});
    harness.apply(with(&bounded)).await.unwrap();
    let writes = harness.platform.writes();
    let iam: Vec<_> = writes[before..].iter().filter(|it| ["set_boundary", "update_policy"].contains(it)).collect();
    assert_eq!(iam, [&"set_boundary", &"update_policy"]);
}

#[tokio::test]
async fn a_failure_reports_its_steps_and_the_next_run_continues() {
    let harness = Harness::new();
    harness.platform.fail("create_policy", 1, Fault::NotDone(ErrorClass::Forbidden));
    let failure = harness.apply(shop()).await.unwrap_err();
    assert_eq!(report(&failure.receipt, Step::Policy).outcome, Outcome::Failed);
    assert_eq!(report(&failure.receipt, Step::Role).outcome, Outcome::Created);
    assert!(failure.receipt.user_pool_id.is_some(), "{failure}");
    assert!(failure.to_string().contains("create_policy"), "{failure}");

    let receipt = harness.apply(shop()).await.unwrap();
    assert_eq!(report(&receipt, Step::UserPool).outcome, Outcome::Unchanged);
    assert_eq!(report(&receipt, Step::Role).outcome, Outcome::Adopted, "nothing refers to it");
    assert_eq!(report(&receipt, Step::Policy).outcome, Outcome::Created);
    assert_eq!(harness.platform.state().user_pools.len(), 1);
}
