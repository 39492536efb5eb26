//! A healthy deployment, and functions that change it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::doctor::{
    AssignedRole, Drift, Function, MailSender, Observed, ObservedClient, ObservedIdentityPool, ObservedUserPool,
    Recovery, Trigger,
};
use crate::platform::{
    AppClient, ClientState, IdentityPool, IdentityPoolState, Provider, TAG_KEY, UserPool, UserPoolState,
};
use crate::policy_document::trust_policy;
use crate::provision::{Action, Difference, Plan, Planned, Step, Verdict};
use crate::spec::{AttributeKind, ClientKind, ClientSpec, CustomAttribute, PoolAttributes, Spec, Verifiable};

pub(super) const POOL: &str = "eu-west-1_AbCdEfGhI";
pub(super) const POOL_ARN: &str = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_AbCdEfGhI";
pub(super) const IDENTITY_POOL: &str = "eu-west-1:0e6f3f3b-7a3e-4f0e-8b1e-0a7f3f2c9d11";
pub(super) const ROLE: &str = "arn:aws:iam::111122223333:role/poolkeeper.shop.eu-west-1";
pub(super) const GUEST_ROLE: &str = "arn:aws:iam::111122223333:role/guests";
pub(super) const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:shop-PreSignUp";

pub(super) fn spec() -> Spec {
    let spec = json!({
        "name": "shop", "auto_verified": ["email"], "self_sign_up": true, "mfa": "optional",
        "pre_sign_up_function_arn": FUNCTION, "custom_attributes": ["team"],
    });
    serde_json::from_value(spec).unwrap()
}

pub(super) fn client(kind: ClientKind) -> ObservedClient {
    let spec = spec();
    let attributes = PoolAttributes::new(&spec, &BTreeSet::new(), &BTreeSet::new());
    let state = ClientState::desired(kind, &ClientSpec::default(), &attributes);
    let flows = state.auth_flows.iter().map(|flow| json!(flow).as_str().unwrap().to_owned()).collect();
    let has_secret = kind == ClientKind::Backend;
    ObservedClient {
        name: format!("shop-{}", kind.as_str()),
        client: AppClient { id: format!("{}-1", kind.as_str()), has_secret, state, created_at: None },
        auth_flows: flows,
        uses_oauth: false,
        oauth_flows: BTreeSet::new(),
        callback_urls: Vec::new(),
    }
}

pub(super) fn permission(condition: &Value) -> Value {
    json!({
        "Sid": "cognito", "Effect": "Allow", "Principal": {"Service": "cognito-idp.amazonaws.com"},
        "Action": "lambda:InvokeFunction", "Resource": FUNCTION, "Condition": condition,
    })
}

pub(super) fn condition(arn: &str, account: &str) -> Value {
    json!({"ArnLike": {"AWS:SourceArn": arn}, "StringEquals": {"AWS:SourceAccount": account}})
}

pub(super) fn role(trust: Value) -> AssignedRole {
    AssignedRole { trust: Some(trust), policies: BTreeSet::from([format!("{ROLE}/policy")]) }
}

/// A deployment by the spec, with Amazon SES.
pub(super) fn healthy() -> Observed {
    let spec = spec();
    let provider =
        Provider { user_pool_id: POOL.to_owned(), client_id: "web-1".to_owned(), server_side_token_check: true };
    Observed {
        region: "eu-west-1".to_owned(),
        user_pool: ObservedUserPool {
            pool: UserPool {
                id: POOL.to_owned(),
                arn: POOL_ARN.to_owned(),
                issuer: String::new(),
                sms_role_arn: None,
                state: UserPoolState::desired(&spec),
                custom_attributes: spec.all_custom_attributes(),
                required_attributes: BTreeSet::new(),
                tags: [(TAG_KEY.to_owned(), "shop".to_owned())].into(),
                created_at: None,
            },
            sign_in_attributes: [Verifiable::Email].into(),
            verified_before_update: [Verifiable::Email].into(),
            recovery: Some(Recovery::Other),
            mail_sender: MailSender::Own,
            estimated_users: 1000,
            triggers: [("PreSignUp", FUNCTION.to_owned())].into(),
        },
        clients: vec![client(ClientKind::Backend), client(ClientKind::Web)],
        groups: 2,
        identity_providers: 1,
        identity_pools: vec![ObservedIdentityPool {
            name: "shop".to_owned(),
            pool: IdentityPool {
                id: IDENTITY_POOL.to_owned(),
                state: IdentityPoolState { guests: false, classic_flow: false, providers: [provider].into() },
            },
            authenticated_role_arn: Some(ROLE.to_owned()),
            guest_role_arn: None,
            roles: [(ROLE.to_owned(), role(trust_policy(IDENTITY_POOL)))].into(),
        }],
        triggers: vec![Trigger {
            name: "PreSignUp",
            function_arn: FUNCTION.to_owned(),
            function: Some(Function {
                state: Some("Active".to_owned()),
                last_update_status: Some("Successful".to_owned()),
                reserved_concurrency: None,
                policy: json!({"Statement": [permission(&condition(POOL_ARN, "111122223333"))]}),
            }),
        }],
        drift: Some(Drift {
            file: "pool.json".to_owned(),
            plan: Ok(Plan { action: Action::Plan, changes: 0, resources: vec![planned(Verdict::Leave, &[])] }),
        }),
    }
}

pub(super) fn planned(verdict: Verdict, differences: &[Difference]) -> Planned {
    let (step, id, reason) = (Step::WebClient, Some("web-1".to_owned()), "up to date".to_owned());
    Planned { step, verdict, id, reason, differences: differences.to_vec() }
}

pub(super) fn state(observed: &mut Observed) -> &mut UserPoolState {
    &mut observed.user_pool.pool.state
}

pub(super) fn backend(observed: &mut Observed) -> &mut ObservedClient {
    &mut observed.clients[0]
}

pub(super) fn web(observed: &mut Observed) -> &mut ObservedClient {
    &mut observed.clients[1]
}

pub(super) fn function(observed: &mut Observed) -> &mut Function {
    observed.triggers[0].function.as_mut().unwrap()
}

pub(super) fn permit(observed: &mut Observed, condition: &Value) {
    function(observed).policy = json!({"Statement": [permission(condition)]});
}

pub(super) fn identity_pool(observed: &mut Observed) -> &mut ObservedIdentityPool {
    &mut observed.identity_pools[0]
}

pub(super) fn trust(observed: &mut Observed) -> &mut Value {
    identity_pool(observed).roles.get_mut(ROLE).unwrap().trust.as_mut().unwrap()
}

pub(super) fn trust_condition(observed: &mut Observed) -> &mut Value {
    &mut trust(observed)["Statement"][0]["Condition"]
}

pub(super) fn add_trust(observed: &mut Observed, effect: &str, mut statement: Value) {
    statement["Effect"] = json!(effect);
    statement["Action"] = json!("sts:AssumeRole");
    trust(observed)["Statement"].as_array_mut().unwrap().push(statement);
}

pub(super) fn set_server_side_token_check(observed: &mut Observed, user_pool_id: &str) {
    let (user_pool_id, client_id) = (user_pool_id.to_owned(), "web-2".to_owned());
    let provider = Provider { user_pool_id, client_id, server_side_token_check: false };
    identity_pool(observed).pool.state.providers.insert(provider);
}

pub(super) fn add_guest_role(observed: &mut Observed, method: &str) {
    let mut document = trust_policy(IDENTITY_POOL);
    document["Statement"][0]["Condition"]["ForAnyValue:StringLike"]["cognito-identity.amazonaws.com:amr"] =
        json!(method);
    identity_pool(observed).guest_role_arn = Some(GUEST_ROLE.to_owned());
    identity_pool(observed).roles.insert(GUEST_ROLE.to_owned(), role(document));
}

pub(super) fn add_custom_attributes(observed: &mut Observed, total: usize) {
    let attribute = CustomAttribute { name: "a".to_owned(), kind: AttributeKind::String, mutable: true };
    observed.user_pool.pool.custom_attributes = vec![attribute; total];
}
