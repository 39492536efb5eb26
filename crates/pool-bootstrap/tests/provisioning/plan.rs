//! `plan` changes nothing, and `apply` makes exactly the planned changes.

use domain::provision::{Plan, Planned, Verdict};
use domain::spec::{AttributeKind, CustomAttribute};

use super::*;

struct NoStepsObserver;

impl Observer for NoStepsObserver {
    fn step_ended(&self, report: &StepReport) {
        unreachable!("a plan has no steps: {report:?}");
    }
}

async fn try_plan(harness: &Harness, spec: Value) -> Result<Plan, ProvisionError> {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let provisioner = Provisioner::new(&harness.platform, Arc::new(harness.clock.clone()), &NoStepsObserver);
    let writes = harness.platform.writes();
    let plan = provisioner.plan(&spec).await;
    assert_eq!(harness.platform.writes(), writes, "a plan changes nothing");
    plan
}

async fn plan(harness: &Harness, spec: Value) -> Plan {
    try_plan(harness, spec).await.unwrap()
}

fn verdicts(plan: &Plan) -> Vec<(Step, Verdict)> {
    plan.resources.iter().map(|planned| (planned.step, planned.verdict)).collect()
}

fn of(plan: &Plan, step: Step) -> &Planned {
    plan.resources.iter().find(|planned| planned.step == step).unwrap()
}

const STEPS: [Step; 10] = [
    Step::UserPool,
    Step::BackendClient,
    Step::WebClient,
    Step::Groups,
    Step::IdentityPool,
    Step::Role,
    Step::Policy,
    Step::PolicyAttachment,
    Step::IdentityPoolRole,
    Step::FirstAdmin,
];

#[tokio::test]
async fn plans_all_creates_first_and_no_changes_after_apply() {
    let harness = Harness::new();
    let before = plan(&harness, shop()).await;
    assert_eq!(verdicts(&before), STEPS.map(|step| (step, Verdict::Create)));
    assert_eq!(before.changes, 10);

    harness.apply(shop()).await.unwrap();
    let after = plan(&harness, shop()).await;
    assert_eq!(verdicts(&after), STEPS.map(|step| (step, Verdict::Leave)));
    assert_eq!(after.changes, 0);
    assert_eq!(of(&after, Step::UserPool).id.as_deref(), Some("eu-west-1_pool1"));
}

#[tokio::test]
async fn plans_the_differences_that_apply_then_changes() {
    let harness = Harness::provisioned().await;
    let changes = json!({
        "verify": false, "self_sign_up": false, "groups": ["support", "billing"], "custom_attributes": ["team", "desk"],
        "clients": {"backend": {"access_token_minutes": 15}, "web": {}},
        "authenticated_policy": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::shop/*"]}],
    });
    let planned = plan(&harness, with(&changes)).await;
    let differences = |step| -> Vec<String> {
        of(&planned, step).differences.iter().map(|difference| difference.field.clone()).collect()
    };
    assert_eq!(differences(Step::UserPool), ["self_sign_up", "custom_attributes.desk"]);
    assert_eq!(differences(Step::Policy), ["document"]);
    assert_eq!(differences(Step::BackendClient), ["access_token_minutes", "read_attributes"]);
    assert_eq!(differences(Step::WebClient), ["read_attributes"], "the new custom attribute can be read");
    let lifetime = &of(&planned, Step::BackendClient).differences[0];
    assert_eq!((&lifetime.current, &lifetime.wanted), (&json!(60), &json!(15)));
    assert_eq!(of(&planned, Step::Groups).reason, "missing: billing");

    let receipt = harness.apply(with(&changes)).await.unwrap();
    for (planned, done) in planned.resources.iter().zip(&receipt.steps) {
        let expected = match planned.verdict {
            Verdict::Create => Outcome::Created,
            Verdict::Adopt => Outcome::Adopted,
            Verdict::Change => Outcome::Updated,
            Verdict::Leave => Outcome::Unchanged,
        };
        assert_eq!((planned.step, expected), (done.step, done.outcome));
    }
}

#[tokio::test]
async fn plans_a_missing_boundary() {
    let harness = Harness::provisioned().await;
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let bounded = with(&json!({"verify": false, "permissions_boundary": boundary}));
    let planned = plan(&harness, bounded.clone()).await;
    let role = of(&planned, Step::Role);
    let [difference] = role.differences.as_slice() else { unreachable!("{planned:?}") };
    assert_eq!((role.verdict, difference.field.as_str()), (Verdict::Change, "permissions boundary"));
    assert_eq!((&difference.current, &difference.wanted), (&Value::Null, &json!(boundary)));

    harness.apply(bounded.clone()).await.unwrap();
    assert_eq!(of(&plan(&harness, bounded).await, Step::Role).verdict, Verdict::Leave);
}

#[tokio::test]
async fn adopts_resources_of_an_interrupted_run() {
    let harness = Harness::new();
    harness.platform.fail("create_policy", 1, Fault::NotDone(ErrorClass::Forbidden));
    harness.apply(unverified()).await.unwrap_err();
    let planned = plan(&harness, unverified()).await;
    for (step, expected) in [
        (Step::UserPool, Verdict::Leave),
        (Step::BackendClient, Verdict::Leave),
        (Step::IdentityPool, Verdict::Adopt),
        (Step::Role, Verdict::Adopt),
        (Step::Policy, Verdict::Create),
        (Step::PolicyAttachment, Verdict::Create),
    ] {
        assert_eq!(of(&planned, step).verdict, expected, "{step}: {planned:?}");
    }
    let receipt = harness.apply(unverified()).await.unwrap();
    assert_eq!(report(&receipt, Step::IdentityPool).outcome, Outcome::Adopted);
}

#[tokio::test]
async fn marks_ids_that_are_known_after_apply() {
    let harness = Harness::provisioned().await;
    harness.platform.state().identity_pools.clear();
    let planned = plan(&harness, unverified()).await;
    let role = of(&planned, Step::Role);
    assert_eq!(role.verdict, Verdict::Change);
    assert!(role.differences[0].wanted.to_string().contains("(known after apply)"), "{role:?}");
    assert_eq!(of(&planned, Step::IdentityPoolRole).verdict, Verdict::Create);
}

#[tokio::test]
async fn keeps_a_removed_client_without_its_identity_provider() {
    let harness = Harness::provisioned().await;
    let only_backend = with(&json!({"verify": false, "clients": {"backend": {}}}));
    let planned = plan(&harness, only_backend.clone()).await;
    let web = of(&planned, Step::WebClient);
    assert!(web.verdict == Verdict::Leave && web.reason.contains("not in the spec"), "{web:?}");
    assert_eq!(of(&planned, Step::IdentityPool).verdict, Verdict::Change);

    harness.apply(only_backend).await.unwrap();
    let state = harness.platform.state();
    assert_eq!((state.clients.len(), state.identity_pools[0].thing.state.providers.len()), (2, 1));
}

#[tokio::test]
async fn does_not_add_an_attribute_of_an_unknown_type_again() {
    let harness = Harness::provisioned().await;
    let vip = CustomAttribute { name: "vip".to_owned(), kind: AttributeKind::Other, mutable: true };
    harness.platform.state().user_pools[0].thing.custom_attributes.push(vip);
    let error = try_plan(&harness, with(&json!({"custom_attributes": ["team", "vip"]}))).await.unwrap_err();
    assert!(error.to_string().contains("custom_attributes.vip.type: \"other\" -> \"string\""), "{error}");
}

#[tokio::test]
async fn plan_rejects_what_apply_rejects() {
    let harness = Harness::provisioned().await;
    for (changes, expected) in [
        (json!({"case_sensitive": true}), "case_sensitive: false -> true"),
        (json!({"sign_in": "username"}), "sign_in: \"email\" -> \"username\""),
        (json!({"groups": ["a b"]}), "spec.groups"),
    ] {
        let error = try_plan(&harness, with(&changes)).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{changes}: {error}");
    }
}
