//! Injects every fault into every call for an invitation signing key, and runs two calls concurrently.

use std::sync::Arc;

use aws::SsmInvitationKeys;
use domain::invitation::{
    EnsuredKey, InvitationKeys, KeyError, KeyName, KeyOwner, KeyProvisioner, OwningStack, PublicKey, SigningKey,
};
use domain::provision::Outcome;
use domain::retry::{Listener, Waiting};
use domain::spec::PoolName;

use super::harness::{Case, FAULTS, Harness, QuickClock, matrix};

const STACK: &str = "stack";

struct NoOpListener;

impl Listener for NoOpListener {
    fn waiting(&self, _: &Waiting) {}
}

fn provisioner(keys: &SsmInvitationKeys) -> KeyProvisioner<'_> {
    KeyProvisioner { keys, clock: Arc::new(QuickClock::new()), listener: &NoOpListener }
}

fn name_of(pool: &PoolName) -> KeyName {
    KeyName::of(pool, &OwningStack::of_id(STACK).unwrap(), 1)
}

fn owner_of(pool: &PoolName) -> KeyOwner {
    KeyOwner { pool: pool.clone(), stack_id: STACK.to_owned(), request_id: "request".to_owned() }
}

/// Ensures the key, with a new key from `seed`, because every run generates its own key.
async fn ensure(keys: SsmInvitationKeys, pool: PoolName, seed: u8) -> Result<EnsuredKey, KeyError> {
    provisioner(&keys).ensure(&name_of(&pool), &owner_of(&pool), None, &SigningKey::from_seed(&[seed; 32])).await
}

async fn stored_key(case: &Case) -> Option<PublicKey> {
    case.keys.read(&name_of(&case.spec.name)).await.unwrap().map(|stored| stored.key.public_key())
}

#[tokio::test]
async fn after_any_fault_a_key_is_never_replaced_and_can_be_deleted() {
    let harness = Harness::start().await;
    // At most five calls: read the key, create it, read it again, read its tags, and create it again.
    let cases = harness
        .for_each(matrix(5), async |planned| {
            let case = harness.case().await;
            let pool = case.spec.name.clone();
            let first = case.with(&[planned], ensure(case.keys_behind.clone(), pool.clone(), 1)).await;
            let context = format!("{planned:?} of {:?}: {first:?}", case.operations());
            let before = stored_key(&case).await;
            if let Some(Ok(first)) = first {
                assert_eq!(Some(first.public_key), before, "{context}");
            }
            let again = ensure(case.keys.clone(), pool, 2).await.unwrap();
            assert_eq!(stored_key(&case).await.as_ref(), Some(&again.public_key), "{context}");
            assert!(before.is_none_or(|before| before == again.public_key), "{context}");

            let (keys, name) = (case.keys_behind.clone(), name_of(&case.spec.name));
            let removed = async move { provisioner(&keys).remove(&name, STACK).await };
            let removed = case.with(&[planned], removed).await;
            let context = format!("{planned:?} of {:?}: {removed:?}", case.operations());
            if !matches!(removed, Some(Err(_)) | None) {
                assert_eq!(stored_key(&case).await, None, "{context}");
            }
            provisioner(&case.keys).remove(&name_of(&case.spec.name), STACK).await.unwrap();
            assert_eq!(stored_key(&case).await, None, "{context}");
        })
        .await;
    assert_eq!(cases, 5 * FAULTS.len());
}

#[tokio::test]
async fn concurrent_runs_return_the_same_key() {
    let harness = Harness::start().await;
    let mut overlaps = 0;
    for round in 0..20 {
        let case = harness.case().await;
        let ensure = |seed| ensure(case.keys_behind.clone(), case.spec.name.clone(), seed);
        let (first, second) = tokio::join!(ensure(1), ensure(2));
        let [first, second] = [first, second].map(Result::unwrap);
        assert_eq!(first.public_key, second.public_key, "round {round}");
        assert_eq!(stored_key(&case).await, Some(first.public_key), "round {round}");
        overlaps += usize::from([first.outcome, second.outcome].contains(&Outcome::Adopted));
    }
    assert!(overlaps > 0, "the runs never overlapped, so the test proves nothing");
}
