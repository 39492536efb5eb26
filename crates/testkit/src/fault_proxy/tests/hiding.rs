//! Tests what is hidden and until when, to the millisecond. No code here uses timers, so paused time does not advance.

use tokio::time::advance;

use super::service::ATTACHED;
use super::*;

const DELAY: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(1);
const ALL_BUT_A_MOMENT: Duration = Duration::from_millis(9_999);

impl Bench {
    async fn create_role(&self, name: &str) {
        assert_eq!(send(self.query("CreateRole", &format!("&RoleName={name}"))).await.unwrap().0, 200);
    }

    async fn attach(&self, role: &str, policy: &str) -> u16 {
        let parameters = format!("&RoleName={role}&PolicyArn={}", policy.replace(':', "%3A").replace('/', "%2F"));
        send(self.query("AttachRolePolicy", &parameters)).await.unwrap().0
    }

    async fn credentials(&self) -> (u16, String) {
        send(self.json("GetCredentialsForIdentity")).await.unwrap()
    }

    /// Which of [`ATTACHED`] are in the list.
    async fn listed(&self, role: &str) -> Vec<&'static str> {
        let request = self.query("ListAttachedRolePolicies", &format!("&RoleName={role}"));
        let (status, list) = send(request).await.unwrap();
        assert_eq!(status, 200);
        assert_eq!(list.matches("<member>").count(), list.matches("</member>").count());
        assert!(
            list.starts_with("<AttachedPolicies>")
                && list.ends_with("</AttachedPolicies><IsTruncated>false</IsTruncated>")
        );
        ATTACHED.into_iter().filter(|policy| list.contains(policy)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn hides_nothing_by_default() {
    let bench = Bench::set_up().await;
    bench.create_role("r").await;
    assert_eq!(bench.attach("r", ATTACHED[0]).await, 200);
    assert_eq!(bench.credentials().await.0, 200);
    assert_eq!(bench.listed("r").await, ATTACHED);
    for what in [Hidden::Role, Hidden::Attachment, Hidden::RoleFromIam] {
        assert_eq!(bench.proxy.visible_since(what), None);
    }
}

#[tokio::test(start_paused = true)]
async fn new_role_cannot_be_assumed_while_hidden() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::Role, DELAY);
    assert_eq!(bench.credentials().await.0, 200, "no role is new");
    bench.create_role("r").await;
    advance(ALL_BUT_A_MOMENT).await;

    let (status, error) = bench.credentials().await;
    assert_eq!(status, 400);
    assert!(error.contains(r#""__type":"InvalidIdentityPoolConfigurationException""#), "{error}");
    assert!(error.contains("Check assigned IAM roles for this pool."), "{error}");
    assert_eq!(bench.proxy.calls().last().unwrap().outcome, Outcome::Hidden(Hidden::Role));
    assert_eq!(bench.service.seen().len(), 2, "the service received no call");
    assert_eq!(bench.proxy.visible_since(Hidden::Role), None);
    assert_eq!(send(bench.query("GetRole", "&RoleName=r")).await.unwrap().0, 200, "IAM knows it");

    advance(TICK).await;
    assert_eq!(bench.proxy.visible_since(Hidden::Role), Some(Duration::ZERO));
    assert_eq!(bench.credentials().await.0, 200);
    advance(TICK * 7).await;
    assert_eq!(bench.proxy.visible_since(Hidden::Role), Some(TICK * 7));
}

#[tokio::test(start_paused = true)]
async fn role_of_a_lost_response_is_hidden() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::Role, DELAY);
    bench.proxy.plan("CreateRole", 1, Fault::AnswerLost);
    assert_eq!(send(bench.query("CreateRole", "&RoleName=r")).await, None);
    assert_eq!(bench.credentials().await.0, 400);
}

#[tokio::test(start_paused = true)]
async fn failed_creation_hides_nothing() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::Role, DELAY);
    bench.proxy.plan("CreateRole", 1, Fault::NotSent);
    assert_eq!(send(bench.query("CreateRole", "&RoleName=r")).await, None);
    assert_eq!(send(bench.query("CreateRole", "&RoleName=Refused")).await.unwrap().0, 400);
    assert_eq!(bench.credentials().await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn new_attachment_is_not_listed_and_gives_no_credentials() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::Attachment, DELAY);
    bench.create_role("r").await;
    assert_eq!(bench.attach("r", ATTACHED[0]).await, 200);
    advance(TICK).await;
    assert_eq!(bench.attach("r", ATTACHED[1]).await, 200);

    assert_eq!(bench.listed("r").await, [""; 0]);
    assert_eq!(bench.listed("other").await, ATTACHED, "of another role");
    assert_eq!(bench.credentials().await.0, 400);
    advance(ALL_BUT_A_MOMENT).await;
    assert_eq!(bench.listed("r").await, [ATTACHED[0]]);
    assert_eq!(bench.proxy.calls().last().unwrap().outcome, Outcome::Hidden(Hidden::Attachment));
    assert_eq!(bench.credentials().await.0, 400);
    advance(TICK).await;
    assert_eq!(bench.listed("r").await, ATTACHED);
    assert_eq!(bench.credentials().await.0, 200);
    assert_eq!(bench.proxy.visible_since(Hidden::Attachment), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn attaching_again_hides_only_after_a_detach() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::Attachment, DELAY);
    assert_eq!(bench.attach("r", ATTACHED[0]).await, 200);
    advance(DELAY).await;
    assert_eq!(bench.attach("r", ATTACHED[0]).await, 200);
    assert_eq!(bench.listed("r").await, ATTACHED);

    let parameters = format!("&RoleName=r&PolicyArn={}", ATTACHED[0]);
    assert_eq!(send(bench.query("DetachRolePolicy", &parameters)).await.unwrap().0, 200);
    assert_eq!(bench.attach("r", ATTACHED[0]).await, 200);
    assert_eq!(bench.listed("r").await, [ATTACHED[1]]);
}

#[tokio::test(start_paused = true)]
async fn iam_does_not_find_a_hidden_role() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::RoleFromIam, DELAY);
    bench.create_role("r").await;
    let operations = ["GetRole", "AttachRolePolicy", "ListAttachedRolePolicies", "UpdateAssumeRolePolicy"];
    for operation in operations {
        let (status, error) = send(bench.query(operation, "&RoleName=r")).await.unwrap();
        assert!(status == 404 && error.contains("<Code>NoSuchEntity</Code>"), "{operation}: {status} {error}");
        assert_eq!(send(bench.query(operation, "&RoleName=other")).await.unwrap().0, 200, "{operation}");
    }
    assert_eq!(bench.credentials().await.0, 200);
    advance(DELAY).await;
    for operation in operations {
        assert_eq!(send(bench.query(operation, "&RoleName=r")).await.unwrap().0, 200, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_role_hides_nothing() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::Role, DELAY);
    bench.proxy.hide(Hidden::Attachment, DELAY);
    bench.create_role("r").await;
    assert_eq!(bench.attach("r", ATTACHED[0]).await, 200);
    assert_eq!(send(bench.query("DeleteRole", "&RoleName=r")).await.unwrap().0, 200);
    assert_eq!(bench.credentials().await.0, 200);
}

#[tokio::test(start_paused = true)]
async fn reset_makes_everything_visible() {
    let bench = Bench::set_up().await;
    bench.proxy.hide(Hidden::Role, DELAY);
    bench.create_role("r").await;
    bench.proxy.reset();
    assert_eq!(bench.credentials().await.0, 200);
    bench.create_role("another").await;
    assert_eq!(bench.credentials().await.0, 200);
}
